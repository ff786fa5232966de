"""What gaps are made of, drawn and in words."""

from dataclasses import replace

import numpy as np
import pytest

from tests.attributions import HOSTILE_BOLD
from tests.gap_causes import some_causes, tiny_causes
from workbench.api import run_checks
from workbench.core.errors import InvalidInputError
from workbench.plots import options_of, render
from workbench.plots.gap_causes_words import gap_sentence, proxy_sentence
from workbench.plots.theme import LIGHT
from workbench.plots.words import MINUS

RESULT = some_causes()
GROUP, OTHER = RESULT.pairs[0]


def test_bars_lead_from_nothing_to_the_gap_in_points():
    bars, numbers = render(RESULT, "waterfall").data
    order = RESULT.order(0)
    np.testing.assert_allclose(bars.x, 100 * RESULT.contributions[0, order, 0])
    np.testing.assert_allclose(bars.base.astype(float), np.cumsum([0, *bars.x[:-1]]))
    assert bars.base[-1] + bars.x[-1] == pytest.approx(100 * RESULT.gaps[0, 0])
    np.testing.assert_allclose(bars.error_x.array, 0.5)
    assert list(bars.marker.pattern.shape) == ["/" if c == 3 else "" for c in order]
    inks = [LIGHT.positive if RESULT.contributions[0, c, 0] > 0 else LIGHT.negative for c in order]
    assert list(bars.marker.color) == inks
    assert numbers.text[0].strip("\N{NO-BREAK SPACE}") == f"{MINUS}6.0"


def test_fewer_bars_still_lead_to_the_gap():
    figure = render(RESULT, "waterfall", max_features=2)
    bars = figure.data[0]
    assert len(bars.x) == 3
    assert bars.base[-1] + bars.x[-1] == pytest.approx(100 * RESULT.gaps[0, 0])
    assert "2 other features" in figure.layout.yaxis.ticktext
    with pytest.raises(InvalidInputError, match="at least 1"):
        render(RESULT, "waterfall", max_features=0)


def test_points_stand_where_features_tell_and_add():
    figure = render(RESULT, "proxies")
    (points,) = figure.data
    np.testing.assert_allclose(points.x, RESULT.told[0, :, 0])
    np.testing.assert_allclose(points.y, 100 * RESULT.contributions[0, :, 0])
    np.testing.assert_allclose(points.error_x.array, RESULT.told[0, :, 2] - RESULT.told[0, :, 0])
    np.testing.assert_allclose(points.error_y.arrayminus, 0.5)
    assert list(points.marker.symbol) == ["circle"] * 3 + ["diamond"]
    assert np.argmax(points.marker.size) == np.argmax(RESULT.effects[:, 0])
    named = {note.text for note in figure.layout.annotations}
    assert set(RESULT.names) <= named


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("view", ["waterfall", "proxies"])
def test_draws_in_both_themes(dark, view):
    for result in (RESULT, tiny_causes("regression"), tiny_causes("multiclass")):
        assert render(result, view, dark=dark).to_json()
        assert options_of(result, view) == {"pair": list(result.pair_names)}


def test_names_are_shown_as_they_are():
    first, *others = RESULT.schema.features
    named = first.model_copy(update={"name": HOSTILE_BOLD})
    schema = RESULT.schema.model_copy(update={"features": (named, *others)})
    result = replace(RESULT, schema=schema, pairs=((HOSTILE_BOLD, "$x$"),), output=HOSTILE_BOLD)
    for view in ("waterfall", "proxies"):
        assert HOSTILE_BOLD not in render(result, view).to_json()


def test_a_gap_without_rows_says_so():
    nothing = np.full((1, 4, 3), np.nan)
    result = replace(
        RESULT, gaps=nothing[:, 0], contributions=nothing, told=nothing, sizes=np.array([[0, 9]]),
        remaining=nothing[:, 0],
    )  # fmt: skip
    (said,) = render(result, "waterfall").layout.annotations
    assert "nothing to share out" in said.text.replace("<br>", " ")
    assert render(result, "proxies").layout.annotations
    assert gap_sentence(result) == (
        f"{GROUP} and {OTHER} cannot be compared: only 0 rows of {GROUP} were explained."
    )
    assert "is not known" in proxy_sentence(result)


def test_the_sentence_shares_the_gap_out():
    assert gap_sentence(RESULT) == (
        f"{GROUP} score 10.0 points (8.0 to 12.0) lower than {OTHER} on average (20 % against "
        "30 %). Of that: x0 6.0, c1 3.0 and sex itself 2.0; x2 1.0 the other way."
    )
    unsure = some_causes((-0.004, 0.001, 0.0, 0.0), half=0.01)
    assert gap_sentence(unsure).startswith(f"{GROUP} and {OTHER} do not surely score differently")
    vague = some_causes(half=0.2)
    assert "No single feature surely makes up a part of it; sex itself" in gap_sentence(vague)
    among = replace(RESULT, among="favourable")
    assert "among those with the favourable outcome" in gap_sentence(among)
    unread = replace(RESULT, itself=np.zeros((1, 4), dtype=bool))
    assert "the model does not read sex" in gap_sentence(unread)


def test_what_is_said_of_a_gap_adds_up_to_it():
    parts = (-0.143, 0.036, 0.0024, -0.0034)
    said = gap_sentence(some_causes(parts))
    assert "score 10.8 points" in said
    assert said.endswith(
        "Of that: x0 14.3; c1 3.6 the other way; sex itself 0.3; the other one 0.2 the other way."
    )
    along = some_causes((-0.08, -0.06, -0.05, -0.04), half=0.001)
    assert gap_sentence(along).endswith("x0 8.0, c1 6.0 and x2 5.0; sex itself 4.0.")
    against = gap_sentence(some_causes((-0.1, 0.001, 0.0, 0.002), half=0.001))
    assert "sex itself 0.2 the other way; the 2 others together 0.1 the other way" in against


def test_other_scales_keep_their_unit():
    result = replace(RESULT, unit="log-odds")
    assert "0.1000 log-odds" in gap_sentence(result) or "0.100 log-odds" in gap_sentence(result)


def test_the_sentence_about_proxies_warns_where_removing_would_not_help():
    assert proxy_sentence(RESULT) == (
        "Without sex, the other columns still tell it: of two people of different groups they "
        "point out the right one in 90 of 100 pairs (89 to 91; 50 is guessing). Removing the "
        "column alone hardly helps. The best single one is x0, with 80."
    )
    assert "tell little about it" in proxy_sentence(some_causes(area=0.55))
    assert "is not settled on 800 rows" in proxy_sentence(some_causes(area=0.7, spread=0.1))


@pytest.mark.parametrize(
    ("area", "spread", "status", "words"),
    [
        (0.9, 0.01, "warning", "tell sex well"),
        (0.7, 0.1, "warning", "is not settled"),
        (0.6, 0.02, "ok", "tell sex little"),
    ],
)
def test_the_check_of_proxies_says_what_the_sentence_says(area, spread, status, words):
    result = some_causes(area=area, spread=spread)
    (outcome,) = (one for one in run_checks(result) if one.code == "WB054")
    assert outcome.status == status
    assert words in outcome.sentence
    settled = "is not settled" not in proxy_sentence(result)
    assert settled == ("is not settled" not in outcome.sentence)


def test_levels_that_say_nothing_come_with_their_column():
    result = replace(RESULT, pairs=(("yes", "30 years and over"),))
    said = gap_sentence(result)
    assert said.startswith("sex yes score 10.0 points (8.0 to 12.0) lower than sex 30 years and ")
