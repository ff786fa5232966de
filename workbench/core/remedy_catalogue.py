"""What can be tried to lessen gaps between groups, and what each remedy does not mend."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Stage = Literal["none", "pre", "in", "post", "select"]
# Where a remedy acts, in words.
STAGES: Mapping[Stage, str] = {
    "none": "nothing is changed",
    "pre": "changes the rows before training",
    "in": "changes the training",
    "post": "changes the decisions of the model that there is",
    "select": "chooses among several trained models",
}
AS_IS = "as_is"


@dataclass(frozen=True)
class Remedy:
    """What can be tried.

    Attributes
    ----------
    stage
        Where it acts, a key of ``STAGES``.
    does
        What is done, in a lay reader's words.
    watch
        What it does not mend, or harms.
    source
        Where it is from.
    """

    title: str
    stage: Stage
    does: str
    watch: str
    source: str = ""


REMEDIES: Mapping[str, Remedy] = {
    AS_IS: Remedy(
        "As it is", "none", "Nothing: the model decides as it does.",
        "What all others are held against.",
    ),
    "retrained": Remedy(
        "Trained again", "none",
        "The same network is trained again on the same rows, and nothing else is changed.",
        "A control: what changes here comes with training again, and no remedy may claim it.",
    ),
    "reweighing": Remedy(
        "Reweighing", "pre",
        "Rows count more in training where their group has their outcome more rarely than chance "
        "would have it; the network is trained again with these weights.",
        "It evens out how outcomes go with groups, not mistakes; features that stand in for the "
        "group still do.",
        "Kamiran and Calders (2012), Data Preprocessing Techniques for Classification without "
        "Discrimination, Sec. 4.3",
    ),
    "correlation_remover": Remedy(
        "Correlation remover", "pre",
        "What a straight line can tell of the group is taken out of every input; the network is "
        "trained again on what is left.",
        "Curved and joint traces of the group stay; inputs no longer mean what they say, and the "
        "group of a person has to be known for each decision.",
        "Bird et al. (2020), Fairlearn: A Toolkit for Assessing and Improving Fairness in AI",
    ),
    "masking": Remedy(
        "Masking", "pre",
        "Columns, or some of their categories, are hidden from the network, which is trained again "
        "without them.",
        "Other columns may tell the group as well: see how far it can be told before and after.",
        "FairLay-ML, a tool that masks what its search blames and trains again",
    ),
    "exponentiated_gradient": Remedy(
        "Exponentiated gradient", "in",
        "A learner is trained many times with costs that rise for whoever is treated worse, and a "
        "lot is drawn among the trained ones for each decision.",
        "Decisions are drawn by lot: the same person may be granted today and refused tomorrow.",
        "Agarwal, Beygelzimer, Dudik, Langford and Wallach (2018), A Reductions Approach to Fair "
        "Classification, Algorithm 1",
    ),
    "grid_search": Remedy(
        "Grid search", "in",
        "A learner is trained once for each of a grid of costs, and the one with the least gap is "
        "kept that stays accurate enough on validation rows.",
        "A grid covers few groups well; with many, most of it is far from the best costs.",
        "Agarwal, Beygelzimer, Dudik, Langford and Wallach (2018), Sec. 3.4",
    ),
    "threshold_optimizer": Remedy(
        "Threshold optimizer", "post",
        "Each group gets its own threshold, and a lot between two where one cannot be met exactly.",
        "It needs the group of each person when it decides, and part of its decisions are drawn "
        "by lot. Thresholds by group may be unlawful.",
        "Hardt, Price and Srebro (2016), Equality of Opportunity in Supervised Learning",
    ),
    "group_thresholds": Remedy(
        "Thresholds by group", "post",
        "Each group gets its own threshold; no lot is drawn.",
        "It needs the group of each person when it decides, and two people of the same score may "
        "be decided differently. Thresholds by group may be unlawful.",
        "Hardt, Price and Srebro (2016), without their randomisation",
    ),
    "reject_option": Remedy(
        "Reject option", "post",
        "Where the model is least sure, the worse-off groups are granted and the better-off ones "
        "refused.",
        "It needs the group of each person when it decides, and openly decides by it.",
        "Kamiran, Karim and Zhang (2012), Decision Theory for Discrimination-aware Classification",
    ),
    "selection": Remedy(
        "Choice among equally good models", "select",
        "The network is trained from several starts, and the one with the least gap on validation "
        "rows is kept among those that are as accurate.",
        "The least gap of many is too good by chance: only the test rows tell. Where all of them "
        "are alike there is nothing to choose.",
        "Black, Raghavan and Barocas (2022), Model Multiplicity: Opportunities, Concerns, and "
        "Solutions",
    ),
    "hyperparameters": Remedy(
        "Choice of the network's settings", "select",
        "Networks of other width, depth and training are tried, and the one with the least gap on "
        "validation rows is kept among those that are as accurate.",
        "The least gap of many is too good by chance: only the test rows tell.",
        "Tizpaz-Niari, Kumar, Tan and Trivedi (2022), Fairness-aware Configuration of Machine "
        "Learning Libraries",
    ),
}  # fmt: skip
