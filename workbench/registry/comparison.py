"""What the cards of two models say, side by side."""

from workbench.core.card import Card, Metric


def cards_beside(one: Card, other: Card) -> list[tuple[str, str, str]]:
    """Return a line for each figure and fact: what it is, of the first model, of the second."""
    figures = {figure.name: figure for figure in one.metrics}
    others = {figure.name: figure for figure in other.metrics}
    return [
        *(
            (name, _figure(figures.get(name)), _figure(others.get(name)))
            for name in dict.fromkeys([*figures, *others])
        ),
        ("network", one.network.name, other.network.name),
        ("features", str(len(one.schema.features)), str(len(other.schema.features))),
        ("trained on", one.training_table, other.training_table),
        ("training rows", f"{one.training_rows:,}", f"{other.training_rows:,}"),
        ("use", one.intended_use, other.intended_use),
        ("limits", one.limits, other.limits),
    ]


def _figure(figure: Metric | None) -> str:
    if figure is None:
        return "not stated"
    return (
        f"{figure.value:.4g} [{figure.low:.4g}, {figure.high:.4g}] on {figure.n_rows:,} "
        f"{figure.split} rows"
    )
