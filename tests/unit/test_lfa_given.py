"""An explanation from elsewhere beside ours: our own values get the very numbers that ours get."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from captum.metrics import infidelity
from scipy.stats import spearmanr

from tests.networks import tiny_model, tiny_table
from workbench import api
from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.results import load
from workbench.engines import shapley
from workbench.engines.lfa.advisor import QUESTIONS, advise
from workbench.engines.lfa.changes import draw_changes
from workbench.engines.lfa.scene import make_scene
from workbench.numerics.explanation_measures import sign_agreement
from workbench.plots.measures import measures_sentence
from workbench.plots.renderers import render
from workbench.report.html import write_report

SMALL = {"perturbations": 128}
FAST = {**SMALL, "repeats": 20, "copies": 2, "networks": 1}
AGAIN = ("max-sensitivity", "ris", "ros", "randomisation")


@pytest.fixture(scope="module", params=["binary", "multiclass", "regression"])
def scene(request):
    table = tiny_table(task=request.param)
    model = tiny_model(table)
    rows, background = table[30:34], table[:12]
    matrix = api.faithfulness(model, rows, background, device="cpu", **SMALL)
    own = shapley.explain(model, rows, background, method="shapley.exact", device="cpu")
    return model, rows, background, matrix, own


def given_of(scene, method="kernelshap"):
    """Values of one of our methods, as if they came from elsewhere."""
    matrix, own = scene[3], scene[4]
    return replace(own, values=matrix.values[:, matrix.methods.index(method)])


def measured(scene, given, **params):
    model, rows, background, *_ = scene
    return api.measures(model, rows, background, device="cpu", given=given, **{**FAST, **params})


@pytest.mark.parametrize("method", ["kernelshap", "lime", "occlusion", "integrated-gradients"])
def test_our_own_values_get_the_very_numbers_of_our_method(scene, method):
    result = measured(scene, given_of(scene, method))
    ours, theirs = result.methods.index(method), result.methods.index("given")
    for q, measure in enumerate(result.measures):
        found = result.scores[:, theirs, q]
        if measure in AGAIN or measure.endswith("agreement"):
            assert np.isnan(found).all(), measure
        else:
            np.testing.assert_allclose(found, result.scores[:, ours, q], rtol=1e-12, atol=1e-14)
    model, rows, background, without, _ = scene
    matrix = api.faithfulness(
        model, rows, background, device="cpu", given=given_of(scene, method), **SMALL
    )
    ours, theirs = matrix.methods.index(method), matrix.methods.index("given")
    np.testing.assert_allclose(
        np.nan_to_num(matrix.missed[:, theirs]), np.nan_to_num(without.missed[:, ours]), atol=1e-12
    )


def test_the_others_are_measured_as_without_it(scene):
    beside, alone = measured(scene, given_of(scene)), measured(scene, None)
    kept = [beside.methods.index(method) for method in alone.methods]
    columns = [beside.measures.index(measure) for measure in alone.measures]
    np.testing.assert_array_equal(beside.scores[:, kept][:, :, columns], alone.scores)
    assert "rank-agreement" not in alone.measures


def test_infidelity_is_captum_s_for_the_same_perturbations(scene):
    model, rows, background, _, own = scene
    result = measured(scene, own)
    context = Context()
    made = make_scene(model, background, "probability", context, lambda: None)
    subsets = draw_changes(made, context, samples=20, scale=0.25, copies=2, radius=0.05).subsets
    reference = made.reference
    which = 0

    def forward(x):
        return model.predict(x)[:, which]

    def remove(inputs):
        """Captum asks for each row's samples one after the other."""
        marks = subsets.repeat(len(inputs) // len(subsets), 1)
        return marks.double(), torch.where(marks, reference, inputs)

    theirs = infidelity(
        forward, remove, rows.X, torch.from_numpy(own.values[..., which]),
        n_perturb_samples=len(subsets),
    ).numpy()  # fmt: skip
    happened = np.stack([
        (forward(x[None]) - forward(torch.where(subsets, reference, x))).numpy() for x in rows.X
    ])  # fmt: skip
    expected = theirs / (happened**2).mean(1)
    found = result.scores[:, result.methods.index("given"), result.measures.index("infidelity")]
    np.testing.assert_allclose(found[:, which], expected, rtol=1e-6)


def test_agreement_is_the_rank_correlation_and_the_share_of_equal_signs(scene):
    given = scene[4]
    result = measured(scene, given)
    matrix = scene[3]
    ranks, signs = (result.measures.index(f"{name}-agreement") for name in ("rank", "sign"))
    for m in ("lime", "occlusion", "random"):
        values = matrix.values[:, matrix.methods.index(m)]
        place = result.methods.index(m)
        for i, k in np.ndindex(len(values), values.shape[2]):
            # What is nothing but rounding is 0, as for all measures.
            e, g = (
                np.where(np.abs(side) < 1e-9, 0, side)
                for side in (values[i, :, k], given.values[i, :, k])
            )
            assert result.scores[i, place, ranks, k] == pytest.approx(spearmanr(e, g).statistic)
            told = (e != 0) | (g != 0)
            same = np.mean(np.sign(e[told]) == np.sign(g[told]))
            assert result.scores[i, place, signs, k] == pytest.approx(same)
    for i in (i for i, kind in enumerate(result.types) if kind == "slope"):
        assert np.isnan(result.scores[:, i, [ranks, signs]]).all()


def test_signs_of_nothing_do_not_count():
    one = torch.tensor([1.0, 0.0, -2.0, 0.0, torch.nan, 3.0]).double()[None, None, :, None]
    other = torch.tensor([2.0, 0.0, 1.0, 4.0, 1.0, torch.nan]).double()[None, None, :, None]
    assert float(sign_agreement(one, other)) == pytest.approx(1 / 3)
    assert torch.isnan(sign_agreement(0 * one, 0 * other)).all()


def test_outputs_that_it_says_nothing_of_are_not_measured():
    table = tiny_table(task="multiclass")
    model, rows, background = tiny_model(table), table[30:34], table[:12]
    own = shapley.explain(model, rows, background, method="shapley.exact", device="cpu")
    part = replace(
        own, values=own.values[..., 1:2], base_values=own.base_values[:, 1:2],
        predictions=own.predictions[:, 1:2], base_std_errors=own.base_std_errors[1:2],
        output_names=("green",), background_std_errors=None,
    )  # fmt: skip
    result = api.measures(model, rows, background, device="cpu", given=part, **FAST)
    whole = api.measures(model, rows, background, device="cpu", given=own, **FAST)
    at = result.methods.index("given")
    assert np.isnan(result.scores[:, at, :, [0, 2]]).all()
    np.testing.assert_array_equal(result.scores[:, at, :, 1], whole.scores[:, at, :, 1])
    ours = result.methods.index("lime")
    np.testing.assert_array_equal(
        result.scores[:, ours, : result.measures.index("rank-agreement")],
        whole.scores[:, ours, : result.measures.index("rank-agreement")],
    )


def test_rows_are_found_by_their_numbers_and_it_is_kept_and_drawn(scene, tmp_path):
    if scene[0].schema.task != "binary":
        return  # one figure and one page are enough
    given = given_of(scene)
    less = {"copies": 0, "networks": 0}
    result = measured(scene, given, **less)
    turned = measured(scene, given[[2, 0, 3, 1]], **less)
    np.testing.assert_array_equal(result.scores, turned.scores)
    assert result.provenance.params["given"]
    assert "the given explanation is" in " ".join(result.provenance.notes)
    again = load(result.save(tmp_path / "a.measures"))
    np.testing.assert_array_equal(again.scores, result.scores)
    assert "Given explanation" in render(result, "scores").to_json()
    assert measures_sentence(result)
    page = write_report([result], tmp_path / "r.html", title="t").read_text(encoding="utf-8")
    assert "Given explanation" in page


def test_what_was_given_is_never_what_is_recommended(scene):
    model, rows, background, *_ = scene
    matrix = api.faithfulness(model, rows, background, device="cpu", given=given_of(scene), **SMALL)
    for question in QUESTIONS:
        found = advise(matrix, question)
        assert "given" not in {found.method, found.runner_up}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda a: replace(a, unit="log-odds"), "explains log-odds, here"),
        (lambda a: a[:2], "has no row 32 of 'tiny'"),
        (lambda a: replace(a, data=a.data + 1), "explains other values than the rows"),
        (
            lambda a: replace(a, provenance=a.provenance.model_copy(
                update={"model_digest": "f" * 64})),
            "sha256 ffffffff",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(scene, change, said):
    with pytest.raises(InvalidInputError, match=said):
        measured(scene, change(given_of(scene)))


@pytest.mark.parametrize("verb", [api.measures, api.faithfulness])
def test_what_is_no_attribution_yet_is_to_be_taken_in_first(scene, verb):
    model, rows, background, *_ = scene
    with pytest.raises(InvalidInputError, match=r"got ndarray; take it in with import_attribution"):
        verb(model, rows, background, given=np.zeros((4, 3)), device="cpu", **SMALL)
