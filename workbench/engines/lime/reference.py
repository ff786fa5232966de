"""LIME as the package lime computes it, with what else can be said of its samples."""

import time

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from workbench.core.context import Context
from workbench.core.local_models import LocalModels
from workbench.core.method import METHODS, Cost, Effort, Method
from workbench.core.model import CHUNK_ROWS, Model
from workbench.core.table import Table
from workbench.engines.calls import check_features, provenance_of
from workbench.engines.lime.levels import learn_levels, scales_of
from workbench.engines.lime.package import Asked, Fits, coded, fit_row, make_package
from workbench.engines.lime.params import ReferenceParams
from workbench.engines.lime.strongest import GROUPS, PENALTY, Halves, draw_halves, told_apart
from workbench.engines.lime.words import count_of, meaning_of, notes_of
from workbench.numerics.links import unit_of
from workbench.numerics.local_fit import centred, raw_moments, ridge, std_errors

NAME = "lime.reference"
HALVES, DRAWS = 0, 1  # addresses of random numbers


def fitted_arrays(fits: Fits, halves: Halves) -> dict[str, np.ndarray]:
    """Return what the package found of a row, and what its samples say besides."""
    d, k = fits.data.shape[1], len(fits.found)
    coefficients, selected = np.zeros((1, d, k)), np.zeros((1, d, k), dtype=bool)
    for output, (_, pairs, _, _) in enumerate(fits.found):
        for feature, value in pairs:
            coefficients[0, feature, output], selected[0, feature, output] = value, True
    w = fits.weights
    return {
        "coefficients": coefficients, "selected": selected,
        "intercepts": np.array([[found[0] for found in fits.found]]),
        "r2": np.array([[found[2] for found in fits.found]]),
        "local_predictions": np.array([[found[3] for found in fits.found]]),
        "predictions": fits.answers[:1],
        "effective_share": np.array([w.sum() ** 2 / (w**2).sum() / len(w)]),
        "samples": np.array([len(w) - 1]),
        **_judged(fits, torch.from_numpy(selected).mT, halves),
    }  # fmt: skip


def _judged(
    fits: Fits, selected: Bool[Tensor, "b k d"], halves: Halves
) -> dict[str, np.ndarray]:  # fmt: skip
    """Return standard errors, and whether the strongest features would be the same again."""
    data, answers = torch.from_numpy(fits.data), torch.from_numpy(fits.answers)
    d = data.shape[1]
    one = torch.ones(len(data) - 1, 1, dtype=torch.float64)
    joined = torch.cat([one, data[1:] - data[0], answers[1:] - answers[0]], 1).T[None]
    w = torch.from_numpy(fits.weights)[None, 1:]
    parts = zip(joined.tensor_split(GROUPS, -1), w.tensor_split(GROUPS, -1), strict=True)
    raw = torch.stack([raw_moments(*part) for part in parts], 1)
    moments = centred(raw.sum(1), d)

    def fit(chosen: Bool[Tensor, "b k d"]) -> tuple[Tensor, Tensor]:
        beta, system = ridge(moments, chosen, PENALTY)
        return beta, std_errors(joined, w, moments, chosen, beta, system)

    beta, errors = fit(selected)
    judged = beta, errors
    if halves.count <= halves.top:
        judged = fit(torch.ones_like(selected))
    return {
        "std_errors": errors.mT.numpy(),
        "stability": halves.stability(raw, data[:1]).numpy(),
        "separated": told_apart(*judged, halves.top).numpy(),
    }


def _explain(
    model: Model, rows: Table, background: Table, params: ReferenceParams, context: Context
) -> LocalModels:
    started = time.perf_counter()
    for table, what in ((rows, "rows to explain"), (background, "background rows")):
        check_features(model, table, what)
    count = count_of(len(model.schema.features), params)
    levels = learn_levels(background, params)
    package, asked = make_package(model, background, params), Asked(model, context, len(rows))
    groups = draw_halves(context.stream(HALVES))
    halves = Halves(groups, count, params.selection, min(params.top, count))
    found = []
    for x, key in zip(coded(rows), rows.ids.tolist(), strict=True):
        seed = int(context.stream(DRAWS, key).integers(2**32))
        fits = fit_row(package, asked, x, count, params.perturbations, seed)
        found.append(fitted_arrays(fits, halves))
        asked.rows_done += 1
        context.step(asked.rows_done, len(rows), "rows")
    arrays = {name: np.concatenate([one[name] for one in found]) for name in found[0]}
    return LocalModels(
        provenance=provenance_of(
            NAME, model, rows, background, params, context, evaluations=asked.evaluations,
            chunk_rows=context.chunk_rows or CHUNK_ROWS, seconds=time.perf_counter() - started,
            notes=notes_of(rows, levels, arrays, params),
        ),
        **arrays,
        data=rows.X.double().numpy(),
        ids=rows.ids.numpy(),
        truth=np.full(len(rows), np.nan) if rows.y is None else rows.y.double().numpy(),
        scales=scales_of(levels, params.sampling),
        schema=model.schema,
        output_names=model.output_names,
        unit=unit_of(model.schema, "probability", "identity"),
        sampling=params.sampling,
        top=halves.top,
        meanings=tuple(
            meaning_of(feature, params, known)
            for feature, known in zip(model.schema.features, levels, strict=True)
        ),
        edges=tuple(tuple(known.edges.tolist()) for known in levels),
    )  # fmt: skip


def _cost(model: Model, n_rows: int, _: int, params: ReferenceParams) -> Cost:
    d, k, samples = len(model.schema.features), len(model.output_names), params.perturbations + 1
    return Cost(n_rows * samples, n_bytes=8 * samples * (8 * d + 4 * k))


def _efforts(_: int) -> dict[str, Effort]:
    return {
        "quick": Effort(500, {"perturbations": 1000}),
        "standard": Effort(2000, {}),
        "thorough": Effort(2000, {"perturbations": 20_000}),
    }


METHODS.register(
    NAME,
    Method(
        title="LIME by its authors' package",
        question="What does the package lime say of this row, for comparison?",
        explain=_explain,
        params=ReferenceParams,
        yields=LocalModels,
        needs=frozenset(),
        cost=_cost,
        efforts=_efforts,
        reference="Ribeiro, Singh and Guestrin (2016)",
        weakness="One row at a time and with independent samples, so it is slower and less stable "
        "than lime.tabular; takes no missing numbers, and replaces a number that never varies.",
    ),
)
