"""A range in parts."""


def slices(n: int, step: int) -> list[slice]:
    """Cut ``n`` things into parts of ``step``, the last one shorter.

    Examples
    --------
    >>> slices(5, 2)
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    return [slice(start, min(n, start + step)) for start in range(0, n, step)]
