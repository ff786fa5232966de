"""The test of interactions, drawn and in words."""

from dataclasses import replace

import numpy as np
import pytest

from tests.attributions import HOSTILE_BOLD
from tests.interaction_tests import some_test, tiny_test
from workbench.core.errors import InvalidInputError
from workbench.core.interaction_scores import FLOOR
from workbench.plots import render
from workbench.plots.interaction_test import (
    interaction_test_sentence,
    loss_sentence,
    model_sentence,
)
from workbench.plots.theme import LIGHT

RESULT = some_test()


def test_bands_networks_and_the_model_stand_in_their_places():
    figure = render(RESULT, "pairs")
    *bands, networks, given = figure.data
    order = RESULT.order
    assert [tuple(band.x) for band in bands] == [
        tuple(np.maximum([RESULT.band_low[i], RESULT.band_high[i]], 1e-5)) for i in order
    ]
    np.testing.assert_allclose(networks.x, RESULT.observed[:, order].T.ravel())
    np.testing.assert_allclose(networks.y, np.repeat(np.arange(4), 5))
    np.testing.assert_allclose(given.x, RESULT.given[order])
    assert list(networks.marker.color[:5]) == [LIGHT.positive] * 5
    assert set(networks.marker.color[5:]) == {LIGHT.others}
    inks = {"data": LIGHT.positive, "open": LIGHT.others, "none": LIGHT.others}
    said = [RESULT.verdicts[i] for i in order]
    assert list(given.marker.color) == [inks.get(one, LIGHT.negative) for one in said]
    (floor,) = figure.layout.shapes
    assert floor.x0 == floor.x1 == FLOOR
    low, high = 10 ** np.array(figure.layout.xaxis.range)
    assert low < RESULT.observed.min()
    assert high > RESULT.given.max()


def test_no_more_pairs_are_drawn_than_wanted():
    assert len(render(RESULT, "pairs", max_pairs=2).data) == 4
    with pytest.raises(InvalidInputError, match="at least 1"):
        render(RESULT, "pairs", max_pairs=0)


@pytest.mark.parametrize("dark", [False, True])
def test_draws_in_both_themes(dark):
    for result in (RESULT, tiny_test("regression"), tiny_test("multiclass")):
        assert render(result, "pairs", dark=dark).to_json()


def test_names_are_shown_as_they_are():
    first, *others = RESULT.schema.features
    named = first.model_copy(update={"name": HOSTILE_BOLD})
    schema = RESULT.schema.model_copy(update={"features": (named, *others)})
    figure = render(replace(RESULT, schema=schema), "pairs")
    texts = [*figure.layout.yaxis.ticktext, *figure.data[-1].hovertext]
    assert not any(HOSTILE_BOLD in text for text in texts)


def test_names_and_numbers_leave_a_narrow_window_room_to_draw():
    figure = render(some_test(real=(0.2, 0.01, 0.01, 0.00002)), "pairs")
    assert figure.layout.yaxis.ticktext[0] == "x0<br>and c1"
    assert list(figure.layout.xaxis.ticktext) == ["0.01", "0.1", "1", "10"]


def test_the_sentence_names_what_is_in_the_data_and_judges_the_model():
    said = interaction_test_sentence(RESULT)
    assert said.startswith("1 of 4 pairs is in the data: x0 and c1 (")
    assert said.endswith("The strongest pair of the model, x0 and c1 (25 %), is in the data.")
    none = interaction_test_sentence(some_test(real=(0.01, 0.01, 0.01, 0.0001)))
    assert none.startswith("None of 4 pairs is shown to be in the data: networks have as much")
    other = some_test(given=(0.01, 0.012, 0.0002, 0.0002))
    assert "x0 and x2 (1.2 %), is not in the data: any network" in model_sentence(other)
    own = some_test(given=(0.01, 0.012, 0.2, 0.0002))
    assert "c1 and x2 (20 %), is not in the data: networks of its kind" in model_sentence(own)
    seen = own.observed.copy()
    seen[0, 2] = 0.3
    unsettled = replace(own, observed=seen, in_data=np.zeros(4, dtype=bool))
    assert "c1 and x2 (20 %), may be in the data: networks that" in model_sentence(unsettled)
    assert "surely in the data; of" in interaction_test_sentence(unsettled)
    few = some_test(given=(0.0, 0.0, 0.0, 0.0002))
    assert model_sentence(few) == "The model has no pair of practical importance."


def test_losses_are_told_with_their_paired_error():
    assert loss_sentence(RESULT) == (
        "Networks predict better than a model without interactions (loss 0.45, the additive model "
        f"0.5; difference {chr(0x2212)}0.0500 ± 0.0196 nats on 20 rows)."
    )
    said = loss_sentence(some_test(excess=-0.01))
    assert said.startswith("Networks predict no better than a model without interactions (loss")
    assert said.endswith("these rows do not show that interactions are needed.")
