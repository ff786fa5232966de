"""Results in plain words: the sentence above a figure, and the numbers inside it.

Everything here is plain text. Names come from a user's file, so whoever shows a sentence escapes
it for the place where it is shown.
"""

import math

import numpy as np

from workbench.core.results import Attribution

MINUS = "\N{MINUS SIGN}"
SCALES = ("probability", "log-odds", "logit", "log-probability")
NAMED = 2
# An effect below a twentieth of the row's largest one is not worth a word, and for exact methods
# rounding noise must not be told as a direction.
WORTH_A_WORD = 0.05


def number(value: float) -> str:
    """Write a number with three significant digits, thousands in full, and a true minus.

    Examples
    --------
    >>> number(0.8134), number(13270.42)
    ('0.813', '13,270')
    """
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return text.replace("-", MINUS)


def decimals_for(largest: float) -> int:
    """Decimals that give the largest of some numbers three significant digits.

    Examples
    --------
    >>> decimals_for(0.262), decimals_for(13270.0), decimals_for(0.0)
    (3, 0, 2)
    """
    if not (math.isfinite(largest) and largest > 0):
        return 2
    return min(12, max(0, 2 - math.floor(math.log10(largest))))


def signed(value: float, decimals: int) -> str:
    """Write an effect with its sign, a true minus; zero after rounding has none.

    Examples
    --------
    >>> signed(0.2618, 3), signed(-0.00001, 3)
    ('+0.262', '0.000')
    """
    text = f"{value:+,.{decimals}f}"
    if not any(digit in text for digit in "123456789"):
        return text[1:]
    return text.replace("-", MINUS)


def quantity(attribution: Attribution, output: str | int | None = None) -> str:
    """Name what is explained, with its unit: ``probability of >50K``, ``price in EUR``."""
    name = attribution.output_names[attribution.output_index(output)]
    if attribution.unit in SCALES:
        return f"{attribution.unit} of {name}"
    return f"{name} in {attribution.unit}" if attribution.unit else name


def amount(attribution: Attribution, value: float) -> str:
    """Write a value of the explained quantity with its unit; a probability never rounds to 0 or 1.

    The scales of a classifier have no unit to add.
    """
    if attribution.unit == "probability":
        if 0.999 < value < 1:
            return "more than 0.999"
        return "less than 0.001" if 0 < value < 0.001 else number(value)
    unit = "" if attribution.unit in SCALES else attribution.unit
    return f"{number(value)} {unit}".strip()


def feature_is(attribution: Attribution, row: int, feature: int) -> str:
    """Write ``name = value`` as a user knows both."""
    what = attribution.schema.features[feature]
    return f"{what.name} = {what.show(float(attribution.data[row, feature]))}"


def sentence(attribution: Attribution, row: int, output: str | int | None = None) -> str:
    """Say what is predicted for a row and which features raise or lower it most.

    Up to two features are named each way. A feature is left out when its 95 % interval includes 0
    or its effect is below a twentieth of the row's largest.

    Raises
    ------
    InvalidInputError
        If there is no such output.
    """
    which = attribution.output_index(output)
    values = attribution.values[row, :, which]
    half = attribution.uncertainty()[row, :, which]
    said = _predicted(attribution, row, which)
    worth = np.abs(values) >= WORTH_A_WORD * np.abs(values).max()
    settled = worth & (np.abs(values) > half)
    order = [int(i) for i in np.argsort(-np.abs(values), kind="stable") if settled[i]]
    if not order:
        beyond = " by more than its uncertainty" if attribution.sources_of_error else ""
        return f"{said} No feature moves it{beyond}."
    raising = _clause(attribution, row, [i for i in order if values[i] > 0], "raise")
    lowering = _clause(attribution, row, [i for i in order if values[i] < 0], "lower")
    clauses = [raising, lowering] if values[order[0]] > 0 else [lowering, raising]
    first, *rest = [clause for clause in clauses if clause]
    return f"{said} {'; '.join([f'{first} most', *rest])}."


def overall_sentence(attribution: Attribution, output: str | int | None = None) -> str:
    """Say which features move the output most over all rows, and by how much on average.

    Up to three features are named; one whose mean absolute attribution is within its mean 95 %
    half-width could be noise, and is left out.

    Raises
    ------
    InvalidInputError
        If there is no such output.
    """
    which = attribution.output_index(output)
    if not len(attribution):
        return "There are no rows to explain."
    size = np.abs(attribution.values[:, :, which]).mean(0)
    noise = attribution.uncertainty()[:, :, which].mean(0)
    named = [
        int(i)
        for i in np.argsort(-size, kind="stable")
        if size[i] > noise[i] and size[i] >= WORTH_A_WORD * size.max()
    ][:3]
    rows = f"{len(attribution):,} row{'' if len(attribution) == 1 else 's'}"
    what = quantity(attribution, which)
    if not named:
        beyond = " by more than its uncertainty" if attribution.sources_of_error else ""
        return f"Over {rows}, no feature moves {what}{beyond}."
    shown = [(attribution.names[i], number(float(size[i]))) for i in named]
    (name, by), *rest = shown
    others = " and ".join(f"{other} ({how_much})" for other, how_much in rest)
    followed = f", followed by {others}" if others else ""
    return f"Over {rows}, {name} moves {what} most (by {by} on average){followed}."


def _predicted(attribution: Attribution, row: int, which: int) -> str:
    value = amount(attribution, float(attribution.predictions[row, which]))
    name = attribution.output_names[which]
    linked = f"with {attribution.unit}" if attribution.unit in SCALES else "as"
    return f"Row {attribution.ids[row]}: {name} is predicted {linked} {value}."


def _clause(attribution: Attribution, row: int, features: list[int], verb: str) -> str:
    if not features:
        return ""
    named = [feature_is(attribution, row, i) for i in features[:NAMED]]
    return f"{' and '.join(named)} {verb}{'s' if len(named) == 1 else ''} it"
