"""Runs ONNX models; imported and used in confined processes only."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from workbench.core.errors import InvalidInputError, RegistryError
from workbench.registry import onnx_file

PROBE_ROWS = 64
NUMBERS = {"float": np.float32, "double": np.float64, "int64": np.int64, "int32": np.int32,
           "bool": np.bool_}  # fmt: skip
OUT_OF_MEMORY = ("bad alloc", "bad_alloc", "allocate memory", "out of memory", "Integer overflow",
                 "SizeOverflow", "exceeds maximum")  # fmt: skip


class Runtime:
    """A model that answers with one matrix."""

    def __init__(self, content: bytes, output: str, name: str) -> None:
        self.name = name
        model = onnx_file.parse(content, name)
        single = onnx_file.with_one_output(model, output, name)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = min(2, os.cpu_count() or 1)
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # memory is given back, so the limit is for one batch
        options.log_severity_level = 4
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = self._attempt(
            lambda: onnxruntime.InferenceSession(
                single, options, providers=["CPUExecutionProvider"]
            )
        )

    def run(self, feeds: Mapping[str, np.ndarray], n_rows: int) -> np.ndarray:
        """Return the answer ``[n, m]`` in double precision."""
        (answer,) = self._attempt(lambda: self.session.run(None, dict(feeds)))
        if not isinstance(answer, np.ndarray) or answer.dtype.kind not in "fiu":
            raise RegistryError(f"The answer of {onnx_file.shown(self.name)} is not numbers.")
        if answer.ndim == 1:
            answer = answer[:, None]
        if answer.ndim != 2 or len(answer) != n_rows:
            raise RegistryError(
                f"{onnx_file.shown(self.name)} answers {n_rows} rows with an array of shape "
                f"{answer.shape}; export a model that gives one row of numbers for each row."
            )
        return answer.astype(np.float64)

    def _attempt(self, work: Callable[[], Any]) -> Any:
        try:
            return work()
        except Exception as error:
            said = " ".join(str(error).split())
            if isinstance(error, MemoryError) or any(words in said for words in OUT_OF_MEMORY):
                raise MemoryError from None
            raise RegistryError(
                f"{onnx_file.shown(self.name)} cannot be run by the ONNX runtime: "
                f"{said[:300].rstrip('.')}."
            ) from None


def inspect(path: str, name: str) -> dict[str, Any]:
    """Read a file, check it, and try it on made-up rows.

    Raises
    ------
    RegistryError
        If it may not be run, cannot be, or is damaged.
    """
    try:
        found = _inspect(path, name)
        json.dumps(found)
    except (UnicodeDecodeError, TypeError):  # protobuf gives bytes for a text that is none
        raise RegistryError(onnx_file.damaged(name)) from None
    return found


def _inspect(path: str, name: str) -> dict[str, Any]:
    content = Path(path).read_bytes()
    model = onnx_file.parse(content, name)
    inputs, output = onnx_file.read_inputs(model, name), onnx_file.read_output(model, name)
    metadata = {item.key: item.value for item in model.metadata_props[:100]}
    categories = onnx_file.texts(model)
    runtime = Runtime(content, output["output"], name)
    return {
        "inputs": inputs,
        **output,
        **_try_out(runtime, inputs, categories),
        "opsets": {item.domain or "ai.onnx": item.version for item in model.opset_import},
        "operators": sorted({node.op_type for node in model.graph.node})[:1000],
        "producer": f"{model.producer_name} {model.producer_version}".strip()[:200],
        "metadata": {key[:200]: value[:2000] for key, value in metadata.items()},
    }


def _try_out(
    runtime: Runtime, inputs: list[dict[str, Any]], categories: list[str]
) -> dict[str, Any]:
    """Say how many columns the answer has and what they look like, where made-up rows will do."""
    unknown = {"columns": None, "looks": "unknown"}
    if any(given["columns"] is None for given in inputs):
        return unknown
    rng = np.random.default_rng(0)
    feeds = {given["name"]: _made_up(given, categories, rng) for given in inputs}
    try:
        answer = runtime.run(feeds, PROBE_ROWS)
        again = runtime.run(feeds, PROBE_ROWS)
    except RegistryError as error:
        # A model may refuse categories that it does not know; the rows to come will tell.
        if any(given["dtype"] == "string" for given in inputs):
            return unknown
        raise error from None
    if not np.array_equal(answer, again, equal_nan=True):
        raise RegistryError(
            f"{onnx_file.shown(runtime.name)} answers the same rows differently when asked twice; "
            "export the model in evaluation mode."
        )
    return {"columns": answer.shape[1], "looks": _looks(answer)}


def _looks(answer: np.ndarray) -> str:
    known = answer[np.isfinite(answer).all(1)]
    if not len(known):
        return "unknown"
    if known.min() < -1e-6 or known.max() > 1 + 1e-3:
        return "numbers"
    adds_up = known.shape[1] > 1 and bool((abs(known.sum(1) - 1) < 1e-3).all())
    return "probabilities" if adds_up else "shares"


def _made_up(
    given: Mapping[str, Any], categories: list[str], rng: np.random.Generator
) -> np.ndarray:
    shape = (PROBE_ROWS, given["columns"])
    if given["dtype"] == "string":
        values: np.ndarray = rng.choice(np.array(categories or [""], dtype=object), shape)
    elif given["dtype"] in {"float", "double"}:
        spread = 10.0 ** rng.integers(-1, 4, (PROBE_ROWS, 1))
        values = (rng.normal(size=shape) * spread).astype(NUMBERS[given["dtype"]])
    else:
        values = rng.integers(0, 2, shape).astype(NUMBERS[given["dtype"]])
    return values if given["axes"] == 2 else values[:, 0]


def serve(name: str, output: str, width: int, inputs: list[dict[str, Any]]) -> Any:
    """Return the handler of a worker: first the file's bytes, then rows ``[n, d]``."""
    runtime: Runtime | None = None

    def handle(
        header: Mapping[str, Any], arrays: Sequence[np.ndarray]
    ) -> tuple[dict[str, Any], list[np.ndarray]]:
        nonlocal runtime
        if header.get("load"):
            runtime = Runtime(arrays[0].tobytes(), output, name)
            return {}, []
        assert runtime is not None  # noqa: S101 - the parent loads first
        X = arrays[0]
        answer = runtime.run({given["name"]: _feed(X, given) for given in inputs}, len(X))
        if answer.shape[1] != width:
            raise RegistryError(
                f"{onnx_file.shown(name)} answers with {answer.shape[1]} columns, its card says "
                f"{width}; export the model again."
            )
        return {}, [answer]

    return handle


def _feed(X: np.ndarray, given: Mapping[str, Any]) -> np.ndarray:
    """Turn raw features into one input of the model."""
    columns = [_column(X[:, part["column"]], part, given["dtype"]) for part in given["features"]]
    return np.stack(columns, axis=1) if given["axes"] == 2 else columns[0]


def _column(values: np.ndarray, part: Mapping[str, Any], dtype: str) -> np.ndarray:
    if part["levels"] is not None:
        values = _levels(values, part, dtype)
    if dtype == "string":
        return values
    if dtype in {"int64", "int32"} and not (values == np.round(values)).all():
        raise InvalidInputError(
            f"Feature {part['name']!r} has a missing value or a fraction in some row, and the "
            "model reads whole numbers there; leave out such rows, choose a method that does not "
            "draw numbers (Shapley values do not, LIME does), or export the model with a float "
            "input."
        )
    if dtype == "bool" and np.isnan(values).any():
        raise InvalidInputError(
            f"Feature {part['name']!r} is missing in some row, and the model reads true or false "
            "there; leave out such rows, or export the model with a float input."
        )
    return values.astype(NUMBERS[dtype])


def _levels(codes: np.ndarray, part: Mapping[str, Any], dtype: str) -> np.ndarray:
    """Replace codes by what the model knows the categories as."""
    n = len(part["levels"])
    places = np.where(np.isnan(codes), n, codes).astype(np.int64)
    if len(places) and (places.min() < 0 or places.max() > n):
        raise InvalidInputError(f"Feature {part['name']!r} has a code without a category.")
    if dtype == "string":
        return np.array([*part["levels"], part["missing"]], dtype=object)[places]
    return np.array([*part["levels"], np.nan])[places]
