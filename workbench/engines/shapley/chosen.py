"""Why ``auto`` took a method, said again of a run that names the method itself."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from workbench.core.model import Model
from workbench.core.provenance import Provenance
from workbench.core.results import Result
from workbench.engines.shapley import FAMILY, choose_method, choose_settings, exact
from workbench.engines.shapley.params import SharingParams

CHOSEN = "auto chose "


def was_chosen(record: Provenance) -> bool:
    """Tell whether the program chose the method of a run."""
    own = record.method.startswith(f"{FAMILY}.")
    return own and any(note.startswith(CHOSEN) for note in record.notes)


def why_chosen(
    method: str, model: Model, n_rows: int, n_background: int, params: Mapping[str, Any]
) -> str:
    """Return the note with which ``auto`` takes a method for these rows and settings.

    Parameters
    ----------
    method
        What was taken once; where it would be another one now, the note says so.
    params
        All settings of the run.

    Raises
    ------
    InvalidInputError
        If a setting is out of bounds.
    """
    if method == exact.NAME:  # that it could run is the reason, whatever budget it was given
        return choose_method(model, n_rows, n_background, 2 ** len(model.schema.features))[1]
    # What auto sets itself it is not told.
    asked = {
        name: value for name, value in params.items()
        if name in SharingParams.model_fields and (name, value) != ("draw", "shared")
    }  # fmt: skip
    name, _, why = choose_settings(model, n_rows, n_background, asked)
    if name == method:
        return why
    taken, now = (full.partition(".")[2] for full in (method, name))
    return f"{CHOSEN}{taken} when the analysis was made, and would choose {now} now"


def noted(result: Result, why: str) -> Result:
    """Return a result whose provenance says first why its method was chosen."""
    notes = (why, *result.provenance.notes)
    record = result.provenance.model_copy(update={"notes": notes})
    return replace(result, provenance=record)
