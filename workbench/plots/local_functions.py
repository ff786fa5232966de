"""Functions fitted in a neighbourhood that a user chose: coefficients as bars, and in words."""

import numpy as np
import plotly.graph_objects as go
from scipy import stats

from workbench.core.faithfulness import ADEQUATE
from workbench.core.results import LEVEL, LocalFunctions
from workbench.core.wording import counted, percent
from workbench.plots import words
from workbench.plots.coefficients import Coefficients, coefficient_bars, moves
from workbench.plots.layout import check_bars, check_row, empty

TIMES = "\N{MULTIPLICATION SIGN}"
NAMED = 3


def coefficients(
    functions: LocalFunctions,
    row: int = 0,
    *,
    output: str | int | None = None,
    max_features: int = 12,
    dark: bool = False,
) -> go.Figure:
    """Draw the coefficients of one row's function, pairs among them, with 95 % intervals.

    The intervals are for the choice of samples; features that were not selected are left out.

    Parameters
    ----------
    row
        Position of the row in the result, not its number in the file.

    Raises
    ------
    InvalidInputError
        If there is no such row or output, or ``max_features`` is below 1.
    """
    which = functions.output_index(output)
    check_bars(max_features)
    if not len(functions):
        return empty(dark=dark)
    check_row(functions, row)
    found = coefficients_of(functions, row, which)
    if not len(found.values):
        return empty("The function has no feature.", dark=dark)
    return coefficient_bars(
        found, _quantity(functions, which), f"coefficients, row {functions.ids[row]}",
        f"misses {percent(float(functions.share_missed(which)[row]))} of the variance",
        "whiskers: 95 %, samples", max_features=max_features, dark=dark, what="coefficient",
    )  # fmt: skip


def coefficients_of(functions: LocalFunctions, row: int, which: int) -> Coefficients:
    """Return the coefficients of one row's function, the largest first.

    Those that were not selected, or are 0 as nothing varies, are left out.
    """
    names = [_subject(functions, row, j) for j in range(len(functions.names))]
    pairs = [f"{functions.names[i]} {TIMES} {functions.names[j]}" for i, j in functions.pairs]
    meanings = [
        *(f"{name}: {meaning}" for name, meaning in zip(names, functions.meanings, strict=True)),
        *(f"{pair}: both together, beyond each alone" for pair in pairs),
    ]
    values, errors = (
        np.append(of_features[row, :, which], of_pairs[row, :, which])
        for of_features, of_pairs in (
            (functions.coefficients, functions.pair_coefficients),
            (functions.std_errors, functions.pair_std_errors),
        )
    )
    kept = np.append(functions.selected[row, :, which], np.ones(len(pairs), dtype=bool))
    order = np.argsort(-np.abs(values), kind="stable")
    order = order[kept[order] & (values[order] != 0)]
    half = float(stats.norm.ppf(0.5 + LEVEL / 2)) * errors[order]
    labels = [*names, *pairs]
    return Coefficients(
        [labels[i] for i in order], [meanings[i] for i in order], values[order], half
    )


def _subject(functions: LocalFunctions, row: int, feature: int) -> str:
    """Name what a coefficient is about: a number that is moved by itself, else its value."""
    is_number = functions.schema.features[feature].kind != "categorical"
    if functions.operator == "add" and is_number:
        return functions.names[feature]
    return words.feature_is(functions, row, feature)


def local_function_sentence(
    functions: LocalFunctions, row: int | None = None, output: str | int | None = None
) -> str:
    """Say what moves the output most in a row's function, and what the function misses.

    Up to two coefficients are named each way; one whose 95 % interval includes 0, or that is
    below a twentieth of the largest, is left out. Of several rows, which features have the largest
    coefficients, and what is missed in the middle.

    Raises
    ------
    InvalidInputError
        If there is no such row or output.
    """
    which = functions.output_index(output)
    if not len(functions):
        return "There are no rows to explain."
    if row is None and len(functions) > 1:
        return _overall(functions, which)
    row = row or 0
    check_row(functions, row)
    found, what = coefficients_of(functions, row, which), _quantity(functions, which)
    named = found.worth_a_word()
    start = f"Near row {functions.ids[row]}"
    if not functions.total[row, which]:
        return f"{start}, {what} does not change: there is nothing to explain."
    missed = _missed(float(functions.share_missed(which)[row]), functions.function)
    if not named:
        return f"{start}, no feature moves {what} by more than its uncertainty. {missed}"
    return f"{start}, for {what}, {moves(named)}. {missed}"


def _overall(functions: LocalFunctions, which: int) -> str:
    size = np.abs(functions.coefficients[:, :, which]).mean(0)
    order = [int(j) for j in np.argsort(-size, kind="stable")[:NAMED] if size[j] > 0]
    what, rows = _quantity(functions, which), counted(len(functions), "row")
    shares = functions.share_missed(which)
    said = _missed(float(np.median(shares)), functions.function, "in the middle of the rows ")
    poor = int((shares > ADEQUATE).sum())
    more = f" For {counted(poor, 'row')} it misses more than {percent(ADEQUATE)}." if poor else ""
    if not order:
        return f"Near {rows}, no feature moves {what}. {said}{more}"
    named = ", ".join(f"{functions.names[j]} ({words.number(float(size[j]))})" for j in order)
    return f"Near {rows}, {what} depends most on {named}; mean size. {said}{more}"


def _missed(share: float, function: str, where: str = "") -> str:
    """Say what is missed of samples that a function has not seen, and when that is too much."""
    kind = {"linear": "linear", "sparse": "sparse linear", "logistic": "logistic",
            "pairwise": "pairwise"}[function]  # fmt: skip
    said = (
        f"The {kind} function misses {where}{percent(share)} of the variance over samples that it "
        "has not seen"
    )
    if share > ADEQUATE:
        return f"{said}, so it is no adequate picture of the model there; look at a smaller scale."
    return f"{said}."


def _quantity(functions: LocalFunctions, which: int) -> str:
    """Name what is explained; the coefficients of a logistic function are in log-odds."""
    if functions.function == "logistic":
        return f"log-odds of {functions.output_names[which]}"
    return words.quantity(functions, which)
