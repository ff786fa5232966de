"""Raw features to network input: standardise numbers, one-hot or embed categories."""

from typing import Literal

import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from workbench.core.schema import Schema


class TabularArguments(BaseModel):
    """Arguments of the ``tabular`` encoder as they stand on a card."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    categorical: Literal["one_hot", "embedding"] = "one_hot"
    embedding_size: int = Field(8, ge=1, le=256)


class TabularEncoder(nn.Module):
    """Encode each feature on its own, so that column ``j`` depends on feature ``groups[j]`` alone.

    Numbers become ``(x - mean) / scale``, a missing number 0; a category becomes a one-hot block
    or a learned vector. Features that had missing values in training get a column (or a vector)
    that says so. Without one, missing values never reach the encoder: tables are refused earlier.
    """

    groups: Tensor
    mean: Tensor
    scale: Tensor

    def __init__(self, schema: Schema, arguments: TabularArguments) -> None:
        super().__init__()
        numbered = list(enumerate(schema.features))
        self.numeric = [i for i, f in numbered if f.kind != "categorical"]
        self.indicated = [i for i in self.numeric if schema.features[i].has_missing]
        self.categorical = {i: len(f.categories) for i, f in numbered if f.kind == "categorical"}
        self.flagged = {i for i in self.categorical if schema.features[i].has_missing}
        self.embeddings = nn.ModuleDict()
        groups = [*self.numeric, *self.indicated]
        for i, n_categories in self.categorical.items():
            levels = n_categories + (i in self.flagged)
            if arguments.categorical == "embedding":
                self.embeddings[str(i)] = nn.Embedding(levels, arguments.embedding_size)
                levels = arguments.embedding_size
            groups += [i] * levels
        self.register_buffer("groups", torch.tensor(groups), persistent=False)
        self.register_buffer("mean", torch.zeros(len(self.numeric)))
        self.register_buffer("scale", torch.ones(len(self.numeric)))

    def fit(self, X: Float[Tensor, "n d"]) -> None:
        """Learn mean and scale of the numbers; a constant or empty column keeps scale 1.

        Whether a column is constant is read off its extremes: the mean of equal numbers is
        rounded, so their variance is often not zero but 1e-30.
        """
        numbers = X[:, self.numeric]
        known = ~numbers.isnan()
        count = known.sum(0).clamp(min=1)
        mean = numbers.nan_to_num().sum(0) / count
        variance = ((numbers - mean).nan_to_num() ** 2).sum(0) / count
        varies = numbers.nan_to_num(-torch.inf).amax(0) > numbers.nan_to_num(torch.inf).amin(0)
        self.mean = mean.to(self.mean.dtype)
        self.scale = torch.where(varies, variance.sqrt(), 1.0).to(self.scale.dtype)

    def forward(self, X: Float[Tensor, "n d"]) -> Float[Tensor, "n p"]:
        """Encode raw rows, in the precision of the encoder's own numbers.

        Differences to the mean are taken in the precision of ``X``: large numbers that differ
        little, such as times, would lose their digits otherwise.
        """
        parts = [((X[:, self.numeric] - self.mean) / self.scale).nan_to_num()]
        parts.append(X[:, self.indicated].isnan().to(X.dtype))
        for i, n_categories in self.categorical.items():
            missing = X[:, i].isnan()
            # Without a level of its own a missing category is all zeros: nothing matches it.
            codes = torch.where(missing, float(n_categories), X[:, i]).long()
            if str(i) in self.embeddings:
                parts.append(self.embeddings[str(i)](codes).to(X.dtype))
            else:
                levels = torch.arange(n_categories + (i in self.flagged), device=X.device)
                parts.append((codes[:, None] == levels).to(X.dtype))
        return torch.cat(parts, dim=1).to(self.mean.dtype)
