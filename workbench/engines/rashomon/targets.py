"""Which rows searches aim at, in which direction, and what a member's number says of it."""

from collections.abc import Callable, Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor

from workbench.core.schema import listing
from workbench.engines.rashomon.params import SearchParams
from workbench.engines.rashomon.scene import Scene
from workbench.numerics.chunks import slices
from workbench.numerics.stream.family import Members

ROWS = 0xA11
# Ends are sought a little within a tolerance, so that rounding puts none beyond.
WITHIN = 1 - 1e-3
PART = 256


def sides(scene: Scene, params: SearchParams) -> Int[Tensor, " m"]:
    """Return what is aimed at, as numbers: rows in an order drawn once, each with all its ways.

    A way raises or lowers the margin of another class over the one decided, or the value of a
    regression. Its number is ``(row * k + class) * 2``, and 1 more where it lowers. Where there
    are more ways than models may be tried, the first rows are aimed at.
    """
    n, k = scene.predictions.shape
    order = torch.from_numpy(scene.context.stream(ROWS).permutation(n))
    others = torch.ones(n, k, dtype=torch.bool)
    if scene.classes:
        others.scatter_(1, scene.predictions.argmax(1, keepdim=True), value=False)
    row, which = others[order].nonzero().T
    number = (order[row] * k + which) * 2
    return torch.stack((number, number + 1), 1).flatten()[: params.models]


def contrasts(
    scene: Scene, numbers: Int[Tensor, " m"]
) -> tuple[Int[Tensor, " m"], Float[Tensor, "m k"]]:
    """Return the row of each way, and the contrast of logits that it raises."""
    k = scene.predictions.shape[1]
    row, which = numbers // 2 // k, numbers // 2 % k
    sign = 1.0 - 2.0 * (numbers % 2).double()
    raised = torch.nn.functional.one_hot(which, k).double()
    if scene.classes:
        decided = scene.predictions.argmax(1)[row]
        raised -= torch.nn.functional.one_hot(decided, k).double()
    return row, sign[:, None] * raised


def aims(tolerances: tuple[float, ...], ways: int, params: SearchParams) -> tuple[float, ...]:
    """Return the tolerances that ends are sought at: as many as models may be tried for.

    The largest always, then the smallest, others at equal steps between them; none at 0, where
    only the given model is.
    """
    wanted = [value for value in tolerances if value > 0]
    most = min(len(wanted), params.models // max(1, ways))
    if most < 2:
        return tuple(wanted[-1:])
    last = len(wanted) - 1
    return tuple(wanted[round(j * last / (most - 1))] for j in range(most))


def sparse(tolerances: tuple[float, ...], aimed: tuple[float, ...], ways: int) -> tuple[str, ...]:
    """Say where ends were not sought, and how many models would do for all tolerances."""
    n = sum(value > 0 for value in tolerances)
    if len(aimed) == n:
        return ()
    where = listing([f"{value:.3g}" for value in aimed], 20)
    return (
        f"Ends were sought at {where} alone; at other tolerances the range is that of the next "
        f"smaller one. {ways * n:,} models would do for all.",
    )


def part_size(scene: Scene, n_bytes: int) -> int:
    """Return how many ways are sought together if each takes so many bytes."""
    return max(1, min(PART, scene.context.budget // 4 // max(1, n_bytes)))


# ``solve(numbers, tolerances)``: where ways end at each of ascending tolerances, as moves of the
# weights ``[t, b, p]``.
Solve = Callable[[Int[Tensor, " b"], tuple[float, ...]], Float[Tensor, "t b p"]]


def ends_of(
    solve: Solve, tolerances: tuple[float, ...]
) -> Callable[[Int[Tensor, " b"]], Float[Tensor, "b p"]]:
    """Return what finds ends by number, ``way * len(tolerances) + tolerance``."""
    t = len(tolerances)

    def find(numbers: Int[Tensor, " b"]) -> Float[Tensor, "b p"]:
        ways, place = (numbers // t).unique(return_inverse=True)
        last = int((numbers % t).max())
        found = solve(ways, tolerances[: last + 1])
        return found[(numbers % t).to(found.device), place.to(found.device)]

    return find


def ends(ways: Int[Tensor, " m"], tolerances: tuple[float, ...], size: int) -> Iterator[Members]:
    """Yield the members at the ends of ways, all tolerances of some ways together."""
    t = len(tolerances)
    for part in slices(len(ways), size):
        numbers = (ways[part, None] * t + torch.arange(t)).flatten()
        ones = torch.ones(len(numbers), dtype=torch.float64)
        yield Members(numbers, ones, ones)
