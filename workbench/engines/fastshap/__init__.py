"""FastSHAP: train networks that explain a model at once."""

from workbench.core.context import Context, Progress
from workbench.core.explainer import Explainer
from workbench.core.method import METHODS
from workbench.core.model import Model
from workbench.core.params import parse_params
from workbench.core.table import Table
from workbench.engines.fastshap.train import NAME
from workbench.numerics.devices import choose_device, memory_budget

__all__ = ["train"]


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
    method = METHODS[NAME]
    settings = parse_params(method.params, params)
    place = choose_device(device)
    context = Context(seed=seed, device=place, budget=memory_budget(place), progress=progress)
    moved = model if model.device == context.device else model.to(context.device)
    result = method.explain(moved, rows, background, settings, context)
    assert isinstance(result, Explainer)  # noqa: S101 - what the method is registered to yield
    return result
