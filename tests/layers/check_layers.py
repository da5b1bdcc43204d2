#!/usr/bin/env python3
"""Which parts of the source include which: usage: check_layers.py [ROOT]. Says what breaks a rule; exit status 1."""

from pathlib import Path
import re
import sys

# What files below a folder may include of src.
RULES = {
    "include/gpuconv": lambda path: False,
    "src/core": lambda path: path.startswith("src/core/"),
    "kernels": lambda path: path.startswith("src/core/"),
    "src/cpu": lambda path: not path.startswith("src/cuda/"),
    "src/cuda": lambda path: not path.startswith("src/cpu/"),
}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


def included(root: Path, file: Path, name: str) -> str:
    """The included file's path from the root, or an empty string for one that is not in the source."""
    for folder in (file.parent, root / "src", root / "kernels"):
        if (path := (folder / name).resolve()).is_file() and path.is_relative_to(root):
            return str(path.relative_to(root))
    return ""


def violations(root: Path) -> list[str]:
    root = root.resolve()
    found = []
    for folder, allows in RULES.items():
        for file in sorted((root / folder).rglob("*")):
            if file.suffix not in (".hpp", ".cpp", ".cu", ".cuh"):
                continue
            for name in INCLUDE.findall(file.read_text()):
                path = included(root, file, name)
                if path.startswith("src/") and not allows(path):
                    found.append(f"{file.relative_to(root)} includes {path}")
    return found


if __name__ == "__main__":
    found = violations(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
    print("\n".join(found) or "every file includes what its layer may include")
    sys.exit(1 if found else 0)
