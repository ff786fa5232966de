"""Shapley values from one pass of a network that was trained to give them."""

import time
from dataclasses import replace
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float
from pydantic import Field
from torch import Tensor

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.explainer import Amortised, Explainer
from workbench.core.method import METHODS, Cost, Method, always
from workbench.core.model import Model, Output
from workbench.core.params import Params, parse_params
from workbench.core.provenance import Provenance
from workbench.core.results import Attribution
from workbench.core.schema import listing
from workbench.core.table import Table
from workbench.core.wording import percent
from workbench.engines.calls import check_features, provenance_of
from workbench.engines.shapley import exact, kernel
from workbench.numerics.amortised import (
    check_residuals,
    find_explainer,
    gives_shares,
    network_of,
    on_the_plane,
    surrogate_of,
    surrogate_values,
)
from workbench.numerics.links import Link, apply_link, unit_of
from workbench.numerics.shapley_kernel import all_inner_coalitions, outer_design, regress

NAME = "shapley.fastshap"
EXACT_PLAYERS = 12
SURROGATE_COALITIONS = 2048


class FastshapParams(Params):
    """Which explainer is asked, and what happens to rows that it cannot be trusted with."""

    output: Output = Field(
        "probability", description="Explain probabilities, or scores (log-odds, logits)."
    )
    link: Link = Field(
        "identity", description="Transform applied to the mean probability of a coalition."
    )
    value: Amortised = Field(
        "marginal",
        description="What stands in for unknown features: the background rows that the explainer "
        "was trained with (marginal), or what goes with the known features (conditional).",
    )
    fallback: Literal["estimate", "flag", "none"] = Field(
        "estimate",
        description="For rows with a residual that 99 % of the validation rows stay below: "
        "estimate their values instead, only say which they are, or do not look.",
    )


def _explain(
    model: Model, rows: Table, _: Table, params: FastshapParams, context: Context
) -> Attribution:
    started = time.perf_counter()
    unit = unit_of(model.schema, params.output, params.link)
    check_features(model, rows, "rows to explain")
    explainer = find_explainer(model, params)
    context.step(0, len(rows), "rows")
    explained = model.predict if params.output == "probability" else model.scores
    predictions = apply_link(explained(rows.X), params.link)
    if not bool(torch.isfinite(predictions).all()):
        wrong = int(rows.ids[int((~torch.isfinite(predictions)).any(1).nonzero()[0])])
        raise InvalidInputError(
            f"Model {model.name} returns no finite number for row {wrong} of {rows.name!r}; look "
            "for a value far outside the training data there, and mend or leave out the row."
        )
    values = amortised_values(model, explainer, rows, predictions)
    errors = torch.from_numpy(explainer.errors).double().expand_as(values).clone()
    doubtful = _doubtful(model, explainer, rows, values, params)
    evaluations = len(rows)
    told: tuple[str, ...] = ()
    if bool(doubtful.any()):
        told = (_flagged_note(rows, doubtful, params),)
    if params.fallback == "estimate" and bool(doubtful.any()):
        values[doubtful], errors[doubtful], asked = _estimated(
            model, explainer, rows[doubtful.numpy()], predictions[doubtful], context
        )
        evaluations += asked
    context.step(len(rows), len(rows), "rows")
    n = len(rows)
    empty = torch.from_numpy(explainer.empty).double()
    return Attribution(
        provenance=_provenance(
            model, explainer, rows, params, context, evaluations=evaluations,
            seconds=time.perf_counter() - started, notes=(*_notes(explainer), *told),
        ),
        values=values.numpy(),
        base_values=empty.expand(n, -1).numpy().copy(),
        predictions=predictions.numpy(),
        data=rows.X.double().numpy(),
        ids=rows.ids.numpy(),
        truth=np.full(n, np.nan) if rows.y is None else rows.y.double().numpy(),
        base_std_errors=explainer.base_std_errors.astype(np.float64),
        schema=model.schema,
        output_names=model.output_names,
        unit=unit,
        std_errors=errors.numpy(),
        background_std_errors=explainer.background_std_errors,
        background_dof=explainer.background_dof,
    )  # fmt: skip


@torch.no_grad()
def amortised_values(
    model: Model, explainer: Explainer, rows: Table, predictions: Float[Tensor, "n k"]
) -> Float[Tensor, "n d k"]:
    """Return the network's values, which add up to the predictions less the value of nothing."""
    network, device = network_of(explainer, model.device), model.device
    totals = predictions - torch.from_numpy(explainer.empty).double()
    X = rows.X.to(device, torch.float32 if device.type == "mps" else None)
    raw = network(X, totals.to(device, torch.float32)).cpu().double()
    shares = gives_shares(model.schema, explainer.output, explainer.link)
    return on_the_plane(raw, totals, shares=shares)


def _doubtful(
    model: Model, explainer: Explainer, rows: Table, values: Tensor, params: FastshapParams
) -> Bool[Tensor, " n"]:
    """Tell which rows have a larger residual than 99 % of the validation rows."""
    if params.fallback == "none":
        return torch.zeros(len(rows), dtype=torch.bool)
    residuals = check_residuals(
        surrogate_of(explainer, model.device), rows.X,
        torch.from_numpy(explainer.check_coalitions), explainer.link,
        torch.from_numpy(explainer.empty), values,
    )  # fmt: skip
    return residuals > explainer.residual_limit


def _estimated(
    model: Model,
    explainer: Explainer,
    rows: Table,
    predictions: Float[Tensor, "n k"],
    context: Context,
) -> tuple[Float[Tensor, "n d k"], Float[Tensor, "n d k"], int]:
    """Explain rows by an estimator: of the explainer's own game, against its own background."""
    d = len(model.schema.features)
    if explainer.value == "conditional":
        values = _values_of_surrogate(model, explainer, rows, predictions, context)
        return values, torch.zeros_like(values), 0
    background = Table(
        model.schema, torch.from_numpy(explainer.background),
        torch.from_numpy(explainer.background_ids), name=explainer.provenance.background,
    )  # fmt: skip
    method = METHODS[exact.NAME if d <= EXACT_PLAYERS else kernel.NAME]
    settings = parse_params(method.params, {"output": explainer.output, "link": explainer.link})
    found = method.explain(model, rows, background, settings, replace(context, preview=None))
    assert isinstance(found, Attribution)  # noqa: S101 - what both are registered to yield
    errors = np.zeros_like(found.values) if found.std_errors is None else found.std_errors
    return (
        torch.from_numpy(found.values), torch.from_numpy(errors), found.provenance.evaluations,
    )  # fmt: skip


def _values_of_surrogate(
    model: Model, explainer: Explainer, rows: Table, predictions: Tensor, context: Context
) -> Float[Tensor, "n d k"]:
    d = len(model.schema.features)
    if d <= EXACT_PLAYERS:
        known, weights = all_inner_coalitions(d)
    else:
        seed = int(context.stream(0).integers(2**62))
        generator = torch.Generator().manual_seed(seed)
        known, weights = outer_design(d, SURROGATE_COALITIONS, generator)
    empty = torch.from_numpy(explainer.empty).double()
    surrogate = surrogate_of(explainer, model.device)
    gains = surrogate_values(surrogate, rows.X, known, explainer.link).double().cpu() - empty
    return regress(gains, known, predictions - empty, weights)


def _notes(explainer: Explainer) -> tuple[str, ...]:
    certificate = explainer.certificate
    what = "game" if certificate.against == "game" else "surrogate, whose own error is not in it"
    notes = [
        f"explainer {explainer.digest[:8]}: root mean square error {certificate.rmse:.4g}, "
        f"{percent(certificate.relative)} of the values, on {certificate.n_rows:,} held-out rows "
        f"against the {what}; the standard errors are those of each feature on these rows, and no "
        "sampling error"
    ]
    if certificate.is_large:
        notes.append(
            f"the explainer's error is {percent(certificate.relative)} of the values, too much to "
            f"rely on; use {kernel.NAME} instead, or train on more rows"
        )
    return tuple(notes)


def _flagged_note(rows: Table, doubtful: Tensor, params: FastshapParams) -> str:
    n = int(doubtful.sum())
    which = listing(rows.ids[doubtful].tolist())
    done = "were estimated instead" if params.fallback == "estimate" else "should be estimated"
    return (
        f"{n:,} of {len(rows):,} rows have a residual above that of 99 % of the validation rows "
        f"and {done}: row{'' if n == 1 else 's'} {which}"
    )


def _provenance(
    model: Model, explainer: Explainer, rows: Table, params: FastshapParams, context: Context,
    *, evaluations: int, seconds: float, notes: tuple[str, ...],
) -> Provenance:  # fmt: skip
    own = explainer.provenance
    record = provenance_of(
        NAME, model, rows, rows[:0], params, context, evaluations=evaluations, chunk_rows=len(rows),
        seconds=seconds, notes=notes,
    )  # fmt: skip
    known = {
        "background": own.background,
        "background_digest": own.background_digest,
        "n_background": own.n_background,
    }
    return record.model_copy(update=known)


def _cost(model: Model, n_rows: int, n_background: int, params: FastshapParams) -> Cost:  # noqa: ARG001
    """One evaluation a row; at most, every row is estimated instead."""
    d, k = len(model.schema.features), len(model.output_names)
    n_bytes = 8 * n_rows * d * (k + 2) + 2**22
    if params.fallback != "estimate" or params.value == "conditional" or not model.explainers:
        return Cost(n_rows, n_bytes)
    method = METHODS[exact.NAME if d <= EXACT_PLAYERS else kernel.NAME]
    own = find_explainer(model, params).provenance.n_background
    most = method.cost(model, n_rows, own, method.params())
    return Cost(n_rows + most.evaluations, n_bytes + most.n_bytes)


METHODS.register(
    NAME,
    Method(
        title="Shapley values, FastSHAP",
        question="Which features made this prediction?",
        explain=_explain,
        params=FastshapParams,
        yields=Attribution,
        needs=frozenset({"explainer"}),
        uses=frozenset(),
        cost=_cost,
        trains=always,
        reference="Jethani, Sudarshan, Covert, Lee and Ranganath (2022)",
        weakness="A learned guess: good for rows like the training rows, without any promise for "
        "others. Rows with a large residual are estimated instead.",
    ),
)
