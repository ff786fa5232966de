"""Results for other packages: Arrow, shapiq, lime, shap, fairlearn, and Captum's manner."""

import json
from dataclasses import replace

import numpy as np
import pytest
import shapiq
import torch
from captum.attr import IntegratedGradients

import workbench as wb
from tests.networks import tiny_model, tiny_table
from workbench import api, interop
from workbench.checks import run_checks
from workbench.core.errors import InvalidInputError
from workbench.core.provenance import Provenance
from workbench.engines import shapley
from workbench.interop import packages


def case(task="binary", **changes):
    table = tiny_table(task=task, **changes)
    return tiny_model(table), table[30:33], table[:12]


def numbers(**changes):
    """A case whose features are all numbers, so that the network's input is theirs, scaled."""
    return case(categorical=False, **changes)


def test_arrow_has_the_table_and_says_how_it_was_made(tmp_path):
    from pyarrow import parquet

    model, rows, background = case()
    own = shapley.explain(model, rows, background, method="shapley.exact", device="cpu")
    table = interop.to_arrow(own)
    frame = own.to_frame()
    assert table.column_names == list(frame.columns)
    for name in frame:
        np.testing.assert_array_equal(table[name].to_pylist(), frame[name].tolist())
    kept = parquet.read_table(interop.write_parquet(own, tmp_path / "a.parquet"))
    assert kept.to_pandas().equals(table.to_pandas())
    record = kept.schema.metadata
    assert record[b"workbench.kind"] == b"attribution"
    assert Provenance(**json.loads(record[b"workbench.provenance"])) == own.provenance


def test_arrow_of_mixed_and_missing_cells():
    model, rows, background = case(missing=True)
    own = shapley.explain(model, rows, background, method="shapley.exact", device="cpu")
    table = interop.to_arrow(own)
    assert set(map(str, {table.schema.field(n).type for n in ("value", "feature")})) == {"string"}
    with pytest.raises(InvalidInputError, match="is no table; save it instead"):
        interop.to_arrow(object.__new__(wb.Explainer))


@pytest.mark.parametrize("index", ["k-SII", "SII", "STII", "FSII", "Banzhaf"])
def test_shapiq_gets_what_it_computes_itself_of_the_same_game(index):
    model, rows, background = case("regression")
    own = api.interactions(model, rows, background, index=index, device="cpu")
    theirs = "BII" if index == "Banzhaf" else index

    def game(known):
        kept = torch.from_numpy(np.atleast_2d(known).astype(bool))
        mixed = torch.where(kept[:, None], rows.X[1], background.X)  # (m, b, d)
        return (
            model.predict(mixed.flatten(0, 1))[:, 0].unflatten(0, mixed.shape[:2]).mean(1).numpy()
        )

    peer = shapiq.ExactComputer(game, n_players=5)(theirs, order=2)
    given = interop.to_shapiq(own, 1)
    assert (given.index, given.max_order, given.n_players) == (theirs, 2, 5)
    assert given.baseline_value == pytest.approx(float(game(np.zeros(5))[0]))
    assert not given.estimated
    for order in (1, 2):
        # Its FSII keeps to the ends by a large weight only.
        np.testing.assert_allclose(
            given.get_n_order_values(order), peer.get_n_order_values(order), atol=1e-6
        )


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_there_and_back_again(task):
    model, rows, background = case(task)
    own = api.interactions(model, rows, background, device="cpu")
    of = own.output_names[-1]
    parts = [interop.to_shapiq(own, row, of) for row in range(3)]
    back = interop.from_shapiq(parts, model, rows, of=of)
    kept = [own.output_names.index(name) for name in back.output_names]
    for name in ("values", "base_values", "predictions"):
        np.testing.assert_allclose(getattr(back, name), getattr(own, name)[..., kept], atol=1e-12)
    assert back.index == "k-SII"
    status = {outcome.code: outcome.status for outcome in run_checks(back)}
    assert status["WB009"] == "ok"
    assert status["WB010"] == "not_applicable"


def test_shapiq_values_that_do_not_fit_are_refused():
    model, rows, background = case()
    own = api.interactions(model, rows, background, device="cpu")
    one = interop.to_shapiq(own, 0, "yes")
    with pytest.raises(InvalidInputError, match="of 1 rows, table 'tiny' has 3 here"):
        interop.from_shapiq(one, model, rows, of="yes")
    single = shapiq.InteractionValues(
        np.zeros(5), index="SV", max_order=1, min_order=1, n_players=5
    )
    with pytest.raises(InvalidInputError, match="have index SV; read is one of"):
        interop.from_shapiq([single] * 3, model, rows, of="yes")
    wide = shapiq.InteractionValues(
        np.zeros(21), index="SII", max_order=2, min_order=1, n_players=6
    )
    with pytest.raises(InvalidInputError, match=r"of 6 players up to order 2; .* has 5 features"):
        interop.from_shapiq([wide] * 3, model, rows, of="yes")
    with pytest.raises(InvalidInputError, match="There is no row 3; the result has 3"):
        interop.to_shapiq(own, 3)


def test_a_package_that_is_not_there_is_named_with_the_cure(monkeypatch):
    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(packages, "import_module", absent)
    model, rows, background = case()
    own = api.interactions(model, rows, background, device="cpu")
    with pytest.raises(InvalidInputError, match="not installed; run pip install shapiq"):
        interop.to_shapiq(own)


def test_lime_lists_conditions_and_weights_strongest_first():
    model, rows, background = case()
    models = api.lime(model, rows, background, method="lime.tabular", device="cpu")
    listed = interop.as_lime_list(models, 1, "no")
    weights = models.coefficients[1, :, 0]
    kept = models.selected[1, :, 0]
    assert [w for _, w in listed] == sorted(weights[kept], key=lambda w: -abs(w))
    assert {name for name, _ in listed} == {models.condition(1, j) for j in np.flatnonzero(kept)}


def test_shap_s_bar_takes_our_explanation():
    import warnings

    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    model, rows, background = case()
    own = shapley.explain(model, rows, background, method="shapley.exact", device="cpu")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations of its own
        import shap

        axes = shap.plots.bar(own.to_shap("yes"), show=False)
        axes.figure.canvas.draw()
    names = {tick.get_text() for tick in axes.get_yticklabels()}
    shown = {patch.get_width() for patch in axes.patches}
    plt.close("all")
    assert set(own.names) <= names
    for size in np.abs(own.values[..., 1]).mean(0):
        assert any(np.isclose(size, width) for width in shown)


def test_captum_s_integrated_gradients_in_its_manner():
    model, rows, background = numbers(task="multiclass")
    base = background.X[:1]
    found, delta = api.attribute(
        model, rows.X, base, target=[2, 0, 1], method="IntegratedGradients", output="score",
        n_steps=50, return_convergence_delta=True, device="cpu",
    )  # fmt: skip
    peer = IntegratedGradients(lambda x: model.network(model.encode(x)))
    theirs, their_delta = peer.attribute(
        rows.X, base, target=[2, 0, 1], return_convergence_delta=True
    )
    assert found.shape == rows.X.shape
    assert found.dtype == rows.X.dtype
    # Both by Gauss-Legendre on 50 points of the way.
    np.testing.assert_allclose(found, theirs.detach(), atol=1e-9)
    full = model.scores(rows.X)[range(3), [2, 0, 1]]
    empty = model.scores(base)[0, [2, 0, 1]]
    np.testing.assert_allclose(delta, found.sum(1) - (full - empty), atol=1e-9)
    np.testing.assert_allclose(delta, their_delta.detach(), atol=1e-9)


def test_the_alias_gives_what_explain_gives():
    model, rows, background = case()
    own = shapley.explain(model, rows, background, method="shapley.exact", device="cpu")
    found = api.attribute(
        model, rows.X.float(), background.X, target=1, method="ShapleyValues", device="cpu"
    )
    assert found.dtype == torch.float32
    # The table of the alias holds what single precision has left of the rows.
    np.testing.assert_allclose(found, own.values[..., 1], atol=1e-6)
    zeros = api.attribute(model, rows.X, 0.0, target=1, method="exact", device="cpu")
    again = shapley.explain(
        model, rows, replace(rows[:1], X=torch.zeros(1, 5).double()), method="shapley.exact",
        device="cpu",
    )  # fmt: skip
    np.testing.assert_array_equal(zeros, again.values[..., 1])


@pytest.mark.parametrize(
    ("inputs", "settings", "said"),
    [
        (lambda X: X[0], {"target": 1}, r"by the model's 5 raw features, got \(5,\)"),
        (lambda X: X.numpy(), {"target": 1}, "got ndarray"),
        (lambda X: X + 0.5, {"target": 1}, "have .* for 'c1', whose categories have codes 0 to"),
        (lambda X: X * torch.nan, {"target": 1}, "missing value of 'x0', which the model never"),
        (lambda X: X, {}, "has 2 outputs; say with target which one, .*1 is yes"),
        (lambda X: X, {"target": 2}, "must be from 0 to 1"),
        (lambda X: X, {"target": [0, 1]}, "one for each of 3 rows"),
        (lambda X: X, {"target": 0, "method": "Saliency"}, "There is no method 'Saliency'"),
        (lambda X: X, {"target": 0, "baselines": torch.zeros(2, 3)}, "The baselines must be"),
    ],
)
def test_what_captum_s_manner_cannot_serve(inputs, settings, said):
    model, rows, _ = case()
    given = {"method": "exact", "baselines": 0.0, "device": "cpu", **settings}
    with pytest.raises(InvalidInputError, match=said):
        api.attribute(model, inputs(rows.X), **given)
