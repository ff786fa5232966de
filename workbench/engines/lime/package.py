"""The package lime behind our terms: coded rows, answers of a model, and refusals in a sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.local_models import IN_BINS
from workbench.core.model import CHUNK_ROWS, Model
from workbench.core.table import Table
from workbench.engines.lime.params import ReferenceParams
from workbench.engines.lime.sampler import check_finite

if TYPE_CHECKING:
    from lime.lime_tabular import LimeTabularExplainer

SELECTIONS = {
    "auto": "auto", "forward": "forward_selection", "highest": "highest_weights",
    "lasso": "lasso_path", "none": "none",
}  # fmt: skip


@dataclass
class Asked:
    """What the package calls for answers: coded rows in, the model's outputs out."""

    model: Model
    context: Context
    n_rows: int
    rows_done: int = 0
    evaluations: int = 0

    @torch.no_grad()
    def __call__(self, codes: Float[np.ndarray, "m d"]) -> np.ndarray:
        """Return probabilities, or the values of a regression in one dimension.

        Raises
        ------
        InvalidInputError
            If the package or the model comes to what is no number.
        """
        if not np.isfinite(codes).all():
            raise InvalidInputError(
                "The package lime draws numbers that are not finite from this background; choose "
                "lime.tabular."
            )
        X = torch.from_numpy(decoded(codes, self.model))
        found = []
        for part in torch.split(X, self.context.chunk_rows or CHUNK_ROWS):
            self.context.step(self.rows_done, self.n_rows, "rows")
            found.append(self.model.predict(self.model.without_fractions(part)))
            self.evaluations += len(part)
        answers = torch.cat(found)
        check_finite(answers, self.model)
        is_value = self.model.schema.task == "regression"
        return answers[:, 0].numpy() if is_value else answers.numpy()


@dataclass
class Fits:
    """Stands between the package's sampling and its fitting, and keeps what passes.

    Attributes
    ----------
    base
        The package's own fitting.
    found
        Of each output: intercept, pairs of feature and coefficient, R², local prediction.
    """

    base: Any
    data: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    answers: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    weights: np.ndarray = field(default_factory=lambda: np.empty(0))
    found: list[tuple[float, list[tuple[int, float]], float, float]] = field(default_factory=list)

    def explain_instance_with_data(
        self, data: np.ndarray, answers: np.ndarray, distances: np.ndarray, *where: Any,
        **how: Any,
    ) -> Any:  # fmt: skip
        """Fit one output as the package does."""
        fitted = self.base.explain_instance_with_data(data, answers, distances, *where, **how)
        self.data, self.answers = data, answers
        self.weights = self.base.kernel_fn(distances)
        intercept, pairs, score, local = fitted
        self.found.append((intercept, pairs, score, float(local[0])))
        return fitted


def coded(table: Table) -> Float[np.ndarray, "n d"]:
    """Write rows as the package takes them: a missing category is one more code.

    Raises
    ------
    InvalidInputError
        If a number is missing.
    """
    X = table.X.double().numpy().copy()
    for column, feature in zip(X.T, table.schema.features, strict=True):
        missing = np.isnan(column)
        if feature.kind == "categorical":
            column[missing] = len(feature.categories)
        elif missing.any():
            raise InvalidInputError(
                f"The package lime takes no missing numbers, and {feature.name!r} of table "
                f"{table.name!r} lacks some; choose lime.tabular, or leave those rows out."
            )
    return X


def decoded(codes: Float[np.ndarray, "m d"], model: Model) -> Float[np.ndarray, "m d"]:
    """Turn coded rows back into rows that the model reads."""
    last = [
        len(feature.categories) if feature.kind == "categorical" else np.inf
        for feature in model.schema.features
    ]
    return np.where(codes == last, np.nan, codes)


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what the package stops at into a sentence.

    Raises
    ------
    InvalidInputError
        If it met numbers that it cannot do with.
    """
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            yield
    except ValueError as error:
        raise InvalidInputError(
            f"The package lime stops at such numbers ({str(error).splitlines()[0][:120]}); "
            "choose lime.tabular."
        ) from error


def make_package(
    model: Model, background: Table, params: ReferenceParams
) -> "LimeTabularExplainer":  # fmt: skip
    """Set up the package for a background.

    Raises
    ------
    InvalidInputError
        If a number is missing, or it cannot make the bins that are asked for.
    """
    from lime.lime_tabular import LimeTabularExplainer  # noqa: PLC0415 - a second, rarely needed

    is_value = model.schema.task == "regression"
    if is_value and params.sampling == IN_BINS and params.bins == "entropy":
        raise InvalidInputError(
            "The package lime makes entropy bins of classes only, and the target "
            f"{model.schema.target!r} is a number; choose bins 'quartile' or 'decile'."
        )
    categories = [j for j, f in enumerate(model.schema.features) if f.kind == "categorical"]
    with refusals():
        return LimeTabularExplainer(
            coded(background), mode="regression" if is_value else "classification",
            training_labels=None if background.y is None else background.y.numpy(),
            categorical_features=categories, kernel_width=params.kernel_width,
            feature_selection=SELECTIONS[params.selection],
            discretize_continuous=params.sampling == IN_BINS, discretizer=params.bins,
            sample_around_instance=params.sampling == "around", random_state=0,
        )  # fmt: skip


def fit_row(
    package: "LimeTabularExplainer", asked: Asked, x: Float[np.ndarray, " d"], count: int,
    n: int, seed: int,
) -> Fits:  # fmt: skip
    """Have one row explained, with random numbers of its own."""
    source = np.random.RandomState(seed)
    package.random_state = source
    if package.discretizer is not None:
        package.discretizer.random_state = source
    base = package.base
    package.base = fits = Fits(base)
    try:
        with refusals():
            package.explain_instance(
                x, asked, labels=range(len(asked.model.output_names)), num_features=count,
                num_samples=n + 1,
            )  # fmt: skip
    finally:
        package.base = base
    return fits
