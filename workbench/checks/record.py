"""What a check is and what it finds.

A check reads a finished result; it never runs the model. "Does not apply" is a finding with a
reason, so a reader sees the difference between "fine" and "not looked at".
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from workbench.core.results import Result

Status = Literal["ok", "warning", "failure", "not_applicable"]


@dataclass(frozen=True)
class Finding:
    """What a check has to say of one result.

    Attributes
    ----------
    sentence
        Plain text that stands alone; names in it come from a user and are escaped where shown.
    evidence
        The numbers behind the sentence; finite.
    tolerance
        What the first number of the evidence was compared with; None where nothing was compared.
    brief
        The main number in a few words, for a list of checks.
    """

    status: Status
    sentence: str
    evidence: dict[str, float] = field(default_factory=dict)
    tolerance: float | None = None
    brief: str = ""


@dataclass(frozen=True)
class Outcome(Finding):
    """A finding under the name of its check, as panels and reports list it."""

    code: str = ""
    title: str = ""
    docs: str = ""


@dataclass(frozen=True)
class Check:
    """One question that every result of a kind is asked.

    Attributes
    ----------
    code
        ``WB`` and three digits; never used again for something else.
    severity
        The worst status that it can come to.
    cost
        Rows through the network that it needs; 0 where the result says enough.
    run
        Takes a result of type ``applies_to``.
    """

    code: str
    title: str
    severity: Literal["warning", "failure"]
    cost: int
    applies_to: type[Result]
    run: Callable[[Any], Finding]

    @property
    def docs(self) -> str:
        """Page with what is measured, why the tolerance is what it is, and what to do."""
        return f"docs/checks/{self.code}.md"

    def __call__(self, result: Result) -> Outcome:
        """Ask the question of one result; of another kind it does not apply."""
        found = self.run(result) if isinstance(result, self.applies_to) else self._other(result)
        return Outcome(
            status=found.status,
            sentence=found.sentence,
            evidence=found.evidence,
            tolerance=found.tolerance,
            brief=found.brief,
            code=self.code,
            title=self.title,
            docs=self.docs,
        )

    def _other(self, result: Result) -> Finding:
        return Finding(
            "not_applicable",
            f"It is about results of kind {self.applies_to.kind!r}, not {result.kind!r}.",
        )
