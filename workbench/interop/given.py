"""Attributions as they came from elsewhere, before they are held against a model."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

from workbench.core.errors import InvalidInputError
from workbench.interop.packages import package_of


@dataclass(frozen=True)
class Given:
    """Numbers of another program and what it says of them; None where it says nothing.

    Attributes
    ----------
    values
        One number per row, column and output.
    columns, outputs
        What the columns and the outputs are called there.
    ids
        Numbers of the rows.
    base, predictions
        What the outputs are said to be with no feature known, and with all.
    source
        Where the numbers come from, in words.
    sha256
        Digest of the file, or of the numbers and names.
    """

    values: Float[np.ndarray, "n c q"]
    source: str
    sha256: str
    columns: tuple[str, ...] | None = None
    outputs: tuple[str, ...] | None = None
    ids: Int[np.ndarray, " n"] | None = None
    base: Float[np.ndarray, "n q"] | None = None
    std_errors: Float[np.ndarray, "n c q"] | None = None
    predictions: Float[np.ndarray, "n q"] | None = None


def read_given(source: Any, known: Sequence[str]) -> Given:
    """Read attributions from a file or an object of another package.

    Parameters
    ----------
    known
        Features of the model: a column that is called so is one, whatever else its name may mean.

    Raises
    ------
    InvalidInputError
        If the source is of no kind that is understood, or holds no attributions.
    DataError
        If a file cannot be read.
    """
    from workbench.interop import given_tables  # noqa: PLC0415 - loads pandas

    package, name = package_of(source), type(source).__name__
    if isinstance(source, Given):
        given = source
    elif isinstance(source, str | Path):
        given = given_tables.from_file(Path(source), known)
    elif package == "pandas" and name == "DataFrame":
        given = given_tables.from_frame(source, known, source="a pandas frame")
    elif package == "pyarrow" and hasattr(source, "to_pandas"):
        given = given_tables.from_frame(source.to_pandas(), known, source="an Arrow table")
    elif package == "shap" and hasattr(source, "base_values"):
        given = _from_shap(source)
    elif isinstance(source, list | tuple) and source:
        given = _from_list(source)
    elif package == "shapiq":
        given = _from_shapiq([source])
    elif isinstance(source, np.ndarray | Tensor):
        what = "a tensor" if isinstance(source, Tensor) else "an array"
        values = cube(_numbers(source, what), what)
        given = Given(values, what, digest_of(values))
    else:
        raise InvalidInputError(
            f"Attributions cannot be read from an object of type {name}; give a shap.Explanation, "
            "a pandas frame, an Arrow table, a NumPy array, a tensor, shapiq InteractionValues, or "
            "the path of a CSV, Excel, Parquet or Feather file."
        )
    if not given.values.size:
        raise InvalidInputError(f"There are no attributions in {given.source}; it is empty.")
    return given


def _from_shap(source: Any) -> Given:
    """Read a ``shap.Explanation`` of one row or many, of one output or many."""
    values = cube(_numbers(source.values, "a shap.Explanation"), "a shap.Explanation")
    n, c, q = values.shape
    names, outputs = source.feature_names, source.output_names
    if isinstance(outputs, str):
        outputs = [outputs]
    errors = getattr(source, "error_std", None)
    base = source.base_values
    return Given(
        values, "a shap.Explanation", digest_of(values, names, outputs),
        columns=None if names is None else tuple(map(str, names)),
        outputs=None if outputs is None or len(outputs) != q else tuple(map(str, outputs)),
        base=None if base is None else spread(base, n, q),
        std_errors=None if errors is None else _numbers(errors, "error_std").reshape(n, c, q),
    )  # fmt: skip


def _from_shapiq(sources: Sequence[Any]) -> Given:
    """Read single-feature values of one or several rows, each of one output.

    Raises
    ------
    InvalidInputError
        If they have interactions, which an attribution has no place for, or differ in features.
    """
    for one in sources:
        if one.max_order != 1:
            raise InvalidInputError(
                f"The InteractionValues have index {one.index} up to order {one.max_order}; an "
                "attribution has single features alone: compute SV, or read them with "
                "workbench.interop.from_shapiq."
            )
        if one.n_players != sources[0].n_players:
            raise InvalidInputError("The InteractionValues are of different numbers of features.")
    values = np.stack([one.get_n_order_values(1) for one in sources])[:, :, None]
    base = np.array([[float(one.baseline_value)] for one in sources])
    source = f"shapiq InteractionValues ({sources[0].index})"
    return Given(values, source, digest_of(values), base=base)


def _from_list(source: Sequence[Any]) -> Given:
    """Read shapiq's values of several rows, or one array per output as older programs give them.

    Raises
    ------
    InvalidInputError
        If arrays have different shapes, as those of several inputs have.
    """
    if package_of(source[0]) == "shapiq":
        return _from_shapiq(source)
    parts = [_numbers(part, "a list of arrays") for part in source]
    if len({part.shape for part in parts}) > 1 or parts[0].ndim != 2:
        raise InvalidInputError(
            "A list of arrays is read as one array of rows by features for each output, got shapes "
            f"{', '.join(str(part.shape) for part in parts)}; give the array of the features alone."
        )
    values = np.stack(parts, -1)
    return Given(values, "a list of arrays, one for each output", digest_of(values))


def cube(values: np.ndarray, what: str) -> Float[np.ndarray, "n c q"]:
    """Give rows, columns and outputs an axis each.

    Raises
    ------
    InvalidInputError
        If there are more than three axes, or none.
    """
    if values.ndim == 1:
        return values[None, :, None]
    if values.ndim == 2:
        return values[:, :, None]
    if values.ndim == 3:
        return values
    raise InvalidInputError(
        f"Attributions are rows by features, or rows by features by outputs; {what} has shape "
        f"{values.shape}."
    )


def spread(base: Any, n: int, q: int) -> Float[np.ndarray, "n q"]:
    """Give every row and output its base value: from one number, one an output, or one a row.

    Raises
    ------
    InvalidInputError
        If there is another number of them.
    """
    values = _numbers(base, "base values")
    if values.ndim == 0 or values.size == 1:
        return np.full((n, q), float(values.reshape(())))
    if values.shape in {(n, q), (1, q)}:
        return np.broadcast_to(values, (n, q)).copy()
    if values.shape == (q,) and q > 1:
        return np.broadcast_to(values, (n, q)).copy()
    if values.shape == (n,) and q == 1:
        return values[:, None].copy()
    raise InvalidInputError(
        f"Base values of shape {values.shape} do not go with {n} rows and {q} outputs; give one "
        "number, one for each output, or one for each row and output."
    )


def digest_of(values: np.ndarray, *names: Any) -> str:
    """SHA-256 of numbers, their shape, and what they are called."""
    digest = hashlib.sha256(f"{values.shape} {[list(map(str, n or ())) for n in names]}".encode())
    digest.update(np.ascontiguousarray(values, dtype=np.float64).tobytes())
    return digest.hexdigest()


def _numbers(values: Any, what: str) -> np.ndarray:
    """Return numbers in double precision.

    Raises
    ------
    InvalidInputError
        If there are none: objects are never unpacked.
    """
    if isinstance(values, Tensor):
        values = values.detach().cpu().double().numpy()
    found = np.asarray(values)
    if found.dtype.kind not in "fiub":
        raise InvalidInputError(
            f"{what[0].upper()}{what[1:]} holds {found.dtype}, where numbers are needed; convert "
            "it first."
        )
    return found.astype(np.float64)
