"""Profiles over equally good models, in words."""

import numpy as np

from workbench.core.profiles import Profiles
from workbench.core.wording import counted
from workbench.plots import words


def across_sentence(profiles: Profiles, output: str | int | None = None) -> str:
    """Say where models differ most in their mean curves, and whether they agree what matters most.

    Raises
    ------
    InvalidInputError
        If there is no such output.
    """
    which = profiles.output_index(output)
    others = profiles.n_models - 1
    if not others:
        return (
            "No equally good model was found, so nothing is known of how far curves differ; allow "
            "a larger tolerance."
        )
    what, models = words.quantity(profiles, which), counted(others, "equally good model")
    found = profiles.profile(int(profiles.widest(which)[0]), which)
    if not found.counts.any():
        return f"Of {models}, no row has a value of any feature."
    held = profiles.well_held[profiles.of == profiles.widest(which)[0]]
    at = int((np.ptp(found.mean, axis=0) * held).argmax())
    low, high, own = (
        words.number(float(value))
        for value in (found.mean[:, at].min(), found.mean[:, at].max(), found.mean[0, at])
    )
    first = int(profiles.ranking(which)[0])
    same = sum(
        int(profiles.features[profiles.spreads(which, model).argmax()]) == first
        for model in range(1, profiles.n_models)
    )
    agreed = "all of them" if same == others else f"{same:,} of them"
    return (
        f"{models} differ most about {found.feature.name}: at {found.labels[at]} they put the mean "
        f"{what} from {low} to {high}, this model at {own}. For {agreed} "
        f"{profiles.names[first]} moves it most, as for this one."
    )
