"""How large the set of equally good ridge regressions is, in closed form."""

import math

import numpy as np
from jaxtyping import Float
from scipy.special import gammaln


def log_volume(X: Float[np.ndarray, "n d"], *, penalty: float, tolerance: float) -> float:
    r"""Return the natural logarithm of the volume of a Rashomon set of ridge regressions.

    With the loss :math:`\|y - Xw\|^2 + c \|w\|^2` the weights that lose at most :math:`\theta`
    more than the best fill the ellipsoid
    :math:`(w - \hat w)^\top (X^\top X + cI) (w - \hat w) \le \theta`, whose volume does not depend
    on the targets:

    .. math:: V = \frac{(\pi\theta)^{d/2}}{\Gamma(d/2 + 1)} \prod_i (s_i^2 + c)^{-1/2}

    for the singular values :math:`s_i` of :math:`X`. Infinite where a direction costs nothing.

    Parameters
    ----------
    penalty
        :math:`c`, at least 0.
    tolerance
        :math:`\theta`, above 0, in units of the sum of squares.

    References
    ----------
    Semenova, Rudin and Parr (2022), On the Existence of Simpler Machine Learning Models, Sec. 5.

    Examples
    --------
    >>> round(math.exp(log_volume(np.eye(2), penalty=0.0, tolerance=1.0)), 4)
    3.1416
    """
    d = X.shape[1]
    singular = np.zeros(d)
    found = np.linalg.svd(X, compute_uv=False)
    singular[: len(found)] = found
    curvatures = singular**2 + penalty
    if not (curvatures > 0).all():
        return math.inf
    ball = d / 2 * math.log(math.pi * tolerance) - float(gammaln(d / 2 + 1))
    return ball - float(np.log(curvatures).sum()) / 2
