"""numpy.convolve and numpy.correlate on any axis, on the CPU and on NVIDIA GPUs."""

from collections.abc import Sequence
from contextlib import AbstractContextManager as _AbstractContextManager
from typing import Any, Literal, SupportsIndex, TypedDict, Union

from numpy import dtype as _dtype
from numpy.typing import ArrayLike, DTypeLike, NDArray

_Mode = Union[Literal["full", "same", "valid"], SupportsIndex]
_Method = Literal["auto", "reference", "direct", "overlap-save", "fft"]
_Device = Literal["auto", "cpu", "cuda"]
_Boundary = Union[Literal["zero", "constant", "nearest", "reflect", "mirror", "wrap"], tuple[Literal["constant"], float]]
_Same = Literal["numpy", "scipy", "matlab"]
_Operation = Literal["convolve", "correlate", "convolve2d", "correlate2d"]
_Axes = tuple[SupportsIndex, SupportsIndex]
_Lags = Union[range, Sequence[int], NDArray[Any]]

__version__: str
__all__: list[str]

class _DeviceInfo(TypedDict):
    device: Literal["cpu", "cuda"]
    available: bool
    detail: str

class _Info(TypedDict):
    version: str
    simd: str
    simd_bits: int
    threads: int
    memory: int
    devices: list[_DeviceInfo]

class _Calls(TypedDict):
    core: int
    seconds: float
    left: dict[str, int]

class _PlanInfo(TypedDict, total=False):
    shape: tuple[int, ...]
    result_shape: tuple[int, ...]
    signal_dtype: _dtype[Any]
    dtype: _dtype[Any]
    plans: int
    workspace_bytes: int
    method: str
    device: str
    threads: int
    block: int
    wrapping: Literal["never", "possible", "unknown"]

def convolve(
    a: ArrayLike,
    v: ArrayLike,
    mode: _Mode = "full",
    *,
    axis: SupportsIndex = -1,
    method: _Method = "auto",
    device: _Device = "auto",
    out: NDArray[Any] | None = None,
    dtype: DTypeLike | None = None,
    boundary: _Boundary = "zero",
    same: _Same = "numpy",
    threads: SupportsIndex | None = None,
) -> NDArray[Any]: ...
def correlate(
    a: ArrayLike,
    v: ArrayLike,
    mode: _Mode = "valid",
    *,
    axis: SupportsIndex = -1,
    method: _Method = "auto",
    device: _Device = "auto",
    out: NDArray[Any] | None = None,
    dtype: DTypeLike | None = None,
    boundary: _Boundary = "zero",
    same: _Same = "numpy",
    threads: SupportsIndex | None = None,
    lags: _Lags | None = None,
    max_lag: SupportsIndex | None = None,
) -> NDArray[Any]: ...
def convolve2d(
    a: ArrayLike,
    v: ArrayLike,
    mode: Literal["full", "same", "valid"] = "full",
    *,
    axes: _Axes = (-2, -1),
    method: _Method = "auto",
    device: _Device = "auto",
    out: NDArray[Any] | None = None,
    dtype: DTypeLike | None = None,
    boundary: _Boundary = "zero",
    same: _Same = "scipy",
    threads: SupportsIndex | None = None,
    separable: bool = False,
) -> NDArray[Any]: ...
def correlate2d(
    a: ArrayLike,
    v: ArrayLike,
    mode: Literal["full", "same", "valid"] = "full",
    *,
    axes: _Axes = (-2, -1),
    method: _Method = "auto",
    device: _Device = "auto",
    out: NDArray[Any] | None = None,
    dtype: DTypeLike | None = None,
    boundary: _Boundary = "zero",
    same: _Same = "matlab",
    threads: SupportsIndex | None = None,
    separable: bool = False,
) -> NDArray[Any]: ...
def explain(
    a: ArrayLike,
    v: ArrayLike,
    mode: _Mode | None = None,
    *,
    operation: _Operation = "convolve",
    axis: SupportsIndex | _Axes | None = None,
    method: _Method = "auto",
    device: _Device = "auto",
    dtype: DTypeLike | None = None,
    boundary: _Boundary = "zero",
    same: _Same | None = None,
    threads: SupportsIndex | None = None,
    lags: _Lags | None = None,
    max_lag: SupportsIndex | None = None,
    separable: bool = False,
) -> str: ...
def info() -> _Info: ...
def patch(*, fft: bool = False, small: bool = False) -> _AbstractContextManager[Any]: ...
def unpatch() -> None: ...
def calls(*, reset: bool = False) -> dict[str, _Calls]: ...

class Plan:
    def __init__(
        self,
        shape: SupportsIndex | Sequence[SupportsIndex],
        v: ArrayLike,
        mode: _Mode | None = None,
        *,
        operation: _Operation = "convolve",
        signal_dtype: DTypeLike | None = None,
        axis: SupportsIndex | _Axes | None = None,
        method: _Method = "auto",
        device: _Device = "auto",
        dtype: DTypeLike | None = None,
        boundary: _Boundary = "zero",
        same: _Same | None = None,
        threads: SupportsIndex | None = None,
        lags: _Lags | None = None,
        max_lag: SupportsIndex | None = None,
        separable: bool = False,
    ) -> None: ...
    def execute(self, x: ArrayLike, *, out: NDArray[Any] | None = None) -> NDArray[Any]: ...
    def explain(self) -> str: ...
    def info(self) -> _PlanInfo: ...
