"""What a job is asked to do, and the key under which its result is kept."""

import hashlib
import json
from collections.abc import Mapping
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    field_validator,
    model_validator,
)

from workbench.core.errors import InvalidInputError
from workbench.core.method import MethodRegistry
from workbench.core.params import parse_params

if TYPE_CHECKING:
    from workbench.core.table import Table
    from workbench.jobs.work import Work

KEY_FORMAT = 1
MAX_POSITIONS = 10_000
MAX_BACKGROUND = 1_000_000
MAX_CHANGES = 10_000
UPLOADED = "my:"
# A change to any of these may change a number.
DECISIVE_FOLDERS = ("core", "numerics", "engines")
_DIGEST = r"^[0-9a-f]{64}$"

Split = Literal["train", "validation", "test", "all"]


class Request(BaseModel):
    """A run of a method on rows of a table: plain values, so that it can wait in a file.

    Digests must be those of the model and table that the person was shown; they decide which
    result the person gets, so they never come from outside the program.

    Raises
    ------
    InvalidInputError
        If a value is out of bounds; the message names all that are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    method: str = Field(description="Registered name, such as shapley.exact.")
    params: dict[str, JsonValue] = Field(default_factory=dict)
    model: str = Field(description="Reference: adult-mlp@1, or my:credit@2 for an upload.")
    model_digest: str = Field(pattern=_DIGEST)
    table: str = Field(description="Reference: adult, or my:people for an upload.")
    table_digest: str = Field(pattern=_DIGEST, description="Of all rows, before split and cohort.")
    split: Split = "all"
    cohort: str = Field("", description="Conditions that the rows satisfy; empty for all rows.")
    rows: tuple[int, ...] | None = Field(
        None, min_length=1, max_length=MAX_POSITIONS, description="Positions in split and cohort."
    )
    count: int | None = Field(None, ge=1, description="How many rows to draw with the seed.")
    changes: dict[str, str | int | float] = Field(
        default_factory=dict,
        max_length=MAX_CHANGES,
        description="Values by column that the rows are looked at with: what if they had these?",
    )
    explainer: str = Field(
        "",
        pattern=r"^([0-9a-f]{64})?$",
        description="Digest of a trained explainer; empty for those that come with the model.",
    )
    given: str = Field(
        "", description="Explanation from elsewhere that stands beside those of the run: my:shap."
    )
    given_digest: str = Field("", pattern=r"^([0-9a-f]{64})?$", description="Of its file.")
    background: int = Field(0, ge=0, le=MAX_BACKGROUND, description="0: the method uses none.")
    seed: int = Field(0, ge=0)
    device: str = Field("cpu", pattern=r"^(cpu|mps|cuda:[0-9]{1,3})$")

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            faults = [
                f"{'.'.join(map(str, fault['loc'])) or 'rows'}: "
                f"{fault['msg'].removeprefix('Value error, ')}"
                for fault in error.errors()
            ]
            raise InvalidInputError(f"The request does not fit: {'; '.join(faults)}.") from None

    @field_validator("device", mode="before")
    @classmethod
    def _with_number(cls, device: object) -> object:
        return "cuda:0" if device == "cuda" else device

    @model_validator(mode="after")
    def _one_choice(self) -> Self:
        if self.rows is not None and self.count is not None:
            raise ValueError("give positions or a count, not both")
        if self.rows is not None and min(self.rows) < 0:
            raise ValueError("positions start at 0")
        if bool(self.given) != bool(self.given_digest):
            raise ValueError("an explanation from elsewhere is known by its digest; give both")
        return self

    def __hash__(self) -> int:
        return hash(self.model_dump_json())

    @property
    def pace(self) -> str:
        """What runs of about one speed have in common: the method and what fills in features.

        Examples
        --------
        >>> digest = "0" * 64
        >>> Request(method="shapley.kernel", params={"value": "neighbours"}, model="m@1",
        ...         model_digest=digest, table="t", table_digest=digest).pace
        'shapley.kernel neighbours'
        """
        return pace_of(self.method, self.params)

    @cached_property
    def key(self) -> str:
        """SHA-256 of all that decides the numbers, and of nothing else.

        Names do not decide them and are left out; only the name that a person gave to an uploaded
        table counts, since it is written into the result. Of the device the type counts: the same
        work gives the same numbers on each of two equal ones.

        Raises
        ------
        InvalidInputError
            If there is no such method, or a setting does not fit it.
        """
        method = registered_methods().find(self.method)
        content = {
            "format": KEY_FORMAT,
            "method": self.method,
            "params": parse_params(method.params, self.params).model_dump(mode="json"),
            "model": self.model_digest,
            "explainer": self.explainer,
            "table": self.table_digest,
            "uploaded": self.table if self.table.startswith(UPLOADED) else "",
            "split": self.split,
            "cohort": self.cohort,
            "rows": self.rows,
            "count": self.count,
            "background": self.background if "background" in method.uses else 0,
            "seed": self.seed,
            "device": self.device.partition(":")[0],
            "versions": versions(),
        }
        if self.changes:
            content["changes"] = self.changes
        if self.given:
            content["given"] = self.given_digest
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def select(self, table: "Table") -> "Table":
        """Take the rows that are asked for: split, cohort, positions or a draw, then the changes.

        Raises
        ------
        InvalidInputError
            If there are no such rows, or a column cannot hold the value that it is given.
        """
        rows = self._chosen(table)
        return rows.with_values(self.changes) if self.changes else rows

    def _chosen(self, table: "Table") -> "Table":
        if self.split != "all":
            table = table.split(self.split)
        if self.cohort:
            from workbench.core.cohort import Cohort  # noqa: PLC0415 - few requests have one

            table = Cohort.parse(self.cohort, table.schema).apply(table)
        if self.count is not None:
            return table.sample(self.count, seed=self.seed)
        if self.rows is None:
            return table
        if max(self.rows) >= len(table):
            raise InvalidInputError(
                f"There is no row {max(self.rows)} in {table.name!r}, which has {len(table)} rows, "
                "counted from 0; choose another row."
            )
        return table[list(self.rows)]

    def work(self, owner: str) -> "Work":
        """Load what the request refers to, as ``owner`` sees it.

        Raises
        ------
        WorkbenchError
            If something is gone, has changed, or does not fit.
        """
        from workbench.jobs.work import Sources, prepare  # noqa: PLC0415 - torch and the registry

        return prepare(self, owner, Sources())


def pace_of(method: str, params: Mapping[str, Any]) -> str:
    """Return the name under which the speed of runs is kept; see ``Request.pace``."""
    value = params.get("value", "marginal")
    return method if value == "marginal" else f"{method} {value}"


@cache
def registered_methods() -> MethodRegistry:
    """Return the methods of every engine, which are loaded when they are first asked for."""
    from workbench.engines import registered_methods as of_engines  # noqa: PLC0415 - loads torch

    return of_engines()


@cache
def versions() -> dict[str, str]:
    """Return what besides a request decides its numbers: this program and torch.

    The digest of the source keeps results apart while the program is being changed.
    """
    package = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256()
    for folder in DECISIVE_FOLDERS:
        for file in sorted((package / folder).rglob("*.py")):
            digest.update(f"{file.relative_to(package).as_posix()}\n".encode())
            digest.update(file.read_bytes())
    return {
        "workbench": version("explainability-workbench"),
        "source": digest.hexdigest(),
        "torch": version("torch"),
    }
