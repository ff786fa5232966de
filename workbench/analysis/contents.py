"""What an analysis file says: models, tables, steps, text, and when a run counts as failed."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from workbench.analysis.condition import Condition
from workbench.analysis.faults import joined, told
from workbench.analysis.judging import misfits
from workbench.analysis.step import MAX_REFERENCE, MAX_TITLE, Step, ids_for, step_of
from workbench.core.errors import InvalidInputError
from workbench.core.explainer import Explainer
from workbench.core.figures import ChosenFigure
from workbench.core.results import Result
from workbench.jobs.request import Request, versions

FORMAT = 1
MAX_STEPS = 200
_DIGEST = r"^([0-9a-f]{64})?$"


class TableEntry(BaseModel):
    """A table that steps refer to: which rows it held, and how its file is read.

    In a file a plain digest is short for an entry of nothing else.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    digest: str = Field("", pattern=_DIGEST, description="Of all rows; empty for whatever is there")
    schema_of: str = Field(
        "", max_length=MAX_REFERENCE,
        description="Model whose schema reads the file. [default: that of its first step]",
    )  # fmt: skip
    beside: tuple[str, ...] = Field(
        (), max_length=100, description="Columns that no model reads, to compare groups by."
    )
    ignore_extra_columns: bool = Field(False, description="Leave out columns unknown to the model.")

    def fields(self) -> Any:
        """Return what differs from the defaults, or the digest alone."""
        content = self.model_dump(mode="json", exclude_defaults=True)
        return self.digest or None if content.keys() <= {"digest"} else content


_PARTS: Mapping[str, type[BaseModel]] = {
    "steps": Step, "fail_if": Condition, "tables": TableEntry, "figures": ChosenFigure
}  # fmt: skip


class Analysis(BaseModel):
    """Steps that can be run again, on models and tables that are known by digest.

    Raises
    ------
    InvalidInputError
        If anything does not fit; the message names every such field by step.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    format: Literal[1] = 1
    title: str = Field("Analysis", max_length=MAX_TITLE, description="Heading of the report.")
    comments: tuple[str, ...] = Field((), max_length=100, description="Paragraphs above it.")
    level: Literal["summary", "analyst", "auditor"] = "analyst"
    models: dict[str, str] = Field(
        default_factory=dict, max_length=MAX_STEPS, description="Digests by reference."
    )
    tables: dict[str, TableEntry] = Field(
        default_factory=dict, max_length=MAX_STEPS, description="Digests by reference."
    )
    given: dict[str, str] = Field(
        default_factory=dict, max_length=MAX_STEPS,
        description="Digests of explanations from elsewhere, by reference.",
    )  # fmt: skip
    steps: tuple[Step, ...] = Field(min_length=1, max_length=MAX_STEPS)
    fail_if: tuple[Condition, ...] = Field((), max_length=MAX_STEPS)
    made_with: dict[str, str] = Field(
        default_factory=dict, max_length=20, description="Versions that the numbers came from."
    )

    def __init__(self, **values: Any) -> None:
        _refuse_newer(values)
        faults: list[str] = []
        try:
            super().__init__(**values)
        except ValidationError as error:
            faults = told(type(self), error, _PARTS, values=values)
        faults += misfits(values)
        if faults:
            raise InvalidInputError(f"The analysis does not fit: {joined(faults)}.")

    @field_validator("models", "given", mode="before")
    @classmethod
    def _unpinned(cls, digests: object) -> object:
        if not isinstance(digests, Mapping):
            return digests
        return {name: "" if digest is None else digest for name, digest in digests.items()}

    @field_validator("models", "given")
    @classmethod
    def _digests(cls, digests: dict[str, str]) -> dict[str, str]:
        if wrong := [name for name, digest in digests.items() if not _is_digest(digest)]:
            raise ValueError(f"the digest of {wrong[0]!r} must be 64 hexadecimal digits, or null")
        return digests

    @field_validator("tables", mode="before")
    @classmethod
    def _short_tables(cls, tables: object) -> object:
        if not isinstance(tables, Mapping):
            return tables
        return {
            name: {"digest": entry or ""} if entry is None or isinstance(entry, str) else entry
            for name, entry in tables.items()
        }

    def __hash__(self) -> int:
        return hash(self.model_dump_json())

    def step(self, id: str) -> Step:
        """Return a step by its id.

        Raises
        ------
        InvalidInputError
            If there is none.
        """
        for step in self.steps:
            if step.id == id:
                return step
        raise InvalidInputError(
            f"There is no step {id!r}; choose one of {', '.join(step.id for step in self.steps)}."
        )

    def fields(self) -> dict[str, Any]:
        """Return the content as plain values in the order of the file, defaults left out."""
        content: dict[str, Any] = {"format": self.format, "title": self.title}
        if self.comments:
            content["comments"] = list(self.comments)
        if self.level != "analyst":
            content["level"] = self.level
        content["models"] = {name: digest or None for name, digest in self.models.items()}
        content["tables"] = {name: entry.fields() for name, entry in self.tables.items()}
        if self.given:
            content["given"] = {name: digest or None for name, digest in self.given.items()}
        content["steps"] = [step.fields() for step in self.steps]
        if self.fail_if:
            content["fail_if"] = [
                condition.model_dump(mode="json", exclude_defaults=True)
                for condition in self.fail_if
            ]
        if self.made_with:
            content["made_with"] = dict(self.made_with)
        return content


def analysis_of(
    requests: Sequence[Request],
    *,
    title: str = "Analysis",
    comments: Sequence[str] = (),
    level: Literal["summary", "analyst", "auditor"] = "analyst",
    titles: Sequence[str] = (),
    remarks: Sequence[str] = (),
    figures: Sequence[Sequence[ChosenFigure]] = (),
    results: Sequence[Result | None] = (),
) -> Analysis:
    """Return the analysis that asks again what requests asked.

    Parameters
    ----------
    requests
        In their order.
    title, comments
        Of the whole analysis and its report; plain text.
    level
        For whom the report is.
    titles, remarks
        Of each request, empty where there is none; none, or one for each.
    figures
        To show of each result; empty for the usual ones.
    results
        What came out of each request. A trained explainer that later requests ask is then named
        by its step, so that a replay trains it again, and every step says which numbers to expect.

    Raises
    ------
    InvalidInputError
        If one reference stood for two things, or there are no requests.
    """
    from workbench.analysis.numbers import numbers_digest  # noqa: PLC0415 - few callers have any
    from workbench.engines.shapley.chosen import was_chosen  # noqa: PLC0415 - as above

    ids, n = ids_for(request.method for request in requests), len(requests)
    models: dict[str, str] = {}
    tables: dict[str, str] = {}
    given: dict[str, str] = {}
    trained: dict[str, str] = {}
    steps = []
    for i, request in enumerate(requests):
        _note(models, "Model", request.model, request.model_digest)
        _note(tables, "Table", request.table, request.table_digest)
        if request.given:
            _note(given, "Explanation", request.given, request.given_digest)
        result = _at(results, i, n)
        step = step_of(
            request, ids[i], title=_at(titles, i, n) or "", remark=_at(remarks, i, n) or "",
            figures=_at(figures, i, n) or (),
            expect="" if result is None else numbers_digest(result),
            chosen="auto" if result is not None and was_chosen(result.provenance) else "",
        )  # fmt: skip
        if step.explainer in trained:
            step = step.model_copy(update={"explainer": trained[step.explainer]})
        steps.append(step)
        if isinstance(result, Explainer):
            trained[result.digest] = ids[i]
    return Analysis(
        title=title, comments=tuple(comments), level=level, models=models,
        tables={name: TableEntry(digest=digest) for name, digest in tables.items()}, given=given,
        steps=tuple(steps), made_with=versions(),
    )  # fmt: skip


def _at(given: Sequence[Any], i: int, n: int) -> Any:
    if given and len(given) != n:
        raise InvalidInputError(
            f"Of {n} requests there must be {n} titles, remarks, figures and results."
        )
    return given[i] if given else None


def _note(found: dict[str, str], word: str, reference: str, digest: str) -> None:
    if found.setdefault(reference, digest) != digest:
        raise InvalidInputError(
            f"{word} {reference!r} changed between two of the steps; run the older one again, so "
            "that all steps are about the same one."
        )


def _refuse_newer(values: Mapping[str, Any]) -> None:
    given = values.get("format", FORMAT)
    if isinstance(given, int) and not isinstance(given, bool) and given > FORMAT:
        raise InvalidInputError(
            f"The analysis has format {given}, this version reads up to {FORMAT}; update the "
            "workbench."
        )


def _is_digest(text: str) -> bool:
    return not text or (len(text) == 64 and set(text) <= set("0123456789abcdef"))
