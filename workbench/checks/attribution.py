"""Checks of attributions: do they add up, is sampling settled, is the background large enough."""

import numpy as np

from workbench.checks.record import Check, Finding, Status
from workbench.core.attribution import IMPORTED, MEAN_BASE, ON_PATHS
from workbench.core.explainer import LARGE_ERROR
from workbench.core.method import METHODS
from workbench.core.results import Attribution, Interactions
from workbench.core.wording import counted

# Allowed gap as (absolute, relative). In single precision an output carries a rounding of 6e-8 of
# its size, and an attribution sums thousands of them with both signs: the relative part leaves
# three decimal digits for that. In double precision the same sums are nine digits better; the
# tolerance asks for five of them, as solving the weighted regression costs the rest.
GAP_TOLERANCE = {"float32": (1e-5, 1e-4), "float64": (1e-10, 1e-9)}
GAP_FAILURE = 100.0
SAMPLING_TOLERANCE = 0.1
BACKGROUND_TOLERANCE = 0.1
# Below this the standard error of the base value is itself known to worse than one part in six.
BACKGROUND_ROWS = 20
UNSETTLED_TOLERANCE = 0.1
NAMED_FEATURES = 3

UNTOLD = "Imported without standard errors: how far sampling moved the values is not known."
NO_ROWS = Finding("not_applicable", "There are no rows to check.")


def additivity(attribution: Attribution) -> Finding:
    r"""Compare :math:`\max_{i,k} |f_k(x_i) - b_{ik} - \sum_j \phi_{ijk}|` with rounding.

    The tolerance is the largest of an absolute part times the size of the outputs (at least 1)
    and a relative part times the largest :math:`|f - b|`, both by the precision of the run, plus
    what the method itself leaves open (``Method.gap``).
    """
    return gap_found(attribution, "Attributions and base value")


def gap_found(result: Attribution | Interactions, parts: str) -> Finding:
    """Compare the largest gap between the prediction and the sum of some parts with rounding."""
    if not len(result):
        return NO_ROWS
    dtype = result.provenance.dtype.removeprefix("torch.")
    if dtype not in GAP_TOLERANCE:
        return Finding("not_applicable", f"No rounding tolerance is known for precision {dtype}.")
    absolute, relative = GAP_TOLERANCE[dtype]
    if result.provenance.params.get("base") == MEAN_BASE:
        return _without_base(result)
    if not np.isfinite(result.gap).all():
        return Finding("failure", "Some attributions or predictions are not numbers.")
    size = float(max(np.abs(result.predictions).max(), np.abs(result.base_values).max()))
    moved = float(np.abs(result.predictions - result.base_values).max())
    own = METHODS[method].gap if (method := result.provenance.method) in METHODS else 0.0
    tolerance = max(absolute * max(1.0, size), relative * moved) + own * moved
    gaps = np.abs(result.gap)
    gap, row = float(gaps.max()), int(result.ids[int(gaps.max(1).argmax())])
    evidence = {"max_gap": gap, "max_moved": moved, "row": float(row)}
    if gap <= tolerance:
        sentence = f"{parts} add up to the prediction; largest gap {gap:.1e}."
        if own:
            share = percent_of(gap / moved) if moved else "nothing"
            sentence = (
                f"{parts} miss the prediction by up to {gap:.2g} (row {row}), {share} of the "
                "largest move; more is not to be expected of this method."
            )
        return Finding("ok", sentence, evidence, tolerance, f"gap {gap:.1e}")
    sentence = (
        f"{parts} miss the prediction by up to {gap:.2g} (row {row}), "
        f"while {'the method itself' if own else 'rounding'} explains {tolerance:.1e}."
    )
    status: Status = "failure" if gap > GAP_FAILURE * tolerance else "warning"
    return Finding(status, sentence, evidence, tolerance, f"gap {gap:.1e}")


def _without_base(result: Attribution | Interactions) -> Finding:
    """Say what imported attributions miss of a mean prediction, which is no base value of theirs.

    Whether that is a fault cannot be told: they may add up from another background.
    """
    gaps = np.abs(result.gap)
    gap, row = float(gaps.max()), int(result.ids[int(gaps.max(1).argmax())])
    sentence = (
        "No base value came with these attributions, so that whether they add up cannot be told; "
        f"from the mean prediction they miss the prediction by up to {gap:.2g} (row {row})."
    )
    return Finding("not_applicable", sentence, {"max_gap": gap, "row": float(row)})


def sampling_error(attribution: Attribution) -> Finding:
    """Compare each row's largest standard error with its largest absolute attribution.

    Both are taken over the features and outputs of the row, so an output that hardly ever occurs
    is not judged by its own tiny effects.
    """
    if not len(attribution):
        return NO_ROWS
    if attribution.std_errors is None and attribution.provenance.method == IMPORTED:
        return Finding("not_applicable", UNTOLD)
    if attribution.std_errors is None:
        sentence = "Nothing was sampled, so there is no sampling error."
        return Finding("ok", sentence, brief="nothing sampled")
    if attribution.sampled == "explainer" and (found := _of_explainer(attribution)) is not None:
        return found
    errors = attribution.std_errors.max((1, 2))
    largest = np.abs(attribution.values).max((1, 2))
    # A row without any effect has nothing to compare with: all noise, unless there is none.
    ratio = np.where(errors > 0, 1.0, 0.0)
    np.divide(errors, largest, out=ratio, where=largest > 0)
    worst, median = float(ratio.max()), float(np.median(ratio))
    row = int(attribution.ids[int(ratio.argmax())])
    above = int((ratio > SAMPLING_TOLERANCE).sum())
    evidence = {
        "worst": worst,
        "median": median,
        "rows_above": float(above),
        "worst_row": float(row),
    }
    brief = f"{percent_of(worst)} of the largest effect"
    if not above:
        sentence = f"The largest standard error is {percent_of(worst)} of its row's largest effect."
        return Finding("ok", sentence, evidence, SAMPLING_TOLERANCE, brief)
    sentence = (
        f"In {_of_rows(above, attribution)} the standard error is above "
        f"{percent_of(SAMPLING_TOLERANCE)} of the largest effect (up to {percent_of(worst)}, row "
        f"{row}); {_more(attribution)}."
    )
    return Finding("warning", sentence, evidence, SAMPLING_TOLERANCE, brief)


def _more(attribution: Attribution) -> str:
    """Say what would make the error smaller."""
    if attribution.sampled == "explainer":
        return "explain these rows with an estimator, such as kernel"
    if attribution.sampled == ON_PATHS:
        return "take more points"
    return "raise the number of samples"


def _of_explainer(attribution: Attribution) -> Finding | None:
    """Judge the held-out error of an explainer as a whole; None where it is small enough."""
    assert attribution.std_errors is not None  # noqa: S101 - the caller looked
    size = float(np.sqrt((attribution.values**2).sum()))
    error = float(np.sqrt((attribution.std_errors**2).sum()))
    if error <= LARGE_ERROR * size:
        return None
    share = percent_of(error / size) if size else "more than all"
    sentence = (
        f"The explainer's error on held-out rows is {share} of the size of these values, too much "
        "to rely on; use an estimator, such as kernel or proxy, instead."
    )
    return Finding("warning", sentence, {"error": error, "size": size}, LARGE_ERROR,
                   f"{share} of the values")  # fmt: skip


def background_size(attribution: Attribution) -> Finding:
    r"""Compare what another draw of background rows would do with the largest effect.

    :math:`\max_k \sqrt{\tfrac1d \sum_j s_{jk}^2} \,/\, \max_{jk} \overline{|\phi_{jk}|}`, with
    :math:`s_{jk}` the standard error of an attribution from the choice of background rows.
    """
    n_background = attribution.provenance.n_background
    if not len(attribution):
        return NO_ROWS
    learned = attribution.provenance.params.get("value") == "conditional"
    if learned or not n_background:
        what = "A surrogate stands in for the" if learned else "The method uses no"
        sentence = f"{what} background rows."
        if attribution.provenance.method == IMPORTED:
            sentence = "Imported attributions do not say which background rows they are from."
        return Finding("not_applicable", sentence)
    evidence = {"rows": float(n_background)}
    errors = attribution.background_std_errors
    if n_background < BACKGROUND_ROWS:
        rows = f"{n_background} row{'' if n_background == 1 else 's'}"
        sentence = f"The background has {rows}; use at least {BACKGROUND_ROWS}."
        return Finding("warning", sentence, evidence, BACKGROUND_TOLERANCE, f"only {rows}")
    if errors is None:
        sentence = "The method does not estimate what another background would give."
        return Finding("not_applicable", sentence, evidence)
    typical = float(np.sqrt((errors**2).mean(0)).max())
    largest = float(np.abs(attribution.values).mean(0).max())
    ratio = typical / largest if largest > 0 else float(typical > 0)
    evidence = {"ratio": ratio, "typical_error": typical, **evidence}
    brief = f"{counted(n_background, 'row')}, stable to {typical:.2g}"
    again = f"another draw of {n_background} background rows"
    if attribution.drawn == "draws":
        again = "another set of draws"
    moved = (
        f"{again} moves an attribution by about "
        f"{typical:.2g}, {percent_of(ratio)} of the largest effect"
    )
    if ratio > BACKGROUND_TOLERANCE:
        sentence = f"{moved[0].upper()}{moved[1:]}; use more rows."
        return Finding("warning", sentence, evidence, BACKGROUND_TOLERANCE, brief)
    return Finding("ok", f"Stable: {moved}.", evidence, BACKGROUND_TOLERANCE, brief)


def off_scale(attribution: Attribution) -> Finding:
    """Count rows with a number outside the range that the model saw in training."""
    if not len(attribution):
        return NO_ROWS
    ranges = {
        j: feature.range
        for j, feature in enumerate(attribution.schema.features)
        if feature.kind == "numeric" and feature.range is not None
    }
    if not ranges:
        return Finding("not_applicable", "The schema does not say which range was trained on.")
    outside = np.zeros(attribution.data.shape, dtype=bool)
    for j, (low, high) in ranges.items():
        column = attribution.data[:, j]
        outside[:, j] = (column < low) | (column > high)  # NaN is neither
    rows = outside.any(1)
    count = int(rows.sum())
    features = [j for j in ranges if outside[:, j].any()]
    evidence = {"rows": float(count), "features": float(len(features))}
    if not count:
        sentence = "Every number lies within the range of the training data."
        return Finding("ok", sentence, evidence, brief="never left")
    first = int(attribution.ids[int(rows.argmax())])
    named = [_range_of(attribution, j, outside[:, j]) for j in features[:NAMED_FEATURES]]
    if len(features) > NAMED_FEATURES:
        named.append(counted(len(features) - NAMED_FEATURES, "more feature"))
    sentence = (
        f"Outside the range of the training data in {_of_rows(count, attribution)} "
        f"(first: row {first}), where the model was never tested: {', '.join(named)}."
    )
    brief = f"left in {_of_rows(count, attribution)}"
    return Finding("warning", sentence, evidence | {"first_row": float(first)}, brief=brief)


def rank_settled(attribution: Attribution) -> Finding:
    r"""Count rows whose first and second feature could change places.

    They could where :math:`|\phi_1| - |\phi_2| < \sqrt{h_1^2 + h_2^2}` with :math:`h` the half
    widths of the 95 % intervals, as if the two errors were independent. Of several outputs each
    row is judged by the one that the model puts first.
    """
    if not len(attribution):
        return NO_ROWS
    if len(attribution.names) < 2:
        return Finding("not_applicable", "One feature alone has no rank.")
    if attribution.std_errors is None and attribution.provenance.method == IMPORTED:
        return Finding("not_applicable", UNTOLD)
    if attribution.std_errors is None:
        sentence = "Nothing was sampled, so the order of the features is settled."
        return Finding("ok", sentence, brief="nothing sampled")
    size = np.abs(attribution.values)
    order = np.argsort(-size, axis=1, kind="stable")[:, :2]  # (n, 2, k)
    top = np.take_along_axis(size, order, axis=1)
    half = np.take_along_axis(attribution.half_widths(), order, axis=1)
    unsettled = top[:, 0] - top[:, 1] < np.hypot(half[:, 0], half[:, 1])  # (n, k)
    first = attribution.predictions.argmax(1)
    rows = np.take_along_axis(unsettled, first[:, None], axis=1)[:, 0]
    count, share = int(rows.sum()), float(rows.mean())
    evidence = {"share": share, "rows": float(count)}
    brief = f"first feature sure in {len(rows) - count:,} of {len(rows):,}"
    if share <= UNSETTLED_TOLERANCE:
        sentence = (
            f"The first feature is settled in {_of_rows(len(rows) - count, attribution)}."
        )  # fmt: skip
        return Finding("ok", sentence, evidence, UNSETTLED_TOLERANCE, brief)
    sentence = (
        f"In {_of_rows(count, attribution)} the first two features could change places within "
        f"the sampling error; read them as equals or {_more(attribution)}."
    )
    return Finding("warning", sentence, evidence, UNSETTLED_TOLERANCE, brief)


def percent_of(share: float) -> str:
    """Write a ratio per cent, short; what is not quite nothing is never rounded to it."""
    if 0 < share < 0.001:
        return "less than 0.1 %"
    return f"{100 * share:.2g} %" if share < 1 else f"{100 * share:.0f} %"


def _of_rows(count: int, attribution: Attribution) -> str:
    total = len(attribution)
    return "the row" if total == 1 else f"{count:,} of {total:,} rows"


def _range_of(attribution: Attribution, feature: int, outside: np.ndarray) -> str:
    what = attribution.schema.features[feature]
    assert what.range is not None  # noqa: S101 - the caller chose features with a range
    column = attribution.data[outside, feature]
    seen = f"{what.show(float(column.min()))} to {what.show(float(column.max()))}"
    if column.min() == column.max():
        seen = what.show(float(column.min()))
    low, high = (what.show(edge) for edge in what.range)
    return f"{what.name} at {seen} (trained on {low} to {high})"


ATTRIBUTION_CHECKS = (
    Check("WB001", "Adds up", "failure", 0, Attribution, additivity),
    Check("WB002", "Sampling error", "warning", 0, Attribution, sampling_error),
    Check("WB003", "Background", "warning", 0, Attribution, background_size),
    Check("WB004", "Within training range", "warning", 0, Attribution, off_scale),
    Check("WB005", "Order settled", "warning", 0, Attribution, rank_settled),
)
