"""What a reader has to be careful about, written from the results themselves."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from workbench.checks import Outcome
from workbench.checks.advice import ADVICE
from workbench.core.method import Method
from workbench.core.results import Result
from workbench.engines.performance.overview import Overview
from workbench.report.section import Section

# The worst first.
ORDER = ("failure", "warning", "ok", "not_applicable")


@dataclass(frozen=True)
class Objection:
    """What a check found, and what to do."""

    outcome: Outcome
    advice: str


@dataclass(frozen=True)
class Caveat:
    """What is to be said of one result: what checks object to, and what else to know."""

    name: str
    title: str
    objections: tuple[Objection, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Glance:
    """The answer of one result in a sentence, with the worst that a check found."""

    name: str
    title: str
    answer: str
    status: str
    said: str


def glance(section: Section) -> Glance:
    """Say what is found in one line."""
    worst = min(section.outcomes, key=lambda o: ORDER.index(o.status), default=None)
    count = sum(o.status == (worst and worst.status) for o in section.outcomes)
    if worst is None or worst.status == "not_applicable":
        status, said = "not_applicable", "no check applies"
    elif worst.status == "ok":
        status, said = "ok", "every check is fine"
    else:
        more = f", and {count - 1} more" if count > 1 else ""
        status, said = worst.status, f"{worst.title}{more}"
    answer = section.answers[0] if section.answers else ""
    return Glance(section.name, section.title, answer, status, said)


def caveat(section: Section, result: Result, tables: Sequence[Overview]) -> Caveat:
    """Collect what is to be said of one result."""
    objections = sorted(
        (o for o in section.outcomes if o.status in {"warning", "failure"}),
        key=lambda o: ORDER.index(o.status),
    )
    found = tuple(Objection(o, ADVICE.get(o.code, "")) for o in objections)
    notes = tuple(f"{note[:1].upper()}{note[1:]}." for note in result.provenance.notes)
    return Caveat(section.name, section.title, found, (*_drawn(result, tables), *notes))


def _drawn(result: Result, tables: Sequence[Overview]) -> tuple[str, ...]:
    """Say how many of the rows a result is about, where it is not about all of them."""
    record = result.provenance
    return tuple(
        f"{record.n_rows:,} of the {table.n_rows:,} rows of {table.name} were looked at; the rest "
        "may differ."
        for table in tables
        if table.name == record.table and record.n_rows < table.n_rows
    )[:1]


def weaknesses(
    results: Iterable[Result], methods: Mapping[str, Method]
) -> tuple[tuple[str, str], ...]:
    """Return title and known weakness of every method that was used, each once."""
    used = dict.fromkeys(r.provenance.method for r in results)
    return tuple((methods[name].title, methods[name].weakness) for name in used if name in methods)
