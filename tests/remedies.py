"""Remedies made up from scores of two or three groups, with every number counted from them."""

from dataclasses import replace

import numpy as np

from tests.attributions import provenance
from workbench.core.fairness_metrics import ACCURACY, RATES
from workbench.core.remedies import Remedies
from workbench.core.schema import Feature, Schema
from workbench.numerics.group_rates import confusion, gaps_of, rates_of

NAN = np.nan
LEVELS = ("Female", "Male", "Other")
REMEDIES = ("as_is", "reweighing", "threshold_optimizer", "group_thresholds")


def counted(decisions, truth, group, n_groups, rows=None):
    """Rates [v g], gaps [q] and accuracy of decisions [n], which may be probabilities."""
    rows = np.arange(len(truth)) if rows is None else rows
    p, y, a = decisions[rows], truth[rows], group[rows]
    sure = [
        confusion(np.full(len(y), yes), y, a, n_groups, weights=w)
        for yes, w in ((1, p), (0, 1 - p))
    ]
    counts = sure[0] + sure[1]
    total = rates_of(counts.sum(0, keepdims=True))[list(RATES).index(ACCURACY), 0]
    rates = rates_of(counts)
    return rates, gaps_of(rates), total


def remedies_of(decisions, scores, truth, group, names, *, gap="selection_rate_difference",
                levels=LEVELS, multiplicity=None, changes=None, draws=60, **fields):  # fmt: skip
    """The result of these decisions [r n], with intervals of a paired bootstrap by group."""
    decisions, scores = np.asarray(decisions, dtype=float), np.asarray(scores, dtype=float)
    r, n = decisions.shape
    g = int(group.max()) + 1
    random = np.random.default_rng(7)
    members = [np.flatnonzero(group == a) for a in range(g)]
    drawn = [
        np.concatenate([random.choice(own, len(own)) for own in members]) for _ in range(draws)
    ]
    values = [counted(one, truth, group, g) for one in decisions]
    again = [[counted(one, truth, group, g, rows) for rows in drawn] for one in decisions]

    def told(part, less=False):
        at = np.stack([one[part] for one in values])
        many = np.stack([np.stack([draw[part] for draw in one], -1) for one in again])
        if less:
            at, many = at - at[:1], many - many[:1]
        low, high = np.quantile(many, (0.025, 0.975), axis=-1)  # NaN stays NaN
        return np.stack([at, low, high], -1)

    features = (
        Feature(name="sex", kind="categorical", categories=levels, protected=True),
        Feature(name="income", unit="EUR"),
    )
    schema = Schema(
        features=features, target="credit", task="binary", classes=("bad", "good"),
        favourable="good",
    )  # fmt: skip
    unknown = np.full((r, 3), NAN)
    remark = "" if multiplicity is not None else "it was not asked for"
    result = Remedies(
        provenance=provenance(
            method="fairness.remedies", title="Remedies", n_rows=n, params={"by": "sex"},
            model="credit-mlp@1", table="credit/test",
        ),
        names=tuple(names), attribute="sex", group_names=levels[:g], group=group,
        favourable="good", unfavourable="bad", gap=gap,
        decisions=decisions, scores=scores, truth=truth,
        randomised=((decisions > 0) & (decisions < 1)).any(1),
        needs_attribute=np.array([name.endswith(("thresholds", "optimizer")) for name in names]),
        publishable=np.array([name in {"reweighing", "masking", "selection"} for name in names]),
        settings=tuple("" if name == "as_is" else f"settings of {name}" for name in names),
        guarantees=("",) * r,
        violations=np.full((r, 2), NAN),
        rates=told(0), gaps=told(1), accuracy=told(2),
        rate_changes=told(0, less=True), gap_changes=told(1, less=True),
        accuracy_changes=told(2, less=True),
        refits=0 if multiplicity is None else 5,
        multiplicity=unknown if multiplicity is None else np.asarray(multiplicity, dtype=float),
        multiplicity_changes=unknown if changes is None else np.asarray(changes, dtype=float),
        multiplicity_remarks=(remark,) * r,
        proxy=unknown, proxy_changes=unknown, proxy_remarks=("it was not asked for",) * r,
        seconds=np.arange(r, dtype=float), trainings=np.minimum(np.arange(r), 1),
        trial_of=(), trial_settings=(), trial_validation=np.zeros((0, 2)),
        trial_test=np.zeros((0, 2, 3)), trial_front=np.zeros(0, dtype=bool),
        trial_chosen=np.zeros(0, dtype=bool),
        n_train=3 * n, n_validation=n,
        data=np.stack([group.astype(float), 1000 * scores[0]], 1), ids=np.arange(n),
        schema=schema,
    )  # fmt: skip
    return replace(result, **fields)


def some_remedies(n=600, seed=0, *, names=REMEDIES, searched=False, **fields):
    """Women get the favourable decision more rarely; three remedies, one of them by lot."""
    random = np.random.default_rng(seed)
    group = np.repeat([0, 1], [n // 3, n - n // 3])
    skill = random.normal(size=n)
    truth = (skill + 0.6 * random.normal(size=n) > 0).astype(np.int64)
    logit = 1.4 * skill + np.where(group == 1, 0.6, -0.6)
    scores = 1 / (1 + np.exp(-logit))
    fairer = 1 / (1 + np.exp(-(logit - np.where(group == 1, 0.55, -0.55))))
    by_lot = np.clip(0.5 + 4 * (fairer - 0.5), 0, 1)
    decisions = [scores > 0.5, fairer > 0.5, by_lot, scores > np.where(group == 1, 0.65, 0.35)]
    ambiguity = np.array([[0.10, 0.08, 0.12]] * 4) + np.array([0, 0.05, 0, 0])[:, None]
    moved = np.array([[0, 0, 0], [0.05, 0.03, 0.07], [0.0, -0.01, 0.01], [0.0, -0.01, 0.01]])
    kept = [REMEDIES.index(name) for name in names]
    if searched:
        fields |= search(random)
    return remedies_of(
        np.array(decisions, dtype=float)[kept], np.stack([scores, fairer, fairer, scores])[kept],
        truth, group, names, multiplicity=ambiguity[kept], changes=moved[kept], **fields,
    )  # fmt: skip


def search(random, t=6):
    """Networks of a search, of which the third was chosen."""
    found = np.stack([0.7 + 0.1 * random.random(t), 0.3 * random.random(t)], 1)
    chosen = np.arange(t) == 2
    return {
        "trial_of": ("hyperparameters",) * t,
        "trial_settings": tuple(f"width {8 * (i + 1)}" for i in range(t)),
        "trial_validation": found,
        "trial_test": np.stack([found - 0.01, found - 0.03, found + 0.02], -1),
        "trial_front": chosen | (np.arange(t) == 4),
        "trial_chosen": chosen,
    }


def harmless(n=1200, seed=0):
    """A remedy that grants more women what they deserve, and takes nothing from anybody."""
    random = np.random.default_rng(seed)
    group, truth = np.arange(n) % 2, (random.random(n) < 0.5).astype(np.int64)
    lucky = random.random(n)
    before = np.where(truth == 1, lucky < np.where(group == 1, 0.8, 0.4), lucky < 0.05)
    after = np.where(truth == 1, lucky < 0.8, lucky < 0.05)
    flat = np.array([[0.1, 0.08, 0.12]] * 2)
    decisions = np.array([before, after], dtype=float)
    return remedies_of(
        decisions, 0.2 + 0.6 * decisions, truth, group, ("as_is", "reweighing"), multiplicity=flat,
        changes=np.array([[0, 0, 0], [0.0, -0.01, 0.01]]),
    )  # fmt: skip


def nothing_helps(n=600, seed=0, **fields):
    """A remedy that moves a few decisions at random, of two groups that are treated alike."""
    random = np.random.default_rng(seed)
    group = np.arange(n) % 2
    skill = random.normal(size=n)
    truth = (skill + 0.6 * random.normal(size=n) > 0).astype(np.int64)
    scores = 1 / (1 + np.exp(-skill))
    again = 1 / (1 + np.exp(-(skill + 0.05 * random.normal(size=n))))
    decisions = np.array([scores > 0.5, again > 0.5], dtype=float)
    flat = np.array([[0.1, 0.08, 0.12]] * 2)
    return remedies_of(
        decisions, np.stack([scores, again]), truth, group, ("as_is", "reweighing"),
        multiplicity=flat, changes=np.array([[0, 0, 0], [0.0, -0.01, 0.01]]), **fields,
    )  # fmt: skip
