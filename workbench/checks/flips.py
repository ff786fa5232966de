"""Checks of attribute flips: are the alternatives anybody, and how sure is a share of none."""

from workbench.checks.record import Check, Finding
from workbench.core.flips import AttributeFlips
from workbench.core.wording import counted, percent

# Share of alternatives that may be hardly ever met, or of whom nothing is known.
MOST_ODD = 0.1
# How many flips nobody has seen may remain.
SURE = 0.01


def alternatives_are_met(result: AttributeFlips) -> Finding:
    """Ask how many alternatives are hardly ever met in the data."""
    n = int(result.known.sum())
    if result.mode == "conditional":
        return Finding("not_applicable", "Alternatives are real rows of the other group.")
    share = float(result.implausible.sum() / n) if n else 0.0
    evidence = {"share": share, "alternatives": float(n)}
    brief = f"{percent(share)} hardly ever met"
    if share > MOST_ODD:
        with_all, without = (float(result.overall[0, v, 0]) for v in (0, 1))
        pair = f", such as {result.pairs[0][0]} with {result.pairs[0][1]}" if result.pairs else ""
        return Finding(
            "warning",
            f"{percent(share)} of the alternatives are hardly ever met in the data{pair}: the "
            f"model was never taught about them. Of all, {percent(with_all)} of people are "
            f"decided otherwise, with plausible alternatives alone {percent(without)}; look at "
            "these, or set mode to conditional.",
            evidence, MOST_ODD, brief,
        )  # fmt: skip
    untold = result.known & ~result.seldom & (result.support != result.support)
    if n and untold.sum() / n > MOST_ODD:
        share = float(untold.sum() / n)
        return Finding(
            "warning",
            f"Of {percent(share)} of the alternatives it is not known how often they are met: too "
            "few rows are of these groups. Use more rows, or fewer groups.",
            evidence | {"unknown": share}, MOST_ODD, f"{percent(share)} not known",
        )  # fmt: skip
    return Finding(
        "ok", "Nearly all alternatives are met among people who are alike.", evidence, MOST_ODD,
        brief,
    )  # fmt: skip


def none_is_not_never(result: AttributeFlips) -> Finding:
    """Say what no flip in so many rows means; nothing but an upper bound."""
    high, n = float(result.overall[0, 0, 2]), len(result)
    evidence = {"upper_bound": high, "rows": float(n)}
    seen = int(result.flipped().sum())
    if seen:
        return Finding(
            "ok", f"Decisions change, of {counted(seen, 'row')}: there is more than a bound.",
            evidence, SURE, f"{counted(seen, 'flip')} seen",
        )  # fmt: skip
    brief = f"0 of {n:,}, up to {percent(high, 2)}"
    if high > SURE:
        return Finding(
            "warning",
            f"No decision of {counted(n, 'row')} changes, which is no proof that none does: up "
            f"to {percent(high, 2)} of all may. Use more rows to be surer.",
            evidence, SURE, brief,
        )  # fmt: skip
    return Finding(
        "ok",
        f"No decision of {counted(n, 'row')} changes; at most {percent(high, 2)} of all do.",
        evidence, SURE, brief,
    )  # fmt: skip


FLIPS_CHECKS = (
    Check("WB050", "Alternatives are met", "warning", 0, AttributeFlips, alternatives_are_met),
    Check("WB051", "None is not never", "warning", 0, AttributeFlips, none_is_not_never),
)
