"""Importing the package is cheap: heavy libraries load when they are used."""

import subprocess
import sys
import time

HEAVY = ("torch", "streamlit", "plotly", "shap", "matplotlib", "pandas")


def test_import_loads_nothing_heavy():
    code = (
        "import sys, workbench\n"
        f"loaded = [name for name in {HEAVY} if name in sys.modules]\n"
        "print('loaded:', *loaded)"
    )
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    print(f"import workbench in a fresh Python: {time.perf_counter() - start:.2f} s")  # noqa: T201
    assert done.stdout == "loaded:\n"
