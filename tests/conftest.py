"""What every test relies on: the same examples in CI, and no more threads than help."""

import functools
import os
import sys

import pytest
import torch
from hypothesis import settings

# Time limits per example fail on a busy machine and say nothing about the code.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")

# Networks in tests are small: more threads wait for each other longer than they compute.
torch.set_num_threads(min(2, os.cpu_count() or 1))


def pytest_runtest_setup(item):
    if item.get_closest_marker("cuda") and not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")


@pytest.fixture(scope="session", autouse=True)
def components():
    """Look for components of Streamlit once: each ``AppTest`` reads every package's description."""
    if "streamlit" not in sys.modules:
        yield
        return
    from streamlit.components.v2 import manifest_scanner as scanner

    with pytest.MonkeyPatch.context() as patch:
        once = functools.cache(scanner.scan_component_manifests)
        patch.setattr(scanner, "scan_component_manifests", once)
        yield
