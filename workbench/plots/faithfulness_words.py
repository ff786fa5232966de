"""How far explanations can be believed, in a sentence or two."""

from workbench.core.faithfulness import ADEQUATE
from workbench.core.results import Faithfulness
from workbench.core.wording import joined, percent
from workbench.plots import words
from workbench.plots.explanations import name_of, where_of

NAMED = 3


def faithfulness_sentence(result: Faithfulness, output: str | int | None = None) -> str:
    """Say which method misses least in which neighbourhood, and where none is adequate.

    Anchors do not compete. Up to three methods are named with their neighbourhoods.

    Raises
    ------
    InvalidInputError
        If there is no such output.
    """
    which = result.output_index(output)
    if not len(result):
        return "There are no rows to explain."
    rows = f"Over {len(result):,} rows" if len(result) > 1 else f"Row {result.ids[0]}"
    start = f"{rows}, {words.quantity(result, which)}"
    won: dict[int, list[int]] = {}
    for place, method in enumerate(result.best(which)):
        if method is not None:
            won.setdefault(method, []).append(place)
    if not won:
        return f"{start}: no explanation can be compared in these neighbourhoods."
    return f"{start}: {_winners(result, won, which)}.{_poor(result, won, which)}"


def _winners(result: Faithfulness, won: dict[int, list[int]], which: int) -> str:
    """Name the methods with what they miss where they miss least, those with most places first."""
    value, compared = result.entries(which).value, sum(map(len, won.values()))
    order = sorted(won, key=lambda method: (-len(won[method]), method))

    def places(method: int) -> str:
        return joined([
            f"{_where(result, j)} ({percent(float(value[method, j]))})" for j in won[method]
        ])

    names = [name_of(result.methods[method]) for method in order]
    clauses = [
        f"{name} misses least {places(method)}"
        for name, method in zip(names[:NAMED], order, strict=False)
    ]
    if len(order) > NAMED:
        clauses.append(f"elsewhere {joined(names[NAMED:])}")
    said = "; ".join(clauses)
    if len(order) > 1:
        return (
            f"{said}. No explanation is best everywhere: which to believe depends on the question"
        )
    return f"{said}. It is the best in all {compared} neighbourhoods" if compared > 1 else said


def _poor(result: Faithfulness, won: dict[int, list[int]], which: int) -> str:
    """Say where even the best method is not adequate."""
    value = result.entries(which).value
    poor = sorted(
        j for method, places in won.items() for j in places if value[method, j] > ADEQUATE
    )
    if not poor:
        return ""
    everywhere = len(poor) == sum(map(len, won.values()))
    where = "in any of them" if everywhere else joined([_where(result, j) for j in poor])
    return f" None is adequate {where}: all miss more than {percent(ADEQUATE)}."


def _where(result: Faithfulness, place: int) -> str:
    return where_of(result.neighbourhoods[place])
