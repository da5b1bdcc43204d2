"""extract.py ROOT OUT FILE...: writes the examples of Markdown files to OUT, for CMake to build and run.

Prints one line an example: "cpp NAME" for OUT/NAME.cpp (with OUT/NAME.txt, its expected output, where it has one), "gpu
NAME" for one that needs a GPU, "console NAME FILE LINE" for a block of commands.
"""

from pathlib import Path
import sys

from blocks import blocks, expected_output, program


def write_if_changed(path: Path, text: str) -> None:
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def extract(file: Path, root: Path, out: Path) -> None:
    markdown = file.read_text()
    found = blocks(markdown)
    for block in found:
        name = f"{file.relative_to(root).with_suffix('').as_posix().replace('/', '.')}.line_{block.line}"
        if block.language == "console":
            print("console", name, file, block.line)
        elif block.language in ("cpp", "cpp gpu"):
            write_if_changed(out / f"{name}.cpp", program(block, file))
            expected = expected_output(markdown, block, found)
            if expected is not None:
                write_if_changed(out / f"{name}.txt", expected)
            print("gpu" if block.language == "cpp gpu" else "cpp", name)


def main() -> None:
    root, out, *files = map(Path, sys.argv[1:])
    out.mkdir(parents=True, exist_ok=True)
    for stale in out.glob("*.txt"):
        stale.unlink()
    for file in files:
        extract(file, root, out)


if __name__ == "__main__":
    main()
