#!/usr/bin/env python3
"""Stands in for gpuconv_bench on a machine with the GPU that FAKE_GPU names: two problems, whose times and errors are made
up. FAKE_BENCH says what else happens in the first: crash, hang, a wrong result, or nothing."""

import json
import os
import signal
import sys
import time

options = dict(argument.split("=", 1) for argument in sys.argv[1:] if "=" in argument)
name, trouble = os.environ.get("FAKE_GPU"), os.environ.get("FAKE_BENCH", "")
PROBLEMS = [f"device/float32/batch:1/signal:{1 << 26}/taps:{taps}" for taps in (257, 1024)]

if "--about" in sys.argv:
    print(json.dumps({"available": True, "name": name, "emulated": name == "emulated GPU", "gpuconv": "0.1.0"} if name else
                     {"available": False, "detail": "there is no NVIDIA driver"}))
elif "--benchmark_list_tests" in sys.argv:
    print("\n".join(f"{problem}/{who}/manual_time" for problem in PROBLEMS for who in ("copy", "cuda direct")))
else:
    wanted, = [problem for problem in PROBLEMS if options["--benchmark_filter"].startswith(f"^{problem}/")]
    if wanted == PROBLEMS[0] and trouble == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if wanted == PROBLEMS[0] and trouble == "hang":
        time.sleep(600)
    wrong = wanted == PROBLEMS[0] and trouble == "wrong"
    runs = [{"name": f"{wanted}/{who}/manual_time", "run_type": "iteration", "real_time": time_ns, "calls": 20, "replayed": 1.0}
            for who, time_ns in (("copy", 1000), ("cuda direct", 2000)) for _ in range(3)]
    for run in runs[3:]:
        run |= {"relative_l2": float("nan") if wrong else 1e-7, "max_error": 1e-7, "chosen": 1.0, "label": "tiles of 640"}
    runs.append({"name": f"{wanted}/cuda fft/manual_time", "run_type": "iteration", "error_occurred": True,
                 "error_message": "skipped: out of memory"})
    with open(options["--benchmark_out"], "w") as file:
        json.dump({"benchmarks": runs}, file)
