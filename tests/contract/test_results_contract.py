"""Every kind of result has all that a kind has, and every public verb says what it takes."""

import inspect
import pkgutil
import re
from importlib import import_module

import pytest

import workbench
from workbench import api, core
from workbench.api.methods import VERBS
from workbench.core import results
from workbench.core.results import Attribution, Explainer, Result, Tabular
from workbench.plots import RENDERERS
from workbench.plots.answers import ANSWERS
from workbench.report.html import SECTIONS

VERB_OF = {Attribution: "explain"} | dict(VERBS)
# Public functions; what they return, and classes, describe themselves.
FUNCTIONS = sorted(name for name in workbench.__all__ if inspect.isfunction(getattr(api, name, 0)))


def kinds():
    """All results that modules of ``workbench.core`` define, whether or not they are listed."""
    for module in pkgutil.iter_modules(core.__path__, "workbench.core."):
        import_module(module.name)
    found = [Result]
    for kind in found:
        found += kind.__subclasses__()
    return {kind for kind in found[1:] if kind.__module__.startswith("workbench.")}


@pytest.mark.parametrize(
    ("what", "known", "without"),
    [
        ("list of kinds", {getattr(results, name) for name in results.__all__}, set()),
        ("table", set(Tabular.__args__), {Explainer}),
        ("answer in words", set(ANSWERS), set()),
        ("view", set(RENDERERS), set()),
        ("section of a report", set(SECTIONS), {Explainer}),
        ("verb", set(VERB_OF), set()),
    ],
)
def test_every_kind_of_result_has_its(what, known, without):
    lacking = sorted(kind.__name__ for kind in kinds() - known - without)
    assert not lacking, f"no {what}: {lacking}"


def test_every_kind_is_public_and_its_verb_returns_it():
    for kind in kinds():
        verb = VERB_OF[kind]
        assert {kind.__name__, verb} <= set(workbench.__all__)
        assert inspect.signature(getattr(api, verb)).return_annotation is kind


def test_public_names_are_those_of_their_homes():
    for name in workbench.__all__:
        found = getattr(workbench, name)
        assert found is getattr(api, name, found)
        assert found is getattr(results, name, found)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_argument_of_a_public_function_is_described(name):
    function = getattr(api, name)
    described = set()
    text = inspect.getdoc(function).partition("Parameters\n----------\n")[2]
    for line in re.split(r"\n[A-Z]\w+\n-+\n", text)[0].splitlines():
        if line and not line.startswith(" "):
            described |= set(line.split(", "))
    assert set(inspect.signature(function).parameters) == described
