"""Figures and words of profiles show the numbers of the result."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.networks import tiny_model, tiny_table
from tests.profiles import numbers, profiles_of, some_profiles
from workbench import api
from workbench.core.errors import InvalidInputError
from workbench.plots import options_of, render, views_of
from workbench.plots.profile_groups import curve_groups, group_sentences
from workbench.plots.profile_models import across_sentence
from workbench.plots.profile_pairs import pair_sentence
from workbench.plots.profiles import feature_sentence, profile_sentence, with_order
from workbench.plots.words import number
from workbench.report import to_json, write_report


def drawn(figure, mode):
    return [trace for trace in figure.data if getattr(trace, "mode", None) == mode]


@pytest.mark.parametrize("dark", [False, True])
def test_the_profile_draws_mean_band_and_single_rows(dark):
    result = some_profiles()
    figure = render(result, "profile", feature="x2", dark=dark)
    found = result.profile("x2")
    (mean,) = drawn(figure, "lines+markers")
    np.testing.assert_array_equal(mean.x, found.grid)
    np.testing.assert_array_equal(mean.y, found.mean[0])
    singles, band = drawn(figure, "lines")
    np.testing.assert_array_equal(np.reshape(singles.y, (12, -1))[:, :-1], found.curves)
    np.testing.assert_allclose(max(band.y), (found.mean[0] + 1.96 * found.std_errors[0]).max())
    (rows,) = (trace for trace in figure.data if trace.type == "bar")
    np.testing.assert_array_equal(rows.y, found.counts)
    assert "12 single rows" in figure.layout.annotations[0].text


def test_several_models_widen_the_band():
    result, shifted = some_profiles(), some_profiles()
    both = result.beside([replace(shifted, mean=shifted.mean + 0.5, effects=shifted.effects + 0.5)])
    assert both.n_models == 2
    for view, known in (("profile", "mean"), ("effects", "effects")):
        band = next(trace for trace in render(both, view, feature="x0").data if trace.fill)
        values = getattr(result.profile("x0"), known)[0]
        assert max(band.y) >= values.max() + 0.5
    assert both.to_frame()["model"].nunique() == 2
    with pytest.raises(InvalidInputError, match="not of the same features, grids and rows"):
        result.beside([some_profiles(points=5)])


def test_centred_and_grouped_curves_start_at_nothing():
    result = some_profiles()
    for curves in ("centred", "grouped"):
        figure = render(result, "profile", feature="x0", curves=curves)
        for trace in figure.data:
            if trace.type == "scatter" and trace.mode == "lines" and not trace.fill:
                starts = [
                    y for x, y in zip(trace.x, trace.y, strict=True) if x == min(result.grid[:6])
                ]
                np.testing.assert_allclose(starts, 0, atol=1e-12)
        assert figure.layout.yaxis.title.text.startswith("change of")
    assert "silhouette" in figure.layout.annotations[0].text
    assert len(render(result, "profile", curves="none").data) < len(figure.data)


def test_categories_and_missing_values_stand_apart_by_name():
    result = some_profiles(missing=True)
    figure = render(result, "profile", feature="c1")
    assert list(figure.layout.xaxis.ticktext) == result.profile("c1").labels
    figure = render(result, "profile", feature="x0")
    (alone,) = drawn(figure, "markers")
    assert alone.x[0] > np.nanmax(result.profile("x0").grid)
    assert figure.layout.xaxis.ticktext[-1] == "missing"
    (line,) = drawn(figure, "lines+markers")
    assert np.isfinite(np.array(line.y, dtype=float)).all()


def test_effects_are_drawn_beside_the_mean_curve():
    result = some_profiles(missing=True)
    figure = render(result, "effects", feature="x2")
    found = result.profile("x2")
    (line,) = drawn(figure, "lines+markers")
    np.testing.assert_array_equal(line.y, found.effects[0, :-1])
    assert "has none" in render(result, "effects", feature="c1").layout.annotations[0].text.replace(
        "<br>", " "
    )
    assert set(with_order(result)) == {"x0", "x2", "x4"}


def test_the_map_marks_what_no_row_is_near():
    result = some_profiles(pair="x0,c1", points=6)
    found = result.pair_profile()
    figure = render(result, "pair")
    np.testing.assert_array_equal(np.array(figure.data[0].z), found.mean[0].T)
    assert len(figure.data[1].x) == (found.counts == 0).sum()
    assert "order" in render(result, "pair", surface="effects").layout.annotations[0].text
    numbers = some_profiles()
    figure = render(numbers, "pair", surface="effects")
    np.testing.assert_array_equal(np.array(figure.data[0].z), numbers.pair_profile().effects[0].T)
    assert figure.data[0].zmin == -figure.data[0].zmax


def test_the_map_shows_where_rows_are():
    result = some_profiles(pair_points=5)
    found = result.pair_profile()
    kinds = [trace.type for trace in render(result, "pair").data]
    assert kinds == ["heatmap", "scatter", "heatmap", "contour"]
    _, _, pale, lines = render(result, "pair").data
    np.testing.assert_array_equal(np.isfinite(np.array(pale.z, dtype=float)), found.counts.T == 0)
    np.testing.assert_array_equal(np.array(lines.z), found.counts.T)
    assert "lines: where rows are" in render(result, "pair").layout.annotations[0].text
    # Neighbouring categories are not near each other.
    with_category = render(some_profiles(pair="x0,c1"), "pair")
    assert [trace.type for trace in with_category.data] == ["heatmap", "scatter", "heatmap"]
    # Neither say 60 rows where 100 cells are dense.
    few = render(some_profiles(pair_points=10), "pair")
    assert [trace.type for trace in few.data] == ["heatmap", "scatter", "heatmap"]


@pytest.mark.parametrize("curves", ["none", "plain"])
def test_multiples_show_the_widest_first_on_one_scale(curves):
    result = some_profiles(missing=True)
    figure = render(result, "multiples", curves=curves, most=3)
    order = [int(at) for at in result.ranking()[:3]]
    named = [trace.customdata[0] for trace in figure.data if trace.customdata is not None]
    assert list(dict.fromkeys(named)) == order
    for at, title in zip(order, figure.layout.annotations, strict=False):
        assert title.text.startswith(f"<b>{result.names[at]}</b>")
    (line, *_) = (trace for trace in figure.data if trace.customdata is not None)
    found = result.profile(order[0])
    np.testing.assert_array_equal(line.y, found.mean[0, : len(line.y)])
    scales = [figure.layout[name] for name in figure.layout if name.startswith("yaxis")]
    assert sum(scale.matches is None for scale in scales) == 1
    only = render(result, "multiples", most=1)
    assert len(only.data) < len(figure.data)


def test_the_band_of_a_centred_mean_is_that_of_all_curves():
    # Kept of all rows, the curves say what the error of their mean is.
    result = profiles_of(lambda x: x[:, 0] * x[:, 1], curves=400)
    figure = render(result, "profile", feature="x0", curves="centred")
    found = result.profile("x0")
    each = found.curves - found.curves[:, :1]
    (band,) = (t for t in figure.data if t.type == "scatter" and t.fill)
    half = 1.96 * each.std(0, ddof=1) / np.sqrt(400)
    np.testing.assert_allclose(max(band.y), (each.mean(0) + half).max())


def test_groups_of_curves_are_told_by_the_feature_that_makes_them():
    table = numbers()
    signs = np.where(np.arange(400) % 4 == 0, -1.0, 1.0)
    table = replace(table, X=torch.stack([table.X[:, 0], torch.from_numpy(signs)], 1))
    result = profiles_of(lambda x: x[:, 0] * x[:, 1], table=table)
    found = curve_groups(result, "x0")
    assert [group.name for group in found.groups] == ["A", "B"]
    for group, sign in zip(found.groups, (1, -1), strict=True):
        assert (result.data[group.members, 1] == sign).all()
        np.testing.assert_allclose(group.curve, sign * (result.grid[:20] - result.grid[0]))
    first, second = group_sentences(found)
    assert first.startswith(f"A, {found.groups[0].size} rows: where x1 is at least 1 (true of 100")
    assert "where x1 is at most " in second
    assert "\N{MINUS SIGN}1" in second or "-1" in second
    names = [t.text[0] for t in render(result, "profile", feature="x0", curves="grouped").data
             if t.type == "scatter" and t.mode == "text"]  # fmt: skip
    assert names == [" A", " B"]


def test_curves_of_one_shape_are_one_group():
    straight = curve_groups(profiles_of(lambda x: x[:, 0] + x[:, 1]), "x0")
    assert group_sentences(straight) == [
        "Single rows do not fall into groups: their curves have one shape."
    ]
    assert curve_groups(some_profiles(curves=7)).groups == ()


def test_sentences_of_a_feature_and_a_pair_name_their_ends():
    result = profiles_of(lambda x: x[:, 0] * x[:, 1], pair="x0,x1", pair_points=5)
    found, both = result.profile("x0"), result.pair_profile()
    said = feature_sentence(result, "x0")
    assert f"lies between {number(found.mean[0].min())} (" in said
    moves = np.quantile(np.ptp(found.curves, axis=1), (0.25, 0.75))
    assert said.endswith(f"move by {number(moves[0])} to {number(moves[1])}.")
    assert "single rows" not in feature_sentence(some_profiles(curves=0))
    told = pair_sentence(result)
    seen = both.mean[0][both.counts > 0]
    assert f"between {number(seen.min())} (" in told
    assert f"and {number(seen.max())} (" in told
    # Means over quantiles that lie even: nearly all of a product is beyond each alone.
    assert float(told.rpartition(" is ")[2].partition(" %")[0]) > 90
    adds = pair_sentence(profiles_of(lambda x: x[:, 0] + x[:, 1], pair="x0,x1"))
    assert "alone is less than 0.1 % of" in adds


def test_the_sentence_over_models_says_where_they_differ_and_what_they_agree_on():
    result = some_profiles()
    assert across_sentence(result).startswith("No equally good model was found")
    mean = result.mean.copy()
    at = np.flatnonzero(result.of == 2)[3]
    mean[0, at, 1] += 0.2
    both = result.beside([result, replace(result, mean=mean)])
    low, high = number(result.mean[0, at, 1]), number(mean[0, at, 1])
    said = across_sentence(both, 1)
    assert said.startswith("2 equally good models differ most about x2: at ")
    assert f"from {low} to {high}, this model at {low}." in said
    assert both.spreads(1, 2)[2] > both.spreads(1)[2]
    figure = render(both, "profile", output=1, feature="x2", curves="models")
    lines = drawn(figure, "lines")[0].y
    np.testing.assert_array_equal(
        np.reshape(lines, (2, -1))[:, :-1], both.profile("x2", 1).mean[1:]
    )
    assert "grey: 2 equally good models" in figure.layout.annotations[0].text
    first = next(
        t for t in render(both, "multiples", output=1, order="differs").data if t.customdata
    )
    assert first.customdata[0] == 2


def test_views_and_options_are_those_with_something_to_say():
    assert views_of(some_profiles()) == ("profile", "effects", "pair", "multiples")
    assert views_of(some_profiles(pair="", features="c1")) == ("profile", "multiples")
    result = some_profiles()
    assert options_of(result, "profile")["feature"][0] == result.names[result.ranking()[0]]
    for view, option, message in (
        ("profile", "curves", "There are no curves 'x'"),
        ("pair", "surface", "There is no surface 'x'"),
        ("effects", "mean", "The mean curve cannot be 'x'"),
        ("multiples", "curves", "There are no curves 'x'"),
        ("multiples", "order", "There is no order 'x'"),
    ):
        with pytest.raises(InvalidInputError, match=message):
            render(result, view, **{option: "x"})
    with pytest.raises(InvalidInputError, match="no profile of feature 'age'"):
        render(result, "profile", feature="age")


def test_names_of_a_user_are_escaped():
    table = tiny_table()
    bad = "<b>x</b> <img src=x>"
    first = table.schema.features[0].model_copy(update={"name": bad})
    second = table.schema.features[1].model_copy(update={"categories": (bad, "b", "c")})
    schema = table.schema.model_copy(
        update={"features": (first, second, *table.schema.features[2:])}
    )
    table = replace(table, schema=schema)
    result = api.profiles(tiny_model(table), table, device="cpu", pair=f"{bad},c1")
    for view in views_of(result):
        for feature in (bad, "c1"):
            options = {} if view in {"pair", "multiples"} else {"feature": feature}
            assert "<img" not in render(result, view, **options).to_json()


def test_the_sentence_names_the_widest_and_its_ends():
    result = some_profiles()
    said = profile_sentence(result)
    widest = result.profile()
    start = "Over 60 rows of tiny, the mean probability of yes changes most with "
    assert said.startswith(f"{start}{widest.feature.name}: from")
    assert f"({widest.labels[int(widest.mean[0].argmax())]})" in said
    flat = replace(result, mean=np.zeros_like(result.mean))
    assert "changes with none of the features" in profile_sentence(flat)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_report_holds_the_figures_and_the_table(tmp_path, task):
    result = some_profiles(task, missing=True)
    page = write_report([result], tmp_path / "report.html", title="Report").read_text()
    assert profile_sentence(result).split(":")[0].split(",")[0] in page
    assert "Accumulated local effects" in page
    assert "NaN" not in to_json(result)
    assert page.count('role="img"') == 1 + len(result.ranking()[:3]) + len([
        name for name in with_order(result) if result.names.index(name) in result.ranking()[:3]
    ])
