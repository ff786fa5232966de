"""Which output of a model is meant, and what results about outputs share."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from workbench.core.errors import InvalidInputError
from workbench.core.schema import Schema, listing


def find_output(
    output: str | int | None,
    schema: Schema,
    names: Sequence[str],
    predictions: Float[np.ndarray, "n k"],
) -> int:
    """Return the position of an output given by name, position, or None for the default.

    By default the favourable class; of two classes the second; of more the one predicted most
    over the rows.

    Raises
    ------
    InvalidInputError
        If there is no such output.
    """
    if output is None:
        if schema.favourable is None and schema.task == "multiclass" and len(predictions):
            return int(predictions.mean(0).argmax())
        return schema.favourable_output
    if isinstance(output, str):
        if output not in names:
            raise InvalidInputError(
                f"There is no output {output!r}; choose one of {listing(names)}."
            )
        return list(names).index(output)
    if not 0 <= output < len(names):
        raise InvalidInputError(f"There is no output {output}; the last one is {len(names) - 1}.")
    return output


class OfOutputs:
    """What a result has that is about the features of rows and the outputs of a model."""

    schema: Schema
    output_names: tuple[str, ...]
    predictions: Float[np.ndarray, "n k"]

    @property
    def names(self) -> tuple[str, ...]:
        """Feature names, as the user's columns are called."""
        return self.schema.names

    def output_index(self, output: str | int | None) -> int:
        """Return the position of an output, as ``find_output`` does.

        Raises
        ------
        InvalidInputError
            If there is no such output.
        """
        return find_output(output, self.schema, self.output_names, self.predictions)
