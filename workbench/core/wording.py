"""Parts of sentences: a count with its noun, a share per cent, a place in a file."""

import math
from collections.abc import Iterable, Sequence
from operator import index
from typing import SupportsIndex

# How notes begin that say how rows count.
COUNTED_ALIKE, COUNTED_BY = "every row counts alike", "rows count by"


def counted(n: SupportsIndex, noun: str) -> str:
    """Write how many there are of something.

    Examples
    --------
    >>> counted(1, "model evaluation"), counted(3000, "row"), counted(0, "row")
    ('1 model evaluation', '3,000 rows', '0 rows')
    """
    return f"{index(n):,} {noun}{'' if index(n) == 1 else 's'}"


def percent(share: float, digits: int = 1) -> str:
    """Write a share per cent; what is not quite nothing or all is never rounded to it.

    Examples
    --------
    >>> percent(0.8604), percent(0.95), percent(0.00001), percent(0.99999)
    ('86.0 %', '95 %', 'less than 0.1 %', 'more than 99.9 %')
    >>> percent(0.0012, 2)
    '0.12 %'
    """
    if math.isnan(share):
        return "not defined"
    step = 10.0 ** -(digits + 2)
    if 0 < share < step / 2:
        return f"less than {100 * step:g} %"
    if 1 - step / 2 <= share < 1:
        return f"more than {100 - 100 * step:g} %"
    whole = math.isclose(100 * share, round(100 * share), abs_tol=1e-9)
    return f"{100 * share:.{0 if whole else digits}f} %"


def joined(parts: Sequence[str]) -> str:
    """Join parts of a sentence, the last one after ``and``.

    Examples
    --------
    >>> joined(["a"]), joined(["a", "b", "c"]), joined([])
    ('a', 'a, b and c', '')
    """
    first, last = parts[:-1], parts[-1:]
    return " and ".join([*([", ".join(first)] if first else []), *last])


def dotted(steps: Iterable[object]) -> str:
    """Write where something stands in a file, on one line: names in it may hold any letter.

    Examples
    --------
    >>> dotted(("schema", "features", 0))
    'schema.features.0'
    """
    names = [str(step) for step in steps]
    return ".".join(name if name.isprintable() else repr(name) for name in names)
