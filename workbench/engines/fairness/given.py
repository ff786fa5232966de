"""An audit of decisions that are given, whoever made them."""

import hashlib
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from workbench.core.context import Context, Progress
from workbench.core.errors import InvalidInputError
from workbench.core.fairness import FairnessAudit
from workbench.core.method import METHODS
from workbench.core.params import parse_params
from workbench.core.provenance import Provenance
from workbench.core.table import Table
from workbench.engines.calls import created_now, versions_now
from workbench.engines.fairness.audit import NAME, Audited, audit_fields
from workbench.engines.fairness.audit_params import AuditParams
from workbench.engines.fairness.decided import Decided
from workbench.engines.fairness.groups import find_groups
from workbench.engines.weighing import row_weights


@dataclass(frozen=True, eq=False)
class Given:
    """Decisions and truths, favourable being 1, and who they are about.

    Attributes
    ----------
    scores
        NaN where nobody knows them.
    people
        Table of the protected columns, with weights where rows have some.
    """

    decided: Bool[np.ndarray, " n"]
    truth: Int[np.ndarray, " n"]
    scores: Float[np.ndarray, " n"]
    people: Table
    favourable: str
    unfavourable: str


def audit_given(
    given: Given, *, seed: int = 0, progress: Progress | None = None, **params: Any
) -> FairnessAudit:
    """Say who is worse off under given decisions.

    Raises
    ------
    InvalidInputError
        If a setting is out of bounds, there are no groups to compare, or a score is no
        probability.
    """
    started = time.perf_counter()
    settings = parse_params(AuditParams, params)
    if settings.threshold is not None:
        raise InvalidInputError(
            "threshold: the decisions are given already; leave the threshold out, or decide by "
            "the scores yourself."
        )
    context = Context(seed=seed, progress=progress)
    grouping = find_groups(given.people, settings)
    weights, notes = row_weights(given.people, wanted=settings.weights)
    decided = Decided(given.favourable, 1, given.scores, given.decided, given.truth)
    audited = Audited(decided, grouping, given.unfavourable, weights)
    fields, more = audit_fields(audited, settings, context)
    record, digest = METHODS[NAME], hashlib.sha256(given.decided.tobytes()).hexdigest()
    return FairnessAudit(
        provenance=Provenance(
            method=NAME, title=record.title, reference=record.reference,
            params=settings.model_dump(mode="json"), seed=seed, model="decisions as given",
            model_digest=digest, table=given.people.name, table_digest=given.people.digest,
            n_rows=len(given.people), background="none", background_digest="", n_background=0,
            evaluations=0, chunk_rows=len(given.people), seconds=time.perf_counter() - started,
            device="cpu", dtype="float64", versions=versions_now(),
            notes=(*notes, *more, "the decisions were given; no model was asked"),
            created=created_now(),
        ),
        **fields,
    )  # fmt: skip
