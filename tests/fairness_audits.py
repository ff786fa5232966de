"""Audits made up from counts of truth and decision, in which every number can be worked out."""

from itertools import combinations, product

import numpy as np

from workbench.core.fairness import ENOUGH, FairnessAudit
from workbench.core.fairness_metrics import GAPS
from workbench.core.provenance import Provenance
from workbench.numerics.group_rates import denominators_of, gaps_of, rates_of

Z = 1.959963984540054
SCORES = (
    "mean_score", "mean_score_positive", "mean_score_negative", "auc", "calibration_error",
)  # fmt: skip
# Women are refused more often, whatever is true of them.
UNEQUAL = {"Female": ((300, 30), (90, 80)), "Male": ((500, 100), (100, 300))}
ALIKE = {"Female": ((400, 100), (100, 400)), "Male": ((404, 99), (101, 398))}


def provenance(n_rows, **params):
    return Provenance(
        method="fairness.audit", title="Fairness audit", reference="a test", params=params, seed=0,
        model="tiny@1", model_digest="1" * 64, table="tiny", table_digest="2" * 64, n_rows=n_rows,
        background="none", background_digest="-", n_background=0, evaluations=n_rows,
        chunk_rows=n_rows, seconds=0.1, device="cpu", dtype="float64", versions={},
        created="2026-01-01T00:00:00+00:00",
    )  # fmt: skip


def wilson(counts, n):
    """Value and Wilson's limits, NaN of nobody."""
    with np.errstate(invalid="ignore", divide="ignore"):
        p = counts / n
        middle = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
        half = Z / (1 + Z**2 / n) * np.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
    found = np.stack([p, np.minimum(p, middle - half), np.maximum(p, middle + half)], -1)
    return np.where(n[..., None] > 0, found, np.nan)


def mover(one, other):
    """Difference of two shares with limits from theirs."""
    d = one[..., 0] - other[..., 0]
    below = np.hypot(one[..., 0] - one[..., 1], other[..., 2] - other[..., 0])
    above = np.hypot(one[..., 2] - one[..., 0], other[..., 0] - other[..., 1])
    return np.stack([d, d - below, d + above], -1)


def audit_of(cells, attributes=("sex",), favourable="good", unfavourable="bad", chances=None):
    """Make an audit of groups of the finest partition; ``cells`` by level or tuple of levels.

    Cells that are not named are empty. Floors and chances are made up: a gap is far beyond them,
    unless it is below a twentieth.
    """
    cells = {k if isinstance(k, tuple) else (k,): np.array(v, float) for k, v in cells.items()}
    levels = tuple(
        tuple(dict.fromkeys(key[i] for key in cells)) for i in range(len(attributes))
    )  # fmt: skip
    sets = [
        c for size in range(1, len(attributes) + 1)
        for c in combinations(range(len(attributes)), size)
    ]  # fmt: skip
    names, of, counts = [], [], []
    for p, chosen in enumerate(sets):
        for group in product(*(levels[at] for at in chosen)):
            inside = [v for k, v in cells.items() if tuple(k[at] for at in chosen) == group]
            names.append(group)
            of.append(p)
            counts.append(sum(inside, np.zeros((2, 2))))
    return _filled(
        np.array(counts), names, np.array(of), sets, attributes, levels,
        (favourable, unfavourable), chances,
    )  # fmt: skip


def _filled(counts, names, of, sets, attributes, levels, classes, chances):
    p = len(sets)
    rates = _rates(counts)
    whole = _rates(counts[of == 0].sum(0)[None])[:, 0]
    references = np.array([
        np.flatnonzero(of == i)[counts[of == i].sum((1, 2)).argmax()] for i in range(p)
    ])
    base = rates[:, references[of]]
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios = rates / base[..., :1]
    many = (denominators_of(counts) >= ENOUGH)[..., None]
    gaps = np.stack([_gaps(np.where(many, rates, np.nan)[:, of == i]) for i in range(p)], 1)
    alike = np.array([gap.none for gap in GAPS.values()])[:, None]
    away = np.abs(gaps[..., 0] - alike)
    if chances is None:
        chances = np.where(away > 0.05, 0.0005, 0.6)
        chances[~np.isfinite(away)] = np.nan
    ratio = np.array([gap.way == "ratio" for gap in GAPS.values()])[:, None]
    floors = np.where(
        np.isfinite(away)[..., None],
        np.where(ratio[..., None], [0.97, 0.94], [0.02, 0.045]), np.nan,
    )  # fmt: skip
    drawn = _scores(counts)
    return FairnessAudit(
        provenance=provenance(int(counts[of == 0].sum())),
        attributes=tuple(attributes), levels=levels, partitions=tuple(sets), partition_of=of,
        group_levels=tuple(names), favourable=classes[0], unfavourable=classes[1], counts=counts,
        rates=rates, pooled=0.8 * rates + 0.2 * whole[:, None], overall=whole,
        references=references, differences=mover(rates, base), ratios=ratios, gaps=gaps,
        floors=floors, chances=chances, adjusted=np.minimum(1.0, chances * 10), **drawn,
        cross_areas=np.where(of[:, None] == of[None], 0.8, np.nan),
        individual_names=("consistency", "generalized_entropy", "theil"),
        individual=np.array([[0.9, 0.88, 0.92], [0.05, 0.04, 0.06], [0.08, 0.07, 0.09]]),
        differential=np.tile([0.4, 0.3, 0.5], (p, 1)), between=np.full(p, 0.02),
    )  # fmt: skip


def _rates(counts):
    shares, n = rates_of(counts), denominators_of(counts)
    return wilson(np.nan_to_num(shares) * n, n)


def _gaps(rates):
    value = gaps_of(rates[..., 0])
    return np.stack([value, np.maximum(0, value - 0.04), value + 0.04], -1)


def _scores(counts):
    """Scores that lie above a half where the decision is favourable, evenly on either side."""
    g, thresholds = len(counts), np.linspace(0, 1, 201)
    passed = np.zeros((201, g, 2), int)
    bins = np.zeros((3, g, 10))
    for i, cells in enumerate(counts.astype(int)):
        for truth in (0, 1):
            low, high = cells[truth]
            scores = np.r_[(np.arange(low) + 0.5) / max(low, 1) / 2,
                           0.5 + (np.arange(high) + 0.5) / max(high, 1) / 2]  # fmt: skip
            passed[:, i, truth] = (scores[None] >= thresholds[:, None]).sum(1)
            place = np.minimum((scores * 10).astype(int), 9)
            np.add.at(bins[0, i], place, scores)
            np.add.at(bins[1, i], place, 1)
            np.add.at(bins[2, i], place, truth)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = bins[0] / bins[1]
    values = np.tile(np.array([0.5, 0.45, 0.55]), (len(SCORES), g, 1))
    values[:, counts.sum((1, 2)) == 0] = np.nan
    return {
        "score_names": SCORES, "score_values": values, "thresholds": thresholds, "passed": passed,
        "bin_scores": means, "bin_counts": bins[1].astype(int),
        "bin_positives": bins[2].astype(int),
    }  # fmt: skip


def many_cells(n=60, seed=0):
    """Three attributes that make 60 cells, some of them without anybody."""
    rng = np.random.default_rng(seed)
    keys = list(product(("a", "b", "c"), ("k", "l", "m", "n"), ("v", "w", "x", "y", "z")))
    cells = {key: rng.integers(0, 200, (2, 2)) for key in keys[:n]}
    for key in keys[5::7]:
        cells[key] = np.zeros((2, 2))
    return audit_of(cells, ("one", "two", "three"))


def unequal(**settings):
    return audit_of(UNEQUAL, **settings)


def alike(**settings):
    return audit_of(ALIKE, **settings)


def with_gaps():
    """A group of nobody, one without the favourable outcome, and one of a handful."""
    return audit_of({
        "Female": UNEQUAL["Female"], "Male": UNEQUAL["Male"], "Other": ((3, 4), (0, 0)),
        "Few": ((5, 2), (3, 4)), "Nobody": ((0, 0), (0, 0)),
    })  # fmt: skip


def crossed():
    """Two attributes; one of the crossed groups is empty."""
    return audit_of({
        ("Female", "young"): ((100, 10), (40, 30)), ("Female", "old"): ((200, 20), (50, 50)),
        ("Male", "young"): ((300, 60), (50, 150)), ("Male", "old"): ((200, 40), (50, 150)),
        ("Other", "young"): ((0, 0), (0, 0)), ("Other", "old"): ((6, 2), (3, 5)),
    }, ("sex", "age"))  # fmt: skip
