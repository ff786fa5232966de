"""What to do where a check objects, in a sentence or two; the page of the check says more."""

from collections.abc import Mapping

ADVICE: Mapping[str, str] = {
    "WB001": (
        "Run again in double precision: a gap that shrinks by many orders was rounding. A gap "
        "that stays is a fault of the method or a model that answers differently each time "
        "(dropout left on, statistics of the batch)."
    ),
    "WB002": (
        "Raise the number of samples; the error falls with its square root, so a quarter of "
        "the error costs sixteen times the samples. With few features choose the exact "
        "method."
    ),
    "WB003": (
        "Use more background rows, drawn from the rows that the question compares with. The "
        "error falls with the square root of their number."
    ),
    "WB004": (
        "Look for a wrong unit or a typing error first. If the number is right, the model "
        "extrapolates there: read the explanation as what the model does, not as what is true "
        "of such rows."
    ),
    "WB005": (
        "In the rows concerned, name both features as equally important, or raise the number "
        "of samples."
    ),
    "WB006": (
        "Evaluate on more rows, most of all of the classes that are named. Where there are "
        "none, quote the intervals and not the values, and do not rank models by such a "
        "class."
    ),
    "WB007": (
        "Use the probabilities to rank, not as chances; or recalibrate the model on rows that "
        "were not trained on (Platt scaling, isotonic regression) and evaluate again."
    ),
    "WB008": "Evaluate on the test part, or on rows that were gathered later.",
    "WB009": (
        "Run again in double precision: a gap that shrinks by many orders was rounding. A gap "
        "that stays is a fault of the method or a model that answers differently each time. "
        "Do not use the numbers until it is found."
    ),
    "WB010": (
        "Use more background rows: the error falls with the square root of their number. "
        "Until then read the strongest pairs alone, and not those that the figure draws "
        "faint."
    ),
    "WB011": (
        "Look for a wrong unit or a typing error first. If the number is right, the model "
        "extrapolates there: how features work together on such rows says little about rows "
        "like those it was trained on."
    ),
    "WB012": (
        "Do not read the coefficients as what the model does. Compare samplings (sampling), "
        "explain the score in place of the probability, or use a method that does not assume "
        "a straight line, such as Shapley values."
    ),
    "WB013": (
        "Read the result as a nearly global comparison, \"in this row's bin against any "
        "other\", not as a statement about the row's neighbourhood."
    ),
    "WB014": (
        "Set max_perturbations: samples are then doubled until the strongest features are "
        "told apart from the next by two standard errors. Where they are not even with many, "
        "features are equally strong, and their order means nothing."
    ),
    "WB015": (
        "Do not answer the question of that neighbourhood with a linear explanation. Choose a "
        "smaller neighbourhood (a curve of faithfulness against scale shows how small), let "
        "the function have pairs of features, or look at interactions."
    ),
    "WB016": (
        "Read the method only for the neighbourhoods where it misses little; the matrix marks "
        "the others."
    ),
    "WB017": (
        "Use more samples, ten for each coefficient at least; or a function with fewer "
        "coefficients (sparse, no pairs). Quote the share over samples not seen, never the "
        "other one."
    ),
    "WB018": (
        "Choose a smaller scale: a curve of faithfulness against scale shows up to where a "
        "linear function is honest. Let the function have pairs of features, or use a method "
        "that does not assume a straight line, such as Shapley values."
    ),
    "WB021": (
        "Report a larger tolerance, or admit on more rows. Figures tint the tolerances that "
        "are too small."
    ),
    "WB022": (
        "Choose a larger tolerance, more candidates, or let the strength be calibrated. If "
        "models that were trained again are never as good as the given one, train them longer "
        "or on as many rows."
    ),
    "WB023": (
        "Quote the number of models with the metric, look at the growth curve, and compare "
        "explorers at the same number."
    ),
    "WB024": (
        "Do not tell the person that such a feature speaks for or against them: whether it "
        "does is a choice among models that the data cannot tell apart."
    ),
    "WB025": (
        "Ask for more models, a larger tolerance (most), or admit on more rows. Where no "
        "model is admitted, nothing is known of an update; that is not the same as no churn."
    ),
    "WB026": (
        "Read which of the measures did not fall. Averaging often takes away the rare "
        "dissenter (fewer rows that some model decides otherwise) and leaves as many models "
        "that dissent."
    ),
    "WB028": (
        "Use these explorers only beside published figures, and report the explorers with one "
        "mask for each model."
    ),
    "WB029": (
        "Read the tree as a description of what is common, not as a replacement of the model. "
        "A lower tolerance asks for a closer tree, more leaves allow one. With few validation "
        "rows no choice is sure: bring more."
    ),
    "WB030": (
        "Read such a pair as redundancy until more is known: drop one of the two features and "
        "train again, or look at the accumulated effects of both, which stay where rows are."
    ),
    "WB031": (
        "Do not read an order into the list of pairs. Where it is not settled, ask for more "
        "rows or permutations: with few, intervals are wide and a real pair may not be surely "
        "above the floor."
    ),
    "WB032": (
        "Name both pairs, or run again with more rows or permutations: the width falls with "
        "the root of their number. Where there are only few rows, no number of permutations "
        "settles it."
    ),
    "WB033": (
        "Use rows in which the feature varies: another split, or a cohort that is not defined "
        "by it. A score of 0 here does not say that the model ignores the feature."
    ),
    "WB034": (
        "Read it as an answer: models that are as good cannot weigh these features otherwise "
        "at once. Ranges of scores are over the models inside alone, so say how many these "
        "are."
    ),
    "WB035": "Use more rows (max_rows), or a larger tolerance.",
    "WB036": (
        "Where it is not settled, run the test with more simulations and refits. Else do not "
        "tell the pair as a finding about the world."
    ),
    "WB037": (
        "On these data a model that adds up one curve per feature will do, and can be read "
        "whole. With more rows interactions may come to light; few rows reported on leave the "
        "difference unsure."
    ),
    "WB038": (
        "Name the detector with the pair. Look at the figure of ranks for pairs that are high "
        "with nearly all detectors, and at the strengths: where the first pairs are about "
        "equally strong, their order means little."
    ),
    "WB039": (
        "A larger beta makes the rounded network follow the given one more closely; its bends "
        "then get narrower, so that integrated Hessians need more nodes and the cross-Hessian "
        "more rows."
    ),
    "WB040": (
        "Report for each pair the range over the models and the share of them in which it is "
        "among the strongest (cloud()), not its place in the order. A pair that is high in "
        "nearly all models is a finding; that it is first is not."
    ),
    "WB041": (
        "Choose a larger tolerance, or admit on more rows. The range of a score over the "
        "models stays what it is; that all of them are as good as the given one is less sure "
        "than it looks."
    ),
    "WB042": (
        "Believe the effects where the two part; the mean curve answers about rows that "
        "hardly occur. Look which other feature goes along with this one, and show both as a "
        "pair."
    ),
    "WB043": (
        "Do not call the feature unimportant. Show the single curves in groups: what tells "
        "the groups apart is what the feature works together with. Then look at the pair."
    ),
    "WB044": (
        "Read the curve where the marks of rows below it are. Cut the axis, or take the rows "
        "of the long tail alone as a cohort and look again."
    ),
    "WB045": (
        "Bring more rows (--split all if the model was not trained on them), join levels that "
        "belong together, or cut numbers into fewer bins. Such a group stays in the figures, "
        "grey and with its reason."
    ),
    "WB046": (
        'Read gaps that are not beyond the floor as "not shown", neither as unfair nor as '
        "fair. To learn more, choose fewer attributes and one gap beforehand, or bring more "
        "rows."
    ),
    "WB047": (
        "Look at rates that are defined for the group (the selection rate is for every group "
        "with rows), join it with another, or bring rows. Gaps are those among the groups for "
        "which they are defined."
    ),
    "WB048": (
        "Choose the gap that matters in this use of the model, and write the reason down on "
        "the page; it goes into the report."
    ),
    "WB050": (
        "Read the shares that leave such alternatives out; they stand beside the others in "
        "the figure, the table and the report."
    ),
    "WB051": "Use more rows, or set margin, which says beforehand how many that takes.",
    "WB053": (
        "Do not read the parts: the attributions do not belong to these predictions. Run the "
        "analysis again; if it stays, report it as a defect with the result file."
    ),
    "WB054": (
        "Do not expect the gap to close when the column is removed. See which columns stand "
        'in for it ("What stands in"), decide for each whether the model should read it, and '
        "compare before and after."
    ),
    "WB055": (
        "Look at who they are on the page People: the bars that cross the dashed line. Have "
        "somebody look at these decisions, abstain, or let several models decide together "
        "(workbench mitigate)."
    ),
    "WB056": (
        "Read from such pairs no reason for the decision. The smallest change (workbench "
        "counterfactual, or the same on the page) says what the model would need to see; a "
        "larger table holds closer neighbours."
    ),
    "WB057": (
        "Do not claim an improvement. More rows make the interval narrower: a difference of "
        "true positive rates rests on the rows with the favourable outcome alone, of which "
        "the smallest group may have few."
    ),
    "WB058": (
        "Do not choose among these models by the gap. Use more rows, or let more models be "
        "found (near_copies, models, directed, retrained)."
    ),
    "WB060": (
        'Use more test rows; or look at the control "Trained again": what that changes comes '
        "with training and not with a remedy. Where the gap is within what groups drawn at "
        "random would show, there is nothing to mend."
    ),
    "WB061": (
        "Gaps can be closed by granting more to those who got less, or by granting less to "
        'those who got more; look at the views "Groups" and "Who changes" to see which it is.'
    ),
    "WB062": (
        "Choose a remedy that trains a network again (reweighing, masking, choice among "
        "equally good models): it needs the group for training alone."
    ),
    "WB063": (
        "Train more networks (refits) to be surer; average several; or prefer a remedy with "
        "the same gap and less multiplicity. Equally good models tells how much a model's "
        "decisions hang on such choices at all."
    ),
    "WB064": (
        "Read the sentence beside the answer: it says which part of the change comes from "
        "treating people by the column itself."
    ),
    "WB065": (
        "Bring more rows (--split all if the model was not trained on them), join levels that "
        "belong together, or cut numbers into fewer bins. Such a group stays in the figures, "
        "grey."
    ),
    "WB066": (
        'Read gaps that are not beyond the floor as "not shown". Choose fewer attributes and '
        "one measure beforehand, or bring more rows."
    ),
    "WB067": (
        "Look at single attributes instead of crossed ones (--depth 1), join groups, or bring "
        "rows. Gaps are those among groups with enough rows."
    ),
    "WB070": "Use a table with more rows, or read only the strongest features.",
    "WB071": "Choose principal components as the basis of the graph.",
    "WB072": "Read such features together, as a space; do not give each a meaning.",
    "WB073": "Judge the network by more rows, or by rows of all classes.",
}
