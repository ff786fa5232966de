"""What a result says, in sentences."""

from workbench.core.errors import InvalidInputError
from workbench.core.results import Result
from workbench.report.html import SECTIONS


def answers(result: Result) -> tuple[str, ...]:
    """Return what a result says in sentences, as a report puts it above the figures.

    Raises
    ------
    InvalidInputError
        If results of this kind say nothing by themselves.
    """
    section = SECTIONS.get(type(result))
    if section is None:
        raise InvalidInputError(
            f"A result of kind {result.kind!r} says nothing by itself; see its table (to_frame) or "
            "its checks (run_checks)."
        )
    return section(result, "result").answers
