"""The changes that one row may undergo, and their price."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from workbench.core.errors import InvalidInputError
from workbench.core.schema import Schema, listing
from workbench.engines.counterfactuals.ranges import Ranges

STEPS = 100


@dataclass(frozen=True)
class Limits:
    """What may not be changed, or one way alone; by positions of features.

    Attributes
    ----------
    kept
        Features that stay as they are.
    up, down
        Numbers that may only become larger, and smaller.
    """

    kept: frozenset[int] = frozenset()
    up: frozenset[int] = frozenset()
    down: frozenset[int] = frozenset()


def limits_for(
    schema: Schema, *, keep: str = "", only_up: str = "", only_down: str = "", immutable: bool
) -> Limits:
    """Return the limits that names of columns and the schema set.

    A number that may change one way may do so although the schema calls it immutable: nobody
    chooses their age, and yet everybody grows older.

    Raises
    ------
    InvalidInputError
        If there is no such column, a category is to rise or fall, or a number to do both.
    """
    kept = _positions(schema, "keep", keep)
    up, down = (
        _positions(schema, name, text, numbers=True)
        for name, text in (("only_up", only_up), ("only_down", only_down))
    )
    if both := (up & down) | (up & kept) | (down & kept):
        name = schema.names[min(both)]
        raise InvalidInputError(
            f"Feature {name!r} is limited in two ways; name it in one of keep, only_up and "
            "only_down."
        )
    fixed = {j for j, feature in enumerate(schema.features) if feature.immutable and not immutable}
    return Limits(frozenset(kept | (fixed - up - down)), up, down)


def _positions(schema: Schema, what: str, text: str, *, numbers: bool = False) -> frozenset[int]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in schema.names:
            raise InvalidInputError(
                f"{what}: there is no feature {name!r}; choose among {listing(schema.names, 20)}."
            )
        if numbers and schema.features[schema.index(name)].kind == "categorical":
            raise InvalidInputError(
                f"{what}: feature {name!r} is a category, which is neither larger nor smaller; "
                "name it in keep if it must stay as it is."
            )
    return frozenset(schema.index(name) for name in names)


@dataclass(frozen=True)
class Space:
    r"""What may be tried for one row.

    A changed number costs :math:`1 + |x_j' - x_j| / s_j` with the spread :math:`s_j` of the
    feature; another category, or a value where it was missing, costs 2.

    Attributes
    ----------
    origin
        The row.
    sliding
        Features whose change may be larger or smaller: known numbers.
    scale, step
        Spread of each feature, and the smallest difference that is told apart.
    features, values
        Every single change on the grid: which feature, and its new value.
    """

    origin: Float[np.ndarray, " d"]
    sliding: Bool[np.ndarray, " d"]
    scale: Float[np.ndarray, " d"]
    step: Float[np.ndarray, " d"]
    features: Int[np.ndarray, " o"]
    values: Float[np.ndarray, " o"]

    def differs(self, X: Float[np.ndarray, "m d"]) -> Bool[np.ndarray, "m d"]:
        """Tell which features are not the row's; missing equals missing."""
        return (self.origin != X) & ~(np.isnan(X) & np.isnan(self.origin))

    def prices(self, X: Float[np.ndarray, "m d"]) -> Float[np.ndarray, "m d"]:
        """Return what each change costs; 0 where there is none."""
        size = np.where(self.sliding, np.abs(X - self.origin) / self.scale, 1.0)
        return np.where(self.differs(X), 1.0 + size, 0.0)

    @property
    def option_prices(self) -> Float[np.ndarray, " o"]:
        """Return what each single change on the grid costs."""
        size = np.abs(self.values - self.origin[self.features]) / self.scale[self.features]
        prices: np.ndarray = 1.0 + np.where(self.sliding[self.features], size, 1.0)
        return prices

    def between(
        self,
        X: Float[np.ndarray, "m d"],
        features: Int[np.ndarray, " m"],
        steps: Int[np.ndarray, " m"],
    ) -> Float[np.ndarray, " m"]:
        """Return values of features that are so many steps from the row's, at most those of ``X``.

        They are multiples of the step, so that they can be read.
        """
        origin, step = self.origin[features], self.step[features]
        far = X[np.arange(len(X)), features]
        up = far > origin
        places = np.where(up, np.floor(origin / step) + steps, np.ceil(origin / step) - steps)
        # A step is a power of ten: rounding takes away what 0.1 adds to a multiple of it.
        values = np.round(places * step, 12)
        return np.where(up, np.clip(values, origin, far), np.clip(values, far, origin))

    def n_steps(
        self, X: Float[np.ndarray, "m d"], features: Int[np.ndarray, " m"]
    ) -> Int[np.ndarray, " m"]:
        """Return how many steps features of rows are from their value in the row."""
        origin, step = self.origin[features], self.step[features]
        far = X[np.arange(len(X)), features]
        up = np.ceil(far / step) - np.floor(origin / step)
        down = np.ceil(origin / step) - np.floor(far / step)
        return np.where(far > origin, up, down).astype(np.int64)


def space_of(row: Float[np.ndarray, " d"], schema: Schema, ranges: Ranges, limits: Limits) -> Space:
    """Return what may be tried for a row: values seen, of features that may change."""
    features, values = [], []
    for j in range(len(schema.features)):
        if j in limits.kept:
            continue
        levels = ranges.levels[j]
        # Of a number that is missing nobody knows which way is up.
        above, below = (levels > row[j]), (levels < row[j])
        others = levels[
            above if j in limits.up else below if j in limits.down else levels != row[j]
        ]
        features.append(np.full(len(others), j))
        values.append(others)
    numbers = np.array([feature.kind != "categorical" for feature in schema.features])
    whole = np.array([feature.integer for feature in schema.features])
    step = np.where(whole, 1.0, 10.0 ** np.floor(np.log10(ranges.scale)) / STEPS)
    return Space(
        row, numbers & ~np.isnan(row), ranges.scale, step,
        np.concatenate([*features, np.empty(0, np.int64)]).astype(np.int64),
        np.concatenate([*values, np.empty(0)]),
    )  # fmt: skip
