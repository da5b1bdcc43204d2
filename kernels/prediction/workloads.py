"""What predict.py predicts: problems, and how they go through the machine code of the kernels."""

from typing import NamedTuple

# Rows of these lengths fill the emulated device, which has one multiprocessor. Rows twice as long are run as well, and what
# those do more is counted: the middle of a row, without its ends and without what is done once a call.
PROBLEMS = [
    *({"method": "direct", "type": "float32", "taps": taps, "signal": 20480} for taps in (16, 32, 64, 128)),
    {"method": "direct", "type": "float64", "taps": 32, "signal": 20480},
    {"method": "overlap-save", "type": "float32", "taps": 256, "signal": 1 << 19},
]


class Loop(NamedTuple):
    """A loop that such a problem runs. `within` names the loop around it, "" is the kernel itself. Of the loops there it
    is the one that has most of an instruction, of those that have none of some others; without an instruction it is not a
    loop but all that a thread does in what is around it. It runs as often as it takes to make the emulated kernel's
    accesses of one kind, or `times` as often as another loop; its way avoids instructions. The way through the loop around
    it leads through it as well, unless it is `rare`."""

    name: str
    within: str
    most: str
    runs: str
    times: float = 1
    without: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    rare: bool = False


CONVERSIONS = ("I2FP", "I2F", "F2F")


def direct(multiply_add: str, compare: str, bits: int) -> list[Loop]:
    return [Loop("tile", "", multiply_add, runs="STS.128"),
            Loop("piece", "tile", multiply_add, runs="tile"),
            Loop("load taps", "piece", compare, runs="LDG", without=CONVERSIONS),
            Loop("load tile", "piece", "LDGSTS.128", runs="LDGSTS"),
            Loop("multiply", "piece", multiply_add, runs="LDS.128")]


# By the beginning of a kernel's name.
KERNELS = {
    "gpuconv::kernels::direct_kernel<float": direct("FFMA", "FSETP", 32),
    "gpuconv::kernels::direct_kernel<double": direct("DFMA", "DSETP", 64),
    # Two turns of four samples a thread where there are enough blocks to fill the device.
    "gpuconv::kernels::gather_blocks_kernel<float": [
        Loop("block", "", "STG.32", runs="samples", times=0.5, avoid=("LDG.32",)),
        Loop("samples", "block", "LDG.32", runs="LDG.32", without=CONVERSIONS)],
    "gpuconv::kernels::multiply_spectra_kernel<float": [
        Loop("block", "", "FFMA", runs="bins", times=0.5, avoid=("FFMA",)),
        Loop("bins", "block", "FFMA", runs="STG.64")],
    "gpuconv::kernels::store_blocks_kernel<float": [
        Loop("block", "", "STG.32", runs="LDG.64", avoid=("REDG",)),
        Loop("outputs", "block", "STG.32", runs="STG.32")],
    "gpuconv::kernels::repair_blocks_kernel<float": [
        Loop("block", "", "FFMA", runs="LDG.32")],
}


def loops_of(kernel: str) -> list[Loop]:
    return next((loops for start, loops in KERNELS.items() if kernel.startswith(start)), [])
