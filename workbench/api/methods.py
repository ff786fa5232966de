"""Which method is meant, and what a run of it would take."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from workbench.core import results as kinds
from workbench.core.errors import InvalidInputError
from workbench.core.method import Cost, Method
from workbench.core.model import Model
from workbench.core.params import parse_params
from workbench.core.results import Attribution, Explainer, LocalModels, Result
from workbench.engines import registered_methods, shapley
from workbench.engines.shapley.params import SharingParams
from workbench.numerics.amortised import find_explainer

METHODS = registered_methods()
# What to call for methods that yield no attribution.
VERBS: Mapping[type[Result], str] = {
    kinds.Interactions: "interactions", kinds.Performance: "evaluate",
    kinds.Counterfactuals: "counterfactuals", kinds.Explainer: "train_explainer",
    kinds.LocalModels: "lime", kinds.Faithfulness: "faithfulness",
    kinds.LocalFunctions: "local_functions", kinds.ScaleCurves: "scale_curves",
    kinds.Measures: "measures", kinds.RashomonSet: "rashomon_set",
    kinds.AttributionRange: "explain_set", kinds.SimplerModels: "simpler_models",
    kinds.InteractionScores: "interaction_scores", kinds.InteractionTest: "interaction_test",
    kinds.Churn: "churn", kinds.Mitigation: "mitigate", kinds.Profiles: "profiles",
    kinds.Halo: "halo", kinds.Detectors: "detectors", kinds.LocalBasis: "local_basis",
    kinds.FairnessAudit: "audit", kinds.ErrorAudit: "error_audit", kinds.AttributeFlips: "flips",
    kinds.GapCauses: "gap_causes", kinds.BoundaryPeople: "boundary_people",
    kinds.FairnessFront: "fairness_front", kinds.Remedies: "remedies",
}  # fmt: skip
# What a name means that several methods answer to.
USUAL: Mapping[str, str] = {
    "lime": "lime.tabular",
    "interactions": "shapley.interactions",
    "profiles": "profiles.curves",
}


def list_methods() -> dict[str, Method]:
    """Return every registered method by name, in the order of names."""
    return dict(sorted(METHODS.items()))


def find_method(name: str) -> str:
    """Complete a short name: ``kernel`` means ``shapley.kernel``, ``lime`` ``lime.tabular``.

    Raises
    ------
    InvalidInputError
        If no method or more than one is meant.
    """
    name = USUAL.get(name, name)
    if name in METHODS:
        return name
    meant = [full for full in METHODS if full.partition(".")[2] == name]
    meant = meant or [full for full in METHODS if full.partition(".")[0] == name]
    if len(meant) != 1:
        raise InvalidInputError(_no_method(name, list_methods()))
    return meant[0]


def attribution_method(name: str) -> str:
    """Complete the name of a method that shares out predictions.

    Raises
    ------
    InvalidInputError
        If no such method or more than one is meant.
    """
    explainers = sorted(key for key, method in METHODS.items() if method.yields is Attribution)
    name = USUAL.get(name, name)
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


def local_method(name: str) -> str:
    """Complete the name of a method that fits local models.

    Raises
    ------
    InvalidInputError
        If it fits none.
    """
    name = USUAL.get(name, name)
    fitting = sorted(full for full, record in METHODS.items() if record.yields is LocalModels)
    meant = [full for full in fitting if name in {full, full.partition(".")[2]}]
    if not meant:
        raise InvalidInputError(
            f"Method {name!r} fits no local models; choose one of {', '.join(fitting)}."
        )
    return meant[0]


def _no_method(name: str, choice: Iterable[str]) -> str:
    return f"There is no method {name!r}; choose auto or one of {', '.join(choice)}."


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

    Parameters
    ----------
    model
        The model to explain.
    n_rows, n_background
        How many rows, and how many background rows.
    method
        Its name, or ``auto``.
    params
        Settings; those that the method does not have are left out.

    Raises
    ------
    InvalidInputError
        If a setting is out of bounds.
    """
    planned = plan(model, n_rows, n_background, method=method, **params)
    return planned.method, planned.cost
