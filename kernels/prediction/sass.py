"""Instructions of compiled kernels, by kind and by loop, straight from the objects that nvcc made.

NVIDIA's disassembler is not among the wheels of CUDA 13.0. What is needed of machine code is little: sm_70 to sm_90
encode an instruction in 16 bytes, the operation in the low 12 bits, its guard in the next 4. The numbers below were
compared with nvdisasm on every instruction of this library's kernels for sm_90.
"""

from pathlib import Path
import struct
from typing import NamedTuple
from collections.abc import Iterator

# The operation without the form of its operands: the low 9 bits.
NAMES = {
    0x002: "MOV", 0x003: "P2R", 0x004: "R2P", 0x005: "CS2R", 0x006: "VOTE", 0x007: "SEL", 0x008: "FSEL", 0x009: "FMNMX", 0x00b: "FSETP",
    0x00c: "ISETP", 0x010: "IADD3", 0x011: "LEA", 0x012: "LOP3", 0x013: "IABS", 0x016: "PRMT", 0x019: "SHF",
    0x01c: "PLOP3", 0x020: "FMUL", 0x021: "FADD", 0x023: "FFMA", 0x024: "IMAD", 0x025: "IMAD", 0x027: "IMAD",
    0x028: "DMUL", 0x029: "DADD", 0x02a: "DSETP", 0x02b: "DFMA", 0x030: "HADD2", 0x035: "HFMA2", 0x036: "VIADD", 0x03e: "F2FP", 0x045: "I2FP",
    0x046: "VIADDMNMX", 0x048: "VIMNMX", 0x082: "UMOV", 0x086: "VOTEU", 0x08c: "UISETP", 0x090: "UIADD3", 0x091: "ULEA",
    0x092: "ULOP3", 0x096: "UPRMT", 0x099: "USHF", 0x0a4: "UIMAD", 0x0a5: "UIMAD", 0x0b9: "ULDC", 0x0bd: "UFLO",
    0x100: "FLO", 0x105: "F2I", 0x106: "I2F", 0x108: "MUFU", 0x110: "F2F", 0x111: "F2I", 0x112: "I2F", 0x118: "NOP",
    0x119: "S2R", 0x11a: "DEPBAR", 0x11c: "B2R", 0x11d: "BAR", 0x141: "BSYNC", 0x144: "CALL", 0x145: "BSSY",
    0x147: "BRA", 0x148: "WARPSYNC", 0x14d: "EXIT", 0x150: "RET", 0x181: "LDG", 0x182: "LDC", 0x183: "LDL",
    0x184: "LDS", 0x186: "STG", 0x187: "STL", 0x188: "STS", 0x189: "SHFL", 0x18e: "REDG", 0x1ae: "LDGSTS",
    0x1af: "LDGDEPBAR", 0x1c3: "S2UR", 0x1c4: "REDUX"}
KINDS = {
    "fp32": "FFMA FADD FMUL FMNMX FSEL FSETP",
    "fp64": "DFMA DADD DMUL DSETP",
    "shared": "LDS STS",
    "global": "LDG STG LDGSTS REDG",
    "spill": "LDL STL",
    "control": "BRA EXIT CALL RET BSSY BSYNC BAR WARPSYNC NOP DEPBAR LDGDEPBAR",
}  # the rest is "integer": addresses, conditions, moves, constants
KIND_OF = {name: kind for kind, names in KINDS.items() for name in names.split()}
WIDTHS = (1, 1, 2, 2, 4, 8, 16)  # bytes, by what bits 73 to 75 of an access say
TRUE, NEVER = 7, 15  # guards
INSTRUCTION = 16
ELF_CUDA = 190


class Instruction(NamedTuple):
    name: str
    width: int = 0  # bytes of an access
    conditional: bool = False
    target: int | None = None  # index of the instruction that a branch goes to
    share: float = 1.0  # of the turns of its loop that it is executed in

    @property
    def kind(self) -> str:
        return KIND_OF.get(self.name, "integer")

    @property
    def is_access(self) -> bool:
        """To memory that others see: not to a thread's own, where registers are spilled."""
        return self.width > 0 and self.kind != "spill"

    def __str__(self) -> str:
        return f"{self.name}.{self.width * 8}" if self.width else self.name


def decoded(low: int, high: int, index: int) -> Instruction:
    name = NAMES.get(low & 0x1ff, f"0x{low & 0xfff:03x}")
    guard = low >> 12 & 15
    if guard == NEVER:
        return Instruction("NOP")
    if name in ("LDG", "STG", "LDS", "STS", "LDL", "STL", "LDGSTS"):
        return Instruction(name, WIDTHS[high >> 9 & 7], guard != TRUE)
    if name == "BRA":
        offset = (low >> 34 | high << 30) & (1 << 48) - 1
        offset -= (offset & 1 << 47) << 1
        target = index + 1 + (offset << 8 | low >> 16 & 0xff) * 4 // INSTRUCTION
        return Instruction(name, 0, guard != TRUE or high >> 23 & 7 != TRUE, target)
    return Instruction(name, 0, guard != TRUE)


def kernels(file: Path, sm: int) -> Iterator[tuple[str, list[Instruction]]]:
    """The functions in a file's code for an architecture, by mangled name."""
    data = file.read_bytes()
    start = -1
    while (start := data.find(b"\x7fELF", start + 1)) >= 0:
        machine, = struct.unpack_from("<H", data, start + 18)
        flags, = struct.unpack_from("<I", data, start + 48)
        if machine == ELF_CUDA and sm in (flags & 0xff, flags >> 8 & 0xff):
            yield from _functions(data[start:])


def _functions(elf: bytes) -> Iterator[tuple[str, list[Instruction]]]:
    table, = struct.unpack_from("<Q", elf, 40)
    size, count, names = struct.unpack_from("<HHH", elf, 58)
    sections = [struct.unpack_from("<IIQQQQIIQQ", elf, table + i * size) for i in range(count)]
    for section in sections:
        start = sections[names][4] + section[0]
        name = elf[start:elf.index(b"\0", start)].decode()
        if name.startswith(".text."):
            words = struct.iter_unpack("<QQ", elf[section[4]:section[4] + section[5]])
            yield name.removeprefix(".text."), [decoded(low, high, i) for i, (low, high) in enumerate(words)]
