"""What the figures of several explanations share: how they are grouped, named and coloured."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from workbench.core.errors import InvalidInputError
from workbench.core.faithfulness import EXPLANATIONS, Type
from workbench.core.results import Faithfulness
from workbench.core.schema import listing
from workbench.plots.theme import Palette

# What the values of each group are; a group stands together in every figure.
GROUPS: Mapping[Type, str] = {
    "slope": "slopes",
    "contribution": "contributions",
    "anchor": "anchors (blind to the model)",
}
# The neighbourhoods inside a sentence.
WHERE: Mapping[str, str] = {
    "near": "where numbers are moved a little",
    "wide": "where numbers are moved further",
    "mask-exponential": "where a few features are removed",
    "mask-shapley": "where many or few features are removed",
    "one-at-a-time": "where one feature is removed",
    "path": "on the way from the reference",
    "resample": "where features have values of other rows",
}
# Where numbers are moved: there a contribution, which is no slope, predicts nothing.
MOVED, RESAMPLED = frozenset({"near", "wide"}), "resample"


def groups_of(types: Sequence[Type]) -> Iterator[tuple[Type, list[int]]]:
    """Give each group that occurs with the positions of its methods."""
    for kind in GROUPS:
        if members := [i for i, other in enumerate(types) if other == kind]:
            yield kind, members


def colour_of(kind: Type, colours: Palette) -> str:
    """Return the colour of a group; anchors are grey."""
    return {
        "slope": colours.classes[3], "contribution": colours.classes[2], "anchor": colours.others,
    }[kind]  # fmt: skip


def not_compared(result: Faithfulness, method: int, neighbourhood: int, which: int) -> str:
    """Say why a method has no entry for a neighbourhood."""
    key, total = result.neighbourhoods[neighbourhood], result.total[:, neighbourhood, which]
    if np.isnan(total).all():
        return "these rows have no such neighbourhood"
    if not (np.nan_to_num(total) > 0).any():
        return "the output does not move there"
    kind = result.types[method]
    if kind == "contribution" and key in MOVED:
        return "a contribution does not say what a small move does"
    if kind == "slope" and key == RESAMPLED:
        return "a slope does not say what the value of another row does"
    if kind == "slope":
        return "a slope says nothing of categories and missing values"
    return "a comparison would be meaningless"


def type_or_first(types: Sequence[Type], kind: str | None) -> Type:
    """Return which values are meant: contributions unless there are none, or else is wished.

    Raises
    ------
    InvalidInputError
        If there are no such values.
    """
    offered = offered_types(types)
    if kind is None and offered:
        return offered[0]
    for known in offered:
        if kind == known:
            return known
    choice = f"choose one of {listing(offered)}" if offered else "it has anchors only"
    raise InvalidInputError(f"This result has no values of type {kind!r}; {choice}.")


def offered_types(types: Sequence[Type]) -> list[Type]:
    """Return the types of values that a result has; contributions first, anchors aside."""
    wanted: tuple[Type, ...] = ("contribution", "slope")
    return [kind for kind in wanted if kind in types]


def name_of(method: str) -> str:
    """Return the title of a method."""
    return EXPLANATIONS[method]


def where_of(neighbourhood: str) -> str:
    """Return a neighbourhood as the end of a sentence."""
    return WHERE[neighbourhood]


def write_legend(figure: go.Figure, *, rows: int = 1) -> None:
    """Put the names of traces above a figure, on up to so many rows in a narrow window."""
    figure.update_layout(
        showlegend=True,
        legend={"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0, "traceorder": "normal",
                "yref": "paper"},
        margin={"t": 26 + 22 * rows},
    )  # fmt: skip
