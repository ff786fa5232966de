"""The page about people who are decided narrowly."""

import pytest

from tests.visits import answers, no_fault, shown, title, visit, widget


def test_answers_at_once_and_shows_one_person_in_full():
    app = no_fault(visit("people", model="german-mlp", table="german"))
    said, person = answers(app)
    assert "are decided by 5 points of a hundred or less" in said
    assert "refused with" in person
    assert len(app.get("plotly_chart")) == 4
