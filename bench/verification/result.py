"""The result file, and what it says in a few lines."""

from datetime import datetime
import re

from .stages import Stage, counts

SCHEMA = 1
FAULTS = {"failed", "cut"}


def slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def file_name(date: datetime, device: dict) -> str:
    return f"{date:%Y-%m-%d}-{slug(device.get('name') or 'no device')}.json"


def verdict(stages: list[Stage], state: dict, device: dict) -> str:
    """passed, failed, incomplete (something was cut, refused or not available), or what an emulator can say at most."""
    entries = [state["stages"].get(s.name, {"status": "not run", "units": {}}) for s in stages]
    if any(counts(e).get("failed") for e in entries):
        return "failed"
    if device.get("emulated"):
        return "dry run on an emulator: says nothing of a GPU"
    tested = state["stages"].get("suite", {"units": {}})
    complete = all(e["status"] == "complete" and not counts(e).get("cut") for e in entries)
    return "passed" if complete and counts(tested).get("passed") else "incomplete"


def build(stages: list[Stage], state: dict, device: dict) -> dict:
    """The result file of what the state holds so far."""
    told = dict(state["stages"].get("environment", {}).get("units", {}).get("environment", {}))
    told.pop("outcome", None)
    out = {"schema": SCHEMA, "kind": "gpu verification", "date": state["date"], "verdict": verdict(stages, state, device),
           "emulated": bool(device.get("emulated")), "commit": "unknown", "modified": True, "build": _build_of(device), **told,
           "stages": {}, "measurements": []}
    for stage in stages:
        entry = state["stages"].get(stage.name)
        if not entry:
            out["stages"][stage.name] = {"status": "not run"}
            continue
        out["stages"][stage.name] = summary = {k: v for k, v in entry.items() if k != "units"} | counts(entry)
        if stage.timed:
            out["measurements"] += measurements(stage.name, entry)
        summary["faults"] = {n: r.get("text", "") for n, r in entry["units"].items() if r["outcome"] in FAULTS}
        if skipped := {n: r.get("text", "") for n, r in entry["units"].items() if r["outcome"] == "skipped"}:
            summary["skipped_cases"] = skipped
        if notes := {n: r["notes"] for n, r in entry["units"].items() if r.get("notes")}:
            summary["notes"] = notes
        if stage.name == "sanitizer":
            summary["units"] = entry["units"]
        noted = {n: r for n, r in entry["units"].items() if r["outcome"] == "noted" and n != "environment"}
        if noted:
            summary["noted"] = noted
    return out


def _build_of(device: dict) -> dict:
    return {"version": device.get("gpuconv"), "compiler": device.get("compiler"), "build_type": device.get("build_type"),
            "nvcc": device.get("nvcc"), "architectures": device.get("architectures")}


def measurements(suite: str, entry: dict) -> list[dict]:
    """Flat records, as bench/run.py's result files have them; and beside each the share of the copy's speed."""
    out = []
    for record in entry["units"].values():
        p = record.get("problem")
        if not p or "contestants" not in record:
            continue
        reference = next((c for c in record["contestants"] if c["library"] == "copy" and "seconds" in c), None)
        for c in record["contestants"]:
            flat = {"suite": suite, "device": "cuda", "memory": p["memory"], "batch": p["batch"], "signal": p["signal"],
                    "taps": p["taps"], "mode": "full", "dtype": p["type"], "call": c.get("call", "c++"), **c}
            if "seconds" in c:
                flat["samples_per_second"] = p["batch"] * p["signal"] / c["seconds"]["median"]
                if reference:
                    flat["of_copy"] = reference["seconds"]["median"] / c["seconds"]["median"]
                if "chosen" in record:
                    flat["chosen"] = c["contestant"] == record["chosen"]
            out.append(flat)
    return out


def lines(result: dict):
    """For people."""
    device = result.get("device", {})
    yield f"gpuconv on {device.get('name', 'no device')}, {result['commit'][:10]}{', modified' if result['modified'] else ''}, {result['date']}"
    for name, s in result["stages"].items():
        outcomes = ", ".join(f"{s[k]} {k}" for k in ("passed", "measured", "failed", "cut", "skipped") if s.get(k))
        left = f", {s['left']} left" if s.get("left") else ""
        yield f"  {name:<12} {s['status']:<12} {s.get('seconds', 0):>7.1f} s  {outcomes}{left}{'  ' + s['why'] if s.get('why') else ''}"
        for unit, text in list(s.get("faults", {}).items())[:10]:
            yield f"    {unit}: {text.splitlines()[0][:150] if text else 'failed'}"
    yield from _throughput(result)
    yield from _against_peers(result)
    yield f"verdict: {result['verdict']}"


def _throughput(result: dict):
    """Of the longest rows of float32 in device memory: the planner's choice and the fastest, as shares of the copy."""
    rows = [m for m in result["measurements"] if m["suite"] == "bench" and m["memory"] == "device" and m["dtype"] == "float32"
            and m["batch"] == 1 and "of_copy" in m and m["library"] == "gpuconv"]
    if not rows:
        return
    signal = max((m["signal"] for m in rows), key=lambda n: (len({m["taps"] for m in rows if m["signal"] == n}), n))
    yield f"float32, {signal:,} samples: speed as a share of the copy's"
    for taps in sorted({m["taps"] for m in rows if m["signal"] == signal}):
        here = [m for m in rows if m["signal"] == signal and m["taps"] == taps]
        best = max(here, key=lambda m: m["of_copy"])
        chosen = next((m for m in here if m.get("chosen")), None)
        choice = f"{chosen['of_copy']:.2f} {chosen['contestant']}" if chosen else "-"
        yield (f"  {taps:>8,} taps: {best['of_copy']:.2f} {best['contestant']:<18} chosen: {choice:<24}"
               f" relative L2 {best['relative_l2']:.1e}")


def _against_peers(result: dict):
    groups = {}
    for m in result["measurements"]:
        if m["suite"] == "peers" and "seconds" in m and m["library"] != "copy":
            groups.setdefault((m["signal"], m["taps"], m["dtype"]), []).append(m)
    if groups:
        yield "gpuconv against the fastest of the others whose error is no more than 8 times its own"
    for (signal, taps, dtype), here in groups.items():
        ours = next((m for m in here if m["library"] == "gpuconv"), None)
        others = [m for m in here if m["library"] != "gpuconv" and ours
                  and m["relative_l2"] <= 8 * max(ours["relative_l2"], 1e-17)]
        if others:
            best = min(others, key=lambda m: m["seconds"]["median"])
            yield (f"  {signal:>12,} x {taps:>8,} {dtype}: {best['seconds']['median'] / ours['seconds']['median']:.1f}x "
                   f"{best['contestant']}")
