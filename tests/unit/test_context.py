"""The surroundings of a run: random numbers, progress and cancel."""

import threading

import pytest
import torch

from workbench.core.context import Context
from workbench.core.counter_rng import stream
from workbench.core.errors import CancelledError


def test_random_numbers_come_from_seed_and_address():
    assert Context(seed=3).stream(1, 2).random() == stream(3, 1, 2).random()
    assert Context(seed=3).stream(1, 2).random() != Context(seed=4).stream(1, 2).random()


def test_runs_on_the_cpu_and_in_silence_by_default():
    context = Context()
    assert context.device == torch.device("cpu")
    assert context.step(1, 2, "rows") is None


def test_reports_progress():
    seen = []
    Context(progress=lambda *step: seen.append(step)).step(3, 10, "rows")
    assert seen == [(3, 10, "rows")]


def test_stops_when_asked_to_and_reports_nothing_more():
    cancel, seen = threading.Event(), []
    context = Context(cancel=cancel, progress=lambda *step: seen.append(step))
    context.step(1, 10, "rows")
    cancel.set()
    with pytest.raises(CancelledError, match=r"^Cancelled after 2 of 10 rows\.$"):
        context.step(2, 10, "rows")
    assert seen == [(1, 10, "rows")]


def test_progress_may_stop_the_run():
    def refuse(_done, _total, _message):
        raise CancelledError("Enough.")

    with pytest.raises(CancelledError, match=r"^Enough\.$"):
        Context(progress=refuse).step(1, 2, "rows")
