"""What a wrong answer costs, row by row."""

from jaxtyping import Float, Int
from torch import Tensor


def row_losses(
    logits: Float[Tensor, "*b n k"],
    truth: Float[Tensor, " n"] | Int[Tensor, " n"],
    classes: int,
) -> Float[Tensor, "*b n"]:
    """Return cross-entropy in nats, or the squared error of a regression; in double precision."""
    if not classes:
        return (logits[..., 0].double() - truth).square()
    places = truth.expand(logits.shape[:-1])[..., None]
    own = logits.gather(-1, places)[..., 0]
    return (logits.logsumexp(-1) - own).double()
