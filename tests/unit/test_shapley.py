"""What every Shapley estimator promises, and the choice among them."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.networks import tiny_model, tiny_table
from workbench.core.errors import InvalidInputError
from workbench.core.method import METHODS
from workbench.data.bundled import load_table
from workbench.engines import shapley
from workbench.engines.shapley.stopping import settled
from workbench.registry.store import load_model

SAMPLED = ["kernel", "leverage", "permutation"]


@pytest.mark.parametrize(
    ("method", "d"),
    [("exact", d) for d in (1, 2, 3, 12, 16)]
    + [(method, d) for method in SAMPLED for d in (1, 2, 3, 12, 20, 50, 66)],
)
def test_linear_model_equals_its_closed_form(method, d):
    table = tiny_table(d=d, categorical=False)
    model = tiny_model(table, network="linear")
    rows, background = table[40:43], table[:30]
    weights = model.network.first.weight / model.encoder.scale
    slope = weights[1] - weights[0]
    expected = (slope * (rows.X - background.X.mean(0))).numpy()
    got = shapley.explain(model, rows, background, method=method, output="score")
    np.testing.assert_allclose(got.values[:, :, 1], expected, atol=1e-8)
    assert (got.values != 0).all(), "a feature was set to zero"
    assert got.unit == "log-odds"


@pytest.mark.parametrize("method", SAMPLED)
@pytest.mark.parametrize("d", [1, 2, 3])
def test_few_features_with_a_tolerance(method, d):
    table = tiny_table(d=d)
    model = tiny_model(table)
    exact = shapley.explain(model, table[30:32], table[:9], method="exact")
    got = shapley.explain(model, table[30:32], table[:9], method=method, tolerance=1e-6)
    assert (np.abs(got.values - exact.values) <= got.half_widths() + 1e-9).all()


@pytest.mark.parametrize("method", SAMPLED)
def test_a_tolerance_that_is_never_met_changes_nothing(method):
    """Rounds only add to the sample: at the end it is the one drawn at once."""
    table = tiny_table(d=10)
    model = tiny_model(table)
    once, rounds = (
        shapley.explain(
            model, table[30:32], table[:20], method=method, budget=400, tolerance=tolerance
        )
        for tolerance in (None, 1e-9)
    )
    np.testing.assert_allclose(rounds.values, once.values, atol=1e-10)
    np.testing.assert_allclose(rounds.std_errors, once.std_errors, atol=1e-10)


@pytest.mark.parametrize("method", ["exact", *SAMPLED])
@pytest.mark.parametrize(
    ("output", "link"),
    [("probability", "identity"), ("score", "identity"), ("probability", "logit"),
     ("probability", "log-softmax")],
)  # fmt: skip
def test_adds_up_to_what_the_model_says_on_every_scale(method, output, link):
    table = tiny_table(d=5, task="multiclass")
    model = tiny_model(table)
    got = shapley.explain(model, table[30:33], table[:20], method=method, output=output, link=link)
    said = model.scores(table.X[30:33]) if output == "score" else model.predict(table.X[30:33])
    transform = {"identity": lambda p: p, "logit": torch.logit, "log-softmax": torch.log}[link]
    np.testing.assert_allclose(got.base_values + got.values.sum(1), transform(said), atol=1e-8)
    assert got.gap == pytest.approx(0, abs=1e-8)


@pytest.mark.parametrize("method", SAMPLED)
def test_the_default_budget_is_enough_for_a_thousand_features(method):
    model = tiny_model(tiny_table(d=1100, n=5, categorical=False), network="linear")
    chosen = METHODS[f"shapley.{method}"]
    assert chosen.cost(model, 1, 1, chosen.params()).evaluations <= 4 * 1100 + 2


@pytest.mark.parametrize(
    ("method", "budget"),
    [("kernel", 96), ("kernel", 400), ("leverage", 96), ("permutation", 220)],
)
def test_intervals_cover_the_exact_values_on_adult(method, budget):
    """Spec: 90 to 98 % of (row, feature) pairs for 95 % intervals."""
    model, rows = load_model("adult-mlp"), load_table("adult").split("test")[200:300]
    background = load_table("adult").split("train").sample(25, seed=3)
    exact = shapley.explain(model, rows, background, method="exact")
    got = shapley.explain(model, rows, background, method=method, budget=budget, seed=11)
    inside = np.abs(got.values - exact.values) <= got.half_widths()
    assert 0.90 <= inside[:, :, 1].mean() <= 0.98


def test_background_errors_equal_the_spread_over_backgrounds():
    table = tiny_table(n=2000, d=4)
    model = tiny_model(table)
    rows = table[:8]
    runs = [
        shapley.explain(model, rows, table[100:].sample(40, seed=seed), method="exact")
        for seed in range(60)
    ]
    true = np.stack([run.values for run in runs]).var(0, ddof=1).mean(0)
    claimed = np.stack([run.background_std_errors**2 for run in runs]).mean(0)
    np.testing.assert_allclose(claimed, true, rtol=0.35)


@pytest.mark.parametrize("method", SAMPLED)
def test_a_row_gets_the_same_numbers_whatever_the_others(method):
    table = tiny_table(d=10)
    model = tiny_model(table)
    together = shapley.explain(model, table[20:26], table[:9], method=method, budget=80)
    alone = shapley.explain(model, table[23:24], table[:9], method=method, budget=80)
    np.testing.assert_array_equal(together.values[3], alone.values[0])
    other = shapley.explain(model, table[23:24], table[:9], method=method, budget=80, seed=1)
    assert (other.values != alone.values).any()


def test_independent_of_the_order_of_the_background():
    table = tiny_table(d=10)
    model = tiny_model(table)
    order = torch.randperm(20, generator=torch.Generator().manual_seed(0))
    one = shapley.explain(model, table[30:33], table[:20], method="kernel", budget=90)
    two = shapley.explain(model, table[30:33], table[:20][order], method="kernel", budget=90)
    np.testing.assert_allclose(one.values, two.values, atol=1e-6)


@pytest.mark.cuda
def test_cuda_agrees_with_the_cpu():
    table = tiny_table(d=10)
    model = tiny_model(table, dtype=torch.float32)
    for method in ("exact", *SAMPLED):
        cpu, cuda = (
            shapley.explain(model, table[30:40], table[:20], method=method, device=device)
            for device in ("cpu", "cuda")
        )
        np.testing.assert_allclose(cuda.values, cpu.values, atol=1e-6)


@pytest.mark.parametrize(
    ("d", "n_rows", "n_background", "method"),
    [
        (12, 40, 100, "exact"),
        (12, 60, 100, "proxy"),
        (20, 31, 100, "kernel"),
        (20, 32, 100, "proxy"),
        (33, 32, 100, "permutation"),
        (17, 1, 1, "kernel"),
        (24, 1, 9, "kernel"),
        (25, 1, 9, "permutation"),
        (300, 1, 9, "permutation"),
    ],
)  # fmt: skip
def test_auto_chooses_by_cost_and_says_why(d, n_rows, n_background, method):
    model = tiny_model(tiny_table(d=d, n=5, categorical=False), network="linear")
    name, why = shapley.choose_method(model, n_rows, n_background)
    assert name == f"shapley.{method}"
    assert why.startswith(f"auto chose {method}: ")


@pytest.mark.parametrize(
    ("d", "n_rows", "budget", "method"),
    [
        (12, 60, 481, "proxy"),  # many rows share its arithmetic
        (12, 30, 480, "proxy"),
        (12, 30, 481, "kernel"),
        (12, 600, 2**12, "exact"),
        (30, 3, 300, "proxy"),
        (40, 3, 300, "permutation"),
    ],
)
def test_auto_heeds_the_budget(d, n_rows, budget, method):
    model = tiny_model(tiny_table(d=d, n=5, categorical=False), network="linear")
    name, why = shapley.choose_method(model, n_rows, 1000, budget)
    assert name == f"shapley.{method}"
    assert why.startswith(f"auto chose {method}: ")


def test_auto_takes_few_coalitions_of_a_black_box(monkeypatch):
    model = tiny_model(tiny_table(d=17, n=5, categorical=False), network="linear")
    assert shapley.choose_method(model, 1, 9)[0] == "shapley.kernel"
    monkeypatch.setattr(type(model), "capabilities", frozenset({"black_box"}))
    assert shapley.choose_method(model, 1, 9) == (
        "shapley.proxy",
        "auto chose proxy: the model is a black box; it needs the fewest evaluations",
    )


def test_auto_shares_coalitions_among_many_rows(monkeypatch):
    monkeypatch.setattr(shapley, "EXACT_EVALUATIONS", 0)
    table = tiny_table(d=6, n=300, categorical=False)
    model = tiny_model(table)
    many = shapley.explain(model, table[:64], table[:2], budget=30)
    assert many.provenance.params["draw"] == "shared"
    assert many.provenance.notes[0].endswith(
        "blocks of the 64 rows share coalitions, which is faster"
    )
    own = shapley.explain(model, table[:64], table[:2], budget=30, draw="own")
    assert own.provenance.params["draw"] == "own"
    few = shapley.explain(model, table[:31], table[:2], budget=30)
    assert few.provenance.params["draw"] == "own"


def test_auto_does_not_count_on_sharing_where_each_row_has_its_own():
    model = tiny_model(tiny_table(d=20, n=5, categorical=False), network="linear")
    name, params, _ = shapley.choose_settings(model, 100, 100, {"draw": "own"})
    assert (name, params["draw"]) == ("shapley.kernel", "own")
    name, params, _ = shapley.choose_settings(model, 100, 100, {})
    assert (name, params["draw"]) == ("shapley.proxy", "shared")


def test_auto_notes_its_choice_and_drops_a_budget_that_has_no_meaning():
    table = tiny_table(d=4)
    got = shapley.explain(tiny_model(table), table[:2], table[10:20], budget=50)
    assert got.provenance.method == "shapley.exact"
    assert got.provenance.notes == (
        "auto chose exact: all 16 coalitions of 4 features are feasible; budget not needed",
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"method": "banzhaf"}, r"There is no method 'shapley.banzhaf'; choose .*shapley\.exact"),
        ({"method": "exact", "budget": 9}, "budget is not a setting, choose among output, link"),
        ({"method": "kernel", "budget": "many", "tolerance": 2},
         "budget: .*, got 'many'; tolerance: .*less than 1, got 2"),
        ({"output": "score", "link": "logit"}, "Link 'logit' transforms probabilities"),
        ({"rows": slice(0, 0)}, "There are no rows to explain in 'tiny'; give at least one"),
        ({"device": "tpu"}, "There is no device 'tpu'"),
    ],
)  # fmt: skip
def test_says_what_is_wrong(change, message):
    table = tiny_table(d=4)
    rows = table[change.pop("rows", slice(0, 2))]
    with pytest.raises(InvalidInputError, match=message):
        shapley.explain(tiny_model(table), rows, table[10:20], **change)


def test_refuses_a_table_of_other_features():
    table, wider, numbers = tiny_table(d=4), tiny_table(d=5), tiny_table(d=4, categorical=False)
    model = tiny_model(table)
    with pytest.raises(InvalidInputError, match="has 5 features, model tiny@1 reads 4"):
        shapley.explain(model, wider[:1], table[10:20])
    with pytest.raises(InvalidInputError, match=r"reads 'c1' \(categorical\), the table has 'x1'"):
        shapley.explain(model, table[:1], numbers[10:20])


def test_refuses_rows_without_an_answer():
    table = tiny_table(d=4, categorical=False)
    model = tiny_model(table)
    wild = table.X.clone()
    wild[3, 1] = 1e308
    rows = replace(table, X=wild)
    with pytest.raises(InvalidInputError, match="no finite number for row 3 of 'tiny'; look for"):
        shapley.explain(model, rows[:5], table[10:20])
    with pytest.raises(InvalidInputError, match="no finite number for a background row of 'tiny'"):
        shapley.explain(model, table[10:12], rows[:5])


def test_settled():
    values = torch.tensor([[0.0, 1.0], [1.0, -1.0]], dtype=torch.float64)
    errors = torch.tensor([[0.1, 0.1], [0.05, 0.2]], dtype=torch.float64)
    assert settled(values, errors, 0.1)
    assert not settled(values, errors, 0.0999)
    assert not settled(values, errors, None)
    assert settled(torch.zeros(2, 1, dtype=torch.float64), torch.zeros(2, 1).double(), 0.1)
