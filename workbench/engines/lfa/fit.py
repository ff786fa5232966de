"""A simple function fitted to a model in a neighbourhood of your choice."""

import time
from dataclasses import dataclass, fields
from itertools import combinations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.local_functions import LocalFunctions
from workbench.core.method import METHODS, Cost, Effort, Method
from workbench.core.model import Model
from workbench.core.table import Table
from workbench.core.wording import counted
from workbench.engines.calls import check_features, check_finite, provenance_of
from workbench.engines.lfa.fit_params import FitParams
from workbench.engines.lfa.functions import (
    MOST_PAIRS,
    Fitted,
    Pairs,
    errors_of,
    least_squares,
    logistic,
    most_telling,
    screen,
    system_of,
    with_products,
)
from workbench.engines.lfa.matching import match_linear, match_logistic, match_pairwise
from workbench.engines.lfa.matrix import WORK_BYTES
from workbench.engines.lfa.neighbourhoods import (
    Look,
    Neighbourhood,
    check_operator,
    make_neighbourhood,
    most_samples,
)
from workbench.engines.lfa.scene import Scene, make_scene
from workbench.numerics.chunks import slices
from workbench.numerics.differentiated import passes
from workbench.numerics.links import unit_of

NAME = "lfa.fit"
FITTED, HELDOUT = 0, 100
USUAL_FEATURES = 5
# Pairs of features of a wide table are chosen around so many background rows.
PILOTS = 16
MOST_ROWS = 64


def _explain(
    model: Model, rows: Table, background: Table, params: FitParams, context: Context
) -> LocalFunctions:
    started = time.perf_counter()
    for table, what in ((rows, "rows to explain"), (background, "background rows")):
        check_features(model, table, what)
    _refuse(model, params)
    done = 0
    scene = make_scene(
        model, background, params.output, context, lambda: context.step(done, len(rows), "rows")
    )
    check_operator(scene, params.operator)
    X = rows.X.double()
    predictions = scene.ask(model.encode(X)[:, None])[:, 0]
    check_finite(model, rows, predictions)
    pairs, n_pairs = _pairs_of(scene, params, context)
    d = X.shape[1]
    fitting = _neighbourhood(scene, params, params.samples, context, FITTED, d + len(pairs))
    holding = _neighbourhood(scene, params, params.heldout, context, HELDOUT, d + len(pairs))
    parts = []
    for part in slices(len(rows), _block_rows(model, len(pairs), params, context)):
        parts.append(_fit_block(X[part], params, fitting, holding, pairs))
        done = part.stop
        context.step(done, len(rows), "rows")
    found = _joined(parts)
    return LocalFunctions(
        provenance=provenance_of(
            NAME, model, rows, background, params, context, evaluations=scene.evaluations,
            chunk_rows=scene.network.chunk_rows, seconds=time.perf_counter() - started,
            notes=_notes(params, fitting, d + len(pairs), n_pairs),
        ),
        coefficients=found.beta[:, :d],
        std_errors=found.errors[:, :d],
        selected=found.chosen[:, :d],
        pair_coefficients=found.beta[:, d:],
        pair_std_errors=found.errors[:, d:],
        intercepts=found.intercepts,
        fitted_missed=found.fitted_missed,
        fitted_total=found.fitted_total,
        missed=found.missed,
        total=found.total,
        predictions=predictions.numpy(),
        data=X.numpy(),
        ids=rows.ids.numpy(),
        truth=np.full(len(rows), np.nan) if rows.y is None else rows.y.double().numpy(),
        pairs=pairs,
        operator=params.operator,
        law=params.chosen_law,
        scale=params.reach,
        function=params.function,
        loss=params.loss,
        samples=len(fitting),
        heldout=len(holding),
        meanings=_meanings(scene, params),
        schema=model.schema,
        output_names=model.output_names,
        unit=unit_of(model.schema, params.output, "identity"),
    )  # fmt: skip


def _refuse(model: Model, params: FitParams) -> None:
    """Refuse what this model cannot be asked for.

    Raises
    ------
    InvalidInputError
        Naming what it can be asked for.
    """
    if params.loss == "gradient" and "differentiable" not in model.capabilities:
        raise InvalidInputError(
            f"Model {model.name} is a black box, which shows no slopes; choose loss 'squared' with "
            "operator 'add', 'mask' or 'resample'."
        )
    is_probability = params.output == "probability" and model.schema.task != "regression"
    if params.function == "logistic" and not is_probability:
        raise InvalidInputError(
            "A logistic function is for probabilities; choose function 'linear', or output "
            "'probability' of a classifier."
        )
    d = len(model.schema.features)
    if params.num_features is not None and params.num_features > d:
        raise InvalidInputError(
            f"num_features is {params.num_features}, and model {model.name} reads "
            f"{counted(d, 'feature')}; choose at most {d}."
        )


def _neighbourhood(
    scene: Scene, params: FitParams, m: int, context: Context, address: int, coefficients: int
) -> Neighbourhood:
    return make_neighbourhood(
        scene, params.operator, params.chosen_law, params.reach, m, context, address=address,
        coefficients=coefficients,
    )  # fmt: skip


def _pairs_of(scene: Scene, params: FitParams, context: Context) -> tuple[Pairs, int]:
    """Choose the pairs that functions have, the same for every row; returns how many there are."""
    if params.function != "pairwise":
        return (), 0
    d = len(scene.spread)
    features = [j for j in range(d) if params.operator != "add" or bool(scene.moves[j])]
    pairs = tuple(combinations(features, 2))
    if len(pairs) <= MOST_PAIRS:
        return pairs, len(pairs)
    near = _neighbourhood(scene, params, params.samples, context, FITTED, d)
    step = max(1, len(scene.donors) // PILOTS)
    looks = near.look(scene.donors[::step][:PILOTS])
    return screen(looks, near.weights, features, MOST_PAIRS), len(pairs)


@dataclass(frozen=True)
class _Found:
    """What the result holds of a block of rows."""

    beta: Float[np.ndarray, "n p k"]
    errors: Float[np.ndarray, "n p k"]
    chosen: np.ndarray
    intercepts: Float[np.ndarray, "n k"]
    fitted_missed: Float[np.ndarray, "n k"]
    fitted_total: Float[np.ndarray, "n k"]
    missed: Float[np.ndarray, "n k"]
    total: Float[np.ndarray, "n k"]


def _fit_block(
    X: Float[Tensor, "n d"], params: FitParams, fitting: Neighbourhood, holding: Neighbourhood,
    pairs: Pairs,
) -> _Found:  # fmt: skip
    """Fit some rows, and hold the functions against samples that they have not seen."""
    look = fitting.look(X)
    fitted = _fitted(X, look, params, fitting, pairs)
    near, far = (
        _sums(fitted, seen, place.weights, pairs)
        for seen, place in ((look, fitting), (holding.look(X), holding))
    )
    return _Found(
        fitted.beta.mT.numpy(), fitted.errors.mT.numpy(), fitted.chosen.mT.numpy(),
        fitted.intercepts.numpy(), *near, *far,
    )  # fmt: skip


def _sums(
    fitted: Fitted, look: Look, weights: Float[Tensor, " m"], pairs: Pairs
) -> list[np.ndarray]:
    """Return the squared error and the variance over samples."""
    squares = errors_of(fitted, with_products(look.z, pairs), look.answers, weights)
    return [torch.einsum("m,nmk->nk", weights, each).numpy() for each in squares]


def _fitted(
    X: Tensor, look: Look, params: FitParams, near: Neighbourhood, pairs: Pairs
) -> Fitted:  # fmt: skip
    """Fit the function that was chosen to samples, by the loss that was chosen."""
    d = X.shape[1]
    if near.slopes is not None and params.loss == "gradient":
        slopes = near.slopes(X)
        if params.function == "logistic":
            return match_logistic(look, slopes, near.weights, near.together)
        if params.function == "pairwise" and pairs:
            return match_pairwise(look, slopes, near.weights, near.together, pairs)
        count = _count(params, d) if params.function == "sparse" else d
        return match_linear(look, slopes, near.weights, near.together, count)
    if params.function == "logistic":
        return logistic(look.z, near.weights, look.answers, look.varies, near.together)
    # A removal of the only feature is all that the Shapley kernel has of one.
    law = "single" if params.chosen_law == "shapley" and d == 1 else params.chosen_law
    system = system_of(with_products(look.z, pairs), near.weights, look.answers, law)
    if params.function == "sparse":
        chosen = most_telling(system, look.answers, look.varies, _count(params, d))
    else:
        chosen = with_products(look.varies, pairs)[:, None]
        chosen = chosen[:1] if bool((chosen == chosen[:1]).all()) else chosen
    return least_squares(system, look.answers, chosen, near.together)


def _count(params: FitParams, d: int) -> int:
    return min(USUAL_FEATURES, d) if params.num_features is None else params.num_features


def _joined(parts: list[_Found]) -> _Found:
    names = [entry.name for entry in fields(_Found)]
    return _Found(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _row_bytes(model: Model, n_pairs: int, params: FitParams) -> int:
    """Return what the samples and sums of one row take."""
    d, k = len(model.schema.features), len(model.output_names)
    most = most_samples(params.operator, d, max(params.samples, params.heldout))
    p = d + n_pairs
    return 8 * (most * (len(model.groups) + 8 * k + 4 * (p + 1) * k) + 4 * k * p**2)


def _block_rows(model: Model, n_pairs: int, params: FitParams, context: Context) -> int:
    """Rows that are fitted at once: as many as there is room for."""
    room = min(WORK_BYTES, context.budget) // _row_bytes(model, n_pairs, params)
    return max(1, min(MOST_ROWS, room))


def _meanings(scene: Scene, params: FitParams) -> tuple[str, ...]:
    """Say for each feature what its coefficient stands for."""
    if params.operator == "add":
        return tuple(
            f"one standard deviation ({float(spread):.4g}) more" if spread > 0 else "is not moved"
            for spread in scene.spread
        )
    words = {
        "scale": "the whole way from the reference row's value to the row's own",
        "mask": "the row's own value, against the reference row's",
        "resample": "the row's own value, against that of another row",
    }
    return (words[params.operator],) * len(scene.spread)


def _notes(
    params: FitParams, near: Neighbourhood, coefficients: int, n_pairs: int
) -> tuple[str, ...]:
    notes = []
    if near.is_exact:
        notes.append("all coalitions were evaluated: nothing was drawn, and nothing is held out")
    if n_pairs > MOST_PAIRS:
        notes.append(
            f"of {n_pairs:,} pairs the function has the {MOST_PAIRS} that tell most of what linear "
            f"functions miss around {PILOTS} background rows"
        )
    if params.function == "logistic" and params.loss == "squared":
        notes.append(
            "the logistic function was fitted by maximum likelihood; what it misses is in squares "
            "of probabilities"
        )
    if params.loss == "gradient":
        notes.append("the function was fitted to slopes; what it misses is in squares of outputs")
    if len(near) <= 2 * coefficients and not near.is_exact:
        notes.append(
            f"{counted(len(near), 'sample')} for {counted(coefficients, 'coefficient')}: the "
            "function follows its samples, and only what is missed of others says how good it is"
        )
    return tuple(notes)


def _cost(model: Model, n_rows: int, n_background: int, params: FitParams) -> Cost:
    d = len(model.schema.features)
    samples, heldout = (
        most_samples(params.operator, d, m) for m in (params.samples, params.heldout)
    )
    slopes = passes(model, params.output) if params.loss == "gradient" else 0
    n_pairs = d * (d - 1) // 2 if params.function == "pairwise" else 0
    pilots = PILOTS if n_pairs > MOST_PAIRS else 0
    each = samples * (1 + slopes) + heldout + 1
    return Cost(
        n_rows * each + pilots * samples + n_background + 32,
        n_bytes=max(WORK_BYTES, _row_bytes(model, min(n_pairs, MOST_PAIRS), params)),
    )


def _efforts(_: int) -> dict[str, Effort]:
    return {
        "quick": Effort(500, {"samples": 512, "heldout": 128}),
        "standard": Effort(2000, {}),
        "thorough": Effort(2000, {"samples": 16_384, "heldout": 4096}),
    }


METHODS.register(
    NAME,
    Method(
        title="A local function of your choice",
        question="What simple function does the model follow in a neighbourhood that you choose?",
        explain=_explain,
        params=FitParams,
        yields=LocalFunctions,
        needs=frozenset(),
        cost=_cost,
        efforts=_efforts,
        reference="Han, Srinivas and Lakkaraju (2022)",
        weakness="The function holds in its neighbourhood and nowhere else; samples there may not "
        "occur among rows.",
    ),
)
