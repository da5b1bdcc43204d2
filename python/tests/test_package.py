"""What is installed, and what it takes to import it."""

import pathlib
import statistics
import subprocess
import sys
import sysconfig
from importlib import metadata

import gpuconv


def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def test_the_module_imports_no_numpy():
    assert python("import gpuconv, sys; print('numpy' in sys.modules, gpuconv.info()['version'])") == f"False {gpuconv.__version__}"


def test_an_import_takes_less_than_50_milliseconds():
    code = "import numpy, time; began = time.perf_counter(); import gpuconv; print(time.perf_counter() - began)"
    assert statistics.median(float(python(code)) for _ in range(7)) < 0.05


def test_versions_agree():
    assert metadata.version("gpuconv") == gpuconv.__version__ == gpuconv.info()["version"]


def test_it_is_typed():
    folder = pathlib.Path(gpuconv.__file__).parent
    assert {"py.typed", "__init__.pyi", "__init__.py"} <= {p.name for p in folder.iterdir()}


def test_one_wheel_serves_python_3_12_and_later():
    extension = pathlib.Path(gpuconv._core.__file__).name
    assert extension == ("_core.abi3.so" if sys.version_info >= (3, 12) else "_core" + sysconfig.get_config_var("EXT_SUFFIX"))


def test_nothing_but_the_package_is_installed():
    files = [f for f in metadata.files("gpuconv") if ".dist-info" not in str(f) and f.suffix != ".pyc"]
    assert {f.parts[0] for f in files} == {"gpuconv"}
    assert {f.suffix for f in files} == {".py", ".pyi", ".so", ".typed"}
    assert [f.name for f in files if f.suffix == ".so"] == [pathlib.Path(gpuconv._core.__file__).name]


def test_cufft_is_offered_as_extras():
    assert {"cu12", "cu13"} <= set(metadata.metadata("gpuconv").get_all("Provides-Extra"))


def test_dask_is_an_extra():
    assert "dask" in metadata.metadata("gpuconv").get_all("Provides-Extra")


def test_help_begins_with_the_signature_and_says_what_is_raised():
    for function in (gpuconv.convolve, gpuconv.correlate):
        assert "Raises" in function.__doc__
        assert function.__text_signature__.startswith("($module, /, a, v, mode=")
