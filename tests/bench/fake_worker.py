#!/usr/bin/env python3
"""Answers jobs as bench/verification/worker.py expects it, and misbehaves where a job says so."""

import json
import os
import sys
import time

for line in sys.stdin:
    job = json.loads(line)
    print("a library's warning\n{not an answer", flush=True)
    if job.get("do") == "crash":
        print("out of luck", flush=True)
        os.abort()
    if job.get("do") == "hang":
        time.sleep(600)
    print(json.dumps({"error": "refused"} if job.get("do") == "refuse" else {"record": {"pid": os.getpid()}}), flush=True)
