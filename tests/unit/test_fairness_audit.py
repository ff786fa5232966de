"""The audit of decisions against fairlearn, hand tables and its promises."""

from dataclasses import replace
from functools import cache

import fairlearn.metrics as fl
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import accuracy_score, roc_auc_score

from tests.networks import tiny_model, tiny_table
from workbench import api
from workbench.core.errors import DataError, InvalidInputError
from workbench.core.fairness_metrics import GAPS, RATES
from workbench.core.results import FairnessAudit, load
from workbench.core.schema import Feature, Schema
from workbench.core.table import Table

QUICK = {"resamples": 200, "neighbour_rows": 200, "least_rows": 1}
FAIRLEARN = {
    "selection_rate": fl.selection_rate,
    "true_positive_rate": fl.true_positive_rate,
    "false_positive_rate": fl.false_positive_rate,
    "false_negative_rate": fl.false_negative_rate,
    "true_negative_rate": fl.true_negative_rate,
    "accuracy": accuracy_score,
}


@cache
def adult():
    """Adult's test rows, what adult-mlp decides, and the audit of them."""
    model, rows = api.load_model("adult-mlp"), api.load_table("adult")
    found = api.audit(model, rows, by="sex,race", weights=False, device="cpu", **QUICK)
    decided = model.predict(rows.X).argmax(1).numpy()
    return rows, decided, found


def frame_of(columns, weights=None):
    rows, decided, _ = adult()
    groups = rows.to_frame()[columns].astype(str).reset_index(drop=True)
    given = {} if weights is None else {name: {"sample_weight": weights} for name in FAIRLEARN}
    return fl.MetricFrame(
        metrics=FAIRLEARN, y_true=rows.y.numpy(), y_pred=decided, sensitive_features=groups,
        sample_params=given,
    )  # fmt: skip


@pytest.mark.parametrize("columns", [["sex"], ["race"], ["sex", "race"]])
def test_equals_fairlearn_on_adult(columns):
    found, frame = adult()[2], frame_of(columns)
    ours = found.to_metric_frame_dict(" x ".join(columns))
    by_group = frame.by_group
    for name in FAIRLEARN:
        assert ours["overall"][name] == pytest.approx(frame.overall[name], abs=1e-12)
        theirs = by_group[name].to_dict()
        assert ours["by_group"][name].keys() == theirs.keys()
        for group, value in ours["by_group"][name].items():
            if np.isfinite(value):  # where fairlearn says 0 for want of rows
                assert value == pytest.approx(theirs[group], abs=1e-12)
    if columns != ["sex", "race"]:
        for name in FAIRLEARN:
            assert ours["difference"][name] == pytest.approx(frame.difference()[name], abs=1e-12)
            assert ours["ratio"][name] == pytest.approx(frame.ratio()[name], abs=1e-12)


@pytest.mark.parametrize("column", ["sex", "race"])
def test_gaps_equal_fairlearns_on_adult(column):
    rows, decided, found = adult()
    given = {"y_true": rows.y.numpy(), "y_pred": decided}
    groups = rows.to_frame()[column].astype(str).to_numpy()
    p = found.partition_index(column)
    theirs = {
        "selection_rate_difference": fl.demographic_parity_difference,
        "selection_rate_ratio": fl.demographic_parity_ratio,
        "equalized_odds_worst": fl.equalized_odds_difference,
        "true_positive_rate_difference": fl.equal_opportunity_difference,
    }
    for name, function in theirs.items():
        value = found.gaps[list(GAPS).index(name), p, 0]
        assert value == pytest.approx(function(**given, sensitive_features=groups), abs=1e-12)
    mean = fl.equalized_odds_difference(**given, sensitive_features=groups, agg="mean")
    at = list(GAPS).index("equalized_odds_mean")
    assert found.gaps[at, p, 0] == pytest.approx(mean, abs=1e-12)


def test_weights_count_as_fairlearns_do_and_leave_fewer_effective_rows():
    rows, _, plain = adult()
    model = api.load_model("adult-mlp")
    found = api.audit(model, rows, by="sex", device="cpu", **QUICK)
    frame = frame_of(["sex"], rows.weights.numpy())
    ours = found.to_metric_frame_dict("sex")["by_group"]
    for name in FAIRLEARN:
        assert ours[name] == pytest.approx(frame.by_group[name].to_dict(), abs=1e-12)
    assert found.weighted
    assert not plain.weighted
    sex = plain.groups_of(plain.partition_index("sex"))
    np.testing.assert_array_equal(found.sizes, plain.sizes[sex])
    np.testing.assert_array_equal(found.denominators, plain.denominators[:, sex])
    wide = found.rates[..., 2] - found.rates[..., 1]
    assert (wide > (plain.rates[..., 2] - plain.rates[..., 1])[:, sex]).mean() > 0.9


def test_scores_are_measured_group_by_group():
    rows, _, found = adult()
    model = api.load_model("adult-mlp")
    scores, truth = model.predict(rows.X)[:, 1].numpy(), rows.y.numpy()
    values = dict(zip(found.score_names, found.score_values, strict=True))
    sex = rows.to_frame()["sex"].astype(str).to_numpy()
    for g in found.groups_of(found.partition_index("sex")):
        own = sex == found.group_names[g]
        assert values["mean_score"][g, 0] == pytest.approx(scores[own].mean())
        assert values["mean_score_positive"][g, 0] == pytest.approx(
            scores[own & (truth == 1)].mean()
        )
        assert values["auc"][g, 0] == pytest.approx(roc_auc_score(truth[own], scores[own]))
        np.testing.assert_array_equal(
            found.passed[100, g], [(scores[own & (truth == y)] >= 0.5).sum() for y in (0, 1)]
        )
    inside = found.cross_areas[found.partition_of[:, None] == found.partition_of]
    outside = found.cross_areas[found.partition_of[:, None] != found.partition_of]
    assert np.isfinite(inside).any()
    assert np.isnan(outside).all()


def test_every_number_has_an_interval_around_it():
    found = adult()[2]
    for name in ("rates", "pooled", "overall", "differences", "ratios", "gaps", "score_values",
                 "individual", "differential"):  # fmt: skip
        value, low, high = np.moveaxis(getattr(found, name), -1, 0)
        known = np.isfinite(value)
        assert known.any(), name
        assert (low[known] <= value[known] + 1e-12).all(), name
        assert (value[known] <= high[known] + 1e-12).all(), name
        assert np.isnan(low[~known]).all(), name
    held = np.isfinite(found.chances)
    assert (found.adjusted[held] >= found.chances[held]).all()


def table(y, columns, *, favourable="yes", weights=None, scores=None):
    """Rows with protected columns, and one number that the model's score is made of."""
    features = [Feature(name="x0"), *(
        Feature(
            name=name, kind="categorical", categories=tuple(sorted(set(values))), protected=True
        )
        for name, values in columns.items()
    )]  # fmt: skip
    n = len(y)
    x = torch.linspace(-1, 1, n) if scores is None else torch.as_tensor(scores)
    codes = [
        torch.tensor([feature.categories.index(value) for value in columns[feature.name]])
        for feature in features[1:]
    ]
    schema = Schema(
        features=tuple(features), target="y", task="binary", classes=("no", "yes"),
        favourable=favourable,
    )  # fmt: skip
    X = torch.stack([x.double(), *(column.double() for column in codes)], 1)
    return Table(schema, X, torch.arange(n), torch.tensor(y), name="people",
                 weights=None if weights is None else torch.tensor(weights))  # fmt: skip


def test_truth_and_decision_are_told_apart_by_name():
    truth, decided = [1, 1, 0, 0], [1, 0, 0, 0]
    groups = {"sex": ["a", "a", "b", "b"]}
    found = api.audit_decisions(y_true=truth, y_pred=decided, sensitive_features=groups, **QUICK)
    overall = dict(zip(RATES, found.overall[:, 0], strict=True))
    assert (overall["true_positive_rate"], overall["false_positive_rate"]) == (0.5, 0.0)
    with pytest.raises(TypeError, match="positional"):
        api.audit_decisions(truth, decided, sensitive_features=groups)
    swapped = api.audit_decisions(y_true=decided, y_pred=truth, sensitive_features=groups, **QUICK)
    assert swapped.overall[list(RATES).index("true_positive_rate"), 0] == 1.0


def test_a_group_without_positives_is_undefined_and_says_so():
    truth = [1, 0, 1, 0, 0, 0, 0, 1, 0, 1]
    decided = [1, 1, 0, 0, 1, 0, 0, 1, 0, 0]
    groups = list("aaaabbbccc")
    found = api.audit_decisions(y_true=truth, y_pred=decided, sensitive_features=groups, **QUICK)
    tpr, b = list(RATES).index("true_positive_rate"), found.group_names.index("b")
    for part in (found.rates, found.pooled, found.differences, found.ratios):
        assert np.isnan(part[tpr, b]).all()
    assert found.reason("true_positive_rate", b) == "no rows with the favourable outcome"
    assert any("no rows with the favourable outcome for sensitive_feature_0 b" in note
               for note in found.provenance.notes)  # fmt: skip
    gap = found.gaps[list(GAPS).index("true_positive_rate_difference"), 0, 0]
    assert gap == 0.0  # between a and c, which have a half each
    assert np.isnan(found.score_values).all()  # no scores were given
    assert found.passed.shape == (0, 3, 2)
    two = api.audit_decisions(
        y_true=truth[:7], y_pred=decided[:7], sensitive_features=groups[:7], **QUICK
    )
    for name in ("true_positive_rate_difference", "equalized_odds_worst", "equalized_odds_mean"):
        at = list(GAPS).index(name)
        for part in (two.gaps, two.floors, two.chances, two.adjusted):
            assert np.isnan(part[at]).all()


def test_signed_average_odds_and_the_worst_subgroup_by_hand():
    #                  a: TPR 3/4, FPR 1/4       b: TPR 1/2, FPR 1/2
    truth = [1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 0, 0]
    decided = [1, 1, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0]
    groups = list("aaaaaaaabbbb")
    found = api.audit_decisions(y_true=truth, y_pred=decided, sensitive_features=groups, **QUICK)
    assert found.references.tolist() == [0]
    odds = found.signed_average_odds
    assert odds[1, 0] == pytest.approx(((0.5 - 0.75) + (0.5 - 0.25)) / 2)  # 0: the signs cancel
    assert odds[1, 1] < 0 < odds[1, 2]
    np.testing.assert_array_equal(odds[0], 0)
    far, worst = found.subgroup_violation("true_positive_rate")
    overall = 4 / 6
    expected = [4 / 12 * abs(0.75 - overall), 2 / 12 * abs(0.5 - overall)]
    assert (far, worst) == (pytest.approx(max(expected)), int(np.argmax(expected)))
    with pytest.raises(InvalidInputError, match="There is no rate 'tpr'; choose one of base_rate"):
        found.subgroup_violation("tpr")


def test_the_favourable_class_of_several_stands_against_all_others():
    rows = tiny_table(task="multiclass", n=200)
    model = tiny_model(rows)
    found = api.audit(model, rows, by="c1", favourable="green", device="cpu", **QUICK)
    probabilities, truth = model.predict(rows.X).numpy(), rows.y.numpy() == 1
    decided = probabilities.argmax(1) == 1
    for g, level in enumerate(found.group_names):
        own = rows.X[:, 1].numpy() == rows.schema.features[1].categories.index(level)
        expected = [[(own & (truth == t) & (decided == d)).sum() for d in (0, 1)] for t in (0, 1)]
        np.testing.assert_array_equal(found.counts[g], expected)
    assert (found.favourable, found.unfavourable) == ("green", "not green")


def test_a_threshold_moves_decisions_and_depth_adds_crossings(tmp_path):
    rows = tiny_table(n=300)
    model = tiny_model(rows)
    settings = {"by": "c1,c3", "favourable": "yes", "device": "cpu", **QUICK}
    one = api.audit(model, rows, depth=1, threshold=0.9, **settings)
    assert one.partition_names == ("c1", "c3")
    scores = model.predict(rows.X)[:, 1].numpy()
    assert one.counts[one.groups_of(0), :, 1].sum() == (scores >= 0.9).sum()
    both = api.audit(model, rows, depth=2, **settings)
    assert both.partition_names == ("c1", "c3", "c1 x c3")
    assert len(both) == 3 + 2 + 6
    crossed = both.counts[both.groups_of(2)].reshape(3, 2, 2, 2)
    np.testing.assert_array_equal(crossed.sum(1), both.counts[both.groups_of(0)])
    back = load(both.save(tmp_path / "audit"))
    assert isinstance(back, FairnessAudit)
    np.testing.assert_array_equal(back.gaps, both.gaps)
    frame = both.to_frame()
    assert len(frame) == 11 * len(RATES)
    assert both.provenance.evaluations == 300


def test_empty_cells_are_groups_without_rows():
    rows = table([0, 1] * 10, {"sex": ["f"] * 10 + ["m"] * 10, "race": ["a", "b"] * 5 + ["a"] * 10})
    found = api.audit(tiny_model(rows), rows, device="cpu", **QUICK)
    at = found.group_names.index("m, b")
    assert found.sizes[at] == 0
    assert np.isnan(found.rates[:, at]).all()
    assert found.reason("selection_rate", at) == "no rows"


@pytest.mark.parametrize("kind", ["frame", "series", "dictionary", "list"])
def test_columns_that_the_model_does_not_read_make_groups(kind):
    rows = tiny_table(n=60)
    values = ["north", "south", "south"] * 20
    given = {
        "frame": pd.DataFrame({"region": values}), "series": pd.Series(values, name="region"),
        "dictionary": {"region": values}, "list": values,
    }[kind]  # fmt: skip
    found = api.audit(
        tiny_model(rows), rows, sensitive_features=given, favourable="yes", device="cpu", **QUICK
    )
    assert found.attributes == ("sensitive_feature_0" if kind == "list" else "region",)
    assert found.group_names == ("north", "south")
    assert found.sizes.tolist() == [20, 40]
    together = api.audit(
        tiny_model(rows), rows, sensitive_features={"region": values}, by="c1,region", depth=2,
        favourable="yes", device="cpu", **QUICK,
    )  # fmt: skip
    assert together.partition_names == ("c1", "region", "c1 x region")


def rows_of_people():
    return table([0, 1] * 10, {"sex": ["f", "m", "m", "f"] * 5})


@pytest.mark.parametrize(
    ("change", "settings", "message"),
    [
        ({}, {"by": "gender"}, "There is no column gender to group by; choose among x0, sex"),
        ({}, {"by": "x0"}, "Column 'x0' is a number; say where to cut it into groups"),
        (
            {"favourable": None},
            {},
            "Nobody says which class of tiny@1 people hope for; set favoura",
        ),
        ({}, {"favourable": "perhaps"}, "has no class 'perhaps'; set favourable to one of no, yes"),
        ({}, {"threshold": 1.5}, "threshold: input should be less than 1"),
        ({"y": None}, {}, "does not say what is true"),
        ({"y": torch.tensor([0, 1, 2, 1] * 5)}, {}, "has no value in row 2"),
        ({"weights": torch.zeros(20)}, {}, "have weight 0; set weights to false"),
        (
            {"only": "f"},
            {},
            "All rows of 'people' are of one group by sex; there is nothing to com",
        ),
    ],
)
def test_says_what_is_wrong(change, settings, message):
    rows = rows_of_people()
    if "favourable" in change:
        rows = table(rows.y.tolist(), {"sex": ["f", "m", "m", "f"] * 5}, favourable=None)
    if "only" in change:
        rows = rows[torch.where(rows.X[:, 1] == 0)[0]]
    rows = replace(rows, **{k: v for k, v in change.items() if k in {"y", "weights"}})
    with pytest.raises(InvalidInputError, match=message):
        api.audit(tiny_model(rows), rows, device="cpu", **settings)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"y_true": [1, 0, 2, 1]}, InvalidInputError, "hold a third value, 2 in row 2; decide for"),
        ({"y_pred": [1, 0, 1]}, InvalidInputError, r"y_true has the shape \(4,\), y_pred \(3,\)"),
        ({"y_true": list("nyny"), "y_pred": list("nnyy")}, InvalidInputError,
         "Nobody says which of 'n' and 'y' people hope for; set pos_label"),
        ({"pos_label": 7}, InvalidInputError, "pos_label 7 is neither in y_true nor in y_pred"),
        ({"y_score": [0.1, 1.7, 0.2, 0.3]}, InvalidInputError, "Score 1.7 in row 1 is no probab"),
        ({"y_score": [0.1, np.nan, 0.2, 0.3]}, InvalidInputError, "y_score is not finite in row 1"),
        ({"sample_weight": [1, 1, -1, 1]}, InvalidInputError, "sample_weight is negative"),
        ({"sensitive_features": ["a", "b"]}, InvalidInputError,
         "sensitive_features have 2 rows, y_true has 4"),
        ({"sensitive_features": ["a"] * 4}, DataError, "sensitive_feature_0"),
        ({"threshold": 0.4}, InvalidInputError, "threshold: the decisions are given already"),
        ({"sensitive_features": {"age": [20, 30, 40, 50]}}, InvalidInputError, "bins=age=25,60"),
    ],
)  # fmt: skip
def test_says_what_is_wrong_with_given_decisions(change, error, message):
    given = {"y_true": [1, 0, 1, 0], "y_pred": [1, 1, 0, 0], "sensitive_features": list("aabb")}
    with pytest.raises(error, match=message):
        api.audit_decisions(**given | change)


def test_given_decisions_take_weights_scores_and_names():
    rng = np.random.default_rng(0)
    truth, score = rng.integers(0, 2, 400), rng.random(400)
    decided, weights = score > 0.5, rng.random(400)
    groups = rng.choice(["a", "b"], 400)
    found = api.audit_decisions(
        y_true=np.where(truth, "yes", "no"), y_pred=np.where(decided, "yes", "no"),
        sensitive_features=groups, pos_label="yes", sample_weight=weights, y_score=score, **QUICK,
    )  # fmt: skip
    theirs = fl.MetricFrame(
        metrics=fl.selection_rate, y_true=truth, y_pred=decided.astype(int),
        sensitive_features=groups, sample_params={"sample_weight": weights},
    )  # fmt: skip
    ours = found.to_metric_frame_dict()["by_group"]["selection_rate"]
    assert ours == pytest.approx(theirs.by_group.to_dict(), abs=1e-12)
    assert (found.favourable, found.unfavourable) == ("yes", "no")
    auc = found.score_values[list(found.score_names).index("auc"), :, 0]
    own = groups == "a"
    assert auc[0] == pytest.approx(
        roc_auc_score(truth[own], score[own], sample_weight=weights[own]), abs=1e-12
    )
    assert "decisions were given" in found.provenance.notes[-1]
