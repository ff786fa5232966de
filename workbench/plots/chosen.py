"""Figures that somebody chose: whether a result has them, and how they are drawn."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from inspect import Parameter, signature
from types import NoneType
from typing import Any, Literal, get_args, get_origin

import plotly.graph_objects as go
from pydantic import ValidationError

from workbench.core.errors import InvalidInputError, WorkbenchError
from workbench.core.figures import ChosenFigure
from workbench.core.results import (
    AttributeFlips,
    Attribution,
    BoundaryPeople,
    Churn,
    Profiles,
    RashomonSet,
    Result,
)
from workbench.core.schema import Schema, listing
from workbench.plots import churn_groups, cohorts
from workbench.plots.chosen_words import chosen_sentence
from workbench.plots.offered import options_of
from workbench.plots.renderers import RENDERERS, render, views_of
from workbench.plots.view_titles import VIEW_TITLES

# Of the page that a figure stands on, or no plain value.
OF_THE_PAGE = frozenset({"dark", "webgl", "found", "highlight"})
# Counts are of marks to draw: as many as a figure can hold.
MOST_MARKS = 5000
# Options that a list offers only some of, because there may be as many as rows.
OPEN_LISTS = frozenset({(AttributeFlips, "person", "row")})
# Elsewhere a row is named by its place in the result.
BY_NUMBER = (AttributeFlips, BoundaryPeople)
# Views whose feature is a column, so that a schema says whether there is such a one.
OF_COLUMNS: Mapping[type[Result], Mapping[str, tuple[str, ...]]] = {
    Attribution: {"dependence": ("feature", "colour"), "cohorts": ("by",)},
    Profiles: {"profile": ("feature",), "effects": ("feature",)},
    RashomonSet: {"groups": ("by",)},
    Churn: {"groups": ("by",)},
}
# What such a column may be called besides.
BESIDE_COLUMNS: Mapping[tuple[type[Result], str], tuple[str, ...]] = {
    (Attribution, "cohorts"): (cohorts.PREDICTION, cohorts.TRUTH),
    (RashomonSet, "groups"): (cohorts.PREDICTION, cohorts.TRUTH),
    (Churn, "groups"): (churn_groups.DECISION,),
}


def known_options(kind: type[Result], view: str) -> dict[str, Parameter]:
    """Return the options of a view that may be chosen, by name."""
    found = list(signature(RENDERERS[kind][view]).parameters.values())[1:]
    return {option.name: option for option in found if option.name not in OF_THE_PAGE}


def misfit(kind: type[Result], figure: ChosenFigure, schema: Schema | None = None) -> str:
    """Say what of a figure no result of a kind has; empty where it may be there.

    Parameters
    ----------
    schema
        Of the model that the result will be about, where it is known.
    """
    views = VIEW_TITLES.get(kind, {})
    if not views:
        return f"results of kind {kind.kind!r} have no figures in a report, leave them out"
    if figure.view not in views:
        choice = _instead(figure.view, views)
        return f"there is no view {figure.view[:60]!r} of {kind.kind!r}, {choice}"
    known = known_options(kind, figure.view)
    for name, value in figure.options.items():
        if name not in known:
            choice = f", {_instead(name, known)}" if known else ""
            return f"view {figure.view!r} has no option {name[:60]!r}{choice}"
        if fault := _of_type(value, known[name]) or _of_schema(
            kind, figure.view, name, value, schema
        ):
            return f"{name} of view {figure.view!r} {fault}"
    return ""


def fault_of(result: Result, figure: ChosenFigure) -> str:
    """Say why a result does not have a figure; empty where it has.

    It is drawn to see: what a renderer refuses is told in its words.
    """
    if fault := misfit(type(result), figure):
        return fault
    views = views_of(result)
    if figure.view not in views:
        choice = f", choose {listing(views)}" if views else ""
        return f"view {figure.view!r} has nothing to say of this result{choice}"
    try:
        if fault := next(_not_offered(result, figure), ""):
            return fault
        draw_chosen(result, figure)
        chosen_sentence(result, figure)
    except WorkbenchError as error:
        said = str(error).rstrip(".")
        return f"{said[:1].lower()}{said[1:]}"
    return ""


def figure_of(kind: type[Result], text: str) -> ChosenFigure:
    """Read a figure as it is written on a command line: ``dependence,feature=age,max_rows=50``.

    Raises
    ------
    InvalidInputError
        If an option has no value or two, or results of the kind have no such figure.
    """
    view, *parts = text.split(",")
    options: dict[str, str | int | float] = {}
    for part in parts:
        name, sign, value = part.partition("=")
        if not sign:
            raise InvalidInputError(
                f"Figure {text!r} has no value for {part!r}; write VIEW,OPTION=VALUE, such as "
                "dependence,feature=age."
            )
        if name in options:
            raise InvalidInputError(f"Figure {text!r} gives {name!r} twice; leave one out.")
        options[name] = _number(value) if _takes_numbers(kind, view, name) else value
    try:
        figure = ChosenFigure(view=view, options=options)
    except ValidationError as error:
        (fault, *_) = error.errors()
        reason = fault["msg"].removeprefix("Value error, ").lower()
        reason = "its view is not named" if fault["type"] == "string_too_short" else reason
        raise InvalidInputError(f"Figure {text[:200]!r} does not fit: {reason}.") from None
    if fault_said := misfit(kind, figure):
        raise InvalidInputError(f"Figure {text!r} does not fit: {fault_said}.")
    return figure


def _takes_numbers(kind: type[Result], view: str, name: str) -> bool:
    """Tell whether an option is a number and never text; false where there is no such one."""
    if view not in RENDERERS.get(kind, {}):
        return False
    option = known_options(kind, view).get(name)
    return option is not None and not any(
        part is str or isinstance(part, str) for part in _kinds(option.annotation)
    )


def _number(text: str) -> str | int | float:
    """Return a number as it is written, and other text as it is."""
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text


def draw_chosen(
    result: Result, figure: ChosenFigure, *, dark: bool = False, **limits: Any
) -> go.Figure:
    """Draw a figure.

    Parameters
    ----------
    limits
        Options that hold where the figure says nothing of them and the view has them.

    Raises
    ------
    InvalidInputError
        If the result has no such view, or the view no such option.
    """
    if fault := misfit(type(result), figure):
        raise InvalidInputError(f"This figure cannot be drawn: {fault}.")
    known = signature(RENDERERS[type(result)][figure.view]).parameters
    kept = {name: value for name, value in limits.items() if name in known}
    chosen = {name: _as_taken(value, known[name]) for name, value in figure.options.items()}
    return render(result, figure.view, **{**kept, **chosen, "dark": dark})


def title_of(kind: type[Result], figure: ChosenFigure, ids: Any = None) -> str:
    """Return what stands above a figure: what its view shows, and the options chosen for it.

    Parameters
    ----------
    ids
        Row numbers of the result; without them a row is named by its place.

    Examples
    --------
    >>> chosen = ChosenFigure(view="dependence", options={"feature": "age", "colour": "sex"})
    >>> title_of(Attribution, chosen)
    "A feature's value and its effect (feature age, colour sex)"
    >>> title_of(Attribution, ChosenFigure(view="waterfall", options={"row": 2}), ids=[7, 8, 9])
    'From the base value to the prediction (row 9)'
    """
    title = VIEW_TITLES.get(kind, {}).get(figure.view, figure.view)
    places = set() if kind in BY_NUMBER else {"row"}
    said = [
        f"{name.replace('_', ' ')} {_place(value, ids) if name in places else value}"
        for name, value in figure.options.items()
    ]
    return f"{title} ({', '.join(said)})" if said else title


def _place(value: str | int | float, ids: Any) -> str:
    """Name a row by its number in the file, or by its place where the numbers are not known."""
    if isinstance(value, int) and ids is not None and 0 <= value < len(ids):
        return str(int(ids[value]))
    return f"no. {value + 1:,} of those shown" if isinstance(value, int) else str(value)


def _instead(name: str, known: Mapping[str, Any]) -> str:
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}" if near else f"choose {listing(known, 20)}"


def _of_type(value: str | int | float, option: Parameter) -> str:
    """Say why a value is none that an option takes, as far as its type says."""
    kinds = _kinds(option.annotation)
    choices = [kind for kind in kinds if isinstance(kind, str)]
    if choices:
        return "" if value in choices else f"is not {value!r}, choose {listing(choices, 20)}"
    if isinstance(value, str):
        return "" if str in kinds else "must be a number"
    if str in kinds and not {int, float} & set(kinds):
        return f"must be text, put {value} in quotes"
    if isinstance(value, float):
        return "" if float in kinds else "must be a whole number"
    if int not in kinds:
        return ""
    count = _is_count(option.name)
    fits = 1 <= value <= MOST_MARKS if count else 0 <= value <= 2**53
    meant = f"1 to {MOST_MARKS:,}" if count else "0 or more" if value < 0 else "a smaller number"
    return "" if fits else f"must be {meant}, got {value}"


def _as_taken(value: str | int | float, option: Parameter) -> str | int | float:
    """Return a whole number as the decimal number that an option takes."""
    kinds = _kinds(option.annotation)
    return float(value) if isinstance(value, int) and float in kinds else value


def _is_count(name: str) -> bool:
    return name.startswith("max_") or name in {"count", "most", "top"}


def _kinds(annotation: Any) -> tuple[Any, ...]:
    """Return the types that an annotation allows, or the words."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    parts = get_args(annotation) or (annotation,)
    return tuple(part for part in parts if part is not NoneType)


def _of_schema(
    kind: type[Result], view: str, name: str, value: str | int | float, schema: Schema | None
) -> str:
    """Say that a model has no such feature or output, before it is asked anything."""
    if schema is not None and name == "output":
        return _of_outputs(value, schema.output_names)
    if schema is None or name not in OF_COLUMNS.get(kind, {}).get(view, ()):
        return ""
    known = (*schema.names, *BESIDE_COLUMNS.get((kind, view), ()))
    return "" if value in known else (
        f"is no feature of the model, {_instead(str(value), dict.fromkeys(known))}"
    )  # fmt: skip


def _of_outputs(value: str | int | float, outputs: Sequence[str]) -> str:
    """Say that a model has no such output, which is named or numbered."""
    if value in outputs or (not isinstance(value, str) and 0 <= value < len(outputs)):
        return ""
    return f"is no output of the model, {_instead(str(value), dict.fromkeys(outputs))}"


def _not_offered(result: Result, figure: ChosenFigure) -> Iterator[str]:
    """Yield what is wrong with the values of a figure in view of the result itself."""
    options, kind = figure.options, type(result)
    feature = options.get("feature")
    offered = options_of(
        result, figure.view, options.get("output"),  # type: ignore[arg-type] # checked by its type
        feature=feature if isinstance(feature, str) else None,
    )  # fmt: skip
    for name, choices in offered.items():
        if name not in options or (kind, figure.view, name) in OPEN_LISTS:
            continue
        value = options[name]
        if isinstance(value, str) and value not in choices:
            choice = _instead(value, dict.fromkeys(choices))
            yield f"{name} {value[:60]!r} is not offered for view {figure.view!r}, {choice}"
