"""Draws the pictures of the demo: check_pictures.py PLOT_SCRIPT FOLDER. Exit 77: matplotlib is missing."""

import pathlib
import struct
import subprocess
import sys

try:
    import matplotlib  # noqa: F401  the script needs it
except ImportError as missing:
    print(f"SKIPPED: {missing}")
    sys.exit(77)


def main():
    script, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    pictures = [folder / f"{name}.png" for name in ("heartbeats", "overview", "patterns")]
    for picture in pictures:
        picture.unlink(missing_ok=True)
    subprocess.run([sys.executable, script, str(folder)], check=True)
    for picture in pictures:
        head = picture.read_bytes()[:24]
        width, height = struct.unpack(">II", head[16:24])
        assert head[:8] == b"\x89PNG\r\n\x1a\n", f"{picture} is not a PNG"
        assert width == 1200 and 400 <= height <= 1200, f"{picture} has {width} x {height} pixels"

    wrong = subprocess.run([sys.executable, script, str(folder / "missing")], capture_output=True, text=True)
    assert wrong.returncode == 1 and wrong.stderr.count("\n") == 1, wrong.stderr


if __name__ == "__main__":
    main()
