"""The models that a report is about, as their cards describe them."""

from collections.abc import Iterable
from dataclasses import dataclass

from workbench.core.card import Card
from workbench.core.results import Result
from workbench.core.schema import listing
from workbench.plots.words import number
from workbench.report.document import Level
from workbench.report.section import Grid

NOT_SAID = "Not said by whoever made the model."


@dataclass(frozen=True)
class ModelPart:
    """A model in a report; all text plain, escaped by the template."""

    name: str
    title: str
    texts: tuple[tuple[str, str], ...]
    metrics: Grid | None
    facts: tuple[tuple[str, str], ...]


def model_part(card: Card, name: str, level: Level, results: Iterable[Result]) -> ModelPart:
    """Describe a model: what it is for for everybody, how it came about for who has to check it.

    Parameters
    ----------
    results
        Those of the report; the ones about this model know the digest of the card.
    """
    reference = f"{card.name}@{card.version}"
    digests = sorted({
        r.provenance.model_digest for r in results if r.provenance.model == reference
    })  # fmt: skip
    return ModelPart(
        name=name,
        title=f"{card.title} ({reference})",
        texts=(
            ("Intended use", card.intended_use or NOT_SAID), ("Limits", card.limits or NOT_SAID),
        ),
        metrics=_metrics(card),
        facts={"summary": (), "analyst": _facts(card), "auditor": _all_facts(card, digests)}[level],
    )  # fmt: skip


def _metrics(card: Card) -> Grid | None:
    if not card.metrics:
        return None
    rows = tuple(
        (m.name, f"{number(m.value)} ({number(m.low)} to {number(m.high)})", m.interval, m.split,
         f"{m.n_rows:,}")
        for m in card.metrics
    )  # fmt: skip
    columns = ("figure", "value (95 %)", "interval", "rows of", "rows")
    return Grid("How well it does, by its card", columns, rows, frozenset({1, 4}))


def _facts(card: Card) -> tuple[tuple[str, str], ...]:
    schema = card.schema
    trained = f"{card.training_rows:,} rows of {card.training_table or 'a table that is not named'}"
    return (
        ("task", schema.task or "not said"), ("target", schema.target or "not named"),
        ("outputs", listing(schema.output_names, 20)),
        ("favourable", schema.favourable or "none named"),
        ("features", f"{len(schema.features)}: {listing(schema.names, 40)}"),
        ("trained on", trained if card.training_rows else "not said"),
        ("split", card.split or "not said"), ("made with", card.created_by or "not said"),
        ("licence", card.licence or "not said"),
    )  # fmt: skip


def _all_facts(card: Card, digests: list[str]) -> tuple[tuple[str, str], ...]:
    parts = ((part.name, part.arguments) for part in (card.encoder, card.network))
    built = ["; ".join([name, *(f"{k} = {v}" for k, v in given.items())]) for name, given in parts]
    return (
        *_facts(card), ("seed", str(card.seed)), ("encoder", built[0]), ("network", built[1]),
        ("digest of the training table", card.training_digest or "not said"),
        ("digest of the weights (SHA-256)", card.weights_sha256),
        ("digest of the card (SHA-256)", ", ".join(digests) or "no result names it"),
    )  # fmt: skip
