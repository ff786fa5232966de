"""Churn and mitigation whose every number can be counted by hand or is made from real arrays."""

from dataclasses import replace

import numpy as np

from tests.attributions import example
from workbench.core.churn import Churn, decided
from workbench.core.mitigation import Mitigation

NAN = np.nan


def provenance(single, method, title):
    return single.provenance.model_copy(
        update={"method": method, "title": title, "n_rows": len(single)}
    )


def churn_of(outputs, base, truth=None, *, excess=None, tolerances=(0.01, 0.02), movement=NAN,
             single=None, explorers=("gaussian-units",), **changes):  # fmt: skip
    """Churn of models that say ``outputs`` [m n k] in place of ``base`` [n k]."""
    outputs, base = np.asarray(outputs, dtype=float), np.asarray(base, dtype=float)
    m, n, _ = outputs.shape
    single = example(n=n) if single is None else single
    classifies = single.schema.n_classes > 0
    decisions, margins = decided(outputs, base, movement, classifies)
    excess = np.linspace(0.001, 0.019, m) if excess is None else np.asarray(excess, dtype=float)
    expected = np.full((len(tolerances), 3), NAN)
    own = base.argmax(1) if classifies else 0
    for t, tolerance in enumerate(tolerances):
        within = excess <= tolerance
        if within.any():
            mean = (decisions[within] != own).mean()
            expected[t] = mean, mean / 2, mean * 1.5
    result = Churn(
        provenance=provenance(single, "rashomon.churn", "Churn of an update"),
        tolerances=np.array(tolerances, dtype=float),
        explorers=explorers,
        drawn=np.full(len(explorers), m),
        model_explorer=np.zeros(m, dtype=int),
        model_number=np.arange(m),
        model_strength=np.full(m, 0.1),
        model_stretch=np.ones(m),
        excess=excess,
        noise=np.full(m, 0.002),
        decisions=decisions,
        margins=margins,
        expected=expected,
        gamma=0.1,
        movement=movement,
        loss_name="cross-entropy",
        base_loss=0.5,
        admission="validation rows of tiny",
        n_admission=100,
        predictions=base,
        data=single.data,
        ids=single.ids,
        truth=np.zeros(n) if truth is None else np.asarray(truth, dtype=float),
        schema=single.schema,
        output_names=single.output_names,
        unit="probability",
    )
    return replace(result, **changes)


def some_churn(n=60, m=30, seed=0, *, updated=False, **changes):
    """Near-copies of a model of two classes: its log-odds, moved a little for each."""
    random = np.random.default_rng(seed)
    logit = random.normal(size=n) * 1.5
    truth = (random.random(n) < 1 / (1 + np.exp(-logit))).astype(float)

    def two(logits):
        one = 1 / (1 + np.exp(-logits))
        return np.stack([1 - one, one], -1)

    moved = two(logit + 0.3 * random.normal(size=(m, n)))
    result = churn_of(moved, two(logit), truth, **changes)
    if updated:
        result = result.with_update(two(logit + 0.3 * random.normal(size=n)), "tiny@2")
    return result


def some_mitigation(n=60, seed=0, **changes):
    """Ensembles that disagree less the larger they are, judged by three; ten candidates."""
    random = np.random.default_rng(seed)
    single = example(n=n)
    sizes = np.array([1, 2, 5, 10, 20])
    judges = ("drawn", "gaussian-units", "gaussian-weights")
    falls = np.stack([sizes**-0.5, sizes**-0.25, sizes**-0.1])  # (j, s)
    value = falls[:, :, None] * np.array([0.2, 0.05, 0.15])
    metrics = np.stack([value, value * 0.8, value * 1.2], -1)
    less = np.broadcast_to((1 - falls)[:, :, None], value.shape)
    reduction = np.stack([less, less - 0.1, less + 0.1], -1)
    p = random.random(n)
    support = np.abs(p - 0.5)
    fields = {
        "provenance": provenance(single, "rashomon.mitigate", "What lessens the disagreement"),
        "tolerance": 0.02, "builder": "gaussian-units", "judges": judges, "sizes": sizes,
        "metrics": metrics, "reduction": reduction, "sets": np.full((3, 5), 5),
        "models": np.full((3, 5), 40), "at_boundary": np.full((3, 5), 0.98),
        "excess": np.stack([0.001 / sizes, 0 / sizes, 0.002 / sizes], 1),
        "accuracy": np.full(5, 0.77),
        "candidate_names": tuple(f"seed {i}" for i in range(10)),
        "candidate_excess": np.linspace(0, 0.03, 10), "candidate_noise": np.full(10, 0.008),
        "candidate_accuracy": np.full(10, 0.76),
        "candidate_metrics": np.linspace(0.1, 0.2, 30).reshape(10, 3),
        "eligible": np.linspace(0, 0.03, 10) <= 0.016,
        "stability": np.array([[0.5, 0.2, 0.8], [0.7, 0.5, 0.9], [0.6, 0.4, 0.8]]),
        "remark": "", "least_support": support - 0.05 - 0.1 * random.random(n), "admitted": 200,
        "loss_name": "cross-entropy", "base_loss": 0.5, "admission": "validation rows of tiny",
        "n_admission": 100, "predictions": np.stack([1 - p, p], 1), "data": single.data,
        "ids": single.ids, "truth": (random.random(n) < p).astype(float),
        "schema": single.schema, "output_names": single.output_names, "unit": "probability",
    }  # fmt: skip
    return Mitigation(**(fields | changes))
