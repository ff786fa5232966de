"""An explanation that was made elsewhere, brought among those that are made here."""

import hashlib

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from workbench.core.attribution import Attribution
from workbench.core.errors import InvalidInputError
from workbench.core.model import Model, Output
from workbench.core.provenance import Provenance
from workbench.core.table import Table
from workbench.numerics.links import unit_of


def given_values(
    given: Attribution, model: Model, rows: Table, output: Output
) -> Float[Tensor, "n d k"]:
    """Return the values of an attribution in the order of rows and outputs; NaN where it has none.

    Raises
    ------
    InvalidInputError
        If it is of another model, of other rows, or on another scale.
    """
    record = given.provenance
    if record.model_digest != model.digest:
        raise InvalidInputError(
            f"The given attribution is of model {record.model} (sha256 {record.model_digest[:8]}), "
            f"not of {model.name} (sha256 {model.digest[:8]}); give one of this model."
        )
    outputs = set(given.output_names) - set(model.output_names)
    if given.names != model.schema.names or outputs:
        raise InvalidInputError(
            f"The given attribution has other features or outputs than model {model.name}, of "
            "which it says it is; make it anew."
        )
    if given.unit != (unit := unit_of(model.schema, output, "identity")):
        raise InvalidInputError(
            f"The given attribution explains {given.unit}, here {unit} is looked at; choose the "
            "same output (output='probability' or 'score')."
        )
    places = {int(row): place for place, row in enumerate(given.ids)}
    missing = [int(row) for row in rows.ids if int(row) not in places]
    if missing:
        raise InvalidInputError(
            f"The given attribution has no row {missing[0]} of {rows.name!r}; look at the rows "
            "that it explains."
        )
    order = [places[int(row)] for row in rows.ids]
    if not np.array_equal(given.data[order], rows.X.double().numpy(), equal_nan=True):
        raise InvalidInputError(
            f"The given attribution explains other values than the rows of {rows.name!r} have; "
            "give the rows that it was made for."
        )
    values = np.full((len(rows), len(model.schema.names), len(model.output_names)), np.nan)
    for place, name in enumerate(given.output_names):
        values[..., model.output_names.index(name)] = given.values[order, :, place]
    return torch.from_numpy(values)


def with_given(record: Provenance, given: Attribution) -> Provenance:
    """Say which explanation was given: its digest is one of the settings of the run."""
    digest = hashlib.sha256(np.ascontiguousarray(given.values).tobytes()).hexdigest()
    source = given.provenance
    note = f"the given explanation is {source.title}, {source.reference}"
    if file := source.params.get("sha256"):
        note += f" (sha256 {str(file)[:8]})"
    return record.model_copy(update={
        "params": {**record.params, "given": digest}, "notes": (*record.notes, note),
    })  # fmt: skip
