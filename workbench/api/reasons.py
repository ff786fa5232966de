"""The verbs that say what decisions about people and gaps between groups rest on."""

from typing import TYPE_CHECKING, Any

from workbench.api.inputs import alone, described, labelled
from workbench.core.context import Progress
from workbench.core.model import Model
from workbench.core.results import AttributeFlips, BoundaryPeople, GapCauses
from workbench.core.table import Table
from workbench.engines.calls import call

if TYPE_CHECKING:
    import pandas as pd


def flips(
    model: Model | str,
    rows: "Table | pd.DataFrame",
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> AttributeFlips:
    """Ask whose decision would be another if only a protected attribute were.

    Every row is asked about under all values of the attributes, one by one or together.

    Parameters
    ----------
    model
        A model, or its name as ``load_model`` takes it.
    rows
        People ``[n, d]``, who need no labels; frames as for ``explain``.
    seed
        Of all random numbers; the same seed gives the same bits.
    device
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``; by default ``WORKBENCH_DEVICE``, else
        ``auto``.
    progress
        Called as ``progress(done, total, words)`` between batches; raising ``CancelledError`` in
        it stops the run.
    params
        Settings of ``fairness.flips``, such as ``by``, which names the attributes, by default
        those that are marked as protected, and ``favourable``.

    Raises
    ------
    WorkbenchError
        If anything given does not fit, the model predicts a number or does not read an attribute,
        or there is nothing to set; the message names it and the fix.

    References
    ----------
    Galhotra, Brun and Meliou (2017), Fairness Testing: Testing Software for Discrimination.
    """
    return call(
        AttributeFlips, "fairness.flips", *alone(model, rows, seed),
        params=params, seed=seed, device=device, progress=progress,
    )  # fmt: skip


def gap_causes(
    model: Model | str,
    rows: "Table | pd.DataFrame",
    background: "Table | pd.DataFrame | None" = None,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> GapCauses:
    """Share out the gaps in mean score between groups among features, and look for proxies.

    Parameters
    ----------
    model
        A model, or its name as ``load_model`` takes it.
    rows
        Rows ``[n, d]`` to compare, with the protected columns among the features or beside them;
        labelled where ``among`` asks for an outcome. Frames as for ``explain``.
    background
        Rows ``[m, d]`` that stand in for unknown features; by default at most 2,000 training rows
        of the model, or 100 of ``rows`` where those are not here.
    seed
        Of all random numbers; the same seed gives the same bits.
    device
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``; by default ``WORKBENCH_DEVICE``, else
        ``auto``.
    progress
        Called as ``progress(done, total, words)`` between batches; raising ``CancelledError`` in
        it stops the run.
    params
        Settings of ``fairness.causes``: ``by="sex"`` names the protected columns,
        ``among="favourable"`` asks about those with the favourable outcome alone.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.

    References
    ----------
    Lundberg (2020), Explaining Quantitative Measures of Fairness.
    """
    return call(
        GapCauses, "fairness.causes", *described(model, rows, background, seed),
        params=params, seed=seed, device=device, progress=progress,
    )  # fmt: skip


def boundary_people(
    model: Model | str,
    rows: "Table | pd.DataFrame",
    table: "Table | pd.DataFrame | None" = None,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> BoundaryPeople:
    """Say who is decided narrowly, and what would have changed it.

    Everybody's score, margin and range over equally good models; for the closest to the boundary
    also the score at other levels of protected attributes, and the most similar person who is
    decided otherwise.

    Parameters
    ----------
    model
        A model, or its name as ``load_model`` takes it.
    rows
        People ``[n, d]``; frames as for ``explain``.
    table
        The whole table ``[m, d]`` that the rows are from, in which similar people are looked for
        and whose labelled validation rows say which models are as good. By default the bundled
        table that the rows are from, else the rows themselves.
    seed
        Of all random numbers; the same seed gives the same bits.
    device
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``; by default ``WORKBENCH_DEVICE``, else
        ``auto``.
    progress
        Called as ``progress(done, total, words)`` between batches; raising ``CancelledError`` in
        it stops the run.
    params
        Settings of ``fairness.people``, such as ``by``, ``favourable`` and ``max_people``.

    Raises
    ------
    WorkbenchError
        If anything given does not fit, the model predicts a number, or nobody says which class
        people hope for; the message names it and the fix.

    References
    ----------
    Marx, Calmon and Ustun (2020), Predictive Multiplicity in Classification.
    """
    return call(
        BoundaryPeople, "fairness.people", *labelled(model, rows, table, seed),
        params=params, seed=seed, device=device, progress=progress,
    )  # fmt: skip
