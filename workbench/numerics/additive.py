"""A model that adds up one curve for each feature, fitted by penalised splines."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int, Num

from workbench.core.schema import Schema

# Knots of a curve, at quantiles of the feature; of fewer values, one column for each.
KNOTS = 10
DEGREE = 3
# Penalties that are tried, by the sum of squares of the coefficients.
PENALTIES = tuple(float(10**power) for power in np.arange(3.0, -3.5, -0.5))
# Penalties in a row that do not lessen the loss of validation rows until the search stops.
PATIENCE = 3
MOST_STEPS = 5000
# How far curves that a penalty made too flat are stretched, at least and at most.
STRETCHES = (0.5, 2.0)
FOLDS = 5

Columns = Callable[[Float[np.ndarray, " n"]], Float[np.ndarray, "n c"]]


class Labelled(NamedTuple):
    """Raw rows, and their class codes or values."""

    X: Float[np.ndarray, "n d"]
    y: Num[np.ndarray, " n"]


@dataclass(frozen=True)
class Additive:
    r"""A fitted additive model.

    .. math:: f_k(x) = b_k + \sum_i g_{ik}(x_i)

    gives the value of a regression, and of a classifier the logits, or the log-odds of two
    classes.

    Attributes
    ----------
    penalty
        The one that was chosen on the validation rows.
    noise
        Of a regression, what each training row differs from a model that was fitted without it.
    """

    columns: tuple[Columns, ...]
    intercept: Float[np.ndarray, " k"]
    weights: Float[np.ndarray, "c k"]
    penalty: float
    noise: Float[np.ndarray, " n"]

    def logits(self, X: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n k"]:
        """Return values, or one logit per class."""
        found: np.ndarray = self.intercept + _laid_out(self.columns, X) @ self.weights
        return found


def fit_additive(train: Labelled, validation: Labelled, schema: Schema) -> Additive:
    """Fit one curve per feature: a cubic spline of numbers, one step per category.

    The penalty is the one with the least loss on the validation rows, from strong to weak. What it
    makes too flat in log-odds is stretched again, as rows say that were not fitted to. A missing
    value is a step of its own. A class that no training row has is given the odds of half a row.
    """
    columns = tuple(
        _columns_of(train.X[:, i], bool(feature.categories))
        for i, feature in enumerate(schema.features)
    )
    Z, held = _laid_out(columns, train.X), _laid_out(columns, validation.X)
    if schema.n_classes:
        intercept, weights, penalty = _logistic(Z, train.y, held, validation.y, schema.n_classes)
        return Additive(columns, intercept, weights, penalty, np.zeros(0))
    intercept, weights, penalty = _ridge(Z, train.y, held, validation.y)
    model = Additive(columns, intercept, weights, penalty, np.zeros(0))
    residuals = train.y - model.logits(train.X)[:, 0]
    noise = residuals / (1 - _leverages(Z, penalty))
    return Additive(columns, intercept, weights, penalty, noise)


def _ridge(
    Z: Float[np.ndarray, "n c"], y: Num[np.ndarray, " n"], held: Float[np.ndarray, "v c"],
    truth: Num[np.ndarray, " v"],
) -> tuple[Float[np.ndarray, " 1"], Float[np.ndarray, "c 1"], float]:  # fmt: skip
    from sklearn.linear_model import Ridge  # noqa: PLC0415 - half a second

    def tried(penalty: float) -> tuple[float, Any]:
        fitted = Ridge(alpha=penalty).fit(Z, y)
        return float(np.square(fitted.predict(held) - truth).mean()), fitted

    best, penalty = _least(tried)
    return np.array([best.intercept_]), best.coef_[:, None], penalty


def _leverages(Z: Float[np.ndarray, "n c"], penalty: float) -> Float[np.ndarray, " n"]:
    r"""Return how far each row decides its own fitted value.

    .. math:: h_i = \tfrac1n + z_i^T (Z^T Z + \lambda I)^{-1} z_i

    with centred columns. A residual divided by :math:`1 - h_i` is exactly that of a fit without
    the row at this penalty.
    """
    centred = Z - Z.mean(0)
    inverse = np.linalg.inv(centred.T @ centred + penalty * np.eye(Z.shape[1]))
    own: np.ndarray = np.einsum("nc,cd,nd->n", centred, inverse, centred) + 1 / len(Z)
    return own.clip(max=1 - 1e-6)


def _logistic(
    Z: Float[np.ndarray, "n c"], y: Num[np.ndarray, " n"], held: Float[np.ndarray, "v c"],
    truth: Num[np.ndarray, " v"], n_classes: int,
) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, "c k"], float]:  # fmt: skip
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - half a second

    shared = LogisticRegression(max_iter=MOST_STEPS, warm_start=True)
    centre = Z.mean(0)

    def fitted(rows: np.ndarray, penalty: float) -> tuple[np.ndarray, np.ndarray]:
        model = shared.set_params(C=1 / penalty).fit(Z[rows], y[rows])
        return _all_classes(model, n_classes, len(rows))

    def tried(penalty: float) -> tuple[float, Any]:
        found = fitted(np.arange(len(y)), penalty)
        return _cross_entropy(found[0] + held @ found[1], truth.astype(int)), found

    (intercept, weights), penalty = _least(tried)
    effects, labels = [(held - centre) @ weights], [truth]
    for fold in range(FOLDS):
        out = np.arange(len(y)) % FOLDS == fold
        if len(np.unique(y[~out])) > 1:
            effects.append((Z[out] - centre) @ fitted(np.flatnonzero(~out), penalty)[1])
            labels.append(y[out])
    middle = intercept + centre @ weights
    stretch, shift = _stretch(np.concatenate(effects), middle, np.concatenate(labels).astype(int))
    weights = stretch * weights
    return middle + shift - centre @ weights, weights, penalty


def _stretch(
    effects: Float[np.ndarray, "m k"], middle: Float[np.ndarray, " k"],
    truth: Int[np.ndarray, " m"],
) -> tuple[float, Float[np.ndarray, " k"]]:  # fmt: skip
    """Return by how much effects are too flat, as rows say that they were not fitted to.

    A penalty shrinks effects. Labels that are drawn from flatter log-odds are noisier and easier
    to follow than the real ones, and networks show less by chance when they are trained on them.
    """
    from scipy.optimize import minimize  # noqa: PLC0415 - beside what loads it anyway
    from scipy.special import logsumexp  # noqa: PLC0415

    wanted = np.eye(len(middle))[truth]

    def loss(numbers: Float[np.ndarray, " m"]) -> tuple[float, Float[np.ndarray, " m"]]:
        logits = numbers[0] * effects + middle + numbers[1:]
        total = logsumexp(logits, axis=1, keepdims=True)
        off = (np.exp(logits - total) - wanted) / len(wanted)
        value = float((total[:, 0] - (logits * wanted).sum(1)).mean())
        return value, np.append((off * effects).sum(), off.sum(0))

    start = np.append(1.0, np.zeros(len(middle)))
    free = (-1.0, 1.0)
    found = minimize(loss, start, jac=True, bounds=[STRETCHES, *[free] * len(middle)])
    return float(found.x[0]), found.x[1:]


def _cross_entropy(logits: Float[np.ndarray, "n k"], truth: Int[np.ndarray, " n"]) -> float:
    from scipy.special import logsumexp  # noqa: PLC0415 - beside what loads it anyway

    own = np.take_along_axis(logits, truth[:, None], 1)[:, 0]
    return float((logsumexp(logits, axis=1) - own).mean())


def _least(tried: Callable[[float], tuple[float, Any]]) -> tuple[Any, float]:
    """Go from strong to weak penalties and keep what has the least loss on validation rows."""
    least, best, chosen, since = np.inf, None, PENALTIES[0], 0
    for penalty in PENALTIES:
        loss, fitted = tried(penalty)
        since += 1
        if loss < least:
            least, best, chosen, since = loss, fitted, penalty, 0
        if since >= PATIENCE:
            break
    return best, chosen


def _all_classes(
    fitted: Any, n_classes: int, n: int
) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, "c k"]]:
    """Return intercepts and weights of every class, of two classes half of the log-odds each."""
    intercept, weights = fitted.intercept_, fitted.coef_.T
    if len(fitted.classes_) == 2:
        intercept = np.concatenate([-intercept, intercept]) / 2
        weights = np.concatenate([-weights, weights], 1) / 2
    known = fitted.classes_.astype(int)
    absent = intercept.mean() - np.log(2 * n)
    every, wide = np.full(n_classes, absent), np.zeros((len(weights), n_classes))
    every[known], wide[:, known] = intercept, weights
    wide[:, np.setdiff1d(np.arange(n_classes), known)] = weights.mean(1, keepdims=True)
    return every, wide


def _laid_out(
    columns: tuple[Columns, ...], X: Float[np.ndarray, "n d"]
) -> Float[np.ndarray, "n c"]:
    return np.concatenate([own(X[:, i]) for i, own in enumerate(columns)], 1)


def _columns_of(x: Float[np.ndarray, " n"], categorical: bool) -> Columns:
    """Choose the columns of a feature by its values in training rows."""
    known = x[~np.isnan(x)]
    values = np.unique(known)
    if categorical or len(values) <= KNOTS:
        return _steps(values, ordered=not categorical)
    knots = np.unique(np.quantile(values, np.linspace(0, 1, KNOTS)))
    return _spline(knots, float(np.median(known)))


def _steps(values: Float[np.ndarray, " v"], *, ordered: bool) -> Columns:
    """One column for each value; an unknown number is taken for the nearest."""

    def columns(x: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n c"]:
        missing = np.isnan(x)[:, None]
        if not len(values):
            return missing.astype(float)
        place = x[:, None]
        if ordered:
            place = values[np.abs(np.nan_to_num(place) - values).argmin(1)][:, None]
        return np.concatenate([(place == values) & ~missing, missing], 1).astype(float)

    return columns


def _spline(knots: Float[np.ndarray, " v"], middle: float) -> Columns:
    """B-splines that go on as straight lines; a missing value stands in the middle."""
    from sklearn.preprocessing import SplineTransformer  # noqa: PLC0415 - half a second

    spline = SplineTransformer(degree=DEGREE, knots=knots[:, None], extrapolation="linear")
    spline.fit(knots[:, None])

    def columns(x: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n c"]:
        missing = np.isnan(x)
        filled = np.where(missing, middle, x)
        return np.column_stack([spline.transform(filled[:, None]), missing.astype(float)])

    return columns
