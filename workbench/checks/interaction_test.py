"""Checks of a test of interactions: is the model's strongest in the data, are any needed."""

from workbench.checks.record import Check, Finding
from workbench.core.interaction_scores import FLOOR
from workbench.core.interaction_test import BEYOND, VERDICTS, InteractionTest
from workbench.core.wording import percent


def strongest_in_data(result: InteractionTest) -> Finding:
    """Ask whether the pair that the given model uses most is in the data."""
    i = int(result.given.argmax())
    share, q, name = float(result.given[i]), float(result.q[i]), result.pair_names[i]
    evidence = {"share": share, "q": q, "without": float(result.typical_without[i])}
    brief = f"{percent(share)}, q {q:.2g}"
    if result.verdicts[i] == "none":
        return Finding(
            "not_applicable",
            f"No pair of the model is of practical importance (above {percent(FLOOR)} of the "
            "variance).",
            evidence,
        )
    if result.in_data[i]:
        sentence = f"The pair that the model uses most, {name}, is in the data."
        return Finding("ok", sentence, evidence, result.level, brief)
    if result.verdicts[i] == "open":
        sentence = (
            f"Whether the pair that the model uses most, {name}, is in the data is not settled: "
            "networks trained on the real labels have as much, but too few were trained to rule "
            "out chance. Use more simulations and refits."
        )
        return Finding("warning", sentence, evidence, result.level, brief)
    sentence = (
        f"The pair that the model uses most, {name}, is not in the data "
        f"({VERDICTS[result.verdicts[i]]}): do not read it as knowledge about the world."
    )
    return Finding("warning", sentence, evidence, result.level, brief)


def interactions_needed(result: InteractionTest) -> Finding:
    """Compare the loss of networks with that of the additive model, row by row."""
    limit = -BEYOND * result.network_noise
    evidence = {"excess": result.network_excess, "noise": result.network_noise}
    brief = f"{result.network_excess:+.3g} ± {-limit:.2g}".replace("-", "\N{MINUS SIGN}")
    if result.additive_is_as_good:
        sentence = (
            "Networks predict no better than a model without interactions by more than chance: "
            "these rows do not show that interactions are needed, and such a model is easier to "
            "read."
        )
        return Finding("warning", sentence, evidence, limit, brief)
    sentence = "Networks predict better than a model without interactions, by more than chance."
    return Finding("ok", sentence, evidence, limit, brief)


INTERACTION_TEST_CHECKS = (
    Check("WB036", "Strongest pair in the data", "warning", 0, InteractionTest, strongest_in_data),
    Check("WB037", "Interactions are needed", "warning", 0, InteractionTest, interactions_needed),
)
