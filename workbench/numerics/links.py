"""On which scale a model's output is explained."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from workbench.core.errors import InvalidInputError
from workbench.core.model import Output
from workbench.core.schema import Schema

Link = Literal["identity", "logit", "log-softmax"]
SMALLEST = 1e-7


def apply_link(values: Float[Tensor, "*n k"], link: Link) -> Float[Tensor, "*n k"]:
    """Transform mean probabilities; clipped at 1e-7 so that a certain model stays finite.

    The link comes after the mean over the background, as in KernelSHAP. On probabilities that
    add up to 1, log-softmax of their logarithms is the logarithm.
    """
    if link == "identity":
        return values
    clipped = values.clamp(SMALLEST, 1 - SMALLEST)
    return torch.logit(clipped) if link == "logit" else clipped.log()


def link_slope(values: Float[Tensor, " k"], link: Link) -> Float[Tensor, " k"]:
    """Return the derivative of the link, to carry a standard error over."""
    if link == "identity":
        return torch.ones_like(values)
    clipped = values.clamp(SMALLEST, 1 - SMALLEST)
    return 1 / (clipped * (1 - clipped)) if link == "logit" else 1 / clipped


def unit_of(schema: Schema, output: Output, link: Link) -> str:
    """Name the scale for an axis; empty for a target without a unit.

    Raises
    ------
    InvalidInputError
        If the link needs probabilities and there are none.
    """
    if link != "identity" and (output == "score" or schema.task == "regression"):
        raise InvalidInputError(
            f"Link {link!r} transforms probabilities; use output 'probability' of a classifier, "
            "or link 'identity'."
        )
    if schema.task == "regression":
        return schema.target_unit
    if output == "score":
        return "log-odds" if schema.task == "binary" else "logit"
    return {"identity": "probability", "logit": "log-odds", "log-softmax": "log-probability"}[link]
