"""What remedies did, as it is judged, chosen among, told and published."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import workbench
from tests.networks import Opaque, tiny_model, tiny_table
from tests.planted_people import BRIEF, PARITY, fitted, outcome, people
from workbench.api.remedying import publish_remedied
from workbench.core.card import Architecture
from workbench.core.errors import InvalidInputError
from workbench.core.fairness_metrics import RATES
from workbench.core.remedy_catalogue import REMEDIES
from workbench.core.results import load
from workbench.core.schema import Schema
from workbench.core.table import Table
from workbench.engines.fairness.applied import least_gap, on_front
from workbench.engines.fairness.remedies import APPLY, names_of
from workbench.engines.fairness.remedies_chosen import SIZES, Choice, propose
from workbench.engines.fairness.remedies_measured import ambiguous


def test_a_report_has_flips_and_a_change_of_multiplicity():
    result = outcome("retrained, reweighing, threshold_optimizer")
    for remedy in result.names[1:]:
        r = result.index(remedy)
        flips = result.flips(remedy)
        gained = np.zeros((2, 2))
        for i in range(len(result)):
            gain = (1 - result.decisions[0, i]) * result.decisions[r, i]
            gained[result.group[i], result.truth[i]] += gain
        np.testing.assert_allclose(flips.gained, gained)
        shares = result.rates[:, list(RATES).index("selection_rate"), :, 0]
        np.testing.assert_allclose(flips.net[:, 0], shares[r] - shares[0], atol=1e-12)
        assert (flips.net[:, 1] < flips.net[:, 0]).all()
        assert np.isfinite(result.multiplicity_changes[r]).all()
        np.testing.assert_allclose(
            result.multiplicity_changes[r, 0], result.multiplicity[r, 0] - result.multiplicity[0, 0]
        )
    frame = result.to_frame()
    assert len(frame) == 4
    assert frame["multiplicity_change"].notna().all()


def test_ambiguity_is_the_chance_that_lots_or_models_differ():
    rng = np.random.default_rng(0)
    own, others = rng.random(5), rng.random((3, 5))
    drawn = rng.random((200_000, 4, 5)) < np.vstack([own, others])
    differ = (drawn[:, 1:] != drawn[:, :1]).any(1).mean(0)
    np.testing.assert_allclose(ambiguous(own, others), differ, atol=0.01)
    whole = np.array([1.0, 1.0, 0.0])
    assert ambiguous(whole, np.array([[1.0, 0.0, 0.0]])).tolist() == [0, 1, 0]


def test_without_refits_multiplicity_says_why_it_is_missing():
    result = outcome("group_thresholds", refits=0)
    assert np.isnan(result.multiplicity).all()
    assert set(result.multiplicity_remarks) == {"refits is 0, so that no other network was trained"}
    assert result.trainings.sum() == 0


def test_the_choice_is_the_least_gap_among_the_accurate():
    found = np.array([[0.80, 0.10], [0.79, 0.02], [0.70, 0.00], [0.795, 0.02], [0.9, np.nan]])
    assert least_gap(found, 0.79) == 3, "of equal gaps the more accurate"
    assert least_gap(found, 0.85) == 4, "a gap that is not known is better than nothing"
    assert least_gap(found, 0.95) == 4, "nobody is accurate enough: the most accurate"


def test_a_front_keeps_all_that_are_alike():
    found = np.array([[0.8, 0.1], [0.8, 0.1], [0.8, 0.2], [0.7, 0.05], [0.7, np.nan]])
    assert on_front(found).tolist() == [True, True, False, True, False]


def test_searches_move_every_setting_and_leave_the_parent():
    rng, parent = np.random.default_rng(0), Choice((2, 1, 2, 2, 2, 1))
    moved = np.zeros(len(SIZES), int)
    for _ in range(300):
        found = propose(rng, parent, [parent])
        moved += np.array(found.places) != parent.places
        assert all(0 <= at < size for at, size in zip(found.places, SIZES, strict=True))
    assert parent.places == (2, 1, 2, 2, 2, 1)
    assert (moved > 10).all()


def test_searches_are_judged_on_validation_and_told_on_test():
    result = outcome("selection, hyperparameters", candidates=3, trials=3, epochs=4)
    assert result.trial_of == ("selection",) * 3 + ("hyperparameters",) * 3
    assert result.trial_chosen.sum() == 2
    for remedy in ("selection", "hyperparameters"):
        own = np.array(result.trial_of) == remedy
        chosen = np.flatnonzero(own & result.trial_chosen)[0]
        r = result.index(remedy)
        assert result.trial_test[chosen, 0, 0] == pytest.approx(result.accuracy[r, 0])
        assert result.trial_test[chosen, 1, 0] == pytest.approx(result.gaps[r, PARITY, 0])
        assert result.trial_front[own].any()
        assert result.publishable[r]


def test_a_published_model_decides_as_it_was_judged(tmp_path):
    settings = {**BRIEF, "by": "sex"}
    model = workbench.remedied_model(
        fitted(), people(), "reweighing", publish_as="kinder", root=tmp_path, **settings
    )
    result = workbench.remedies(fitted(), people(), remedies="reweighing", **settings)
    test = people().split("test")
    np.testing.assert_allclose(model.predict(test.X)[:, 1], result.scores[1], atol=1e-6)
    card = model.card
    assert model.name == "kinder@1"
    assert card.training_digest == people().digest
    assert "reweighing" in card.created_by
    values = {metric.name: metric for metric in card.metrics}
    change = values["change of statistical parity difference, by sex"]
    assert change.value == pytest.approx(result.gap_changes[1, PARITY, 0])
    assert change.low < change.value < change.high
    assert "change of that share" in values, "multiplicity"
    for words in ("decided otherwise than before", "Cost:", "Groups that lose, beyond chance"):
        assert words in card.limits


def test_an_attribute_that_the_model_does_not_read():
    table = people()
    chosen = Schema(**table.schema.model_dump() | {"features": table.schema.features[1:]})
    sex = Schema(features=table.schema.features[:1])
    beside = Table(sex, table.X[:, :1], table.ids, None, name="sex")
    own = replace(table, schema=chosen, X=table.X[:, 1:], aside=beside)
    model = tiny_model(own, dtype=torch.float32, scale=1.0)
    result = workbench.remedies(
        model, own, by="sex", remedies="reweighing, correlation_remover, group_thresholds", **BRIEF
    )
    assert result.group_names == ("F", "M")
    assert result.needs_attribute.tolist() == [False, False, True, True]
    assert result.publishable.tolist() == [False, True, False, False]
    with pytest.raises(InvalidInputError, match="leaves no network that could be kept"):
        workbench.remedied_model(model, own, "correlation_remover", by="sex", **BRIEF)
    with pytest.raises(InvalidInputError, match="does not read sex, so hiding it changes nothing"):
        workbench.remedies(model, own, by="sex", remedies="masking", **BRIEF)


def test_results_survive_a_file_and_rows_can_be_chosen(tmp_path):
    result = outcome("retrained, reweighing")
    back = load(result.save(tmp_path / "result"))
    np.testing.assert_array_equal(back.decisions, result.decisions)
    few = result[[0, 2, 5]]
    assert (len(few), few.decisions.shape) == (3, (3, 3))
    np.testing.assert_array_equal(few.gaps, result.gaps)


def test_every_remedy_is_described_and_can_be_applied():
    assert set(REMEDIES) - {"as_is"} == set(APPLY)
    assert names_of("group_thresholds,  retrained") == ("retrained", "group_thresholds")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"remedies": "reweighting"}, "no remedy reweighting; choose among retrained"),
        ({"remedies": " , "}, "nothing to try is named"),
        ({"remedies": "masking", "mask": "age"}, "reads no column age; choose among sex, hobby"),
        ({"remedies": "masking", "mask": "hobby=golf"}, "'hobby' has no category golf"),
        ({"remedies": "masking", "mask": "merit=1"}, "categories of 'merit' are not inputs"),
        (
            {"remedies": "masking", "mask": "sex=F, sex=M"},
            "all categories of 'sex' are named; hide the whole column",
        ),
        ({"by": "colour"}, "no column colour to group by"),
        ({"favourable": "maybe"}, "no class 'maybe'"),
    ],
)
def test_says_what_is_wrong(params, message):
    with pytest.raises(InvalidInputError, match=message):
        workbench.remedies(fitted(), people(), **{**BRIEF, "refits": 0, **params})


def test_a_number_that_is_predicted_has_no_remedy():
    table = tiny_table(task="regression")
    with pytest.raises(InvalidInputError, match="predicts a number"):
        workbench.remedies(tiny_model(table), table, by="c1", device="cpu")


def test_a_black_box_can_have_other_thresholds_alone():
    class Box(Opaque):
        black_box = True

    model = replace(fitted(), network=Box(fitted().network))
    with pytest.raises(InvalidInputError, match="cannot be trained again, which reweighing would"):
        workbench.remedies(model, people(), remedies="reweighing", **BRIEF)
    with pytest.raises(InvalidInputError, match="which refits would do; set refits to 0"):
        workbench.remedies(model, people(), remedies="group_thresholds", **BRIEF)
    result = workbench.remedies(
        model, people(), remedies="group_thresholds", **{**BRIEF, "refits": 0}
    )
    assert result.gaps[1, PARITY, 0] < result.gaps[0, PARITY, 0]


def test_a_network_that_a_result_holds_is_the_one_that_training_again_makes(tmp_path):
    """For each remedy that leaves one, also of another architecture."""
    table, model = people(), fitted()
    for remedy in ("reweighing", "hyperparameters"):
        settings = {**BRIEF, "refits": 0, "by": "sex"}
        made = workbench.remedied_model(model, table, remedy, **settings)
        result = workbench.remedies(model, table, remedies=remedy, keep_network=True, **settings)
        held = publish_remedied(model, table, load(result.save(tmp_path / "x")), "even", tmp_path)
        assert torch.equal(held.predict(table.X), made.predict(table.X))
        assert held.card.network.model_dump_json() == made.card.network.model_dump_json()
        assert held.card.created_by == made.card.created_by
    with pytest.raises(InvalidInputError, match="holds no network; try the remedy alone"):
        publish_remedied(model, table, replace(result, network=np.zeros(0)), "even", tmp_path)
    with pytest.raises(InvalidInputError, match="does not fit"):
        publish_remedied(model, table, replace(result, network=np.zeros(3)), "even", tmp_path)
    with pytest.raises(InvalidInputError, match=r"is about .* try the remedy again"):
        publish_remedied(model, table[:100], result, "even", tmp_path)
    with pytest.raises(InvalidInputError, match="network of one remedy, and 2 are named"):
        workbench.remedies(
            model, table, by="sex", remedies="retrained,reweighing", keep_network=True
        )


def test_groups_of_few_rows_and_weights_are_told():
    table = replace(people(), weights=torch.ones(len(people()), dtype=torch.float64))
    settings = {**BRIEF, "refits": 0}
    result = workbench.remedies(
        fitted(), table, by="sex, hobby", remedies="group_thresholds", **settings
    )
    assert result.attribute == "sex x hobby"
    assert len(result.group_names) == 6
    notes = " ".join(result.provenance.notes)
    assert "fewer than 20 validation rows" in notes
    assert "every row counts alike: the sampling weights are not used" in notes


def test_several_remedies_do_not_make_one_model():
    with pytest.raises(InvalidInputError, match="One remedy makes one model"):
        workbench.remedied_model(fitted(), people(), "reweighing, masking", **BRIEF)


def test_other_architectures_are_kept_as_what_they_are():
    model = workbench.remedied_model(
        fitted(), people(), "hyperparameters", trials=2, **{**BRIEF, "epochs": 3, "refits": 0}
    )
    assert isinstance(model.card.network, Architecture)
    assert model.card.network.arguments["hidden"]
    assert model.predict(people().X[:3]).shape == (3, 2)
