"""Second derivatives of a network: along the way from a reference row, and where the rows are."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from workbench.core.errors import InvalidInputError
from workbench.numerics.chunks import slices

Forward = Callable[[Tensor], Tensor]
NOT_TWICE = (
    "The network has a function that cannot be differentiated twice; leave out detectors that "
    "take Hessians."
)


@dataclass(frozen=True)
class Curved:
    """A network that can be differentiated twice.

    Attributes
    ----------
    forward
        Turns encoded rows into outputs, each row treated alone.
    columns
        One for each column and feature that it belongs to, else 0 ``[p, d]``.
    constant_sum
        The outputs of a row add up to a constant, so those of the last follow from the others.
    chunk_rows
        Rows of a pass.
    count
        Told how many rows went forwards, and how many back.
    """

    forward: Forward
    columns: Float[Tensor, "p d"]
    constant_sum: bool
    chunk_rows: int
    count: Callable[[int, int], None]

    def bends(
        self, inputs: Float[Tensor, "m p"], steps: Float[Tensor, "m p"]
    ) -> tuple[Float[Tensor, "m d k"], Float[Tensor, "m d d k"]]:
        r"""Return slopes and bends along steps, summed over the columns of each feature.

        .. math:: g_i = \sum_{a \in i} s_a \frac{\partial f}{\partial z_a}, \qquad
                  h_{ij} = \sum_{a \in i,\, b \in j} s_a s_b
                  \frac{\partial^2 f}{\partial z_a \partial z_b},

        one pass back for the slopes of an output and one for each feature, whose columns are
        taken together.

        Raises
        ------
        InvalidInputError
            If the network has a function without a second derivative in this program.
        RuntimeError
            As it came, where it says something else.
        """
        leaf = inputs.detach().requires_grad_()
        with torch.enable_grad():
            outputs = self.forward(leaf)
            self.count(len(inputs), 0)
            last = outputs.shape[1] - self.constant_sum
            try:
                found = [self._of_output(outputs[:, k], leaf, steps) for k in range(last)]
            except RuntimeError as error:
                if "derivative" not in str(error):
                    raise
                raise InvalidInputError(NOT_TWICE) from None
        slopes, bends = (list(part) for part in zip(*found, strict=True))
        if self.constant_sum:
            slopes.append(-sum(slopes[1:], slopes[0]))
            bends.append(-sum(bends[1:], bends[0]))
        return torch.stack(slopes, -1), torch.stack(bends, -1)

    def _of_output(
        self, output: Float[Tensor, " m"], leaf: Tensor, steps: Tensor
    ) -> tuple[Tensor, Tensor]:
        m, d = len(leaf), self.columns.shape[1]
        if not output.requires_grad:
            return leaf.new_zeros(m, d), leaf.new_zeros(m, d, d)
        (slopes,) = torch.autograd.grad(output.sum(), leaf, create_graph=True)
        self.count(0, m)
        moved = slopes * steps
        by_feature = moved.detach() @ self.columns
        if not slopes.requires_grad:  # of a linear network
            return by_feature, leaf.new_zeros(m, d, d)
        rows = []
        for feature in range(d):
            own = (moved @ self.columns[:, feature]).sum()
            (back,) = torch.autograd.grad(own, leaf, retain_graph=True, allow_unused=True)
            if back is None:  # the way to the inputs ends at a function
                raise InvalidInputError(NOT_TWICE)
            self.count(0, m)
            rows.append((back * steps) @ self.columns)
        return by_feature, torch.stack(rows, 1)


def integrated_hessians(
    curved: Curved,
    rows: Float[Tensor, "n p"],
    reference: Float[Tensor, " p"],
    n_nodes: int,
) -> Float[Tensor, "n d d k"]:
    r"""Share out the difference from a reference row among features and pairs of them.

    With :math:`\Delta = z - z'`, for two features

    .. math:: \Gamma_{ij} = \Delta_i \Delta_j \int_0^1\!\!\int_0^1 \alpha\beta\,
              \frac{\partial^2 f}{\partial z_i \partial z_j}(z' + \alpha\beta\Delta)
              \, d\alpha\, d\beta,

    and on the diagonal the same plus :math:`\Delta_i \int\!\!\int \partial f / \partial z_i`.
    All of them, each pair in both orders, add up to :math:`f(z) - f(z')`. Since :math:`\alpha` and
    :math:`\beta` come as a product alone, a rule for the product of two numbers
    (``product_nodes``) takes ``n_nodes`` points where one in each takes their square.

    References
    ----------
    Janizek, Sturmfels and Lee (2021), Explaining Explanations: Axiomatic Feature Interactions for
    Deep Networks.
    """
    nodes, weights = (torch.from_numpy(part).to(rows) for part in product_nodes(n_nodes))
    found = []
    for part in slices(len(rows), max(1, curved.chunk_rows // n_nodes)):
        steps = rows[part] - reference  # (r, p)
        path = reference + nodes[:, None, None] * steps  # (m, r, p)
        slopes, bends = curved.bends(
            path.flatten(0, 1), steps.expand(len(nodes), -1, -1).flatten(0, 1)
        )
        shape = (len(nodes), len(steps))
        values = torch.einsum("m,mr...->r...", weights * nodes, bends.unflatten(0, shape))
        first = torch.einsum("m,mr...->r...", weights, slopes.unflatten(0, shape))
        values.diagonal(dim1=1, dim2=2).add_(first.transpose(1, 2))
        found.append(values.cpu().double())
    return torch.cat(found)


def cross_hessians(curved: Curved, rows: Float[Tensor, "n p"]) -> Float[Tensor, "n d d k"]:
    """Return the second derivatives by each two features where the rows are."""
    found = [
        curved.bends(rows[part], torch.ones_like(rows[part]))[1].cpu().double()
        for part in slices(len(rows), curved.chunk_rows)
    ]
    return torch.cat(found)


def product_nodes(m: int) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, " m"]]:
    r"""Return points and weights of the Gauss rule for the product of two uniform numbers.

    .. math:: \int_0^1\!\!\int_0^1 g(\alpha\beta)\, d\alpha\, d\beta
              = \int_0^1 -\ln t \; g(t)\, dt \approx \sum_m w_m\, g(t_m),

    exact for polynomials up to degree :math:`2m - 1`: the products of ``m`` Gauss-Legendre points
    are, and the recurrence of their orthogonal polynomials gives a rule of ``m`` points with the
    same moments.

    References
    ----------
    Golub and Welsch (1969), Calculation of Gauss Quadrature Rules; Gautschi (2004), Orthogonal
    Polynomials, Sec. 2.2.3.

    Examples
    --------
    >>> nodes, weights = product_nodes(2)
    >>> [float(round((weights * nodes**k).sum() * (k + 1) ** 2, 12)) for k in range(4)]
    [1.0, 1.0, 1.0, 1.0]
    """
    places, weights = np.polynomial.legendre.leggauss(m)
    places, weights = (1 + places) / 2, weights / 2
    points, masses = np.outer(places, places).ravel(), np.outer(weights, weights).ravel()
    basis = np.sqrt(masses)[None]
    middle, beside = np.zeros(m), np.zeros(m)
    for step in range(m):
        middle[step] = (points * basis[step] ** 2).sum()
        following = points * basis[step]
        for _ in range(2):  # twice is enough to be orthogonal to rounding
            following = following - (following @ basis.T) @ basis
        if step + 1 < m:
            beside[step] = np.linalg.norm(following)
            basis = np.concatenate([basis, following[None] / beside[step]])
    tridiagonal = np.diag(middle) + np.diag(beside[: m - 1], 1) + np.diag(beside[: m - 1], -1)
    nodes, vectors = np.linalg.eigh(tridiagonal)
    return nodes, vectors[0] ** 2
