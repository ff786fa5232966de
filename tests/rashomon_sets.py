"""Sets of equally good models whose every number follows from drawn outputs by its definition."""

import numpy as np

from tests.attributions import FEATURES, HOSTILE, TASKS, example, provenance
from workbench.core.rashomon import GROWING, NO_MODEL, RashomonSet
from workbench.core.schema import Schema

TOLERANCES = (0.005, 0.01, 0.02, 0.04)
FOUND = ("gaussian-units", "retraining")
CLASSES = (
    "ambiguity", "discrepancy", "obscurity", "disagreement", "delta_ambiguity",
    "delta_discrepancy", "width", "deviation", "capacity", "self_consistency",
)  # fmt: skip
NUMBERS = ("delta_ambiguity", "delta_discrepancy", "width", "deviation")
DELTA, CLOSED = 0.1, ("quadratic", "lagrangian")


def probabilities(logits):
    """Softmax over the last axis; a single output is a value of a regression."""
    if logits.shape[-1] == 1:
        return logits
    shifted = np.exp(logits - logits.max(-1, keepdims=True))
    return shifted / shifted.sum(-1, keepdims=True)


def set_of(
    schema, data, *, logits, truth=None, explorers=FOUND, tolerances=TOLERANCES, models=200, seed=0,
    noise=0.001, importance=True, **changes,
):  # fmt: skip
    """Candidates that move the outputs of rows by noise, and what those within a tolerance say."""
    random = np.random.default_rng(seed)
    n, k = logits.shape
    base = probabilities(logits)
    names = CLASSES if k > 1 else NUMBERS
    parts, kept, cloud = [], [], []
    for i, explorer in enumerate(explorers):
        m = 0 if explorer in CLOSED else models // (1 + 3 * (explorer == "retraining"))
        strengths = random.uniform(0.05, 0.7, m)
        moves = random.normal(size=(m, n, k)) * strengths[:, None, None]
        excess = 0.03 * strengths**2 + random.normal(0, noise, m)
        said = probabilities(logits + moves)
        if explorer in CLOSED:
            parts.append(_range(logits, base, tolerances, names))
            continue
        parts.append(_explored(said, base, excess, tolerances, names))
        ends = sorted({*said.argmin(0).ravel(), *said.argmax(0).ravel()})
        _renumber(parts[-1], {one: len(kept) + at for at, one in enumerate(ends)})
        kept += [(i, one, strengths[one], 1.0, excess[one]) for one in ends]
        accuracy = 0.8 - 2 * np.abs(excess) if k > 1 else np.full(m, np.nan)
        noises = np.full(m, noise)
        cloud += list(zip([i] * m, strengths, excess, noises, 0.5 + excess, accuracy, strict=True))
    joined = {name: np.stack([part[name] for part in parts]) for name in parts[0]}
    kept = np.array(kept, dtype=float).reshape(-1, 5)
    cloud = np.array(cloud, dtype=float).reshape(-1, 6)
    d = len(schema.features)
    sizes = np.sort(random.uniform(0, 0.1, d))[::-1]
    growing = np.unique(np.geomspace(2, max(models, 2), 6).astype(int))
    fields = {
        "provenance": provenance(
            method="rashomon.set", title="Equally good models", params={"strength": 0.1}, n_rows=n,
            reference="Hsu, Li, Hu and Chen (2024)", background="200 rows of adult/validation",
        ),
        "tolerances": np.array(tolerances), "explorers": tuple(explorers),
        "remarks": ("",) * len(explorers),
        "drawn": np.array([0 if e in CLOSED else models // (1 + 3 * (e == "retraining"))
                           for e in explorers]),
        "seconds": np.array([120.0 if e == "retraining" else 0.2 for e in explorers]),
        "passes": np.array([n * models] * len(explorers)),
        "noise": np.full((len(explorers), len(tolerances)), noise),
        "metric_names": names, **joined,
        "kept_explorer": kept[:, 0].astype(int), "kept_number": kept[:, 1].astype(int),
        "kept_strength": kept[:, 2], "kept_stretch": kept[:, 3], "kept_excess": kept[:, 4],
        "candidate_explorer": cloud[:, 0].astype(int), "candidate_strength": cloud[:, 1],
        "candidate_excess": cloud[:, 2], "candidate_noise": cloud[:, 3],
        "candidate_loss": cloud[:, 4], "candidate_accuracy": cloud[:, 5],
        "growth_models": growing,
        "growth": _growth(joined["metrics"], names, len(growing), explorers),
        "growth_at": len(tolerances) - 1,
        "importance": np.stack([sizes, 0.7 * sizes - 0.005, 1.4 * sizes + 0.005], 1)
        if importance else np.zeros((0, 3)),
        "importance_models": 64 if importance else 0,
        "loss_name": "cross-entropy in nats" if k > 1 else "mean squared error", "base_loss": 0.5,
        "base_noise": 0.02, "reported_loss": 0.52, "reported_accuracy": 0.77 if k > 1 else np.nan,
        "admission": "adult/validation", "n_admission": 200, "delta": DELTA,
        "predictions": base, "data": data, "ids": np.arange(n) * 10 + 7,
        "truth": base.argmax(1).astype(float) if truth is None else truth,
        "schema": schema, "output_names": schema.output_names,
        "unit": "probability" if k > 1 else "USD",
    }  # fmt: skip
    return RashomonSet(**(fields | changes))


def several_models(task="binary", *, n=40, features=FEATURES, seed=0, **settings):
    """Random rows near and far from the threshold."""
    drawn = example(task, n=n, features=features, seed=seed, sampled=False)
    k = len(drawn.output_names)
    logits = np.random.default_rng(seed + 1).normal(0, 1.5, (n, k))
    schema = Schema(features=features, target="income", task=task, **TASKS[task])
    return set_of(schema, drawn.data, logits=logits, **settings)


def no_models(**settings):
    """Every candidate loses more than any tolerance allows."""
    return several_models(tolerances=(1e-9, 2e-9), noise=1e-12, **settings)


def hostile_models(**settings):
    """Names, categories and classes that would be markup or templates if not escaped."""
    found = several_models(n=20, features=HOSTILE, **settings)
    outputs = ("<img src=x onerror=alert(2)>", "<u>yes</u>")
    schema = found.schema.model_copy(update={"classes": outputs, "favourable": outputs[1]})
    return type(found)(**vars(found) | {"schema": schema, "output_names": outputs})


def _explored(said, base, excess, tolerances, names):
    """What the candidates of one explorer say within each tolerance; NaN where there are none."""
    n, k = base.shape
    found = {
        name: np.full((len(tolerances), n, k), np.nan) for name in ("low", "high", "deviation")
    } | {name: np.full((len(tolerances), n), np.nan) for name in ("flips", "capacity")}
    found |= {name: np.full((len(tolerances), n, k), NO_MODEL) for name in _ENDS}
    found["admitted"] = np.array([(excess <= eps).sum() for eps in tolerances])
    found["metrics"] = np.full((len(tolerances), len(names)), np.nan)
    for t, eps in enumerate(tolerances):
        inside = np.flatnonzero(excess <= eps)
        if not len(inside):
            continue
        every = np.concatenate([base[None], said[inside]])
        places = np.concatenate([[NO_MODEL], inside])
        found["low"][t], found["high"][t] = every.min(0), every.max(0)
        found["low_model"][t] = places[every.argmin(0)]
        found["high_model"][t] = places[every.argmax(0)]
        found["deviation"][t] = every.std(0)
        flips = said[inside].argmax(2) != base.argmax(1)
        if k > 1:
            found["flips"][t] = flips.mean(0)
            found["capacity"][t] = 1 + (every.max(0) - every.min(0)).max(1) * (k - 1)
        far = (np.abs(said[inside] - base) >= DELTA).any(2)
        values = {
            "ambiguity": flips.any(0).mean(), "discrepancy": flips.mean(1).max(),
            "obscurity": flips.mean(), "delta_ambiguity": far.any(0).mean(),
            "delta_discrepancy": far.mean(1).max(), "disagreement": 2 * flips.mean(),
            "width": np.median((found["high"] - found["low"])[t, :, -1]),
            "deviation": np.median(found["deviation"][t, :, -1]),
            "capacity": np.median(found["capacity"][t]), "self_consistency": 1 - flips.mean(),
        }  # fmt: skip
        found["metrics"][t] = [values[name] for name in names]
    return found


_ENDS = ("low_model", "high_model")


def _renumber(found, place):
    """Let the ends of ranges point to kept models, which are those at ends over all candidates."""
    for name in _ENDS:
        found[name] = np.vectorize(lambda one: place.get(one, NO_MODEL))(found[name])


def _range(logits, base, tolerances, names):
    """A closed form: a range for each row, and no models."""
    n, k = base.shape
    shape = (len(tolerances), n, k)
    half = 12 * np.sqrt(np.array(tolerances))[:, None, None] * (np.arange(k) == k - 1)
    low, high = (probabilities(logits + sign * half) for sign in (-1, 1))
    low, high = np.minimum(low, high), np.maximum(low, high)
    metrics = np.full((len(tolerances), len(names)), np.nan)
    metrics[:, names.index("width")] = np.median((high - low)[..., -1], 1)
    if "ambiguity" in names:
        crossed = (low[..., -1] < 0.5) & (high[..., -1] >= 0.5)
        metrics[:, names.index("ambiguity")] = crossed.mean(1)
    nothing = np.full(shape[:2], np.nan)
    return {
        "low": low, "high": high, "deviation": np.full(shape, np.nan), "flips": nothing,
        "capacity": nothing, "low_model": np.full(shape, NO_MODEL),
        "high_model": np.full(shape, NO_MODEL),
        "admitted": np.zeros(len(tolerances), dtype=int), "metrics": metrics,
    }  # fmt: skip


def _growth(metrics, names, steps, explorers):
    """Metrics that rise to those of the loosest tolerance; formulas have no curve."""
    last = np.stack([
        metrics[:, -1, names.index(name)] if name in names else np.full(len(metrics), np.nan)
        for name in GROWING
    ], 1)  # fmt: skip
    shares = 1 - 0.02 * np.arange(steps)[::-1] ** 2
    last[[explorer in CLOSED for explorer in explorers]] = np.nan
    return last[:, None] * np.maximum(shares, 0)[None, :, None]
