"""Attributions of elsewhere become ours: the same numbers, whatever they came in, or a sentence."""

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch

from tests.networks import tiny_model, tiny_table
from workbench.checks import run_checks
from workbench.core.errors import DataError, InvalidInputError
from workbench.engines import shapley
from workbench.interop import to_arrow, write_parquet
from workbench.interop.importing import import_attribution
from workbench.plots import render
from workbench.report.html import write_report

TASKS = ["binary", "multiclass", "regression"]


def case(task="binary", **changes):
    table = tiny_table(task=task, **changes)
    model = tiny_model(table)
    own = shapley.explain(
        model, table[30:34], table[:12], method="shapley.exact", device="cpu", seed=0
    )
    return model, table, own


def take(model, table, source, **settings):
    return import_attribution(source, model, table[30:34], table[:12], **settings)


def same(found, own):
    for name in ("values", "base_values", "predictions", "data"):
        np.testing.assert_allclose(getattr(found, name), getattr(own, name), atol=1e-9)
    assert found.output_names == own.output_names
    assert found.unit == own.unit
    assert found.ids.tolist() == own.ids.tolist()


@pytest.mark.parametrize("task", TASKS)
def test_every_source_gives_our_own_numbers_back(task, tmp_path):
    model, table, own = case(task)
    k = own.values.shape[2]
    by = partial(take, model, table)
    frame = own.to_frame()
    same(by(own.to_shap()), own)
    same(by(frame), own)
    same(by(to_arrow(own)), own)
    same(by(write_parquet(own, tmp_path / "a.parquet")), own)
    frame.to_csv(tmp_path / "a.csv", index=False)
    same(by(tmp_path / "a.csv"), own)
    base = own.base_values
    same(by(own.values, base_values=base), own)
    same(by(torch.from_numpy(own.values), base_values=base), own)
    same(by([own.values[..., i] for i in range(k)], base_values=base), own)


def test_a_file_is_known_by_its_digest_and_notes_say_what_was_done(tmp_path):
    import hashlib

    model, table, own = case()
    path = write_parquet(own, tmp_path / "a.parquet")
    found = take(model, table, path, made_by="another program")
    record = found.provenance
    assert record.params["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert record.params["source"] == "file a.parquet"
    assert (record.method, record.title) == ("imported", "Imported: another program")
    assert (record.seed, record.evaluations, record.params["base"]) == (0, 0, "given")
    other = take(model, table, own.values, base_values=0.5)
    assert any("model's features in their order" in note for note in other.provenance.notes)
    changed = own.values.copy()
    changed[0, 0, 0] += 1
    digests = {take(model, table, v, base_values=0.5).provenance.params["sha256"]
               for v in (own.values, changed)}  # fmt: skip
    assert len(digests) == 2


def test_columns_and_rows_are_matched_by_name_and_number():
    model, table, own = case()
    wide = pd.DataFrame(own.values[:, :, 1], columns=list(own.names))
    wide.insert(0, "row", own.ids)
    wide["base_value"] = own.base_values[:, 1]
    turned = wide[["x4", "row", "c1", "x0", "base_value", "x2", "c3"]].iloc[[2, 0]]
    found = take(model, table, turned, of="yes")
    same(found, own[[2, 0]])
    notes = " ".join(found.provenance.notes)
    assert "columns were put into the model's order" in notes
    assert "2 rows of the table had no attributions" in notes
    assert "those of the other class are those of yes with the sign turned" in notes


def test_a_wide_table_of_all_outputs_says_which_by_its_column():
    model, table, own = case("multiclass")
    parts = []
    for k, name in enumerate(own.output_names):
        part = pd.DataFrame(own.values[:, :, k], columns=list(own.names))
        parts.append(part.assign(row=own.ids, output=name, base_value=own.base_values[:, k]))
    same(take(model, table, pd.concat(parts[::-1])), own)


def test_one_class_of_several_is_enough_and_is_shown_first():
    model, table, own = case("multiclass")
    found = take(model, table, own.to_shap("green"), of="green")
    assert found.output_names == ("green",)
    np.testing.assert_array_equal(found.values[..., 0], own.values[..., 1])
    assert found.output_index(None) == 0


@pytest.mark.parametrize("output", ["probability", "score"])
def test_the_other_class_of_two_is_the_mirror_image(output):
    table = tiny_table()
    model = tiny_model(table)
    own = shapley.explain(
        model, table[30:34], table[:12], method="shapley.exact", device="cpu", output=output
    )
    found = take(model, table, own.to_shap("no"), of="no", output=output)
    same(found, own)


def test_one_hot_columns_are_added_up_where_that_is_asked_for():
    model, table, own = case()
    encoded, columns = [], []
    rng = np.random.default_rng(0)
    for j, feature in enumerate(own.schema.features):
        parts = feature.categories or ("",)
        shares = rng.dirichlet(np.ones(len(parts)))
        for share, part in zip(shares, parts, strict=True):
            encoded.append(own.values[:, j] * share)
            columns.append(f"{feature.name}_{part}" if part else feature.name)
    values = np.stack(encoded, 1)
    frame = pd.DataFrame(values[:, :, 1], columns=columns)
    settings = {"of": "yes", "base_values": own.base_values[:, 1:]}
    with pytest.raises(InvalidInputError, match=r"with one_hot='sum' \(--one-hot sum\)"):
        take(model, table, frame, **settings)
    found = take(model, table, frame, one_hot="sum", **settings)
    same(found, own)
    assert "the columns of 2 encoded features were added up" in found.provenance.notes


def test_inputs_of_the_network_are_added_up_by_the_encoder_s_groups():
    model, table, own = case()
    groups = model.groups.numpy()
    values = np.random.default_rng(1).normal(size=(4, len(groups), 2))
    found = take(model, table, values, one_hot="sum", base_values=0.5)
    for j in range(len(own.names)):
        np.testing.assert_allclose(found.values[:, j], values[:, groups == j].sum(1))


def test_standard_errors_come_along_and_are_not_those_of_a_sum():
    model, table, own = case()
    errors = np.full_like(own.values, 0.01)
    given = replace(own, std_errors=errors)
    np.testing.assert_array_equal(take(model, table, given.to_shap()).std_errors, errors)
    np.testing.assert_array_equal(take(model, table, given.to_frame()).std_errors, errors)
    assert take(model, table, own.to_frame()).std_errors is None


def test_without_a_base_value_the_mean_prediction_stands_in_and_no_check_judges_the_sum():
    model, table, own = case()
    found = take(model, table, own.values)
    mean = model.predict(table[:12].X).numpy().mean(0)
    np.testing.assert_allclose(found.base_values, np.tile(mean, (4, 1)))
    assert "the mean prediction of 12 rows of tiny stands in" in " ".join(found.provenance.notes)
    outcomes = {outcome.code: outcome for outcome in run_checks(found)}
    assert outcomes["WB001"].status == "not_applicable"
    assert "No base value came with these attributions" in outcomes["WB001"].sentence
    for code in ("WB002", "WB003", "WB005"):
        assert outcomes[code].status == "not_applicable"
        assert "mported" in outcomes[code].sentence


def test_attributions_that_do_not_add_up_are_found_out():
    model, table, own = case()
    fine = take(model, table, own.to_shap())
    assert next(o for o in run_checks(fine) if o.code == "WB001").status == "ok"
    wrong = own.to_shap()
    wrong.values[2, 1, :] += 0.2
    found = next(o for o in run_checks(take(model, table, wrong)) if o.code == "WB001")
    assert found.status == "failure"
    assert "by up to 0.2 (row 32)" in found.sentence


def test_figures_and_reports_take_it_like_any_other(tmp_path):
    model, table, own = case()
    found = take(model, table, own.to_shap(), made_by="<b>x</b>")
    assert render(found, "waterfall", row=0).data
    assert render(found, "bar").data
    text = write_report([found], tmp_path / "r.html", title="t").read_text(encoding="utf-8")
    assert "Imported: &lt;b&gt;x&lt;/b&gt;" in text


def test_shapiq_values_of_single_features():
    import shapiq

    model, table, own = case("regression")
    parts = [
        shapiq.InteractionValues(
            values, index="SV", max_order=1, min_order=1, n_players=5, baseline_value=float(base)
        )
        for values, base in zip(own.values[..., 0], own.base_values[:, 0], strict=True)
    ]
    same(take(model, table, parts), own)
    pairs = shapiq.InteractionValues(
        np.zeros(15), index="k-SII", max_order=2, min_order=1, n_players=5
    )
    with pytest.raises(InvalidInputError, match="an attribution has single features alone"):
        take(model, table, [pairs] * 4)


def broken(change):
    """A long table with a fault."""
    return lambda own: change(own.to_frame())


def renamed(own):
    frame = pd.DataFrame(own.values[:, :, 1], columns=list(own.names))
    return frame.rename(columns={"x0": "age"})


@pytest.mark.parametrize(
    ("source", "settings", "said"),
    [
        (lambda _: {"x": 1}, {}, "cannot be read from an object of type dict"),
        (lambda own: own.values.astype(object), {}, "holds object, where numbers are needed"),
        (lambda _: np.zeros((2, 2, 2, 2)), {}, r"has shape \(2, 2, 2, 2\)"),
        (lambda _: np.zeros((4, 0)), {}, "it is empty"),
        (lambda _: pd.DataFrame(), {}, "it has no lines"),
        (lambda own: own.values[:, :3], {}, "have 3 columns without names; .* has 5 features"),
        (renamed, {}, "lack a column for 'x0' and have 'age', which is no feature"),
        (lambda own: own.values[:3], {}, "are of 3 rows, table 'tiny' has 4 rows here"),
        (lambda own: own.values[..., 1], {}, r"of one output, .*of='yes'"),
        (lambda own: own.values[..., 1], {"of": "maybe"}, "has no output 'maybe'"),
        (lambda own: own.values[:, :, [0, 1, 1]], {}, "of 3 outputs, model tiny@1 has 2"),
        (lambda own: own.values, {"base_values": np.zeros(7)}, r"shape \(7,\) do not go with 4"),
        (lambda own: own.values, {"base_values": np.nan}, "base value is no finite number"),
        (lambda own: own.values * np.nan, {}, "of 'x0' in row 30 is no finite number"),
        (lambda own: own.values, {"output": "logit"}, "output is 'probability' or 'score'"),
        (lambda own: own.values, {"one_hot": "yes"}, "one_hot is 'refuse' or 'sum'"),
        (broken(lambda f: f.drop(index=3)), {}, "no line for feature 'c3' of row 30"),
        (broken(lambda f: pd.concat([f, f[:1]])), {}, "are 2 lines for feature 'x0' of row 30"),
        (broken(lambda f: f.assign(row=f["row"] + 9)), {}, "Row 39 is explained"),
        (broken(lambda f: f.assign(row=-1.5)), {}, "has -1.5, where the number of a row"),
        (broken(lambda f: f.assign(attribution="a")), {}, "'attribution' of .* has 'a' in line 1"),
        (broken(lambda f: f.assign(base_value=np.arange(len(f)))), {}, "different things of one"),
        (broken(lambda f: f.assign(prediction=0.9 - f["prediction"])), {}, "of another scale"),
        (broken(lambda f: f.assign(output="maybe")), {}, "lines for feature 'x0' of row 30"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_in_a_sentence(source, settings, said):
    model, table, own = case()
    with pytest.raises(InvalidInputError, match=said):
        take(model, table, source(own), **settings)


def test_files_that_would_have_to_be_executed_are_refused(tmp_path):
    model, table, _ = case()
    (tmp_path / "a.pkl").write_bytes(b"\x80\x04N.")
    with pytest.raises(DataError, match="of a kind that is not read"):
        take(model, table, tmp_path / "a.pkl")
    with pytest.raises(DataError, match="There is no file"):
        take(model, table, tmp_path / "b.csv")
