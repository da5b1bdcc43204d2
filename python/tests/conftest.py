"""How many examples Hypothesis tries, the same in every run: GPUCONV_EXAMPLES multiplies them, above 1 by others each time."""

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

times = float(os.environ.get("GPUCONV_EXAMPLES", "1"))
settings.register_profile(
    "gpuconv",
    max_examples=int(60 * times),
    derandomize=times <= 1,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("gpuconv")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: NumPy's own mark, in its test modules")


def pytest_report_header() -> str:
    import gpuconv

    return f"numpy {np.__version__}, gpuconv {gpuconv.__version__}: {gpuconv.__file__}"


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20261125)
