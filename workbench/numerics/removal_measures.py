"""Measures of explanations that remove or keep features by count; see ``explanation_measures``."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from workbench.numerics.explanation_measures import (
    ROUNDING,
    Measured,
    faithfulness_correlation,
    way_of,
)


def share_lost(
    between: Float[Tensor, "b m j k"],
    full: Float[Tensor, "b k"],
    empty: Float[Tensor, "b k"],
    counts: Sequence[int],
    *,
    rounding: float = ROUNDING,
) -> Measured:
    r"""Return the mean share of the way from the row to the reference that is lost on a path.

    .. math:: \frac{1}{|N|} \sum_{n \in N} \frac{f(x) - f(x_n)}{f(x) - f(r)}

    With :math:`x_n` the row without its ``n`` strongest features it is comprehensiveness, with
    these features alone it is sufficiency. In the source it is not divided by the way.

    Parameters
    ----------
    between
        Outputs after each of ``d - 1`` removals, or insertions.
    full, empty
        Outputs of the row and of the reference; NaN where they are the same.
    counts
        How many features are removed or kept, each below ``d``.
    rounding
        As for ``completeness_gap``.

    References
    ----------
    DeYoung et al. (2020), ERASER: a benchmark to evaluate rationalized NLP models, Section 4.
    """
    way = way_of(full, empty, rounding)[:, None]
    at = torch.tensor([count - 1 for count in counts], device=between.device)
    return ((full[:, None, None] - between[:, :, at]).mean(2)) / way


def sensitivity_n(
    predicted: Float[Tensor, "b m s k"],
    happened: Float[Tensor, "b s k"],
    sizes: Int[Tensor, " s"],
) -> Measured:
    r"""Return ``faithfulness_correlation`` among removals of one size, its mean over sizes.

    .. math:: \frac{1}{|N|} \sum_{n \in N}
        \mathrm{corr}_{s: |s| = n} \big(e^T I_s,\; f(x) - f(x_s)\big)

    Larger removals change more whatever an explanation says, which raises a correlation over all
    sizes together. Sizes of which it is not defined are left out.

    References
    ----------
    Ancona, Ceolini, Oztireli and Gross (2018), Towards better understanding of gradient-based
    attribution methods for deep neural networks, Section 3.
    """
    found = [
        faithfulness_correlation(predicted[:, :, sizes == size], happened[:, sizes == size])
        for size in sizes.unique()
    ]
    return torch.stack(found).nanmean(0)
