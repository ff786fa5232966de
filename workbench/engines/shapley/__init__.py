"""Shapley values: which features made this prediction, and the model as a whole?"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from workbench.core.context import Progress
from workbench.core.method import METHODS
from workbench.core.model import Model
from workbench.core.params import parse_params
from workbench.core.results import Attribution
from workbench.core.table import Table
from workbench.engines.calls import call
from workbench.engines.shapley import (  # noqa: F401 - importing registers
    amortised,
    deeplift,
    exact,
    expected_gradients,
    fastshap,
    integrated_gradients,
    interactions,
    kernel,
    leverage,
    owen,
    permutation,
    proxy,
    svarm,
)
from workbench.engines.shapley.params import SampledParams
from workbench.numerics.value_functions import SINGLE

__all__ = ["choose_method", "choose_settings", "explain"]

FAMILY = "shapley"
EXACT_EVALUATIONS = 20_000_000
MAX_KERNEL_PLAYERS = 24
MAX_PROXY_PLAYERS = 32
PROXY_BUDGET = 40
SHARING_ROWS = 32


def choose_method(
    model: Model,
    n_rows: int,
    n_background: int,
    budget: int | None = None,
    *,
    shares: bool = True,
) -> tuple[str, str]:
    """Choose an estimator for ``method="auto"``, and say why; ``shares`` if rows may share draws.

    - Exact while all coalitions of all rows fit into 20 million model evaluations, which take
      seconds on a CPU, or into the budget of a row.
    - Up to 32 features the proxy, which fits interactions, where evaluations are dear, because the
      model is a black box or the budget is small (up to 40 coalitions a feature); or where there
      are 32 rows or more, which share coalitions and so its arithmetic. At equal evaluations it
      had 0.3 to 0.9 of the error of regression on the bundled models, and a tenth where the
      budget is half of all coalitions.
    - Else regression: for few rows of a small network the proxy's arithmetic, up to half a second
      a row, takes longer than the network. Above 24 features permutations, which had less error
      at equal budgets on the bundled models of 30 and 64 features, and solve no system of that
      size.
    """
    d = len(model.schema.features)
    inner = 2**d - 2
    evaluations = n_rows * 2**d * n_background
    covered = budget is not None and inner <= budget
    if d <= exact.MAX_PLAYERS and (covered or evaluations <= EXACT_EVALUATIONS):
        return exact.NAME, f"auto chose exact: all {2**d:,} coalitions of {d} features are feasible"
    black_box = "black_box" in model.capabilities
    small = budget is not None and budget <= PROXY_BUDGET * d
    many = shares and n_rows >= SHARING_ROWS
    if (black_box or small or many) and d <= MAX_PROXY_PLAYERS:
        if black_box:
            why = "the model is a black box"
        elif small:
            why = f"the budget is {budget} coalitions"
        else:
            why = f"there are {n_rows:,} rows, which can share its arithmetic"
        return proxy.NAME, f"auto chose proxy: {why}; it needs the fewest evaluations"
    if d <= MAX_KERNEL_PLAYERS:
        why = f"all 2^{d} coalitions would take {evaluations:.1e} model evaluations"
        return kernel.NAME, f"auto chose kernel: {why}"
    why = f"for {d} features it has less error than regression at equal budget"
    return permutation.NAME, f"auto chose permutation: {why}"


def choose_settings(
    model: Model, n_rows: int, n_background: int, params: Mapping[str, Any]
) -> tuple[str, dict[str, Any], str]:
    """Return the method for ``method="auto"``, its settings and the reason.

    Settings that it has no use for go; many rows share coalitions unless told otherwise.

    Raises
    ------
    InvalidInputError
        If a setting is unknown or out of bounds.
    """
    settings = parse_params(SampledParams, _without(params, "draw"))
    answers = 1 if settings.value in SINGLE else n_background
    shares = params.get("draw") != "own"
    name, note = choose_method(model, n_rows, answers, settings.budget, shares=shares)
    known = METHODS[name].params.model_fields
    unused = [key for key in ("budget", "tolerance", "draw") if key not in known]
    told = [key for key in unused if params.get(key) is not None]
    if told:
        note += f"; {' and '.join(told)} not needed"
    params = _without(params, *unused)
    if "draw" in known and "draw" not in params and n_rows >= SHARING_ROWS:
        note += f"; blocks of the {n_rows:,} rows share coalitions, which is faster"
        params = params | {"draw": "shared"}
    return name, params, note


def _without(params: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in params.items() if key not in keys}


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
        A registered method, whose family may be left out; ``auto`` takes that of
        ``choose_settings``, and the first note of the provenance says which and why.

    Raises
    ------
    InvalidInputError
        If a setting is out of bounds, or a table does not have the model's features.
    """
    note = ""
    if method == "auto":
        name, params, note = choose_settings(model, len(rows), len(background), params)
    else:
        name = method if method.startswith(f"{FAMILY}.") else f"{FAMILY}.{method}"
    result = call(
        Attribution, name, model, rows, background, seed=seed, device=device, progress=progress,
        params=params,
    )  # fmt: skip
    if not note:
        return result
    noted = result.provenance.model_copy(update={"notes": (note, *result.provenance.notes)})
    return replace(result, provenance=noted)
