"""What `heartbeats` says of arguments and files that are wrong: check_errors.py HEARTBEATS RECORDING.npy."""

import pathlib
import subprocess
import sys
import tempfile


def npy(type_name, count, data=None):
    """A .npy file of `count` zeros, or of `data`."""
    header = f"{{'descr': '{type_name}', 'fortran_order': False, 'shape': ({count},), }}"
    header += " " * (63 - (10 + len(header)) % 64) + "\n"
    data = bytes(count * int(type_name[-1])) if data is None else data
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + data


def main():
    program, recording = sys.argv[1], sys.argv[2]
    failures = []

    def expect(what, code, text, *arguments):
        result = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)
        one_line = result.stderr.count("\n") == 1 and result.stderr.endswith("\n")
        if result.returncode != code or not one_line or text not in result.stderr:
            failures.append(f"{what}: exit {result.returncode}, stderr {result.stderr!r}; "
                            f"exit {code} and one line with {text!r} are expected")

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)

        def file(file_name, content):
            (folder / file_name).write_bytes(content)
            return folder / file_name

        expect("no arguments", 2, "usage: heartbeats RECORDING.npy FOLDER")
        expect("one argument", 2, "usage", recording)
        expect("three arguments", 2, "usage", recording, folder, "more")
        expect("a missing file", 1, "missing.npy", folder / "missing.npy", folder)
        expect("a text file", 1, "text.npy", file("text.npy", b"millivolts\n"), folder)
        expect("floats", 1, "float32", file("float.npy", npy("<f4", 100)), folder)
        expect("a short recording", 1, "100 samples", file("short.npy", npy("<i2", 100)), folder)
        expect("a truncated file", 1, "cut.npy", file("cut.npy", npy("<i2", 108000, bytes(1000))), folder)
        expect("a flat recording", 1, "flat", file("flat.npy", npy("<i2", 108000)), folder)
        expect("a file as the folder", 1, "text.npy", recording, folder / "text.npy")
        if (folder / "heartbeats.json").exists():
            failures.append("results were written where the work failed")

    if failures:
        sys.exit("\n".join(failures))


if __name__ == "__main__":
    main()
