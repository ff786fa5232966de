"""Which detectors can serve a model, and what each may take: known before anything is run."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.core.detectors import KINDS
from workbench.core.errors import InvalidInputError
from workbench.core.method import METHODS
from workbench.core.model import Model
from workbench.core.params import Params, parse_params
from workbench.engines.interactions.candidates import MOST_FEATURES, MOST_SETS, SCREEN_ROWS
from workbench.engines.interactions.detectors_params import DetectorsParams
from workbench.engines.interactions.scores import asked_subsets
from workbench.numerics.differentiated import adds_up

SHAPLEY = "shapley.interactions"
# Features up to which that method evaluates all coalitions where no budget forbids it.
ALL_COALITIONS = 16
# Detectors that come out of one run.
TOGETHER = (
    ("mixed-difference", "loss"), ("contexts",), ("weights",), ("friedman", "friedman-root"),
    ("integrated-hessians",), ("cross-hessian",), ("shapley",),
)  # fmt: skip


@dataclass(frozen=True)
class Run:
    """Detectors that come out together, and what that takes at most.

    Attributes
    ----------
    evaluations, gradients
        Rows through the network, and rows that slopes go back through.
    """

    names: tuple[str, ...]
    evaluations: int
    gradients: int = 0

    @property
    def passes(self) -> int:
        """Rows that go through the network in either direction."""
        return self.evaluations + self.gradients


@dataclass(frozen=True)
class Plan:
    """Runs to make, and the detectors that are left out with the reason."""

    runs: tuple[Run, ...]
    left_out: Mapping[str, str]
    evaluations: int


def plan_of(model: Model, n_rows: int, params: DetectorsParams, no_labels: str = "") -> Plan:
    """Say which detectors are run for so many rows.

    Parameters
    ----------
    no_labels
        Why there are no labels, if there are none.

    Raises
    ------
    InvalidInputError
        If none is left.
    """
    left_out: dict[str, str] = {}
    runs = []
    for together in TOGETHER:
        names = tuple(name for name in together if name in params.wanted)
        if "loss" in names and no_labels:
            left_out["loss"] = no_labels
            names = tuple(name for name in names if name != "loss")
        if not names:
            continue
        try:
            run = _run(names, model, n_rows, params)
        except InvalidInputError as error:
            left_out |= dict.fromkeys(names, str(error).removesuffix("."))
            continue
        if run.passes > params.most:
            reason = (
                f"it may take {run.passes:,} passes of rows through the network, and the limit "
                f"'most' is {params.most:,}"
            )
            left_out |= dict.fromkeys(names, reason)
        else:
            runs.append(run)
    if not runs:
        raise InvalidInputError(nothing_left(model, left_out))
    own = 2 * min(n_rows, params.max_rows) + _screening(model, n_rows, params)
    return Plan(tuple(runs), left_out, own + sum(run.passes for run in runs))


def nothing_left(model: Model, left_out: Mapping[str, str]) -> str:
    """Say why no detector can serve."""
    why = "; ".join(f"{KINDS[name].title}: {reason}" for name, reason in left_out.items())
    return f"No detector of interactions can serve {model.name} with these settings ({why})."


def shapley_params(model: Model, params: DetectorsParams) -> Params:
    """Return the settings of the method that Shapley interactions come from."""
    d = len(model.schema.features)
    settings: dict[str, Any] = {"output": params.output, "index": "k-SII"}
    if d > ALL_COALITIONS:
        settings["budget"] = max(params.shapley_budget, 4 * d)
    return parse_params(METHODS.find(SHAPLEY).params, settings)


def _run(names: tuple[str, ...], model: Model, n_rows: int, params: DetectorsParams) -> Run:
    """Bound what a run takes.

    Raises
    ------
    InvalidInputError
        If the model cannot be served.
    """
    d, k = len(model.schema.features), len(model.output_names)
    n, pairs = min(n_rows, params.max_rows), _scored(d)
    first = names[0]
    if first in {"mixed-difference", "loss"}:
        return Run(names, params.permutations * n * asked_subsets(n, k, pairs, d + 1, 3))
    if first == "contexts":
        return Run(names, 2 * n * asked_subsets(2 * n, k, pairs, d + 1, 3))
    if first == "weights":
        return Run(names, 0)
    if first in {"friedman", "friedman-root"}:
        return Run(names, min(n, params.friedman_rows) ** 2 * (d + pairs))
    if first == "shapley":
        rows, drawn = min(n, params.shapley_rows), min(n, params.shapley_background)
        cost = METHODS.find(SHAPLEY).cost(model, rows, drawn, shapley_params(model, params))
        return Run(names, cost.evaluations)
    if "differentiable" not in model.capabilities:
        raise InvalidInputError("the model is a black box, which has no slopes.")
    points, rows = n, n
    if first == "integrated-hessians":
        rows = min(n, params.local_rows)
        points = rows * params.nodes
    outputs = k - adds_up(model, params.output)
    return Run(names, points + 3 * (rows + 1), points * outputs * (1 + d))


def _scored(d: int) -> int:
    pairs = math.comb(d, 2)
    return min(pairs, MOST_SETS) if d > MOST_FEATURES else pairs


def _screening(model: Model, n_rows: int, params: DetectorsParams) -> int:
    """Bound what it takes to pick pairs of a wide table."""
    d, k = len(model.schema.features), len(model.output_names)
    n = min(n_rows, params.max_rows, SCREEN_ROWS)
    return n * asked_subsets(n, k, math.comb(d, 2), d + 1, 3) if d > MOST_FEATURES else 0
