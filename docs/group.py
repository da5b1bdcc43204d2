"""Doxygen's input filter: what a public header declares becomes a group of the header's name, which a page can show whole."""

import sys
from pathlib import Path

OPEN, CLOSE = "namespace gpuconv {", "}  // namespace gpuconv"

path = Path(sys.argv[1])
text = path.read_text()
text = text.replace(f"\n{OPEN}\n", f"\n{OPEN} /** @addtogroup {path.stem}\n@{{ */\n")
print(text.replace(f"\n{CLOSE}", f"\n/** @}} */ {CLOSE}"), end="")
