"""ONNX models as black boxes: rows go in, probabilities or values come out, nothing else is known.

A model is read and run in a confined process. Here it is a network without weights whose input
is the raw table; its logits are the logarithms of its probabilities.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor, nn

from workbench.core.card import Architecture, Card
from workbench.core.errors import LimitError, RegistryError
from workbench.core.schema import Feature, Schema, listing
from workbench.core.settings import settings
from workbench.core.wording import dotted
from workbench.isolation.process import call
from workbench.registry.onnx_runner import Runner, onnx_limits, shared_runner

NAME = "onnx"
ADDS_UP_WITHIN = 1e-3
Gives = Literal["probabilities", "logits", "positive", "positive_logit", "values"]
Dtype = Literal["float", "double", "int64", "int32", "string", "bool"]
WHOLE = frozenset({"int64", "int32"})  # these refuse fractions


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OnnxInput(_Frozen):
    """One input of a file: rows by columns; None where any number of columns will do."""

    name: str = Field(max_length=1000)
    dtype: Dtype
    axes: int = Field(ge=1, le=2)
    columns: int | None = Field(ge=1)


class OnnxFacts(_Frozen):
    """What a file says and shows about itself.

    ``looks`` is how the answer to made-up rows looked: rows of at least two that add up to 1
    (``probabilities``), numbers from 0 to 1 (``shares``), any ``numbers``, or ``unknown`` where the
    model could not be tried.
    """

    name: str
    inputs: tuple[OnnxInput, ...]
    output: str = Field(max_length=1000, description="The output that holds the answer.")
    has_label: bool = Field(description="The class is an output, too.")
    classes: tuple[str, ...] = Field(description="Class names in the file, if any.")
    columns: int | None = Field(description="Columns of the answer, where it could be tried.")
    looks: Literal["probabilities", "shares", "numbers", "unknown"]
    opsets: dict[str, int]
    operators: tuple[str, ...]
    producer: str
    metadata: dict[str, str]


class OnnxPart(_Frozen):
    """A feature as an input reads it.

    ``levels`` are its categories as the model knows them; ``missing`` stands for a missing text.
    """

    column: int = Field(ge=0)
    name: str
    levels: tuple[str, ...] | tuple[float, ...] | None = None
    missing: str = ""


class OnnxFeed(_Frozen):
    """One input of the model and the features that fill it."""

    name: str
    dtype: Dtype
    axes: int = Field(ge=1, le=2)
    features: tuple[OnnxPart, ...] = Field(min_length=1)


class OnnxArguments(_Frozen):
    """What a card says about an ONNX model.

    ``order[j]`` is the column of the answer that belongs to class ``j`` of the schema.
    """

    inputs: tuple[OnnxFeed, ...] = Field(min_length=1)
    output: str
    gives: Gives
    width: int = Field(ge=1, le=100_000)
    order: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()


def inspect_onnx(path: Path, *, name: str | None = None) -> OnnxFacts:
    """Read an ONNX file in a confined process and try it on made-up rows.

    Parameters
    ----------
    name
        What to call the file in messages, if not by its own name.

    Raises
    ------
    LimitError
        If the file is too large, or takes too much time or memory.
    RegistryError
        If it is no ONNX model, or holds what may not be run.
    """
    name = name or path.name
    try:
        size = path.stat().st_size
    except OSError as error:
        raise RegistryError(f"{name!r} cannot be read: {error.strerror}.") from None
    if size > settings().max_file_bytes:
        raise LimitError(
            f"{name!r} has {size:,} bytes, allowed are {settings().max_file_bytes:,}; export a "
            "smaller model, or raise the setting max_file_bytes."
        )
    said = call(
        "workbench.registry.onnx_child:inspect",
        {"path": str(path.resolve()), "name": name},
        onnx_limits(f"The ONNX model {name!r}", reads=(path,)),
    )
    try:
        return OnnxFacts.model_validate({"name": name, **said})
    except ValidationError as error:
        fault = error.errors()[0]
        where = dotted(fault["loc"])
        raise RegistryError(
            f"{name!r} is not a usable ONNX model: {where}: {fault['msg']}."
        ) from None


def plan_onnx(facts: OnnxFacts, schema: Schema, *, gives: Gives | None = None) -> Architecture:
    """Say which feature fills which input and what the answer means, for the card.

    Parameters
    ----------
    gives
        What the answer is, where its look would mislead: ``probabilities``, ``logits``, the
        ``positive`` class's probability, its ``positive_logit``, or ``values``.

    Raises
    ------
    RegistryError
        If the schema does not fit, naming the input and the feature.
    """
    notes: list[str] = []
    inputs = _match_inputs(facts, schema, notes)
    chosen = gives or _guess(facts, schema, notes)
    width = {"positive": 1, "positive_logit": 1, "values": 1}.get(chosen, schema.n_classes)
    if facts.columns not in {None, width}:
        expected = f"{width} for {len(schema.output_names)} output(s)"
        raise RegistryError(
            f"{facts.name!r} answers with {facts.columns} columns, the schema expects {expected}; "
            "give the schema the model's target and classes."
        )
    order = _order(facts, schema, notes) if width > 1 else ()
    arguments = OnnxArguments(
        inputs=inputs, output=facts.output, gives=chosen, width=width, order=order,
        notes=tuple(notes),
    )  # fmt: skip
    return Architecture(name=NAME, arguments=arguments.model_dump(mode="json"))


def _match_inputs(facts: OnnxFacts, schema: Schema, notes: list[str]) -> tuple[OnnxFeed, ...]:
    numbered = list(enumerate(schema.features))
    first, d = facts.inputs[0], len(numbered)
    if len(facts.inputs) == 1 and first.columns in {None, d} and (d == 1 or first.axes == 2):
        if first.columns is None or d > 1:
            names = listing(schema.names)
            notes.append(f"Input {first.name!r} reads the features in this order: {names}.")
        parts = tuple(_part(first, i, feature, notes) for i, feature in numbered)
        return (OnnxFeed(**_head(first), features=parts),)
    for given in facts.inputs:
        if given.columns != 1:
            raise RegistryError(
                f"Input {given.name!r} of {facts.name!r} has {given.columns or 'any number of'} "
                f"columns, the schema has {d} features; give a schema of the columns that the "
                "model reads, or export it with one input for all or one for each feature."
            )
    places = _places(facts, schema)
    return tuple(
        OnnxFeed(
            **_head(given),
            features=(
                _part(given, places[given.name], schema.features[places[given.name]], notes),
            ),
        )
        for given in facts.inputs
    )


def _head(given: OnnxInput) -> dict[str, Any]:
    return given.model_dump(include={"name", "dtype", "axes"})


def _places(facts: OnnxFacts, schema: Schema) -> dict[str, int]:
    """Match inputs and features by name; letter case and punctuation make no difference."""
    known = {_plain(name): i for i, name in enumerate(schema.names)}
    if len(known) < len(schema.names):  # two names differ in punctuation only
        known = {name: i for i, name in enumerate(schema.names)}
    places: dict[str, int] = {}
    for given in facts.inputs:
        place = known.get(given.name, known.get(_plain(given.name)))
        if place is None or place in places.values():
            raise RegistryError(
                f"Input {given.name!r} of {facts.name!r} is no feature of the schema, which has "
                f"{listing(schema.names)}; give the schema the model's column names."
            )
        places[given.name] = place
    unread = [name for i, name in enumerate(schema.names) if i not in places.values()]
    if unread:
        raise RegistryError(
            f"Feature {unread[0]!r} of the schema is read by no input of {facts.name!r}, which has "
            f"{listing(given.name for given in facts.inputs)}; leave it out of the schema."
        )
    return places


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "_", name.casefold()).strip("_")


def _part(given: OnnxInput, column: int, feature: Feature, notes: list[str]) -> OnnxPart:
    part = OnnxPart(column=column, name=feature.name)
    where = f"Input {given.name!r}"
    if feature.kind != "categorical":
        if given.dtype == "string":
            raise RegistryError(
                f"{where} reads text, and feature {feature.name!r} is {feature.kind}; make it "
                "categorical in the schema."
            )
        _check_missing(given, feature)
        return part
    if given.dtype == "string":
        if feature.has_missing:
            notes.append(f"{where} reads an empty text where {feature.name!r} is missing.")
        return part.model_copy(update={"levels": feature.categories})
    _check_missing(given, feature)
    levels, how = _numbers(feature.categories)
    notes.append(f"{where} reads categories of {feature.name!r} as {how}.")
    return part.model_copy(update={"levels": levels})


def _check_missing(given: OnnxInput, feature: Feature) -> None:
    if feature.has_missing and given.dtype not in {"float", "double"}:
        raise RegistryError(
            f"Feature {feature.name!r} has missing values, which input {given.name!r} "
            f"({given.dtype}) cannot read; export the model with a float input for it."
        )


def _numbers(categories: tuple[str, ...]) -> tuple[tuple[float, ...], str]:
    try:
        return tuple(float(name) for name in categories), "the numbers that they name"
    except ValueError:
        pairs = listing(f"{name} = {code}" for code, name in enumerate(categories))
        return tuple(float(code) for code in range(len(categories))), f"codes ({pairs})"


def _guess(facts: OnnxFacts, schema: Schema, notes: list[str]) -> Gives:
    """Tell what the answer means from the task and from how it looks."""
    if schema.task == "regression":
        return "values"
    if not schema.n_classes:
        raise RegistryError(
            f"The schema for {facts.name!r} does not say what is predicted; add the target, the "
            "task, and the classes."
        )
    if facts.columns == 1:
        if schema.task != "binary":
            raise RegistryError(
                f"{facts.name!r} answers with one number, and the schema has {schema.n_classes} "
                "classes; export a model that gives one number for each class."
            )
        bounded = facts.looks == "shares"
        what = "the probability" if bounded else "the log-odds"
        notes.append(f"The answer is taken as {what} of {schema.classes[1]!r}.")
        return "positive" if bounded else "positive_logit"
    if facts.looks == "probabilities":
        return "probabilities"
    promised = facts.has_label or "prob" in facts.output.lower()
    if facts.looks == "unknown" and promised:
        return "probabilities"
    if promised:
        raise RegistryError(
            f"Output {facts.output!r} of {facts.name!r} does not hold probabilities (its rows do "
            "not add up to 1); export a model with predict_proba, or say that it gives logits."
        )
    notes.append("The answer is taken as logits; their softmax are the probabilities.")
    return "logits"


def _order(facts: OnnxFacts, schema: Schema, notes: list[str]) -> tuple[int, ...]:
    k = schema.n_classes
    if not facts.classes:
        notes.append(f"The file names no classes; its columns are taken as "
                     f"{listing(schema.classes)}.")  # fmt: skip
        return tuple(range(k))
    if set(facts.classes) == set(schema.classes) and len(facts.classes) == k:
        return tuple(facts.classes.index(name) for name in schema.classes)
    if facts.classes == tuple(str(code) for code in range(k)):
        pairs = listing(f"{code} = {name}" for code, name in enumerate(schema.classes))
        notes.append(f"The file numbers its classes; they are taken as {pairs}.")
        return tuple(range(k))
    raise RegistryError(
        f"The classes of {facts.name!r} are {listing(facts.classes)}, those of the schema are "
        f"{listing(schema.classes)}; give the schema the model's classes."
    )


def load_onnx(path: Path, card: Card) -> tuple[nn.Module, nn.Module]:
    """Return encoder and network of an ONNX model; its process starts with the first row.

    Raises
    ------
    RegistryError
        If the card's arguments do not fit its schema.
    """
    arguments = _arguments(card)
    task = {
        "output": arguments.output,
        "width": arguments.width,
        "inputs": [feed.model_dump(mode="python") for feed in arguments.inputs],
    }
    name = f"{card.name}@{card.version}"
    runner = shared_runner(path, card.weights_sha256, name, task)
    return RawEncoder(len(card.schema.features)), OnnxNetwork(runner, arguments)


def _arguments(card: Card) -> OnnxArguments:
    name, schema = f"{card.name}@{card.version}", card.schema
    try:
        arguments = OnnxArguments.model_validate(card.network.arguments)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, f['loc']))}: {f['msg']}" for f in error.errors())
        raise RegistryError(f"The card of {name} does not fit an ONNX model: {faults}.") from None
    columns = sorted(part.column for feed in arguments.inputs for part in feed.features)
    if columns != list(range(len(schema.features))):
        raise RegistryError(f"The card of {name} does not fill every input with one feature.")
    single = arguments.gives in {"positive", "positive_logit", "values"}
    k = len(schema.output_names)
    fits = arguments.width == 1 and k == (1 if arguments.gives == "values" else 2)
    if not single:
        fits = arguments.width == k and sorted(arguments.order) == list(range(k))
    if not fits or (arguments.gives == "values") != (schema.task == "regression"):
        raise RegistryError(
            f"The card of {name} says that the model gives {arguments.width} column(s) of "
            f"{arguments.gives}, which does not fit its target."
        )
    return arguments


class _Handle(nn.Module):
    """A module without weights of its own: copies are the same, and it stays on the CPU."""

    def __deepcopy__(self, memo: Mapping[int, Any]) -> "_Handle":
        return self

    def _apply(self, fn: Callable[..., Any], recurse: bool = True) -> "_Handle":  # noqa: ARG002
        return self


class RawEncoder(_Handle):
    """Hands raw features on as they are: numbers, codes, and NaN where missing."""

    groups: Tensor

    def __init__(self, n_features: int) -> None:
        super().__init__()
        self.register_buffer("groups", torch.arange(n_features), persistent=False)

    def forward(self, X: Tensor) -> Tensor:
        """Return the rows unchanged."""
        return X


class OnnxNetwork(_Handle):
    """Raw rows ``[n, d]`` to logits or values ``[n, k]``, asked of a confined process.

    Logits of probabilities are their logarithms, minus infinity for 0, so that their softmax gives
    the probabilities back.
    """

    black_box = True
    precision: Tensor

    def __init__(self, runner: Runner, arguments: OnnxArguments) -> None:
        super().__init__()
        self.runner = runner
        self.arguments = arguments
        self.register_buffer("precision", torch.zeros(0, dtype=torch.float64), persistent=False)

    @property
    def whole_numbers(self) -> frozenset[int]:
        """Features whose input takes whole numbers alone."""
        return frozenset(
            part.column
            for given in self.arguments.inputs if given.dtype in WHOLE
            for part in given.features if part.levels is None
        )  # fmt: skip

    def forward(self, X: Tensor) -> Tensor:
        """Return logits or values in double precision."""
        rows = X.detach().to(torch.float64).cpu().contiguous().numpy()
        return self._logits(torch.from_numpy(self.runner.run(rows)))

    def _logits(self, answer: Tensor) -> Tensor:
        match self.arguments.gives:
            case "probabilities":
                self._check(answer, answer.sum(1))
                return answer[:, self.arguments.order].clamp(0, 1).log()
            case "positive":
                self._check(answer, torch.ones(len(answer)))
                chance = answer.clamp(0, 1)
                return torch.cat([torch.log1p(-chance), chance.log()], dim=1)
            case "positive_logit":
                return torch.cat([torch.zeros_like(answer), answer], dim=1)
            case "logits":
                return answer[:, self.arguments.order]
            case "values":
                return answer

    def _check(self, answer: Tensor, total: Tensor) -> None:
        """Refuse what is no probability; NaN is left to the engines, which know the row."""
        near = ADDS_UP_WITHIN
        outside = (answer < -near) | (answer > 1 + near)
        if bool(outside.any()) or bool(((total - 1).abs() > near).any()):
            raise RegistryError(
                f"{self.runner.name} gives numbers that are not probabilities, against its card; "
                "publish it again as a model that gives logits."
            )
