"""Profiles over equally good models: one model at a time, closed forms, and what must hold."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

import workbench.api  # noqa: F401 - registers the method that follows each model
from tests.networks import tiny_model, tiny_table
from workbench import api
from workbench.core.across_models import GIVEN
from workbench.core.context import Context
from workbench.core.errors import CancelledError, InvalidInputError
from workbench.core.method import METHODS
from workbench.core.params import parse_params
from workbench.core.results import load
from workbench.engines.rashomon.by_dropout import dropout_family
from workbench.engines.rashomon.profiles import BY_MODEL, NAME
from workbench.numerics.stream.family import Members, materialise
from workbench.plots.profile_models import across_sentence
from workbench.plots.profiles import profile as profile_figure

FEW = {
    "tolerance": 2.0, "profiled": 5, "models": 40, "points": 5, "curves": 3, "pair": "x0,x2",
    "pair_points": 3,
}  # fmt: skip


def case(task="binary", **kind):
    table = tiny_table(n=60, d=4, task=task)
    return tiny_model(table, **kind), table.split("test"), table


@cache
def some(task="binary"):
    return api.profiles_set(*case(task), device="cpu", **FEW)


def members_of(result):
    return Members(
        *(
            torch.from_numpy(getattr(result, name)[1:])
            for name in ("numbers", "strengths", "stretches")
        )
    )


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_every_model_is_followed_as_if_it_were_alone(task):
    model, rows, _ = case(task)
    found = some(task)
    assert found.mean.shape[0] == 6
    family, members = dropout_family(model, found.explorer, 0), members_of(found)
    asked = {name: FEW[name] for name in ("points", "curves", "pair", "pair_points")}
    for place in range(6):
        one = materialise(family, members, place - 1) if place else model
        alone = api.profiles(one, rows, device="cpu", **asked)
        for name in BY_MODEL:
            np.testing.assert_allclose(
                getattr(found, name)[place], getattr(alone, name)[0], atol=1e-9, err_msg=name
            )
        if not place:
            np.testing.assert_array_equal(found.curves, alone.curves)
            np.testing.assert_array_equal(found.predictions, alone.predictions)
            np.testing.assert_array_equal(found.ids, alone.ids)


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_mean_is_that_of_rows_changed_by_hand(task):
    model, rows, _ = case(task)
    found = some(task)
    one = materialise(dropout_family(model, found.explorer, 0), members_of(found), 3)
    profile = found.profile("x2", 0)
    for at, value in enumerate(profile.grid):
        X = rows.X.clone()
        X[:, 2] = value
        assert profile.mean[4, at] == pytest.approx(float(one.predict(X)[:, 0].mean()), abs=1e-9)


def test_curves_of_linear_models_are_their_weights():
    table = tiny_table(n=60, d=3, task="regression", categorical=False)
    model = tiny_model(table, network="linear")
    found = api.profiles_set(
        model, table, table, tolerance=2.0, profiled=4, models=20, points=4, device="cpu"
    )
    assert found.explorer == "gaussian-weights"
    weights = dropout_family(model, "gaussian-weights", 0).weights(members_of(found))
    slopes = [float(model.network.first.weight[0, 1]), *weights["first.weight"][:, 0, 1].tolist()]
    profile = found.profile("x1")
    units = model.encode(torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]).double())
    step = float(units[0, 1] - units[1, 1])  # of the encoded column, by one unit of the raw one
    rises = np.diff(profile.mean, axis=1) / np.diff(profile.grid)
    np.testing.assert_allclose(rises, np.array(slopes)[:, None] * step * np.ones(3), atol=1e-9)


def test_the_widest_is_where_models_differ_most():
    found = some()
    order = found.widest(1)
    gaps = [np.ptp(found.profile(int(at), 1).mean, axis=0) for at in order]
    counts = [found.profile(int(at), 1).counts for at in order]
    largest = [gap[count > 0].max() for gap, count in zip(gaps, counts, strict=True)]
    assert largest == sorted(largest, reverse=True)
    assert len(order) == 4


def test_the_band_of_the_figure_holds_every_model():
    found = some()
    one = found.profile("x0", 1)
    band = next(trace for trace in profile_figure(found, "x0", output=1).data if trace.fill)
    high, low = np.split(np.array(band.y, dtype=float), 2)
    for mean in one.mean:
        assert (mean <= high + 1e-12).all()
        assert (mean >= low[::-1] - 1e-12).all()
    alone = replace(found, **{name: getattr(found, name)[:1] for name in BY_MODEL},
                    excess=None, noise=None, numbers=None, strengths=None, stretches=None,
                    explorer=None, tolerance=None, base_loss=None)  # fmt: skip
    own = next(trace for trace in profile_figure(alone, "x0", output=1).data if trace.fill)
    assert (high >= np.split(np.array(own.y, dtype=float), 2)[0] - 1e-12).all()
    assert np.ptp(np.array(band.y, dtype=float)) > np.ptp(np.array(own.y, dtype=float))


def test_models_are_told_and_come_back_from_a_file(tmp_path):
    found = some()
    assert (found.numbers[0], found.excess[0], found.noise[0]) == (GIVEN, 0, 0)
    assert (found.excess <= found.tolerance).all()
    back = load(found.save(tmp_path / "profiles"))
    np.testing.assert_array_equal(back.numbers, found.numbers)
    np.testing.assert_array_equal(back.excess, found.excess)
    assert back.explorer == "gaussian-units"
    notes = " ".join(found.provenance.notes)
    assert "admitted by their loss on 12 validation rows" in notes
    assert "the same rows, at the same values" in notes
    assert found.beside([found]).excess.shape == (12,)


def test_faults_are_named_before_the_search():
    model, rows, table = case()
    with pytest.raises(InvalidInputError, match="no feature 'z'"):
        api.profiles_set(model, rows, table, features="z", device="cpu")
    with pytest.raises(InvalidInputError, match="a pair is two features"):
        api.profiles_set(model, rows, table, pair="x0", device="cpu")
    with pytest.raises(InvalidInputError, match="does not say what is true"):
        api.profiles_set(model, rows, replace(table, y=None), device="cpu")


def test_tells_how_far_it_is_and_stops():
    model, rows, table = case()
    seen, shown = [], []

    def progress(done, total, message):
        seen.append((done / total, message))

    params = parse_params(METHODS[NAME].params, FEW | {"profiled": 40, "models": 200})
    context = Context(progress=progress, preview=lambda make: shown.append(make()))
    METHODS[NAME].explain(model, rows, table, params, context)
    parts = [share for share, message in seen if "part " in message]
    assert parts == sorted(parts)
    assert parts[-1] == 1
    assert [one.n_models for one in shown] == [1, 17, 33], "16 of two outputs at once"
    assert "not finished yet" in shown[0].provenance.notes[-1]

    def stop(_done, _total, message):
        if "part 2 of" in message:
            raise CancelledError("stop")

    with pytest.raises(CancelledError):
        METHODS[NAME].explain(model, rows, table, params, Context(progress=stop))


def test_models_differ_first_where_rows_are():
    found = some()
    last = int(found.widest()[-1])
    at = int(np.flatnonzero(found.of == last)[0])
    mean = found.mean.copy()
    mean[1, at] += 5.0
    counts = np.where(found.of == last, 100, found.counts)
    many = replace(found, mean=mean, counts=counts)
    assert many.widest()[0] == last
    few = replace(many, counts=np.where(np.arange(len(counts)) == at, 1, counts))
    assert few.widest()[0] != last
    assert not few.well_held[at]
    label = found.schema.features[last].show(float(found.grid[at]))
    assert f"{found.schema.features[last].name}: at {label}" in across_sentence(many)
    assert f"{found.schema.features[last].name}: at {label}" not in across_sentence(few)
