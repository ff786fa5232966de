"""One step of an analysis: what a run of a method is asked, without digests."""

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator, model_validator

from workbench.core.figures import MAX_FIGURES, ChosenFigure
from workbench.jobs.request import MAX_BACKGROUND, MAX_CHANGES, MAX_POSITIONS, Request, Split

MAX_TITLE, MAX_REMARK, MAX_REFERENCE = 300, 20_000, 1_000
ID = r"[a-z0-9-]{1,60}"
_RANGE = re.compile(r"([0-9]{1,9}):([0-9]{1,9})")
# A request says these of what lies behind the references; a step leaves them to the analysis.
DIGESTS = frozenset({"model_digest", "table_digest", "given_digest"})
# A step says these besides what it asks.
SAID = frozenset({"chosen", "title", "remark", "figures", "expect"})


class Step(BaseModel):
    """A run of a method on rows of a table, with what its author says of it.

    The fields are those of a request; where a request has digests, a step has only references,
    and the analysis says what they stood for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    id: str = Field(description="Name of the step, in small letters, digits and -.")
    method: str = Field(max_length=100, description="Registered name, such as shapley.exact.")
    model: str = Field(min_length=1, max_length=MAX_REFERENCE, description="adult-mlp@1, or a path")
    table: str = Field(min_length=1, max_length=MAX_REFERENCE, description="adult, or a path.")
    split: Split = Field("all", description="train, validation, test or all.")
    cohort: str = Field("", max_length=20_000, description="Conditions that the rows satisfy.")
    rows: tuple[int, ...] | None = Field(
        None, min_length=1, max_length=MAX_POSITIONS, description="Positions, or text like 0:50."
    )
    count: int | None = Field(None, ge=1, description="How many rows to draw with the seed.")
    changes: dict[str, str | int | float] = Field(
        default_factory=dict, max_length=MAX_CHANGES,
        description="Values by column that the rows are looked at with instead of their own.",
    )  # fmt: skip
    background: int = Field(0, ge=0, le=MAX_BACKGROUND, description="Rows to draw; 0 for none.")
    params: dict[str, JsonValue] = Field(default_factory=dict, description="Of the method.")
    chosen: Literal["", "auto"] = Field(
        "", description="auto where the program chose the method: a run says again why."
    )
    explainer: str = Field(
        "",
        pattern=r"^([0-9a-f]{64}|[a-z0-9-]{1,60})?$",
        description="Step that trains the explainer to ask, or digest of a kept one.",
    )
    given: str = Field(
        "", max_length=MAX_REFERENCE,
        description="Explanation from elsewhere to look at beside those of the method: a path.",
    )  # fmt: skip
    seed: int = Field(0, ge=0)
    device: str = Field("cpu", pattern=r"^(cpu|mps|cuda(:[0-9]{1,3})?)$")
    title: str = Field("", max_length=MAX_TITLE, description="Above the result in a report.")
    remark: str = Field("", max_length=MAX_REMARK, description="What the author says of it.")
    figures: tuple[ChosenFigure, ...] = Field(
        (), max_length=MAX_FIGURES,
        description="Views to show of the result, with their options; none for the usual ones.",
    )  # fmt: skip
    expect: str = Field(
        "", pattern=r"^([0-9a-f]{64})?$", description="Digest of the numbers that came out."
    )

    @field_validator("id", mode="before")
    @classmethod
    def _plain_id(cls, id: object) -> object:
        if isinstance(id, str) and not re.fullmatch(ID, id):
            raise ValueError("an id is made of 1 to 60 small letters, digits and -")
        return id

    @field_validator("rows", mode="before")
    @classmethod
    def _range(cls, rows: object) -> object:
        if not isinstance(rows, str):
            return rows
        found = _RANGE.fullmatch(rows.strip())
        if found is None:
            raise ValueError("write a list of positions such as [3, 7], or a range such as 0:50")
        start, stop = map(int, found.groups())
        if not start < stop <= start + MAX_POSITIONS:
            raise ValueError(f"a range holds 1 to {MAX_POSITIONS:,} rows and ends before its stop")
        return tuple(range(start, stop))

    @field_validator("device")
    @classmethod
    def _with_number(cls, device: str) -> str:
        return "cuda:0" if device == "cuda" else device

    @field_validator("params", "changes")
    @classmethod
    def _finite(cls, values: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if not all(map(_is_plain, values.values())):
            raise ValueError("numbers must be finite, and text must be valid Unicode")
        return values

    @model_validator(mode="after")
    def _one_choice(self) -> Self:
        if self.rows is not None and self.count is not None:
            raise ValueError("give rows or a count, not both")
        if self.rows is not None and min(self.rows) < 0:
            raise ValueError("rows are positions and start at 0")
        return self

    def __hash__(self) -> int:
        return hash(self.model_dump_json())

    def request(
        self, *, model_digest: str, table_digest: str, explainer: str | None = None,
        given_digest: str = "",
    ) -> Request:  # fmt: skip
        """Return what a job is asked that makes this step; the inverse of ``step_of``.

        Parameters
        ----------
        explainer
            Digest of the explainer, where the step names it by the step that trains it.
        given_digest
            Of the explanation from elsewhere, where the step names one.

        Raises
        ------
        InvalidInputError
            If a value is out of bounds.
        """
        asked = self.model_dump(exclude={"id", "explainer", *SAID})
        return Request(
            **asked, model_digest=model_digest, table_digest=table_digest,
            explainer=self.explainer if explainer is None else explainer,
            given_digest=given_digest,
        )  # fmt: skip

    def fields(self) -> dict[str, Any]:
        """Return what differs from the defaults as plain values, rows in a range as ``0:50``."""
        content = self.model_dump(mode="json", exclude_defaults=True)
        if self.rows is not None and len(self.rows) > 2 and _is_range(self.rows):
            content["rows"] = f"{self.rows[0]}:{self.rows[-1] + 1}"
        return content


def step_of(
    request: Request, id: str, *, title: str = "", remark: str = "",
    figures: Sequence[ChosenFigure] = (), expect: str = "", chosen: Literal["", "auto"] = "",
) -> Step:  # fmt: skip
    """Return the step that asks what a request asks."""
    return Step(
        **request.model_dump(exclude=set(DIGESTS)), id=id, title=title, remark=remark,
        figures=tuple(figures), expect=expect, chosen=chosen,
    )  # fmt: skip


def ids_for(methods: Iterable[str]) -> list[str]:
    """Return names for steps, of the methods that they run.

    Examples
    --------
    >>> ids_for(["shapley.exact", "lime.tabular", "shapley.exact"])
    ['shapley-exact', 'lime-tabular', 'shapley-exact-2']
    """
    ids: list[str] = []
    for method in methods:
        stem = re.sub(r"[^a-z0-9]+", "-", method.lower()).strip("-")[:50] or "step"
        name, number = stem, 1
        while name in ids:
            number += 1
            name = f"{stem}-{number}"
        ids.append(name)
    return ids


def _is_range(rows: tuple[int, ...]) -> bool:
    return rows == tuple(range(rows[0], rows[0] + len(rows)))


def _is_plain(value: JsonValue) -> bool:
    if isinstance(value, dict):
        return all(_is_plain(key) and _is_plain(part) for key, part in value.items())
    if isinstance(value, list):
        return all(map(_is_plain, value))
    if isinstance(value, str):
        return not any("\ud800" <= letter <= "\udfff" for letter in value)
    return not isinstance(value, float) or math.isfinite(value)
