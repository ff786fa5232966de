"""The verbs about a model as a whole: how good it is, like which other, how its output changes."""

from typing import TYPE_CHECKING, Any

from workbench.api.inputs import alone, named, opened
from workbench.core.context import Progress
from workbench.core.model import Model
from workbench.core.results import Performance, Profiles
from workbench.core.table import Table
from workbench.engines.calls import call
from workbench.engines.performance.agreement import Agreement
from workbench.engines.performance.agreement import agreement as compare_answers

if TYPE_CHECKING:
    import pandas as pd


def evaluate(
    model: Model | str,
    rows: "Table | pd.DataFrame",
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> Performance:
    """Say how good a model is on labelled rows, with an interval for every number.

    Parameters
    ----------
    model
        A model, or its name as ``load_model`` takes it.
    rows
        Labelled rows ``[n, d]``: a table, or a pandas frame, which is read with the model's schema
        as a file would be; its target is the truth.
    seed
        Of all random numbers; the same seed gives the same bits.
    device
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``; by default ``WORKBENCH_DEVICE``, else
        ``auto``.
    progress
        Called as ``progress(done, total, words)`` between batches; raising ``CancelledError`` in
        it stops the run.
    params
        Settings of ``performance.evaluate``: ``level``, ``bins``, ``threshold`` and ``weights``.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.

    References
    ----------
    Wilson (1927), Probable Inference; DeLong, DeLong and Clarke-Pearson (1988), Comparing the
    Areas under Receiver Operating Characteristic Curves.

    Examples
    --------
    >>> import workbench as wb
    >>> found = wb.evaluate("wine-mlp", wb.load_table("wine"))
    >>> print(wb.answer(found))  # doctest: +NORMALIZE_WHITESPACE
    On 36 rows of wine/test the model is right for 100 % (95 % interval: 90.4 % to 100 %);
    always saying cultivar 1 would be right for 44.4 %. It makes no mistake on these rows.
    """
    return call(
        Performance, "performance.evaluate", *alone(model, rows, seed),
        params=params, seed=seed, device=device, progress=progress,
    )  # fmt: skip


def agreement(
    one: Model | str, other: Model | str, rows: "Table | pd.DataFrame", *, seed: int = 0
) -> Agreement:
    """Say how far two models of the same features and outputs say the same about rows.

    Parameters
    ----------
    one, other
        Models, or their names as ``load_model`` takes them.
    rows
        Rows ``[n, d]``; of more than 5,000 as many are drawn. Frames as for ``explain``.
    seed
        Of the draw.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.
    """
    one, rows = opened(one, rows, seed)
    other = named(other)
    return compare_answers(one, other, rows, seed=seed)


def profiles(
    model: Model | str,
    rows: "Table | pd.DataFrame",
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> Profiles:
    """Follow the output along each feature: mean over rows, single rows, accumulated effects.

    Parameters
    ----------
    model
        A model, or its name as ``load_model`` takes it.
    rows
        Rows ``[n, d]`` to average over, whose values the features take; frames as for ``explain``.
    seed
        Of all random numbers; the same seed gives the same bits.
    device
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``; by default ``WORKBENCH_DEVICE``, else
        ``auto``.
    progress
        Called as ``progress(done, total, words)`` between batches; raising ``CancelledError`` in
        it stops the run.
    params
        Settings of ``profiles.curves``, such as ``features``, ``pair`` and ``points``.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.

    References
    ----------
    Friedman (2001), Greedy Function Approximation; Goldstein et al. (2015), Peeking Inside the
    Black Box; Apley and Zhu (2020), Visualizing the Effects of Predictor Variables.

    Examples
    --------
    >>> import workbench as wb
    >>> found = wb.profiles("diabetes-mlp", wb.load_table("diabetes"), features="bmi")
    >>> print(wb.answer(found))  # doctest: +NORMALIZE_WHITESPACE
    Over 89 rows of diabetes/test, the mean progression changes most with bmi: from 116
    (19 kg/m²) to 250 (42.2 kg/m²).
    """
    return call(
        Profiles, "profiles.curves", *alone(model, rows, seed),
        params=params, seed=seed, device=device, progress=progress,
    )  # fmt: skip
