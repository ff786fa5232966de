"""The verbs that explain, judge and turn predictions."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.api.inputs import (
    BACKGROUND_ROWS,
    as_table,
    background_for,
    check_seed,
    described,
    load_model,
    opened,
)
from workbench.api.methods import attribution_method
from workbench.core.context import Progress
from workbench.core.errors import InvalidInputError
from workbench.core.explainer import Explainer
from workbench.core.method import METHODS
from workbench.core.model import Model
from workbench.core.people import LOCAL
from workbench.core.results import (
    Attribution,
    Counterfactuals,
    Detectors,
    Halo,
    Interactions,
    InteractionScores,
    Performance,
)
from workbench.core.table import Table
from workbench.engines import fastshap, performance, shapley
from workbench.engines import interactions as scoring
from workbench.engines.counterfactuals import search
from workbench.engines.performance.agreement import Agreement
from workbench.engines.performance.agreement import agreement as compare_answers
from workbench.engines.shapley.interactions import explain_pairs
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
    """Explain rows; the background defaults to 100 training rows of the model.

    A pandas frame is read with the model's schema, as a file would be.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.
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
    """Say which pairs of features work together; background and frames as for ``explain``.

    ``index`` is ``k-SII``, ``STII`` or ``FSII``, which add up to the prediction, or ``SII`` or
    ``Banzhaf``. Up to 16 features every coalition is evaluated; beyond that, and where ``budget``
    says so, a sample of them, and values have standard errors.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.
    """
    model, rows = opened(model, rows, seed)
    if background is None:
        background = background_for(model, rows, seed=seed)
    background = as_table(background, model, "background")
    return explain_pairs(
        model, rows, background, seed=seed, device=device, progress=progress, index=index, **params
    )


def interaction_scores(
    model: Model | str,
    rows: "Table | pd.DataFrame",
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> InteractionScores:
    """Score which pairs of features a model uses together; frames as for ``explain``.

    Features are exchanged between the rows. ``detector="both"`` scores pairs in the loss as well,
    for which the rows need labels; ``order=3`` adds triples.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.
    """
    model, rows = opened(model, rows, seed)
    return scoring.interaction_scores(
        model, rows, seed=seed, device=device, progress=progress, **params
    )


def agreement(
    one: Model | str, other: Model | str, rows: "Table | pd.DataFrame", *, seed: int = 0
) -> Agreement:
    """Say how far two models of the same features and outputs say the same about rows.

    Of more than 5,000 rows as many are drawn.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.
    """
    one, rows = opened(one, rows, seed)
    other = load_model(other) if isinstance(other, str) else other
    return compare_answers(one, other, rows, seed=seed)


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

    The rows need labels; frames as for ``explain``. ``pair="age,sex"`` names features, ``order=3``
    looks at triples, ``search="published"`` searches in the published way.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.
    """
    model, rows = opened(model, rows, seed)
    return scoring.halo(model, rows, seed=seed, device=device, progress=progress, **params)


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

    The background says which values occur; it defaults to at most 2,000 training rows.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.
    """
    model, rows, background = described(model, rows, background, seed)
    return search(model, rows, background, seed=seed, device=device, progress=progress, **params)


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

    A pandas frame is read with the model's schema, as a file would be; its target is the truth.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.
    """
    check_seed(seed)
    if isinstance(model, str):
        model = load_model(model)
    return performance.evaluate(
        model, as_table(rows, model, "rows"), seed=seed, device=device, progress=progress, **params
    )


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
    """Train a FastSHAP explainer, on the model's training rows where nothing else is given.

    ``attach`` makes it answer for the model, ``Explainer.save`` keeps it.

    Raises
    ------
    InvalidInputError
        If the training rows are not here, or anything given does not fit.
    """
    check_seed(seed)
    if isinstance(model, str):
        model = load_model(model)
    known = training_rows(model) if rows is None else as_table(rows, model, "rows")
    if known is None:
        raise InvalidInputError(
            f"The training rows of {model.name} are not here; give rows to train the explainer on "
            "(rows=, --rows)."
        )
    if background is None:
        background = known.sample(min(n_background, len(known)), seed=seed)
    return fastshap.train(
        model, known, as_table(background, model, "background"), seed=seed, device=device,
        progress=progress, **params,
    )  # fmt: skip


def keep_explainer(model: Model, explainer: Explainer) -> Path:
    """Keep an explainer on this machine, so that ``load_model`` brings it along.

    Raises
    ------
    InvalidInputError
        If it was trained for another model.
    LimitError
        If there is no room for it.
    """
    return explainers.keep_explainer(model, explainer, LOCAL)


def detectors(
    model: Model | str,
    rows: "Table | pd.DataFrame",
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> Detectors:
    """Ask several detectors which pairs of features a model uses together; frames as above.

    ``detectors="loss,friedman-root"`` asks only some; the score in the loss needs labelled rows.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.
    """
    model, rows = opened(model, rows, seed)
    return scoring.detectors_side_by_side(
        model, rows, seed=seed, device=device, progress=progress, **params
    )
