"""One reference row in place of a background: its mean numbers and most common categories."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from workbench.core.context import Context
from workbench.core.model import Model, Output
from workbench.core.schema import Schema
from workbench.core.table import Table
from workbench.numerics.game import GROUPS, Game
from workbench.numerics.links import Link, apply_link
from workbench.numerics.maskers import baseline, marginal

FEWEST_PARTS = 2


class BaselineGame(Game):
    r"""Value of coalitions against one reference row.

    .. math:: v(x, S) = g(f(x_S, r_{\bar S}))

    A value costs one evaluation, whatever the size of the background. There are no groups: the
    standard error of an attribution is not known. That of the base value is, from reference rows
    that leave out a part of the background each (jackknife).
    """

    def __init__(
        self,
        model: Model,
        background: Table,
        *,
        output: Output = "probability",
        link: Link = "identity",
        context: Context,
        expected: int = 0,
    ) -> None:
        rows = marginal(background).rows  # in an order of their own
        whole = model.whole_numbers
        reference = replace(
            background[:1], X=reference_row(rows, model.schema, whole)[None], name=background.name
        )
        super().__init__(
            model, baseline(reference), output=output, link=link, context=context,
            expected=expected,
        )  # fmt: skip
        n_parts = min(GROUPS, len(rows) - 1)
        if n_parts >= FEWEST_PARTS:
            others = torch.stack([
                reference_row(rows[torch.arange(len(rows)) % n_parts != part], model.schema, whole)
                for part in range(n_parts)
            ])
            values = apply_link(self._whole(model.encode(others)), link)  # (parts, k)
            self.empty_std_errors = (n_parts - 1) / n_parts**0.5 * values.std(0)


def reference_row(
    rows: Float[Tensor, "b d"], schema: Schema, whole: Collection[int] = ()
) -> Float[Tensor, " d"]:
    """Return the mean of each number and the most common code of each category.

    Missing numbers are left out of the mean; a missing category is a category like the others. Of
    equally common categories the first stands. The mean of a column of whole numbers need not be
    one: nobody needs to be like the reference row.

    Parameters
    ----------
    whole
        Features whose mean is rounded, because the model takes whole numbers alone.
    """
    cells = [
        _commonest(column) if feature.kind == "categorical" else float(torch.nanmean(column))
        for feature, column in zip(schema.features, rows.double().T, strict=True)
    ]
    found = torch.tensor(cells, dtype=torch.float64)
    places = list(whole)
    found[places] = found[places].round()
    return found


def _commonest(column: Float[Tensor, " b"]) -> float:
    codes, counts = np.unique(column.numpy(), return_counts=True)  # NaN is one code, the last
    return float(codes[counts.argmax()])
