"""Where a result comes from: the commit of the working tree, the processor."""

from pathlib import Path
import platform
import subprocess


def commit(source: Path) -> dict:
    """The commit of the working tree, and whether the tree has changes; "unknown" outside one."""
    def git(*arguments):
        return subprocess.run(["git", "-C", source, *arguments], check=True, capture_output=True, text=True).stdout.strip()

    try:
        return {"commit": git("rev-parse", "HEAD"), "modified": bool(git("status", "--porcelain"))}
    except (OSError, subprocess.CalledProcessError):
        return {"commit": "unknown", "modified": True}


def cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    fields = dict(tuple(part.strip() for part in line.split(":", 1)) for line in lines if ":" in line)
    family = f" (family {fields['cpu family']}, model {fields['model']})" if "cpu family" in fields else ""
    return fields.get("model name", platform.machine()) + family
