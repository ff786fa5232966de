"""When a sampled explanation is sure enough."""

from jaxtyping import Float
from torch import Tensor


def settled(
    values: Float[Tensor, "d k"], std_errors: Float[Tensor, "d k"], tolerance: float | None
) -> bool:
    r"""Tell whether :math:`\max_i \mathrm{se}_i \le \tau (\max_i \phi_i - \min_i \phi_i)`.

    The rule of Covert and Lee (2021), Sec. 4.2, required of every output. An output that no
    feature moves is settled.
    """
    if tolerance is None:
        return False
    spread = values.amax(0) - values.amin(0)
    return bool((std_errors.amax(0) <= tolerance * spread).all())
