"""What parts of pages need of model and rows: each says in one sentence what is lacking, if so."""

from workbench.ui.frame import empty_state
from workbench.ui.place import Place

OF_CLASSES = "german-mlp"


def lacks_labels(place: Place, what: str) -> bool:
    """Say that something cannot be told of rows without true values, and what to do."""
    if place.rows.y is not None:
        return False
    empty_state(
        f"{what} cannot be told: {place.rows_name} holds no true values. Add the table again with "
        "its target column.", "help",
    )  # fmt: skip
    return True


def lacks_classes(place: Place, so: str, instead: str = "") -> bool:
    """Say what follows of a model that predicts a number, and which model or page serves."""
    if place.model.schema.classes:
        return False
    further = f" {instead}" if instead else ""
    empty_state(
        f"{place.model.card.name} predicts a number, so {so}. Choose a model of classes, such as "
        f"{OF_CLASSES}.{further}", "help",
    )  # fmt: skip
    return True


def lacks_layers(place: Place, so: str) -> bool:
    """Say what follows of a model that only answers, and which model serves."""
    if "black_box" not in place.model.capabilities:
        return False
    empty_state(
        f"{place.model.card.name} is a black box: {so}. Choose a network, such as {OF_CLASSES}.",
        "help",
    )
    return True
