"""The verbs about what features do together, in a model and in the data."""

from typing import TYPE_CHECKING, Any

from workbench.api.inputs import alone, with_whole
from workbench.core.context import Progress
from workbench.core.model import Model
from workbench.core.results import Detectors, Halo, InteractionScores, InteractionTest
from workbench.core.table import Table
from workbench.engines.calls import call

if TYPE_CHECKING:
    import pandas as pd


def interaction_scores(
    model: Model | str,
    rows: "Table | pd.DataFrame",
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> InteractionScores:
    """Score which pairs of features a model uses together.

    Parameters
    ----------
    model
        A model, or its name as ``load_model`` takes it.
    rows
        Rows ``[n, d]`` that features are exchanged between; frames as for ``explain``.
    seed
        Of all random numbers; the same seed gives the same bits.
    device
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``; by default ``WORKBENCH_DEVICE``, else
        ``auto``.
    progress
        Called as ``progress(done, total, words)`` between batches; raising ``CancelledError`` in
        it stops the run.
    params
        Settings of ``interactions.scores``: ``detector="both"`` scores pairs in the loss as well,
        for which the rows need labels; ``order=3`` adds triples.

    Raises
    ------
    WorkbenchError
        If anything given does not fit, the rows lack labels that are needed, or there is nothing
        to pair; the message names it and the fix.

    References
    ----------
    Liu and Owen (2006), Estimating Mean Dimensionality; Li, Wang, Deng and Barnard (2024),
    Exploring the Cloud of Feature Interaction Scores in a Rashomon Set.
    """
    return call(
        InteractionScores, "interactions.scores", *alone(model, rows, seed),
        params=params, seed=seed, device=device, progress=progress,
    )  # fmt: skip


def detectors(
    model: Model | str,
    rows: "Table | pd.DataFrame",
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> Detectors:
    """Ask several detectors which pairs of features a model uses together.

    Parameters
    ----------
    model
        A model, or its name as ``load_model`` takes it.
    rows
        Rows ``[n, d]`` that all detectors look at; labelled ones for the score in the loss. Frames
        as for ``explain``.
    seed
        Of all random numbers; the same seed gives the same bits.
    device
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``; by default ``WORKBENCH_DEVICE``, else
        ``auto``.
    progress
        Called as ``progress(done, total, words)`` between batches; raising ``CancelledError`` in
        it stops the run.
    params
        Settings of ``interactions.detectors``: ``detectors="loss,friedman-root"`` asks only some.

    Raises
    ------
    WorkbenchError
        If anything given does not fit, there is nothing to pair, or no detector can serve; the
        message names it and the fix.

    References
    ----------
    Friedman and Popescu (2008), Predictive Learning via Rule Ensembles; Tsang et al. (2018),
    Detecting Statistical Interactions from Neural Network Weights; Janizek et al. (2021),
    Explaining Explanations.
    """
    return call(
        Detectors, "interactions.detectors", *alone(model, rows, seed),
        params=params, seed=seed, device=device, progress=progress,
    )  # fmt: skip


def halo(
    model: Model | str,
    rows: "Table | pd.DataFrame",
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> Halo:
    """Scale features together around the edge of what is as good, and score them there.

    Parameters
    ----------
    model
        A model, or its name as ``load_model`` takes it.
    rows
        Labelled rows ``[n, d]``: what is as good is decided on them, and features are exchanged
        between them. Frames as for ``explain``.
    seed
        Of all random numbers; the same seed gives the same bits.
    device
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``; by default ``WORKBENCH_DEVICE``, else
        ``auto``.
    progress
        Called as ``progress(done, total, words)`` between batches; raising ``CancelledError`` in
        it stops the run.
    params
        Settings of ``interactions.halo``: ``pair="age,sex"`` names features, ``order=3`` looks at
        triples, ``search="published"`` searches in the published way.

    Raises
    ------
    WorkbenchError
        If anything given does not fit, the rows lack labels, or features cannot be scaled; the
        message names it and the fix.

    References
    ----------
    Li, Wang, Deng and Barnard (2024), Exploring the Cloud of Feature Interaction Scores in a
    Rashomon Set.
    """
    return call(
        Halo, "interactions.halo", *alone(model, rows, seed),
        params=params, seed=seed, device=device, progress=progress,
    )  # fmt: skip


def interaction_test(
    model: Model | str,
    table: "Table | pd.DataFrame",
    rows: "Table | pd.DataFrame | None" = None,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> InteractionTest:
    """Test which pairs of features do something together in a whole labelled table.

    Networks of the model's kind are trained on the labels of the table and on labels without
    interactions.

    Parameters
    ----------
    model
        A network, or its name as ``load_model`` takes it; a black box cannot be trained again.
    table
        The whole labelled table ``[m, d]``: networks train on its training rows and stop by its
        validation rows. Frames as for ``explain``.
    rows
        Labelled rows ``[n, d]`` that pairs are scored and losses reported on; by default the test
        rows of the table.
    seed
        Of all random numbers; the same seed gives the same bits.
    device
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``; by default ``WORKBENCH_DEVICE``, else
        ``auto``.
    progress
        Called as ``progress(done, total, words)`` between batches; raising ``CancelledError`` in
        it stops the run.
    params
        Settings of ``interactions.bootstrap``, such as ``simulations``, ``refits`` and ``level``.

    Raises
    ------
    WorkbenchError
        If anything given does not fit, there are no labels, or the model is a black box; the
        message names it and the fix.

    References
    ----------
    Efron and Tibshirani (1993), An Introduction to the Bootstrap; Benjamini and Hochberg (1995),
    Controlling the False Discovery Rate.
    """
    return call(
        InteractionTest, "interactions.bootstrap", *with_whole(model, table, rows, seed),
        params=params, seed=seed, device=device, progress=progress,
    )  # fmt: skip
