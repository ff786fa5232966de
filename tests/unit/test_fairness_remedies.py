"""Remedies against their definitions and fairlearn, on planted people and on Adult."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

import workbench
from tests.networks import Opaque, tiny_model, tiny_table
from workbench.api.remedying import publish_remedied
from workbench.core.card import Architecture
from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.fairness_metrics import GAPS, RATES
from workbench.core.remedy_catalogue import REMEDIES
from workbench.core.results import load
from workbench.core.schema import Feature, Schema
from workbench.core.table import Table
from workbench.engines.fairness import remedies_after, remedies_before, remedies_within
from workbench.engines.fairness.applied import least_gap, on_front
from workbench.engines.fairness.remedies import APPLY, names_of
from workbench.engines.fairness.remedies_chosen import SIZES, Choice, propose
from workbench.engines.fairness.remedies_measured import ambiguous
from workbench.engines.fairness.remedies_params import RemediesParams
from workbench.engines.fairness.remedies_scene import make_scene
from workbench.numerics.group_thresholds import equal_shares

PARITY = list(GAPS).index("selection_rate_difference")
BRIEF = {
    "epochs": 10, "refits": 1, "resamples": 200, "device": "cpu", "rate": 0.02, "batch": 120,
}  # fmt: skip


@cache
def people(n=1200, seed=0):
    """Merit decides, and one sex is judged less kindly; a hobby goes with sex."""
    rng = np.random.default_rng(seed)
    sex = rng.integers(0, 2, n)
    hobby = np.where(rng.random(n) < 0.85, sex, rng.integers(0, 3, n))
    merit = rng.normal(size=n) + 0.3 * sex
    y = (merit + 1.2 * sex + rng.normal(size=n) * 0.5 > 0.7).astype(np.int64)
    schema = Schema(
        features=(
            Feature(name="sex", kind="categorical", categories=("F", "M"), protected=True),
            Feature(
                name="hobby", kind="categorical", categories=("chess", "judo", "opera")
            ),
            Feature(name="merit", range=(-5.0, 5.0)),
        ),
        target="y", task="binary", classes=("refused", "granted"), favourable="granted",
    )  # fmt: skip
    X = torch.from_numpy(np.stack([sex, hobby, merit], 1).astype(float))
    return Table(schema, X, torch.arange(n), torch.from_numpy(y), name="people")


@cache
def fitted():
    """The model in question: trained on the planted people for a moment."""
    model = tiny_model(people(), dtype=torch.float32, scale=1.0)
    scene = scene_of(model, epochs=20, rate=0.01)
    return replace(model, network=scene.train(1)[0])


def scene_of(model=None, table=None, seed=0, **params):
    table = people() if table is None else table
    model = fitted() if model is None else model
    params.pop("device", None)
    return make_scene(
        model, table.split("test"), table, RemediesParams(**params), Context(seed=seed)
    )


@cache
def outcome(names, **params):
    return workbench.remedies(fitted(), people(), remedies=names, **{**BRIEF, **params})


def parity(chances, group):
    rates = [chances[group == g].mean() for g in np.unique(group)]
    return max(rates) - min(rates)


def test_weighted_outcomes_do_not_go_with_groups():
    part = scene_of().parts["train"]
    weights = remedies_before.reweighed(part, 2)
    each = weights[part.group, part.truth]
    rates = [np.average(part.truth[part.group == g], weights=each[part.group == g]) for g in (0, 1)]
    assert abs(rates[0] - rates[1]) < 1e-12
    assert rates[0] == pytest.approx(part.truth.mean(), abs=1e-12)
    assert each.sum() == pytest.approx(len(part))
    share = (part.group == 0).mean() * part.truth.mean()
    both = ((part.group == 0) & (part.truth == 1)).mean()
    assert weights[0, 1] == pytest.approx(share / both)


def test_reweighing_lessens_the_gap_that_training_again_leaves():
    result = outcome("retrained, reweighing")
    gaps = dict(zip(result.names, result.gaps[:, PARITY, 0], strict=True))
    assert gaps["reweighing"] < gaps["retrained"] - 0.1
    change = result.gap_changes[result.index("reweighing"), PARITY]
    assert change[2] < 0, "a planted gap is lessened beyond chance"
    assert result.violations[result.index("reweighing"), 0] < 1e-12


@pytest.mark.parametrize("constraint", ["demographic_parity", "equalized_odds"])
def test_thresholds_are_those_of_fairlearn_and_hold_where_they_were_fitted(constraint):
    from fairlearn.postprocessing import ThresholdOptimizer

    scene = scene_of(constraint=constraint)
    held = scene.parts["validation"]
    own = scene.decided(scene.model.network, "validation")
    rule = remedies_after._optimised(scene, own, held)
    theirs = ThresholdOptimizer(
        estimator=remedies_after._scores_as_given(), constraints=constraint, prefit=True,
        predict_method="predict",
    ).fit(own.scores[:, None], held.truth, sensitive_features=held.group)  # fmt: skip
    expected = theirs._pmf_predict(own.scores[:, None], sensitive_features=held.group)[:, 1]
    chances = rule.decide(own.scores, own.decided.astype(float), held.group)
    np.testing.assert_allclose(chances, expected, atol=1e-9)
    assert rule.violation[0] <= rule.violation[1] == 1e-3
    if constraint == "demographic_parity":
        assert parity(chances, held.group) <= 1e-3
    else:
        for side in (0, 1):
            assert parity(chances[held.truth == side], held.group[held.truth == side]) <= 1e-3


def test_what_is_decided_by_lot_is_flagged():
    result = outcome("threshold_optimizer, group_thresholds")
    lots = (result.decisions > 0) & (result.decisions < 1)
    assert result.randomised.tolist() == lots.any(1).tolist()
    assert result.randomised[result.index("threshold_optimizer")]
    assert not result.randomised[result.index("group_thresholds")]
    assert result.needs_attribute.all()
    assert result.lots("threshold_optimizer") == pytest.approx(lots[1].mean())


def test_thresholds_by_group_give_equal_shares_and_treat_equal_scores_alike():
    rng = np.random.default_rng(0)
    group, truth = rng.integers(0, 3, 3000), rng.integers(0, 2, 3000)
    scores = np.round(np.clip(rng.normal(0.4 + 0.1 * group, 0.2), 0, 1), 3)
    for rule in equal_shares(scores, truth, group, 4, "all")[20:200:60]:
        decided = rule.decide(scores, np.zeros(3000), group)
        assert parity(decided, group) < 0.02
        for g in range(3):
            granted, refused = (scores[(group == g) & (decided == side)] for side in (1, 0))
            assert granted.min() > refused.max()
        assert np.isnan(rule.values[3]), "a group without rows has no threshold"


@cache
def adult():
    model = workbench.load_model("adult-mlp")
    table = workbench.load_table("adult", split="all", model=model)
    return model, table.sample(2000, seed=1)


def test_exponentiated_gradient_keeps_its_bound_on_adult():
    """The bound of the paper; decisions are those that fairlearn's own mixture expects."""
    from fairlearn.reductions import (
        DemographicParity,
        ExponentiatedGradient,
    )
    from sklearn.linear_model import LogisticRegression

    model, table = adult()
    scene = scene_of(model, table, by="sex", learner="inputs", rounds=12)
    one = remedies_within.exponentiated_gradient(scene)
    again = remedies_within.exponentiated_gradient(scene)
    np.testing.assert_array_equal(one.decisions, again.decisions)
    found, bound = one.violation
    assert 0 < found <= bound
    train, features = scene.parts["train"], remedies_within._features(scene)
    theirs = ExponentiatedGradient(
        LogisticRegression(max_iter=200, tol=1e-4), DemographicParity(difference_bound=0.01),
        eps=0.01, max_iter=12,
    )  # fmt: skip
    with remedies_within._without_their_warnings():
        theirs.fit(features["train"], train.truth, sensitive_features=train.group)
    assert bound == pytest.approx(2 * (0.01 + theirs.best_gap_), abs=0.01)
    expected = theirs._pmf_predict(features["test"])[:, 1]
    assert np.abs(expected - one.decisions).mean() < 0.03
    own = scene.decided(model.network, "test").decided.astype(float)
    test = scene.parts["test"]
    assert parity(one.decisions, test.group) < parity(own, test.group) / 2


def test_grid_search_is_that_of_fairlearn_and_keeps_the_least_gap():
    from fairlearn.reductions import DemographicParity, GridSearch
    from sklearn.linear_model import LogisticRegression

    scene = scene_of(learner="inputs", grid=5, within=0.1)
    found = remedies_within.grid_search(scene)
    train, features = scene.parts["train"], remedies_within._features(scene)

    class Scaled(LogisticRegression):
        """Its penalty is the same whatever the weights add up to."""

        def fit(self, X, y, sample_weight):
            return super().fit(X, y, sample_weight / sample_weight.mean())

    theirs = GridSearch(Scaled(max_iter=200), DemographicParity(), grid_size=5)
    with remedies_within._without_their_warnings():
        theirs.fit(features["train"], train.truth, sensitive_features=train.group)
    for ours, own in zip(found.trials.test, theirs.predictors_, strict=True):
        np.testing.assert_array_equal(ours, own.predict(features["test"]))
    values = found.trials.validation
    own = scene.decided(scene.model.network, "validation").decided
    least = (own == scene.parts["validation"].truth).mean() - 0.1
    assert values[found.trials.chosen, 1] == values[values[:, 0] >= least, 1].min()
    assert scene.trainings >= 4


def test_a_learner_on_the_last_layer_takes_its_place():
    settings = {**BRIEF, "refits": 0, "grid": 5, "within": 0.2}
    model = workbench.remedied_model(fitted(), people(), "grid_search", **settings)
    result = workbench.remedies(fitted(), people(), remedies="grid_search", **settings)
    own = model.network.state_dict()
    for name, value in fitted().network.state_dict().items():
        assert torch.equal(own[name], value) == (not name.startswith("layers.5")), name
    scores = model.predict(people().split("test").X)[:, 1]
    np.testing.assert_allclose(scores, result.scores[1], atol=1e-6)
    assert result.gaps[1, PARITY, 0] < result.gaps[0, PARITY, 0]


@pytest.mark.parametrize("learner", ["last_layer", "network"])
def test_other_learners_lessen_the_gap_as_well(learner):
    scene = scene_of(learner=learner, rounds=4, epochs=6, rate=0.02, batch=120)
    found = remedies_within.exponentiated_gradient(scene)
    test = scene.parts["test"]
    own = scene.decided(scene.model.network, "test").decided.astype(float)
    assert parity(found.decisions, test.group) < parity(own, test.group)
    assert scene.trainings >= 4
    assert ((found.scores > 0) & (found.scores < 1)).all()


def test_reject_option_favours_the_group_that_is_granted_less():
    scene = scene_of(within=0.1)
    found, test = remedies_after.reject_option(scene), scene.parts["test"]
    own = scene.decided(scene.model.network, "test")
    change = found.decisions - own.decided
    assert (change[test.group == 0] >= 0).all()
    assert (change[test.group == 1] <= 0).all()
    turned = np.abs(own.scores[change != 0] - 0.5)
    kept = np.abs(own.scores[(change == 0) & (own.decided == (test.group == 1))] - 0.5)
    assert turned.max() < kept.min(), "the least sure are turned, and all of them"


def test_violations_by_hand():
    chances, truth = np.array([1.0, 0.5, 0.0, 1.0]), np.array([1, 0, 1, 0])
    group = np.array([0, 0, 1, 1])
    found = remedies_within.violation(chances, truth, group, "demographic_parity")
    assert found == pytest.approx(0.125)  # 0.75 and 0.5 against 0.625
    found = remedies_within.violation(chances, truth, group, "equal_opportunity")
    assert found == pytest.approx(0.5)  # 1 and 0 against 0.5


def test_a_masked_column_does_not_matter_any_more():
    model = workbench.remedied_model(fitted(), people(), "masking", mask="sex", **BRIEF)
    rows = people().X[:200]
    changed = rows.clone()
    changed[:, 0] = 1 - changed[:, 0]
    assert torch.equal(model.scores(rows), model.scores(changed))
    assert not torch.equal(fitted().scores(rows), fitted().scores(changed))


def test_a_masked_category_is_read_as_the_most_common_other_one():
    model = workbench.remedied_model(fitted(), people(), "masking", mask="hobby=opera", **BRIEF)
    rows = people().X[:100].clone()
    counts = people().split("train").X[:, 1].long().bincount()
    outputs = []
    for code in range(3):
        rows[:, 1] = code
        outputs.append(model.scores(rows))
    other, common = sorted((0, 1), key=lambda code: counts[code])
    assert torch.equal(outputs[2], outputs[common])
    assert not torch.equal(outputs[2], outputs[other])


def test_masking_leaves_proxies_and_says_so():
    result = outcome("masking", mask="sex")
    before, after = result.proxy[:, 0]
    assert before > 0.99, "who reads the sex knows it"
    assert 0.7 < after < 0.99, "the hobby tells it still"
    assert result.proxy_changes[1, 2] < 0
    assert not result.needs_attribute[1]


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
