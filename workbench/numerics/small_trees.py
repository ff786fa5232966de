"""Decision trees over statements: the best one of a depth, what it says, and its rules."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, Integer


class Leaf(NamedTuple):
    """The end of a way: a class code, or a value."""

    label: float


class Node(NamedTuple):
    """A question: the position of a statement, and where it leads if true and if false."""

    statement: int
    yes: "Tree"
    no: "Tree"


Tree = Leaf | Node
# One way from the top: statements with their answers, and the label at the end.
Way = tuple[tuple[tuple[int, bool], ...], float]
# Grows a tree on rows, given the answer that led there.
Grow = Callable[[np.ndarray, np.ndarray, bool], Tree]


def joined(statement: int, yes: Tree, no: Tree) -> Tree:
    """Ask a statement, unless both answers say the same."""
    return yes if yes == no else Node(statement, yes, no)


def says(tree: Tree, holds: Bool[np.ndarray, "n m"]) -> Float[np.ndarray, " n"]:
    """Return what a tree says of rows."""
    if isinstance(tree, Leaf):
        return np.full(len(holds), tree.label)
    found = np.empty(len(holds))
    asked = holds[:, tree.statement]
    found[asked] = says(tree.yes, holds[asked])
    found[~asked] = says(tree.no, holds[~asked])
    return found


def ways(tree: Tree, so_far: tuple[tuple[int, bool], ...] = ()) -> Iterator[Way]:
    """Walk every way through a tree."""
    if isinstance(tree, Leaf):
        yield so_far, tree.label
        return
    yield from ways(tree.yes, (*so_far, (tree.statement, True)))
    yield from ways(tree.no, (*so_far, (tree.statement, False)))


def n_leaves(tree: Tree) -> int:
    """Count the leaves."""
    return sum(1 for _ in ways(tree))


def best_tree(
    holds: Bool[np.ndarray, "n m"], classes: Int[np.ndarray, " n"], n_classes: int, depth: int
) -> Tree:
    """Return a tree that gets few rows wrong: the best there is up to depth 2.

    Deeper ones ask the statement after which the Gini impurity is least, and end in the best
    trees of depth 2.

    Parameters
    ----------
    classes
        Of at least one row.
    """
    k = n_classes
    counts = np.bincount(classes, minlength=k)
    if depth == 0 or counts.max() == len(classes) or not holds.shape[1]:
        return Leaf(float(counts.argmax()))
    below: list[int] = []
    if depth == 1:
        true = np.stack([holds[classes == c].sum(0) for c in range(k)])  # (k, m)
        first = int((_wrong(true) + _wrong(counts[:, None] - true)).argmin())
    elif depth == 2:
        first, *below = _best_pair(holds, classes, counts)
    else:
        first = _purest(holds, classes, counts)

    def grow(inside: np.ndarray, own: np.ndarray, answer: bool) -> Tree:
        if depth == 2:
            second = below[0 if answer else 1]
            return _asking(second, inside, own, lambda part, of, _: best_tree(part, of, k, 0))
        return best_tree(inside, own, k, depth - 1)

    return _asking(first, holds, classes, grow)


def _asking(
    statement: int, holds: Bool[np.ndarray, "n m"], classes: Int[np.ndarray, " n"], grow: Grow
) -> Tree:
    """Ask a statement and grow a tree on each side that has rows; a lone side stands for both."""
    asked = holds[:, statement]
    sides = [
        grow(holds[side], classes[side], answer)
        for side, answer in ((asked, True), (~asked, False))
        if side.any()
    ]
    return sides[0] if len(sides) == 1 else joined(statement, sides[0], sides[1])


def _wrong(counts: Integer[np.ndarray, "k *m"]) -> Integer[np.ndarray, "*m"]:
    """Rows that the commonest class gets wrong."""
    found: np.ndarray = counts.sum(0) - counts.max(0)
    return found


def _best_pair(
    holds: Bool[np.ndarray, "n m"], classes: Int[np.ndarray, " n"], counts: Int[np.ndarray, " k"]
) -> tuple[int, int, int]:
    """Return the first statement and those below it, from counts of all pairs at once."""
    both = np.stack([
        np.matmul(own.T, own).astype(np.int64)
        for own in (holds[classes == c].astype(np.float32) for c in range(len(counts)))
    ])  # (k, m, m)
    one = np.diagonal(both, axis1=1, axis2=2)  # (k, m)
    here, there = one[:, :, None], one[:, None, :]
    inside = _wrong(both) + _wrong(here - both)
    outside = _wrong(there - both) + _wrong(counts[:, None, None] - here - there + both)
    first = int((inside.min(1) + outside.min(1)).argmin())
    return first, int(inside[first].argmin()), int(outside[first].argmin())


def _purest(
    holds: Bool[np.ndarray, "n m"], classes: Int[np.ndarray, " n"], counts: Int[np.ndarray, " k"]
) -> int:
    """Return the statement after which the Gini impurity is least."""
    true = np.stack([holds[classes == c].sum(0) for c in range(len(counts))]).astype(float)
    false = counts[:, None] - true
    pure = sum(np.square(part).sum(0) / np.maximum(part.sum(0), 1) for part in (true, false))
    return int(np.argmax(pure))


def drawn_tree(
    splits: Integer[np.ndarray, " s"], holds: Bool[np.ndarray, "n m"],
    classes: Int[np.ndarray, " n"], n_classes: int, place: int = 0,
) -> Tree:  # fmt: skip
    """Return the tree of the statements at its places, its leaves taking the commonest class."""
    if place >= len(splits):
        return best_tree(holds, classes, n_classes, 0)
    return _asking(int(splits[place]), holds, classes, lambda inside, own, true: drawn_tree(
        splits, inside, own, n_classes, 2 * place + (1 if true else 2)
    ))  # fmt: skip


def of_sklearn(fitted: Any, label: Callable[[np.ndarray], float], node: int = 0) -> Tree:
    """Return a tree that scikit-learn fitted to statements (0 false, 1 true).

    Parameters
    ----------
    label
        Turns the values that it keeps of a leaf into a label.
    """
    tree = fitted.tree_
    if tree.children_left[node] < 0:
        return Leaf(label(tree.value[node, 0]))
    return joined(
        int(tree.feature[node]),
        of_sklearn(fitted, label, int(tree.children_right[node])),
        of_sklearn(fitted, label, int(tree.children_left[node])),
    )
