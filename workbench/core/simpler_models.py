"""Whether a simpler model is about as good: other learners, shares of good trees, a small tree."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from jaxtyping import Bool, Float, Int

from workbench.core.errors import InvalidInputError
from workbench.core.result import Result
from workbench.core.schema import Schema

if TYPE_CHECKING:
    import pandas as pd

LEARNERS: Mapping[str, str] = {
    "linear": "Linear model",
    "additive": "Additive model",
    "tree": "Shallow tree",
    "forest": "Random forest",
    "boosted": "Boosted trees",
}
SIMPLE = frozenset({"linear", "additive", "tree"})
NO_ELBOW = -1


@dataclass(frozen=True, eq=False)
class SimplerModels(Result):
    r"""How close simple models come to a given one, and how common good trees are.

    The loss is the share of wrong decisions, or the mean squared error of a regression. A paired
    standard error is that of the mean difference row by row.

    Axes: ``l`` learners, ``c`` depths of trees, ``r`` rules.

    Attributes
    ----------
    tolerance
        How much more loss is equally good, as a share of the loss that it is compared with.
    learners
        Keys of ``LEARNERS``.
    cv_loss, cv_gap, cv_noise
        Mean loss in cross-validation on training rows, how much it is above the least of them,
        and the paired standard error of that (0 for the least).
    test_loss, test_excess, test_noise
        Loss on the rows reported on, how much it is above that of the given model, and the paired
        standard error of that.
    base_loss, base_noise
        Loss of the given model on the rows reported on, and its standard error.
    base_validation
        The same loss on the validation rows.
    curve_remark
        Why there is no curve; empty where there is one.
    depths
        Of the trees on the curve; a tree of depth ``D`` has :math:`2^D` leaves.
    best_loss, best_test
        Loss of the best tree of this depth that is known: on the training rows that trees were
        tried on, and on the rows reported on.
    log_ratio, log_low, log_high
        Logarithm to the base of 10 of the share of trees, with all labelings of their leaves,
        whose training loss is within the tolerance of the best of their own depth; 95 %. Where no
        good tree was met, the first two are NaN and the last is a bound.
    exact
        Whether the share was counted and not estimated.
    drawn
        Trees that were looked at, labels of leaves apart.
    good, patterns
        Good ones among them, and how many different things they say of the rows.
    elbow
        Position of the depth after which good trees get rare and hardly better, or ``NO_ELBOW``.
    rules, labels
        The small tree, a rule for each leaf, and what it says there.
    rule_rows, rule_loss
        Training rows that the rule is about, and their loss.
    within
        Whether the tree's validation loss is within the tolerance of the given model's.
    tree_validation, tree_validation_noise
        Excess of its validation loss over the given model's, with its paired standard error.
    tree_test, tree_excess, tree_noise
        Its loss on the rows reported on, the excess over the given model's there, and the paired
        standard error of that.
    differs
        Share of the rows reported on for which the tree decides otherwise than the given model;
        of a regression the root of the mean squared difference.
    """

    kind: ClassVar[str] = "simpler_models"

    tolerance: float
    learners: tuple[str, ...]
    cv_loss: Float[np.ndarray, " l"]
    cv_gap: Float[np.ndarray, " l"]
    cv_noise: Float[np.ndarray, " l"]
    test_loss: Float[np.ndarray, " l"]
    test_excess: Float[np.ndarray, " l"]
    test_noise: Float[np.ndarray, " l"]
    base_loss: float
    base_noise: float
    base_validation: float
    n_train: int
    n_validation: int
    curve_remark: str
    depths: Int[np.ndarray, " c"]
    best_loss: Float[np.ndarray, " c"]
    best_test: Float[np.ndarray, " c"]
    log_ratio: Float[np.ndarray, " c"]
    log_low: Float[np.ndarray, " c"]
    log_high: Float[np.ndarray, " c"]
    exact: Bool[np.ndarray, " c"]
    drawn: Int[np.ndarray, " c"]
    good: Int[np.ndarray, " c"]
    patterns: Int[np.ndarray, " c"]
    elbow: int
    rules: tuple[str, ...]
    labels: tuple[str, ...]
    rule_rows: Int[np.ndarray, " r"]
    rule_loss: Float[np.ndarray, " r"]
    within: bool
    tree_validation: float
    tree_validation_noise: float
    tree_test: float
    tree_excess: float
    tree_noise: float
    differs: float
    schema: Schema
    output_names: tuple[str, ...]

    def __post_init__(self) -> None:
        n_learners, c, r = len(self.learners), len(self.depths), len(self.rules)
        of_learners = (
            "cv_loss", "cv_gap", "cv_noise", "test_loss", "test_excess", "test_noise",
        )  # fmt: skip
        of_depths = (
            "best_loss", "best_test", "log_ratio", "log_low", "log_high", "exact", "drawn", "good",
            "patterns",
        )  # fmt: skip
        shapes = dict.fromkeys(of_learners, (n_learners,))
        shapes |= dict.fromkeys(of_depths, (c,)) | {"rule_rows": (r,), "rule_loss": (r,)}
        self._check_shapes(f"A result about {n_learners} learners and {c} depths", shapes)
        if not n_learners or not set(self.learners) <= set(LEARNERS):
            raise InvalidInputError("A learner in the result is not known to this version.")
        if len(self.labels) != r or not r:
            raise InvalidInputError("The rules of a small tree do not fit what they say.")
        if not NO_ELBOW <= self.elbow < c:
            raise InvalidInputError(f"There is no depth {self.elbow} on a curve of {c}.")

    def __len__(self) -> int:
        return self.provenance.n_rows

    @property
    def is_regression(self) -> bool:
        """Whether the loss is a squared error."""
        return not self.schema.n_classes

    @property
    def loss_name(self) -> str:
        """What the loss is."""
        return "mean squared error" if self.is_regression else "share of wrong decisions"

    @property
    def is_simple(self) -> Bool[np.ndarray, " l"]:
        """Which of the learners are simple."""
        return np.array([name in SIMPLE for name in self.learners])

    @property
    def best_simple(self) -> int:
        """Position of the simple learner with the least loss in cross-validation."""
        return int(np.where(self.is_simple, self.cv_loss, np.inf).argmin())

    @property
    def is_likely(self) -> bool:
        """Whether the best simple learner is within one paired standard error of the best."""
        at = self.best_simple
        return bool(self.cv_gap[at] <= self.cv_noise[at])

    def to_frame(self) -> "pd.DataFrame":
        """One line per learner, and one for the small tree.

        Columns: ``model``, ``simple``, ``cv_loss``, ``cv_gap`` (above the least), ``cv_noise``
        (its paired standard error), ``test_loss``, ``test_excess`` (above the given model's) and
        ``test_noise``. The small tree was not cross-validated.
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        lines = [
            (
                LEARNERS[name], name in SIMPLE, self.cv_loss[i], self.cv_gap[i], self.cv_noise[i],
                self.test_loss[i], self.test_excess[i], self.test_noise[i],
            )
            for i, name in enumerate(self.learners)
        ]  # fmt: skip
        unknown = float("nan")
        lines.append((
            f"Tree of {len(self.rules)} rules", True, unknown, unknown, unknown, self.tree_test,
            self.tree_excess, self.tree_noise,
        ))  # fmt: skip
        columns = [
            "model", "simple", "cv_loss", "cv_gap", "cv_noise", "test_loss", "test_excess",
            "test_noise",
        ]  # fmt: skip
        return pd.DataFrame(lines, columns=columns)

    def curve_frame(self) -> "pd.DataFrame":
        """One line per depth.

        Columns: ``depth``, ``best_loss``, ``best_test``, ``log10_ratio``, ``low``, ``high``,
        ``exact``, ``drawn``, ``good``, ``patterns`` and ``elbow``.
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        return pd.DataFrame({
            "depth": self.depths, "best_loss": self.best_loss, "best_test": self.best_test,
            "log10_ratio": self.log_ratio, "low": self.log_low, "high": self.log_high,
            "exact": self.exact, "drawn": self.drawn, "good": self.good,
            "patterns": self.patterns, "elbow": np.arange(len(self.depths)) == self.elbow,
        })  # fmt: skip

    def rules_frame(self) -> "pd.DataFrame":
        """One line per rule of the small tree.

        Columns: ``rule``, ``says``, ``rows`` (of the training rows) and ``loss`` (of those).
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        return pd.DataFrame({
            "rule": self.rules, "says": self.labels, "rows": self.rule_rows,
            "loss": self.rule_loss,
        })  # fmt: skip
