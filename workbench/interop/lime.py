"""Local models as the package lime lists them."""

from workbench.core.local_models import LocalModels


def as_lime_list(
    models: LocalModels, row: int = 0, output: str | int | None = None
) -> list[tuple[str, float]]:
    """Return conditions and weights of a row's local model, as lime's ``as_list`` does.

    Strongest first; features that were not selected are left out.

    Parameters
    ----------
    row
        Position of the row in the result.

    Raises
    ------
    InvalidInputError
        If there is no such output.
    """
    which = models.output_index(output)
    weights, chosen = models.coefficients[row, :, which], models.selected[row, :, which]
    order = sorted(chosen.nonzero()[0], key=lambda j: -abs(weights[j]))
    return [(models.condition(row, j), float(weights[j])) for j in order]
