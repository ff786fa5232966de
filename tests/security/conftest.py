"""How many files the tests with damaged files try, and a home folder of their own."""

import os
import random
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

# Files per format; docs/security.md says how long many of them take.
FILES = int(os.environ.get("FUZZ_FILES") or 0)
SEED = os.environ.get("FUZZ_SEED") or "the same files every time"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A home folder that is empty."""
    folder = tmp_path / "home"
    monkeypatch.setenv("WORKBENCH_HOME", str(folder))
    return folder


@pytest.fixture
def damaged(request):
    """Return a function that makes files: ``(how many in a quick run, mutate) -> contents``."""

    def make(quick, mutate):
        found = []
        number = random.Random(f"{SEED}/{request.node.name}").getrandbits(64)  # noqa: S311

        @seed(number)
        @settings(
            max_examples=FILES or quick, database=None, deadline=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(st.data())
        def collect(data):
            found.append(mutate(data.draw))

        collect()
        return found

    return make


@pytest.fixture
def no_leaks(tmp_path, monkeypatch):
    """Hold files, processes and temporary folders of before against those of afterwards."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    me = psutil.Process()

    def state():
        return me.num_fds(), sorted(child.pid for child in me.children(recursive=True))

    before = state()
    yield
    after = state()
    assert after[0] <= before[0], "a file was left open"
    assert set(after[1]) <= set(before[1]), "a process was left"
    assert sorted(place.iterdir()) == [], "a temporary file was left"


def everything_in(folder):
    """Every path below a folder."""
    return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*"))
