"""The verbs that say who is worse off."""

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from workbench.api.inputs import check_seed, opened
from workbench.api.sensitive import frame_of, sensitive_table, with_sensitive
from workbench.core.context import Progress
from workbench.core.errors import InvalidInputError
from workbench.core.model import Model
from workbench.core.results import ErrorAudit, FairnessAudit
from workbench.core.table import Table
from workbench.engines.calls import call
from workbench.engines.fairness.given import Given, audit_given

if TYPE_CHECKING:
    import pandas as pd


def audit(
    model: Model | str,
    rows: "Table | pd.DataFrame",
    *,
    sensitive_features: Any = None,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> FairnessAudit:
    """Say who is worse off under a model's decisions, by how much, and how sure that is.

    Parameters
    ----------
    model
        A model, or its name as ``load_model`` takes it.
    rows
        Labelled rows ``[n, d]`` that the model was not trained on; frames as for ``evaluate``.
    sensitive_features
        Columns that the model does not read, to compare groups by: a frame, a series, a
        dictionary or an array, row by row. They are compared by instead of the model's own
        protected columns, unless ``by`` says otherwise.
    seed
        Of all random numbers; the same seed gives the same bits.
    device
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``; by default ``WORKBENCH_DEVICE``, else
        ``auto``.
    progress
        Called as ``progress(done, total, words)`` between batches; raising ``CancelledError`` in
        it stops the run.
    params
        Settings of ``fairness.audit``, such as ``by``, ``favourable``, ``depth`` and ``threshold``.

    Raises
    ------
    WorkbenchError
        If anything given does not fit, there are no groups to compare, or nobody says which class
        is the favourable one; the message names it and the fix.

    References
    ----------
    Hardt, Price and Srebro (2016), Equality of Opportunity in Supervised Learning.
    """
    model, table, params = _prepared(model, rows, sensitive_features, seed, params)
    return call(
        FairnessAudit, "fairness.audit", model, table, table,
        params=params, seed=seed, device=device, progress=progress,
    )  # fmt: skip


def error_audit(
    model: Model | str,
    rows: "Table | pd.DataFrame",
    *,
    sensitive_features: Any = None,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> ErrorAudit:
    """Say for whom a model of a number errs more, and in which direction.

    Parameters
    ----------
    model
        A model of a number, or its name as ``load_model`` takes it.
    rows
        Labelled rows ``[n, d]`` that the model was not trained on; frames as for ``evaluate``.
    sensitive_features
        As for ``audit``.
    seed
        Of all random numbers; the same seed gives the same bits.
    device
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``; by default ``WORKBENCH_DEVICE``, else
        ``auto``.
    progress
        Called as ``progress(done, total, words)`` between batches; raising ``CancelledError`` in
        it stops the run.
    params
        Settings of ``fairness.errors``, such as ``by``, ``depth`` and ``quantile``.

    Raises
    ------
    WorkbenchError
        If anything given does not fit, there are no groups to compare, or the model predicts
        classes; the message names it and the fix.

    References
    ----------
    Agarwal, Dudik and Wu (2019), Fair Regression: Quantitative Definitions and Reduction-based
    Algorithms.
    """
    model, table, params = _prepared(model, rows, sensitive_features, seed, params)
    return call(
        ErrorAudit, "fairness.errors", model, table, table,
        params=params, seed=seed, device=device, progress=progress,
    )  # fmt: skip


def audit_decisions(
    *,
    y_true: Any,
    y_pred: Any,
    sensitive_features: Any,
    y_score: Any = None,
    sample_weight: Any = None,
    pos_label: Any = None,
    seed: int = 0,
    progress: Progress | None = None,
    **params: Any,
) -> FairnessAudit:
    """Say who is worse off under decisions that are given; arguments are named as in fairlearn.

    All have to be named: truth and decision look alike, and exchanged they give other numbers.

    Parameters
    ----------
    y_true, y_pred
        What is true of each of ``n`` rows and what was decided, of two values.
    sensitive_features
        Columns to compare groups by: a frame, a series, a dictionary or an array.
    y_score
        Probability of the favourable value ``[n]``, where it is known.
    sample_weight
        How much each row counts, 0 or more; by default all the same.
    pos_label
        The favourable value; 1 of 0 and 1 or of -1 and 1, and True.
    seed
        Of the resamples; the same seed gives the same bits.
    progress
        Called as ``progress(done, total, words)`` between batches; raising ``CancelledError`` in
        it stops the run.
    params
        Settings of ``fairness.audit``.

    Raises
    ------
    InvalidInputError
        If anything given does not fit; the message names it and the fix.

    Examples
    --------
    >>> found = audit_decisions(
    ...     y_true=[1, 1, 0, 0], y_pred=[1, 0, 0, 0], sensitive_features=["a", "b", "a", "b"]
    ... )
    >>> found.to_metric_frame_dict()["by_group"]["true_positive_rate"]
    {'a': 1.0, 'b': 0.0}
    """
    check_seed(seed)
    truth, decided = np.asarray(y_true), np.asarray(y_pred)
    n = len(truth)
    favourable, other = _two_values(truth, decided, pos_label)
    people = sensitive_table(sensitive_features, n, "decisions", "y_true has")
    weights = None
    if sample_weight is not None:
        weights = torch.from_numpy(_numbers(sample_weight, n, "sample_weight"))
        if bool((weights < 0).any()):
            raise InvalidInputError("sample_weight is negative in a row; weights are 0 or more.")
    scores = np.full(n, np.nan) if y_score is None else _numbers(y_score, n, "y_score")
    given = Given(
        decided == favourable, (truth == favourable).astype(np.int64), scores,
        Table(people.schema, people.X, people.ids, weights=weights, name=people.name),
        str(favourable), str(other),
    )  # fmt: skip
    return audit_given(given, seed=seed, progress=progress, **params)


def _prepared(
    model: Model | str, rows: Any, sensitive: Any, seed: int, params: dict[str, Any]
) -> tuple[Model, Table, dict[str, Any]]:
    model, table = opened(model, rows, seed)
    if sensitive is None:
        return model, table, params
    table = with_sensitive(table, sensitive)
    return model, table, {"by": ",".join(frame_of(sensitive).columns)} | params


def _two_values(truth: np.ndarray, decided: np.ndarray, pos_label: Any) -> tuple[Any, Any]:
    """Return the favourable value and the other one."""
    if truth.ndim != 1 or truth.shape != decided.shape:
        raise InvalidInputError(
            f"y_true has the shape {truth.shape}, y_pred {decided.shape}; give one value for each "
            "row in both."
        )
    both = np.concatenate([truth, decided]).tolist()
    known = list(dict.fromkeys(both))
    if len(known) > 2:
        row = both.index(known[2]) % len(truth)
        raise InvalidInputError(
            f"y_true and y_pred hold a third value, {known[2]!r} in row {row}; decide for or "
            "against one outcome, for example y_true == 'approved'."
        )
    if pos_label is None:
        if not set(known) <= {0, 1} and not set(known) <= {-1, 1}:
            raise InvalidInputError(
                f"Nobody says which of {known[0]!r} and {known[-1]!r} people hope for; set "
                "pos_label to it."
            )
        return 1, -1 if -1 in known else 0
    if pos_label not in known:
        raise InvalidInputError(
            f"pos_label {pos_label!r} is neither in y_true nor in y_pred; set it to one of "
            f"{', '.join(map(repr, known))}."
        )
    others = [value for value in known if value != pos_label]
    return pos_label, others[0] if others else f"not {pos_label}"


def _numbers(given: Any, n: int, what: str) -> np.ndarray:
    try:
        values = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidInputError(f"{what} holds what is no number; give one for each row.") from None
    if values.shape != (n,):
        raise InvalidInputError(
            f"{what} has the shape {values.shape}, y_true {(n,)}; give one number for each row."
        )
    if not np.isfinite(values).all():
        row = int(np.argmax(~np.isfinite(values)))
        raise InvalidInputError(f"{what} is not finite in row {row}; give a number there.")
    return values
