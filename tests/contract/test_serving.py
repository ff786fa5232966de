"""The table of methods and bundled models is what running every cell gives."""

import re

import pytest

from tests.examples import ROOT
from workbench import api
from workbench.api.serving import SMALL, Served, bundled_models, declared, served, write_serving
from workbench.core.errors import InvalidInputError
from workbench.jobs.request import registered_methods

PAGE = (ROOT / "docs" / "methods" / "table.md").read_text(encoding="utf-8")
NOTE = re.compile(r"^(\d+)\. (.*)$", re.MULTILINE)
MODELS = tuple(bundled_models())
CELLS = [(model, method) for model in MODELS for method in sorted(registered_methods())]


def in_page():
    """What the page says of each cell."""
    head, *rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in PAGE.splitlines()
        if line.startswith("|") and "---" not in line
    ]
    notes = dict(NOTE.findall(PAGE))
    found = {}
    for name, *cells in rows:
        method = re.search(r"\((.*)\.md\)", name)[1]
        for model, cell in zip(head[1:], cells, strict=True):
            word, _, number = cell.partition(" (")
            found[model, method] = word == "works", notes.get(number.removesuffix(")"), "")
    return found


SAID = in_page()


def test_the_page_has_every_cell_and_no_other():
    assert list(SAID)
    assert set(SAID) == set(CELLS)


@pytest.mark.parametrize(("model", "method"), CELLS, ids="-".join)
def test_a_cell_is_what_a_run_gives(model, method):
    found = served(method, model)
    works, words = SAID[model, method]
    assert found.works is works, found.words
    assert found.words.removesuffix(".").lower() == words.removesuffix(".").lower()
    if not works:
        assert not re.search(r"[.!?] [A-Z]", words.replace("; ", " ")), "more than one sentence"


def test_small_settings_are_of_methods_there_are():
    assert set(SMALL) <= set(registered_methods())


def test_nobody_is_grouped_by_pixels():
    with pytest.raises(InvalidInputError, match="All columns are pixels of images"):
        api.flips("digits-mlp", api.load_table("digits"), by="pixel_0_0", favourable="9")


def test_what_is_declared_needs_no_run():
    assert declared("shapley.exact", "wine-mlp") == Served("shapley.exact", "wine-mlp", works=True)
    lacking = declared("shapley.fastshap", "wine-mlp")
    assert not lacking.works
    assert lacking.words.startswith("needs a trained explainer")


def test_equal_words_are_one_note():
    cells = [
        Served("a.b", "one", works=False, words="too wide."),
        Served("a.b", "two", works=False, words="too wide."),
        Served("a.c", "one", works=True),
        Served("a.c", "two", works=True, words="after training"),
    ]
    text = write_serving(cells, {"a.b": "B", "a.c": "C"})
    assert "| [B](a.b.md) | no (1) | no (1) |\n| [C](a.c.md) | works | works (2) |\n" in text
    assert text.endswith("1. Too wide.\n2. After training.\n")
