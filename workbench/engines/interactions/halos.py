"""What sets of features do together in models that read these features on other scales."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.halo import Halo
from workbench.core.method import METHODS, Cost, Method
from workbench.core.model import Model
from workbench.core.schema import listing
from workbench.core.table import Table
from workbench.engines.calls import provenance_of
from workbench.engines.interactions.candidates import chosen_pairs, chosen_triples
from workbench.engines.interactions.halo_params import HaloParams
from workbench.engines.interactions.halo_shape import shape_of, tenths
from workbench.engines.interactions.params import ScoresParams
from workbench.engines.interactions.scene import Scene, make_scene
from workbench.engines.interactions.scores import NAME as SCORES
from workbench.engines.interactions.scores import loss_unit
from workbench.numerics.devices import LEAST_BUDGET
from workbench.numerics.row_losses import row_losses
from workbench.numerics.scaled_losses import (
    excess,
    row_losses_of_reference,
    scores_in_loss,
)
from workbench.numerics.scaled_rows import ScaledRows
from workbench.numerics.scaling_search import (
    DIRECTIONS,
    exact_boundaries,
    most_evaluations,
    published_boundaries,
)
from workbench.numerics.second_differences import COPIES, NUMBER_BYTES, SUMS
from workbench.numerics.swaps import Set

NAME = "interactions.halo"
SEARCHES = {"exact": exact_boundaries, "published": published_boundaries}


@dataclass(eq=False)
class _Family:
    """Copies of a model that read features on other scales, and how good they are.

    Attributes
    ----------
    reference
        Loss of each row in the given model.
    tolerance
        By how much the loss of an equally good copy may be above it.
    scalable
        Features that scaling means something for.
    """

    scene: Scene
    rows: ScaledRows
    reference: Float[Tensor, " n"]
    tolerance: float
    scalable: list[int]

    def losses(self, logits: Tensor, own: Tensor) -> Tensor:
        """Return what the network's answers about rows cost."""
        truth = self.scene.truth
        assert truth is not None  # noqa: S101 - the scene was made with labels
        return row_losses(logits, truth[own.to(truth.device)], self.scene.model.schema.n_classes)

    def profile(
        self, features: Int[np.ndarray, " a"], masks: Float[np.ndarray, " a"]
    ) -> Float[np.ndarray, " a"]:
        """Return the rise of the loss where single features are scaled."""
        return self.excess(self.single(features, masks))[0]

    def excess(
        self, masks: Float[Tensor, "v d"]
    ) -> tuple[Float[np.ndarray, " v"], Float[np.ndarray, " v"]]:
        """Return the rise of the loss of copies, and its standard error."""
        found = excess(self.rows, self.losses, self.reference, masks)
        return found.values[:, 0].numpy(), found.std_errors[:, 0].numpy()

    def scores(
        self, members: Set, masks: Float[Tensor, "v d"]
    ) -> tuple[Float[np.ndarray, " v"], Float[np.ndarray, " v"]]:
        """Return what a set does together in the loss of copies, and its standard error."""
        found = scores_in_loss(self.rows, self.losses, members, masks, self.scene.donors)
        return found.values[:, 0].numpy(), found.std_errors[:, 0].numpy()

    def single(self, features: np.ndarray, masks: np.ndarray) -> Float[Tensor, "a d"]:
        """Return masks of all features that scale one of them."""
        return self.joint(features[:, None], masks[:, None])

    def joint(self, members: np.ndarray, masks: np.ndarray) -> Float[Tensor, "v d"]:
        """Return masks of all features that scale some of them."""
        full = np.ones((len(masks), len(self.scene.model.schema.features)))
        np.put_along_axis(full, np.broadcast_to(members, masks.shape), masks, axis=1)
        return torch.from_numpy(full)


def _explain(model: Model, rows: Table, _: Table, params: HaloParams, context: Context) -> Halo:
    started = time.perf_counter()
    family = _make_family(_precise(model), rows, params, context)
    scene = family.scene
    scene.expected = _cost(model, len(rows), 0, params).evaluations
    shape = shape_of(params.order, params.budgets, params.angles, with_zeros=params.zeros)
    budgets = tenths(params.budgets)
    boundaries = _boundaries(family, family.scalable, budgets, params)
    sets = np.array(_chosen_sets(family, boundaries, params), dtype=np.int64)
    involved = sorted(set(sets.ravel().tolist()))
    at_shares = boundaries
    if params.angles:
        at_shares = _boundaries(family, involved, shape.fractions, params)
    masks = at_shares[sets[:, None], (shape.signs > 0).astype(int), shape.steps]
    masks[~np.isfinite(masks).all(2)] = np.nan
    return Halo(
        **_of_models(family, sets, masks),
        provenance=provenance_of(
            NAME, scene.model, rows, None, params, context, evaluations=scene.evaluations,
            chunk_rows=len(scene.rows), seconds=time.perf_counter() - started,
            notes=_notes(rows, family, boundaries),
        ),
        sets=sets,
        shares=shape.shares,
        signs=shape.signs,
        masks=masks,
        reference_loss=float(family.reference.mean()),
        tolerance=family.tolerance,
        budgets=budgets,
        boundaries=boundaries,
        main_effects=_main_effects(family, involved, boundaries),
        schema=model.schema,
        loss_unit=loss_unit(model),
    )  # fmt: skip


def _precise(model: Model) -> Model:
    """Return the model in double precision, where its device has it: boundaries are close."""
    if model.dtype == torch.float64 or model.device.type == "mps":
        return model
    return model.to(dtype=torch.float64)


def _make_family(model: Model, rows: Table, params: HaloParams, context: Context) -> _Family:
    scene = make_scene(
        model, rows, context, output="score", permutations=params.permutations,
        at_most=params.max_rows, labelled=True,
    )  # fmt: skip
    d = len(model.schema.features)
    if d < params.order:
        raise InvalidInputError(
            f"Model {model.name} reads {d} features, too few for sets of {params.order}; set order "
            "to 2."
        )
    inputs = model.encode(scene.rows.X)
    scaled = ScaledRows(model, inputs, context.budget, scene.count)
    family = _Family(scene, scaled, torch.zeros(0), 1.0, _scalable(model))
    family.reference = row_losses_of_reference(scaled, family.losses, d)
    loss = float(family.reference.mean())
    if not np.isfinite(loss):
        raise InvalidInputError(
            f"The loss of model {model.name} on {rows.name!r} is not finite: it gives a true class "
            "a probability of 0, or no number; mend or leave out such rows."
        )
    if params.relative and loss <= 0:
        raise InvalidInputError(
            f"The loss of model {model.name} on {rows.name!r} is 0, and a share of it allows "
            "nothing; set relative to false and give the tolerance in the unit of the loss."
        )
    family.tolerance = params.tolerance * (loss if params.relative else 1.0)
    _check_named(family, params)
    return family


def _scalable(model: Model) -> list[int]:
    """Return the features whose numbers may be multiplied: no codes that a black box reads."""
    coded = set(model.whole_numbers)
    features = model.schema.features
    if "black_box" in model.capabilities:
        coded |= {i for i, feature in enumerate(features) if feature.categories}
    return [i for i in range(len(features)) if i not in coded]


def _check_named(family: _Family, params: HaloParams) -> None:
    model = family.scene.model
    fixed = set(params.chosen(model.schema)) - set(family.scalable)
    if fixed:
        raise InvalidInputError(
            f"Feature {model.schema.names[min(fixed)]!r} of model {model.name} cannot be scaled, "
            "since the model reads whole numbers or codes there; name other features as pair."
        )
    if len(family.scalable) < params.order:
        raise InvalidInputError(
            f"Model {model.name} reads whole numbers or codes alone, which cannot be scaled; "
            "choose another model."
        )


def _boundaries(
    family: _Family, features: Sequence[int], fractions: Float[np.ndarray, " b"], params: HaloParams
) -> Float[np.ndarray, "d 2 b"]:
    """Return the boundaries of some features at shares of the tolerance; NaN of the others."""
    d = len(family.scene.model.schema.features)
    found = np.full((d, len(DIRECTIONS), len(fractions)), np.nan)
    places = np.array(features, dtype=np.int64)
    search = SEARCHES[params.search]
    found[places] = search(family.profile, places, fractions * family.tolerance, params.reach)
    return found


def _chosen_sets(
    family: _Family, boundaries: Float[np.ndarray, "d 2 b"], params: HaloParams
) -> list[Set]:
    """Return the named set, or those that do most together among features with boundaries."""
    scene, model = family.scene, family.scene.model
    if named := params.chosen(model.schema):
        return [named]
    bounded = set(np.flatnonzero(np.isfinite(boundaries).any((1, 2))).tolist())
    if len(bounded) < params.order:
        bounded = set(family.scalable)
    variances = scene.outputs(model).var(0, correction=0).numpy()
    pairs = chosen_pairs(scene, model, variances)
    sets = [one for one in pairs if bounded.issuperset(one)]
    strength = _strengths(family, sets, variances, params)
    if params.order == 3:
        sets = chosen_triples(sets, strength, len(model.schema.features))
        strength = _strengths(family, sets, variances, params)
    return [sets[at] for at in np.argsort(-strength, kind="stable")[: params.top]]


def _strengths(
    family: _Family, sets: list[Set], variances: Float[np.ndarray, " k"], params: HaloParams
) -> Float[np.ndarray, " s"]:
    """Return by how much sets do something together in the given model.

    Raises
    ------
    InvalidInputError
        If there are none.
    """
    if not sets:
        raise InvalidInputError(
            f"None of the strongest pairs of model {family.scene.model.name} make up a set of "
            f"{params.order} features that can be scaled; name features as pair."
        )
    found = family.scene.measure(family.scene.model, sets)
    if params.rank == "loss" and found.loss is not None:
        losses: np.ndarray = found.loss.values[:, 0].abs().numpy()
        return losses
    shares: np.ndarray = found.squared.values.numpy() / np.where(variances > 0, variances, 1)
    return shares.mean(1)


def _of_models(
    family: _Family, sets: Int[np.ndarray, "s o"], masks: Float[np.ndarray, "s v o"]
) -> dict[str, Any]:
    """Return how good joint models are and their scores, as fields of a result."""
    fields = {
        name: np.full(masks.shape[:2], np.nan)
        for name in ("excess", "excess_std_errors", "scores", "scores_std_errors")
    }
    own, own_errors = np.zeros(len(sets)), np.zeros(len(sets))
    for place, one in enumerate(sets):
        known = np.isfinite(masks[place]).all(1)
        joint = family.joint(one, masks[place, known])
        if known.any():
            above, noise = family.excess(joint)
            fields["excess"][place, known] = above
            fields["excess_std_errors"][place, known] = noise
        # The given model is asked with them, about the same rows.
        given = torch.ones(1, joint.shape[1], dtype=joint.dtype)
        found, errors = family.scores(tuple(one.tolist()), torch.cat([joint, given]))
        fields["scores"][place, known] = found[:-1]
        fields["scores_std_errors"][place, known] = errors[:-1]
        own[place], own_errors[place] = found[-1], errors[-1]
    return fields | {"reference_scores": own, "reference_scores_std_errors": own_errors}


def _main_effects(
    family: _Family, involved: Sequence[int], boundaries: Float[np.ndarray, "d 2 b"]
) -> Float[np.ndarray, "d 2 b"]:
    """Return the rise of the loss when a feature is shuffled, in the model at each boundary."""
    effects = np.full_like(boundaries, np.nan)
    for feature in involved:
        known = np.isfinite(boundaries[feature])
        if known.any():
            masks = boundaries[feature, known]
            single = family.single(np.full(len(masks), feature), masks)
            effects[feature, known] = family.scores((feature,), single)[0]
    return effects


def _notes(rows: Table, family: _Family, boundaries: Float[np.ndarray, "d 2 b"]) -> tuple[str, ...]:
    notes = [
        "copies multiply features, so they depend on where a feature has its 0: measured from "
        "another 0, with a model that makes up for it, the copies are others"
    ]
    scene, names = family.scene, family.scene.model.schema.names
    if len(scene.rows) < len(rows):
        notes.append(f"{len(scene.rows):,} of {len(rows):,} rows were drawn")
    fixed = [name for i, name in enumerate(names) if i not in family.scalable]
    if fixed:
        notes.append(f"of {listing(fixed)} the model reads whole numbers or codes, so not scaled")
    still = [names[i] for i in family.scalable if np.isnan(boundaries[i]).all()]
    if still:
        notes.append(f"the loss does not depend on the scale of {listing(still)}")
    never = [names[i] for i in range(len(names)) if np.isinf(boundaries[i]).any()]
    if never:
        notes.append(
            f"in some direction the loss stays within the tolerance for {listing(never)}, as far "
            "as was looked; joint models in that direction are left out"
        )
    if rows.weights is not None:
        notes.append("rows count alike, whatever their sampling weight")
    return tuple(notes)


def _cost(model: Model, n_rows: int, _: int, params: HaloParams) -> Cost:
    d, k = len(model.schema.features), len(model.output_names)
    n, repeats = min(n_rows, params.max_rows), params.permutations
    shape = shape_of(params.order, params.budgets, params.angles, with_zeros=params.zeros)
    sets = 1 if params.pair else params.top
    involved, budgets = min(d, sets * params.order), params.budgets + 1
    searched = most_evaluations(params.search, params.reach, budgets) * d
    if params.angles:
        searched += most_evaluations(params.search, params.reach, params.angles) * involved
    joint = sets * (len(shape.steps) + 1)
    models = 1 + len(DIRECTIONS) * searched + joint * (2 + repeats * (params.order + 1))
    models += involved * len(DIRECTIONS) * budgets * (1 + repeats)
    ranked = ScoresParams(
        detector="both", permutations=repeats, max_rows=params.max_rows, order=params.order
    )
    ranking = METHODS.find(SCORES).cost(model, n_rows, 0, ranked)
    sums = NUMBER_BYTES * n * k * (SUMS + COPIES) * len(shape.steps)
    return Cost(
        n * models + (0 if params.pair else ranking.evaluations),
        max(ranking.n_bytes, min(sums, LEAST_BUDGET) + LEAST_BUDGET // 4),
    )


METHODS.register(
    NAME,
    Method(
        title="Halos of features",
        question="Do equally good models need these features together?",
        explain=_explain,
        params=HaloParams,
        yields=Halo,
        needs=frozenset(),
        uses=frozenset({"labels"}),
        cost=_cost,
        reference="Li, Wang, Deng and Barnard (2024)",
        weakness="The models are copies that multiply features, a small part of all that are as "
        "good, and a part that depends on where features have their 0.",
    ),
)
