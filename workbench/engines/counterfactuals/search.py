"""Search for counterfactuals: what would have to be different?"""

import time
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float

from workbench.core.context import Context
from workbench.core.counterfactuals import Counterfactuals
from workbench.core.errors import InvalidInputError
from workbench.core.method import METHODS, Cost, Effort, Method
from workbench.core.model import CHUNK_ROWS, Model
from workbench.core.table import Table
from workbench.engines.calls import check_features, provenance_of
from workbench.engines.counterfactuals.nearest import Asked, nearest
from workbench.engines.counterfactuals.params import SearchParams
from workbench.engines.counterfactuals.ranges import Ranges, ranges_of
from workbench.engines.counterfactuals.space import Limits, limits_for, space_of
from workbench.engines.counterfactuals.wish import Wish, check_wish, wish_for

NAME = "counterfactual.search"
FINEST, COARSEST, OPTIONS = 17, 5, 320
# Changed rows that are held in memory at once, at most: options of a row times rows gone on from.
AT_ONCE = 32_768


@dataclass
class Found:
    """What came of one row."""

    wish: Wish
    fulfilled: bool
    rows: Float[np.ndarray, "c d"]
    outputs: Float[np.ndarray, "c k"]
    reached: Float[np.ndarray, " k"]


@dataclass
class Oracle:
    """The model, asked about changed rows of one row; it remembers the answer closest to the wish.

    Attributes
    ----------
    done, total
        Model evaluations of the whole run so far, and at most.
    """

    model: Model
    context: Context
    total: int
    done: int = 0
    wish: Wish = field(default_factory=lambda: Wish(None))
    reached: np.ndarray = field(default_factory=lambda: np.empty(0))

    def outputs(self, X: Float[np.ndarray, "m d"]) -> Float[np.ndarray, "m k"]:
        """Return what the model says."""
        found = self.model.predict(torch.from_numpy(X)).numpy()
        self.done += len(X)
        self.context.step(self.done, self.total, "model evaluations")
        return np.nan_to_num(found, nan=-np.inf) if np.isnan(found).any() else found

    def gap(self, X: Float[np.ndarray, "m d"]) -> Float[np.ndarray, " m"]:
        """Return what is missing."""
        outputs = self.outputs(X)
        gaps = self.wish.gap(outputs)
        best = int(gaps.argmin())
        if gaps[best] < self.wish.gap(self.reached[None])[0]:
            self.reached = outputs[best]
        return gaps


def _explain(
    model: Model, rows: Table, background: Table, params: SearchParams, context: Context
) -> Counterfactuals:
    started = time.perf_counter()
    for table, what in ((rows, "rows to explain"), (background, "background rows")):
        check_features(model, table, what)
    check_wish(model.schema, params)
    _limits(model, params)  # refuses before the work
    oracle = Oracle(model, context, _cost(model, len(rows), len(background), params).evaluations)
    usual = oracle.outputs(background.X.numpy())
    own = oracle.outputs(rows.X.numpy())
    if not np.isfinite(own).all():
        row = int(rows.ids[int((~np.isfinite(own)).any(1).argmax())])
        raise InvalidInputError(
            f"Model {model.name} returns no finite number for row {row} of {rows.name!r}; look for "
            "a value far outside the training data there, and mend or leave out the row."
        )
    n_numbers = sum(feature.kind != "categorical" for feature in model.schema.features)
    grid = int(np.clip(OPTIONS // max(n_numbers, 1), COARSEST, FINEST))
    ranges = ranges_of(background, grid=grid)
    found = [
        _search(oracle, x, outputs, wish_for(outputs, model.schema, params, usual), ranges, params)
        for x, outputs in zip(rows.X.numpy(), own, strict=True)
    ]
    owners = np.repeat(np.arange(len(rows)), [len(one.rows) for one in found])
    changed = np.concatenate([one.rows for one in found])
    spaces = [space_of(x, model.schema, ranges, Limits()) for x in rows.X.numpy()]
    prices = np.stack(
        [spaces[owner].prices(row[None])[0] for owner, row in zip(owners, changed, strict=True)]
        or [np.empty(0)]
    ).reshape(len(changed), -1 if len(changed) else rows.X.shape[1])
    return Counterfactuals(
        provenance=provenance_of(
            NAME, model, rows, background, params, context, evaluations=oracle.done,
            chunk_rows=min(params.budget, CHUNK_ROWS), seconds=time.perf_counter() - started,
        ),
        data=rows.X.double().numpy(),
        ids=rows.ids.numpy(),
        predictions=own,
        wishes=tuple(one.wish.describe(model.schema) for one in found),
        fulfilled=np.array([one.fulfilled for one in found]),
        reached=np.stack([one.reached for one in found]),
        owners=owners,
        changed_data=changed,
        changed_predictions=np.concatenate([one.outputs for one in found]),
        changed=prices > 0,
        distances=prices.sum(1),
        schema=model.schema,
        output_names=model.output_names,
    )  # fmt: skip


def _limits(model: Model, params: SearchParams) -> Limits:
    return limits_for(
        model.schema, keep=params.keep, only_up=params.only_up, only_down=params.only_down,
        immutable=params.immutable,
    )  # fmt: skip


def _search(
    oracle: Oracle,
    x: Float[np.ndarray, " d"],
    outputs: Float[np.ndarray, " k"],
    wish: Wish,
    ranges: Ranges,
    params: SearchParams,
) -> Found:
    """Search for one row; what was found is held against the model once more."""
    oracle.wish, oracle.reached = wish, outputs
    start = float(wish.gap(outputs[None])[0])
    space = space_of(x, oracle.model.schema, ranges, _limits(oracle.model, params))
    none = np.empty((0, len(x))), np.empty((0, len(outputs)))
    if start <= 0:
        return Found(wish, True, *none, reached=outputs)
    asked = Asked(oracle.gap, params.budget - 3 * params.count)
    most = min(len(x), params.max_changes or len(x))
    rows = nearest(asked, space, start, count=params.count, max_changes=most)
    if not len(rows):
        return Found(wish, False, *none, reached=oracle.reached)
    said = oracle.outputs(rows)
    met = wish.gap(said) <= 0
    return Found(wish, False, rows[met], said[met], reached=oracle.reached)


def _cost(model: Model, n_rows: int, n_background: int, params: SearchParams) -> Cost:
    d, k = len(model.schema.features), len(model.output_names)
    return Cost(n_rows * (params.budget + 1) + n_background, n_bytes=AT_ONCE * 8 * (3 * d + 2 * k))


def _efforts(_: int) -> dict[str, Effort]:
    return {
        "quick": Effort(500, {"budget": 10_000}),
        "standard": Effort(1000, {}),
        "thorough": Effort(2000, {"budget": 400_000}),
    }


METHODS.register(
    NAME,
    Method(
        title="Nearest counterfactuals",
        question="What is the smallest change for which the model would decide otherwise?",
        explain=_explain,
        params=SearchParams,
        yields=Counterfactuals,
        needs=frozenset(),
        cost=_cost,
        efforts=_efforts,
        reference="Wachter, Mittelstadt and Russell (2017); Mothilal, Sharma and Tan (2020)",
        weakness="Says what would change the model's answer, not what would change the world; "
        "features are changed one by one, whether or not people could do so.",
    ),
)
