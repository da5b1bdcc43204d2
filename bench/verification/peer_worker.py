"""Times gpuconv and other libraries of the GPU on the same arrays, one problem after the other; see worker.py for how it
is talked to. On its own because a library that crashes, or takes all memory, must not take the verification with it.

Usage: peer_worker.py BUILD. Answers {"versions": true} with the versions, a job with the contestants' records.
"""

import ctypes
import json
from pathlib import Path
import sys

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from peers.shim import ShimError
from peers.timing import Budget, measure
from peers.workload import Workload
from verification import contestants, machine
from verification.arrays import DeviceShim, Problem


def load_cufft() -> None:
    """One cuFFT for everyone: PyTorch's, which insists on its own, else what there is. gpuconv opens it by its name."""
    try:
        import torch  # noqa: F401
    except Exception:  # it may be missing, or broken in any way: then it takes no part
        pass
    if folder := machine.find_cufft():
        for library in machine.CUFFT:
            if (folder / library).exists():
                ctypes.CDLL(str(folder / library))


def compare(shim: DeviceShim, job: dict) -> dict:
    """Everyone's errors, and times unless the device is emulated."""
    work = Workload(job["signal"], job["taps"], job["type"])
    problem = Problem(shim, work)
    ready, records = [], []
    for enter in contestants.ALL:
        try:
            entry = enter(problem)
            if entry.result:
                entry.record |= work.errors(entry.result())
            ready.append(entry)
        except contestants.Absent as why:
            records.append(why.record)
        except Exception as error:  # of a library that does not manage this problem: it takes no part
            records.append({"contestant": enter.__name__, "library": "?", "skipped": f"{type(error).__name__}: {error}"[:300]})
    if not shim.emulated:
        samplers = [entry.sampler(problem) for entry in ready]
        for entry, seconds in zip(ready, measure(samplers, Budget(job["seconds"], job["least"]))):
            entry.record["seconds"] = seconds
    return {"contestants": [entry.record for entry in ready] + records}


def main() -> int:
    load_cufft()
    shim = DeviceShim(Path(sys.argv[1]))
    for line in sys.stdin:
        try:
            job = json.loads(line)
            record = contestants.versions() if "versions" in job else compare(shim, job)
            answer = {"record": record}
        except (ShimError, MemoryError, ValueError, KeyError) as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
