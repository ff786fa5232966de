"""Train an explainer: the surrogate, the network that gives the values, the certificate."""

import time
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.explainer import Certificate, Explainer, Fidelity
from workbench.core.method import METHODS, Cost, Method, always
from workbench.core.model import Model
from workbench.core.table import Table
from workbench.core.wording import percent
from workbench.engines.calls import check_features, provenance_of
from workbench.engines.fastshap.amortise import (
    LABEL_ROWS,
    Lesson,
    Teacher,
    label_coalitions,
    train_explainer,
)
from workbench.engines.fastshap.certificate import (
    Measured,
    kernel_loss,
    measure,
    n_measured,
    n_questions,
    questions,
    regressions,
)
from workbench.engines.fastshap.learning import (
    CROSSED,
    MOST_HELD_OUT,
    MOST_VALIDATION,
    REPEATS,
    STORED,
    epoch_rows,
    generator_at,
    one_thread,
    tenth,
    told_apart,
    with_crossed,
)
from workbench.engines.fastshap.params import FastshapParams
from workbench.engines.fastshap.surrogate import STORED_COALITIONS, train_surrogate
from workbench.numerics.amortised import (
    ExplainerNetwork,
    MaskedNetwork,
    check_residuals,
    gives_shares,
    network_of,
    on_the_plane,
    pack,
    surrogate_of,
    surrogate_values,
)
from workbench.numerics.game import Game
from workbench.numerics.links import unit_of
from workbench.numerics.maskers import marginal
from workbench.numerics.shapley_kernel import draw_coalitions

NAME = "fastshap.train"
FALLBACK = "shapley.kernel"
FEWEST_ROWS = 3
RESIDUAL_QUANTILE = 0.99


def _explain(
    model: Model, rows: Table, background: Table, params: FastshapParams, context: Context
) -> Explainer:
    started = time.perf_counter()
    unit = unit_of(model.schema, params.output, params.link)
    for table, what in ((rows, "rows to train on"), (background, "background rows")):
        check_features(model, table, what)
    if len(model.schema.features) < 2:
        raise InvalidInputError(
            f"Model {model.name} has one feature, to which the whole prediction is due; there is "
            "nothing to train."
        )
    if len(rows) < FEWEST_ROWS:
        raise InvalidInputError(
            f"An explainer needs at least {FEWEST_ROWS} rows to train on, {rows.name!r} has "
            f"{len(rows)}; give the training rows of the model."
        )
    old = _to_go_on_from(model, params) if params.resume else None
    device, told = model.device, _Progress(context, params)
    game = Game(
        model, marginal(background), output=params.output, link=params.link,
        context=replace(context, progress=None),
    )  # fmt: skip
    parts = told_apart(rows, context)
    if params.value == "marginal":
        parts = replace(parts, train=with_crossed(parts.train, context))
    with one_thread():
        surrogate, fidelity, asked = train_surrogate(
            model, parts, background, params, context, told.surrogate,
            None if old is None else surrogate_of(old, device),
        )  # fmt: skip
    empty, base_std_errors = _nothing_known(game, surrogate, parts.train, params)
    train, validation, held_out = (
        lesson(game, part, empty) for part in (parts.train, parts.validation, parts.held_out)
    )
    teacher = Teacher(surrogate, empty.to(device, torch.float32), params)
    with one_thread():
        network, history = train_explainer(
            teacher, train, validation, context, told.explainer,
            None if old is None else network_of(old, device),
        )  # fmt: skip
    measured, fidelity, drawn = _certify(
        game, teacher, network, held_out, fidelity, generator_at(context, device, STORED, 2)
    )
    check = draw_coalitions(
        1, 2 * len(model.schema.features), len(model.schema.features),
        generator_at(context, torch.device("cpu"), STORED, 3),
    )[0]  # fmt: skip
    residuals = check_residuals(
        surrogate, validation.rows.X, check, params.link, empty,
        _values(network, validation, params),
    )  # fmt: skip
    conditional = params.value == "conditional"
    return Explainer(
        provenance=provenance_of(
            NAME, model, rows, background, params, context, evaluations=asked + game.evaluations,
            chunk_rows=params.batch, seconds=time.perf_counter() - started,
            notes=_notes(measured.certificate, fidelity),
        ),
        schema=model.schema,
        output_names=model.output_names,
        output=params.output,
        link=params.link,
        unit=unit,
        value=params.value,
        surrogate_hidden=params.hidden,
        explainer_hidden=params.hidden,
        surrogate_weights=pack(surrogate),
        explainer_weights=pack(network),
        empty=empty.numpy().copy(),
        base_std_errors=base_std_errors.numpy().copy(),
        background=background.X[: 0 if conditional else None].numpy().copy(),
        background_ids=background.ids[: 0 if conditional else None].numpy().copy(),
        check_coalitions=check.numpy(),
        residual_limit=float(residuals.quantile(RESIDUAL_QUANTILE)),
        errors=measured.errors.numpy().copy(),
        history=np.array(history),
        certificate=measured.certificate,
        fidelity=fidelity,
        background_std_errors=drawn,
        background_dof=None if drawn is None else game.n_groups - 1.0,
    )  # fmt: skip


class _Progress:
    """Tells how many passes of both networks are done."""

    def __init__(self, context: Context, params: FastshapParams) -> None:
        self.context = context
        self.first = params.surrogate_epochs
        self.total = self.first + params.warm_epochs + params.epochs
        self.done = 0

    def surrogate(self, epoch: int, loss: float) -> None:
        """Report a pass of the surrogate."""
        self.context.step(epoch + 1, self.total, f"passes, surrogate at loss {loss:.4f}")

    def explainer(self, _: int, loss: float) -> None:
        """Report a pass of the explainer; those that early stops saved are not waited for."""
        self.done += 1
        done = min(self.first + self.done, self.total)
        self.context.step(done, self.total, f"passes, explainer at loss {loss:.5f}")


def _to_go_on_from(model: Model, params: FastshapParams) -> Explainer:
    for explainer in reversed(model.explainers):
        asked = (params.output, params.link, params.value, params.hidden, params.hidden)
        if asked == (
            explainer.output, explainer.link, explainer.value,
            explainer.surrogate_hidden, explainer.explainer_hidden,
        ):  # fmt: skip
            return explainer
    raise InvalidInputError(
        f"Model {model.name} has no explainer of these settings to go on from; train one first, "
        "without resume."
    )


def _nothing_known(
    game: Game, surrogate: MaskedNetwork, train: Table, params: FastshapParams
) -> tuple[Float[Tensor, " k"], Float[Tensor, " k"]]:
    """Return the value of the coalition of no features, and its standard error."""
    k = game.n_outputs
    if params.value == "marginal":
        return game.empty[:k], game.empty_std_errors
    nobody = torch.zeros(1, game.n_players, dtype=torch.bool)
    empty = surrogate_values(surrogate, train.X[:1], nobody, params.link)[0, 0].double().cpu()
    outputs = game.full(train.X)[:, :k]
    return empty, outputs.std(0, correction=0) / len(train) ** 0.5


def lesson(game: Game, rows: Table, empty: Float[Tensor, " k"]) -> Lesson:
    """Return rows with what their values add up to.

    Raises
    ------
    InvalidInputError
        If the model returns no finite number for a row.
    """
    totals = game.full(rows.X)[:, : game.n_outputs] - empty
    if not bool(torch.isfinite(totals).all()):
        row = int(rows.ids[int((~torch.isfinite(totals)).any(1).nonzero()[0])])
        raise InvalidInputError(
            f"Model {game.model.name} returns no finite number for row {row} of {rows.name!r}; "
            "mend or leave out rows far outside the training data."
        )
    return Lesson(rows, totals.to(game.model.device, torch.float32))


def _values(
    network: ExplainerNetwork, lesson: Lesson, params: FastshapParams
) -> Float[Tensor, "n d k"]:
    shares = gives_shares(lesson.rows.schema, params.output, params.link)
    device = lesson.totals.device
    X = lesson.rows.X.to(device, lesson.totals.dtype if device.type == "mps" else None)
    raw = network(X, lesson.totals)
    return on_the_plane(raw, lesson.totals, shares=shares).double().cpu()


def _certify(
    game: Game,
    teacher: Teacher,
    network: ExplainerNetwork,
    held_out: Lesson,
    fidelity: Fidelity,
    generator: torch.Generator,
) -> tuple[Measured, Fidelity, np.ndarray | None]:
    """Measure the values on held-out rows; of the marginal game, the surrogate as well.

    The values of the marginal game itself are asked for, so that the error of the surrogate
    counts. Of the conditional one nobody knows them, and the surrogate is the game.
    """
    params, k = teacher.params, game.n_outputs
    n = n_measured(len(held_out.rows), game.n_players, len(game.masker))
    some = Lesson(held_out.rows[:n], held_out.totals[:n])
    values, asked = _values(network, some, params), questions(game.n_players, generator)
    own = [teacher.gains(some.rows.X, known).double().cpu() for known, _ in asked.halves]
    totals = some.totals.double().cpu()
    if params.value == "conditional":
        found = regressions(own, totals, asked)
        loss = kernel_loss(values, own, asked)
        return measure(values, found, loss, asked, against="surrogate"), fidelity, None
    gains = [game.values(some.rows.X, known) - game.empty for known, _ in asked.halves]
    references = regressions(gains, game.full(some.rows.X) - game.empty, asked)  # (n, d, gk)
    drawn = game.background_std_errors(torch.stack(references).mean(0))
    gains = [part[..., :k] for part in gains]
    measured = measure(
        values, [part[..., :k] for part in references], kernel_loss(values, gains, asked), asked,
        against="game",
    )  # fmt: skip
    off = torch.cat([(a - b).square().flatten() for a, b in zip(own, gains, strict=True)])
    fidelity = fidelity.model_copy(update={"rmse": float(off.mean().sqrt())})
    return measured, fidelity, None if drawn is None else drawn.pow(2).mean(0).sqrt().numpy()


def _notes(certificate: Certificate, fidelity: Fidelity) -> tuple[str, ...]:
    notes = []
    if certificate.is_large:
        notes.append(
            f"the error on held-out rows is {percent(certificate.relative)} of the values; use "
            f"{FALLBACK} instead of this explainer"
        )
    if fidelity.loss >= fidelity.no_information:
        notes.append(
            "the surrogate knows no more than the mean prediction (loss "
            f"{fidelity.loss:.4f}, without information {fidelity.no_information:.4f}); train on "
            "more rows or for longer"
        )
    return tuple(notes)


def _cost(model: Model, n_rows: int, n_background: int, params: FastshapParams) -> Cost:
    """Upper bound: a pass never has more rows than the whole table would give."""
    d, k = len(model.schema.features), len(model.output_names)
    validation, held_out = (min(tenth(n_rows), most) for most in (MOST_VALIDATION, MOST_HELD_OUT))
    draws = params.draws if params.value == "marginal" else 0
    n_train = max(n_rows, min((REPEATS + 1) * n_rows, CROSSED))
    learned = params.surrogate_epochs * epoch_rows(n_train) * draws
    stored = STORED_COALITIONS * validation * draws
    measured = n_measured(held_out, d, n_background) * (n_questions(d) * n_background + 1)
    evaluations = learned + stored + measured + 4 * n_train + n_background
    labels = 8 * n_rows * d * k + 4 * LABEL_ROWS * label_coalitions(d) * (params.width + k)
    return Cost(evaluations, n_bytes=labels + 8 * params.batch * draws * len(model.groups))


METHODS.register(
    NAME,
    Method(
        title="FastSHAP, training of an explainer",
        question="Can explanations of this model be had at once?",
        explain=_explain,
        params=FastshapParams,
        yields=Explainer,
        needs=frozenset(),
        cost=_cost,
        trains=always,
        reference="Jethani, Sudarshan, Covert, Lee and Ranganath (2022)",
        weakness="What it learns holds for rows like those it was trained on, and small tables "
        "teach it too little; the certificate says how far off it is.",
    ),
)
