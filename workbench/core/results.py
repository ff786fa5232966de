"""What engines return: plain arrays with names, uncertainty and provenance."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from types import GenericAlias
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from jaxtyping import Float, Int
from pydantic import BaseModel, ConfigDict, TypeAdapter
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as save_arrays
from scipy import stats

from workbench.core.errors import InvalidInputError, ResultFileError
from workbench.core.files import replacing
from workbench.core.provenance import Provenance
from workbench.core.schema import Schema, listing

if TYPE_CHECKING:
    import pandas as pd
    import shap

RESULT_FORMAT = 1
LEVEL = 0.95
_KINDS: dict[str, type["Result"]] = {}


@dataclass(frozen=True, eq=False)
class Result:
    """Base of every result: it can be saved and read back, and says how it was made.

    A file holds the arrays as safetensors, and everything else as JSON in the header, with a
    SHA-256 over both. The kind in the file is looked up in a fixed table; nothing is imported or
    executed. The digest finds damage and careless edits; it is not a signature.
    """

    kind: ClassVar[str] = ""
    provenance: Provenance

    def __init_subclass__(cls) -> None:
        _KINDS[cls.kind] = cls

    def save(self, path: str | Path) -> Path:
        """Write the result to one file; a file of that name is replaced as a whole."""
        arrays, rest = {}, {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                arrays[field.name] = np.ascontiguousarray(value)
            elif isinstance(value, BaseModel):
                rest[field.name] = value.model_dump(mode="json")
            else:
                rest[field.name] = value
        text = json.dumps(
            {"format": RESULT_FORMAT, "kind": self.kind, "fields": rest}, sort_keys=True
        )
        path = Path(path)
        with replacing(path) as part:
            header = {"workbench": text, "sha256": _digest(arrays, text)}
            part.write_bytes(save_arrays(arrays, metadata=header))
        return path


def load(path: str | Path) -> Result:
    """Read a result of any kind.

    Raises
    ------
    ResultFileError
        If the file is missing, is not a result, was changed, or comes from a newer version.
    """
    try:
        with safe_open(Path(path), framework="np") as file:
            header = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise ResultFileError(f"There is no result file {str(path)!r}.") from None
    except (SafetensorError, OSError, TypeError, AttributeError):  # numpy lacks some number types
        raise ResultFileError(f"{str(path)!r} is not a result file; it may be cut short.") from None
    text = header.get("workbench", "")
    if header.get("sha256") != _digest(arrays, text):
        raise ResultFileError(
            f"Result file {str(path)!r} was changed after it was written; run the analysis again."
        )
    return _rebuild(path, arrays, text)


def _rebuild(path: str | Path, arrays: Mapping[str, np.ndarray], text: str) -> Result:
    try:
        content = json.loads(text)
        if content["format"] > RESULT_FORMAT:
            raise ResultFileError(
                f"Result file {str(path)!r} has format {content['format']}, this version reads "
                f"up to {RESULT_FORMAT}; update the workbench."
            )
        kind = _KINDS[content["kind"]]
        return kind(**_checked(kind, dict(**arrays, **content["fields"])))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, InvalidInputError):
        raise ResultFileError(f"{str(path)!r} is not a result that this version knows.") from None


def _checked(kind: type[Result], parts: Mapping[str, Any]) -> dict[str, Any]:
    """Hold each part against the type of its field: a digest can be made for any content."""
    types = {field.name: field.type for field in fields(kind)}
    wanted: Any = GenericAlias(tuple, tuple(types[name] for name in parts))
    adapter = TypeAdapter(wanted, config=ConfigDict(arbitrary_types_allowed=True))
    return dict(zip(parts, adapter.validate_python(tuple(parts.values())), strict=True))


def _digest(arrays: Mapping[str, np.ndarray], text: str) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class Attribution(Result):
    """How much each feature moved each output of each row away from the base value.

    Attributes
    ----------
    values
        One number per row, feature and output; in the unit of ``unit``.
    base_values
        What the outputs would be with no feature known.
    predictions
        What the model says of each row, computed without the engine.
    std_errors
        Standard error of ``values`` from sampling coalitions; None where nothing was sampled.
    dof
        Degrees of freedom behind ``std_errors``; None where the normal distribution holds.
    base_std_errors
        Standard error of ``base_values`` from the choice of background rows, one per output.
    background_std_errors
        Standard error of an attribution from the choice of background rows: root mean square over
        the rows. None where the background is too small to tell.
    background_dof
        Degrees of freedom behind ``background_std_errors``, as ``dof``.
    data
        Raw features of the rows.
    truth
        Class codes or target values where known, else NaN.
    unit
        ``probability``, ``log-odds``, ``logit``, ``log-probability``, or the
        unit of the target, empty where it has none.
    """

    kind: ClassVar[str] = "attribution"

    values: Float[np.ndarray, "n d k"]
    base_values: Float[np.ndarray, "n k"]
    predictions: Float[np.ndarray, "n k"]
    data: Float[np.ndarray, "n d"]
    ids: Int[np.ndarray, " n"]
    truth: Float[np.ndarray, " n"]
    base_std_errors: Float[np.ndarray, " k"]
    schema: Schema
    output_names: tuple[str, ...]
    unit: str
    std_errors: Float[np.ndarray, "n d k"] | None = None
    background_std_errors: Float[np.ndarray, "d k"] | None = None
    background_dof: float | None = None
    dof: float | None = None

    def __post_init__(self) -> None:
        n, d, k = self.values.shape
        shapes = {
            "base_values": (n, k), "predictions": (n, k), "data": (n, d), "ids": (n,),
            "truth": (n,), "base_std_errors": (k,),
        }  # fmt: skip
        if self.std_errors is not None:
            shapes["std_errors"] = (n, d, k)
        if self.background_std_errors is not None:
            shapes["background_std_errors"] = (d, k)
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise InvalidInputError(
                    f"Attribution values have shape {(n, d, k)}, so {name} needs {shape}, "
                    f"got {getattr(self, name).shape}."
                )
        if len(self.schema.features) != d or len(self.output_names) != k:
            raise InvalidInputError(f"Attribution of shape {(n, d, k)} does not fit its names.")

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(
        self, rows: int | np.integer | slice | Sequence[int] | np.ndarray
    ) -> "Attribution":
        """Select rows; a single number keeps the row axis."""
        if isinstance(rows, int | np.integer):
            rows = [int(rows)]
        by_row = ("values", "base_values", "predictions", "data", "ids", "truth", "std_errors")
        part = {
            name: getattr(self, name)[rows] for name in by_row if getattr(self, name) is not None
        }
        return replace(self, **part)

    @property
    def names(self) -> tuple[str, ...]:
        """Feature names, as the user's columns are called."""
        return self.schema.names

    @property
    def gap(self) -> Float[np.ndarray, "n k"]:
        """Prediction minus base value minus the sum of the attributions; 0 when additive."""
        gap: np.ndarray = self.predictions - self.base_values - self.values.sum(1)
        return gap

    def half_widths(self, level: float = LEVEL) -> Float[np.ndarray, "n d k"]:
        """Half the width of the interval for sampling coalitions; zeros where none were sampled.

        It says how far the value may be from the exact one for the *same* background.
        """
        if self.std_errors is None:
            return np.zeros_like(self.values)
        return _quantile(level, self.dof) * self.std_errors

    def uncertainty(self, level: float = LEVEL) -> Float[np.ndarray, "n d k"]:
        """Half the width of the interval for coalitions and background rows together.

        The two errors are independent, so their half widths add up in squares.
        """
        half = self.half_widths(level)
        if self.background_std_errors is None:
            return half
        drawn = _quantile(level, self.background_dof) * self.background_std_errors
        return np.hypot(half, drawn)

    @property
    def sources_of_error(self) -> tuple[str, ...]:
        """What ``uncertainty`` covers, in words; empty where no error is known."""
        known = {"coalitions": self.std_errors, "background rows": self.background_std_errors}
        return tuple(source for source, errors in known.items() if errors is not None)

    def output_index(self, output: str | int | None) -> int:
        """Return the position of an output given by name, position, or None for the default.

        By default the favourable class; of two classes the second; of more the one predicted
        most over the rows.

        Raises
        ------
        InvalidInputError
            If there is no such output.
        """
        if output is None:
            if self.schema.favourable is None and self.schema.task == "multiclass" and len(self):
                return int(self.predictions.mean(0).argmax())
            return self.schema.favourable_output
        if isinstance(output, str):
            if output not in self.output_names:
                raise InvalidInputError(
                    f"There is no output {output!r}; choose one of {listing(self.output_names)}."
                )
            return self.output_names.index(output)
        if not 0 <= output < len(self.output_names):
            raise InvalidInputError(
                f"There is no output {output}; the last one is {len(self.output_names) - 1}."
            )
        return output

    def importance(self, output: str | int | None = None) -> "pd.DataFrame":
        """Mean absolute attribution of each feature over the rows, largest first.

        Columns: ``feature``, ``importance``, ``std_error`` (over rows; NaN for one row),
        ``mean`` (signed).
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        values = self.values[:, :, self.output_index(output)]
        size = np.abs(values)
        n = len(values)
        spread = size.std(0, ddof=1) / np.sqrt(n) if n > 1 else np.full(len(self.names), np.nan)
        frame = pd.DataFrame({
            "feature": self.names,
            "importance": size.mean(0),
            "std_error": spread,
            "mean": values.mean(0),
        })
        return frame.sort_values("importance", ascending=False, ignore_index=True)

    def to_frame(self) -> "pd.DataFrame":
        """One line per row, output and feature.

        Columns: ``row``, ``output``, ``feature``, ``value`` (as a user writes it),
        ``attribution``, ``std_error`` (of sampling coalitions), ``background_std_error``, ``low``
        and ``high`` (95 %, both errors), ``base_value``, ``prediction``, ``unit``.
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        n, d, k = self.values.shape
        half = self.uncertainty()
        errors = np.full_like(self.values, 0.0) if self.std_errors is None else self.std_errors

        drawn = np.nan if self.background_std_errors is None else self.background_std_errors

        def flat(array: np.ndarray) -> np.ndarray:
            return array.transpose(0, 2, 1).reshape(-1)

        shown = np.array(
            [
                [f.show(v) for f, v in zip(self.schema.features, row, strict=True)]
                for row in self.data
            ],
            dtype=object,
        ).reshape(n, d)
        return pd.DataFrame({
            "row": np.repeat(self.ids, d * k),
            "output": np.tile(np.repeat(np.array(self.output_names, dtype=object), d), n),
            "feature": np.tile(np.array(self.names, dtype=object), n * k),
            "value": np.repeat(shown[:, None], k, axis=1).reshape(-1),
            "attribution": flat(self.values),
            "std_error": flat(errors),
            "background_std_error": flat(np.broadcast_to(drawn, self.values.shape)),
            "low": flat(self.values - half),
            "high": flat(self.values + half),
            "base_value": np.repeat(self.base_values.reshape(-1), d),
            "prediction": np.repeat(self.predictions.reshape(-1), d),
            "unit": self.unit,
        })

    def to_shap(self, output: str | int | None = None) -> "shap.Explanation":
        """Return a ``shap.Explanation``, so that shap's own plots work.

        With ``output`` its arrays are ``[n, d]``, as ``waterfall`` and ``beeswarm`` want them;
        without, ``[n, d, k]``. ``error_std`` carries the standard errors.
        """
        import shap  # noqa: PLC0415 - loads numba, which takes seconds

        which: Any = slice(None) if output is None else self.output_index(output)
        shown = np.array(
            [
                [
                    f.show(v) if f.kind == "categorical" else v
                    for f, v in zip(self.schema.features, row, strict=True)
                ]
                for row in self.data
            ],
            dtype=object,
        )
        return shap.Explanation(
            values=self.values[:, :, which].copy(),
            base_values=self.base_values[:, which].copy(),
            data=self.data.copy(),
            display_data=shown,
            feature_names=list(self.names),
            output_names=list(self.output_names) if output is None else None,
            error_std=None if self.std_errors is None else self.std_errors[:, :, which].copy(),
            compute_time=self.provenance.seconds,
        )


def _quantile(level: float, dof: float | None) -> float:
    tail = 0.5 + level / 2
    return float(stats.norm.ppf(tail) if dof is None else stats.t.ppf(tail, dof))
