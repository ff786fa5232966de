"""The verbs that explain predictions, turn them, and train what explains them at once."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.api.inputs import (
    BACKGROUND_ROWS,
    as_table,
    background_for,
    check_seed,
    described,
    named,
    opened,
)
from workbench.api.methods import attribution_method
from workbench.core.context import Progress
from workbench.core.errors import InvalidInputError
from workbench.core.explainer import Explainer
from workbench.core.method import METHODS
from workbench.core.model import Model
from workbench.core.people import LOCAL
from workbench.core.results import Attribution, Counterfactuals, Interactions
from workbench.core.table import Table
from workbench.engines import shapley
from workbench.engines.calls import call
from workbench.workspace import explainers
from workbench.workspace.background import training_rows

if TYPE_CHECKING:
    import pandas as pd


def explain(
    model: Model | str,
    rows: "Table | pd.DataFrame",
    background: "Table | pd.DataFrame | None" = None,
    *,
    method: str = "auto",
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> Attribution:
    """Share out each prediction among the features: Shapley values and their kin.

    Parameters
    ----------
    model
        A model, or its name as ``load_model`` takes it.
    rows
        Rows ``[n, d]`` to explain: a table, or a pandas frame, which is read with the model's
        schema as a file would be.
    background
        Rows ``[m, d]`` that stand in for unknown features; by default 100 training rows of the
        model, or of ``rows`` where those are not here.
    method
        Such as ``exact`` (up to 16 features), ``kernel``, ``leverage``, ``permutation`` or
        ``proxy``. ``auto`` takes ``exact`` where all coalitions are feasible; else, up to 32
        features, ``proxy`` for a dear model, a small budget, or 32 rows and more, which share
        coalitions; else ``kernel``, or above 24 features ``permutation``. The first note of the
        provenance says which and why.
    seed
        Of all random numbers; the same seed gives the same bits.
    device
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``; by default ``WORKBENCH_DEVICE``, else
        ``auto``.
    progress
        Called as ``progress(done, total, words)`` between batches; raising ``CancelledError`` in
        it stops the run.
    params
        Settings of the method: ``output``, ``link`` and, where coalitions are sampled, ``budget``
        and ``tolerance``; for ``proxy`` and regressions ``draw``, whose coalitions a row has.

    Returns
    -------
    Values ``[n, d, k]`` for all outputs at once, in the unit that ``unit`` names.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.

    References
    ----------
    Lundberg and Lee (2017), A Unified Approach to Interpreting Model Predictions; those of each
    method stand on its page.

    Examples
    --------
    >>> import workbench as wb
    >>> rows = wb.load_table("diabetes")[:1]
    >>> wb.explain("diabetes-mlp", rows, method="exact").values.shape
    (1, 10, 1)
    """
    model, rows = opened(model, rows, seed)
    name = method if method == "auto" else attribution_method(method)
    if background is None and name != "auto" and "background" not in METHODS[name].uses:
        background = rows
    if background is None:
        background = background_for(model, rows, seed=seed)
    background = as_table(background, model, "background")
    return shapley.explain(
        model, rows, background, method=name, seed=seed, device=device, progress=progress, **params
    )


def interactions(
    model: Model | str,
    rows: "Table | pd.DataFrame",
    background: "Table | pd.DataFrame | None" = None,
    *,
    index: str = "k-SII",
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> Interactions:
    """Say which pairs of features work together in each prediction.

    Parameters
    ----------
    model
        A model, or its name as ``load_model`` takes it.
    rows
        Rows ``[n, d]`` to explain: a table, or a pandas frame, which is read with the model's
        schema as a file would be.
    background
        Rows ``[m, d]`` that stand in for unknown features; by default 100 training rows of the
        model, or of ``rows`` where those are not here.
    index
        ``k-SII``, ``STII`` or ``FSII``, which add up to the prediction, or ``SII`` or ``Banzhaf``.
    seed
        Of all random numbers; the same seed gives the same bits.
    device
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``; by default ``WORKBENCH_DEVICE``, else
        ``auto``.
    progress
        Called as ``progress(done, total, words)`` between batches; raising ``CancelledError`` in
        it stops the run.
    params
        Settings of ``shapley.interactions``. Up to 16 features every coalition is evaluated;
        beyond that, and where ``budget`` says so, a sample of them, and values have standard
        errors.

    Returns
    -------
    Values ``[n, d, d, k]`` for all outputs at once, in the unit that ``unit`` names.

    Raises
    ------
    WorkbenchError
        If anything given does not fit, or there are more features than can be done: 16 exactly,
        128 by sampling; the message names it and the fix.

    References
    ----------
    Grabisch and Roubens (1999), An Axiomatic Approach to the Concept of Interaction; Bordt and von
    Luxburg (2023), From Shapley Values to Generalized Additive Models and Back.
    """
    model, rows = opened(model, rows, seed)
    if background is None:
        background = background_for(model, rows, seed=seed)
    background = as_table(background, model, "background")
    return call(
        Interactions, "shapley.interactions", model, rows, background,
        params=params | {"index": index}, seed=seed, device=device, progress=progress,
    )  # fmt: skip


def counterfactuals(
    model: Model | str,
    rows: "Table | pd.DataFrame",
    background: "Table | pd.DataFrame | None" = None,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> Counterfactuals:
    """Search for the nearest changes for which the model decides otherwise.

    Parameters
    ----------
    model
        A model, or its name as ``load_model`` takes it.
    rows
        Rows ``[n, d]`` to change; frames as for ``explain``.
    background
        Rows ``[m, d]`` that say which values occur and how numbers spread; by default at most
        2,000 training rows of the model, or 100 of ``rows`` where those are not here.
    seed
        Of all random numbers; the same seed gives the same bits.
    device
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``; by default ``WORKBENCH_DEVICE``, else
        ``auto``.
    progress
        Called as ``progress(done, total, words)`` between batches; raising ``CancelledError`` in
        it stops the run.
    params
        Settings of ``counterfactual.search``, such as ``target``, ``count`` and ``immutable``.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.

    References
    ----------
    Wachter, Mittelstadt and Russell (2017), Counterfactual Explanations without Opening the Black
    Box; Mothilal, Sharma and Tan (2020), Explaining Machine Learning Classifiers through Diverse
    Counterfactual Explanations.

    Examples
    --------
    >>> import workbench as wb
    >>> found = wb.counterfactuals("german-mlp", wb.load_table("german")[:1], budget=2000)
    >>> wb.answer(found)
    'Row 0: 4 changes would be enough for the model to say bad.'
    """
    return call(
        Counterfactuals, "counterfactual.search", *described(model, rows, background, seed),
        params=params, seed=seed, device=device, progress=progress,
    )  # fmt: skip


def train_explainer(
    model: Model | str,
    rows: "Table | pd.DataFrame | None" = None,
    background: "Table | pd.DataFrame | None" = None,
    *,
    n_background: int = BACKGROUND_ROWS,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> Explainer:
    """Train a FastSHAP explainer, which then explains rows at once.

    ``attach`` makes it answer for the model, ``Explainer.save`` keeps it.

    Parameters
    ----------
    model
        A model, or its name as ``load_model`` takes it.
    rows
        Rows ``[n, d]`` like those that it will explain; by default the model's training rows.
        Frames as for ``explain``.
    background
        Rows ``[m, d]`` that stand in for unknown features; by default drawn from ``rows``.
    n_background
        How many are drawn, or all where there are fewer.
    seed
        Of all random numbers; the same seed gives the same bits.
    device
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``; by default ``WORKBENCH_DEVICE``, else
        ``auto``.
    progress
        Called as ``progress(done, total, words)`` between batches; raising ``CancelledError`` in
        it stops the run.
    params
        Settings of ``fastshap.train``, such as ``value``, ``epochs`` and ``resume``.

    Raises
    ------
    InvalidInputError
        If the training rows are not here, or anything given does not fit.

    References
    ----------
    Jethani, Sudarshan, Covert, Lee and Ranganath (2022), FastSHAP: Real-Time Shapley Value
    Estimation.
    """
    check_seed(seed)
    model = named(model)
    known = training_rows(model) if rows is None else as_table(rows, model, "rows")
    if known is None:
        raise InvalidInputError(
            f"The training rows of {model.name} are not here; give rows to train the explainer on "
            "(rows=, --rows)."
        )
    if background is None:
        background = known.sample(min(n_background, len(known)), seed=seed)
    return call(
        Explainer, "fastshap.train", model, known, as_table(background, model, "background"),
        params=params, seed=seed, device=device, progress=progress,
    )  # fmt: skip


def keep_explainer(model: Model, explainer: Explainer) -> Path:
    """Keep an explainer on this machine, so that ``load_model`` brings it along.

    Parameters
    ----------
    model
        The model that it was trained for.
    explainer
        What ``train_explainer`` made.

    Returns
    -------
    The file that holds it.

    Raises
    ------
    InvalidInputError
        If it was trained for another model.
    LimitError
        If there is no room for it.
    """
    return explainers.keep_explainer(model, explainer, LOCAL)
