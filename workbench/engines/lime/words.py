"""What a local model's numbers mean, what to know besides, and how many features it may have."""

import numpy as np

from workbench.core.errors import InvalidInputError
from workbench.core.local_models import IN_BINS, INACTIVE_KERNEL, POOR_FIT
from workbench.core.schema import Feature
from workbench.core.table import Table
from workbench.core.wording import counted, percent
from workbench.engines.lime.levels import Levels
from workbench.engines.lime.neighbourhood import places_of
from workbench.engines.lime.params import USUAL_FEATURES, NeighbourhoodParams

MOST_FEATURES = 1000


def count_of(d: int, params: NeighbourhoodParams) -> int:
    """Features of a local model at most.

    Raises
    ------
    InvalidInputError
        If more are asked for than there are, or there are more than can be fitted at once.
    """
    if d > MOST_FEATURES:
        raise InvalidInputError(
            f"LIME fits at most {MOST_FEATURES:,} features at once, and the model has {d:,}; "
            "choose a Shapley method, such as 'permutation'."
        )
    if params.num_features is not None and params.num_features > d:
        raise InvalidInputError(
            f"num_features is {params.num_features}, and the model has {counted(d, 'feature')}; "
            f"choose at most {d}."
        )
    return params.num_features or min(USUAL_FEATURES, d)


def meaning_of(feature: Feature, params: NeighbourhoodParams, known: Levels) -> str:
    """Say what a coefficient stands for."""
    if feature.kind == "categorical":
        return "same category as the row, against any other"
    if params.sampling == IN_BINS:
        return "same bin as the row, against any other"
    spread = f"{known.spread[0]:,.4g} {feature.unit}".strip()
    missing = "; missing as in the row, where it is" if feature.has_missing else ""
    return f"one standard deviation ({spread}) more{missing}"


def notes_of(
    rows: Table,
    levels: tuple[Levels, ...],
    arrays: dict[str, np.ndarray],
    params: NeighbourhoodParams,
) -> tuple[str, ...]:
    """Say what a reader should know besides the numbers."""
    notes, n = [], len(rows)
    places = places_of(rows.X.double().numpy(), levels, params.sampling)
    own, as_level = places.levels.numpy(), places.as_level.numpy()
    for j, (feature, known) in enumerate(zip(rows.schema.features, levels, strict=True)):
        unseen = int(((known.shares[own[:, j]] == 0) & as_level[:, j]).sum())
        if unseen:
            notes.append(
                f"{counted(unseen, 'row')} {'has' if unseen == 1 else 'have'} a value of "
                f"{feature.name} that no background row has: its coefficient means little there"
            )
    inactive = int((arrays["effective_share"] > INACTIVE_KERNEL).sum())
    if inactive:
        notes.append(
            f"the kernel hardly tells near from far for {inactive:,} of {counted(n, 'row')} "
            f"(effective samples above {percent(INACTIVE_KERNEL)} of all)"
        )
    poor = int((arrays["r2"] < POOR_FIT).any(1).sum())
    if poor:
        notes.append(
            f"the local model explains less than {percent(POOR_FIT)} of the variance for {poor:,} "
            f"of {counted(n, 'row')}"
        )
    return tuple(notes)
