"""The examples in Markdown: fenced blocks, what they are compared with, and how.

Fences that are run: ```cpp (a program, or the body of main), with its output in a ```text block right after it if that is
to be compared; ```cpp gpu (the same for a program that needs a GPU); ```console (lines after "$ " are commands, the others
what they print). "..." in an expected output stands for anything, as in Python's doctest.
"""

from dataclasses import dataclass
from pathlib import Path
import re

FENCE = "```"
PREAMBLE = "#include <gpuconv/gpuconv.hpp>\n#include <cstdint>\n#include <iostream>\n#include <vector>\n"


@dataclass
class Block:
    language: str
    line: int  # of its first line of content, from 1
    text: str
    after: int  # the line after its closing fence


def blocks(markdown: str) -> list[Block]:
    found, start, language = [], None, ""
    for number, line in enumerate(markdown.splitlines(), 1):
        if not line.startswith(FENCE):
            continue
        if start is None:
            start, language = number + 1, line[len(FENCE):].strip()
        else:
            text = "".join(f"{line}\n" for line in markdown.splitlines()[start - 1:number - 1])
            found.append(Block(language, start, text, number + 1))
            start = None
    if start is not None:
        raise ValueError(f"line {start - 1}: the fence is never closed")
    return found


def expected_output(markdown: str, block: Block, all_blocks: list[Block]) -> str | None:
    """The ```text block that follows with only blank lines between, if there is one."""
    lines = markdown.splitlines()
    for other in all_blocks:
        between = lines[block.after - 1:other.line - 2]
        if other.language == "text" and other.line > block.line and not any(line.strip() for line in between):
            return other.text
    return None


def program(block: Block, path: Path) -> str:
    """The block as a file to compile; errors are reported at the lines of the Markdown file."""
    if re.search(r"\bint main\(", block.text):
        return f'#line {block.line} "{path}"\n{block.text}'
    lines = block.text.splitlines()
    includes = [line for line in lines if line.startswith("#include")]
    body = ["" if line.startswith("#include") else line for line in lines]
    return "\n".join([PREAMBLE, *includes, "int main() {", f'#line {block.line} "{path}"', *body, "}", ""])


def commands(block: Block) -> list[tuple[str, str]]:
    """Pairs of command and expected output; a command goes on in the next line after a backslash."""
    found: list[list[str]] = []
    lines = iter(block.text.splitlines())
    for line in lines:
        if line.startswith("$ "):
            command = line[2:]
            while command.endswith("\\"):
                command += "\n" + next(lines)
            found.append([command, ""])
        elif found:
            found[-1][1] += line + "\n"
        else:
            raise ValueError(f"line {block.line}: a console block begins with a command, '$ ...'")
    return [(command, output) for command, output in found]


def matches(expected: str, actual: str) -> bool:
    pattern = ".*".join(re.escape(part) for part in expected.split("..."))
    return re.fullmatch(pattern, actual, re.DOTALL) is not None
