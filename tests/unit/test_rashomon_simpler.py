"""Simpler models against scikit-learn, exact counts, and rules that are applied by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression, Ridge

from tests.networks import tiny_model, tiny_table
from tests.simpler import simpler
from workbench import api
from workbench.core.context import Context
from workbench.core.errors import CancelledError, InvalidInputError
from workbench.core.schema import Feature, Schema
from workbench.core.simpler_models import NO_ELBOW, SIMPLE
from workbench.core.table import Table
from workbench.engines.rashomon.simpler_curve import board_of, elbow_of, rashomon_curve
from workbench.engines.rashomon.simpler_learners import columns_of, drawn_rows
from workbench.engines.rashomon.simpler_params import SimplerParams
from workbench.engines.rashomon.simpler_scene import Labelled, Parts, parts_of
from workbench.engines.rashomon.simpler_tree import rule, smallest_tree
from workbench.numerics.literals import Statement

QUICK = {"trees": 1000, "depth": 3, "repeats": 1, "folds": 2}


def exclusive_or(n=500, noise=0.0, seed=0):
    """Labels that are the exclusive or of two of six two-valued columns."""
    rng = np.random.default_rng(seed)
    features = tuple(
        Feature(name=f"c{i}", kind="categorical", categories=("a", "b")) for i in range(6)
    )
    schema = Schema(features=features, target="y", task="binary", classes=("no", "yes"))
    X = rng.integers(0, 2, (n, 6)).astype(float)
    y = (X[:, 1] != X[:, 4]) ^ (rng.random(n) < noise)
    return Table(
        schema, torch.from_numpy(X), torch.arange(n), torch.from_numpy(y.astype(int)), name="xor"
    )


@pytest.fixture(scope="module")
def of_xor():
    table = exclusive_or()
    return api.simpler_models(tiny_model(table), table, table.split("test"), **QUICK)


def test_an_exclusive_or_needs_depth_two_and_is_found_as_rules(of_xor):
    np.testing.assert_allclose(of_xor.best_loss[1:], 0)
    np.testing.assert_allclose(of_xor.best_test[1:], 0)
    assert of_xor.best_loss[0] > 0.4
    # 2 of 6 roots, 1 of 6 below on each side, 1 of 16 labelings.
    assert of_xor.log_ratio[1] == pytest.approx(math.log10(2 / 6 / 36 / 16))
    assert of_xor.exact.all()
    assert of_xor.patterns[1] == 1
    assert of_xor.good[1] == 2
    assert of_xor.drawn[1] == 6**3
    assert of_xor.elbow == 1
    # The given model guesses, so less than the whole tree is better already.
    assert of_xor.within
    assert len(of_xor.rules) < 4
    assert of_xor.tree_validation < 0
    assert of_xor.rule_rows.sum() == of_xor.n_train == 300


def test_beside_a_perfect_model_the_tree_has_all_four_rules():
    X, y = exclusive_or().X.numpy(), exclusive_or().y.double().numpy()
    rows = [Labelled(X[part], y[part], y[part]) for part in (slice(300), slice(300, 400))]
    parts = Parts(*rows, rows[1], exclusive_or().schema)
    found = smallest_tree(parts, SimplerParams(), Context())
    told = {
        frozenset(text.split("; ")): says
        for text, says in zip(found["rules"], found["labels"], strict=True)
    }
    assert told == {
        frozenset({f"c1 = {a}", f"c4 = {b}"}): "no" if a == b else "yes" for a in "ab" for b in "ab"
    }
    assert found["within"]
    assert (found["tree_test"], found["differs"]) == (0, 0)
    np.testing.assert_allclose(found["rule_loss"], 0)


def test_no_additive_model_finds_it_and_trees_do(of_xor):
    loss = dict(zip(of_xor.learners, of_xor.cv_loss, strict=True))
    assert min(loss["linear"], loss["additive"]) > 0.3
    assert loss["forest"] < 0.05
    assert of_xor.cv_gap.min() == 0
    assert of_xor.learners[of_xor.best_simple] in SIMPLE


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_the_linear_learner_is_that_of_scikit_learn(task):
    table = tiny_table(n=200, task=task, categorical=False)
    model = tiny_model(table)
    found = api.simpler_models(model, table, table.split("test"), **QUICK)
    train, test = table.split("train"), table.split("test")
    X, y = train.X.numpy(), train.y.numpy()
    mean, scale = X.mean(0), X.std(0)
    if task == "binary":
        fitted = LogisticRegression(max_iter=5000).fit((X - mean) / scale, y)
        loss = fitted.predict((test.X.numpy() - mean) / scale) != test.y.numpy()
        base = model.predict(test.X).argmax(1).numpy() != test.y.numpy()
    else:
        fitted = Ridge().fit((X - mean) / scale, (y - y.mean()) / y.std())
        said = fitted.predict((test.X.numpy() - mean) / scale) * y.std() + y.mean()
        loss = np.square(said - test.y.numpy())
        base = np.square(model.predict(test.X)[:, 0].numpy() - test.y.numpy())
    difference = loss.astype(float) - base
    assert found.test_loss[0] == pytest.approx(loss.mean(), abs=1e-9)
    assert found.base_loss == pytest.approx(base.mean())
    assert found.test_excess[0] == pytest.approx(difference.mean())
    assert found.test_noise[0] == pytest.approx(difference.std(ddof=1) / math.sqrt(len(test)))


def test_a_regression_has_a_tree_and_no_curve():
    found = simpler(task="regression")
    assert not len(found.depths)
    assert found.elbow == NO_ELBOW
    assert "no finite number" in found.curve_remark
    assert found.rule_rows.sum() == found.n_train
    assert found.loss_name == "mean squared error"


def test_the_share_of_good_trees_grows_with_the_tolerance():
    table = exclusive_or(n=100, noise=0.2)
    parts = parts_of(tiny_model(table), table.split("test"), table, Context())
    ratios = []
    for tolerance in (0.0, 0.1, 0.5):
        params = SimplerParams(**QUICK, tolerance=tolerance)
        board = board_of(parts, params, Context())
        ratios.append(rashomon_curve(board, parts, params, Context())["log_ratio"])
    assert (np.diff(ratios, axis=0) >= 0).all()
    assert (ratios[2] > ratios[0]).any()


def test_rules_reach_every_row_once_and_say_what_the_tree_says():
    model, table = api.load_model("german-mlp"), api.load_table("german", split="all")
    found = api.simpler_models(model, table, table.split("test"), **QUICK | {"depth": 1})
    assert found.rule_rows.sum() == 600
    assert (found.rule_rows * found.rule_loss).sum() == pytest.approx(
        np.round((found.rule_rows * found.rule_loss).sum())
    )
    test = table.split("test")
    said = model.predict(test.X).argmax(1)
    assert found.base_loss == pytest.approx(float((said != test.y).double().mean()))
    assert 0 <= found.differs <= 1
    assert found.within == (
        found.tree_validation <= found.tolerance * found.base_validation + 1e-12
    )


def test_rows_that_were_learned_from_are_named():
    table = exclusive_or(n=100)
    found = api.simpler_models(tiny_model(table), table, table, **QUICK)
    assert (
        "of the rows reported on, 60 are training rows and 20 validation rows: losses on them "
        "are too good"
    ) in found.provenance.notes


def test_rarer_trees_than_can_be_counted_are_estimated_or_bounded():
    model, table = api.load_model("breast-cancer-mlp"), api.load_table("breast-cancer", split="all")
    found = api.simpler_models(
        model,
        table,
        table.split("test"),
        trees=1000,
        depth=4,
        repeats=1,
        folds=2,
        tree_rows=100,
        bins=2,
    )
    assert found.exact[:2].all()
    known = np.isfinite(found.log_ratio)
    assert (found.log_low[known] <= found.log_ratio[known]).all()
    assert (found.log_ratio[known] <= found.log_high[known]).all()
    assert (found.log_high < 0).all()
    assert np.isnan(found.log_low[~known]).all()
    assert (np.diff(found.best_loss) <= 0).all()
    assert (found.patterns <= np.maximum(found.good, 1)).all()


def test_the_elbow_is_where_good_trees_are_common_and_good():
    assert elbow_of(np.array([-1.0, -2, -20]), np.array([0.5, 0.1, 0.1])) == 1
    assert elbow_of(np.array([-1.0, -2, np.nan]), np.array([0.5, 0.1, 0.1])) == NO_ELBOW
    assert elbow_of(np.array([-1.0, -2, -3]), np.array([0.1, 0.1, 0.1])) == NO_ELBOW
    assert elbow_of(np.array([-1.0, -5, -9]), np.array([0.5, 0.4, 0.1])) == NO_ELBOW


def test_columns_fill_in_and_scale_by_training_rows_alone():
    table = tiny_table(n=80, missing=True)
    X = table.X.numpy()
    columns = columns_of(X, table.schema)
    plain = columns.plain(X)
    assert np.isfinite(plain).all()
    assert np.abs(plain[:, 0].mean()) < 1e-9
    assert columns.stepped(X).shape[1] > plain.shape[1]
    once = columns.plain(X[:1])
    np.testing.assert_array_equal(once[0], plain[0])


def test_of_many_rows_some_are_drawn():
    rows = Labelled(np.arange(20.0)[:, None], np.arange(20.0), np.arange(20.0))
    few = drawn_rows(rows, 5, Context(seed=1))
    assert len(few.X) == 5
    assert (np.diff(few.X[:, 0]) > 0).all()
    assert drawn_rows(rows, 20, Context()) is rows


SCHEMA = Schema(features=(
    Feature(name="age", unit="years", has_missing=True),
    Feature(name="sex", kind="categorical", categories=("F", "M", "X")),
))  # fmt: skip


@pytest.mark.parametrize(
    ("conditions", "text"),
    [
        ([], "any row"),
        ([(Statement(0, "at_most", 30.0), False)], "age above 30 years (or missing)"),
        (
            [(Statement(0, "at_most", 30.0), False), (Statement(0, "missing"), False)],
            "age above 30 years",
        ),
        ([(Statement(0, "missing"), True)], "age missing"),
        ([(Statement(0, "missing"), False)], "age known"),
        (
            [(Statement(1, "is", 0.0), False), (Statement(1, "is", 2.0), False)],
            "sex = M",
        ),
        ([(Statement(1, "is", 0.0), False)], "sex ≠ F"),
        (
            [(Statement(1, "is", 0.0), False), (Statement(0, "at_most", 50.0), True),
             (Statement(1, "is", 1.0), True), (Statement(0, "at_most", 20.0), False)],
            "sex = M; age above 20 years and at most 50 years",
        ),
    ],
)  # fmt: skip
def test_rules_in_words(conditions, text):
    assert rule(conditions, SCHEMA) == text


def test_says_what_is_wrong():
    table = exclusive_or(n=60)
    model = tiny_model(table)
    same = replace(table, y=torch.zeros(60, dtype=torch.int64))
    with pytest.raises(InvalidInputError, match="have the same y, so nothing can be learned"):
        api.simpler_models(model, same, same.split("test"))
    with pytest.raises(InvalidInputError, match="does not say what is true"):
        api.simpler_models(model, replace(table, y=None), table.split("test"))
    other = table.schema.model_copy(update={"classes": ("nope", "yep")})
    with pytest.raises(InvalidInputError, match="are not those of model"):
        api.simpler_models(model, replace(table, schema=other), table.split("test"))
    holes = replace(table, y=torch.full((60,), float("nan"), dtype=torch.float64))
    with pytest.raises(InvalidInputError, match="has no value in row 0 of table 'xor'"):
        api.simpler_models(model, holes, table[:5])


def test_features_that_never_differ_leave_nothing_to_ask():
    table = exclusive_or(n=60)
    flat = replace(table, X=torch.zeros_like(table.X))
    found = api.simpler_models(tiny_model(table), flat, flat.split("test"), **QUICK)
    assert not len(found.depths)
    assert "a tree can ask nothing" in found.curve_remark
    assert found.rules == ("any row",)


def test_a_run_stops_between_two_blocks():
    table, calls = exclusive_or(n=60), []

    def stop(*progress):
        calls.append(progress[-1])
        if len(calls) == 4:
            raise CancelledError("stop")

    with pytest.raises(CancelledError):
        api.simpler_models(tiny_model(table), table, table[:5], progress=stop)
    assert any("trees of depth" in message for message in calls)


def test_a_result_is_refused_where_parts_do_not_fit(of_xor):
    with pytest.raises(InvalidInputError, match="needs cv_loss of shape"):
        replace(of_xor, learners=("linear",))
    with pytest.raises(InvalidInputError, match="do not fit what they say"):
        replace(of_xor, labels=("no",))
    with pytest.raises(InvalidInputError, match="There is no depth 9 on a curve of 3"):
        replace(of_xor, elbow=9)
    with pytest.raises(InvalidInputError, match="not known to this version"):
        replace(of_xor, learners=("a", "b", "c", "d", "e"))


def test_progress_only_grows_and_ends():
    seen = []
    table = exclusive_or(n=60)
    api.simpler_models(
        tiny_model(table), table, table[:5], progress=lambda *s: seen.append(s), **QUICK
    )
    done = [number for number, _, _ in seen]
    assert done == sorted(done)
    assert (done[0], done[-1]) == (0, 1000)
    assert {total for _, total, _ in seen} == {1000}
