"""Stages of the verification: units of work, each recorded the moment it is done, so that a stage that runs out of time
goes on where it stopped."""

from dataclasses import dataclass, field
import json
import os
from pathlib import Path
from time import monotonic
from typing import Callable, Iterator

from .process import Deadline

SAVE_EVERY = 2.0  # seconds


class Unavailable(Exception):
    """A stage that cannot be run here, and why: something is not built or not installed."""


@dataclass
class Context:
    """What stages are given."""

    build: Path
    source: Path
    device: dict  # as gpuconv_bench_device --info says
    environment: dict = field(default_factory=dict)  # variables for the programs
    quick: bool = False


@dataclass(frozen=True)
class Stage:
    name: str
    summary: str
    units: Callable[[Context], list[str]]  # names, in order; raises Unavailable
    # Yields (name, record) of those units, in any order, until the deadline. Records have an "outcome".
    run: Callable[[Context, list[str], Deadline], Iterator[tuple[str, dict]]]
    timed: bool = False  # its results are times, which an emulated device has none of


class State:
    """What has been done, in a file that is complete at every moment."""

    def __init__(self, path: Path, data: dict | None = None):
        self.path, self.data = path, data or {"stages": {}}
        self._saved = 0.0

    @classmethod
    def load(cls, path: Path) -> "State":
        return cls(path, json.loads(path.read_text()))

    def stage(self, name: str) -> dict:
        return self.data["stages"].setdefault(name, {"status": "not run", "seconds": 0.0, "units": {}})

    def save(self, now: bool = True) -> None:
        if not now and monotonic() - self._saved < SAVE_EVERY:
            return
        write_json(self.path, self.data)
        self._saved = monotonic()


def write_json(path: Path, data) -> None:
    """All or nothing: a reader never meets half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".tmp")
    unfinished.write_text(json.dumps(data, indent=1) + "\n")
    os.replace(unfinished, path)


def run_stage(stage: Stage, context: Context, state: State, limit: float, report=lambda name, record: None,
              whole: bool = True) -> dict:
    """Runs what is left of a stage. `whole`: `limit` is all the time that a stage can get, so that a unit which takes more
    never ends. Returns the stage's entry in the state, whose "status" becomes

    complete     every unit has a record
    cut          the limit came first; the next run goes on
    unavailable  it cannot be run here; "why" tells
    refused      its results would be times, and the device is emulated
    """
    entry = state.stage(stage.name)
    entry.pop("why", None)
    if stage.timed and context.device.get("emulated"):
        entry |= {"status": "refused", "why": "the device is an emulator, whose times mean nothing"}
        state.save()
        return entry
    begin, deadline = monotonic(), Deadline(limit)
    try:
        names = stage.units(context)
        pending = [name for name in names if name not in entry["units"]]
        recorded = 0
        for name, record in stage.run(context, pending, deadline) if pending else ():
            entry["units"][name] = record
            recorded += 1
            report(name, record)
            state.save(now=False)
        left = [name for name in names if name not in entry["units"]]
        if left and not recorded and whole:  # one unit took it all, and would again
            entry["units"][left[0]] = {"outcome": "failed", "text": f"no end within the stage's limit of {limit:g} s"}
            left = left[1:]
        entry["status"] = "cut" if left else "complete"
        entry["left"] = len(left)
    except Unavailable as why:
        entry |= {"status": "unavailable", "why": str(why)}
    entry["seconds"] += round(monotonic() - begin, 3)
    state.save()
    return entry


def counts(entry: dict) -> dict:
    """How many units had which outcome."""
    out = {}
    for record in entry["units"].values():
        out[record["outcome"]] = out.get(record["outcome"], 0) + 1
    return out
