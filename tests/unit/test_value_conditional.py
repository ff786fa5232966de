"""Conditional values of a trained surrogate as a value function of every estimator."""

from dataclasses import replace
from threading import Event

import numpy as np
import pytest
import torch

from tests.networks import tiny_model, tiny_table
from workbench import api
from workbench.core.context import Context
from workbench.core.errors import CancelledError, InvalidInputError
from workbench.core.method import METHODS
from workbench.core.results import Attribution
from workbench.engines.shapley.exact import all_coalitions, shapley_weights
from workbench.engines.shapley.params import SampledParams
from workbench.numerics.amortised import SurrogateGame, find_explainer
from workbench.numerics.value_functions import Question, make_game

ESTIMATORS = sorted(
    name.removeprefix("shapley.")
    for name, method in METHODS.items()
    if issubclass(method.params, SampledParams)
    and method.yields is Attribution
    and "explainer" not in method.needs
)


@pytest.fixture(scope="module")
def case():
    """A model whose features go together, with a surrogate that has learned from its rows."""
    table = tiny_table(n=300, d=6, task="multiclass")
    model = tiny_model(table, dtype=torch.float32)
    explainer = api.train_explainer(
        model, table, table[:25], value="conditional", surrogate_epochs=40, warm_epochs=1, epochs=0,
        width=32, draws=8, device="cpu",
    )  # fmt: skip
    return api.attach(model, explainer), table


def explain(case, rows, method, **params):
    model, table = case
    return api.explain(model, rows, table[:25], method=method, value="conditional", **params)


def test_exact_values_are_those_of_the_surrogates_game(case):
    model, table = case
    game = SurrogateGame(model, model.explainers[0])
    values = game.values(table.X[40:43], all_coalitions(6))
    expected = torch.einsum("dm,nmk->ndk", shapley_weights(6), values).numpy()
    result = explain(case, table[40:43], "exact")
    np.testing.assert_allclose(result.values, expected, atol=1e-12)
    np.testing.assert_allclose(result.gap, 0, atol=1e-9)
    assert result.provenance.evaluations == 3, "the model is asked for whole rows alone"


@pytest.mark.parametrize("method", ESTIMATORS)
def test_the_price_counts_one_answer_for_a_coalition(case, method):
    """Also of a reference row; and a run sets out with it."""
    model, table = case
    record = METHODS[f"shapley.{method}"]
    marginal, *single = (
        record.cost(model, 3, 25, record.params(value=value)).evaluations
        for value in ("marginal", "conditional", "baseline")
    )
    assert single[0] == single[1]
    # But for whole rows, and for looks at them: 25 times as much.
    assert marginal - 28 == pytest.approx(25 * (single[0] - 28), rel=1e-3)
    seen = []
    context = Context(progress=lambda done, total, _: seen.append((done, total)))
    params = record.params(value="conditional")
    record.explain(model, table[40:43], table[:25], params, context)
    assert max(seen[0]) == single[0]


@pytest.mark.parametrize("method", ESTIMATORS)
def test_every_estimator_comes_close_to_them(case, method):
    _, table = case
    rows = table[40:42]
    exact = explain(case, rows, "exact").values
    found = explain(case, rows, method, budget=60 if method != "svarm" else 62)
    error = np.sqrt(((found.values - exact) ** 2).mean())
    assert error <= 2 * np.sqrt((found.std_errors**2).mean()) + 1e-9


def test_interactions_are_those_of_the_same_game(case):
    """Rows of 2-SII with their diagonal add up to the values of the same surrogate."""
    model, table = case
    pairs = api.interactions(model, table[40:42], table[:25], value="conditional", index="k-SII")
    np.testing.assert_allclose(pairs.gap, 0, atol=1e-9)
    assert "surrogate of explainer" in pairs.provenance.notes[0]


def test_conditional_and_marginal_values_differ(case):
    _, table = case
    own = explain(case, table[40:60], "exact").values
    model, _ = case
    marginal = api.explain(model, table[40:60], table[:25], method="exact").values
    assert abs(own - marginal).mean() > 0.05 * abs(marginal).mean()


def test_tells_whose_surrogate_it_is_and_how_good(case):
    model, table = case
    explainer = model.explainers[0]
    (note,) = explain(case, table[:1], "kernel", budget=40).provenance.notes
    assert f"explainer {explainer.digest[:8]}" in note
    assert f"{explainer.fidelity.no_information:.4g}" in note


def test_auto_counts_one_answer_for_a_coalition(case, monkeypatch):
    """With so many background rows exact would be too dear, were each of them asked."""
    model, table = case
    monkeypatch.setattr("workbench.engines.shapley.EXACT_EVALUATIONS", 2**6 * 10)
    result = explain(case, table[:4], "auto")
    assert result.provenance.method == "shapley.exact"
    marginal = api.explain(model, table[:4], table[:25], method="auto")
    assert marginal.provenance.method == "shapley.kernel"


def test_can_be_cancelled(case):
    model, table = case
    asked = Event()
    asked.set()
    game = make_game(
        model, table[:25], value="conditional", output="probability", link="identity",
        context=Context(cancel=asked), expected=100,
    )  # fmt: skip
    with pytest.raises(CancelledError, match="of 100 coalitions of rows"):
        game.values(table.X[:1], all_coalitions(6))


def test_a_surrogate_that_has_learned_nothing_is_refused(case):
    model, table = case
    known = model.explainers[0]
    worse = known.fidelity.model_copy(update={"loss": known.fidelity.no_information})
    useless = replace(model, explainers=(replace(known, fidelity=worse),))
    with pytest.raises(InvalidInputError, match="says no more than a constant would"):
        api.explain(useless, table[:1], table[:25], method="exact", value="conditional")


def test_a_plan_is_refused_as_the_run_would_be(case):
    _, table = case
    with pytest.raises(InvalidInputError, match="no explainer for probability"):
        api.plan(tiny_model(table), 1, 25, method="exact", value="conditional")


def test_the_background_is_not_judged(case):
    _, table = case
    result = explain(case, table[:3], "exact")
    (found,) = [outcome for outcome in api.run_checks(result) if outcome.code == "WB003"]
    assert found.status == "not_applicable"
    assert "surrogate stands in" in found.sentence


def test_a_model_without_one_is_told_what_to_do(case):
    _, table = case
    bare = tiny_model(table)
    with pytest.raises(InvalidInputError, match=r"no explainer for probability .*conditional"):
        api.explain(bare, table[:1], table[:25], method="exact", value="conditional")
    with pytest.raises(InvalidInputError, match="no explainer for score"):
        explain(case, table[:1], "exact", output="score")
    model, _ = case
    found = find_explainer(model, Question("probability", "identity"))
    assert found is model.explainers[0]


def test_a_request_names_the_explainer_whose_surrogate_it_asks(case):
    model, _ = case
    digest = model.explainers[0].digest
    assert api.explainer_for(model, "shapley.kernel", {"value": "conditional"}) == digest
    assert api.explainer_for(model, "shapley.interactions", {"value": "conditional"}) == digest
    assert api.explainer_for(model, "shapley.kernel", {}) == ""
    assert api.explainer_for(model, "fastshap.train", {"value": "conditional"}) == ""


def test_rows_of_the_bundled_model_by_the_surrogate_that_comes_along():
    """Relationship stands for marital status where these go together: credit moves."""
    model, rows = api.load_model("adult-mlp"), api.load_table("adult")[:32]
    conditional = api.explain(model, rows, method="exact", value="conditional")
    quick = api.explain(model, rows, method="fastshap", value="conditional", fallback="none")
    error = np.sqrt(((quick.values - conditional.values) ** 2).sum((1, 2)))
    assert error.mean() < 0.026
    assert "surrogate of explainer" in conditional.provenance.notes[0]
