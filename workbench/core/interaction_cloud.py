"""How the scores of sets of features spread over several equally good models."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

QUANTILES = (0.05, 0.5, 0.95)


class Cloud(NamedTuple):
    """Scores of sets of one size over models, the given one included; axis ``s`` as in ``places``.

    Attributes
    ----------
    places
        Positions of the sets among all sets of the result, the given model's strongest first.
    values
        Score of each set in each model: what the other fields are read off.
    reference
        Score in the given model.
    low, high, low_model, high_model
        Least and greatest score, and in which model: 0 is the given one.
    quantiles
        At 5, 50 and 95 % of the models.
    in_top
        Share of the models in which the set is among the ``top`` strongest of its size. A set
        that does nothing in a model is in no top.
    """

    places: Int[np.ndarray, " s"]
    values: Float[np.ndarray, "m s"]
    reference: Float[np.ndarray, " s"]
    low: Float[np.ndarray, " s"]
    high: Float[np.ndarray, " s"]
    low_model: Int[np.ndarray, " s"]
    high_model: Int[np.ndarray, " s"]
    quantiles: Float[np.ndarray, "three s"]
    in_top: Float[np.ndarray, " s"]
    top: int


def cloud_of(places: Int[np.ndarray, " s"], values: Float[np.ndarray, "m s"], top: int) -> Cloud:
    """Say how scores spread over models, of which the first is the given one.

    Sets are as strong as their scores are large, whatever their sign.

    Examples
    --------
    >>> found = cloud_of(np.array([0, 1]), np.array([[0.3, 0.2], [0.1, 0.4]]), top=1)
    >>> found.low, found.high_model, found.in_top
    (array([0.1, 0.2]), array([0, 1]), array([0.5, 0.5]))
    """
    strength = np.abs(values)
    strongest = np.argsort(-strength, axis=1, kind="stable")[:, :top]
    among = np.zeros(values.shape, dtype=bool)
    np.put_along_axis(among, strongest, values=True, axis=1)
    return Cloud(
        places=places,
        values=values,
        reference=values[0],
        low=values.min(0),
        high=values.max(0),
        low_model=values.argmin(0),
        high_model=values.argmax(0),
        quantiles=np.quantile(values, QUANTILES, axis=0),
        in_top=(among & (strength > 0)).mean(0),
        top=top,
    )
