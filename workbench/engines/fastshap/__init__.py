"""FastSHAP: train networks that explain a model at once."""

from workbench.core.context import Progress
from workbench.core.explainer import Explainer
from workbench.core.method import METHODS
from workbench.core.model import Model
from workbench.core.params import parse_params
from workbench.core.table import Table
from workbench.engines.calls import call
from workbench.engines.fastshap.train import NAME

__all__ = ["METHODS", "parse_params", "train"]


def train(
    model: Model,
    rows: Table,
    background: Table,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: object,
) -> Explainer:
    """Train an explainer on rows like those that it will explain.

    Parameters
    ----------
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``; by default ``WORKBENCH_DEVICE``, else ``auto``.
    params
        Fields of ``FastshapParams``.

    Raises
    ------
    InvalidInputError
        If a setting is out of bounds, or a table does not have the model's features.
    """
    return call(
        Explainer, NAME, model, rows, background, seed=seed, device=device, progress=progress,
        params=params,
    )  # fmt: skip
