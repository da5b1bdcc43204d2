#!/usr/bin/env python3
"""Stands in for bench/peers/worker.py on a machine with the GPU that FAKE_GPU names, with times and errors that are made up.
FAKE_TROUBLE says what else happens in the first problem: crash, hang, a wrong result, or nothing."""

import json
import os
import signal
import sys
import time

name, trouble = os.environ.get("FAKE_GPU"), os.environ.get("FAKE_TROUBLE", "")
problems = [argument for argument in sys.argv[2:] if "=" in argument]

if not problems:
    print(json.dumps({"available": True, "name": name, "emulated": name == "emulated GPU", "gpuconv": "0.1.0", "threads": 2} if name else
                     {"available": False, "detail": "there is no NVIDIA driver"}))
else:
    print("a warning")
    print(json.dumps({"versions": {"torch": "2"}}))
for problem in problems:
    troubled = "taps=257" in problem
    if troubled and trouble == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if troubled and trouble == "hang":
        time.sleep(600)
    found = [{"contestant": who, "library": library, "call": "python", "seconds": dict.fromkeys(("median", "lower", "upper", "least"), seconds)}
             for who, library, seconds in (("copy", "copy", 5e-8), ("cuda direct", "gpuconv", 1e-7))]
    found[1] |= {"relative_l2": float("nan") if troubled and trouble == "wrong" else 1e-7, "max_error": 1e-7, "chosen": True, "replayed": True}
    found.append({"contestant": "cuda fft", "library": "gpuconv", "call": "python", "skipped": "out of memory"})
    print(json.dumps({"problem": problem, "contestants": found, "data": "cold", "clocks": {"clocks.sm": [1965, 1972.5, 1980]}}), flush=True)
