"""Explanations across equally good models, against closed forms and one model at a time."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import workbench.api  # noqa: F401 - registers the methods that explain each model
from tests.networks import tiny_model, tiny_table
from workbench import api
from workbench.core.context import Context
from workbench.core.errors import CancelledError, InvalidInputError
from workbench.core.method import METHODS
from workbench.engines.rashomon.attributions import NAME
from workbench.engines.rashomon.attributions_params import AttributionsParams
from workbench.engines.rashomon.by_dropout import dropout_family
from workbench.engines.rashomon.inner_method import choose_inner, explain_all
from workbench.engines.rashomon.side_by_side import SideBySide
from workbench.numerics.stream.family import Members, materialise

ALL = {"tolerance": 2.0, "explained": 6, "models": 40, "background_rows": 15}


def case(task="binary", *, network="mlp", dtype=torch.float64, d=4, **kind):
    table = tiny_table(n=60, d=d, task=task, **kind)
    return tiny_model(table, network=network, dtype=dtype), table[40:44], table


def members_of(result):
    parts = (result.numbers, result.strengths, result.stretches)
    return Members(*(torch.from_numpy(part) for part in parts))


def test_linear_models_have_the_values_of_the_closed_form():
    model, rows, table = case("regression", network="linear", categorical=False)
    result = api.explain_set(model, rows, table, **ALL)
    family = dropout_family(model, result.explorer, 0)
    weights = family.weights(members_of(result))["first.weight"][:, 0]  # (m, d)
    background = table.split("train").sample(15, seed=0)
    away = model.encode(rows.X) - model.encode(background.X).mean(0)  # (n, d)
    expected = weights[:, None] * away
    np.testing.assert_allclose(result.values[..., 0], expected, rtol=1e-5, atol=1e-6)
    own = model.network.first.weight[0] * away
    np.testing.assert_allclose(result.given_values[..., 0], own, rtol=1e-5, atol=1e-6)
    every = torch.cat([own[None], expected])
    np.testing.assert_allclose(result.span().low, every.amin(0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(result.span().high, every.amax(0), rtol=1e-5, atol=1e-6)


def test_a_sign_flips_where_a_weight_does():
    model, rows, table = case("regression", network="linear", categorical=False)
    wide = {"explorer": "gaussian-weights", "explained": 40, "models": 200}
    result = api.explain_set(model, rows, table, **ALL | wide)
    family = dropout_family(model, "gaussian-weights", 0)
    weights = family.weights(members_of(result))["first.weight"][:, 0]
    one_sign = (weights > 0).all(0) | (weights < 0).all(0)
    half = np.zeros_like(result.background_std_errors)  # signs of the values themselves
    flips = replace(result, background_std_errors=half).flips()
    assert flips.shape == (4, 4)
    assert (flips == ~one_sign.numpy()).all()
    assert flips.any(), "weights were moved so far that one of them flips"


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("method", ["exact", "kernel"])
def test_models_side_by_side_are_explained_as_one_at_a_time(task, method):
    model, rows, table = case(task, missing=True)
    result = api.explain_set(
        model, rows, table, explanation=method, explorer="gaussian-weights", **ALL
    )
    family = dropout_family(model, "gaussian-weights", 0)
    background = table.split("train").sample(15, seed=0)
    members = members_of(result)
    for place in (0, 5):
        one = materialise(family, members, place)
        settings = {"budget": 256} if method == "kernel" else {}
        record = METHODS[f"shapley.{method}"]
        alone = record.explain(one, rows, background, record.params(**settings), Context())
        np.testing.assert_allclose(result.values[place], alone.values, atol=1e-6)
        np.testing.assert_allclose(result.model_predictions[place], alone.predictions, atol=1e-6)
        np.testing.assert_allclose(result.base_values[place], alone.base_values[0], atol=1e-6)
    np.testing.assert_allclose(result.predictions, model.predict(rows.X), atol=1e-12)
    np.testing.assert_allclose(result.given.gap, 0, atol=1e-6)
    np.testing.assert_allclose(result.model(5).gap, 0, atol=1e-6)


@pytest.mark.parametrize("method", ["integrated-gradients", "deeplift"])
def test_methods_that_need_gradients_see_one_model_at_a_time(method):
    model, rows, table = case("multiclass")
    result = api.explain_set(model, rows, table, explanation=method, **ALL)
    family = dropout_family(model, "gaussian-units", 0)
    background = table.split("train").sample(15, seed=0)
    one, record = materialise(family, members_of(result), 3), METHODS[f"shapley.{method}"]
    alone = record.explain(one, rows, background, record.params(), Context())
    np.testing.assert_allclose(result.values[3], alone.values, atol=1e-6)
    assert result.inner == f"shapley.{method}"


@pytest.mark.parametrize("method", ["exact", "kernel", "deeplift"])
def test_the_given_model_itself_has_ranges_without_width(method):
    model, rows, table = case(d=5)
    members = Members(torch.arange(3), torch.full((3,), 0.3).double(), torch.zeros(3).double())
    inner = choose_inner(model, 4, 15, AttributionsParams(explanation=method))
    family = dropout_family(model, "gaussian-units", 0)
    found = explain_all(family, members, inner, rows, table[:15], Context())
    first, *others = [one for some, _ in found for one in some]
    assert len(others) == 3
    for other in others:
        np.testing.assert_array_equal(other.values, first.values)


def test_models_side_by_side_keep_their_outputs_apart():
    model, rows, _ = case("multiclass")
    family = dropout_family(model, "gaussian-weights", 0)
    members = Members(torch.arange(3), torch.full((3,), 0.3).double(), torch.ones(3).double())
    together = SideBySide.of(family, members)
    assert together.output_names == ("red", "green", "blue") * 3
    assert (together.device, together.dtype) == (model.device, model.dtype)
    for say in ("predict", "scores"):
        alone = torch.cat([getattr(materialise(family, members, i), say)(rows.X)
                           for i in range(3)], 1)  # fmt: skip
        torch.testing.assert_close(getattr(together, say)(rows.X), alone)


def test_where_no_model_is_admitted_it_says_so():
    model, rows, table = case("regression", network="linear", categorical=False)
    perfect = replace(table, y=model.predict(table.X)[:, 0])
    result = api.explain_set(model, rows, perfect, **ALL | {"tolerance": 0.0})
    assert result.n_models == 0
    assert np.isnan(result.span().low).all()
    assert np.isfinite(result.given_values).all()
    assert any("0 models within the tolerance among 40" in n for n in result.provenance.notes)


def test_says_what_a_reader_should_know():
    model, _, table = case()
    result = api.explain_set(model, table.split("validation"), table, **ALL)
    assert result.explorer == "gaussian-units"
    assert result.inner == "shapley.exact"
    notes = " ".join(result.provenance.notes)
    assert "auto chose exact: all 16 coalitions of 4 features are feasible" in notes
    assert "admitted by their loss on 12 validation rows" in notes
    assert "12 rows of those explained also admitted models" in notes
    assert "15 training rows stand in" in notes
    strict = api.explain_set(model, table.split("test"), table, **ALL | {"tolerance": 0.001})
    assert (strict.excess <= 0.001).all()
    if strict.n_models:
        assert "cannot be told from 0" in " ".join(strict.provenance.notes)


def test_chooses_the_cheapest_method_that_is_exact_enough():
    params = AttributionsParams()
    small, large = case(d=5)[0], case(d=14)[0]
    assert choose_inner(small, 10**6, 100, params).name == "shapley.exact", "30 coalitions"
    assert choose_inner(large, 1, 100, params).name == "shapley.proxy"
    many = choose_inner(large, 40, 100, params)
    assert (many.params.budget, many.params.draw) == (256, "shared")
    twelve = case(d=12)[0]
    assert choose_inner(twelve, 48, 100, params).name == "shapley.exact"
    assert choose_inner(twelve, 49, 100, params).name == "shapley.proxy"
    named = choose_inner(large, 4, 100, AttributionsParams(explanation="kernel", budget=300))
    assert (named.name, named.params.budget, named.why) == ("shapley.kernel", 300, "")
    assert choose_inner(case(d=33)[0], 4, 100, params).name == "shapley.permutation"


def test_refuses_what_it_cannot_do():
    model, rows, table = case()
    with pytest.raises(InvalidInputError, match="does not say what is true"):
        api.explain_set(model, rows, replace(table, y=None), **ALL)
    wide, some, wide_table = case(d=40)
    with pytest.raises(InvalidInputError, match=r"5,000 rows by 1,024 models .* at most 819 rows"):
        api.explain_set(wide, some[[0] * 5000], wide_table, explained=1024)
    with pytest.raises(InvalidInputError, match=r"explorer: .*, got 'guessing'"):
        api.explain_set(model, rows, table, explorer="guessing")
    linear, rows, table = case(network="linear")
    with pytest.raises(InvalidInputError, match="no hidden units"):
        api.explain_set(linear, rows, table, explorer="gaussian-units")


def test_tells_how_far_it_is_and_stops():
    model, rows, table = case()
    params = AttributionsParams(**ALL | {"explained": 40, "models": 200})
    seen, shown = [], []

    def progress(done, total, message):
        seen.append((done, total, message))

    context = Context(progress=progress, preview=lambda make: shown.append(make()))
    METHODS[NAME].explain(model, rows, table, params, context)
    parts = [(done, total) for done, total, message in seen if "part " in message]
    assert parts == sorted(parts)
    assert 0 < parts[0][0] < parts[-1][0] == parts[-1][1]
    assert [one.n_models for one in shown] == [15, 31], "16 of two outputs at once, the given first"
    assert "not finished yet" in shown[0].provenance.notes[-1]

    def stop(_done, _total, message):
        if "part 2 of 3" in message:
            raise CancelledError("stop")

    with pytest.raises(CancelledError):
        METHODS[NAME].explain(model, rows, table, params, Context(progress=stop))
