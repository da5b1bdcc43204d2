"""What predict.py predicts: problems, and how they go through the machine code of the kernels."""

from typing import NamedTuple

# Rows of these lengths fill the emulated device, which has one multiprocessor. Rows twice as long are run as well, and what
# those do more is counted: the middle of a row, without its ends and without what is done once a call.
PROBLEMS = [
    *({"method": "direct", "type": "float32", "taps": taps, "signal": 20480} for taps in (16, 32, 64, 128)),
    {"method": "direct", "type": "float64", "taps": 32, "signal": 20480},
    {"method": "direct", "type": "float16", "taps": 32, "signal": 20480},
    *({"method": "overlap-save", "type": "float32", "taps": taps, "signal": 1 << 19}
      for taps in (64, 160, 256, 512, 2048, 4096, 8192)),
    # Whole blocks, of the size that is the better one by a hair.
    {"method": "overlap-save", "type": "float32", "taps": 1024, "signal": 34 * (16384 - 1024) - 1023},
    {"method": "overlap-save", "type": "float64", "taps": 256, "signal": 1 << 18},
    # Valid outputs of images: 32 lines of them, tiles of whole 128.
    *({"method": "direct", "type": "float32", "mode": "valid", "filter_lines": n, "taps": n, "lines": 31 + n, "signal": 24 * 128}
      for n in (3, 5, 7, 15)),
]


class Loop(NamedTuple):
    """A loop that such a problem runs. `within` names the loop around it, "" is the kernel itself. Of the loops there it is the
    one that has most of an instruction, or the `short`est that has it, of those that have none of some others; without an
    instruction it is not a loop but all that a thread does in what is around it. Where several are `alike` it is the first of
    them. It runs as often as it takes to make the emulated kernel's accesses of one kind, or `times` as often as another loop;
    its way avoids instructions, and may make accesses that were wider as they were written (`narrowed`). The way through the
    loop around it leads through it as well, unless it is `rare`. One that is left in its first turn is done `once`. Of its
    blocks those with that instruction are executed in a `share` of the turns."""

    name: str
    within: str
    most: str
    runs: str
    times: float = 1
    without: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    narrowed: tuple[str, ...] = ()
    rare: bool = False
    once: bool = False
    alike: bool = False
    short: bool = False
    share: float = 1.0


CONVERSIONS = ("I2FP", "I2F", "F2F")


# Totals of pieces (additions, single stores to clear them) are for longer filters than these problems have.
def direct(multiply_add: str, add: str, compare: str, bits: int, loads: str) -> list[Loop]:
    return [Loop("run", "", multiply_add, runs="tile", times=1 / 8),
            Loop("tile", "run", multiply_add, runs="STS.128", avoid=(f"STG.{bits}", f"STS.{bits}", add, "MUFU")),
            Loop("piece", "tile", multiply_add, runs="tile", avoid=(compare, add, f"LDG.{bits}")),
            Loop("load taps", "piece", compare, runs="LDG", without=CONVERSIONS, rare=True),
            Loop("load rest", "piece", "LDGSTS.128", runs="LDGSTS", without=(f"LDG.{bits}",)),
            Loop("multiply", "piece", multiply_add, runs=loads)]


# Rows of 16-bit floats: samples are loaded and converted by each thread.
DIRECT_HALF = [Loop("run", "", "FFMA", runs="tile", times=1 / 8),
               Loop("load taps", "run", "FSETP", runs="LDG.32", rare=True),
               Loop("tile", "run", "FFMA", runs="STS.64", avoid=("STG.16", "LDG.16", "LDS.32")),
               Loop("load rest", "tile", "STS.128", runs="LDG.64"),
               Loop("multiply", "tile", "FFMA", runs="LDS.128", alike=True)]  # one for each alignment of the samples


# The loop repeats blocks whose outputs cannot be trusted.
def fused(multiply_add: str, exchange: str, bits: int) -> list[Loop]:
    return [Loop("load", "", "", runs="transform", avoid=(f"STG.{bits}",)),
            Loop("transform", "load", multiply_add, runs=exchange, avoid=("FSEL",), narrowed=("LDG.64",), once=True)]


def image(problem: dict) -> list[Loop]:
    """Images in place, with filters of one piece. A line of samples meets as many lines of taps as a lane has lines of outputs,
    less at the ends of the filter; taps beyond a whole access are multiplied in the outer loop. Taps are loaded by the way."""
    lines, taps, own, access, warps = problem["filter_lines"], problem["taps"], 8, 4, 4
    met = lines / (lines + own - 1)
    return [Loop("tile", "", "FFMA", runs="STS.128"),
            Loop("term", "tile", "FFMA", runs="tile"),
            Loop("lines of pieces", "term", "FFMA", runs="tile"),
            Loop("piece", "lines of pieces", "FFMA", runs="tile", avoid=("CALL",)),
            Loop("load line", "piece", "STS.32", runs="tile", times=(own * warps + lines - 1) / warps, short=True),
            Loop("load columns", "load line", "LDG.32", runs="LDG.32"),
            Loop("line", "piece", "FFMA", runs="tile", times=lines + own - 1, share=met * (taps % access) / access),
            Loop("multiply", "line", "FFMA", runs="line", times=taps // access, share=met),
            Loop("store", "tile", "LDS.32", runs="STG.32")]


# By the beginning of a kernel's name: its loops, or a function that tells them for a problem.
KERNELS = {
    "gpuconv::kernels::direct_kernel<float": direct("FFMA", "FADD", "FSETP", 32, "LDS.128"),
    "gpuconv::kernels::direct_kernel<double": direct("DFMA", "DADD", "DSETP", 64, "LDS"),
    "gpuconv::kernels::direct_half_kernel": DIRECT_HALF,
    "gpuconv::kernels::fused_kernel<float": fused("FFMA", "STS.64", 32),
    "gpuconv::kernels::fused_kernel<double": fused("DFMA", "STS.128", 64),
    "gpuconv::kernels::image_kernel<float, false": image,
}


def loops_of(kernel: str, problem: dict) -> list[Loop]:
    loops = next((loops for start, loops in KERNELS.items() if kernel.startswith(start)), [])
    return loops(problem) if callable(loops) else loops
