"""What lessens disagreement: ensembles and abstention against slow replicas, and on real models."""

import functools

import numpy as np
import pytest
import torch

from tests.churns import some_mitigation
from tests.networks import tiny_model, tiny_table
from workbench import api
from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.mitigation import DRAWN
from workbench.core.results import load
from workbench.engines.rashomon import candidates
from workbench.engines.rashomon.changed_ensembles import Ensemble, drawn_ensembles
from workbench.engines.rashomon.explore import admitted, search
from workbench.engines.rashomon.mitigation_params import MitigationParams
from workbench.engines.rashomon.params import SearchParams
from workbench.engines.rashomon.scene import make_scene
from workbench.numerics.stream.family import materialise
from workbench.plots.mitigation_words import by_construction_sentence

SMALL = {"models": 60, "largest": 10, "judged_largest": 5, "near_copies": 8}


@functools.cache
def german(**params):
    return api.mitigate("german-mlp", api.load_table("german"), device="cpu", **(SMALL | params))


def scene_of(task="binary", models=20):
    table = tiny_table(d=5, task=task)
    model, params = tiny_model(table), MitigationParams(models=models, tolerance=0.5)
    scene = make_scene(model, table[:8], table, params, Context())
    tolerance = 0.5 * scene.tolerance_unit
    family, members, _, _ = admitted(scene, "gaussian-units", tolerance, 10, params)
    return scene, family, members, tolerance


def loss_by_definition(scene, outputs):
    truth = scene.truth
    if not scene.classes:
        return float((outputs[:, 0] - truth).square().mean())
    return float(-torch.stack([own[y] for own, y in zip(outputs, truth, strict=True)]).log().mean())


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_an_ensemble_is_the_mean_of_its_members(task):
    scene, family, members, _ = scene_of(task)
    outputs, losses = drawn_ensembles(scene, family, members, 3, 2)
    for place in range(2):
        own = [materialise(family, members, i) for i in range(3 * place, 3 * place + 3)]
        mean = torch.stack([model.predict(scene.rows.X) for model in own]).mean(0)
        np.testing.assert_allclose(outputs[place], mean.numpy(), atol=1e-12)
        mean = torch.stack([model.predict(scene.admission.X) for model in own]).mean(0)
        assert losses[place] == pytest.approx(loss_by_definition(scene, mean))


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_copies_of_an_ensemble_are_within_the_tolerance_and_reach_it(task):
    scene, family, members, tolerance = scene_of(task)
    own = [materialise(family, members, i) for i in range(3)]
    changed = Ensemble(scene, own, "gaussian-weights", 5)
    mean = torch.stack([model.predict(scene.rows.X) for model in own]).mean(0)
    np.testing.assert_allclose(changed.base.numpy(), mean.numpy(), atol=1e-12)
    said, reached = changed.near_copies(6, tolerance)
    assert said.shape == (6, 8, scene.predictions.shape[1])
    assert 0 < reached <= 1
    # The same rows as admission rows: what is said is then what the loss is made of.
    same = make_scene(
        scene.model, scene.admission, tiny_table(d=5, task=task),
        MitigationParams(models=20), Context(),
    )  # fmt: skip
    said, _ = Ensemble(same, own, "gaussian-weights", 5).near_copies(6, tolerance)
    losses = [loss_by_definition(same, torch.from_numpy(one)) - changed.loss for one in said]
    assert max(losses) <= tolerance * (1 + 1e-9)
    assert np.std([one[:, -1].mean() for one in said]) > 0, "every copy goes its own way"


def test_members_of_an_ensemble_move_independently():
    """Noise of one copy's members: as uncorrelated as that of different copies."""
    scene, family, members, _ = scene_of()
    own = [materialise(family, members, 0)] * 2
    changed = Ensemble(scene, own, "gaussian-weights", 5)
    ways = changed.ways(slice(0, 400))
    a, b = next(iter(ways.values())).flatten(2)
    alike = (torch.nn.functional.cosine_similarity(a, b)).mean()
    assert abs(float(alike)) < 0.02
    assert not torch.equal(a[0], a[1])


def test_room_changes_no_copy():
    scene, family, members, tolerance = scene_of()
    own = [materialise(family, members, i) for i in range(2)]
    wide, _ = Ensemble(scene, own, "gaussian-weights", 5).near_copies(5, tolerance)
    object.__setattr__(scene.context, "budget", 4000)
    tight, _ = Ensemble(scene, own, "gaussian-weights", 5).near_copies(5, tolerance)
    np.testing.assert_allclose(wide, tight, atol=1e-9)


def test_averages_are_as_good_and_agree_among_themselves():
    result = german()
    assert list(result.sizes) == [1, 2, 5, 10]
    assert (result.excess[:, 0] <= result.tolerance).all()
    q = result.metric_index("obscurity")
    drawn = result.metrics[result.judge_index(DRAWN), :, q, 0]
    assert (np.diff(drawn) < 0).all(), "by construction"
    assert result.reduction[0, -1, q, 1] > 0
    assert result.reduction[:, 0, :, 0] == pytest.approx(0)


def test_an_explorer_that_did_not_build_judges_too():
    """Fewer rows that some model decides otherwise, by it as well; with intervals."""
    result = german(near_copies=20, judged=4)
    assert result.independent == ("gaussian-weights",)
    j, q = result.judge_index("gaussian-weights"), result.metric_index("ambiguity")
    judged = np.flatnonzero(result.sizes <= 5)
    assert (result.sets[j, judged] == 4).all()
    assert (result.models[j, judged] == 20).all()
    assert (result.at_boundary[j, judged] > 0.8).all()
    assert np.isnan(result.metrics[j, judged[-1] + 1 :]).all()
    value, low, high = result.reduction[j, judged[-1], q]
    assert value > 0
    assert low < value < high
    metrics = result.metrics[j, judged, q]
    assert ((metrics[:, 1] <= metrics[:, 0]) & (metrics[:, 0] <= metrics[:, 2])).all()


def test_abstention_is_accuracy_over_the_rows_kept():
    result = some_mitigation()
    found = result.abstention()
    right = result.predictions.argmax(1) == result.truth
    for name, key in (("by_set", result.least_support), ("by_confidence", result.margins)):
        order = np.argsort(-key, kind="stable")
        for count, value in zip(
            (found.coverage * len(result)).round().astype(int), getattr(found, name), strict=True
        ):
            assert value == pytest.approx(right[order[:count]].mean())
    assert found.coverage[-1] == 1
    assert found.by_set[-1] == found.by_confidence[-1]
    np.testing.assert_allclose(found.difference[-1], 0, atol=1e-12)
    assert (found.difference[:, 1] <= found.difference[:, 2]).all()


def test_refused_rows_are_those_that_some_near_copy_decides_otherwise():
    result = german()
    model, test = api.load_model("german-mlp"), api.load_table("german")
    table = api.load_table("german", split="all")
    params = MitigationParams(**SMALL)
    scene = make_scene(model, test, table, params, Context())
    family, members, _, _ = admitted(scene, "gaussian-units", 0.02, 60, params)
    assert result.admitted == len(members.numbers)
    said = torch.stack([
        materialise(family, members, i).predict(test.X) for i in range(len(members.numbers))
    ])
    flipped = (said.argmax(2).numpy() != result.predictions.argmax(1)).any(0)
    np.testing.assert_array_equal(result.refused, flipped)


def test_a_regression_has_widths_alone(tmp_path):
    result = api.mitigate("diabetes-mlp", api.load_table("diabetes"), **SMALL)
    assert np.isnan(result.metrics[:, :, :2]).all()
    assert result.metrics[0, -1, 2, 0] < result.metrics[0, 0, 2, 0]
    assert np.isnan(result.abstention().by_set).all()
    assert not result.refused.any()
    assert np.isnan(result.accuracy).all()
    back = load(result.save(tmp_path / "some.mitigation"))
    np.testing.assert_array_equal(back.metrics, result.metrics)


def test_models_trained_again_are_judged_and_ordered(monkeypatch):
    """With near-copies for trainings, which take a minute and have tests of their own."""

    def trained(scene, explorer, tolerances, asked):
        assert explorer == "retraining"
        assert asked.models == 6
        return search(scene, "bernoulli-weights", tolerances, SearchParams(models=6))

    monkeypatch.setattr(candidates, "search", trained)
    rows = api.load_table("german")
    asked = SMALL | {"candidates": 6, "models": 30, "largest": 2, "judged_largest": 1}
    result = api.mitigate("german-mlp", rows, device="cpu", **asked)
    assert len(result.candidate_names) == 6
    assert result.candidate_excess.min() == 0
    assert result.eligible[result.candidate_excess.argmin()]
    np.testing.assert_array_equal(
        result.eligible, result.candidate_excess <= 2 * result.candidate_noise
    )
    assert (result.candidate_metrics[:, 1] <= result.candidate_metrics[:, 0]).all()
    assert (result.candidate_accuracy > 0.6).all()
    if result.eligible.sum() > 2:
        mean, low, high = result.stability[1]
        assert -1 <= low <= mean <= high <= 1


def test_a_single_ensemble_differs_from_nothing_and_all_sizes_are_compared_alike():
    """Of 5 near-copies, one ensemble of 5: it has no other to differ from, which is not 100 %."""
    result = german(models=10, near_copies=2, judged_largest=1)
    assert result.admitted == 5
    sizes, drawn = result.sizes.tolist(), result.judge_index(DRAWN)
    several = [size for size in sizes if 2 * size <= result.admitted]
    assert sizes[-1] == 5
    assert several == [1, 2]
    known = ~np.isnan(result.metrics[drawn, :, 1, 0])
    assert [size for size, is_known in zip(sizes, known, strict=True) if is_known] == several
    assert result.models[drawn].tolist() == [2, 2, 0], "equally many for every size"
    assert "ensembles of 2 differ" in by_construction_sentence(result)


def test_the_least_candidate_is_chosen_among_the_eligible():
    result = some_mitigation()
    best = result.best_candidate("width")
    assert result.eligible[best]
    assert result.candidate_metrics[best, 2] == result.candidate_metrics[result.eligible, 2].min()
    frame = result.candidates_frame()
    assert list(frame["eligible"]) == sorted(frame["eligible"], reverse=True)
    assert frame.loc[0, "candidate"] == result.candidate_names[result.best_candidate()]
    assert german().best_candidate() is None


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"builder": "gaussian-units", "independent": "gaussian-units"}, "cannot judge indepe"),
        ({"tolerance": 1e-9, "models": 2}, "nothing to average; choose a larger tolerance"),
        ({"candidates": 1}, "one candidate leaves nothing to choose"),
        ({"tolerance": -1}, "tolerance: input should be greater than 0"),
        ({"builder": "psychic"}, "builder: input should be"),
    ],
)
def test_what_cannot_be_is_refused(params, message):
    with pytest.raises(InvalidInputError, match=message):
        german(**params)


def test_names_that_are_not_there_are_refused():
    result = some_mitigation()
    with pytest.raises(InvalidInputError, match="There is no judge 'psychic' here"):
        result.judge_index("psychic")
    with pytest.raises(InvalidInputError, match="There is no metric 'luck' here"):
        result.metric_index("luck")
    with pytest.raises(InvalidInputError, match="have to start at 1"):
        some_mitigation(sizes=np.array([2, 3, 5, 10, 20]))
    with pytest.raises(InvalidInputError, match="not known to this version"):
        some_mitigation(builder="psychic")
