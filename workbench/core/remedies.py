"""What lessens gaps between groups: remedies tried on one model, and what each costs whom."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from workbench.core.errors import InvalidInputError
from workbench.core.fairness_metrics import ACCURACY, GAPS, RATES, SELECTION, TPR
from workbench.core.paired_changes import changes_by
from workbench.core.remedy_catalogue import AS_IS, REMEDIES
from workbench.core.result import Result, Rows
from workbench.core.schema import Schema, listing

if TYPE_CHECKING:
    import pandas as pd


class Flips(NamedTuple):
    """Whose decision a remedy changes, as expected numbers of people.

    Attributes
    ----------
    gained, lost
        Refused before and granted now, and the other way round, by group and truth (0, 1).
    net
        Share of each group that gains less the share that loses, with its 95 % interval.
    changed
        Share of all rows that are decided differently.
    """

    gained: Float[np.ndarray, "g 2"]
    lost: Float[np.ndarray, "g 2"]
    net: Float[np.ndarray, "g 3"]
    changed: float


@dataclass(frozen=True, eq=False)
class Remedies(Result):
    """One model as it is, and with each of several remedies, on the same test rows.

    Axes: ``r`` remedies, the model as it is first; ``n`` test rows; ``g`` groups of one
    partition; ``t`` networks that were tried in a search. Rates are in the order of ``RATES``,
    gaps in that of ``GAPS``; a last axis of 3 holds value and 95 % interval. NaN means undefined
    or not measured, never 0.

    Attributes
    ----------
    names
        Keys of ``REMEDIES``.
    attribute, group_names, group
        What the groups are made of, their names, and the group of each row.
    favourable
        The class that people hope for.
    gap
        Key of ``GAPS``: what remedies were asked to lessen.
    decisions
        Probability of the favourable decision: 0 or 1 unless a lot is drawn.
    scores
        Probability of the favourable class that stands behind it.
    truth
        1 where the favourable class is true.
    randomised
        Whether some rows are decided by lot.
    needs_attribute
        Whether the group of a person has to be known to decide.
    publishable
        Whether it is a network of the catalogue that can be kept as a model.
    settings
        What was chosen: thresholds, weights, what was masked.
    guarantees
        What holds on the rows that a remedy was fitted on; empty where nothing does.
    violations
        What was found on those rows, and the bound that is guaranteed.
    rates, gaps, accuracy
        On the test rows; of rows decided by lot, what is expected.
    rate_changes, gap_changes, accuracy_changes
        The same less those of the model as it is, with intervals over the same rows (paired).
    multiplicity, multiplicity_changes
        Share of rows that some of ``refits`` networks decides otherwise, which were trained in
        the same way from other starts and treated by the same remedy.
    multiplicity_remarks
        Why it was not measured.
    proxy, proxy_changes
        How far the group can be told from what the model reads: area under the ROC curve, the
        mean over groups; 0.5 tells nothing.
    proxy_remarks
        Why it was not measured.
    seconds, trainings
        What it took.
    trial_of, trial_settings
        Remedy and settings of each network tried in a search.
    trial_validation
        Accuracy and gap on the validation rows, which choose.
    trial_test
        The same on the test rows, with intervals.
    trial_front, trial_chosen
        Whether no other one is better in both on validation rows, and whether it was chosen.
    network, architecture
        Numbers of the network that a single remedy leaves, in the order of its state, and the JSON
        of its architecture where that is not the given model's; empty unless asked for
        (``keep_network``).
    """

    kind: ClassVar[str] = "remedies"

    names: tuple[str, ...]
    attribute: str
    group_names: tuple[str, ...]
    group: Int[np.ndarray, " n"]
    favourable: str
    unfavourable: str
    gap: str
    decisions: Float[np.ndarray, "r n"]
    scores: Float[np.ndarray, "r n"]
    truth: Int[np.ndarray, " n"]
    randomised: Bool[np.ndarray, " r"]
    needs_attribute: Bool[np.ndarray, " r"]
    publishable: Bool[np.ndarray, " r"]
    settings: tuple[str, ...]
    guarantees: tuple[str, ...]
    violations: Float[np.ndarray, "r 2"]
    rates: Float[np.ndarray, "r v g 3"]
    gaps: Float[np.ndarray, "r q 3"]
    accuracy: Float[np.ndarray, "r 3"]
    rate_changes: Float[np.ndarray, "r v g 3"]
    gap_changes: Float[np.ndarray, "r q 3"]
    accuracy_changes: Float[np.ndarray, "r 3"]
    refits: int
    multiplicity: Float[np.ndarray, "r 3"]
    multiplicity_changes: Float[np.ndarray, "r 3"]
    multiplicity_remarks: tuple[str, ...]
    proxy: Float[np.ndarray, "r 3"]
    proxy_changes: Float[np.ndarray, "r 3"]
    proxy_remarks: tuple[str, ...]
    seconds: Float[np.ndarray, " r"]
    trainings: Int[np.ndarray, " r"]
    trial_of: tuple[str, ...]
    trial_settings: tuple[str, ...]
    trial_validation: Float[np.ndarray, "t 2"]
    trial_test: Float[np.ndarray, "t 2 3"]
    trial_front: Bool[np.ndarray, " t"]
    trial_chosen: Bool[np.ndarray, " t"]
    n_train: int
    n_validation: int
    data: Float[np.ndarray, "n d"]
    ids: Int[np.ndarray, " n"]
    schema: Schema
    network: Float[np.ndarray, " w"] = field(default_factory=lambda: np.zeros(0))
    architecture: str = ""

    def __post_init__(self) -> None:
        r, n, g, t = len(self.names), len(self.ids), len(self.group_names), len(self.trial_of)
        v, q, d = len(RATES), len(GAPS), len(self.schema.features)
        by_remedy = ("randomised", "needs_attribute", "publishable", "seconds", "trainings")
        by_remedy_3 = (
            "accuracy", "accuracy_changes", "multiplicity", "multiplicity_changes", "proxy",
            "proxy_changes",
        )  # fmt: skip
        self._check_shapes(
            f"A comparison of {r} remedies on {n} rows",
            {
                "group": (n,), "truth": (n,), "decisions": (r, n), "scores": (r, n),
                "violations": (r, 2), "rates": (r, v, g, 3), "rate_changes": (r, v, g, 3),
                "gaps": (r, q, 3), "gap_changes": (r, q, 3), "data": (n, d),
                "trial_validation": (t, 2), "trial_test": (t, 2, 3), "trial_front": (t,),
                "trial_chosen": (t,),
            } | dict.fromkeys(by_remedy, (r,)) | dict.fromkeys(by_remedy_3, (r, 3)),
        )  # fmt: skip
        texts = ("settings", "guarantees", "multiplicity_remarks", "proxy_remarks")
        if any(len(getattr(self, name)) != r for name in texts):
            raise InvalidInputError(f"Each of the {r} remedies needs its words.")
        if not r or self.names[0] != AS_IS or not set(self.names) <= set(REMEDIES):
            raise InvalidInputError("The model as it is comes first, then remedies known here.")
        if not g or not n or not 0 <= self.group.min() <= self.group.max() < g:
            raise InvalidInputError(f"A row belongs to none of the {g} groups.")
        if self.gap not in GAPS or len(self.trial_settings) != t:
            raise InvalidInputError("The gap is unknown, or a network tried lacks its settings.")

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, rows: Rows) -> "Remedies":
        """Select rows; a single number keeps the row axis. Rates and gaps stay those of all."""
        if isinstance(rows, int | np.integer):
            rows = [int(rows)]
        own = {name: getattr(self, name)[rows] for name in ("group", "truth", "data", "ids")}
        return replace(self, decisions=self.decisions[:, rows], scores=self.scores[:, rows], **own)

    @property
    def titles(self) -> tuple[str, ...]:
        """What the remedies are called."""
        return tuple(REMEDIES[name].title for name in self.names)

    @property
    def gap_index(self) -> int:
        """Position of the gap that remedies were asked to lessen."""
        return list(GAPS).index(self.gap)

    def index(self, remedy: str | int) -> int:
        """Return the position of a remedy given by name or position.

        Raises
        ------
        InvalidInputError
            If it was not tried.
        """
        if isinstance(remedy, int) and 0 <= remedy < len(self.names):
            return remedy
        if remedy not in self.names:
            raise InvalidInputError(
                f"Remedy {remedy!r} was not tried; choose one of {listing(self.names, 20)}."
            )
        return self.names.index(str(remedy))

    @property
    def sizes(self) -> Int[np.ndarray, " g"]:
        """Test rows of each group."""
        return np.bincount(self.group, minlength=len(self.group_names))

    def flips(self, remedy: str | int) -> Flips:
        """Return whose decision a remedy changes.

        Where a lot is drawn, numbers are what is expected. The interval of the net share is
        that of a paired difference of proportions (``changes_by``).
        """
        before, after = self.decisions[0], self.decisions[self.index(remedy)]
        cell, g = self.group * 2 + self.truth, len(self.group_names)

        def count(share: Float[np.ndarray, " n"]) -> Float[np.ndarray, "g 2"]:
            return np.bincount(cell, share, 2 * g).reshape(g, 2)

        up, down = (1 - before) * after, before * (1 - after)
        return Flips(
            count(up), count(down), changes_by(after - before, self.group, g),
            float((up + down).mean()),
        )  # fmt: skip

    def lots(self, remedy: str | int) -> float:
        """Return the share of rows for which a lot decides."""
        decisions = self.decisions[self.index(remedy)]
        return float(((decisions > 0) & (decisions < 1)).mean())

    def harmed(self, remedy: str | int) -> tuple[tuple[str, str], ...]:
        """Return group and rate wherever a group loses, beyond chance.

        Worse off is who gets the favourable decision more rarely, also among those with the
        favourable outcome. Who is decided rightly more rarely is named too, though that may be
        wrong grants. The whole 95 % interval of the paired change is below 0.
        """
        r, rates = self.index(remedy), list(RATES)
        return tuple(
            (group, rate)
            for g, group in enumerate(self.group_names)
            for rate in (SELECTION, TPR, ACCURACY)
            if self.rate_changes[r, rates.index(rate), g, 2] < 0
        )

    def to_frame(self) -> "pd.DataFrame":
        """One line per remedy.

        Columns: ``remedy``, ``stage``, ``accuracy`` with ``_low``, ``_high`` and its paired
        ``accuracy_change`` likewise, ``gap`` (the one to lessen) and ``gap_change`` likewise,
        ``changed`` (share of rows decided differently), ``by_lot`` (share decided by lot),
        ``multiplicity`` with ``multiplicity_change``, ``proxy``, ``harmed`` (groups),
        ``needs_attribute``, ``publishable``, ``trainings``, ``seconds``, ``settings``.
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        q = self.gap_index
        measured = {
            "accuracy": self.accuracy, "accuracy_change": self.accuracy_changes,
            "gap": self.gaps[:, q], "gap_change": self.gap_changes[:, q],
            "multiplicity": self.multiplicity, "multiplicity_change": self.multiplicity_changes,
            "proxy": self.proxy, "proxy_change": self.proxy_changes,
        }  # fmt: skip
        columns: dict[str, object] = {
            "remedy": list(self.names),
            "stage": [REMEDIES[name].stage for name in self.names],
        }
        for name, values in measured.items():
            for end, part in zip(("", "_low", "_high"), values.T, strict=True):
                columns[name + end] = part
        everyone = range(len(self.names))
        columns |= {
            "changed": [self.flips(r).changed for r in everyone],
            "by_lot": [self.lots(r) for r in everyone],
            "harmed": [
                "; ".join(dict.fromkeys(group for group, _ in self.harmed(r))) for r in everyone
            ],
            "needs_attribute": self.needs_attribute,
            "publishable": self.publishable,
            "trainings": self.trainings,
            "seconds": self.seconds,
            "settings": list(self.settings),
        }
        return pd.DataFrame(columns)
