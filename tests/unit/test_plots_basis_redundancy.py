"""What of a network is not used, drawn and in words, against counts by hand."""

from dataclasses import replace

import numpy as np
import pytest

from tests.local_bases import some_basis
from workbench.core.errors import InvalidInputError
from workbench.plots import render
from workbench.plots.basis_redundancy import (
    NO_UNITS,
    dimensions,
    redundancy_sentence,
    switching,
    switching_layers,
)
from workbench.plots.renderers import views_of

RESULT = some_basis()


def with_states(states):
    """The result, had the units of its first layer between been on as in these rows."""
    both = states.T @ states / len(states)
    d = int(RESULT.widths[1])
    return replace(RESULT, co_firing=np.concatenate([both.ravel(), RESULT.co_firing[d * d :]]))


def some_states(rows=400):
    rng = np.random.default_rng(0)
    return (rng.random((rows, int(RESULT.widths[1]))) < 0.5).astype(float)


def test_dimensions_add_up_to_the_units():
    for at in range(RESULT.n_sections):
        needed, spare, ignored, still = dimensions(RESULT, at)
        assert needed + spare + ignored + still == RESULT.widths[at]
        assert needed == RESULT.nodes_required[0, at]
    figure = render(RESULT, "used")
    assert sum(np.array(trace.x) for trace in figure.data).tolist() == RESULT.widths[:-1].tolist()
    assert figure.data[0].name == "needed"


def test_dead_units_and_units_that_switch_together_are_found():
    states = some_states()
    states[:, 2] = 0
    states[:, 4] = 1
    states[:, 7] = states[:, 5]
    states[:3, 7] = 1 - states[:3, 5]  # nearly always
    states[:, 9] = 1 - states[:, 5]  # never at once
    result = with_states(states)
    found = switching(result, 1)
    assert found.never == (3,)
    assert found.always == (5,)
    assert found.groups == ((6, 8),)
    said = redundancy_sentence(result)
    assert "never switch on 1 of " in said
    assert "never switch off 1;" in said
    assert "(units 6, 8 of hidden 1)" in said


def test_units_that_are_rarely_on_are_not_alike_by_being_off():
    states = some_states()
    states[:, 0] = states[:, 1] = 0
    states[0, 0] = states[1, 1] = 1  # alike on all rows but two, and never on at once
    states[:, 2] = states[:, 3] = 1
    states[0, 2] = states[1, 3] = 0
    found = switching(with_states(states), 1)
    assert found.groups == ()
    assert found.never == found.always == ()


def test_the_heatmap_is_the_share_of_rows_in_the_same_state():
    states = some_states()
    figure = render(with_states(states), "alike", units="hidden 1")
    (drawn,) = figure.data
    same = (states[:, :, None] == states[:, None, :]).mean(0)
    found = np.array(drawn.z, dtype=float)
    np.testing.assert_allclose(np.sort(found[~np.isnan(found)]),
                               np.sort(same[~np.eye(len(same), dtype=bool)]))  # fmt: skip
    with pytest.raises(InvalidInputError, match="choose one of hidden 1"):
        render(RESULT, "alike", units="inputs")


def test_units_without_a_bend_are_not_said_to_switch():
    smooth = some_basis(activation="tanh")
    assert switching_layers(smooth) == {}
    assert "ReLU" not in redundancy_sentence(smooth)
    assert "alike" not in views_of(smooth)
    assert "alike" in views_of(RESULT)
    assert NO_UNITS[:20] in str(render(smooth, "alike").layout.annotations[0].text).replace(
        "<br>", " "
    )
    with pytest.raises(InvalidInputError, match="there is none"):
        render(smooth, "alike", units="hidden 1")
