"""What a run will take: what is tried for it, and how a speed is read off."""

from types import SimpleNamespace

import pytest

from workbench import api
from workbench.core.errors import InvalidInputError
from workbench.core.method import Cost
from workbench.ui import cost


@pytest.mark.parametrize(
    ("method", "value", "tried"),
    [
        ("shapley.exact", "marginal", ("shapley.exact", "marginal")),
        ("shapley.permutation", "neighbours", ("shapley.permutation", "neighbours")),
        ("shapley.interactions", "neighbours", ("shapley.exact", "neighbours")),
        ("shapley.fastshap", "conditional", ("shapley.kernel", "marginal")),
        ("shapley.deeplift", "marginal", ("shapley.kernel", "marginal")),
        ("performance.evaluate", "marginal", ("shapley.kernel", "marginal")),
    ],
)
def test_the_method_itself_is_tried_where_it_asks_about_coalitions(method, value, tried):
    plan = api.Plan(method, {"value": value}, Cost(1, 1))
    assert cost._tried(plan, 16) == tried


def test_for_pairs_of_many_features_another_sampled_method_is_tried():
    plan = api.Plan("shapley.interactions", {"value": "baseline"}, Cost(1, 1))
    assert cost._tried(plan, 17) == ("shapley.proxy", "baseline")


@pytest.fixture
def runs(monkeypatch):
    """Runs that take what they are said to; returns what was asked."""
    asked = []

    def explain(model, rows, background, *, method, device, value="marginal"):  # noqa: ARG001
        if value == "gaussian":
            raise InvalidInputError("for numbers alone")
        asked.append((method, value, len(rows), len(background)))
        seconds = runs.overhead + runs.each * len(rows) * len(background)
        return SimpleNamespace(provenance=SimpleNamespace(seconds=seconds))

    def estimate(model, n_rows, n_background, *, method, **params):  # noqa: ARG001
        return method, Cost(1000 * n_rows * n_background, 1)

    monkeypatch.setattr(cost.cache, "model", lambda *_: None)
    monkeypatch.setattr(cost.cache, "table", lambda *_: list(range(500)))
    monkeypatch.setattr(cost.api, "explain", explain)
    monkeypatch.setattr(cost.api, "estimate_cost", estimate)
    runs = SimpleNamespace(asked=asked, overhead=0.01, each=1e-4)
    return runs


def speed(method="shapley.exact", value="marginal"):
    return cost._seconds_per_evaluation.__wrapped__("m", "", "", "t", "cpu", method, value)


def test_the_speed_is_that_of_the_run_in_which_the_start_counts_least(runs):
    assert speed() == pytest.approx((0.01 + 1e-4 * 300) / 300_000)
    assert runs.asked == [("shapley.exact", "marginal", n, b) for n, b in
                          ((1, 1), (1, 100), (3, 100))]  # fmt: skip


def test_a_slow_model_is_asked_no_further(runs):
    runs.each = 1.5
    assert speed() == pytest.approx((0.01 + 1.5) / 1000)
    assert len(runs.asked) == 1


def test_a_method_that_cannot_serve_is_tried_by_another(runs):
    speed(value="gaussian")
    assert {asked[:2] for asked in runs.asked} == {("shapley.kernel", "marginal")}


@pytest.mark.parametrize(("each", "sizes"), [(1e-4, [2, 100]), (0.6, [2])])
@pytest.mark.parametrize("profiles", [False, True])
def test_methods_that_replace_values_are_tried_themselves(monkeypatch, profiles, each, sizes):
    asked = []

    def tried(model, rows, *, device, **settings):  # noqa: ARG001
        asked.append(len(rows))
        seconds = each * len(rows)
        return SimpleNamespace(provenance=SimpleNamespace(seconds=seconds, evaluations=len(rows)))

    monkeypatch.setattr(cost.cache, "model", lambda *_: None)
    monkeypatch.setattr(cost.cache, "table", lambda *_: list(range(500)))
    monkeypatch.setattr(cost.api, "profiles" if profiles else "interaction_scores", tried)
    speed = cost._seconds_per_value.__wrapped__("m", "", "", "t", "cpu", profiles=profiles)
    assert speed == pytest.approx(each)
    assert asked == sizes, "a slow model is asked no further"
