"""Mean Gram matrices of the Jacobians of a section of a network, and attributions through it."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call, jacfwd, vjp, vmap

from workbench.numerics.interaction_basis import Basis

# Told what part of the rows is done.
Step = Callable[[int, int], None]
BUDGET = 512 * 2**20
# Rows are taken in parts of this size, where memory allows more: what fits the caches is quicker.
FAST = 64 * 2**20
# More outputs of a row than this are drawn together by random signs.
MOST_OUTPUTS = 2048


@dataclass(frozen=True)
class Dense:
    """A section that is a linear layer and a function of each unit, where it is one.

    Attributes
    ----------
    weight
        ``[e, d]``.
    slope
        Derivative of the unit's function at the activations of the section ``[n t e]``; None for
        the identity.
    """

    weight: Float[Tensor, "e d"]
    slope: Callable[[Float[Tensor, "n s d"]], Float[Tensor, "n s e"]] | None


def dense_gram(
    dense: Dense, activations: Float[Tensor, "n s d"], into: Float[Tensor, "e k"], *, rows: int
) -> Float[Tensor, "d d"]:
    r"""Mean Gram matrix of the Jacobian of a linear layer with a function of each unit.

    .. math:: M' = W^\top \bigl[(C C^\top) \circ Q\bigr] W, \qquad
              Q_{ab} = \mathrm{E}\,\sigma'(z_a) \sigma'(z_b)

    No Jacobian is formed; the cost is that of one matrix product over the rows.
    """
    outer = into @ into.T
    if dense.slope is not None:
        outer = outer * co_firing(dense, activations, rows=rows)
    return dense.weight.T @ outer @ dense.weight


def co_firing(
    dense: Dense, activations: Float[Tensor, "n s d"], *, rows: int
) -> Float[Tensor, "e e"]:
    """Mean product of the slopes of each two units: of ReLUs, how often both are on."""
    assert dense.slope is not None  # noqa: S101 - callers ask for sections with a function
    e = len(dense.weight)
    total = activations.new_zeros(e, e)
    for start in range(0, len(activations), rows):
        slopes = dense.slope(activations[start : start + rows]).reshape(-1, e)
        total += slopes.T @ slopes
    return total / (activations.shape[0] * activations.shape[1])


def jacobian_gram(
    section: nn.Module,
    activations: Float[Tensor, "n s d"],
    into: Float[Tensor, "e k"],
    *,
    sources: int = 0,
    rng: np.random.Generator | None = None,
    budget: int = BUDGET,
    step: Step | None = None,
) -> Float[Tensor, "d d"]:
    r"""Mean Gram matrix of the Jacobian of a section into features of the next layer.

    .. math:: M' = \frac{1}{NS} \sum_x \sum_{i,t} \sum_s
              \Bigl(\frac{\partial \hat f_{i,t}}{\partial f_s}\Bigr)^\top
              \frac{\partial \hat f_{i,t}}{\partial f_s}

    summed over output features and positions, averaged over rows and input positions.

    Parameters
    ----------
    sources
        0 takes every output; otherwise so many vectors of random signs over all outputs stand for
        them, without bias.
    rng
        Draws the signs.
    """
    n, s, d = activations.shape
    total = activations.new_zeros(d, d)

    def outputs(rows: Tensor) -> Tensor:
        found: Tensor = section(rows) @ into
        return found

    for part in _parts(section, activations, into, budget, sources):
        if sources:
            jacobians = _drawn(outputs, part, sources, rng)
        else:
            jacobians = _jacobians(outputs, part).flatten(1, 2)
        total += torch.einsum("bosi,bosj->ij", jacobians, jacobians)
        if step is not None:
            step(len(part), n)
    return total / (n * s * max(1, sources))


def _drawn(
    outputs: Callable[[Tensor], Tensor],
    rows: Float[Tensor, "b s d"],
    sources: int,
    rng: np.random.Generator | None,
) -> Float[Tensor, "b r s d"]:
    assert rng is not None  # noqa: S101 - callers that ask for sources bring a generator
    whole, back = vjp(outputs, rows)[:2]
    # Row by row, so that rows in other parts are given the same signs.
    signs = rng.integers(0, 2, (len(rows), sources, *whole.shape[1:]))
    drawn = torch.from_numpy(2 * signs - 1).to(whole)
    return torch.stack([back(sign)[0] for sign in drawn.unbind(1)], 1)


def _jacobians(
    outputs: Callable[[Tensor], Tensor], rows: Float[Tensor, "b s d"]
) -> Float[Tensor, "b t k s d"]:
    """Jacobian of each row, on which alone its outputs depend, by the mode with fewer passes."""
    n_out = outputs(rows[:1]).numel()
    if n_out <= rows[0].numel():
        # A pass for each output, of all rows at once.
        whole, back = vjp(outputs, rows)[:2]
        each = torch.eye(n_out, dtype=whole.dtype, device=whole.device)
        each = each.reshape(n_out, 1, *whole.shape[1:]).expand(-1, len(rows), -1, -1)
        (found,) = vmap(back)(each)
        return found.movedim(0, 1).unflatten(1, whole.shape[1:])
    with warnings.catch_warnings():  # its first use compiles rules in a way that torch warns of
        warnings.simplefilter("ignore", DeprecationWarning)
        other: Tensor = vmap(jacfwd(lambda row: outputs(row[None])[0]))(rows)
    return other


def _parts(
    section: nn.Module, activations: Tensor, into: Tensor, budget: int, sources: int = 0
) -> Iterator[Tensor]:
    """Rows in parts whose Jacobians fit the memory."""
    _, s, d = activations.shape
    t = section(activations[:1]).shape[1]
    outs = sources or t * into.shape[1]
    # The Jacobian, its square on the way, and the passes that make it.
    size = max(1, 4 * outs * s * max(d, into.shape[0]) * activations.element_size())
    return iter(activations.split(max(1, min(budget, FAST) // size)))


@dataclass(frozen=True)
class Rule:
    """Where along the way from 0 to an activation gradients are taken, and how they are weighed."""

    points: tuple[float, ...]
    weights: tuple[float, ...]


GRADIENT = Rule((1.0,), (1.0,))


def gauss_legendre(n: int) -> Rule:
    """Return the rule of Gauss and Legendre with ``n`` points between 0 and 1."""
    points, weights = np.polynomial.legendre.leggauss(n)
    return Rule(tuple((points + 1) / 2), tuple(weights / 2))


def attributions(
    section: nn.Module,
    activations: Float[Tensor, "b s d"],
    here: Basis,
    there: Basis,
    rule: Rule = GRADIENT,
) -> Float[Tensor, "b t k m"]:
    r"""Signed attribution of each feature of a layer to each of the next.

    .. math:: A_{ijt} = \sum_s \hat f_{s,j} \int_0^1
              \frac{\partial \hat f_{i,t}(\alpha)}{\partial \hat f_{s,j}} \, d\alpha

    Along the way activations and biases are scaled together, as if each bias were the weight of
    one more activation that is always 1. For a piecewise linear section the gradient then is the
    same everywhere along it, so that the end alone gives the integral.
    """
    features = here.features(activations)
    total: Tensor | float = 0.0
    for point, weight in zip(rule.points, rule.weights, strict=True):
        scaled = {
            name: value * point
            for name, value in section.named_parameters()
            if name.rpartition(".")[2] == "bias"
        }

        def outputs(rows: Tensor, scaled: dict[str, Tensor] = scaled) -> Tensor:
            found: Tensor = functional_call(section, scaled, (rows,)) @ there.into
            return found

        jacobians = _jacobians(outputs, activations * point)
        slopes = torch.einsum("btksd,md->btksm", jacobians, here.back)
        total = total + weight * torch.einsum("btksm,bsm->btkm", slopes, features)
    assert isinstance(total, Tensor)  # noqa: S101 - a rule has at least one point
    return total


def edges(
    section: nn.Module,
    activations: Float[Tensor, "n s d"],
    here: Basis,
    there: Basis,
    *,
    rule: Rule = GRADIENT,
    budget: int = BUDGET,
    step: Step | None = None,
) -> Float[Tensor, "k m"]:
    r"""Mean squared attribution of each feature of a layer to each of the next.

    .. math:: E_{ij} = \frac{1}{NS} \sum_x \sum_t A_{ijt}(x)^2
    """
    n, s, _ = activations.shape
    total = activations.new_zeros(len(there), len(here))
    if not total.numel():
        return total
    for part in _parts(section, activations, there.into, budget):
        total += attributions(section, part, here, there, rule).square().sum((0, 1))
        if step is not None:
            step(len(part), n)
    return total / (n * s)


def dense_edges(
    dense: Dense,
    activations: Float[Tensor, "n s d"],
    here: Basis,
    there: Basis,
    *,
    rows: int,
) -> Float[Tensor, "k m"]:
    r"""Edges of a linear layer with a piecewise linear function of each unit, without Jacobians.

    .. math:: A_{ij} = \hat f_j \sum_a C_{ai}\, \sigma'(z_a)\, (W C^{+\top})_{aj}
    """
    n, s, d = activations.shape
    total = activations.new_zeros(len(there), len(here))
    reads = dense.weight @ here.back.T
    for start in range(0, n, rows):
        part = activations[start : start + rows].reshape(-1, 1, d)
        features = here.features(part)[:, 0]
        if dense.slope is None:
            slopes = (there.into.T @ reads)[None]
        else:
            on = dense.slope(part)[:, 0]
            slopes = torch.einsum("ak,ba,am->bkm", there.into, on, reads)
        total += (slopes.square() * features.square()[:, None, :]).sum(0)
    return total / (n * s)


def chunk_of(dense: Dense, *bases: Sequence[object] | Basis, budget: int = BUDGET) -> int:
    """Rows whose products fit the memory, for the functions about dense sections."""
    widest = max(1, *(len(basis) for basis in bases), *dense.weight.shape)
    return max(1, budget // (8 * 4 * widest * widest))
