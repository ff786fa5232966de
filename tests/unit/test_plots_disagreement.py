"""Two results against each other: the figure, its table and its sentence."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from tests.attributions import (
    HOSTILE_BOLD,
    HOSTILE_SCRIPT,
    build,
    example,
    hostile,
    numbered,
    provenance,
)
from workbench.core.errors import InvalidInputError
from workbench.plots.disagreement import (
    disagreement,
    disagreement_frame,
    disagreement_sentence,
    labels_of,
)
from workbench.plots.theme import DARK, LIGHT

MINUS = "\N{MINUS SIGN}"
ONE = [[0.09, 0.262, 0.178, -0.095, -0.006]]
OTHER = [[0.1, 0.1, 0.2, 0.05, -0.006]]
NAMES = ("marginal", "neighbours")


def pair(**changes):
    return build(ONE, **changes), build(OTHER, **changes)


def many(n=30):
    one = example(n=n, seed=0)
    return one, replace(one, values=example(n=n, seed=1).values)


def ticks(figure):
    return list(figure.layout.yaxis.ticktext)


def written(figure):
    texts = next(
        trace.text for trace in figure.data if trace.type == "scatter" and trace.mode == "text"
    )
    return [text.strip("\N{NO-BREAK SPACE}") for text in texts]


def test_one_row_has_both_attributions_side_by_side():
    figure = disagreement(*pair(), names=NAMES)
    assert ticks(figure)[:3] == ["marital_status", "hours_per_week", "education_num"]
    one, other = figure.data[:2]
    assert (one.name, other.name) == NAMES
    np.testing.assert_allclose(one.x, [0.262, -0.095, 0.178, 0.09, -0.006])
    np.testing.assert_allclose(other.x, [0.1, 0.05, 0.2, 0.1, -0.006])
    np.testing.assert_allclose(np.add(one.y, other.y) / 2, range(5), atol=1e-12)
    assert (np.array(other.y) - np.array(one.y) >= one.width).all(), "bars overlap"
    assert written(figure) == [f"{MINUS}0.162", "+0.145", "+0.022", "+0.010", "0.000"]
    assert figure.layout.xaxis.title.text == (
        f"probability of &gt;50K<br>numbers: neighbours {MINUS} marginal"
    )
    assert one.error_x.array is None


def test_whiskers_are_the_intervals_of_each():
    errors = np.full((1, 5, 2), 0.01)
    one, other = build(ONE, std_errors=errors), build(OTHER)
    figure = disagreement(one, other, names=NAMES)
    np.testing.assert_allclose(figure.data[0].error_x.array, stats.norm.ppf(0.975) * 0.01)
    assert figure.data[1].error_x.array is None
    assert figure.layout.xaxis.title.text.endswith("whiskers: 95 %, coalitions")
    assert "95 %: " in figure.data[0].hovertext[0]


def test_many_rows_have_means_of_sizes_and_of_differences():
    one, other = many()
    figure = disagreement(one, other, names=NAMES)
    v, w = one.values[:, :, 1], other.values[:, :, 1]
    size = np.abs(w - v).mean(0)
    order = np.argsort(-size)
    np.testing.assert_allclose(figure.data[0].x, np.abs(v).mean(0)[order])
    np.testing.assert_allclose(figure.data[1].x, np.abs(w).mean(0)[order])
    np.testing.assert_allclose(figure.data[2].x, size[order])
    assert ticks(figure) == [one.names[i] for i in order]
    assert "30 rows" in figure.layout.xaxis.title.text
    assert figure.layout.xaxis.range[0] == 0


def test_leaves_out_what_differs_least_and_says_so():
    values = np.arange(20.0)[None]
    figure = disagreement(build(values), build(2 * values), names=NAMES, max_features=4)
    assert ticks(figure) == ["f19", "f18", "f17", "f16"]
    notes = [note.text for note in figure.layout.annotations]
    assert notes == ["16 more features, each differs by at most 15"]


def test_table_has_what_the_figure_shows():
    one, other = many()
    frame = disagreement_frame(one, other, output=0)
    v, w = one.values[:, :, 0], other.values[:, :, 0]
    half = np.hypot(one.uncertainty()[:, :, 0], other.uncertainty()[:, :, 0])
    assert list(frame["size"]) == sorted(frame["size"], reverse=True)
    for line in frame.to_dict("records"):
        i = one.names.index(line["feature"])
        assert line["first"] == pytest.approx(np.abs(v[:, i]).mean())
        assert line["second"] == pytest.approx(np.abs(w[:, i]).mean())
        assert line["difference"] == pytest.approx((w - v)[:, i].mean())
        assert line["size"] == pytest.approx(np.abs(w - v)[:, i].mean())
        assert line["beyond"] == pytest.approx((np.abs(w - v)[:, i] > half[:, i]).mean())
        assert 0 <= line["opposite"] < 1
    assert list(disagreement_frame(*pair())["opposite"]) == [0, 1, 0, 0, 0]


def test_says_what_differs_in_one_row():
    assert disagreement_sentence(*pair(), names=NAMES) == (
        "Row 7: marital_status differs most, +0.262 with marginal and +0.100 with neighbours; "
        "0.162 apart in probability of >50K. marginal puts marital_status first, neighbours "
        "education_num. hours_per_week points the other way."
    )


@pytest.mark.parametrize(("error", "said"), [(0.01, "beyond"), (0.1, "within")])
def test_says_whether_intervals_explain_it(error, said):
    one, other = pair(std_errors=np.full((1, 5, 2), error))
    text = disagreement_sentence(one, other, names=NAMES)
    assert f"apart in probability of >50K, {said} their 95 % intervals. " in text
    assert ("other way" in text) == (error == 0.01), "noise has no direction"


def test_says_what_differs_in_many_rows():
    one = build([[0.3, 0.1, 0.0], [0.3, -0.1, 0.0], [0.1, 0.2, 0.0]])
    other = build([[0.1, 0.1, 0.0], [0.3, 0.1, 0.0], [0.1, 0.2, 0.0]])
    assert disagreement_sentence(one, other, names=NAMES) == (
        "Over 3 rows, age differs most between marginal and neighbours: 0.0667 apart in "
        "probability of >50K on average, where its mean size is 0.233 and 0.167. They put another "
        "feature first in 0 of 3 rows; their order of features overall correlates by 1; some "
        "feature points the other way in 1 of 3 rows."
    )
    sampled = [replace(r, std_errors=np.full((3, 3, 2), 0.05)) for r in (one, other)]
    assert "0.167, beyond their 95 % intervals in 1 of 3 rows. They put" in (
        disagreement_sentence(*sampled, names=NAMES)
    )


def test_same_values_are_called_the_same():
    one = example(n=5)
    assert disagreement_sentence(one, one, names=NAMES) == (
        "marginal and neighbours give the same values."
    )
    assert disagreement_sentence(one[[]], one[[]]) == "There are no rows to compare."
    assert disagreement(one[[]], one[[]]).layout.annotations
    zeros = build(np.zeros((1, 3)))
    assert disagreement_sentence(zeros, zeros, names=NAMES).endswith("give the same values.")
    assert len(disagreement(zeros, zeros).data) == 3


def test_units_are_written():
    one, other = (build([[value]], task="regression") for value in (2000.0, 500.0))
    assert "; 1,500 USD apart in income." in disagreement_sentence(one, other, names=NAMES)
    figure = disagreement(one, other, names=NAMES)
    assert figure.layout.xaxis.title.text.startswith("income in USD")


def test_labels_are_what_tells_two_results_apart():
    def with_record(**changes):
        return replace(build(ONE), provenance=provenance(**changes))

    one = with_record(params={"value": "marginal"})
    assert labels_of(one, with_record(params={"value": "gaussian"})) == ("marginal", "gaussian")
    assert labels_of(one, with_record(model="b@2", params={"value": "gaussian"})) == (
        "adult-mlp@1", "b@2",
    )  # fmt: skip
    exact = with_record(params={"value": "marginal"}, title="Shapley values, exact")
    assert labels_of(one, exact) == ("Kernel SHAP", "Shapley values, exact")
    assert labels_of(one, one) == ("first", "second")


def test_second_output_is_found_by_name():
    one, other = pair()
    order = [1, 0]
    schema = other.schema.model_copy(update={"classes": (">50K", "<=50K")})
    turned = replace(
        other, schema=schema, output_names=(">50K", "<=50K"), values=other.values[..., order],
        base_values=other.base_values[:, order], predictions=other.predictions[:, order],
    )  # fmt: skip
    plain, found = (disagreement_frame(one, result) for result in (other, turned))
    assert plain.equals(found)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (build(OTHER, unit="log-odds"), r"different units \(probability and log-odds\); explain"),
        (build(OTHER, unit=""), r"different units \(probability and no unit\)"),
        (build(OTHER, features=numbered(5)), "differ in their features: age, marital_status"),
        (build([[0.1, 0.2]]), "differ in their features: education_num, hours_per_week, capital"),
        (build([*OTHER, *OTHER]), "explain different rows; explain the same rows"),
        (build(OTHER, data=[[1, 0, 0, 0, 0]]), "explain different rows"),
        (build(OTHER, ids=np.array([8])), "explain different rows"),
    ],
)
def test_refuses_what_cannot_be_compared(other, said):
    for compare in (disagreement, disagreement_frame, disagreement_sentence):
        with pytest.raises(InvalidInputError, match=said):
            compare(build(ONE), other)


def test_refuses_an_output_that_is_not_there():
    with pytest.raises(InvalidInputError, match="There is no output 'x'"):
        disagreement_sentence(*pair(), output="x")
    with pytest.raises(InvalidInputError, match="needs at least 1 feature"):
        disagreement(*pair(), max_features=0)


@pytest.mark.parametrize("n", [1, 3])
def test_names_are_never_markup(n):
    one = hostile(n=n)
    figure = disagreement(one, replace(one, values=one.values * 2), names=("<b>a</b>", "$x$"))
    texts = [
        *ticks(figure),
        figure.layout.xaxis.title.text,
        *(trace.name for trace in figure.data if trace.name),
        *(text for trace in figure.data if trace.hovertext for text in trace.hovertext),
    ]
    for text in texts:
        bare = text.replace("<br>", "").replace("<b>", "", 1).replace("</b>", "", 1)
        assert "<" not in bare, text
        assert "$" not in bare, text
    assert not any(
        HOSTILE_SCRIPT in text or HOSTILE_BOLD in text.removeprefix("<b>") for text in texts
    )


@pytest.mark.parametrize("dark", [False, True])
def test_has_a_light_and_a_dark_form(dark):
    figure = disagreement(*pair(), names=NAMES, dark=dark)
    theme = DARK if dark else LIGHT
    assert [trace.marker.color for trace in figure.data[:2]] == list(theme.classes[2:4])
