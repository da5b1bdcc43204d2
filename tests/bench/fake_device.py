#!/usr/bin/env python3
"""What gpuconv_bench_device --info says: of the device that FAKE_DEVICE names, or that there is none."""

import json
import os

name = os.environ.get("FAKE_DEVICE")
print(json.dumps({"available": True, "name": name, "emulated": name == "emulated GPU", "gpuconv": "0.1.0"} if name
                 else {"available": False, "detail": "there is no NVIDIA driver"}))
