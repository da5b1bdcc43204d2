"""gpuconv.patch(): who gets gpuconv's functions and who the originals, with the same results, and that nothing stays behind."""

import inspect
import pickle
import subprocess
import sys
import textwrap
import warnings

import numpy as np
import pytest
from hypothesis import given, strategies as st
from twins import assert_twins, random_operand

import gpuconv

A, V = np.arange(2000.0), np.ones(64)
convolve_imported_before = np.convolve


@pytest.fixture
def patched():
    gpuconv.calls(reset=True)
    with gpuconv.patch():
        yield gpuconv.calls


@pytest.fixture
def taking_all():
    gpuconv.calls(reset=True)
    with gpuconv.patch(small=True):
        yield gpuconv.calls


def python(code: str, *arguments: str) -> str:
    command = [sys.executable, *arguments, "-c", textwrap.dedent(code)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_names_that_were_imported_before_are_the_same_function(patched):
    assert convolve_imported_before is np.convolve
    convolve_imported_before(A, V)
    assert patched()["numpy.convolve"]["core"] == 1


def original(name):
    """NumPy's function, called with the process not patched."""

    def call(*args, **kwargs):
        gpuconv.unpatch()
        try:
            return getattr(np, name)(*args, **kwargs)
        finally:
            gpuconv.patch(small=True)

    return call


@given(
    st.integers(0, 2**32),
    st.sampled_from(("convolve", "correlate")),
    *[st.sampled_from("?bBhHiIlLefdFD")] * 2,
    *[st.sampled_from(((9,), (4,), (1,), (0,), (), (3, 4)))] * 2,
    st.sampled_from((None, "full", "same", "valid", 0, 1, 2, 3, -1, "f", "any", None, 1.0, True, [])),
)
def test_a_strict_twin(seed, name, one, other, n, m, mode):
    rng = np.random.default_rng(seed)
    operands = random_operand(rng, n, one), random_operand(rng, m, other)
    with gpuconv.patch(small=True):
        more = () if mode is None else (mode,)
        assert_twins(getattr(np, name), original(name), *operands, *more)


@pytest.mark.parametrize("arguments", [(A,), (), (A, V, "full", 1), ([1, 2, "x"], [1.0] * 3), (None, V)])
def test_errors_are_numpys(arguments):
    for name in ("convolve", "correlate"):
        with gpuconv.patch(small=True):
            assert_twins(getattr(np, name), original(name), *arguments)


def test_unknown_keywords_are_refused(patched):
    with pytest.raises(TypeError, match="unexpected keyword argument 'axis'"):
        np.convolve(A, V, axis=0)


def test_small_calls_run_into_numpys_own_statements(patched):
    np.convolve([1, 2, 3], [0, 1, 0.5])
    np.correlate(A, A)  # a dot product
    assert patched() == {}


def test_what_the_core_does_not_compute_is_left_with_a_reason(taking_all):
    for x in (A.astype("g"), A.astype(object), np.ma.array(A), A.reshape(2, -1)):
        try:
            np.convolve(x, V)
        except ValueError:
            assert x.ndim == 2
    left = taking_all()["numpy.convolve"]
    assert left["core"] == 0 and sum(left["left"].values()) == 4
    assert {"the type object", "an argument of type MaskedArray"} < set(left["left"])


class Units:
    """An array that does as it likes."""

    def __array_function__(self, func, types, args, kwargs):
        return func.__name__, len(args)


def test_arrays_with_functions_of_their_own_are_asked_first(taking_all):
    assert np.convolve(Units(), V) == ("convolve", 2)
    assert taking_all() == {}


def test_signatures_pickles_and_tables_keep_working():
    table, signature, text = {np.convolve: 1}, inspect.signature(np.convolve), np.convolve.__doc__
    source = inspect.getsource(np.convolve)
    with gpuconv.patch():
        assert table[np.convolve] == 1 and pickle.loads(pickle.dumps(np.convolve)) is np.convolve
        assert (inspect.signature(np.convolve), np.convolve.__doc__) == (signature, text)
        assert inspect.getsource(np.convolve) == source


@pytest.mark.parametrize("module, core", [("numpy.lib.polynomial", 0), ("scipy.signal._wavelets", 0), ("numpy.tests.test_me", 1), ("numpyx", 1)])
def test_numpys_and_scipys_own_modules_get_the_original(patched, module, core):
    exec("import numpy\nnumpy.convolve(a, v)", {"__name__": module, "a": A, "v": V})
    assert patched().get("numpy.convolve", {"core": 0})["core"] == core


def test_polynomials_keep_their_digits(taking_all):
    binomials = np.array([1.0])
    for _ in range(200):
        binomials = np.convolve(binomials, [1.0, 1.0])
    np.testing.assert_allclose(np.polymul(binomials, binomials)[0], 1, rtol=1e-12)
    assert binomials[0] == binomials[-1] == 1


def test_sums_are_direct_unless_transforms_are_allowed():
    a = np.ones(1 << 16)
    a[0] = 1e15
    with gpuconv.patch():
        assert (np.convolve(a, a[1:])[-1000:] == np.arange(1000, 0, -1)).all()
    exact = np.arange(1000, 0, -1)
    with gpuconv.patch(fft=True):
        assert (np.convolve(a, a[1:])[-1000:] != exact).any()


def test_nothing_stays_behind():
    code = np.convolve._implementation.__code__
    names, finders = set(vars(sys.modules[np.convolve._implementation.__module__])), list(sys.meta_path)
    with gpuconv.patch():
        assert np.convolve._implementation.__code__ is not code
        with gpuconv.patch():  # no second one
            pass
        assert np.convolve._implementation.__code__ is not code
    assert np.convolve._implementation.__code__ is code
    assert set(vars(sys.modules[np.convolve._implementation.__module__])) == names and sys.meta_path == finders
    gpuconv.unpatch()  # without effect


def test_numpy_and_scipy_are_not_imported_before_the_program_does_it():
    assert python("import gpuconv, sys; gpuconv.patch(); print('numpy' in sys.modules, 'scipy' in sys.modules)") == "False False"
    code = """
        import gpuconv; gpuconv.patch()
        import numpy as np, sys
        np.convolve(np.ones(2000), np.ones(64))
        print(gpuconv.calls()['numpy.convolve']['core'], 'scipy' in sys.modules)
    """
    assert python(code) == "1 False"


# ---- SciPy -----------------------------------------------------------------------------------------------------------


def test_scipys_functions_are_replaced_once_their_modules_are_imported():
    pytest.importorskip("scipy")
    code = """
        import gpuconv; gpuconv.patch()
        import sys, pickle, numpy as np
        from scipy import signal
        from scipy.ndimage import gaussian_filter
        from scipy.signal import fftconvolve
        a = np.ones(5000); signal.fftconvolve(a, a); signal.lfilter(np.ones(9), [1.0], a); gaussian_filter(np.ones((99, 99)), 2)
        assert pickle.loads(pickle.dumps(fftconvolve)) is fftconvolve is signal.fftconvolve
        assert signal.__loader__ is signal.__spec__.loader and 'gpuconv' not in type(signal.__loader__).__module__
        print(*(n for n, c in gpuconv.calls().items() if c['core']))
        gpuconv.unpatch()
        print(signal.fftconvolve is fftconvolve.__wrapped__, any('gpuconv' in type(f).__module__ for f in sys.meta_path))
    """
    assert python(code).splitlines() == ["scipy.ndimage.gaussian_filter scipy.signal.fftconvolve scipy.signal.lfilter", "True False"]


def test_scipy_calls_itself_and_numpy_unseen():
    signal = pytest.importorskip("scipy.signal")
    gpuconv.calls(reset=True)
    x = np.random.default_rng(1).standard_normal(3000)
    expected = signal.savgol_filter(x, 101, 3), signal.decimate(x, 4, ftype="fir"), signal.hilbert(x)
    with gpuconv.patch(small=True):
        found = signal.savgol_filter(x, 101, 3), signal.decimate(x, 4, ftype="fir"), signal.hilbert(x)
    for mine, theirs in zip(found, expected):
        np.testing.assert_array_equal(mine, theirs)
    assert gpuconv.calls() == {}


def test_what_scipy_notes_down_of_its_functions_goes_with_them():
    signal = pytest.importorskip("scipy.signal")
    api = pytest.importorskip("scipy._lib._array_api")
    table = getattr(api, "xp_capabilities_table", None)
    if table is None:
        pytest.skip("this SciPy has no table of capabilities")
    before = len(table)
    with gpuconv.patch():
        assert signal.convolve in table and table[signal.convolve] is table[signal.convolve.__wrapped__]
    assert len(table) == before


def test_warnings_are_those_of_the_caller():
    signal = pytest.importorskip("scipy.signal")
    a = np.ones(5000)
    a[0] = np.nan
    with gpuconv.patch(), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        signal.convolve(a, np.ones(500), method="fft")
    assert [w.filename for w in caught] == [__file__]


@pytest.mark.parametrize("method, patched_too", [("spawn", False), ("fork", True)])
def test_processes(tmp_path, method, patched_too):
    script = tmp_path / "app.py"
    script.write_text(
        textwrap.dedent(f"""
        import multiprocessing, numpy as np
        def is_patched(_):
            return '_gpuconv_twin' in np.convolve._implementation.__code__.co_varnames
        if __name__ == '__main__':
            import gpuconv; gpuconv.patch()
            with multiprocessing.get_context({method!r}).Pool(1) as pool:
                print(pool.map(is_patched, [0])[0])
        """)
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
    assert done.stdout.strip() == str(patched_too), done.stderr
