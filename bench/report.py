"""Conclusions from a result file, and its tables: who wins, where transforms overtake direct sums, how noisy it all was.

Contestants are ranked only within a problem, and only against those whose error is about gpuconv's. All that is measured is one
table of pandas, a row for each time.
"""

import numpy as np
import pandas as pd

from stages.profiler import SHOWN
from stages.stage import counts

EQUAL_ACCURACY = 8  # relative L2 errors within this factor count as equal
COMPARED = ("small", "large", "crossover", "peers", "images")  # suites with other libraries
LISTED = ("small", "large", "peers", "images", "chunks")  # suites of which the tables have everyone's time
PROBLEM = ["suite", "dtype", "batch", "lines", "signal", "filter_lines", "taps", "separable", "memory"]
USUAL = {"memory": "host", "batch": 1, "lines": 1, "filter_lines": 1, "separable": False, "threads": 1, "mode": "full", "chosen": False,
         "replayed": False, "of_copy": np.nan, "max_error": np.nan, "relative_l2": np.nan}  # of measurements that do not say
DIRECT_AND_TRANSFORMS = {"gpuconv": ("gpuconv direct", ["gpuconv overlap-save", "gpuconv fft"]),
                         "numpy and scipy": ("numpy.convolve", ["scipy fftconvolve", "scipy oaconvolve"])}


# ---- measurements ------------------------------------------------------------------------------------------------------


def times(result: dict) -> pd.DataFrame:
    """A row for each measurement with a time: `seconds` is its median, beside `lower`, `upper` and `least`; `spread` the distance of
    the quartiles over the median."""
    rows = [USUAL | m | m["seconds"] | {"seconds": m["seconds"]["median"]} for m in result["measurements"] if "seconds" in m]
    always = dict.fromkeys([*PROBLEM, *USUAL, "device", "contestant", "library", "call", "seconds", "lower", "upper", "least"])
    data = pd.DataFrame(rows, columns=list(always | dict.fromkeys(name for row in rows for name in row)))
    return data.assign(spread=(data.upper - data.lower) / data.seconds)


def pick(data: pd.DataFrame, **fields) -> pd.DataFrame:
    """The rows with these values."""
    for name, value in fields.items():
        data = data[data[name] == value]
    return data


def problems(data: pd.DataFrame, *suites: str):
    """The rows of each problem, in the order measured."""
    return [entry for _, entry in data[data.suite.isin(suites)].groupby(PROBLEM, sort=False)]


def first(rows: pd.DataFrame):
    return None if rows.empty else rows.iloc[0]


def fastest(rows: pd.DataFrame):
    return None if rows.empty else rows.loc[rows.seconds.idxmin()]


def rival(entry: pd.DataFrame, ours, all_cores: bool = False):
    """The fastest of the other libraries' convolutions with their defaults, or of those on all cores, at gpuconv's accuracy."""
    others = entry[~entry.library.isin(("gpuconv", "copy")) & ~entry.contestant.str.contains("correlate$") & ((entry.threads > 1) == all_cores)]
    low, high = (f(others.relative_l2, ours.relative_l2) for f in (np.minimum, np.maximum))
    return fastest(others[high <= EQUAL_ACCURACY * np.maximum(low, 1e-17)])


# ---- conclusions -------------------------------------------------------------------------------------------------------


def slower_than_a_rival(data: pd.DataFrame) -> list[str]:
    """Where a plan or a one-shot call of gpuconv took longer than the fastest of the others."""
    return [f"{text_of(ours)}, {ours.contestant} from {ours.call} ({ours.seconds / peer.seconds:.1f}x {peer.contestant})"
            for entry in problems(data, *COMPARED) for _, ours in entry.iterrows()
            if ours.contestant in ("gpuconv plan", "gpuconv one-shot", "gpuconv.convolve")
            and (peer := rival(entry, ours)) is not None and ours.seconds > peer.seconds]


def crossover_taps(direct: pd.Series, transform: pd.Series) -> float:
    """Filter length from which transforms stay faster, from seconds by filter length: interpolated on logarithmic axes, NaN where they
    never overtake. A direct sum that took too long to be measured is slower."""
    lead = np.log(direct.reindex(transform.index).fillna(np.inf) / transform)
    behind = np.flatnonzero(lead <= 0)
    if len(behind) == 0:
        return float(lead.index[0])
    around = lead.iloc[behind[-1]:behind[-1] + 2]  # the last that direct sums win, and the next
    if len(around) < 2 or np.isinf(around.iloc[1]):
        return float(around.index[1]) if len(around) == 2 else np.nan
    return float(np.exp(np.interp(0, around, np.log(around.index))))


def crossovers(data: pd.DataFrame) -> pd.DataFrame:
    """By signal length, the taps from which gpuconv's and the others' transforms overtake their direct sums."""
    data = pick(data, suite="crossover", call="python")
    found = {}
    for who, (direct, transforms) in DIRECT_AND_TRANSFORMS.items():
        for signal, rows in data.groupby("signal"):
            best = rows[rows.contestant.isin(transforms)].groupby("taps").seconds.min()
            sums = pick(rows, contestant=direct).set_index("taps").seconds
            found.setdefault(who, {})[signal] = crossover_taps(sums, best)
    return pd.DataFrame(found)


# ---- tables ------------------------------------------------------------------------------------------------------------


def scaled(value: float, units) -> str:
    scale, unit = next(((scale, unit) for scale, unit in units if value >= scale), units[-1])
    return f"{value / scale:.3g} {unit}"


def time_text(value: float) -> str:
    return scaled(value, [(1, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns")])


def text_of(m) -> str:
    """The problem of a measurement."""
    size = lambda *parts: " x ".join(f"{part:,}" for part in (*(n for n in parts[:-1] if n > 1), parts[-1]))
    return f"{size(m.batch, m.lines, m.signal)} * {size(m.filter_lines, m.taps)} {m['dtype']}{', a product' if m.separable else ''}"


def table(title: str, rows: list[dict]):
    """Lines of a table, if it has any rows: cells are text."""
    if rows:
        yield f"\n{title}"
        yield pd.DataFrame(rows).fillna("-").to_string(index=False)


def lines(result: dict):
    """For people."""
    machine, libraries, data = result["machine"], result.get("libraries", {}), times(result)
    yield f"gpuconv {result['build']['version']} ({result['commit'][:10]}{', modified' if result['modified'] else ''}) {result['date']}"
    yield ", ".join([*filter(None, [machine.get("gpu")]), machine["cpu"], f"{machine['threads']} threads",
                     *(f"{name} {version}" for name, version in libraries.items())])
    for entry in problems(data, *LISTED):
        yield from _everyone(entry)
    yield from table("in device memory: the speed as a share of a copy's", [_of_copy(entry) for entry in problems(pick(data, memory="device"), "bench")])
    yield from table("kernels, by Nsight Compute", list(_profiles(result)))
    for device, suites in (("CPU", ("small", "large", "images")), ("GPU", ("peers",))):
        yield from table(f"gpuconv on the {device}, called from Python, against the fastest of the others whose error is no more than "
                         f"{EQUAL_ACCURACY} times its own", list(filter(None, map(_leads, problems(data, *suites)))))
    if problems(data, *COMPARED):
        yield "gpuconv is slower than another library at: " + (", ".join(slower_than_a_rival(data)) or "no problem measured")
    found = crossovers(data)
    yield from table("taps from which a transform overtakes the direct sum (float32, CPU)", [
        {"signal": f"{signal:,}"} | {who: "never" if np.isnan(taps) else f"{taps:.0f}" for who, taps in row.items()}
        for signal, row in found.iterrows()])
    if len(data):
        yield f"noise: quartiles {data.spread.median():.1%} of the median apart (worst {data.spread.max():.0%})"
    yield from _stages(result)


def _everyone(entry: pd.DataFrame):
    rate = [(1e9, "G"), (1e6, "M"), (1e3, "k"), (1, "")]
    yield from table(f"{text_of(entry.iloc[0])}, {entry.suite.iloc[0]}", [
        {"": m.contestant, "call": m.call, "threads": m.threads, "median": time_text(m.seconds), "least": time_text(m.least),
         "spread": f"{m.spread:.1%}", "samples/s": scaled(m.batch * m.lines * m.signal / m.seconds, rate),
         "max error": f"{m.max_error:.1e}", "rel. L2": f"{m.relative_l2:.1e}"} for _, m in entry.sort_values("seconds").iterrows()])


def _of_copy(entry: pd.DataFrame) -> dict:
    """The fastest solver and the planner's choice, with the clock."""
    ours = pick(entry, library="gpuconv")
    best, chosen = fastest(ours), first(ours[ours.chosen.astype(bool)])
    if best is None:
        return {"problem": text_of(entry.iloc[0])}
    clock = best.clocks.get("clocks.sm")
    return {"problem": text_of(best), "of copy": f"{best.of_copy:.2f}", "fastest": best.contestant,
            "chosen": "-" if chosen is None else f"{chosen.of_copy:.2f} {chosen.contestant.split()[-1]}", "rel. L2": f"{best.relative_l2:.1e}",
            "SM clock": f"{clock[1]:.0f} MHz" if clock else "-", "": "replayed" if best.replayed else ""}


def _profiles(result: dict):
    for unit, record in result.get("stages", {}).get("profiler", {}).get("units", {}).items():
        for launch in record.get("launches", ()):
            cells = {name: launch["metrics"].get(metric) for name, metric in SHOWN.items()}
            taps = unit.split("taps=")[1].split("/")[0]
            yield {"kernel": f"{taps} {launch['kernel']}"[:40]} | {
                name: f"{cell / (1000 if name == 'microseconds' else 1):.4g}" if isinstance(cell, float) else "-" for name, cell in cells.items()}


def _leads(entry: pd.DataFrame) -> dict | None:
    lead = lambda ours, theirs: "-" if ours is None or theirs is None else f"{theirs.seconds / ours.seconds:.1f}x"
    named = lambda *names: first(entry[entry.contestant.isin(names) & (entry.call == "python")])
    plan, copy = named("gpuconv plan"), named("streaming copy", "copy")
    if plan is None or ((peer := rival(entry, plan)) is None):
        return None
    leads = {name: lead(named(who), peer) for name, who in
             (("plan", "gpuconv plan"), ("one-shot", "gpuconv one-shot"), ("package", "gpuconv.convolve"))}
    return {"problem": text_of(plan), **leads, "all cores": lead(plan, rival(entry, plan, all_cores=True)),
            "of copy": "-" if copy is None else f"{copy.seconds / plan.seconds:.0%}", "against": peer.contestant}


def _stages(result: dict):
    for name, entry in result.get("stages", {}).items():
        outcomes = ", ".join(f"{number} {outcome}" for outcome, number in counts(entry).items())
        left = f", {entry['left']} left" if entry.get("left") else ""
        yield f"  {name:<12} {entry['status']:<12} {entry['seconds']:>7.1f} s  {outcomes}{left}{'  ' + entry['why'] if 'why' in entry else ''}"
        faults = [f"    {unit}: {' '.join(record.get('text', '').split())[-150:]}" for unit, record in entry["units"].items() if record["outcome"] == "failed"]
        yield from faults[:10]
    if "verdict" in result:
        yield f"verdict: {result['verdict']}"
