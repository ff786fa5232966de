"""Shapley values: which features made this prediction, and the model as a whole?"""

from dataclasses import replace
from typing import Any

from workbench.core.context import Context, Progress
from workbench.core.method import METHODS
from workbench.core.model import Model
from workbench.core.params import parse_params
from workbench.core.results import Attribution
from workbench.core.table import Table
from workbench.engines.shapley import exact, kernel, permutation
from workbench.engines.shapley.params import SampledParams
from workbench.numerics.devices import choose_device

__all__ = ["choose_method", "explain"]

FAMILY = "shapley"
EXACT_EVALUATIONS = 20_000_000
MAX_KERNEL_PLAYERS = 24


def choose_method(model: Model, n_rows: int, n_background: int) -> tuple[str, str]:
    """Choose an estimator for ``method="auto"``, and say why.

    Exact while all coalitions of all rows fit into 20 million model evaluations, which take
    seconds on a CPU; else regression; above 24 features permutations, which had less error at
    equal budgets on the bundled models of 30 and 64 features, and solve no system of that size.
    """
    d = len(model.schema.features)
    evaluations = n_rows * 2**d * n_background
    if d <= exact.MAX_PLAYERS and evaluations <= EXACT_EVALUATIONS:
        return exact.NAME, f"auto chose exact: all {2**d:,} coalitions of {d} features are feasible"
    if d <= MAX_KERNEL_PLAYERS:
        why = f"all 2^{d} coalitions would take {evaluations:.1e} model evaluations"
        return kernel.NAME, f"auto chose kernel: {why}"
    why = f"for {d} features it has less error than regression at equal budget"
    return permutation.NAME, f"auto chose permutation: {why}"


def explain(
    model: Model,
    rows: Table,
    background: Table,
    *,
    method: str = "auto",
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> Attribution:
    """Explain rows by Shapley values against a background.

    Parameters
    ----------
    method
        ``auto``, ``exact`` (up to 16 features), ``kernel`` or ``permutation``.
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``; by default ``WORKBENCH_DEVICE``, else ``auto``.
    params
        Fields of the method's parameter model: ``output``, ``link`` and, for sampled methods,
        ``budget`` and ``tolerance``.

    Returns
    -------
    Values ``[n, d, k]`` for all outputs at once, in the unit that ``unit`` names.

    Raises
    ------
    InvalidInputError
        If a setting is out of bounds, or a table does not have the model's features.
    """
    note = ""
    if method == "auto":
        name, note = choose_method(model, len(rows), len(background))
        if name == exact.NAME:  # a budget has no meaning where nothing is sampled
            parse_params(SampledParams, params)
            unused = [key for key in ("budget", "tolerance") if params.get(key) is not None]
            if unused:
                note += f"; {' and '.join(unused)} not needed"
            params = {key: v for key, v in params.items() if key not in {"budget", "tolerance"}}
    else:
        name = method if method.startswith(f"{FAMILY}.") else f"{FAMILY}.{method}"
    chosen = METHODS.find(name)
    context = Context(seed=seed, device=choose_device(device), progress=progress)
    moved = model if model.device == context.device else model.to(context.device)
    settings = parse_params(chosen.params, params)
    result = chosen.explain(moved, rows, background, settings, context)
    assert isinstance(result, Attribution)  # noqa: S101 - every method of this family yields one
    if not note:
        return result
    noted = result.provenance.model_copy(update={"notes": (note, *result.provenance.notes)})
    return replace(result, provenance=noted)
