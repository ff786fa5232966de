"""A check of simpler models: does the small tree hold on rows that did not choose it?"""

from workbench.checks.record import Check, Finding
from workbench.core.simpler_models import SimplerModels
from workbench.core.wording import counted

# Standard errors beyond which a difference is not noise.
BEYOND = 1.96


def tree_holds(result: SimplerModels) -> Finding:
    """Compare the tree's excess loss on the rows reported on with the tolerance and its noise."""
    if not result.within:
        return Finding(
            "not_applicable",
            "No small tree is within the tolerance on the validation rows, so none is claimed.",
        )
    allowed = result.tolerance * result.base_loss
    excess, noise = result.tree_excess, result.tree_noise
    evidence = {"excess": excess, "noise": noise, "allowed": allowed}
    rules = counted(len(result.rules), "rule")
    brief = f"excess {excess:+.3g} ± {BEYOND * noise:.2g}"
    limit = allowed + BEYOND * noise
    if excess <= limit:
        sentence = (
            f"On the rows reported on, the tree of {rules} is not worse than the model by more "
            "than the tolerance and chance."
        )
        return Finding("ok", sentence, evidence, limit, brief)
    sentence = (
        f"The tree of {rules} was within the tolerance on the validation rows and is worse on "
        "those reported on by more than chance, so it is no equal of the model; lower the "
        "tolerance, or choose on more validation rows."
    )
    return Finding("warning", sentence, evidence, limit, brief)


SIMPLER_CHECKS = (Check("WB029", "The small tree holds", "warning", 0, SimplerModels, tree_holds),)
