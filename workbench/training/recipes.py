"""One recipe per bundled model: table, architecture, settings, and what its card says."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from workbench.core.card import Architecture
from workbench.numerics.fitting import FitSettings

NOT_FOR_DECISIONS = (
    "A demonstration model for learning about explanations; not for decisions about people."
)


@dataclass(frozen=True)
class Recipe:
    """Everything that decides how a bundled model comes out."""

    title: str
    table: str
    network: Architecture
    limits: str
    settings: FitSettings = field(default_factory=FitSettings)
    encoder: Architecture = field(default_factory=lambda: Architecture(name="tabular"))
    seed: int = 0


def _mlp(*hidden: int, dropout: float = 0.1) -> Architecture:
    return Architecture(name="mlp", arguments={"hidden": list(hidden), "dropout": dropout})


_ADULT_LIMITS = (
    "United States census of 1994; incomes, occupations and household roles have changed since. "
    "Sex and race are inputs, and the model repeats the inequalities of its time."
)

RECIPES: Mapping[str, Recipe] = {
    "adult-mlp": Recipe(
        "Income above 50,000 dollars, two hidden layers", "adult", _mlp(128, 128, dropout=0.2),
        _ADULT_LIMITS, FitSettings(epochs=60, batch=256, rate=1e-3, decay=1e-3, patience=8),
    ),
    "adult-linear": Recipe(
        "Income above 50,000 dollars, logistic regression", "adult", Architecture(name="linear"),
        _ADULT_LIMITS, FitSettings(epochs=60, batch=256, rate=3e-3, decay=1e-4, patience=8),
    ),
    "german-mlp": Recipe(
        "Credit risk, two hidden layers", "german", _mlp(32, 32, dropout=0.3),
        "1,000 loans granted in Germany from 1973 to 1975 with the bad ones over-sampled: the "
        "share of bad loans is not a default rate.",
        FitSettings(epochs=200, batch=64, rate=1e-3, decay=1e-2, patience=20),
    ),
    "breast-cancer-mlp": Recipe(
        "Malignant or benign, from cell nuclei in an image", "breast-cancer", _mlp(32, 32),
        "569 patients of one hospital; its 30 features are strongly correlated, so credit is "
        "shared among near-copies.",
        FitSettings(epochs=300, batch=64, rate=1e-3, decay=1e-2, patience=30),
    ),
    "wine-mlp": Recipe(
        "Which of three cultivars a wine is of", "wine", _mlp(32, 32),
        "178 wines of one region; the test split has 36 rows, so its figures are rough.",
        FitSettings(epochs=300, batch=32, rate=1e-3, decay=1e-2, patience=30),
    ),
    "diabetes-mlp": Recipe(
        "Progression of diabetes after one year", "diabetes", _mlp(32, 32),
        "442 patients; half of the variation in progression is not explained by the features.",
        FitSettings(epochs=500, batch=32, rate=1e-3, decay=1e-2, patience=40),
    ),
    "digits-mlp": Recipe(
        "Handwritten digits of 8 by 8 pixels", "digits", _mlp(32, 32, dropout=0.0),
        "Digits of 43 writers, normalised to 8 by 8 pixels; not for photographs.",
        FitSettings(epochs=200, batch=64, rate=2e-3, decay=1e-3, patience=20),
    ),
}  # fmt: skip
