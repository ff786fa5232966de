r"""Fast transforms of set functions that are given as a table of all ``2^d`` coalitions.

Bit ``i`` of a place in the table says whether player ``i`` is in. A transform treats one bit after
the other, which takes :math:`d\,2^{d-1}` additions instead of :math:`3^d`.

References
----------
Kennes and Smets (1990), Computational Aspects of the Mobius Transformation.
"""

from collections.abc import Iterator

from jaxtyping import Float
from torch import Tensor

from workbench.core.errors import InvalidInputError


def moebius_(table: Float[Tensor, "n m k"]) -> Float[Tensor, "n m k"]:
    r"""Replace the value of each coalition by what it adds to all of its parts; in place.

    .. math:: m(T) = \sum_{S \subseteq T} (-1)^{|T| - |S|} v(S),
              \qquad v(S) = \sum_{T \subseteq S} m(T)

    Raises
    ------
    InvalidInputError
        If the table is not contiguous, or has not :math:`2^d` coalitions.
    """
    for halves in _by_player(table):
        halves[:, :, 1] -= halves[:, :, 0]
    return table


def superset_sums_(table: Float[Tensor, "n m k"]) -> Float[Tensor, "n m k"]:
    r"""Replace the value of each coalition by the sum over all that hold it; in place.

    .. math:: u(S) = \sum_{T \supseteq S} v(T)

    Raises
    ------
    InvalidInputError
        If the table is not contiguous, or has not :math:`2^d` coalitions.
    """
    for halves in _by_player(table):
        halves[:, :, 0] += halves[:, :, 1]
    return table


def _by_player(
    table: Float[Tensor, "n m k"],
) -> Iterator[Float[Tensor, "n above 2 below"]]:
    """Yield views of the table whose third axis says whether a player is in, one per player."""
    n, m, k = table.shape
    if m < 1 or m & (m - 1) or not table.is_contiguous():
        raise InvalidInputError(
            f"A transform needs a contiguous table of 2^d coalitions, got shape {(n, m, k)} with "
            f"strides {table.stride()}; pass table.contiguous()."
        )
    for player in range(m.bit_length() - 1):
        yield table.view(n, m >> (player + 1), 2, k << player)
