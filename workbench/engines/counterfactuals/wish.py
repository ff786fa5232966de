"""What the model should say, and how far an answer is from it."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from workbench.core.errors import InvalidInputError
from workbench.core.schema import Schema, listing
from workbench.engines.counterfactuals.params import SearchParams

# Probabilities of exactly 0 keep a finite logarithm.
TINY = 1e-300
MISSED = 1e-12
UPPER, LOWER = 0.75, 0.25


@dataclass(frozen=True)
class Wish:
    """A class that should win, or an interval that a value should lie in.

    Attributes
    ----------
    target
        Index of the class; None for a regression.
    confidence
        Probability that the class must reach besides winning; 0 if it only has to win.
    """

    target: int | None
    confidence: float = 0.0
    low: float = -math.inf
    high: float = math.inf

    def gap(self, outputs: Float[np.ndarray, "m k"]) -> Float[np.ndarray, " m"]:
        """Return what is missing: 0 or less where the wish is met, else positive.

        For a class it is a difference of logarithms of probabilities, which for networks that end
        in a softmax is a difference of logits; for a value the distance to the interval.
        """
        if self.target is None:
            value = outputs[:, 0]
            return np.maximum(np.maximum(self.low - value, value - self.high), 0.0)
        own = outputs[:, self.target]
        others = np.delete(outputs, self.target, axis=1).max(1)
        gap = np.log(np.maximum(others, TINY)) - np.log(np.maximum(own, TINY))
        met = own > others
        if self.confidence:
            odds = np.log(np.maximum(1 - own, TINY)) - np.log(np.maximum(own, TINY))
            gap = np.maximum(gap, odds - math.log(1 / self.confidence - 1))
            met &= own >= self.confidence
        return np.where(met, np.minimum(gap, 0.0), np.maximum(gap, MISSED))

    def describe(self, schema: Schema) -> str:
        """Say in words what is wished for."""
        if self.target is not None:
            least = f" with probability {self.confidence:g} or more" if self.confidence else ""
            return f"{schema.classes[self.target]}{least}"
        name, unit = schema.output_names[0], f" {schema.target_unit}".rstrip()
        if math.isinf(self.low):
            return f"{name} of {self.high:.4g}{unit} or less"
        if math.isinf(self.high):
            return f"{name} of {self.low:.4g}{unit} or more"
        return f"{name} from {self.low:.4g} to {self.high:.4g}{unit}"


def wish_for(
    outputs: Float[np.ndarray, " k"],
    schema: Schema,
    params: SearchParams,
    usual: Float[np.ndarray, "b k"],
) -> Wish:
    """Return the wish for a row of which the model says ``outputs``.

    Parameters
    ----------
    usual
        What the model says of the background rows.
    """
    if schema.task == "regression":
        if params.low is not None or params.high is not None:
            low = -math.inf if params.low is None else params.low
            high = math.inf if params.high is None else params.high
            return Wish(None, low=low, high=high)
        upper, lower = (float(np.quantile(usual[:, 0], share)) for share in (UPPER, LOWER))
        return Wish(None, low=upper) if outputs[0] < upper else Wish(None, high=lower)
    confidence = params.confidence or 0.0
    if params.target is not None:
        return Wish(schema.classes.index(params.target), confidence)
    decided = int(outputs.argmax())
    if schema.favourable is not None and schema.favourable_output != decided:
        return Wish(schema.favourable_output, confidence)
    others = outputs.copy()
    others[decided] = -1.0
    return Wish(int(others.argmax()), confidence)


def check_wish(schema: Schema, params: SearchParams) -> None:
    """Refuse settings that are of another task, and a class that is not there.

    Raises
    ------
    InvalidInputError
        If a setting does not fit the model's target.
    """
    regression = schema.task == "regression"
    unfit = ("target", "confidence") if regression else ("low", "high")
    given = [name for name in unfit if getattr(params, name) is not None]
    if given:
        instead = "low and high" if regression else "target and confidence"
        what = "a value" if regression else "a class"
        raise InvalidInputError(
            f"The model predicts {what}, so {given[0]} has no meaning; set {instead} instead."
        )
    if params.target is not None and params.target not in schema.classes:
        raise InvalidInputError(
            f"There is no class {params.target!r}; choose one of {listing(schema.classes)}."
        )
