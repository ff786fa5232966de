"""Directions of weights that change one output at the least loss, by conjugate gradients."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.func import vjp, vmap

from workbench.numerics.flat_weights import FlatWeights

Product = Callable[[Float[Tensor, "b p"]], Float[Tensor, "b p"]]


def slopes_of(
    flat: FlatWeights,
    inputs: Float[Tensor, "b f"],
    contrasts: Float[Tensor, "b k"],
    chunk: int,
) -> Float[Tensor, "b p"]:
    """Return how the contrast of each row's logits changes with the weights."""

    def one(row: Tensor, contrast: Tensor) -> Tensor:
        back = vjp(lambda weights: flat.logits_at(weights, row[None])[0], dict(flat.given))[1]
        return flat.join({name: part[None] for name, part in back(contrast)[0].items()})[0]

    slopes: Tensor = vmap(one, chunk_size=chunk, randomness="error")(inputs, contrasts)
    return slopes


def curvature_product(
    flat: FlatWeights,
    inputs: Float[Tensor, "n f"],
    *,
    classes: bool,
    chunk: int,
) -> Product:
    r"""Return the product with the Gauss-Newton matrix of the mean loss of some rows.

    .. math:: G v = \frac1n \sum_i J_i^T B_i J_i v, \qquad B_i = \mathrm{diag}(p_i) - p_i p_i^T

    with the Jacobian of the logits by the weights; :math:`B_i = 2` for a squared error. For a
    linear model this is the Hessian. :math:`J v` is the transpose of :math:`u \mapsto J^T u`, so
    backward passes do for both.

    Parameters
    ----------
    chunk
        Directions at a time.
    """
    asked = vjp(lambda weights: flat.logits_at(weights, inputs), dict(flat.given))
    logits, back = asked[0], asked[1]
    share = logits.softmax(-1) if classes else None

    def transposed(outputs: Tensor) -> Tensor:
        return flat.join({name: part[None] for name, part in back(outputs)[0].items()})[0]

    forward = vjp(transposed, torch.zeros_like(logits))[1]

    def one(direction: Tensor) -> Tensor:
        (change,) = forward(direction)
        if share is None:
            return transposed(2 * change / len(inputs))
        inner = (share * change).sum(-1, keepdim=True)
        return transposed(share * (change - inner) / len(inputs))

    def product(directions: Float[Tensor, "b p"]) -> Float[Tensor, "b p"]:
        result: Tensor = vmap(one, chunk_size=chunk, randomness="error")(directions)
        return result

    return product


def conjugate_gradients(
    product: Product,
    right: Float[Tensor, "b p"],
    *,
    damping: float | Float[Tensor, " p"],
    steps: int = 50,
    close: float = 1e-3,
) -> Float[Tensor, "b p"]:
    r"""Solve :math:`(G + \mu I) q = v` for many right sides at once, each by its own steps.

    Stops after ``steps``, or when every residual is below ``close`` times its right side. What is
    left of an early stop is the least curved part, which a damping would have held back as well.

    References
    ----------
    Martens (2010), Deep Learning via Hessian-Free Optimization, Sec. 4.
    """
    found, left = torch.zeros_like(right), right.clone()
    way, size = right.clone(), right.square().sum(1)
    enough = close**2 * size
    for _ in range(steps):
        if bool((size <= enough).all()):
            break
        curved = product(way) + damping * way
        pace = size / (way * curved).sum(1).clamp(min=torch.finfo(size.dtype).tiny)
        pace = pace.masked_fill(size <= enough, 0.0)
        found += pace[:, None] * way
        left -= pace[:, None] * curved
        before, size = size, left.square().sum(1)
        way = left + (size / before.clamp(min=torch.finfo(size.dtype).tiny))[:, None] * way
    return found
