"""Coordinates of a layer, ordered by what the next layer makes of them."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

# Shares of the largest eigenvalue below which a direction is dropped: rounding alone decides there.
EPSILON = 1e-10
# Loadings that differ by a smaller share are as large as each other.
TIE = 1e-6


@dataclass(frozen=True, eq=False)
class Basis:
    r"""Features of a layer: :math:`\hat f = (f - \mu) C`, and back :math:`f = \mu + \hat f C^+`.

    Attributes
    ----------
    mean
        Of the activations over rows and positions.
    into, back
        :math:`C` and :math:`C^+`; the product ``back @ into`` is the identity.
    importance
        Of each feature, descending; its variance for a Local Interaction Basis and for PCA.
    spectrum
        Eigenvalues of the covariance of activations, descending, those that were dropped included.
    unvisited, ignored
        Directions that were dropped: without variance in the data, and those to which what follows
        does not react.
    """

    mean: Float[Tensor, " d"]
    into: Float[Tensor, "d k"]
    back: Float[Tensor, "k d"]
    importance: Float[Tensor, " k"]
    spectrum: Float[Tensor, " d"]
    unvisited: int
    ignored: int

    def __len__(self) -> int:
        return len(self.importance)

    def features(self, activations: Float[Tensor, "*n d"]) -> Float[Tensor, "*n k"]:
        """Return the features of activations."""
        return (activations - self.mean) @ self.into

    def activations(self, features: Float[Tensor, "*n m"]) -> Float[Tensor, "*n d"]:
        """Return activations from the first ``m`` features, all others being at their mean of 0."""
        return features @ self.back[: features.shape[-1]] + self.mean

    def reordered(self, order: Tensor) -> "Basis":
        """Return the same features in another order."""
        return Basis(
            self.mean, self.into[:, order], self.back[order], self.importance[order],
            self.spectrum, self.unvisited, self.ignored,
        )  # fmt: skip


def moments(
    activations: Float[Tensor, "n s d"],
) -> tuple[Float[Tensor, " d"], Float[Tensor, "d d"]]:
    """Return mean and covariance over rows and positions, divided by their number."""
    flat = activations.reshape(-1, activations.shape[-1])
    mean = flat.mean(0)
    centred = flat - mean
    return mean, centred.T @ centred / len(flat)


def interaction_basis(
    mean: Float[Tensor, " d"],
    covariance: Float[Tensor, "d d"],
    jacobian_gram: Float[Tensor, "d d"],
    *,
    epsilon: float = EPSILON,
) -> Basis:
    r"""Rotate and scale a layer so that features are ordered by their effect on the next one.

    With :math:`\Sigma = U D U^\top` the covariance, cut to the eigenvalues above
    :math:`\epsilon \max D`, whitening :math:`R = U D^{-1/2}`, and :math:`M'` the mean Gram matrix
    of the Jacobian to the features of the next layer,

    .. math:: D^{1/2} U^\top M' U D^{1/2} = V \Lambda V^\top, \qquad C = R V \Lambda^{1/2},
              \qquad C^+ = \Lambda^{-1/2} V^\top D^{1/2} U^\top,

    cut to :math:`\lambda > \epsilon \max \lambda`. Then features have covariance
    :math:`\Lambda`, and the mean Gram matrix of the Jacobian from features to features is the
    identity. The sign of a feature is free: its largest loading is made positive,
    the first of those that are as large.

    References
    ----------
    Bushnaq, Heimersheim, Goldowsky-Dill, Braun, Mendel, Hänni, Griffin, Stöhler, Wache and
    Hobbhahn (2024), The Local Interaction Basis, Sec. 3.
    """
    spectrum, U = _eigen(covariance)
    kept = _above(spectrum, epsilon)
    root = spectrum[:kept].sqrt()
    whiten, unwhiten = U[:, :kept] / root, (U[:, :kept] * root).T
    importance, V = _eigen(unwhiten @ jacobian_gram @ unwhiten.T)
    n = _above(importance, epsilon)
    importance, V = importance[:n], V[:, :n]
    scale = importance.sqrt()
    into, back = whiten @ V * scale, (V / scale).T @ unwhiten
    return _signed(mean, into, back, importance, spectrum, kept)


def principal_basis(
    mean: Float[Tensor, " d"], covariance: Float[Tensor, "d d"], *, epsilon: float = EPSILON
) -> Basis:
    """Return the principal components, not whitened, by descending variance."""
    spectrum, U = _eigen(covariance)
    kept = _above(spectrum, epsilon)
    into = U[:, :kept]
    return _signed(mean, into, into.T, spectrum[:kept], spectrum, kept)


def neuron_basis(mean: Float[Tensor, " d"], covariance: Float[Tensor, "d d"]) -> Basis:
    """Return the neurons as they are, in their own order, around their means."""
    d = len(mean)
    identity = torch.eye(d, dtype=mean.dtype, device=mean.device)
    spectrum, _ = _eigen(covariance)
    return Basis(mean, identity, identity, covariance.diagonal().clone(), spectrum, 0, 0)


def _eigen(matrix: Float[Tensor, "d d"]) -> tuple[Float[Tensor, " d"], Float[Tensor, "d d"]]:
    """Eigenvalues, descending and not below 0, and eigenvectors; on the CPU in double precision."""
    if not len(matrix):
        return matrix.new_zeros(0), matrix
    values, vectors = torch.linalg.eigh(((matrix + matrix.T) / 2).cpu().double())
    return values.flip(0).clamp(min=0).to(matrix.device), vectors.flip(1).to(matrix.device)


def _above(values: Float[Tensor, " d"], epsilon: float) -> int:
    """Count the eigenvalues that are above the threshold; none where all are 0."""
    return int((values > epsilon * values[0]).sum()) if len(values) and values[0] > 0 else 0


def _signed(
    mean: Tensor, into: Tensor, back: Tensor, importance: Tensor, spectrum: Tensor, kept: int
) -> Basis:
    """Make the largest loading of each feature positive, so that the same data give the same.

    The two columns of a yes and a no have loadings that differ in sign alone. Of loadings as large
    as the largest the first decides, or rounding would, and another machine say the opposite.
    """
    if len(importance):
        size = back.abs()
        largest = (size >= (1 - TIE) * size.amax(1, keepdim=True)).byte().argmax(1, keepdim=True)
        signs = torch.where(back.gather(1, largest)[:, 0] < 0, -1.0, 1.0).to(back.dtype)
        into, back = into * signs, back * signs[:, None]
    unvisited = len(mean) - kept
    return Basis(mean, into, back, importance, spectrum, unvisited, kept - len(importance))
