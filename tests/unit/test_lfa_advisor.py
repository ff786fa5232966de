"""The recommendation: near the best that there is, and honest where nothing is good."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import workbench as wb
from tests.functions import categories_table, formula_model, numbers_table
from workbench import api
from workbench.core.errors import InvalidInputError
from workbench.engines.lfa.advisor import QUESTIONS, advise, questions_for

WEIGHTS = torch.tensor([1.0, -0.7, 0.4, 0.2], dtype=torch.float64)
SHAPES = {
    "linear": lambda u: u @ WEIGHTS,
    "sinusoid": lambda u: torch.sin(3 * u * WEIGHTS).sum(1),
    "step": lambda u: (u @ WEIGHTS > 0.2).double() + 0 * u.sum(1),
    "xor": lambda u: (u[:, 0] * u[:, 1]).sign() + 0.3 * u[:, 2],
    "quadratic": lambda u: (u @ WEIGHTS) ** 2 + u[:, 3],
}
LEVELS = {"binary": (2, 2, 2, 2), "categorical": (3, 4, 3, 5)}


def case(shape, domain):
    """A model and its table: the shape of four numbers, or of a number for each category."""
    function = SHAPES[shape]
    if domain == "continuous":
        table = numbers_table(n=60)
        return formula_model(table, function), table
    levels = LEVELS[domain]
    table = categories_table(levels, n=60)
    scores = torch.zeros(sum(levels), 4, dtype=torch.float64)
    start = 0
    for j, size in enumerate(levels):
        scores[start : start + size, j] = torch.linspace(-1, 1, size).double()
        start += size
    return formula_model(table, lambda z: function(z @ scores)), table


def regret(told, checked, question):
    """How much more a recommendation misses than the best of an independent run."""
    advice = advise(told, question)
    column = checked.neighbourhood_index(advice.neighbourhood)
    value = checked.entries().value[:, column]
    real = [kind != "anchor" for kind in checked.types]
    best = np.nanmin(np.where(real, value, np.nan))
    return value[checked.method_index(advice.method)] - 1.1 * best - 1e-6


def test_the_pick_is_near_the_best_of_an_independent_run():
    regrets = []
    for shape in SHAPES:
        for domain in ("continuous", *LEVELS):
            model, table = case(shape, domain)
            asked = {"perturbations": 256, "heldout": 1000}
            told = api.faithfulness(model, table[:20], table, **asked)
            checked = api.faithfulness(model, table[:20], table, seed=1, **asked)
            asks = [q for q in questions_for(told) if advise(told, q).method]
            regrets += [regret(told, checked, question) for question in asks]
    for name in ("wine", "diabetes", "breast-cancer", "adult"):
        rows, model = wb.load_table(name)[:50], wb.load_model(f"{name}-mlp")
        told, checked = (wb.faithfulness(model, rows, seed=seed, heldout=512) for seed in (0, 1))
        regrets += [regret(told, checked, question) for question in questions_for(told)]
    assert len(regrets) > 80
    assert np.mean(np.array(regrets) <= 0) >= 0.95


def test_masks_that_see_nothing_are_never_recommended_for_numbers():
    """A sum of sines that all vanish at every mixture of this row with the reference."""
    table = numbers_table()
    reference = table.X.mean(0)
    row = int((table.X - reference).abs().min(1).values.argmax())  # far from it in every feature
    x = table.X[row]
    model = formula_model(
        table, lambda z: torch.sin(2 * torch.pi * (z - reference) / (x - reference)).sum(1)
    )
    result = api.faithfulness(model, table[[row]], table, perturbations=64, scale=0.05)
    for question in ("removed", "few-removed", "one-removed"):
        advice = advise(result, question)
        assert not advice.adequate
        assert "Ask what happens if numbers move" in advice.instead
    moved = advise(result, "moved")
    assert moved.adequate
    assert moved.method in {"c-lime", "smoothgrad", "vanilla-gradients"}


def test_a_parity_has_no_linear_explanation_and_says_so():
    table = categories_table(LEVELS["binary"], n=60)
    model = formula_model(table, lambda z: (2 * z[:, ::2] - 1).prod(1))
    result = api.faithfulness(model, table[:20], table, perturbations=64)
    advice = advise(result, "removed")
    assert advice.missed > 0.5
    assert not advice.adequate
    assert "No linear explanation is adequate there" in advice.instead
    assert "work together" in advice.instead


def test_of_equally_good_ones_the_cheapest_and_within_the_budget():
    model, table = case("linear", "continuous")
    result = api.faithfulness(model, table[:20], table, perturbations=256)
    assert advise(result, "moved").method == "vanilla-gradients"
    assert "fewest passes" in advise(result, "moved").reason
    rows = wb.load_table("breast-cancer")[:50]
    real = wb.faithfulness("breast-cancer-mlp", rows)
    assert advise(real, "removed").method == "kernelshap"
    cheap = advise(real, "removed", budget=100)
    assert cheap.method == "integrated-gradients"
    assert cheap.calls <= 100
    assert "that speak of it in at most 100 passes, Integrated gradients" in cheap.reason
    none = advise(real, "removed", budget=0)
    assert (none.method, none.adequate) == ("", False)
    assert none.instead.startswith("Allow at least ")


def test_an_interval_a_runner_up_and_a_reason():
    rows = wb.load_table("breast-cancer")[:50]
    result = wb.faithfulness("breast-cancer-mlp", rows)
    advice = advise(result, "moved")
    assert advice.low <= advice.missed <= advice.high
    assert advice.runner_up != advice.method
    assert advice.runner_missed >= advice.missed / 1.02
    assert advice.reason.startswith("The question is about numbers near the row's own. Of 3 ")
    assert np.isnan(advise(result[0], "moved").low)


def test_questions_that_cannot_be_asked_are_refused_by_name():
    model, table = case("linear", "categorical")
    result = api.faithfulness(model, table[:5], table, perturbations=64)
    assert "moved" not in questions_for(result)
    with pytest.raises(InvalidInputError, match="the table has no number that varies; choose"):
        advise(result, "moved")
    with pytest.raises(InvalidInputError, match="There is no question 'why'; choose one of moved"):
        advise(result, "why")
    assert advise(result, "other").method == "resampled"
    blind = replace(
        result, missed=np.full_like(result.missed, np.nan), total=np.zeros_like(result.total)
    )
    for question in questions_for(blind):
        assert advise(blind, question).method == ""
    assert set(QUESTIONS) > set(questions_for(result))
