"""Which method serves which bundled model, told by a small run of each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from workbench.core.context import Context, Progress
from workbench.core.errors import InvalidInputError, WorkbenchError
from workbench.core.explainer import Explainer
from workbench.core.model import Model
from workbench.core.params import parse_params
from workbench.core.schema import listing
from workbench.core.table import Table
from workbench.data.bundled import TABLES, load_table
from workbench.jobs.request import Request, registered_methods
from workbench.jobs.work import arrange, compute
from workbench.registry.store import list_models, load_model

# Rows through a method in a small run: those whose work grows with the rows are asked for few.
FEW_ROWS, ROWS, BACKGROUND, TABLE_ROWS = 2, 60, 12, 1500
_SET = {"models": 16, "admission_rows": 200}
_RETRAINED = {"epochs": 2, "patience": 1}
_TRAINED = {"surrogate_epochs": 2, "warm_epochs": 2, "epochs": 1, "coalitions": 8, "draws": 2}
OVER_ROWS = {"fairness.causes", "fastshap.train"}  # one answer about many rows
# Settings under which each method takes a moment; what they leave out is as it is by default.
SMALL: Mapping[str, Mapping[str, Any]] = {
    "counterfactual.search": {"budget": 2000},
    "fairness.audit": {"resamples": 200, "neighbour_rows": 50},
    "fairness.causes": {"max_rows": 20, "background_rows": 10},
    "fairness.errors": {"resamples": 200},
    "fairness.flips": {"samples": 100},
    "fairness.people": {"models": 16, "admission_rows": 200, "max_people": 2},
    "fairness.remedies": {
        "remedies": "reweighing, group_thresholds", "refits": 1, "resamples": 200, "candidates": 2,
        **_RETRAINED,
    },
    "fastshap.train": _TRAINED,
    "interactions.bootstrap": {
        "simulations": 5, "refits": 2, "permutations": 1, "max_rows": 50, **_RETRAINED,
    },
    "interactions.detectors": {
        "permutations": 1, "max_rows": 30, "friedman_rows": 5, "local_rows": 5, "nodes": 4,
        "shapley_rows": 2, "shapley_background": 4,
    },
    "interactions.halo": {"top": 1, "permutations": 1, "max_rows": 30, "budgets": 3},
    "interactions.scores": {"permutations": 1, "max_rows": 30},
    "lfa.fit": {"samples": 512, "heldout": 64},
    "lfa.matrix": {"perturbations": 512, "heldout": 64},
    "lfa.measures": {"perturbations": 512, "repeats": 10, "copies": 0, "networks": 1},
    "lfa.scales": {"count": 2, "samples": 128, "heldout": 64},
    "lib.graph": {"fit_rows": 150, "curve_rows": 60, "shown_rows": 20},
    "lime.reference": {"perturbations": 300},
    "lime.tabular": {"perturbations": 300},
    "profiles.curves": {"points": 3, "curves": 3},
    "rashomon.attributions": {**_SET, "explained": 4, "background_rows": 8},
    "rashomon.churn": _SET,
    "rashomon.fairness": {
        "models": 8, "admission_rows": 200, "near_copies": 1, "least_rows": 1, "directed": 2,
        "draws": 100, "explained": 5,
    },
    "rashomon.interactions": {**_SET, "scored": 3, "permutations": 1, "max_rows": 20},
    "rashomon.mitigate": {
        **_SET, "largest": 4, "judged_largest": 2, "judged": 2, "near_copies": 2,
    },
    "rashomon.profiles": {**_SET, "profiled": 2, "points": 3, "curves": 3},
    "rashomon.retrain": {"models": 2, "admission_rows": 200, "importance": False, **_RETRAINED},
    "rashomon.set": {**_SET, "importance": False},
    "rashomon.simpler": {"trees": 1000, "depth": 2, "repeats": 1, "folds": 2, "fold_rows": 200},
    "shapley.expected-gradients": {"samples": 20},
    "shapley.integrated-gradients": {"n_steps": 4},
}  # fmt: skip


HEAD = """# Which method serves which bundled model

Each cell is a run: the method on a few test rows of the table that the model was trained on, with
small settings. A number in brackets points to what the method says. `workbench methods --check
--out docs/methods/table.md` writes this page; the tests run every cell and compare.
"""


@dataclass(frozen=True)
class Served:
    """Whether a method serves a model, and the reason in words where it does not.

    Attributes
    ----------
    words
        What the method says that it lacks; of one that works, what has to be done before.
    """

    method: str
    model: str
    works: bool
    words: str = ""


def bundled_models() -> dict[str, str]:
    """Return the models whose training table is bundled as well, each with that table."""
    tables = {entry.name: load_model(entry.name).card.training_table for entry in list_models()}
    return {name: table for name, table in tables.items() if table in TABLES}


def declared(method: str, name: str) -> Served:
    """Tell from the method's own record alone; nothing is run.

    Raises
    ------
    InvalidInputError
        If there is no such method.
    RegistryError
        If there is no such model.
    """
    lacking = registered_methods().find(method).lacks(_opened(name)[0])
    return Served(method, name, not lacking, f"needs {'; '.join(lacking)}" if lacking else "")


def served(method: str, name: str) -> Served:
    """Run a method on a few rows of a bundled model's table, with small settings.

    A method that asks a trained explainer is given one that was trained for a moment.

    Raises
    ------
    InvalidInputError
        If there is no such method.
    RegistryError
        If there is no such model.
    """
    record = registered_methods().find(method)
    model, table = _opened(name)
    trained = record.needs & {"explainer"}
    if lacking := replace(record, needs=record.needs - trained).lacks(model):
        return Served(method, name, works=False, words=f"needs {'; '.join(lacking)}")
    params = dict(SMALL.get(method, {}))
    refusal = _refusal(method, name, params)
    if not refusal:
        words = "once an explainer is trained (`workbench fastshap train`)" if trained else ""
        return Served(method, name, works=True, words=words)
    if {"by", "favourable"} <= record.params.model_fields.keys() and table.schema.classes:
        named = _named_groups(table)
        refusal = _refusal(method, name, params | named)
        if not refusal:
            words = f"once groups are named, here {_written(named)}; its table marks none"
            return Served(method, name, works=True, words=words)
    return Served(method, name, works=False, words=refusal)


def _refusal(method: str, name: str, params: Mapping[str, Any]) -> str:
    """Run a method on a few rows, and return why it will not; empty if it did."""
    record = registered_methods().find(method)
    parse_params(record.params, params)  # a fault of these settings is none of the model's
    model, table = _opened(name)
    request = _small_request(method, params, model, table)
    try:
        work = arrange(request, model, table)
        explained = "explainer" in record.needs
        compute(request, replace(work, model=_with_explainer(name)) if explained else work)
    except WorkbenchError as refusal:
        said = str(refusal).replace(f"Model {model.name}", "The model")
        return said.replace(model.name, "the model")
    return ""


def _named_groups(table: Table) -> dict[str, str]:
    """Return groups by the feature that varies most, cut in the middle, and a class to hope for."""
    spread = table.X.nan_to_num().std(dim=0).argmax()
    first, values = table.schema.features[spread], table.X[:, spread]
    named = {"by": first.name}
    if not first.categories:
        named["bins"] = f"{first.name}={float(values.nanmedian()):.4g}"
    return named | {"favourable": table.schema.classes[-1]}


def _written(params: Mapping[str, str]) -> str:
    return ", ".join(f"`{name}` as `{value}`" for name, value in params.items())


def serving_table(
    methods: Iterable[str] = (),
    models: Iterable[str] = (),
    *,
    check: bool = True,
    progress: Progress | None = None,
) -> tuple[Served, ...]:
    """Tell of every method, or those named, and every bundled model, whether the one serves it.

    Parameters
    ----------
    check
        Run each on a few rows (``served``); otherwise go by what methods declare (``declared``).

    Raises
    ------
    InvalidInputError
        If there is no such method.
    RegistryError
        If there is no such model.
    CancelledError
        If progress asks to stop.
    """
    context = Context(progress=progress)
    pairs = [
        (method, name)
        for name in tuple(models) or tuple(bundled_models())
        for method in tuple(methods) or sorted(registered_methods())
    ]
    found = []
    for done, (method, name) in enumerate(pairs):
        context.step(done, len(pairs), "methods on models")
        found.append((served if check else declared)(method, name))
    return tuple(found)


def _small_request(method: str, params: Mapping[str, Any], model: Model, table: Table) -> Request:
    uses = registered_methods().find(method).uses
    rows = FEW_ROWS if uses == {"background"} and method not in OVER_ROWS else ROWS
    return Request(
        method=method, params=dict(params), model=model.name,
        model_digest=model.digest, table=table.name, table_digest=table.digest, split="test",
        count=min(rows, len(table.split("test"))), device=str(model.device),
        background=BACKGROUND if "background" in uses else 0,
    )  # fmt: skip


@lru_cache(maxsize=16)
def _opened(name: str) -> tuple[Model, Table]:
    model = load_model(name)
    if model.card.training_table not in TABLES:
        raise InvalidInputError(
            f"The table that {model.name} was trained on is not bundled, so that nothing can be "
            f"tried; choose one of {listing(bundled_models(), 20)}."
        )
    table = load_table(model.card.training_table)
    return model, table.sample(min(TABLE_ROWS, len(table)), seed=0)


@lru_cache(maxsize=16)
def _with_explainer(name: str) -> Model:
    model, table = _opened(name)
    request = _small_request("fastshap.train", SMALL["fastshap.train"], model, table)
    trained = compute(request, arrange(request, model, table))
    assert isinstance(trained, Explainer)  # noqa: S101 - what the method yields
    return model.with_explainer(trained)


def write_serving(cells: Sequence[Served], titles: Mapping[str, str]) -> str:
    """Write the table as Markdown: a row for each method, and what is to be said below it."""
    models = list(dict.fromkeys(cell.model for cell in cells))
    notes: dict[str, int] = {}
    rows: dict[str, list[str]] = {}
    for cell in sorted(cells, key=lambda cell: (cell.method, models.index(cell.model))):
        mark = "works" if cell.works else "no"
        if cell.words:
            mark += f" ({notes.setdefault(cell.words, len(notes) + 1)})"
        rows.setdefault(cell.method, []).append(mark)
    lines = [f"| method | {' | '.join(models)} |", "|---" * (len(models) + 1) + "|"]
    lines += [
        f"| [{titles[name]}]({name}.md) | {' | '.join(marks)} |" for name, marks in rows.items()
    ]
    said = [
        f"{number}. {words[:1].upper()}{words[1:].removesuffix('.')}."
        for words, number in notes.items()
    ]
    return "\n".join([HEAD, *lines, "", *said, ""])
