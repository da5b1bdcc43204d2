#!/usr/bin/env python3
"""A program with GoogleTest's face and four cases: one passes, one fails, one is skipped, and FAKE_GTEST says what else
the second does: crash, hang or nothing."""

import os
import signal
import sys
import time

CASES = ["One.Passes", "Two/Param.Troubles/cuda_direct", "Two/Param.Fails/cuda_direct", "Three.Skips"]
flags = {}
for argument in sys.argv[1:]:
    if argument.startswith("--gtest_flagfile="):
        flags |= dict(line.strip().split("=", 1) for line in open(argument.split("=", 1)[1]) if "=" in line)
    elif "=" in argument:
        flags |= dict([argument.split("=", 1)])

if "--gtest_list_tests" in sys.argv:
    print("Running main() from gtest_main.cc\nOne.\n  Passes\nTwo/Param.\n  Troubles/cuda_direct  # GetParam() = cuda direct")
    print("  Fails/cuda_direct  # GetParam() = cuda direct\nThree.\n  Skips")
    sys.exit(0)

wanted = flags.get("--gtest_filter", "*").split(":")
print(f"[==========] Running {len(wanted)} tests from 3 test suites.", flush=True)
for case in CASES:
    if wanted != ["*"] and case not in wanted:
        continue
    print(f"[ RUN      ] {case}", flush=True)
    if case.endswith("Troubles/cuda_direct"):
        print("[ NOTE     ] largest error 0", flush=True)
        trouble = os.environ.get("FAKE_GTEST", "")
        if trouble == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if trouble == "hang":
            time.sleep(600)
        print(f"[       OK ] {case} (12 ms)", flush=True)
    elif case.endswith("Fails/cuda_direct"):
        print(f"test.cpp:7: Failure\nExpected equality\n[  FAILED  ] {case}, where GetParam() = cuda direct (3 ms)", flush=True)
    elif case.startswith("Three"):
        print(f"no GPU: no driver\n[  SKIPPED ] {case} (0 ms)", flush=True)
    else:
        print(f"[       OK ] {case} (1 ms)", flush=True)
print("[==========] 4 tests from 3 test suites ran. (20 ms total)\n[  FAILED  ] 1 test, listed below:")
print("[  FAILED  ] Two/Param.Fails/cuda_direct, where GetParam() = cuda direct", flush=True)
sys.exit(1)
