"""How much of a partial dependence on two features is not the sum of those on each."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from workbench.numerics.chunks import slices
from workbench.numerics.swaps import Set, Swaps

# Numerators below the square of so many units of rounding are nothing.
ROUNDING = 64


@dataclass(frozen=True)
class Friedman:
    """Friedman's statistic of pairs, and its numerator alone as a root mean square."""

    shares: Float[Tensor, "s k"]
    roots: Float[Tensor, "s k"]


def friedman(
    pairs: Sequence[Set],
    swaps: Swaps,
    n: int,
    *,
    outputs: Callable[[Tensor], Tensor],
    count: Callable[[int], None],
    rounding: float,
) -> Friedman:
    r"""Hold the partial dependence on both features against those on each, over the rows.

    With the mean over all rows :math:`x_l` whose features :math:`S` are those of row
    :math:`x_i`, :math:`F_S(x_i) = \frac1n \sum_l f(x_{iS}, x_{l \setminus S})`, each of mean 0
    over :math:`i`,

    .. math:: H^2_{jk} = \frac{\sum_i [F_{jk}(x_i) - F_j(x_i) - F_k(x_i)]^2}
                              {\sum_i F_{jk}(x_i)^2},

    and the root of the numerator's mean, in the unit of the output. A share is of what the two
    features do: for a pair of hardly any effect it can be large and mean nothing, which the root
    shows. Takes :math:`n^2` evaluations for each pair and each feature in one.

    Parameters
    ----------
    swaps
        Of the same ``n`` rows, which are both those looked at and those averaged over.
    rounding
        Unit of rounding of the network's numbers; what is smaller than some of it is 0.

    References
    ----------
    Friedman and Popescu (2008), Predictive Learning via Rule Ensembles, Sec. 8.1; the root:
    Inglis, Parnell and Hurley (2022), Visualizing Variable Importance and Variable Interaction
    Effects in Machine Learning Models.
    """
    singles = sorted({(i,) for i in itertools.chain.from_iterable(pairs)})
    found = partial_dependence([*singles, *pairs], swaps, n, outputs=outputs, count=count)
    least = (ROUNDING * rounding) ** 2 * found.square().mean((0, 1))  # (k,)
    found -= found.mean(1, keepdim=True)
    place = {one[0]: at for at, one in enumerate(singles)}
    first, second = (torch.tensor([place[pair[at]] for pair in pairs]) for at in (0, 1))
    joint = found[len(singles) :]
    apart = (joint - found[first] - found[second]).square().mean(1)
    whole = joint.square().mean(1)
    apart = torch.where(apart > least, apart, 0)
    return Friedman(torch.where(apart > 0, apart / whole, 0), apart.sqrt())


def partial_dependence(
    sets: Sequence[Set],
    swaps: Swaps,
    n: int,
    *,
    outputs: Callable[[Tensor], Tensor],
    count: Callable[[int], None],
) -> Float[Tensor, "s n k"]:
    """Return the mean output over all rows, each with the features of a set as one row has them.

    All sets are asked about together, so that what rows have in common is worked out once.
    """
    total: Tensor | None = None
    for part in slices(n * n, min(n * n, swaps.rows_at_once())):
        both = torch.arange(part.start, part.stop)
        looked_at, averaged = both // n, both % n
        values = outputs(swaps.ask(averaged, looked_at, sets)).cpu().double()  # (s, c, k)
        count(len(sets) * len(both))
        if total is None:
            total = values.new_zeros(len(sets), n, values.shape[-1])
        total.index_add_(1, looked_at, values)
    assert total is not None  # noqa: S101 - there is at least one row
    return total / n
