"""Explanations held against neighbourhoods, and their measures, whose every number is known."""

from dataclasses import replace

import numpy as np

from tests.attributions import build, example
from workbench.core.results import Faithfulness, LocalFunctions, Measures, ScaleCurves

NAN = np.nan
NEIGHBOURHOODS = ("near", "mask-exponential", "one-at-a-time", "path")
# What each method misses there: each column has a winner of its own.
METHODS = {
    "smoothgrad": ("slope", (0.12, 0.53, 0.24, 0.28)),
    "vanilla-gradients": ("slope", (0.35, 0.99, 0.39, 0.55)),
    "lime": ("contribution", (NAN, 0.20, 0.26, 0.10)),
    "kernelshap": ("contribution", (NAN, 0.22, 0.27, 0.11)),
    "occlusion": ("contribution", (NAN, 0.74, 0.00, 1.21)),
    "random": ("anchor", (1.10, 0.90, 1.02, 1.30)),
    "size": ("anchor", (1.60, 0.80, 0.95, 3.10)),
}


def faithfulness_of(singles, *, shares=None, methods=METHODS, neighbourhoods=NEIGHBOURHOODS,
                    errors=0.01, **changes):  # fmt: skip
    """Explanations of the rows of an attribution: its values, moved a little for each method.

    ``shares`` is what each method misses in each neighbourhood; rows vary around it.
    """
    n, d, k = singles.values.shape
    random = np.random.default_rng(0)
    types = tuple(kind for kind, _ in methods.values())
    shares = np.array([s for _, s in methods.values()] if shares is None else shares)
    m, z = shares.shape
    moved = 1 + 0.3 * random.normal(size=(n, m, d, 1))
    values = singles.values[:, None] * moved
    categories = [f.kind == "categorical" for f in singles.schema.features]
    for i, kind in enumerate(types):
        if kind == "slope":
            values[:, i, categories] = NAN
    total = np.full((n, z, k), 2.0)
    spread = 1 + 0.1 * (np.arange(n) % 5 - (np.arange(n) % 5).mean())
    missed = shares[None, :, :, None] * spread[:, None, None, None] * total[:, None]
    fields = {
        "provenance": singles.provenance.model_copy(
            update={"method": "lfa.matrix", "title": "Faithfulness of explanations"}
        ),
        "values": values,
        "std_errors": np.where(np.isnan(values), NAN, errors),
        "missed": missed,
        "total": total,
        "predictions": singles.predictions,
        "data": singles.data,
        "ids": singles.ids,
        "truth": singles.truth,
        "reference": np.zeros(d),
        "scales": np.where(categories, 0.0, 1.0),
        "scale": 0.1,
        "wide_scale": 0.5,
        "width": 1.0,
        "share": 0.25,
        "methods": tuple(methods),
        "types": types,
        "neighbourhoods": tuple(neighbourhoods),
        "calls": tuple(100 + 50 * i for i in range(m)),
        "shared_calls": 400,
        "heldout_calls": 600,
        "schema": singles.schema,
        "output_names": singles.output_names,
        "unit": singles.unit,
    }
    return Faithfulness(**(fields | changes))


def several_explanations(n=12, **changes):
    """Random rows; each neighbourhood has a winner of its own."""
    return faithfulness_of(example(n=n, sampled=False), **changes)


def one_explanation(**changes):
    """One row whose strongest features every method finds."""
    singles = build([[0.09, 0.262, -0.178, 0.012, 0.0]], data=[[47, 1, 9, 60, 0]])
    return faithfulness_of(singles, **changes)


def local_functions_of(singles, *, missed=0.2, fitted=0.15, pairs=(), pair_values=(), errors=0.01,
                       **changes):  # fmt: skip
    """Functions with the values of an attribution as coefficients."""
    n, _, k = singles.values.shape
    products = np.tile(np.array(pair_values, dtype=float)[None, :, None], (n, 1, k))
    fields = {
        "provenance": singles.provenance.model_copy(
            update={"method": "lfa.custom", "title": "Local function"}
        ),
        "coefficients": singles.values,
        "std_errors": np.where(singles.values != 0, errors, 0.0),
        "selected": singles.values != 0,
        "pair_coefficients": products.reshape(n, len(pairs), k),
        "pair_std_errors": np.full((n, len(pairs), k), errors),
        "intercepts": np.full((n, k), 0.3),
        "fitted_missed": np.full((n, k), 3.0 * fitted),
        "fitted_total": np.full((n, k), 3.0),
        "missed": np.full((n, k), 2.0 * missed),
        "total": np.full((n, k), 2.0),
        "predictions": singles.predictions,
        "data": singles.data,
        "ids": singles.ids,
        "truth": singles.truth,
        "pairs": tuple(pairs),
        "operator": "add",
        "law": "normal",
        "scale": 0.3,
        "function": "pairwise" if pairs else "linear",
        "loss": "squared",
        "samples": 1000,
        "heldout": 500,
        "meanings": tuple(
            "another category" if f.kind == "categorical" else "one standard deviation more"
            for f in singles.schema.features
        ),
        "schema": singles.schema,
        "output_names": singles.output_names,
        "unit": singles.unit,
    }
    return LocalFunctions(**(fields | changes))


def one_local_function(**changes):
    """Two features raise, one lowers, one is within its noise and one was not selected."""
    singles = build([[0.09, 0.262, -0.178, 0.012, 0.0]], data=[[47, 1, 9, 60, 0]])
    return local_functions_of(singles, **changes)


def several_local_functions(n=12, **changes):
    """Random rows."""
    return local_functions_of(example(n=n, sampled=False), **changes)


SCALES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
MISSED = (0.0, 0.01, 0.03, 0.08, 0.6, 0.7)


def scale_curves(n=1, *, missed=MISSED, scales=SCALES, spread=0.01, singles=None, **changes):
    """Curves of ``missed`` over ``scales``; of several rows those around the middle one."""
    singles = singles if singles is not None else example(n=n, sampled=False)
    (n, _, k), s = singles.values.shape, len(scales)
    factor = 1 + 0.2 * (np.arange(n) - (n - 1) / 2) / max(1, n - 1)
    total = np.full((n, s, k), 2.0)
    fields = {
        "provenance": singles.provenance.model_copy(
            update={"method": "lfa.scales", "title": "Faithfulness against scale"}
        ),
        "scales": np.array(scales),
        "missed": np.array(missed)[None, :, None] * factor[:, None, None] * total,
        "total": total,
        "spread": np.full((n, s, k), spread),
        "predictions": singles.predictions,
        "data": singles.data,
        "ids": singles.ids,
        "operator": "add",
        "law": "normal",
        "scale_words": "standard deviations that numbers are moved by",
        "schema": singles.schema,
        "output_names": singles.output_names,
        "unit": singles.unit,
    }
    return ScaleCurves(**(fields | changes))


# Mean scores of each method; a slope has no sum to compare.
SCORES = {
    "smoothgrad": ("slope", (0.55, NAN, 0.04, 1.8)),
    "lime": ("contribution", (0.90, 0.20, 0.05, 1.1)),
    "kernelshap": ("contribution", (0.97, 0.001, 0.06, 1.3)),
    "random": ("anchor", (0.01, 0.95, 0.01, 2.2)),
}
MEASURED = ("faithfulness-correlation", "completeness-gap", "pgi", "complexity")


def measures_of(singles, *, scores=SCORES, measures=MEASURED, **changes):
    """Scores of methods, which vary by a tenth over the rows of an attribution."""
    n, _, k = singles.values.shape
    means = np.array([values for _, values in scores.values()])
    around = 1 + 0.1 * (np.arange(n) % 3 - (np.arange(n) % 3).mean())
    fields = {
        "provenance": singles.provenance.model_copy(
            update={"method": "measures.explanations", "title": "Measures of explanations"}
        ),
        "scores": np.tile((around[:, None, None] * means)[..., None], (1, 1, 1, k)),
        "predictions": singles.predictions,
        "data": singles.data,
        "ids": singles.ids,
        "methods": tuple(scores),
        "types": tuple(kind for kind, _ in scores.values()),
        "measures": tuple(measures),
        "settings_words": tuple(f"settings of {name}" for name in measures),
        "schema": singles.schema,
        "output_names": singles.output_names,
        "unit": singles.unit,
    }
    return Measures(**(fields | changes))


def several_measures(n=12, **changes):
    """Random rows."""
    return measures_of(example(n=n, sampled=False), **changes)


def without(result, *names):
    """The same explanations without some methods."""
    kept = [i for i, name in enumerate(result.methods) if name not in names]
    return replace(
        result,
        values=result.values[:, kept],
        std_errors=result.std_errors[:, kept],
        missed=result.missed[:, kept],
        **{
            field: tuple(getattr(result, field)[i] for i in kept)
            for field in ("methods", "types", "calls")
        },
    )
