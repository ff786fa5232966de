"""What-if without its widgets: the ground it stands on, scenarios, and their explanations."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float

from workbench import api
from workbench.core.model import Model
from workbench.core.results import Attribution
from workbench.core.schema import Feature
from workbench.core.table import Table
from workbench.engines.counterfactuals.ranges import Ranges, ranges_of
from workbench.workspace.background import background_source

BACKGROUND, REFERENCE = 100, 2000
# A full explanation of at most this many model evaluations is fast enough to follow a slider.
AT_ONCE = 150_000
# And one of at most this many may run behind the quick one, within a page.
BEHIND = 2_000_000
QUICK_COALITIONS, PER_FEATURE = 256, 4
MOST_KERNEL_FEATURES = 24
AMORTISED = "shapley.fastshap"
EXPLAINED = {"output": "probability", "link": "identity", "value": "marginal"}
FULL_STEPS = 100


@dataclass(frozen=True)
class Ground:
    """What scenarios of a model and a table stand on; shared, never changed.

    Attributes
    ----------
    background
        Rows that stand for features that are not known.
    reference
        Rows that say which values occur.
    quick
        Method and settings that follow a slider, and what it is called; empty where the full
        explanation is fast enough.
    full, full_params
        Method and settings of the explanation behind it.
    """

    background: Table
    reference: Table
    ranges: Ranges
    quick: str
    full: str
    full_params: dict[str, Any]

    @property
    def is_exact(self) -> bool:
        """Whether the full explanation is exact for this background."""
        return self.full == "shapley.exact"


def ground_for(model: Model, table: Table, row: Table) -> Ground:
    """Choose background, ranges and methods; ``row`` is explained once to see what it takes.

    Raises
    ------
    WorkbenchError
        If the table does not fit the model.
    """
    source = background_source(model, table, BACKGROUND)
    background = source.sample(min(BACKGROUND, len(source)))
    reference = source.sample(min(REFERENCE, len(source)))
    planned = api.plan(model, 1, len(background))
    if planned.cost.evaluations > BEHIND:
        planned = api.plan(model, 1, len(background), method=_sampled(model))
    ground = Ground(background, reference, ranges_of(reference), "", planned.method, planned.params)
    if full(model, row, ground).provenance.evaluations <= AT_ONCE:
        return ground
    return replace(ground, quick=_sampled(model))


def with_explainer(ground: Ground, model: Model) -> Ground:
    """Let an explainer of the model, if it has one for what is shown here, follow the slider.

    The ground is everybody's, an explainer may be one person's.
    """
    asked = tuple(EXPLAINED.values())
    fits = any((e.output, e.link, e.value) == asked for e in model.explainers)
    return replace(ground, quick=AMORTISED) if fits else ground


def is_doubtful(made: Attribution) -> bool:
    """Tell whether an explainer says of its own explanation that it should be estimated."""
    return any("should be estimated" in remark for remark in made.provenance.notes)


def _sampled(model: Model) -> str:
    """Return the sampling method that has less error for this number of features."""
    few = len(model.schema.features) <= MOST_KERNEL_FEATURES
    return "shapley.kernel" if few else "shapley.permutation"


def quick(model: Model, row: Table, ground: Ground) -> Attribution:
    """Explain a row fast enough to follow a slider.

    Raises
    ------
    WorkbenchError
        If the model has no finite answer for the row.
    """
    if not ground.quick:
        return full(model, row, ground)
    coalitions = max(QUICK_COALITIONS, PER_FEATURE * len(model.schema.features))
    settings: dict[str, Any] = {"budget": coalitions}
    if ground.quick == AMORTISED:
        settings = {**EXPLAINED, "fallback": "flag"}
    return api.explain(model, row, ground.background, method=ground.quick, device="cpu", **settings)


def full(model: Model, row: Table, ground: Ground) -> Attribution:
    """Explain a row with the method that would be chosen for it alone.

    Raises
    ------
    WorkbenchError
        If the model has no finite answer for the row.
    """
    return api.explain(
        model, row, ground.background, method=ground.full, device="cpu", **ground.full_params
    )


def with_values(row: Table, x: Float[np.ndarray, " d"]) -> Table:
    """Return a table of one row with other values; what is true of it is not known."""
    X = torch.from_numpy(np.asarray(x, dtype=np.float64)[None])
    return Table(row.schema, X, row.ids, name=row.name)


def differs(
    x: Float[np.ndarray, " d"], original: Float[np.ndarray, " d"]
) -> Bool[np.ndarray, " d"]:
    """Tell which values were changed; missing equals missing."""
    return (x != original) & ~(np.isnan(x) & np.isnan(original))


@dataclass(frozen=True)
class Slider:
    """Bounds of a slider; whole numbers for a feature that has only those."""

    low: float | int
    high: float | int
    step: float | int
    decimals: int


def slider_for(feature: Feature, low: float, high: float, value: float) -> Slider:
    """Return bounds that hold what was seen and the row's own value, in round steps.

    Examples
    --------
    >>> slider_for(Feature(name="age", integer=True), 18.0, 74.0, 80.0)
    Slider(low=18, high=80, step=1, decimals=0)
    >>> slider_for(Feature(name="bmi"), 18.43, 41.3, float("nan"))
    Slider(low=18.0, high=41.5, step=0.5, decimals=1)
    """
    if not math.isnan(value):
        low, high = min(low, value), max(high, value)
    if feature.integer and (math.isnan(value) or value.is_integer()):
        first, last = math.floor(low), math.ceil(high)
        return Slider(first, max(last, first + 1), 1, 0)
    span = high - low or max(abs(high), 1.0)
    power = math.floor(math.log10(span / FULL_STEPS))
    factor = next(f for f in (1, 2, 5, 10) if f * 10.0**power >= span / FULL_STEPS * 0.999)
    step, decimals = factor * 10.0**power, max(0, -power)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    last = max(last, first + 1)
    return Slider(
        round(min(first * step, low), 12 if first * step > low else decimals),
        round(max(last * step, high), 12 if last * step < high else decimals),
        round(step, decimals), decimals,
    )  # fmt: skip
