"""What a network's last step means, and how it becomes the logits that engines expect."""

from typing import Any, Literal

from workbench.core.errors import RegistryError
from workbench.core.schema import Schema
from workbench.registry.convert_trace import Step, Tracing

OutputKind = Literal["auto", "logits", "one-logit", "probabilities", "value"]
Meaning = Literal["logits", "one-logit", "probabilities", "probability", "value"]
SMALLEST = 1e-30
_SHAPING = {"squeeze", "flatten", "reshape", "identity", "contiguous"}


def adapt_output(
    tracing: Tracing, schema: Schema, n_outputs: int, kind: OutputKind
) -> tuple[Meaning, tuple[str, ...]]:
    """Let the steps end in one logit per class, or in the value; say what was done.

    Returns
    -------
    What the module itself gives, and one sentence per change.

    Raises
    ------
    RegistryError
        If the outputs do not fit the schema, or their meaning is not clear.
    """
    meaning = _meaning(tracing, schema, n_outputs, kind)
    last = tracing.steps[-1]["name"]
    if meaning in {"value", "logits"}:
        return meaning, ()
    if meaning == "one-logit":
        _two_logits(tracing, last)
        return meaning, (f"Its one output z became the logits 0 of {schema.classes[0]!r} and z of "
                         f"{schema.classes[1]!r}.",)  # fmt: skip
    final, shaping = _final(tracing)
    ending = _called(final)
    if meaning == "probability" and ending == "sigmoid":
        _leave_out(tracing, final)
        _two_logits(tracing, tracing.steps[-1]["name"])
        no, yes = schema.classes
        return meaning, (f"Its last sigmoid was left out: what goes into it became the logit of "
                         f"{yes!r}, that of {no!r} is 0.",)  # fmt: skip
    if meaning == "probabilities" and ending == "softmax" and not shaping:
        _leave_out(tracing, final)
        return meaning, ("Its last softmax was left out: what goes into it are the logits.",)
    if meaning == "probability":
        _column(tracing, last)
        last = tracing.steps[-1]["name"]
        _add(tracing, "wb_other", "sub", [1, {"node": last}])
        _add(tracing, "wb_both", "cat", [[{"node": "wb_other"}, {"node": last}], 1])
        last = "wb_both"
    _add(tracing, "wb_positive", "clamp", [{"node": last}, SMALLEST])
    _add(tracing, "wb_logits", "log", [{"node": "wb_positive"}])
    return meaning, ("Its outputs are probabilities, whose logarithms became the logits.",)


def _meaning(tracing: Tracing, schema: Schema, n_outputs: int, kind: OutputKind) -> Meaning:
    k = schema.n_classes
    if k == 0:
        if n_outputs != 1 or kind not in {"auto", "value"}:
            raise RegistryError(
                f"The network gives {n_outputs} outputs ({kind}) and the schema has no classes; "
                "name the classes in the schema or with --classes."
            )
        return "value"
    if kind == "value":
        raise RegistryError("The schema has classes, so the output is no value; choose another.")
    if n_outputs != k and not (k == 2 and n_outputs == 1):
        raise RegistryError(
            f"The network gives {n_outputs} outputs, the schema has {k} classes "
            f"({', '.join(schema.classes[:8])}); correct the classes."
        )
    if n_outputs == 1 and kind == "logits":
        raise RegistryError("The network gives one output for two classes; that is one-logit.")
    if kind == "one-logit" and n_outputs != 1:
        raise RegistryError(f"The network gives {n_outputs} outputs, not one logit.")
    ending = _called(_final(tracing)[0])
    if kind == "auto":
        ends_in_probabilities = ending == ("sigmoid" if n_outputs == 1 else "softmax")
        if ending == "sigmoid" and n_outputs > 1:
            raise RegistryError(
                f"The network ends in a sigmoid of {n_outputs} outputs, which do not add up to 1; "
                "let it give one logit per class."
            )
        kind = "probabilities" if ends_in_probabilities else "logits"
    if n_outputs == 1:
        return "probability" if kind == "probabilities" else "one-logit"
    return "probabilities" if kind == "probabilities" else "logits"


def _final(tracing: Tracing) -> tuple[Step, bool]:
    """Return the step that makes the numbers, and whether others only shape them afterwards."""
    by_name = {step["name"]: step for step in tracing.steps}
    step, shaping = tracing.steps[-1], False
    while step.get("target") in _SHAPING and step["args"] and "node" in step["args"][0]:
        step, shaping = by_name[step["args"][0]["node"]], True
    return step, shaping


def _called(step: Step) -> str:
    names = {"Softmax": "softmax", "Sigmoid": "sigmoid"}
    target = str(step.get("target", ""))
    return names.get(target, target)


def _leave_out(tracing: Tracing, step: Step) -> None:
    source: dict[str, Any] = (step.get("args") or [step.get("kwargs", {}).get("input")])[0]
    if step is not tracing.steps[-1]:
        tracing.replace(step["name"], source["node"])
        tracing.steps.remove(step)
        return
    step.update({"op": "function", "target": "identity", "args": [source], "kwargs": {}})
    for key in ("path", "settings"):
        step.pop(key, None)


def _two_logits(tracing: Tracing, last: str) -> None:
    _column(tracing, last)
    last = tracing.steps[-1]["name"]
    _add(tracing, "wb_zero", "zeros_like", [{"node": last}])
    _add(tracing, "wb_logits", "cat", [[{"node": "wb_zero"}, {"node": last}], 1])


def _column(tracing: Tracing, last: str) -> None:
    """Let ``[n]`` and ``[n, 1]`` both become ``[n, 1]``."""
    _add(tracing, "wb_column", "reshape", [{"node": last}, -1, 1])


def _add(tracing: Tracing, name: str, target: str, args: list[Any]) -> None:
    tracing.steps.append({
        "name": name, "op": "function", "target": target, "args": args, "kwargs": {},
    })  # fmt: skip
