"""Results: what is saved comes back bit for bit, and nothing else comes back at all."""

import json
import struct
import warnings
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors import safe_open
from safetensors.numpy import save_file
from scipy import stats

from workbench.core import result as result_file
from workbench.core.errors import InvalidInputError, ResultFileError
from workbench.core.provenance import Provenance
from workbench.core.results import Attribution, load
from workbench.core.schema import Feature, Schema

PROVENANCE = Provenance(
    method="shapley.exact",
    title="Exact Shapley values",
    reference="Shapley (1953)",
    params={"budget": 8, "link": "identity"},
    seed=3,
    model="toy@1",
    model_digest="a" * 64,
    table="people",
    table_digest="b" * 64,
    n_rows=4,
    background="people/train",
    background_digest="c" * 64,
    n_background=100,
    evaluations=12_800,
    chunk_rows=8192,
    seconds=0.25,
    device="cpu",
    dtype="float32",
    versions={"python": "3.11"},
    created="2026-01-02T03:04:05Z",
)
SCHEMA = Schema(
    features=(
        Feature(name="age", integer=True, unit="years"),
        Feature(name="hours"),
        Feature(name="sex", kind="categorical", categories=("Female", "Male")),
    ),
    target="income",
    task="binary",
    classes=("low", "high"),
    favourable="high",
)


def attribution(n=4, *, sampled=False):
    """Attributions that add up to the prediction."""
    rng = np.random.default_rng(0)
    values, base = rng.normal(size=(n, 3, 2)), rng.normal(size=(n, 2))
    return Attribution(
        provenance=PROVENANCE,
        values=values,
        base_values=base,
        predictions=base + values.sum(1),
        data=np.column_stack([np.arange(n) + 20.0, rng.normal(size=n), np.arange(n) % 2]),
        ids=np.arange(n) + 10,
        truth=np.full(n, np.nan),
        base_std_errors=np.array([0.1, 0.2]),
        schema=SCHEMA,
        output_names=("low", "high"),
        unit="log-odds",
        std_errors=rng.uniform(0.1, 1, size=(n, 3, 2)) if sampled else None,
        dof=5.0 if sampled else None,
    )


@pytest.fixture
def saved(tmp_path):
    return attribution(2).save(tmp_path / "result")


def any_attribution(draw):
    """Build any attribution there can be, from 0 rows on.

    Not a strategy: checking its types, beartype uses random numbers that strategies must not.
    """
    n, d, k = (draw(st.integers(low, 4)) for low in (0, 1, 1))

    def array(*shape):
        return draw(hnp.arrays(np.float64, shape, elements=st.floats(width=64)))

    names = draw(st.lists(st.text(min_size=1), min_size=d, max_size=d, unique=True))
    return Attribution(
        provenance=PROVENANCE.model_copy(update={"notes": tuple(draw(st.lists(st.text())))}),
        values=array(n, d, k),
        base_values=array(n, k),
        predictions=array(n, k),
        data=array(n, d),
        ids=draw(hnp.arrays(np.int64, n)),
        truth=array(n),
        base_std_errors=array(k),
        schema=Schema(features=tuple(Feature(name=name) for name in names)),
        output_names=tuple(draw(st.lists(st.text(), min_size=k, max_size=k))),
        unit=draw(st.text()),
        std_errors=array(n, d, k) if draw(st.booleans()) else None,
        background_std_errors=array(d, k) if draw(st.booleans()) else None,
        dof=draw(st.none() | st.floats(1, 1e6)),
    )


def assert_same(got, expected):
    assert type(got) is type(expected)
    for field in fields(expected):
        ours, theirs = getattr(expected, field.name), getattr(got, field.name)
        if isinstance(ours, np.ndarray):
            assert (theirs.dtype, theirs.shape) == (ours.dtype, ours.shape), field.name
            assert theirs.tobytes() == ours.tobytes(), field.name
        else:
            assert theirs == ours, field.name


@given(st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_saved_comes_back_bit_for_bit(tmp_path, data):
    result, path = any_attribution(data.draw), tmp_path / "result"
    assert result.save(str(path)) == path
    assert_same(load(path), result)


def test_arrays_in_another_order_and_precision_come_back_bit_for_bit(tmp_path):
    result = attribution(4, sampled=True)
    turned = np.asfortranarray(result.values.astype(np.float32))
    result = replace(result, values=turned[::2], **{
        name: getattr(result, name)[::2]
        for name in ("base_values", "predictions", "data", "ids", "truth", "std_errors")
    })  # fmt: skip
    assert_same(load(result.save(tmp_path / "result")), result)


def test_a_second_save_replaces_the_first_as_a_whole(tmp_path):
    path = attribution(1).save(tmp_path / "new" / "result")
    attribution(2).save(path)
    assert len(load(path)) == 2
    assert list(path.parent.iterdir()) == [path]


def test_a_failed_save_leaves_the_old_file_and_no_part(tmp_path, monkeypatch):
    def fill_the_disk(part, content):
        with part.open("wb") as file:
            file.write(content[:100])
        raise OSError("No space left on device")

    path = attribution(1).save(tmp_path / "result")
    monkeypatch.setattr(Path, "write_bytes", fill_the_disk)
    with pytest.raises(OSError, match="No space left"):
        attribution(2).save(path)
    assert len(load(path)) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_one_flipped_bit_anywhere_is_refused(saved):
    content = saved.read_bytes()
    for place in range(len(content)):
        broken = bytearray(content)
        broken[place] ^= 1 << (place % 8)
        saved.write_bytes(broken)
        with pytest.raises(ResultFileError, match=r"changed after it was written|cut short"):
            load(saved)


@given(place=st.integers(0, 10**6), value=st.integers(0, 255))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_another_byte_anywhere_is_refused_unless_it_is_another_blank(saved, place, value):
    content = attribution(2).save(saved).read_bytes()
    broken = bytearray(content)
    place %= len(content)
    broken[place] = value
    saved.write_bytes(broken)
    # The header is padded with blanks behind its last brace; JSON knows four that mean the same.
    end = 8 + struct.unpack("<Q", content[:8])[0]
    padding = range(content.rindex(b"}", 0, end) + 1, end)
    if broken == content or (place in padding and value in b" \t\n\r"):
        assert_same(load(saved), attribution(2))
    else:
        with pytest.raises(ResultFileError):
            load(saved)


def test_a_file_cut_anywhere_or_grown_is_refused(saved):
    content = saved.read_bytes()
    for broken in [*(content[:size] for size in range(len(content))), content + b"\0"]:
        saved.write_bytes(broken)
        with pytest.raises(ResultFileError, match=r"is not a result file; it may be cut short\.$"):
            load(saved)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(ResultFileError, match=r"^There is no result file '.*nowhere'\.$"):
        load(tmp_path / "nowhere")
    with pytest.raises(ResultFileError, match=r"' is a folder; name a file in it\.$"):
        load(tmp_path)


@pytest.mark.parametrize("dtype", ["BF16", "F8_E4M3", "F8_E5M2", "C64", "X9"])
def test_numbers_that_numpy_does_not_know_are_refused(tmp_path, dtype):
    size = {"BF16": 2, "C64": 8}.get(dtype, 1)
    array = {"dtype": dtype, "shape": [1], "data_offsets": [0, size]}
    header = json.dumps({"values": array}).encode()
    path = tmp_path / "result"
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(size))
    with pytest.raises(ResultFileError):
        load(path)


def test_other_safetensors_files_are_refused(tmp_path):
    save_file({"weight": np.ones(3)}, tmp_path / "weights")
    with pytest.raises(ResultFileError, match="changed after it was written; run the analysis"):
        load(tmp_path / "weights")


def forge(path, *, change=None, text=None, arrays=None):
    """Rewrite a result with a digest that fits, as someone would who means it."""
    with safe_open(path, framework="np") as file:
        content = json.loads(file.metadata()["workbench"])
        kept = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    if change:
        change(content)
    text = json.dumps(content) if text is None else text
    kept = {name: array for name, array in (kept | (arrays or {})).items() if array is not None}
    save_file(kept, path, metadata={"workbench": text, "sha256": result_file._digest(kept, text)})


def test_a_newer_format_asks_for_a_newer_workbench(saved):
    forge(saved, change=lambda content: content.update(format=2))
    message = r"has format 2, this version reads up to 1; update the workbench\.$"
    with pytest.raises(ResultFileError, match=message):
        load(saved)


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.update(kind="surprise"),
        lambda content: content.update(kind=["attribution"]),
        lambda content: content.update(kind="os.system"),
        lambda content: content.update(format="1"),
        lambda content: content.pop("kind"),
        lambda content: content.pop("format"),
        lambda content: content.update(fields=[1]),
        lambda content: content["fields"].pop("schema"),
        lambda content: content["fields"].pop("unit"),
        lambda content: content["fields"].update(surprise=1),
        lambda content: content["fields"].update(unit=3),
        lambda content: content["fields"].update(dof="many"),
        lambda content: content["fields"].update(output_names="ab"),
        lambda content: content["fields"].update(output_names=["a"]),
        lambda content: content["fields"].update(std_errors="none"),
        lambda content: content["fields"].update(values=[[[1.0]]]),
        lambda content: content["fields"]["schema"].update(features=[]),
        lambda content: content["fields"]["provenance"].pop("seed"),
    ],
)
def test_content_that_does_not_fit_is_refused_even_with_a_digest_that_does(saved, change):
    forge(saved, change=change)
    with pytest.raises(ResultFileError, match="is not a result that this version knows"):
        load(saved)


@pytest.mark.parametrize("text", ["", "[" * 100_000, "[]", "null", '"attribution"', "{"])
def test_text_that_is_no_result_is_refused_even_with_a_digest_that_fits(saved, text):
    forge(saved, text=text)
    with pytest.raises(ResultFileError, match="is not a result that this version knows"):
        load(saved)


@pytest.mark.parametrize(
    "arrays",
    [
        {"values": None},
        {"values": np.ones((2, 3))},
        {"values": np.ones((2, 3, 1))},
        {"values": np.ones((2, 3, 2), dtype=np.int64)},
        {"ids": np.ones(2)},
        {"truth": np.ones(3)},
        {"surprise": np.ones(1)},
        {"schema": np.ones(1)},
        {"unit": np.ones(1)},
    ],
)
def test_arrays_that_do_not_fit_are_refused_even_with_a_digest_that_does(saved, arrays):
    forge(saved, arrays=arrays)
    with pytest.raises(ResultFileError, match="is not a result that this version knows"):
        load(saved)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"base_values": np.ones((4, 3))}, r"needs base_values of shape \(4, 2\), got \(4, 3\)\.$"),
        ({"ids": np.arange(3)}, r"needs ids of shape \(4,\), got \(3,\)\.$"),
        (
            {"std_errors": np.ones((4, 3, 1))},
            r"needs std_errors of shape \(4, 3, 2\), got \(4, 3, 1\)",
        ),
        (
            {"background_std_errors": np.ones((3, 1))},
            r"needs background_std_errors of shape \(3, 2\)",
        ),
        ({"output_names": ("high",)}, r"^Attribution of shape \(4, 3, 2\) does not fit its names"),
        ({"schema": Schema(features=(Feature(name="a"),))}, "does not fit its names"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(change, message):
    # Where shapes are enforced while testing, they are refused before our own check sees them.
    result = attribution(4)
    parts = {field.name: getattr(result, field.name) for field in fields(result)} | change
    bare = object.__new__(Attribution)
    for name, part in parts.items():
        object.__setattr__(bare, name, part)
    with pytest.raises(InvalidInputError, match=message):
        bare.__post_init__()


def test_rows_are_selected_with_everything_that_belongs_to_them():
    result = attribution(4, sampled=True)
    for rows in (slice(1, 3), [1, 2], np.array([1, 2])):
        part = result[rows]
        assert len(part) == 2
        np.testing.assert_array_equal(part.ids, [11, 12])
        for name in ("values", "base_values", "predictions", "data", "truth", "std_errors"):
            np.testing.assert_array_equal(getattr(part, name), getattr(result, name)[1:3])
        assert part.provenance == result.provenance
        assert part.base_std_errors is result.base_std_errors, "of all rows together"
    assert_same(result[2], result[2:3])
    assert_same(result[np.int64(2)], result[2:3])
    assert attribution(4)[1:3].std_errors is None


def test_the_gap_is_what_the_attributions_leave_unexplained():
    result = attribution(4)
    np.testing.assert_allclose(result.gap, 0, atol=1e-12)
    moved = replace(result, predictions=result.predictions + np.array([0.5, -0.25]))
    np.testing.assert_allclose(moved.gap, np.tile([0.5, -0.25], (4, 1)), atol=1e-12)


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.99])
def test_half_widths_are_the_quantiles_of_t_or_of_the_normal(level):
    sampled = attribution(3, sampled=True)
    t = stats.t(5).interval(level)[1]
    np.testing.assert_allclose(sampled.half_widths(level), t * sampled.std_errors, rtol=1e-12)
    normal = replace(sampled, dof=None).half_widths(level)
    z = stats.norm.interval(level)[1]
    np.testing.assert_allclose(normal, z * sampled.std_errors, rtol=1e-12)
    np.testing.assert_array_equal(attribution(3).half_widths(level), 0)


def test_of_many_classes_the_one_predicted_most_is_the_default():
    schema = Schema(features=SCHEMA.features, target="c", task="multiclass", classes=tuple("abc"))
    rows = attribution(4)
    wide = {name: np.repeat(getattr(rows, name), 2, axis=-1)[..., :3]
            for name in ("values", "base_values", "base_std_errors")}  # fmt: skip
    predictions = np.array([[0.9, 0.05, 0.05], *[[0.2, 0.5, 0.3]] * 3])
    names = {"schema": schema, "output_names": tuple("abc"), "predictions": predictions}
    several = replace(rows, **wide, **names)
    assert several.output_index(None) == 1
    assert several[0].output_index(None) == 0
    assert rows.output_index(None) == 1, "of two classes the favourable one"


def test_uncertainty_adds_both_errors_in_squares():
    sampled = attribution(3, sampled=True)
    drawn = np.full((3, 2), 0.3)
    both = replace(sampled, background_std_errors=drawn, background_dof=9.0)
    t5, t9 = (stats.t(dof).interval(0.9)[1] for dof in (5, 9))
    expected = np.sqrt((t5 * sampled.std_errors) ** 2 + (t9 * 0.3) ** 2)
    np.testing.assert_allclose(both.uncertainty(0.9), expected)
    assert both.sources_of_error == ("coalitions", "background rows")
    np.testing.assert_array_equal(sampled.uncertainty(), sampled.half_widths())
    assert sampled.sources_of_error == ("coalitions",)
    alone = replace(attribution(3), background_std_errors=drawn)
    np.testing.assert_allclose(alone.uncertainty(), 1.959963984540054 * 0.3)
    assert attribution(3).sources_of_error == ()


def test_half_widths_are_of_95_percent_by_default():
    sampled = replace(attribution(1, sampled=True), dof=None)
    np.testing.assert_allclose(sampled.half_widths(), 1.959963984540054 * sampled.std_errors)


def test_outputs_are_found_by_name_position_or_default():
    result = attribution(1)
    assert result.output_index("low") == 0
    assert result.output_index("high") == 1
    assert result.output_index(0) == 0
    assert result.output_index(None) == 1, "the favourable class"
    assert result.names == ("age", "hours", "sex")


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("middle", r"^There is no output 'middle'; choose one of low, high\.$"),
        (2, r"^There is no output 2; the last one is 1\.$"),
        (-1, r"^There is no output -1; the last one is 1\.$"),
    ],
)
def test_unknown_outputs_are_named(output, message):
    with pytest.raises(InvalidInputError, match=message):
        attribution(1).output_index(output)


@pytest.mark.parametrize("output", ["low", 1, None])
def test_importance_is_the_mean_absolute_attribution(output):
    result = attribution(40)
    frame = result.importance(output)
    assert list(frame.columns) == ["feature", "importance", "std_error", "mean"]
    assert (np.diff(frame["importance"]) <= 0).all(), "not the largest first"
    values = result.values[:, :, result.output_index(output)]
    for line in frame.itertuples():
        column = values[:, result.names.index(line.feature)]
        assert line.importance == pytest.approx(np.mean(np.abs(column)))
        assert line.std_error == pytest.approx(stats.sem(np.abs(column)))
        assert line.mean == pytest.approx(np.mean(column))
    assert sorted(frame["feature"]) == sorted(result.names)


def test_a_folder_is_no_file_to_save_to(tmp_path):
    with pytest.raises(ResultFileError, match="is a folder; name a file in it"):
        attribution(2).save(tmp_path)
    assert not list(tmp_path.iterdir())


def test_noise_that_rows_share_stays_in_their_mean():
    """Coalitions of each row's own average out; shared ones may move all rows alike."""
    own = replace(attribution(50, sampled=True), std_errors=np.full((50, 3, 2), 0.4))
    provenance = own.provenance.model_copy(update={"params": {"draw": "shared"}})
    shared = replace(own, provenance=provenance)
    apart, together = (r.importance()["std_error"].to_numpy() for r in (own, shared))
    np.testing.assert_allclose(together, np.hypot(apart, 0.4))


def test_the_importance_over_one_row_has_no_standard_error():
    assert attribution(1).importance()["std_error"].isna().all()


@pytest.mark.parametrize("sampled", [False, True])
@pytest.mark.parametrize("drawn", [False, True])
def test_the_frame_has_one_line_per_row_output_and_feature(sampled, drawn):
    result = attribution(3, sampled=sampled)
    if drawn:
        result = replace(result, background_std_errors=np.arange(1.0, 7).reshape(3, 2))
    frame = result.to_frame()
    assert list(frame.columns) == [
        "row", "output", "feature", "value", "attribution", "std_error",
        "background_std_error", "low", "high", "base_value", "prediction", "unit",
    ]  # fmt: skip
    assert len(frame) == 3 * 2 * 3
    half = result.uncertainty()
    lines = frame.set_index(["row", "output", "feature"])
    for i in range(3):
        for k, output in enumerate(("low", "high")):
            for j, feature in enumerate(SCHEMA.features):
                line = lines.loc[10 + i, output, feature.name]
                assert line["value"] == feature.show(result.data[i, j])
                assert line["attribution"] == result.values[i, j, k]
                assert line["std_error"] == (result.std_errors[i, j, k] if sampled else 0)
                from_background = line["background_std_error"]
                assert from_background == 2 * j + k + 1 if drawn else np.isnan(from_background)
                assert line["low"] == result.values[i, j, k] - half[i, j, k]
                assert line["high"] == result.values[i, j, k] + half[i, j, k]
                assert line["base_value"] == result.base_values[i, k]
                assert line["prediction"] == result.predictions[i, k]
                assert line["unit"] == "log-odds"


def test_the_frame_says_which_values_are_missing():
    result = attribution(2)
    data = result.data.copy()
    data[0, 2] = np.nan
    assert list(replace(result, data=data).to_frame()["value"][:3]) == [
        "20 years", f"{data[0, 1]:.4g}", "missing",
    ]  # fmt: skip


def test_shap_gets_the_same_numbers():
    result = attribution(3, sampled=True)
    for output, k in (("low", 0), (1, 1)):
        theirs = result.to_shap(output)
        np.testing.assert_array_equal(theirs.values, result.values[:, :, k])
        np.testing.assert_array_equal(theirs.base_values, result.base_values[:, k])
        np.testing.assert_array_equal(theirs.error_std, result.std_errors[:, :, k])
        np.testing.assert_array_equal(theirs.data, result.data)
        assert theirs.feature_names == ["age", "hours", "sex"]
        np.testing.assert_allclose(
            theirs.values.sum(1) + theirs.base_values, result.predictions[:, k]
        )
    everything = result.to_shap()
    assert everything.values.shape == (3, 3, 2)
    assert everything.output_names == ["low", "high"]
    np.testing.assert_array_equal(everything[:, :, "high"].values, result.values[:, :, 1])
    assert attribution(1).to_shap("high").error_std is None


def test_shap_slices_by_feature_name_and_shows_categories():
    result = attribution(4)
    theirs = result.to_shap("high")
    np.testing.assert_array_equal(theirs[:, "sex"].values, result.values[:, 2, 1])
    np.testing.assert_array_equal(theirs[:, "age"].data, result.data[:, 0])
    assert list(theirs[:, "sex"].display_data) == ["Female", "Male", "Female", "Male"]
    assert theirs[1].display_data[0] == 21.0


def test_shap_s_copy_is_its_own():
    result = attribution(2)
    before = result.values.copy()
    theirs = result.to_shap("high")
    theirs.values[:] = 0
    theirs.data[:] = 0
    np.testing.assert_array_equal(result.values, before)
    assert result.data[0, 0] == 20


@pytest.fixture
def shap_plots():
    """Plots of shap that draw into nothing; their own deprecations are not ours to fix."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import shap

        yield shap.plots
    plt.close("all")


def test_shap_s_waterfall_leads_from_base_to_prediction(shap_plots):
    result = attribution(3)
    axes = shap_plots.waterfall(result.to_shap("high")[1], show=False)
    axes.figure.canvas.draw()
    texts = [text.get_text() for part in axes.figure.axes for text in part.texts]
    labels = [tick.get_text() for part in axes.figure.axes for tick in part.get_xticklabels()]
    shown = " ".join(texts + labels).replace("\N{MINUS SIGN}", "-")
    assert f" = {result.predictions[1, 1]:.3f}" in shown
    assert f" = {result.base_values[1, 1]:.3f}" in shown
    for value in result.values[1, :, 1]:
        assert f"{value:+.2f}" in shown
    names = " ".join(tick.get_text() for tick in axes.get_yticklabels())
    assert "Male = sex" in names


def test_shap_s_beeswarm_draws_every_row_of_every_feature(shap_plots):
    result = attribution(20)
    axes = shap_plots.beeswarm(result.to_shap("high"), show=False)
    axes.figure.canvas.draw()
    drawn = sum(len(part.get_offsets()) for part in axes.collections)
    assert drawn == 20 * 3
    assert {tick.get_text() for tick in axes.get_yticklabels()} >= {"age", "hours", "sex"}


def test_provenance_is_one_line_for_a_figure():
    assert PROVENANCE.describe() == (
        "shapley.exact · 4 rows of people · background: people/train · toy@1 sha256 aaaaaaaa · "
        "table sha256 bbbbbbbb · seed 3 · 12,800 model evaluations in 0.25 s on cpu · "
        "Shapley (1953)"
    )
