"""What only the methods and checks know of an analysis: which there are, and what they take."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError

from workbench.analysis.faults import place, told
from workbench.analysis.figures import misnamed
from workbench.analysis.table_columns import COLUMNS
from workbench.core.method import Method
from workbench.core.results import Explainer
from workbench.core.schema import listing
from workbench.jobs.request import registered_methods


def misfits(values: Mapping[str, Any]) -> list[str]:
    """Return one sentence part for each setting or condition that does not fit its method.

    What is no step or condition at all is left to whoever checks the form.
    """
    steps = [_fields(part) for part in _parts(values.get("steps"))]
    content = {"steps": steps}
    return [
        *_twice(steps),
        *(fault for at, step in enumerate(steps) for fault in _of_step(at, steps, step, content)),
        *(
            fault
            for at, part in enumerate(_parts(values.get("fail_if")))
            for fault in _of_condition(at, _fields(part), steps)
        ),
    ]


def _parts(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()


def _fields(part: Any) -> dict[str, Any]:
    if isinstance(part, BaseModel):
        return {name: getattr(part, name) for name in type(part).model_fields}
    return dict(part) if isinstance(part, Mapping) else {}


def _twice(steps: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    seen: set[str] = set()
    for step in steps:
        name = step.get("id")
        if isinstance(name, str):
            if name in seen:
                yield f"two steps are called {name[:60]!r}, give one of them another id"
            seen.add(name)


def _method(step: Mapping[str, Any]) -> Method | None:
    name = step.get("method")
    return registered_methods().get(name) if isinstance(name, str) else None


def _of_step(
    at: int, steps: Sequence[Mapping[str, Any]], step: Mapping[str, Any], content: Any
) -> Iterator[str]:
    name = step.get("method")
    method = _method(step)
    if not isinstance(name, str):
        return
    if method is None:
        yield f"{place(('steps', at, 'method'), content)}: {_no_method(name)}"
        return
    params = step.get("params", {})
    if isinstance(params, Mapping):
        try:
            method.params.model_validate(dict(params))
        except ValidationError as error:
            yield from told(method.params, error, {}, ("steps", at, "params"), content)
    if "background" in method.uses and step.get("background", 0) == 0:
        where = place(("steps", at, "background"), content)
        yield f"{where}: {method.title} needs background rows, ask for at least one"
    if step.get("chosen") == "auto" and not name.startswith("shapley."):
        where = place(("steps", at, "chosen"), content)
        yield f"{where}: auto chooses among Shapley values alone, leave it out"
    if step.get("given") and not method.takes_given:
        where = place(("steps", at, "given"), content)
        yield f"{where}: {method.title} takes no explanation from elsewhere, leave it out"
    yield from _of_explainer(at, steps, step, content)
    yield from misnamed(at, step, method, content)


def _no_method(name: str) -> str:
    known = sorted(registered_methods())
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    family = [own for own in known if own.startswith(f"{name.partition('.')[0]}.")]
    instead = f"did you mean {near[0]!r}" if near else f"choose {listing(family or known, 20)}"
    return f"there is no method {name[:80]!r}, {instead}"


def _of_explainer(
    at: int, steps: Sequence[Mapping[str, Any]], step: Mapping[str, Any], content: Any
) -> Iterator[str]:
    name = step.get("explainer", "")
    if not isinstance(name, str) or not name or len(name) == 64:
        return
    training = [
        other.get("id")
        for other in steps[:at]
        if (method := _method(other)) is not None and method.yields is Explainer
    ]
    if name not in training:
        where = place(("steps", at, "explainer"), content)
        choice = listing(map(repr, training)) or "there is none before this step"
        yield f"{where}: name an earlier step that trains an explainer, {choice}, or its digest"


def _of_condition(
    at: int, condition: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    where = place(("fail_if", at))
    name, code = condition.get("step", ""), condition.get("check", "")
    meant = [step for step in steps if step.get("id") == name]
    if isinstance(name, str) and name and not meant:
        ids = listing([step.get("id") for step in steps], 20)
        yield f"{where}, step: there is no step {name[:60]!r}, choose one of {ids}"
    method = _method(meant[0]) if meant else None
    if isinstance(code, str) and code:
        yield from _of_check(where, code, method)
    if condition.get("value") and method is not None:
        yield from _of_value(where, condition, method)


def _of_value(where: str, condition: Mapping[str, Any], method: Method) -> Iterator[str]:
    """Hold the columns that a condition names against those that the table will have."""
    columns, value = COLUMNS.get(method.yields.kind), condition["value"]
    if columns is None:
        yield f"{where}, value: {method.yields.kind} has no table, use a check instead"
        return
    if not isinstance(value, str):
        return
    if lacking := columns.lacks(value):
        yield f"{where}, value: {lacking}"
    elif value in columns.words:
        numbers = listing(columns.numbers, 30)
        yield f"{where}, value: column {value!r} holds no numbers, choose one of {numbers}"
    elif condition.get("sure") is True and columns.is_unsure(value):
        yield f"{where}, sure: {value!r} has no interval, leave out sure"
    wanted = condition.get("where")
    for name in wanted if isinstance(wanted, Mapping) else ():
        if lacking := columns.lacks(str(name)):
            yield f"{where}, where: {lacking}"


def _of_check(where: str, code: str, method: Method | None) -> Iterator[str]:
    from workbench.checks import CHECKS  # noqa: PLC0415 - only where a condition names one

    check = CHECKS.get(code)
    if check is None:
        yield f"{where}, check: there is no check {code[:20]!r}, see docs/checks"
    elif method is not None and not issubclass(method.yields, check.applies_to):
        own = [c.code for c in CHECKS.values() if issubclass(method.yields, c.applies_to)]
        yield (
            f"{where}, check: {code} is not asked of {method.yields.kind}, choose "
            f"{listing(own, 20) or 'another condition'}"
        )
