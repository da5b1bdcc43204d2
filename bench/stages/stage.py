"""Stages of a run: units of work, each recorded the moment it is done, so that the next run goes on where this
one stopped. A record has an "outcome": passed, failed, skipped, measured or noted."""

from dataclasses import dataclass, field
import json
import os
from pathlib import Path
from time import monotonic
from typing import Callable
from collections.abc import Iterator

from .process import Deadline


class Unavailable(Exception):
    """A stage that cannot be run here, and why: something is not built or not installed."""


@dataclass
class Context:
    """The surroundings that stages are given."""

    build: Path
    source: Path
    device: dict  # as the worker says
    environment: dict = field(default_factory=dict)  # variables for the programs
    jobs: int = 1


@dataclass(frozen=True)
class Stage:
    name: str
    summary: str
    units: Callable[[Context], list[str]]  # names, in order; raises Unavailable
    # Yields (name, record) of those units until the deadline. A unit that the deadline cuts short has no record.
    run: Callable[[Context, list[str], Deadline], Iterator[tuple[str, dict]]]
    timed: bool = False  # its results are times, of which an emulated device has none
    device: str | None = "cuda"  # that it is about; None: the machine
    usual: bool = True  # not only where it is asked for by its name


def one_by_one(work: Callable[[Context, str, Deadline], dict | None]):
    """The `run` of a stage whose units have their records from `work`; None: the time was over first."""
    def run(context: Context, pending: list[str], deadline: Deadline):
        for unit in pending:
            if deadline.over() or (record := work(context, unit, deadline)) is None:
                return
            yield unit, record
    return run


class Result:
    """All that was done on a device, in a file that is complete at every moment."""

    def __init__(self, path: Path, data: dict):
        self.path, self.data = path, data

    def stage(self, name: str) -> dict:
        return self.data["stages"].setdefault(name, {"status": "not run", "seconds": 0.0, "units": {}})

    def add(self, stage: Stage, unit: str, record: dict) -> None:
        """A record may bring more than its outcome: "about", what the run is of; the versions of "libraries"; and a "problem" with
        its "contestants" and "clocks", which become a flat measurement for each contestant, with its share of the copy's speed."""
        self.data |= record.pop("about", {})
        self.data["libraries"] |= record.pop("libraries", {})
        contestants, problem = record.pop("contestants", ()), record.get("problem", {})
        copy = next((c for c in contestants if c["library"] == "copy" and "seconds" in c), None)
        common = {"device": stage.device, **problem, "clocks": record.pop("clocks", {})}
        for c in contestants:
            of_copy = {"of_copy": copy["seconds"]["median"] / c["seconds"]["median"]} if copy and "seconds" in c else {}
            self.data["measurements"].append(common | c | of_copy)
        self.stage(stage.name)["units"][unit] = record

    def forget(self, name: str) -> None:
        self.data["stages"].pop(name, None)
        self.data["measurements"] = [m for m in self.data["measurements"] if m["suite"] != name]

    def save(self) -> None:
        write(self.path, json.dumps(self.data, indent=1) + "\n")


def write(path: Path, text: str) -> None:
    """All or nothing: a reader never meets half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".tmp")
    unfinished.write_text(text)
    os.replace(unfinished, path)


def run_stage(stage: Stage, context: Context, result: Result, deadline: Deadline, say=lambda name, record: None) -> dict:
    """Runs what is left of a stage. Returns its entry in the result, whose "status" becomes

    complete     every unit has a record
    cut          the time was over first; the next run goes on
    unavailable  it cannot be run here; "why" tells
    refused      its results would be times, and the device is emulated
    """
    entry = result.stage(stage.name)
    entry.pop("why", None)
    begin, pending = monotonic(), []
    try:
        if stage.timed and stage.device == "cuda" and context.device.get("emulated"):
            entry |= {"status": "refused", "why": "the device is an emulator, whose times mean nothing"}
            return entry
        names = stage.units(context)
        pending = [name for name in names if name not in entry["units"]]
        for name, record in stage.run(context, pending, deadline) if pending else ():
            result.add(stage, name, record)
            say(name, record)
            result.save()
        entry["left"] = sum(name not in entry["units"] for name in names)
        entry["status"] = "cut" if entry["left"] else "complete"
    except Unavailable as why:
        entry |= {"status": "unavailable", "why": str(why)}
    finally:
        entry["seconds"] = round(entry["seconds"] + monotonic() - begin, 3)
        result.save()
    return entry


def counts(entry: dict) -> dict:
    """How many units had which outcome."""
    out = {}
    for record in entry["units"].values():
        out[record["outcome"]] = out.get(record["outcome"], 0) + 1
    return out


def verdict(stages: list[Stage], result: dict) -> str:
    """passed, failed, incomplete (something was cut, refused or not available), or what an emulator can say at most. Of a
    machine without a GPU: whether the comparison on the CPU is complete."""
    device = result["device"]
    entries = {s.name: result["stages"].get(s.name, {"status": "not run", "units": {}}) for s in stages
               if s.usual and (device["available"] or s.device != "cuda")}
    if any(counts(entry).get("failed") for entry in entries.values()):
        return "failed"
    if device.get("emulated"):
        return "dry run on an emulator: says nothing of a GPU"
    tested = not device["available"] or counts(entries["suite"]).get("passed")
    return "passed" if tested and all(entry["status"] == "complete" for entry in entries.values()) else "incomplete"
