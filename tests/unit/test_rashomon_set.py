"""Sets of equally good models on bundled and tiny models: promises, honest splits, bad input."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from torch.nn import functional

from tests.networks import tiny_model, tiny_table
from workbench import api
from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.method import METHODS
from workbench.core.params import parse_params
from workbench.core.rashomon import EXPLORERS, NO_MODEL
from workbench.engines.rashomon.by_dropout import calibrate_family, dropout_family
from workbench.engines.rashomon.calibrate import calibrate, push
from workbench.engines.rashomon.explore import EXPLORE, PASSES, RANGES, admitted, explore
from workbench.engines.rashomon.explored import Wish
from workbench.engines.rashomon.importance import importance_range
from workbench.engines.rashomon.params import SetParams
from workbench.engines.rashomon.scene import make_scene
from workbench.engines.rashomon.set import NAME, find
from workbench.numerics.row_losses import row_losses
from workbench.numerics.stream.dropout import Dropout
from workbench.numerics.stream.family import Members, materialise


@cache
def bundled(name):
    """A bundled model with all rows, and the test rows."""
    model, table = api.load_model(f"{name}-mlp"), f"{name}"
    return model, api.load_table(table, split="test"), api.load_table(table, split="all")


@cache
def tiny(task="binary", network="mlp"):
    table = tiny_table(n=100, task=task)
    return tiny_model(table, network=network, scale=0.7), table.split("test"), table


@cache
def german(**params):
    return api.rashomon_set(*bundled("german"), device="cpu", **dict(params))


def scene_of(model, rows, table, **settings):
    return make_scene(model, rows, table, SetParams(**settings), Context())


@pytest.mark.parametrize("name", ["german", "breast-cancer", "wine"])
@pytest.mark.parametrize("explorer", ["gaussian-units", "bernoulli-weights"])
def test_a_pilot_finds_the_strength_for_a_tolerance(name, explorer):
    scene = scene_of(*bundled(name))
    family = dropout_family(scene.model, explorer, seed=0)
    for tolerance in (0.01, 0.04):
        fit = calibrate_family(scene, family, (tolerance,))
        ones = torch.ones(300).double()
        members = Members(torch.arange(300), fit.strength(tolerance) * ones, ones)
        share = (scene.excess(family, members)[0] <= tolerance).double().mean()
        assert 0.3 <= float(share) <= 0.8, tolerance


def test_a_pilot_of_a_power_law_is_exact():
    spread = torch.linspace(0.5, 1.5, 65).double()
    fit = calibrate(lambda s: 3 * s**2 * spread, (0.02, 0.3))
    reach = float(spread.quantile(0.6))
    for tolerance in (0.02, 0.1, 0.3):
        assert fit.strength(tolerance) == pytest.approx((tolerance / 3 / reach) ** 0.5, rel=0.02)
    flat = calibrate(lambda _: torch.zeros(5).double(), (0.1,))
    assert flat.strength(0.1) > 1  # nothing happens, so as strong as is tried


def test_pushing_ends_just_within_the_target():
    slopes = torch.tensor([0.1, 1.0, 50.0, 0.0]).double()
    targets = torch.tensor([0.3, 0.3, 0.3, 0.3]).double()
    found = push(lambda t: slopes * t**2, targets)
    expected = (targets / slopes).sqrt()
    torch.testing.assert_close(found[:3], expected[:3], rtol=0.01, atol=0)
    assert bool((slopes * found**2 <= targets).all())
    assert float(found[3]) > 7
    assert float(push(lambda t: 1 + t, targets).abs().max()) == 0


def test_admission_is_the_mean_paired_difference_of_losses():
    model, rows, table = bundled("wine")
    scene = scene_of(model, rows, table)
    family, members, excess, noise = admitted(scene, "gaussian-units", 0.02, 5, SetParams())
    validation = table.split("validation")
    truth = validation.y.long()
    base = functional.cross_entropy(model.scores(validation.X), truth, reduction="none")
    for place in range(5):
        made = materialise(family, members, place)
        own = functional.cross_entropy(made.scores(validation.X), truth, reduction="none")
        away = own - base
        assert float(excess[place]) == pytest.approx(float(away.mean()), abs=1e-6)
        error = float(away.std()) / len(away) ** 0.5
        assert float(noise[place]) == pytest.approx(error, rel=1e-3, abs=1e-7)
    assert bool((excess <= 0.02).all())
    assert scene.base_loss == pytest.approx(float(base.mean()), abs=1e-6)


def test_fewer_models_than_asked_for_where_there_are_no_more():
    scene = scene_of(*bundled("wine"))
    family, members, excess, _ = admitted(scene, "gaussian-units", -1.0, 5, SetParams(models=20))
    assert len(members.numbers) == len(excess) == 0
    assert family.key == "gaussian-units"


def test_kept_models_reach_the_ends_when_they_are_made_again():
    found = german()
    model, rows, _ = bundled("german")
    family = dropout_family(model, "gaussian-units", found.provenance.seed)
    members = Members(
        torch.from_numpy(found.kept_number),
        torch.from_numpy(found.kept_strength),
        torch.from_numpy(found.kept_stretch),
    )
    for serials, ends in ((found.low_model, found.low), (found.high_model, found.high)):
        for t, i in ((1, 0), (5, 17), (10, 101)):
            which = serials[0, t, i, 1]
            made = model if which == NO_MODEL else materialise(family, members, int(which))
            assert float(made.predict(rows.X[i : i + 1])[0, 1]) == pytest.approx(
                ends[0, t, i, 1], abs=1e-6
            )
            assert which == NO_MODEL or found.kept_excess[which] <= found.tolerances[t]


def test_labels_that_are_reported_on_admit_nobody():
    model, rows, table = bundled("wine")
    mixed = replace(rows, y=rows.y.flip(0))
    one, other = (api.rashomon_set(model, own, table, device="cpu") for own in (rows, mixed))
    np.testing.assert_array_equal(one.candidate_excess, other.candidate_excess)
    np.testing.assert_array_equal(one.metrics, other.metrics)
    assert one.reported_accuracy > other.reported_accuracy


def test_rows_that_admit_models_and_are_reported_on_are_said_to():
    model, _, table = bundled("wine")
    assert german().n_admission == 200
    both = api.rashomon_set(model, table.split("validation"), table, device="cpu", models=20)
    assert "36 rows of those that are reported on also admitted" in both.provenance.notes[1]
    assert not any("also admitted" in note for note in german().provenance.notes)


def test_the_steps_of_a_run_do_not_decide_who_is_admitted():
    model, rows, table = bundled("wine")
    settings = SetParams(models=60)
    small, large = (
        list(
            explore(
                make_scene(model, rows, table, settings, Context(budget=budget)),
                "gaussian-units", (0.02,), settings,
            )
        )
        for budget in (4 * 2**17, 2**29)
    )  # fmt: skip
    assert len(small) > len(large)
    for name in ("excess", "outputs"):
        one, other = (torch.cat([getattr(b, name) for b in found]) for found in (small, large))
        torch.testing.assert_close(one, other, atol=1e-5, rtol=0)


def test_pushed_models_see_more_and_stay_within():
    model, rows, table = bundled("breast-cancer")
    settings = {"tolerances": (0.01, 0.03), "models": 200, "device": "cpu", "importance": False}
    still = api.rashomon_set(model, rows, table, **settings)
    pushed = api.rashomon_set(model, rows, table, push=True, **settings)
    assert pushed.admitted.tolist() == [[100, 200]]
    assert (pushed.metric("width") > still.metric("width")).all()
    assert (pushed.candidate_excess <= 0.03).all()


def test_published_dropout_finds_ambiguity_that_one_noise_per_model_does_not():
    explorers = ("gaussian-units", "published-gaussian", "bernoulli-units", "published-bernoulli")
    found = api.rashomon_set(
        *bundled("german"), explorers=explorers, tolerances=(0.04,), models=300, device="cpu",
        importance=False,
    )  # fmt: skip
    own, published, bernoulli, published_bernoulli = found.metric("ambiguity")[:, 0]
    assert published >= 1.5 * own
    assert published_bernoulli >= 1.5 * bernoulli
    flips = found.metric("discrepancy")[:, 0]  # noise of its own in each row averages out
    assert flips[1] < flips[0]
    assert "its candidates are not models" in found.remarks[1]


def test_importance_is_the_loss_that_shuffling_adds():
    model, rows, table = tiny()
    scene = scene_of(model, rows, table)
    family, members, _, _ = admitted(scene, "gaussian-units", 0.05, 3, SetParams())
    found = importance_range(scene, family, members).numpy()
    validation = table.split("validation")
    turns = -(-1000 // len(validation))
    models = [model, *(materialise(family, members, place) for place in range(3))]
    for feature in range(len(model.schema.features)):
        own = []
        for one in models:
            losses = []
            for turn in range(turns):
                order = Context().stream(23, turn).permutation(len(validation))
                X = validation.X.clone()
                X[:, feature] = X[order, feature]
                losses.append(
                    float(functional.cross_entropy(one.network(one.encode(X)), validation.y))
                )
            whole = functional.cross_entropy(one.network(one.encode(validation.X)), validation.y)
            own.append(np.mean(losses) - float(whole))
        np.testing.assert_allclose(found[feature], [own[0], min(own), max(own)], atol=1e-9)


def test_importance_of_a_real_model_spans_the_given_one():
    found = german()
    given, least, greatest = found.importance.T
    assert found.importance.shape == (len(found.names), 3)
    assert found.importance_models == 64
    assert ((least <= given) & (given <= greatest)).all()


def test_losses_of_extreme_logits_are_finite_and_of_values_are_squared():
    logits = torch.tensor([[[1000.0, -1000.0], [0.0, 0.0]]])
    found = row_losses(logits, torch.tensor([1, 0]), 2)
    torch.testing.assert_close(found, torch.tensor([[2000.0, np.log(2)]]).double())
    values = row_losses(torch.tensor([[[3.0], [1.0]]]), torch.tensor([1.0, 1.0]).double(), 0)
    assert values.tolist() == [[4.0, 0.0]]


def test_a_regression_has_tolerances_in_shares_of_its_loss():
    found = api.rashomon_set(*bundled("diabetes"), models=60, device="cpu")
    assert found.tolerances[-1] == pytest.approx(0.1 * found.base_loss)
    assert found.metric_names == ("width", "deviation")
    assert found.loss_name == "mean squared error"


def test_tolerances_below_the_noise_are_told_from_others():
    found = german()
    assert found.below_noise[0, 1]
    assert not found.below_noise[0, -1]


def test_no_model_admitted_is_said_and_is_no_number():
    model, rows, table = bundled("wine")
    scene = scene_of(model, rows, table)
    wish = Wish((-1.0,), 0, (1, 40), rows.y, SetParams(models=40))
    (found,) = find(scene, ("gaussian-units",), wish)
    assert np.isnan(found.seen.metrics).all()
    assert np.isnan(found.seen.low).all()
    assert found.remark.startswith("No model admitted")
    assert found.drawn == 40


def test_rows_of_one_class_are_reported_on():
    model, rows, table = bundled("wine")
    own = rows[(rows.y == 1).nonzero()[:, 0]]
    assert np.isfinite(api.rashomon_set(model, own, table, models=40, device="cpu").reported_loss)


def test_a_linear_model_has_noise_on_weights_and_none_on_units():
    model, rows, table = tiny(network="linear")
    assert api.rashomon_set(model, rows, table, models=40, device="cpu").explorers == (
        "gaussian-weights",
    )
    with pytest.raises(InvalidInputError, match="has no hidden units that noise could be put on"):
        api.rashomon_set(model, rows, table, explorers="gaussian-units", device="cpu")
    both = api.rashomon_set(
        model, rows, table, explorers="auto,bernoulli-units", models=40, device="cpu"
    )
    assert "has no hidden units" in both.remarks[1]
    assert np.isnan(both.metrics[1]).all()
    assert np.isfinite(both.metric("width")[0, -1])


def test_a_black_box_is_refused_in_words():
    class Box(torch.nn.Module):
        black_box = True

    model = replace(tiny()[0])
    object.__setattr__(model, "network", Box())
    (lacking,) = METHODS[NAME].lacks(model)
    assert "a black box shows none, so that training models again" in lacking
    with pytest.raises(InvalidInputError, match="shows no weights of linear layers that could be"):
        Dropout(model, "weights", "gaussian", 0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"table": lambda t: replace(t, y=None)}, "does not say what is true"),
        ({"rows": lambda t: replace(t, y=None)}, "does not say what is true"),
        ({"table": lambda t: t[:6]}, "6 rows, too few to admit models"),
        ({"table": lambda t: replace(t, y=torch.full_like(t.y, 7))}, "has no value in row"),
        ({"rows": lambda t: t[:0]}, "There are no rows to report on"),
    ],
)
def test_tables_that_do_not_serve_are_refused(change, words):
    model, rows, table = tiny()
    tables = {"rows": rows, "table": table}
    tables |= {name: make(tables[name]) for name, make in change.items()}
    with pytest.raises(InvalidInputError, match=words):
        api.rashomon_set(model, tables["rows"], tables["table"], device="cpu")


def test_a_regression_without_error_has_no_share_to_give():
    model, rows, table = tiny("regression")
    exact = replace(table, y=model.predict(table.X)[:, 0])
    with pytest.raises(InvalidInputError, match="makes no error on the admission rows"):
        api.rashomon_set(model, rows, exact, device="cpu")


def test_a_tolerance_of_nothing_may_be_asked_for_alone():
    model, rows, table = tiny()
    asked = {"tolerances": (0.0,), "models": 20, "importance": False, "device": "cpu"}
    result = api.rashomon_set(model, rows, table, explorers="gaussian-units", **asked)
    assert result.admitted.shape == (1, 1)
    with pytest.raises(InvalidInputError, match="stays within the tolerances; give larger ones"):
        api.rashomon_set(model, rows, table, explorers="lagrangian", ridge=0.1, **asked)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"tolerances": (-0.1, 0.2)}, "no tolerance may be below 0"),
        ({"tolerances": "0.2,0.1"}, "tolerances must ascend"),
        ({"explorers": "dropout"}, "dropout is no explorer, choose among auto, gaussian-units"),
        ({"explorers": "auto,auto"}, "named twice"),
        ({"models": 1}, "greater than or equal to 2"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, words):
    with pytest.raises(InvalidInputError, match=words):
        parse_params(SetParams, settings)


def test_settings_come_as_text_or_as_values():
    text = parse_params(SetParams, {"explorers": "auto, scaling", "tolerances": "0.01,0.02"})
    assert text.explorers == ("auto", "scaling")
    assert text.within(2.0, is_class=True) == (0.02, 0.04)
    np.testing.assert_allclose(SetParams(most=1, steps=3).within(10.0, is_class=False), (0, 5, 10))
    assert [SetParams(steps=2).within(1.0, is_class=own)[-1] for own in (True, False)] == [
        0.04,
        0.1,
    ]


def test_admission_rows_can_be_fewer():
    model, rows, table = bundled("german")
    found = api.rashomon_set(model, rows, table, admission_rows=50, models=20, device="cpu")
    assert found.n_admission == 50


def test_every_explorer_that_is_offered_says_what_it_takes():
    assert set(EXPLORE) | set(RANGES) <= set(EXPLORERS)
    assert set(EXPLORE) | set(RANGES) == set(PASSES) | set(RANGES)


@pytest.mark.cuda
def test_a_gpu_admits_the_same_models():
    model, rows, table = bundled("german")
    here, there = (
        api.rashomon_set(model, rows, table, models=300, device=device, importance=False)
        for device in ("cpu", "cuda")
    )
    np.testing.assert_allclose(there.candidate_excess, here.candidate_excess, atol=1e-5)
    np.testing.assert_allclose(there.low[:, -1], here.low[:, -1], atol=1e-4)
