"""Results in plain words: the sentence above a figure, and the numbers inside it.

Everything here is plain text. Names come from a user's file, so whoever shows a sentence escapes
it for the place where it is shown.
"""

import math

import numpy as np

from workbench.core.performance import Measure, Performance
from workbench.core.result import Result
from workbench.core.results import (
    Attribution,
    AttributionRange,
    Faithfulness,
    InteractionScores,
    LocalFunctions,
    LocalModels,
    Measures,
    Profiles,
    RashomonSet,
    ScaleCurves,
)
from workbench.core.wording import COUNTED_ALIKE, COUNTED_BY, counted, percent

# Results about outputs of rows.
Explained = (
    Attribution | AttributionRange | Faithfulness | LocalFunctions | LocalModels | Measures
    | Profiles | RashomonSet | ScaleCurves
)  # fmt: skip

MINUS = "\N{MINUS SIGN}"
SCALES = ("probability", "log-odds", "logit", "log-probability")
NAMED = 2
# An effect below a twentieth of the row's largest one is not worth a word, and for exact methods
# rounding noise must not be told as a direction.
WORTH_A_WORD = 0.05


def counting_sentence(result: Result) -> str:
    """Say how rows count, where they have sampling weights; empty where they have none."""
    told = (COUNTED_ALIKE, COUNTED_BY)
    notes = (note for note in result.provenance.notes if note.startswith(told))
    return "".join(f"{note[0].upper()}{note[1:]}." for note in notes)


def number(value: float) -> str:
    """Write a number with three significant digits, thousands in full, and a true minus.

    Examples
    --------
    >>> number(0.8134), number(13270.42)
    ('0.813', '13,270')
    """
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return text.replace("-", MINUS)


def probability(value: float) -> str:
    """Write a probability, which never rounds to 0 or 1, nor to a half that it is not.

    Examples
    --------
    >>> probability(0.4997), probability(0.5), probability(0.46363), probability(0.99999)
    ('0.4997', '0.5', '0.464', 'more than 0.999')
    """
    if 0.999 < value < 1:
        return "more than 0.999"
    if 0 < value < 0.001:
        return "less than 0.001"
    text = number(value)
    if text != "0.5" or value == 0.5:
        return text
    closer = (f"{value:.{digits}f}" for digits in range(4, 9))
    return next((said for said in closer if float(said) != 0.5), text)


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


def measured(measure: Measure) -> str:
    """Write a metric with its interval: ``log-loss 0.304 (0.29 to 0.317)``."""
    if math.isnan(measure.value):
        return f"{measure.name} not defined"
    said = f"{measure.name} {number(measure.value)}"
    if math.isnan(measure.low):
        return said
    return f"{said} ({number(measure.low)} to {number(measure.high)})"


def quantity(result: Explained | InteractionScores, output: str | int | None = None) -> str:
    """Name what is explained, with its unit: ``probability of >50K``, ``price in EUR``."""
    name = result.output_names[result.output_index(output)]
    if result.unit in SCALES:
        return f"{result.unit} of {name}"
    return f"{name} in {result.unit}" if result.unit else name


def amount(attribution: Attribution, value: float) -> str:
    """Write a value of the explained quantity with its unit; a probability never rounds to 0 or 1.

    The scales of a classifier have no unit to add.
    """
    if attribution.unit == "probability":
        return probability(value)
    unit = "" if attribution.unit in SCALES else attribution.unit
    return f"{number(value)} {unit}".strip()


def feature_is(result: Explained, row: int, feature: int | np.integer) -> str:
    """Write ``name = value`` as a user knows both."""
    what = result.schema.features[feature]
    return f"{what.name} = {what.show(float(result.data[row, feature]))}"


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
    rows = counted(len(attribution), "row")
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


def performance_sentence(performance: Performance) -> str:
    """Say how often a model is right, against what is easily had, and where it is weakest.

    For a regression: how far it is off, and how much of the variation it explains.
    """
    by_weight = ", counted by weight," if performance.weighted else ""
    n = len(performance)
    rows = f"On {n:,} row{'' if n == 1 else 's'} of {performance.provenance.table}{by_weight}"
    if performance.task == "regression":
        return f"{rows} {_off(performance)}"
    accuracy = performance.metric("accuracy")
    simple = performance.metric("share of the commonest class")
    assert performance.confusion_shares is not None  # noqa: S101 - of every classifier
    commonest = performance.classes[int(performance.confusion_shares.sum(1).argmax())]
    right = f"the model is right for {_share(performance, accuracy)}"
    doubt = ", so it is not surely better" if accuracy.low <= simple.value else ""
    against = f"always saying {commonest} would be right for {percent(simple.value)}{doubt}"
    weakest = _positive if performance.task == "binary" else _weakest
    return f"{rows} {right}; {against}. {weakest(performance)}"


def _share(performance: Performance, measure: Measure) -> str:
    bounds = f"{percent(measure.low)} to {percent(measure.high)}"
    return f"{percent(measure.value)} ({percent(performance.level)} interval: {bounds})"


def _positive(performance: Performance) -> str:
    label = performance.curve_names[0]
    real = int(performance.supports[performance.classes.index(label)])
    found, correct = performance.metric("recall"), performance.metric("precision")
    rows = f"row that is {label}" if real == 1 else f"{real:,} rows that are {label}"
    first = (
        f"No row is {label}" if math.isnan(found.value)
        else f"It finds {percent(found.value)} of the {rows}"
    )  # fmt: skip
    second = (
        f"it calls no row {label}" if math.isnan(correct.value)
        else f"of those it calls {label}, {percent(correct.value)} are"
    )  # fmt: skip
    return f"{first}; {second}."


def _weakest(performance: Performance) -> str:
    assert performance.class_metrics is not None  # noqa: S101 - of every classifier
    recall = performance.class_metrics[:, 1, 0]
    worst = int(np.nanargmin(recall))
    if recall[worst] >= 1:
        return "It makes no mistake on these rows."
    real = int(performance.supports[worst])
    label = performance.classes[worst]
    rows = f"row that is {label}" if real == 1 else f"{real:,} rows that are {label}"
    return f"It does worst on {label}: it finds {percent(float(recall[worst]))} of the {rows}."


def _off(performance: Performance) -> str:
    unit = performance.schema.target_unit
    size, lean = performance.metric("mean absolute error"), performance.metric("mean error")
    said = f"the prediction is off by {f'{number(size.value)} {unit}'.strip()} on average"
    if not math.isnan(size.low):
        level = percent(performance.level)
        said += f" ({level} interval: {number(size.low)} to {number(size.high)})"
    if lean.low > 0 or lean.high < 0:
        way = "high" if lean.value > 0 else "low"
        said += f", leaning too {way} by {number(abs(lean.value))}"
    return f"{said}. {_explained(performance)}"


def _explained(performance: Performance) -> str:
    what, found = performance.schema.target or "the target", performance.metric("R squared")
    if math.isnan(found.value):
        return f"How much of the variation it explains is not defined: {found.note}."
    if found.value < 0:
        return f"It is worse than always saying the mean (R squared {number(found.value)})."
    if found.low <= 0:
        return f"It does not surely explain any of the variation of {what}."
    return f"It explains {_share(performance, found)} of the variation of {what}."
