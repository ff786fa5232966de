"""The headless verbs; pages and command line are thin faces over them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.checks import Outcome, run_checks
from workbench.core.context import Progress
from workbench.core.errors import InvalidInputError
from workbench.core.explainer import Explainer
from workbench.core.method import METHODS, Cost, Method
from workbench.core.model import Model
from workbench.core.params import parse_params
from workbench.core.people import LOCAL
from workbench.core.results import (
    Attribution,
    Counterfactuals,
    Faithfulness,
    Interactions,
    LocalFunctions,
    LocalModels,
    Measures,
    Performance,
    Result,
    ScaleCurves,
)
from workbench.core.results import load as load_result
from workbench.core.table import SPLITS, Table
from workbench.core.wording import counted
from workbench.data.bundled import TABLES, load_schema, open_table
from workbench.data.conversion import to_table
from workbench.engines import fastshap, lfa, performance, shapley
from workbench.engines.counterfactuals import search
from workbench.engines.lfa.advisor import Advice, advise
from workbench.engines.lime import fit_local_models
from workbench.engines.performance import Overview, table_overview
from workbench.engines.shapley.interactions import explain_pairs
from workbench.engines.shapley.params import SharingParams
from workbench.numerics.amortised import find_explainer
from workbench.registry.store import Entry, list_models
from workbench.report.html import write_report
from workbench.workspace import explainers, sources
from workbench.workspace.background import training_rows
from workbench.workspace.explainers import attach

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Advice", "Entry", "Explainer", "Outcome", "Overview", "advise", "attach", "background_for",
    "counterfactuals", "estimate_cost", "evaluate", "explain", "explainer_for", "faithfulness",
    "find_method", "interactions", "keep_explainer", "lime", "list_methods", "list_models",
    "list_tables", "load_model", "load_result", "load_table", "local_functions", "measures",
    "open_table", "plan", "run_checks", "scale_curves", "select_rows", "table_overview",
    "train_explainer", "write_report",
]  # fmt: skip

BACKGROUND_ROWS = 100
REFERENCE_ROWS = 2000
# What to call for methods that yield no attribution.
VERBS: Mapping[type[Result], str] = {
    Interactions: "interactions", Performance: "evaluate", Counterfactuals: "counterfactuals",
    Explainer: "train_explainer", LocalModels: "lime", Faithfulness: "faithfulness",
    LocalFunctions: "local_functions", ScaleCurves: "scale_curves", Measures: "measures",
}  # fmt: skip
_ROW = r"-?[0-9]{1,15}"
_RANGE = re.compile(rf"({_ROW})?:({_ROW})?")
_LIST = re.compile(rf"{_ROW}(\s*,\s*{_ROW})*")


def list_tables() -> tuple[str, ...]:
    """Return the names of the bundled tables."""
    return tuple(TABLES)


def list_methods() -> dict[str, Method]:
    """Return every registered method by name, in the order of names."""
    return dict(sorted(METHODS.items()))


def load_model(reference: str | Path) -> Model:
    """Load ``name``, ``name@version``, ``name@alias`` or a folder, verified against its card.

    Explainers come along: those that lie beside it, then those that were trained and kept on this
    machine without sign-in.

    ``my:name`` is a model that was uploaded on this machine without sign-in.

    Raises
    ------
    RegistryError
        If there is no such model, or its files are not what the card says.
    """
    if str(reference).startswith(sources.MINE):
        model = sources.find_model(str(reference), LOCAL)
    else:
        model = explainers.load_model(str(reference))
    for own in explainers.explainers_of(model, LOCAL):
        model = model.with_explainer(own)
    return model


def load_table(
    source: str | Path,
    *,
    split: str | None = None,
    model: Model | None = None,
    schema: str | Path | None = None,
    ignore_extra: bool = False,
    rows: str | None = None,
) -> Table:
    """Load a bundled table by name, or a file.

    Parameters
    ----------
    split
        ``train``, ``validation``, ``test``, or ``all`` for every row. By default the test rows
        of a bundled table and all rows of a file.
    model
        Read the file with this model's schema, so that its categories get the model's codes.
    schema
        A schema file; without one and without a model, the schema beside the file or a guess.
    rows
        Which of these rows, as in ``select_rows``. Of a file that is not split, only they have to
        be complete and of the right kind.

    Raises
    ------
    DataError
        If the file cannot be read or does not fit the schema.
    InvalidInputError
        If there is no such split or row.
    """
    if str(source).startswith(sources.MINE):
        own = sources.find_table(str(source), LOCAL)
        own = own if split in {None, "all"} else own.split(str(split))
        return own if rows is None else select_rows(own, rows)
    bundled = _is_bundled(source)
    known = load_schema(schema) if schema is not None else None
    if known is None and model is not None and not bundled:
        known = model.schema
    split = split or ("test" if bundled else "all")
    if split not in {*SPLITS, "all"}:
        raise InvalidInputError(f"There is no split {split!r}; choose {', '.join(SPLITS)} or all.")
    if split == "all" and not bundled and rows is not None:
        chosen = partial(_positions, rows, name=Path(source).stem)
        return open_table(source, schema=known, ignore_extra=ignore_extra, rows=chosen)[0]
    table, _ = open_table(source, schema=known, ignore_extra=ignore_extra)
    table = table if split == "all" else table.split(split)
    return table if rows is None else select_rows(table, rows)


def background_for(
    model: Model,
    rows: Table,
    *,
    n: int = BACKGROUND_ROWS,
    seed: int = 0,
    source: str | Path | None = None,
    ignore_extra: bool = False,
    fewer: bool = False,
) -> Table:
    """Draw background rows from the model's training rows where they are bundled, else ``rows``.

    Parameters
    ----------
    source
        Draw from this table instead: the training rows of a bundled one, all rows of a file.
    fewer
        Take all rows where there are not that many.

    Raises
    ------
    InvalidInputError
        If there are fewer than ``n`` rows.
    """
    _check_seed(seed)
    if source is None:
        known = training_rows(model)
        if known is None and len(rows) < n and not fewer:
            raise InvalidInputError(
                f"The training rows of {model.name} are not here, and {n} background rows cannot "
                f"be drawn from the {counted(len(rows), 'row')} to explain; give a background "
                "(background=, --background)."
            )
        found = rows if known is None else known
        return found.sample(min(n, len(found)) if fewer else n, seed=seed)
    split = "train" if _is_bundled(source) else "all"
    table = load_table(source, split=split, model=model, ignore_extra=ignore_extra)
    return table.sample(min(n, len(table)) if fewer else n, seed=seed)


def _opened(model: Model | str, rows: Any, seed: int) -> tuple[Model, Table]:
    """Return a model that may be named, and rows that may be a frame."""
    _check_seed(seed)
    if isinstance(model, str):
        model = load_model(model)
    return model, _as_table(rows, model, "rows")


def _check_seed(seed: int) -> None:
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise InvalidInputError(f"A seed must be a whole number of at least 0, got {seed!r}.")


def _is_bundled(source: str | Path) -> bool:
    return str(source).replace("_", "-") in TABLES


def select_rows(table: Table, rows: str) -> Table:
    """Select rows by position: ``5``, ``0:200``, ``:10``, or ``3,7,11``; ``-1`` is the last.

    Raises
    ------
    InvalidInputError
        If the text is none of these or a row does not exist.
    """
    return table[_positions(rows, len(table), name=table.name)]


def _positions(rows: str, n: int, *, name: str) -> list[int]:
    """Return the positions that a text means, of the ``n`` rows of a table."""
    rows = rows.strip()
    if found := _RANGE.fullmatch(rows):
        start, stop = (int(bound) if bound else None for bound in found.groups())
        chosen = list(range(n))[start:stop]
    elif _LIST.fullmatch(rows):
        chosen = [int(row) for row in rows.split(",")]
    else:
        raise InvalidInputError(
            f"Rows {rows[:60]!r} are not understood; write 5, 0:200, or 3,7,11."
        )
    known = f"table {name!r}, which has rows 0 to {n - 1}"
    if not chosen:
        raise InvalidInputError(
            f"Rows {rows!r} hold no row of {known}; a range goes up to its second number, without "
            "it."
        )
    outside = [row for row in chosen if not -n <= row < n]
    if outside:
        raise InvalidInputError(f"Row {outside[0]} is not in {known}.")
    return chosen


def find_method(name: str) -> str:
    """Complete a short name: ``kernel`` means ``shapley.kernel``, ``lime`` ``lime.tabular``.

    Raises
    ------
    InvalidInputError
        If no method or more than one is meant.
    """
    if name in METHODS:
        return name
    meant = [full for full in METHODS if full.partition(".")[2] == name]
    meant = meant or [full for full in METHODS if full.partition(".")[0] == name]
    if len(meant) != 1:
        raise InvalidInputError(_no_method(name, list_methods()))
    return meant[0]


def _find_explainer(name: str) -> str:
    """Complete the name of a method that explains rows."""
    explainers = sorted(key for key, method in METHODS.items() if method.yields is Attribution)
    meant = [full for full in METHODS if name in {full, full.partition(".")[2]}]
    meant = meant or [full for full in METHODS if full.partition(".")[0] == name]
    if len(meant) != 1:
        raise InvalidInputError(_no_method(name, explainers))
    if meant[0] not in explainers:
        instead = VERBS[METHODS[meant[0]].yields]
        raise InvalidInputError(
            f"Method {meant[0]!r} does not share out a prediction among features; call {instead}."
        )
    return meant[0]


def _no_method(name: str, choice: Iterable[str]) -> str:
    return f"There is no method {name!r}; choose auto or one of {', '.join(choice)}."


def _as_table(rows: Any, model: Model, name: str) -> Table:
    if isinstance(rows, Table):
        return rows
    if type(rows).__name__ == "DataFrame" and hasattr(rows, "columns"):
        return to_table(rows, model.schema, name=name)
    raise InvalidInputError(
        f"The {name} must be a Table or a pandas frame, got {type(rows).__name__}; read a bundled "
        "name or a file with load_table."
    )


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
    model, rows = _opened(model, rows, seed)
    name = method if method == "auto" else _find_explainer(method)
    if background is None and name != "auto" and "background" not in METHODS[name].uses:
        background = rows
    if background is None:
        background = background_for(model, rows, seed=seed)
    background = _as_table(background, model, "background")
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
    ``Banzhaf``. Every coalition is evaluated, so models have at most 16 features.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.
    """
    model, rows = _opened(model, rows, seed)
    if background is None:
        background = background_for(model, rows, seed=seed)
    background = _as_table(background, model, "background")
    return explain_pairs(
        model, rows, background, seed=seed, device=device, progress=progress, index=index, **params
    )


def lime(
    model: Model | str,
    rows: "Table | pd.DataFrame",
    background: "Table | pd.DataFrame | None" = None,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> LocalModels:
    """Fit a sparse linear model around each row, and say how well it fits; frames as ``explain``.

    The background says which values occur and how often; it defaults to at most 2,000 training
    rows.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.
    """
    model, rows, background = _described(model, rows, background, seed)
    return fit_local_models(
        model, rows, background, seed=seed, device=device, progress=progress, **params
    )


def faithfulness(
    model: Model | str,
    rows: "Table | pd.DataFrame",
    background: "Table | pd.DataFrame | None" = None,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> Faithfulness:
    """Explain rows by every method, and say what each misses in each neighbourhood.

    ``advise`` reads off which explanation answers a question. Background and frames as for
    ``lime``.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.
    """
    model, rows, background = _described(model, rows, background, seed)
    return lfa.compare_explanations(
        model, rows, background, seed=seed, device=device, progress=progress, **params
    )


def local_functions(
    model: Model | str,
    rows: "Table | pd.DataFrame",
    background: "Table | pd.DataFrame | None" = None,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> LocalFunctions:
    """Fit a simple function around each row: choose the neighbourhood, the function and the loss.

    Background and frames as for ``lime``.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.
    """
    model, rows, background = _described(model, rows, background, seed)
    return lfa.fit_functions(
        model, rows, background, seed=seed, device=device, progress=progress, **params
    )


def scale_curves(
    model: Model | str,
    rows: "Table | pd.DataFrame",
    background: "Table | pd.DataFrame | None" = None,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> ScaleCurves:
    """Say what the best linear function misses of the model as a neighbourhood grows.

    Background and frames as for ``lime``.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.
    """
    model, rows, background = _described(model, rows, background, seed)
    return lfa.scale_curves(
        model, rows, background, seed=seed, device=device, progress=progress, **params
    )


def measures(
    model: Model | str,
    rows: "Table | pd.DataFrame",
    background: "Table | pd.DataFrame | None" = None,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> Measures:
    """Measure the explanations of ``faithfulness`` as the literature does, method by method.

    Background and frames as for ``lime``.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.
    """
    model, rows, background = _described(model, rows, background, seed)
    return lfa.measure_explanations(
        model, rows, background, seed=seed, device=device, progress=progress, **params
    )


def _described(
    model: Model | str, rows: Any, background: Any, seed: int
) -> tuple[Model, Table, Table]:
    """Return model, rows and the background that describes the data: up to 2,000 training rows."""
    model, rows = _opened(model, rows, seed)
    if background is None:
        known = training_rows(model)
        n = BACKGROUND_ROWS if known is None else min(REFERENCE_ROWS, len(known))
        background = background_for(model, rows, n=n, seed=seed)
    return model, rows, _as_table(background, model, "background")


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
    _check_seed(seed)
    if isinstance(model, str):
        model = load_model(model)
    known = training_rows(model) if rows is None else _as_table(rows, model, "rows")
    if known is None:
        raise InvalidInputError(
            f"The training rows of {model.name} are not here; give rows to train the explainer on "
            "(rows=, --rows)."
        )
    if background is None:
        background = known.sample(min(n_background, len(known)), seed=seed)
    return fastshap.train(
        model, known, _as_table(background, model, "background"), seed=seed, device=device,
        progress=progress, **params,
    )  # fmt: skip


def explainer_for(model: Model, method: str, params: Mapping[str, Any]) -> str:
    """Return the digest of the explainer that a method would ask; empty if it asks none.

    Raises
    ------
    InvalidInputError
        If the model has none for these settings.
    """
    record = METHODS.find(method)
    settings: Any = parse_params(record.params, params)  # of whichever method asks explainers
    learned = record.yields is not Explainer and getattr(settings, "value", "") == "conditional"
    return find_explainer(model, settings).digest if learned or "explainer" in record.needs else ""


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
    _check_seed(seed)
    if isinstance(model, str):
        model = load_model(model)
    return performance.evaluate(
        model, _as_table(rows, model, "rows"), seed=seed, device=device, progress=progress, **params
    )


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
    model, rows, background = _described(model, rows, background, seed)
    return search(model, rows, background, seed=seed, device=device, progress=progress, **params)


@dataclass(frozen=True)
class Plan:
    """What would run: the method, all of its settings, what it takes at most, and why this one."""

    method: str
    params: dict[str, Any]
    cost: Cost
    notes: tuple[str, ...] = ()


def plan(
    model: Model, n_rows: int, n_background: int, *, method: str = "auto", **params: Any
) -> Plan:
    """Say what a call of ``explain`` with these arguments would do, without doing it.

    Settings that the method does not have are left out.

    Raises
    ------
    InvalidInputError
        If a setting is out of bounds, or the model cannot do what the method needs.
    """
    notes: tuple[str, ...] = ()
    if method == "auto":
        asked = {k: value for k, value in params.items() if k in SharingParams.model_fields}
        name, chosen, why = shapley.choose_settings(model, n_rows, n_background, asked)
        params, notes = {**params, **chosen}, (why,)
    else:
        name = find_method(method)
    record = METHODS[name]
    if lacking := record.lacks(model):
        raise InvalidInputError(
            f"{record.title} needs what model {model.name} does not have, {'; '.join(lacking)}; "
            "choose another method or model."
        )
    kept = {key: value for key, value in params.items() if key in record.params.model_fields}
    parsed = parse_params(record.params, kept)
    explainer_for(model, name, kept)  # raises where one is wanted and there is none
    cost = record.cost(model, n_rows, n_background, parsed)
    return Plan(name, parsed.model_dump(mode="json"), cost, notes)


def estimate_cost(
    model: Model, n_rows: int, n_background: int, *, method: str = "auto", **params: Any
) -> tuple[str, Cost]:
    """Return the method that would run and an upper bound of what it takes.

    Raises
    ------
    InvalidInputError
        If a setting is out of bounds.
    """
    planned = plan(model, n_rows, n_background, method=method, **params)
    return planned.method, planned.cost
