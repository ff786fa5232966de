"""Figures that somebody chose: what is refused is told in words, the rest drawn as it was seen."""

import pytest

from tests.attributions import HOSTILE_SCRIPT, example, hostile
from tests.every_kind import of_every_kind
from tests.interactions import one_row
from tests.profiles import some_profiles
from workbench.core.errors import InvalidInputError, WorkbenchError
from workbench.core.figures import ChosenFigure
from workbench.core.results import Attribution
from workbench.plots import RENDERERS, options_of, render, views_of
from workbench.plots.chosen import draw_chosen, fault_of, known_options, misfit, title_of
from workbench.plots.view_titles import VIEW_TITLES

STRANGE = ("<b>none</b>", "", -1, 0, 10**6, 10**12, 1e-300, 2.5, -7.25)


@pytest.fixture(scope="module")
def results():
    return [result for result in of_every_kind() if result.kind != "explainer"]


def chosen(view, **options):
    return ChosenFigure(view=view, options=options)


def last_choices(result, view):
    picked = {}
    for name in options_of(result, view):
        if found := options_of(result, view, feature=picked.get("feature"))[name]:
            picked[name] = found[-1]
    return picked


def test_whatever_is_offered_can_be_chosen(results):
    for result in results:
        for view in views_of(result):
            assert not fault_of(result, chosen(view, **last_choices(result, view)))


@pytest.mark.parametrize("view", ["dependence", "cohorts", "clusters"])
def test_it_is_drawn_with_the_options_that_were_chosen(view):
    result = example(n=12)
    options = last_choices(result, view)
    drawn = draw_chosen(result, chosen(view, **options)).to_json()
    assert drawn == render(result, view, **options).to_json()
    assert drawn != render(result, view).to_json()


def test_no_value_breaks_a_figure(results):
    for result in results:
        for view in views_of(result):
            for name in known_options(type(result), view):
                for value in STRANGE:
                    figure = chosen(view, **{name: value})
                    if fault_of(result, figure):
                        continue
                    draw_chosen(result, figure)


def test_every_view_has_a_title_and_no_more():
    titled = {kind: set(views) for kind, views in VIEW_TITLES.items()}
    drawn = {kind: set(views) for kind, views in RENDERERS.items() if kind.kind != "explainer"}
    assert titled == drawn


@pytest.mark.parametrize(
    ("figure", "said"),
    [
        (chosen("dependance"), "there is no view 'dependance' of 'attribution', did you mean "
         "'dependence'"),
        (chosen("pie"), "there is no view 'pie' of 'attribution', choose waterfall, bar, beeswarm, "
         "dependence, heatmap, decision, cohorts, clusters"),
        (chosen("bar", feature="age"), "view 'bar' has no option 'feature', did you mean "
         "'max_features'"),
        (chosen("bar", dark=1), "view 'bar' has no option 'dark', choose output, max_features"),
        (chosen("bar", max_features=0), "max_features of view 'bar' must be 1 to 5,000, got 0"),
        (chosen("bar", max_features="3"), "max_features of view 'bar' must be a number"),
        (chosen("bar", max_features=2.5), "max_features of view 'bar' must be a whole number"),
        (chosen("dependence", feature=3), "feature of view 'dependence' must be text, put 3 in "
         "quotes"),
        (chosen("cohorts", measure="median"), "measure of view 'cohorts' is not 'median', choose "
         "size, mean"),
        (chosen("waterfall", row=7), "there is no row 7"),
        (chosen("dependence", feature="agee"), "feature 'agee'"),
    ],
)  # fmt: skip
def test_one_sentence_says_what_does_not_fit(figure, said):
    assert said in fault_of(example(n=5), figure)


def test_a_view_that_has_nothing_to_say_is_refused():
    assert fault_of(example(n=1), chosen("beeswarm")) == (
        "view 'beeswarm' has nothing to say of this result, choose waterfall, decision"
    )
    with pytest.raises(InvalidInputError, match="cannot be drawn: there is no view 'bar'"):
        draw_chosen(one_row(), chosen("bar"))


def test_a_schema_says_early_which_features_there_are():
    result = some_profiles()
    first = result.names[0]
    schema = result.schema
    assert not misfit(type(result), chosen("profile", feature=first), schema)
    told = misfit(type(result), chosen("profile", feature="nobody"), schema)
    assert told.startswith("feature of view 'profile' is no feature of the model, choose ")
    assert first in told


def test_limits_hold_only_where_nothing_was_chosen():
    many = example(n=60)
    free, few = (
        draw_chosen(many, figure, max_rows=10, webgl=False)
        for figure in (chosen("beeswarm", max_rows=60), chosen("beeswarm"))
    )
    assert sum(len(trace.x) for trace in few.data if trace.x is not None) < sum(
        len(trace.x) for trace in free.data if trace.x is not None
    )
    assert draw_chosen(many, chosen("bar"), webgl=False)


def test_names_that_are_markup_stay_text():
    result = hostile()
    figure = chosen("dependence", feature=HOSTILE_SCRIPT)
    assert HOSTILE_SCRIPT in title_of(Attribution, figure)
    try:
        drawn = draw_chosen(result, figure).to_json()
    except WorkbenchError:
        drawn = ""
    assert "<script" not in drawn


@pytest.mark.parametrize("value", [float("nan"), True, None, [1], "\ud800"])
def test_only_plain_values_are_options(value):
    with pytest.raises(ValueError, match="options"):
        chosen("bar", max_features=value)
