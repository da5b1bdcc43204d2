// What help() says of the functions, in numpydoc's sections; the first line of each call is the signature that inspect
// reads.
#pragma once

namespace gpuconv::python {

inline constexpr const char* kConvolveText = R"(convolve($module, /, a, v, mode='full', *, axis=-1, method='auto',
         device='auto', out=None, dtype=None, boundary='zero', same='numpy', threads=None)
--

The discrete, linear convolution of two arrays along an axis: numpy.convolve on any axis.

Parameters
----------
a : (..., n) array_like
    The signal.
v : (..., m) array_like
    The filter. Either may be the longer one. Axes but the convolved one broadcast, as in a NumPy gufunc of signature
    ``(n),(m)->(k)``.
mode : {'full', 'same', 'valid'}
    ``k = n + m - 1``, ``k = max(n, m)`` or ``k = abs(n - m) + 1`` outputs, as numpy.convolve has them.
axis : int
    The axis of operands with two or more axes that is convolved, and of the result. A 1-D array has only its own.
method : {'auto', 'direct', 'overlap-save', 'fft', 'reference'}
    What is named is used, or NotImplementedError says why it cannot be.
device : {'auto', 'cpu', 'cuda'}
    The same.
out : ndarray, optional
    An array of the result's shape and type, at any strides, which is filled and returned. It may overlap `a` and `v`.
    Or one of another library.
dtype : data-type, optional
    Type of the result, NumPy's where none is named. Integers wrap in it: int8 arrays give int8 unless a wider type is
    named.
boundary : str or tuple
    What is beyond the ends of `a`, for mode 'same': 'zero', 'constant', 'nearest', 'reflect', 'mirror' or 'wrap', as
    scipy.ndimage has them, or ``('constant', value)``.
same : {'numpy', 'scipy', 'matlab'}
    Whose mode 'same'; the latter two have n outputs.
threads : int, optional
    CPU threads at most; all of the machine's where there is none.

Returns
-------
ndarray
    (..., k). Subclasses of ndarray give an ndarray, arrays of another library one of that library.

Raises
------
ValueError
    An operand is empty, shapes do not go together, a name is unknown.
TypeError
    An argument has no business being there.
NotImplementedError
    What is forced, or a type, is not supported.
MemoryError
    There is less memory than the call needs.

Notes
-----
Types that gpuconv does not know are left to NumPy, where `a`, `v` and `mode` alone are given. Arrays of other libraries
in the memory of the CPU, those with DLPack's protocol, are read and written where they are; so are those in the memory
of a CUDA device, also those with CUDA's array interface, on the stream that their library works on. There, `v` alone may
be in host memory.)";

inline constexpr const char* kCorrelateText = R"(correlate($module, /, a, v, mode='valid', *, axis=-1, method='auto',
          device='auto', out=None, dtype=None, boundary='zero', same='numpy', threads=None, lags=None,
          max_lag=None)
--

The cross-correlation of two arrays along an axis: numpy.correlate on any axis, c[k] = sum over n of a[n + k] conj(v[n]).

Parameters
----------
a, v, mode, axis, method, device, out, dtype, boundary, same, threads
    As for convolve.
lags : range or 1-D array_like of int, optional
    The lags k that are wanted, in place of `mode`, in any order. They alone are computed, in time that is proportional
    to their number; those beyond the ends are 0, or what `boundary` says.
max_lag : int, optional
    The lags from ``-max_lag`` to ``max_lag``.

Returns
-------
ndarray
    (..., k), with k the number of lags where those are named. Subclasses of ndarray are kept, as numpy.correlate keeps
    them; scalars are refused, as it refuses them. Raises as convolve.)";

inline constexpr const char* kConvolve2dText =
    R"(convolve2d($module, /, a, v, mode='full', *, axes=(-2, -1), method='auto',
           device='auto', out=None, dtype=None, boundary='zero', same='scipy', threads=None, separable=False)
--

The convolution of images along two axes: scipy.signal.convolve2d of stacks of images, at any axes.

Parameters
----------
a : (..., l, n) array_like
    The images.
v : (..., i, m) array_like
    The filter, of two dimensions. Axes but the convolved ones broadcast, as in a NumPy gufunc of signature
    ``(l,n),(i,m)->(o,k)``.
mode : {'full', 'same', 'valid'}
    Outputs along each axis, as in convolve. For 'valid' one operand holds the other one along both axes.
axes : tuple of two int
    The axes of lines and of columns, of the operands and of the result.
same : {'scipy', 'numpy', 'matlab'}
    Whose mode 'same': SciPy's and MATLAB's are of the images' size.
separable : bool
    Whether filters are products of a column and a row, which large ones are convolved with in two passes. Those in the
    memory of the host are looked at in any case; those in the memory of a CUDA device are not, unless this is true. Others
    are convolved rightly too.
method, device, out, dtype, boundary, threads
    As for convolve. The boundary holds along both axes; scipy.signal.convolve2d calls 'reflect' symm.

Returns
-------
ndarray
    (..., o, k). Subclasses of ndarray give an ndarray, arrays of another library one of that library.

Raises
------
ValueError
    An operand is empty or has one axis, shapes do not go together, a name is unknown.
TypeError, NotImplementedError, MemoryError
    As convolve.)";

inline constexpr const char* kCorrelate2dText =
    R"(correlate2d($module, /, a, v, mode='full', *, axes=(-2, -1), method='auto',
            device='auto', out=None, dtype=None, boundary='zero', same='matlab', threads=None, separable=False)
--

The cross-correlation of images along two axes: scipy.signal.correlate2d of stacks of images, at any axes.

Parameters
----------
a, v, mode, axes, method, device, out, dtype, boundary, same, threads, separable
    As for convolve2d. Complex filters are conjugated. Mode 'same' begins at index m // 2 of the full result, where
    scipy.signal.correlate2d and MATLAB begin; scipy.signal.correlate ('scipy') begins at (m - 1) // 2.

Returns
-------
ndarray
    (..., o, k). Raises as convolve2d.)";

inline constexpr const char* kPlanText = R"(A convolution or correlation that is prepared once and done many times.

A plan chooses its method when it is made, and prepares the filters, of which it has one set for each place in the axes
that one batch does not take. It serves one thread at a time: a second one gets a ValueError. It is pickled as what it was
made from, and chooses anew where it is loaded.

Parameters
----------
shape : int or tuple of int
    The shape of the signals, or the number of their samples.
v : (..., m) array_like
    The filter, which is copied. With one in the memory of a CUDA device, signals and results are there too.
mode : str, optional
    That of the function where there is none: 'valid' for 'correlate', else 'full'.
operation : {'convolve', 'correlate', 'convolve2d', 'correlate2d'}
    What is done with a signal and the filter.
signal_dtype : data-type, optional
    The type of the signals, that of `v` where there is none.
axis : int or tuple of two int, optional
    The last one where none is named; the last two of convolve2d and correlate2d.
method, device, dtype, boundary, same, threads, lags, max_lag, separable
    As for these functions.)";

inline constexpr const char* kExecuteText = R"(Convolves x.

Parameters
----------
x : ndarray
    An array of the plan's shape and type, at any strides, in the memory that the filter was in.
out : ndarray, optional
    As for convolve. With an `out`, arrays whose rows lie as evenly as those of a contiguous one, and another type than
    bool, nothing is allocated.

Returns
-------
ndarray
    A new array, or `out`.

Raises
------
ValueError
    The shape or the type is not the plan's.)";

inline constexpr const char* kExplainText = R"(What convolve would do with these arguments, or correlate.

Parameters
----------
a, v, mode, axis, method, device, dtype, boundary, same, threads, lags, max_lag, separable
    As for Plan.
operation : {'convolve', 'correlate', 'convolve2d', 'correlate2d'}
    Which call is asked about.

Returns
-------
str
    A line for each method and device: its estimated time, or why it does not apply; the first one is taken.)";

inline constexpr const char* kInfoText = R"(What this build and this machine offer.

Returns
-------
dict
    `version`, `simd` (the vector code in use), `simd_bits`, `threads`, `memory` (bytes that the process may use) and
    `devices`, a dict for each with `device`, `available` and `detail`.)";

}  // namespace gpuconv::python
