"""Scores of pairs over equally good models: one model at a time by hand, and what must hold."""

import copy
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

import workbench.api
from tests.interaction_functions import normal, table_of
from tests.networks import Opaque, tiny_model, tiny_table
from workbench import api
from workbench.core.across_models import GIVEN
from workbench.core.context import Context
from workbench.core.errors import CancelledError, InvalidInputError
from workbench.core.interaction_scores import BY_MODEL
from workbench.core.method import METHODS
from workbench.core.params import parse_params
from workbench.core.results import load
from workbench.engines.interactions.params import ScoresParams
from workbench.engines.interactions.scene import scene_of
from workbench.engines.rashomon import interactions as engine
from workbench.engines.rashomon.by_dropout import dropout_family
from workbench.numerics.stream.family import Members

FEW = {"tolerance": 2.0, "scored": 4, "models": 40, "permutations": 2}


def case(task="binary", *, d=4, n=60, **kind):
    table = tiny_table(n=n, d=d, task=task)
    return tiny_model(table, **kind), table.split("test"), table


def networks_of(result, model):
    """The networks of the result, the given one first, made again by hand from its numbers."""
    others = slice(1, None)
    members = Members(
        *(
            torch.from_numpy(getattr(result, name)[others])
            for name in ("numbers", "strengths", "stretches")
        )
    )
    weights = dropout_family(model, result.explorer, result.provenance.seed).weights(members)
    found = [model.network]
    for place in range(result.n_models - 1):
        network = copy.deepcopy(model.network)
        state = {name: values[place] for name, values in weights.items()}
        network.load_state_dict(network.state_dict() | state)
        found.append(network)
    return found


def losses_of(logits, y):
    if logits.shape[1] == 1:
        return (logits[:, 0] - y).square()
    return functional.cross_entropy(logits, y.long(), reduction="none")


def by_hand(network, model, rows, donors, i, j):
    """Mixed difference and loss form of one pair, a copy of all rows for each change."""
    squares, losses = [], []
    for order in donors:
        said, lost = [], []
        for chosen in ([], [i], [j], [i, j]):
            X = rows.X.clone()
            X[:, chosen] = rows.X[order][:, chosen]
            logits = network(model.encoder(X))
            lost.append(losses_of(logits, rows.y).mean())
            said.append(logits - logits.flip(1) if model.schema.task == "binary" else logits)
        squares.append((said[0] - said[1] - said[2] + said[3]).square().mean(0) / 4)
        losses.append(lost[3] - lost[1] - lost[2] + lost[0])
    return torch.stack(squares).mean(0), torch.stack(losses).mean()


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("explorer", ["gaussian-units", "bernoulli-weights"])
def test_every_model_is_scored_as_by_hand_on_the_same_exchanges(task, explorer):
    model, rows, table = case(task)
    found = api.interactions_set(
        model, rows, table, detector="both", explorer=explorer, seed=5, device="cpu", **FEW
    )
    assert found.mixed.shape == (5, 6, len(model.output_names))
    donors = scene_of(model, rows, ScoresParams(permutations=2), Context(seed=5)).donors
    for place, network in enumerate(networks_of(found, model)):
        mixed, loss = by_hand(network, model, rows, donors, 1, 2)
        at = found.place("c1", "x2")
        np.testing.assert_allclose(found.mixed[place, at], mixed, rtol=1e-9)
        np.testing.assert_allclose(found.losses[place, at], loss, rtol=1e-9, atol=1e-12)
    assert np.unique(found.mixed[:, 0, 0]).size == 5, "models differ"


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_every_model_is_as_good_when_its_loss_is_taken_directly(task):
    model, rows, table = case(task)
    tolerance = 0.3
    found = api.interactions_set(
        model, rows, table, device="cpu", **FEW | {"tolerance": tolerance, "scored": 20}
    )
    known = table.split("validation")
    own_losses, *others = (
        losses_of(network(model.encoder(known.X)), known.y) for network in networks_of(found, model)
    )
    unit = 1.0 if task == "binary" else float(own_losses.mean())
    assert found.tolerance == pytest.approx(tolerance * unit)
    assert found.base_loss == pytest.approx(float(own_losses.mean()))
    assert len(others) >= 5
    for place, own in enumerate(others, 1):
        away = own - own_losses
        assert float(away.mean()) <= tolerance * unit
        assert found.excess[place] == pytest.approx(float(away.mean()), rel=1e-9)
        assert found.noise[place] == pytest.approx(float(away.std()) / len(away) ** 0.5)
    assert (found.excess[0], found.noise[0], found.numbers[0]) == (0, 0, GIVEN)


class Watched(Opaque):
    """Keeps the rows that it is asked about."""

    def __init__(self, network):
        super().__init__(network)
        self.seen = []

    def forward(self, inputs):
        self.seen.append(inputs.clone())
        return super().forward(inputs)


def test_all_models_are_asked_about_the_same_rows_and_exchanges(monkeypatch):
    model, rows, table = case("multiclass", d=3)
    method, watched = METHODS["interactions.scores"], []

    def explain(some, *arguments):
        watched.append(Watched(some.network))
        return method.explain(replace(some, network=watched[-1]), *arguments)

    spied = replace(method, explain=explain)
    monkeypatch.setitem(METHODS._methods, "interactions.scores", spied)
    api.interactions_set(model, rows, table, device="cpu", **FEW)
    first, *others = [torch.cat(network.seen) for network in watched]
    assert len(others) == 4
    assert len(first) == 12 * (1 + 2 * 4 + 2 * 7 + 1), "rows, with one and with two exchanged, rows"
    for other in others:
        assert torch.equal(other, first)
    assert len({id(network.network) for network in watched}) == 5


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_models_side_by_side_are_scored_as_one_at_a_time(task, monkeypatch):
    model, rows, table = case(task)
    chosen = FEW | {"detector": "both", "order": 3, "explorer": "gaussian-weights"}
    alone = api.interactions_set(model, rows, table, device="cpu", **chosen)
    monkeypatch.setattr(engine, "_at_once", lambda *_: 3)
    together = api.interactions_set(model, rows, table, device="cpu", **chosen)
    assert together.provenance.evaluations == alone.provenance.evaluations
    for name in BY_MODEL:
        if getattr(alone, name) is not None:
            np.testing.assert_allclose(
                getattr(together, name), getattr(alone, name), rtol=1e-9, atol=1e-12, err_msg=name
            )


@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_more_models_only_widen_the_range(data):
    found = CLOUD()
    larger = data.draw(st.lists(st.integers(1, 12), min_size=1, unique=True))
    smaller = larger[: data.draw(st.integers(0, len(larger)))]
    wide, narrow = (found.of_models(models).cloud("yes") for models in (larger, smaller))
    assert (wide.low <= narrow.low).all()
    assert (wide.high >= narrow.high).all()
    np.testing.assert_array_equal(wide.reference, narrow.reference)
    np.testing.assert_array_equal(wide.reference, found.cloud("yes").reference)


@cache
def CLOUD():  # noqa: N802 - a constant that is made when it is first needed
    model, rows, table = case()
    return api.interactions_set(
        model, rows, table, detector="both", device="cpu", **FEW | {"scored": 12}
    )


@pytest.mark.parametrize("by", ["mixed-difference", "loss"])
def test_the_cloud_is_what_the_scores_of_all_models_say(by):
    found = CLOUD()
    values = found.shares[..., 1] if by == "mixed-difference" else found.losses
    order = np.argsort(-np.abs(values[0]), kind="stable")
    cloud = found.cloud("yes", by=by, top=2)
    np.testing.assert_array_equal(cloud.places, order)
    for at, place in enumerate(order):
        own = values[:, place].tolist()
        ranks = [sorted(-np.abs(one)).index(-abs(one[place])) for one in values]
        assert cloud.reference[at] == own[0]
        assert (cloud.low[at], cloud.high[at]) == (min(own), max(own))
        assert (cloud.low_model[at], cloud.high_model[at]) == (
            own.index(min(own)), own.index(max(own)),
        )  # fmt: skip
        assert cloud.in_top[at] == pytest.approx(np.mean([rank < 2 for rank in ranks]))
        np.testing.assert_allclose(cloud.quantiles[:, at], np.quantile(own, (0.05, 0.5, 0.95)))
    assert (found.losses > 0).any(), "the sign stays"
    frame = found.cloud_frame("yes", by=by, top=2)
    assert list(frame["set"]) == [" and ".join(found.set_names[place]) for place in order]
    np.testing.assert_array_equal(frame["high"], cloud.high)
    np.testing.assert_array_equal(frame["median"], cloud.quantiles[1])


def test_linear_models_have_no_interactions_whichever_is_asked():
    model, rows, table = case("regression", network="linear")
    found = api.interactions_set(model, rows, table, device="cpu", **FEW)
    assert found.explorer == "gaussian-weights"
    assert found.n_models == 5
    assert np.abs(found.mixed).max() < 1e-10
    assert np.unique(found.totals[:, 0, 0]).size == 5


def test_trained_models_are_scored_and_stand_in_for_a_black_box():
    model, rows, table = case(n=20)
    sealed = replace(model, network=Sealed(model))
    with pytest.raises(InvalidInputError, match="shows no weights of linear layers that could be"):
        api.interactions_set(sealed, rows, table, device="cpu", **FEW)
    trained = FEW | {"explorer": "retraining", "models": 3, "scored": 2, "tolerance": 50.0}
    found = api.interactions_set(sealed, rows, table, device="cpu", **trained)
    assert found.n_models == 3
    assert "64 and 64 hidden units stand in for it" in " ".join(found.provenance.notes)
    alone = workbench.api.interaction_scores(sealed, rows, permutations=2)
    np.testing.assert_array_equal(found.mixed[0], alone.mixed[0])
    method = METHODS[engine.NAME]
    bound = method.cost(sealed, len(rows), len(table), parse_params(method.params, trained))
    assert found.provenance.evaluations <= bound.evaluations, "training counts as well"


class Sealed(nn.Module):
    """A black box: says what a model says of raw features."""

    black_box = True

    def __init__(self, model):
        super().__init__()
        self.register_buffer("start", torch.zeros(1, dtype=torch.float64))
        self.encoder, self.network = [model.encoder], [model.network]

    def forward(self, X):
        return self.network[0](self.encoder[0](X))


def test_pairs_of_wide_tables_are_those_of_the_given_model():
    X = normal(100, 62)
    table = table_of(X, X[:, 0])
    model = tiny_model(table)
    found = api.interactions_set(
        model, table.split("test"), table, device="cpu",
        **FEW | {"scored": 2, "permutations": 1, "tolerance": 10.0},
    )  # fmt: skip
    alone = workbench.api.interaction_scores(model, table.split("test"), permutations=1)
    assert found.mixed.shape == (3, 500, 1)
    np.testing.assert_array_equal(found.sets, alone.sets)
    np.testing.assert_array_equal(found.mixed[0], alone.mixed[0])


def test_says_what_a_reader_should_know():
    model, _, table = case()
    validation = table.split("validation")
    found = api.interactions_set(model, validation, table, device="cpu", **FEW | {"max_rows": 8})
    notes = " ".join(found.provenance.notes)
    assert "admitted by their loss on 12 validation rows" in notes
    assert "12 rows of those scored also admitted models" in notes
    assert "the same rows, with features of the same other rows" in notes
    assert "8 of 12 rows were drawn" in notes
    strict = FEW | {"scored": 1000, "tolerance": 0.01}
    few = api.interactions_set(model, validation, table, device="cpu", **strict)
    notes = " ".join(few.provenance.notes)
    assert f"{few.n_models - 1} model" in notes
    assert "among 40 tried by gaussian-units, where 1,000 were asked for" in notes


def test_no_model_within_the_tolerance_leaves_the_given_one():
    model, rows, table = case("regression")
    perfect = replace(table, y=model.predict(table.X)[:, 0])
    found = api.interactions_set(model, rows, perfect, device="cpu", **FEW | {"tolerance": 0.0})
    assert found.n_models == 1
    cloud = found.cloud()
    np.testing.assert_array_equal(cloud.low, cloud.high)


def test_results_come_back_from_a_file_with_their_models(tmp_path):
    found = CLOUD()
    back = load(found.save(tmp_path / "cloud"))
    for name in ("numbers", "strengths", "stretches", "noise", "excess"):
        np.testing.assert_array_equal(getattr(back, name), getattr(found, name))
    assert (back.explorer, back.tolerance, back.base_loss) == (
        found.explorer, found.tolerance, found.base_loss,
    )  # fmt: skip
    fewer = back.of_models([4, 2])
    np.testing.assert_array_equal(fewer.numbers, found.numbers[[0, 4, 2]])
    again = fewer.beside([back.of_models([1])])
    np.testing.assert_array_equal(again.numbers, found.numbers[[0, 4, 2, 0, 1]])
    others = fewer.beside([replace(back, tolerance=1.0)])
    assert others.numbers is None
    assert others.explorer is None


def test_faults_are_named():
    found = CLOUD()
    with pytest.raises(InvalidInputError, match="There are 13 models, counted from 0"):
        found.of_models([13])
    with pytest.raises(InvalidInputError, match="at least 1, got 0"):
        found.cloud(top=0)
    with pytest.raises(InvalidInputError, match="all of them or none"):
        replace(found, noise=None)
    with pytest.raises(InvalidInputError, match="explorer of the result is not known"):
        replace(found, explorer="guessing")
    model, rows, table = case()
    with pytest.raises(InvalidInputError, match="does not say what is true"):
        api.interactions_set(
            model, replace(rows, y=None), table, detector="both", device="cpu", **FEW
        )  # fmt: skip


def test_tells_how_far_it_is_and_stops():
    model, rows, table = case()
    seen, shown = [], []

    def progress(done, total, message):
        seen.append((done / total, message))

    params = parse_params(METHODS[engine.NAME].params, FEW)
    context = Context(progress=progress, preview=lambda make: shown.append(make()))
    METHODS[engine.NAME].explain(model, rows, table, params, context)
    parts = [share for share, message in seen if "part " in message]
    assert parts == sorted(parts)
    assert 0 < parts[0] < parts[-1] == 1
    assert [one.n_models for one in shown] == [1, 2, 3, 4]
    assert "not finished yet" in shown[0].provenance.notes[-1]

    def stop(_done, _total, message):
        if "part 3 of 5" in message:
            raise CancelledError("stop")

    with pytest.raises(CancelledError):
        METHODS[engine.NAME].explain(model, rows, table, params, Context(progress=stop))
