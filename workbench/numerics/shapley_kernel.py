"""The Shapley kernel: coalitions drawn from it, and the regression whose solution is the values."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


def size_probabilities(n_players: int) -> Float[Tensor, " sizes"]:
    r"""Probability of each size ``1 … d-1`` under the kernel, :math:`p(k) \propto 1/(k (d-k))`.

    Examples
    --------
    >>> size_probabilities(4)
    tensor([0.3636, 0.2727, 0.3636], dtype=torch.float64)
    """
    size = torch.arange(1, n_players, dtype=torch.float64)
    mass = 1 / (size * (n_players - size))
    return mass / mass.sum()


def draw_coalitions(
    n_rows: int, n_coalitions: int, n_players: int, generator: torch.Generator
) -> Bool[Tensor, "n m d"]:
    """Draw coalitions from the kernel for each row; each second one is the complement before it.

    Nothing is looped over, and all of it happens where the generator is.
    """
    device, half = generator.device, (n_coalitions + 1) // 2
    sizes = size_probabilities(n_players).to(device, torch.float32)
    drawn = torch.multinomial(sizes, n_rows * half, replacement=True, generator=generator) + 1
    chosen = _ranked_below(drawn.view(n_rows, half), n_players, generator)
    both = torch.stack([chosen, ~chosen], dim=2).flatten(1, 2)
    return both[:, :n_coalitions]


def draw_uniform_sizes(
    n_rows: int, n_players: int, generator: torch.Generator
) -> Bool[Tensor, "n d"]:
    """Keep each player with a probability that is drawn per row: sizes ``0 … d`` are as likely."""
    share = torch.rand(n_rows, 1, device=generator.device, generator=generator)
    noise = torch.rand(n_rows, n_players, device=generator.device, generator=generator)
    return noise < share


def outer_design(
    n_players: int, n_coalitions: int, generator: torch.Generator
) -> tuple[Bool[Tensor, "m d"], Float[Tensor, " m"]]:
    """Take all coalitions of the outermost sizes, and pairs from the kernel for the sizes between.

    Sizes ``s`` and ``d - s`` are enumerated from the outside in, as long as they fit into what is
    left. Weights add up to 1; those of enumerated sizes are exact, and the drawn coalitions share
    the mass of the others.

    References
    ----------
    The enumeration follows KernelExplainer of Lundberg's ``shap``.
    """
    device, mass = generator.device, size_probabilities(n_players)
    size, parts, weights = 1, list[Tensor](), list[Tensor]()
    while 2 * size <= n_players:
        both = _of_size(n_players, size)
        if 2 * size < n_players:
            both = torch.cat([both, ~both])
        if sum(map(len, parts)) + len(both) > n_coalitions:
            break
        share = mass[size - 1] * (2 if 2 * size < n_players else 1)
        parts.append(both)
        weights.append(torch.full((len(both),), float(share) / len(both), dtype=torch.float64))
        size += 1
    left = n_coalitions - sum(map(len, parts))
    inner = mass[size - 1 : n_players - size]
    if len(inner) and left > 1:
        drawn = torch.multinomial(
            inner.to(device, torch.float32), left // 2, replacement=True, generator=generator
        )
        chosen = _ranked_below(drawn + size, n_players, generator).cpu()
        parts.append(torch.cat([chosen, ~chosen]))
        each = float(inner.sum()) / (2 * len(chosen))
        weights.append(torch.full((2 * len(chosen),), each, dtype=torch.float64))
    return torch.cat(parts), torch.cat(weights)


def _of_size(n_players: int, size: int) -> Bool[Tensor, "m d"]:
    chosen = torch.combinations(torch.arange(n_players), size)
    members = torch.zeros(len(chosen), n_players, dtype=torch.bool)
    return members.scatter_(1, chosen, value=True)


def _ranked_below(
    sizes: Int[Tensor, "*m"], n_players: int, generator: torch.Generator
) -> Bool[Tensor, "*m d"]:
    """Draw a coalition of each size: the players whose random numbers rank below it."""
    noise = torch.rand(*sizes.shape, n_players, device=generator.device, generator=generator)
    return noise.argsort(-1).argsort(-1) < sizes[..., None]


def efficient(raw: Float[Tensor, "n d k"], total: Float[Tensor, "n k"]) -> Float[Tensor, "n d k"]:
    r"""Move values onto the plane where they add up to ``total``, by the shortest way.

    .. math:: \phi_i = \tilde\phi_i + \frac1d \Big(v(N) - v(\emptyset) - \sum_j \tilde\phi_j\Big)

    The exact values lie on that plane, so the move never takes an estimate away from them
    (additive efficient normalisation; Ruiz, Valenciano and Zarzuelo 1998).
    """
    gap = total - raw.sum(1)
    return raw + gap[:, None] / raw.shape[1]


def distance_factor(n_players: int) -> float:
    r"""Return :math:`2 H_{d-1}`, which turns an excess of loss into a squared distance.

    For values :math:`\phi` that add up to :math:`v(N) - v(\emptyset)`, and the kernel's
    expectation of the squared residual, :math:`L`,

    .. math:: \lVert \phi - \phi^* \rVert^2 = 2 H_{d-1} \big(L(\phi) - L(\phi^*)\big),

    because under the kernel :math:`P(i, j \in S) = \frac12 - \frac{1}{2 H_{d-1}}`.
    """
    return 2 * sum(1 / k for k in range(1, n_players))


def all_inner_coalitions(n_players: int) -> tuple[Bool[Tensor, "m d"], Float[Tensor, " m"]]:
    """Return all coalitions but the empty and the full one, and their kernel probabilities."""
    bits = torch.arange(1, 2**n_players - 1)[:, None] >> torch.arange(n_players)
    inside = bits & 1 == 1
    size = inside.sum(1)
    among = torch.bincount(size, minlength=n_players).double()[size]
    return inside, size_probabilities(n_players)[size - 1] / among


def regress(
    gains: Float[Tensor, "n m k"],
    coalitions: Bool[Tensor, "m d"],
    total: Float[Tensor, "n k"],
    weights: Float[Tensor, " m"],
) -> Float[Tensor, "n d k"]:
    r"""Weighted least squares of a coalition's gain on its members, sums held at ``total``.

    .. math:: \min_\phi \sum_S w_S \Big(v(S) - v(\emptyset) - \sum_{i \in S} \phi_i\Big)^2
              \quad\text{with}\quad \sum_i \phi_i = v(N) - v(\emptyset).

    With all coalitions and the kernel's weights the solution is the Shapley value; with
    coalitions drawn from the kernel and equal weights it is KernelSHAP's estimate. All rows share
    the coalitions, so one system is solved for all of them.

    References
    ----------
    Lundberg and Lee (2017), Theorem 2; Covert and Lee (2021), Eq. 7.
    """
    d = coalitions.shape[1]
    inside = coalitions.to(gains)
    spread = inside - inside.sum(1, keepdim=True) / d  # on the plane of sums zero
    weighted = spread * weights.to(gains)[:, None]
    system = weighted.T @ spread + 1 / d  # the ones direction is fixed, so fill it in
    mean_share = inside.sum(1) / d  # (m,)
    rest = gains - mean_share[:, None] * total[:, None]  # (n, m, k)
    right = torch.einsum("md,nmk->dnk", weighted, rest)
    solved = torch.linalg.solve(system, right.flatten(1)).view_as(right)
    return solved.transpose(0, 1) + total[:, None] / d


def squared_residuals(
    values: Float[Tensor, "n d k"],
    gains: Float[Tensor, "n m k"],
    coalitions: Bool[Tensor, "m d"] | Bool[Tensor, "n m d"],
) -> Float[Tensor, "n m k"]:
    """Return how far the members' values are from the gain of each coalition, squared."""
    return (coalitions.to(values) @ values - gains) ** 2
