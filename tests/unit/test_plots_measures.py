"""Measures of explanations, a panel for each, and in words."""

import re
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from tests.attributions import hostile
from tests.faithfulness import MEASURED, SCORES, measures_of, several_measures
from workbench.core.errors import InvalidInputError
from workbench.plots import render, views_of
from workbench.plots.measures import measures_sentence

ARROW = "\N{RIGHTWARDS ARROW}"


def bars(figure):
    """Bars of each panel, in the order of the panels: place in the panel to length."""
    panels = {}
    for trace in figure.data:
        if isinstance(trace, go.Bar):
            lengths = dict(zip(trace.y, trace.x, strict=True))
            panels.setdefault(trace.xaxis, {}).update(lengths)
    return list(panels.values())


def written(figure):
    return [[text.strip("\N{NO-BREAK SPACE}") for text in trace.text] for trace in figure.data
            if isinstance(trace, go.Scatter)]  # fmt: skip


def with_scores(*means, measures=MEASURED[:1]):
    """Methods of the example with these means of the first measure."""
    scores = {name: (kind, (mean,) * len(measures))
              for (name, (kind, _)), mean in zip(SCORES.items(), means, strict=True)}  # fmt: skip
    return several_measures(scores=scores, measures=measures)


def test_a_panel_for_each_measure_holds_the_means_with_intervals():
    result = several_measures()
    assert views_of(result) == ("scores",)
    figure = render(result, "scores")
    found = result.summary()
    panels = bars(figure)
    assert len(panels) == 4
    for q, panel in enumerate(panels):
        np.testing.assert_allclose([panel[i] for i in range(4)], found.mean[:, q])
    first = [trace for trace in figure.data if isinstance(trace, go.Bar) and trace.xaxis == "x"]
    whiskers = np.concatenate([trace.error_x.array for trace in first])
    np.testing.assert_allclose(whiskers, (found.high - found.mean)[:, 0])
    assert [trace.name for trace in first] == ["slopes", "contributions", "anchors"]
    assert sum(bool(trace.showlegend) for trace in figure.data) == 3
    heads = [note.text for note in figure.layout.annotations]
    assert heads[0].endswith("\N{UPWARDS ARROW} higher is better")
    assert heads[1].endswith("\N{DOWNWARDS ARROW} lower is better")
    assert heads[3].endswith("neither is better")
    assert list(figure.layout.yaxis.ticktext) == [
        "SmoothGrad", "LIME", "KernelSHAP", "Random numbers"
    ]  # fmt: skip
    assert "12 rows" in figure.layout.legend.title.text


def test_what_is_not_defined_says_so():
    figure = render(several_measures(), "scores")
    assert written(figure)[1] == ["n/a", "0.2", "0.001", "0.95"]
    told = [trace for trace in figure.data if isinstance(trace, go.Scatter)][1].hovertext
    assert told[0].endswith("n/a: not defined for this method")
    assert "settings of completeness-gap" in told[1]
    assert "95 %: " in told[1]
    nothing = with_scores(*[np.nan] * 4)
    assert written(render(nothing, "scores")) == [["n/a"] * 4]


def test_an_outlier_leaves_room_for_the_others():
    figure = render(with_scores(0.2, 0.3, 0.25, 90_000.0), "scores")
    (panel,) = bars(figure)
    assert panel[3] < 5
    assert panel[1] == pytest.approx(0.3)
    assert written(figure)[0][3] == f"9e4 {ARROW}"
    below = bars(render(with_scores(-0.4, 0.3, 0.25, 0.1), "scores"))[0]
    assert below[0] == pytest.approx(-0.4)


def test_one_measure_may_be_drawn_alone():
    result = several_measures()
    figure = render(result, "scores", measure="pgi")
    np.testing.assert_allclose([bars(figure)[0][i] for i in range(4)], result.summary().mean[:, 2])
    assert figure.layout.height < render(result, "scores").layout.height
    with pytest.raises(InvalidInputError, match="There is no measure 'x' here; choose one of fai"):
        render(result, "scores", measure="x")
    with pytest.raises(InvalidInputError, match="There is no output 'x'"):
        render(result, "scores", output="x")
    none = render(result[[]], "scores").layout.annotations[0].text
    assert none.startswith("No rows to show")


def test_one_row_has_no_whiskers():
    figure = render(several_measures(n=1), "scores")
    first = next(trace for trace in figure.data if isinstance(trace, go.Bar))
    assert np.isnan(np.array(first.error_x.array, dtype=float)).all()
    assert "whiskers" not in figure.layout.legend.title.text


@pytest.mark.parametrize("dark", [False, True])
def test_names_are_text_not_markup(dark):
    result = measures_of(hostile(), settings_words=("<i>$x$</i>",) * 4)
    figure = render(result, "scores", dark=dark)
    texts = [figure.layout.legend.title.text, *(note.text for note in figure.layout.annotations)]
    texts += [told for trace in figure.data for told in trace.hovertext]
    tags = {tag for text in texts for tag in re.findall(r"<[^>]*>", text)}
    assert tags <= {"<b>", "</b>", "<br>"}
    assert "$" not in " ".join(texts)


def test_the_sentence_counts_what_has_a_better_way():
    assert measures_sentence(several_measures()) == (
        "Over 12 rows, probability of >50K: SmoothGrad is the only slope; of the contributions, "
        "KernelSHAP is best by 3 of 3 measures (Faithfulness correlation; Completeness gap; "
        "Prediction gap, important features)."
    )
    # Higher is better of the first, lower of the second; slopes do not compete.
    two = with_scores(0.9, 0.5, 0.4, 0.45, measures=("pgi", "infidelity"))
    assert measures_sentence(two[3]) == (
        "Row 37, probability of >50K: SmoothGrad is the only slope; of the contributions, LIME is "
        "best by 1 of 2 measures (Prediction gap, important features), then KernelSHAP by 1. No "
        "better than random numbers: LIME by 1 measure, KernelSHAP by 1 measure."
    )
    steady = with_scores(0.9, 0.5, 0.4, 0.0, measures=("ris", "max-sensitivity"))
    assert "random" not in measures_sentence(steady), "what knows nothing does not waver"
    neither = with_scores(0.9, 0.5, 0.4, 0.6, measures=("sparseness",))
    assert "no measure says which explanation is better." in measures_sentence(neither)
    alone = replace(
        two, scores=two.scores[:, :3], methods=two.methods[:3], types=two.types[:3]
    )  # fmt: skip
    assert "random" not in measures_sentence(alone)
    assert measures_sentence(two[[]]) == "There are no rows to explain."
