"""Results in a notebook: a figure, a sentence, and HTML in which nothing of a user's is obeyed."""

import runpy
import tomllib
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest

import workbench as wb
from tests.attributions import HOSTILE_BOLD, HOSTILE_SCRIPT, example
from workbench.api import methods
from workbench.core import result as base
from workbench.core.errors import InvalidInputError
from workbench.core.results import Tabular
from workbench.plots import overall_sentence, render, sentence
from workbench.plots.answers import ANSWERS

ROOT = Path(__file__).parents[2]
SCRIPT = "tests/user_script.py"


class Tags(HTMLParser):
    """Names of all elements, and the text between them."""

    def __init__(self):
        super().__init__()
        self.tags, self.text = [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        assert not any(name.startswith("on") for name, _ in attrs)

    def handle_data(self, data):
        self.text += data


def test_every_kind_of_result_has_an_answer():
    kinds = set(Tabular.__args__) | {wb.Explainer}
    assert set(ANSWERS) == kinds
    assert set(methods.VERBS) <= set(ANSWERS)


def test_an_attribution_answers_for_its_row_or_for_all():
    result = example(n=5)
    assert wb.answer(result) == overall_sentence(result)
    assert wb.answer(result[2]) == sentence(result[2], 0)


@pytest.mark.parametrize("verb", [wb.plot, wb.answer, wb.run_checks])
def test_what_is_no_result_is_refused(verb):
    with pytest.raises(InvalidInputError, match=r"This needs a result, .*, got list"):
        verb([example(n=2)])


@pytest.mark.parametrize("row", ["first", 0.5])
def test_a_row_is_a_whole_number(row):
    with pytest.raises(InvalidInputError, match="a whole number, got"):
        wb.plot(example(n=2), "waterfall", row=row)


def test_plot_draws_the_plainest_view_or_the_one_that_is_named():
    result = example(n=5)
    assert wb.plot(result).to_json() == render(result, "waterfall").to_json()
    named = wb.plot(result, "bar", dark=True)
    assert isinstance(named, go.Figure)
    assert named.to_json() == render(result, "bar", dark=True).to_json()
    with pytest.raises(InvalidInputError, match="There is no view 'pie'"):
        wb.plot(result, "pie")
    with pytest.raises(InvalidInputError, match="nothing to draw; look at what it says"):
        wb.plot(result[[]])


def test_a_notebook_shows_answer_first_lines_checks_and_origin():
    result = example(n=5)
    page = Tags()
    page.feed(result._repr_html_())
    assert wb.answer(result) in page.text
    assert page.tags.count("table") == 1
    assert page.tags.count("tr") == 1 + 5
    assert f"5 of {len(result.to_frame()):,} lines" in page.text
    for outcome in wb.run_checks(result):
        assert f"{outcome.code} {outcome.title}: {outcome.sentence}" in page.text
    assert result.provenance.describe() in page.text


def test_names_of_a_user_are_shown_not_obeyed():
    result = example(n=3)
    features = [
        feature.model_copy(update={"name": name})
        for feature, name in zip(
            result.schema.features, (HOSTILE_SCRIPT, HOSTILE_BOLD, "=1+1", "a&b", "$x^2$"),
            strict=False,
        )
    ]  # fmt: skip
    schema = result.schema.model_copy(update={"features": tuple(features)})
    record = result.provenance.model_copy(update={"table": "<img src=x onerror=alert(1)>"})
    page = Tags()
    page.feed(replace(result, schema=schema, provenance=record)._repr_html_())
    assert not {"script", "b", "img"} & set(page.tags)
    assert HOSTILE_SCRIPT in page.text
    assert "<img src=x onerror=alert(1)>" in page.text


def test_without_the_verbs_a_notebook_shows_plain_text(monkeypatch):
    monkeypatch.setattr(base, "_FACES", [])
    assert example(n=2)._repr_html_() is None


def test_a_script_of_a_user_is_typed_and_runs():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert SCRIPT in settings["tool"]["mypy"]["files"]
    assert settings["tool"]["mypy"]["strict"]
    found = runpy.run_path(str(ROOT / SCRIPT))
    np.testing.assert_allclose(found["taken"].values, found["found"].values)
    assert found["beside"].methods.count("given") == 1
    assert found["values"].shape == (2, 13)
