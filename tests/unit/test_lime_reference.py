"""The package lime behind our result type, against the package itself."""

import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from lime.lime_tabular import LimeTabularExplainer

import workbench
from tests.networks import tiny_model, tiny_table
from workbench import api
from workbench.cli.main import workbench as command
from workbench.core.context import Context
from workbench.core.errors import CancelledError, InvalidInputError
from workbench.core.method import METHODS
from workbench.core.results import LocalModels
from workbench.core.schema import Feature
from workbench.engines.lime.package import SELECTIONS, Asked, coded, fit_row, make_package
from workbench.engines.lime.params import ReferenceParams
from workbench.engines.lime.reference import DRAWS
from workbench.engines.lime.reference import NAME as REFERENCE

SAMPLINGS = ("discretised", "mean-centred", "around")


def fitted(model, rows, background, **params):
    params = {"perturbations": 300, **params}
    return api.lime(model, rows, background, method=REFERENCE, **params)


def with_missing_categories(n=120, task="binary"):
    """A table whose categories, but not its numbers, are missing in places."""
    table = tiny_table(n=n, d=5, task=task)
    X, hidden = table.X.clone(), np.random.default_rng(7).random(n) < 0.2
    X[hidden, 1] = torch.nan
    features = list(table.schema.features)
    features[1] = features[1].model_copy(update={"has_missing": True})
    schema = table.schema.model_copy(update={"features": tuple(features)})
    return replace(table, schema=schema, X=X)


@pytest.mark.parametrize(
    ("task", "sampling", "selection"),
    [("binary", "discretised", selection) for selection in SELECTIONS]
    + [("regression", sampling, "forward") for sampling in SAMPLINGS]
    + [("multiclass", sampling, "highest") for sampling in SAMPLINGS],
)
def test_says_what_the_package_says(task, sampling, selection):
    table = with_missing_categories(task=task)
    model = tiny_model(table)
    result = fitted(model, table[:2], table, sampling=sampling, selection=selection, num_features=3)
    coded = np.where(np.isnan(table.X.numpy()), len(table.schema.features[1].categories), table.X)
    is_value = task == "regression"

    def predict(codes):
        X = torch.from_numpy(codes.copy())
        X[X[:, 1] == 2 + 1, 1] = torch.nan  # three levels are 0, 1 and 2
        answers = model.predict(X).numpy()
        return answers[:, 0] if is_value else answers

    for row in range(2):
        seed = int(Context().stream(DRAWS, row).integers(2**32))
        package = LimeTabularExplainer(
            coded, mode="regression" if is_value else "classification",
            categorical_features=[1, 3], feature_selection=SELECTIONS[selection],
            discretize_continuous=sampling == "discretised",
            sample_around_instance=sampling == "around", random_state=seed,
        )  # fmt: skip
        k = len(model.output_names)
        found = package.explain_instance(
            coded[row], predict, labels=range(k), num_features=3, num_samples=301
        )
        for output in range(k):
            pairs = dict(found.local_exp[1 if is_value else output])
            expected = [pairs.get(j, 0.0) for j in range(5)]
            np.testing.assert_allclose(result.coefficients[row, :, output], expected, rtol=1e-12)
            assert set(np.flatnonzero(result.selected[row, :, output])) == set(map(int, pairs))
            where = 1 if is_value else output
            assert result.intercepts[row, output] == pytest.approx(found.intercept[where])
        assert result.r2[row, -1] == pytest.approx(found.score)
        assert result.local_predictions[row, -1] == pytest.approx(float(found.local_pred[0]))
    np.testing.assert_allclose(result.predictions, model.predict(table.X[:2]))


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_standard_errors_are_those_of_white_for_its_own_samples(sampling, monkeypatch):
    table = with_missing_categories()
    seen = {}
    usual = LimeTabularExplainer.explain_instance

    def spy(self, *arguments, **named):
        found = usual(self, *arguments, **named)
        seen.update(data=self.base.data, answers=self.base.answers, weights=self.base.weights)
        return found

    monkeypatch.setattr(LimeTabularExplainer, "explain_instance", spy)
    result = fitted(tiny_model(table), table[:1], table, sampling=sampling, selection="none")
    X = np.concatenate([np.ones((301, 1)), seen["data"]], 1)
    w = seen["weights"]
    bread = np.linalg.inv((X.T * w) @ X + np.diag([0.0] + [1.0] * 5))
    for output in range(2):
        beta = bread @ (X.T * w) @ seen["answers"][:, output]
        missed = seen["answers"][:, output] - X @ beta
        variance = bread @ (X.T * (w * missed) ** 2) @ X @ bread
        np.testing.assert_allclose(result.coefficients[0, :, output], beta[1:], atol=1e-10)
        expected = np.sqrt(np.diag(variance))[1:]
        np.testing.assert_allclose(result.std_errors[0, :, output], expected, rtol=1e-6)
    assert result.effective_share[0] == pytest.approx(w.sum() ** 2 / (w**2).sum() / 301)
    assert result.samples.tolist() == [300]


def test_agrees_with_ours_within_standard_errors():
    table = tiny_table(n=300, d=5)
    model = tiny_model(table, scale=1.0)
    asked = {"perturbations": 5000, "selection": "none"}
    theirs = fitted(model, table[:3], table, **asked)
    ours = api.lime(model, table[:3], table, **asked)
    spread = np.hypot(theirs.std_errors, ours.std_errors)
    assert np.abs((theirs.coefficients - ours.coefficients) / spread).max() < 4
    assert theirs.edges == ours.edges
    assert theirs.meanings == ours.meanings


def test_a_row_gets_the_same_bits_whatever_the_others_are():
    table = with_missing_categories()
    model = tiny_model(table)
    order = np.array([3, 0, 2, 1])
    one, other = (
        fitted(model, table[:4], table), fitted(model, table[:4][order], table)
    )  # fmt: skip
    for name in ("coefficients", "std_errors", "r2", "stability"):
        np.testing.assert_array_equal(getattr(one, name)[order], getattr(other, name))
    assert (fitted(model, table[:4], table, seed=1).coefficients != one.coefficients).any()
    assert one.provenance.evaluations == 4 * 301


def test_can_be_cancelled_while_the_model_answers():
    table, cancel, calls = tiny_table(), threading.Event(), []

    def progress(done, total, _):
        calls.append((done, total))
        cancel.set()

    context = Context(progress=progress, cancel=cancel, chunk_rows=100)
    with pytest.raises(CancelledError):
        METHODS[REFERENCE].explain(
            tiny_model(table), table[:3], table, ReferenceParams(perturbations=300), context
        )
    assert calls == [(0, 3)]


def test_what_the_package_cannot_do_is_told():
    table = tiny_table(task="regression", missing=True)
    with pytest.raises(InvalidInputError, match="takes no missing numbers, and 'x0' of table"):
        fitted(tiny_model(table), table[:2], table)
    table = tiny_table(task="regression")
    with pytest.raises(InvalidInputError, match="entropy bins of classes only, and the target 'y'"):
        fitted(tiny_model(table), table[:2], table, bins="entropy")
    table = tiny_table()
    model, X = tiny_model(table), table.X.clone()
    with pytest.raises(InvalidInputError, match="num_features is 6, and the model has 5 features"):
        fitted(model, table[:2], table, num_features=6)
    with pytest.raises(InvalidInputError, match="max_perturbations is not a setting"):
        fitted(model, table[:2], table, max_perturbations=600)
    broken = model.to()
    broken.network.first.weight.fill_(torch.nan)
    with pytest.raises(InvalidInputError, match="returns no finite number for some rows"):
        fitted(broken, table[:2], table)
    X[:30, 0] = 1e300
    far, params = replace(table, X=X), ReferenceParams(sampling="around")
    with pytest.raises(InvalidInputError, match=r"package lime .*choose lime\.tabular"):
        fit_row(
            make_package(model, far, params), Asked(model, Context(), 1), coded(far)[0], 3, 50, 0
        )


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("selection", SELECTIONS)
def test_features_that_never_vary_get_nothing(sampling, selection):
    table = tiny_table(n=100, d=4)
    features = (*table.schema.features[:2], Feature(name="constant"), table.schema.features[3])
    one = Feature(name="one", kind="categorical", categories=("a",))
    schema = table.schema.model_copy(update={"features": (*features, one)})
    X = torch.cat([table.X, torch.zeros(100, 1, dtype=torch.float64)], 1)
    X[:, 2] = 0.1
    table = replace(table, schema=schema, X=X)
    result = fitted(
        tiny_model(table), table[:2], table, sampling=sampling, selection=selection, num_features=3
    )
    np.testing.assert_allclose(result.coefficients[:, 4], 0, atol=1e-9)
    if sampling == "discretised":
        np.testing.assert_allclose(result.coefficients[:, 2], 0, atol=1e-9)
    assert np.isfinite(result.std_errors).all()


def test_the_verb_and_the_command_choose_it():
    rows = workbench.load_table("diabetes", split="test")[:1]
    got = workbench.lime("diabetes-mlp", rows, method="reference", perturbations=200)
    assert isinstance(got, LocalModels)
    assert got.provenance.method == REFERENCE
    with pytest.raises(InvalidInputError, match="Method 'kernel' fits no local models; choose one"):
        workbench.lime("diabetes-mlp", rows, method="kernel")
    arguments = ["explain", "diabetes-mlp", "diabetes", "--rows", "0", "--perturbations", "200"]
    said = CliRunner().invoke(command, [*arguments, "--method", "lime.reference"])
    assert said.exit_code == 0
    assert "lime.reference · 1 row of diabetes" in said.output
