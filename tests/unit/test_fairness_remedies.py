"""Remedies against their definitions and fairlearn, on planted people and on Adult."""

from functools import cache

import numpy as np
import pytest
import torch

import workbench
from tests.planted_people import BRIEF, PARITY, fitted, outcome, parity, people, scene_of
from workbench.engines.fairness import remedies_after, remedies_before, remedies_within
from workbench.numerics.group_thresholds import equal_shares


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
