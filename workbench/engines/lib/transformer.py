"""A transformer of one layer, small enough to be looked into, and its sections."""

import copy

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from workbench.core.errors import InvalidInputError
from workbench.engines.lib.sections import Sections, check_sections
from workbench.numerics.section_jacobians import Dense

NAMES = ("embeddings", "after attention", "after MLP", "outputs")


def _drawn(*shape: int, width: int) -> nn.Parameter:
    return nn.Parameter(torch.randn(*shape) / width**0.5)


class Embedding(nn.Module):
    """The stream at first: a vector for each token, and one for each position."""

    def __init__(self, tokens: int, context: int, width: int) -> None:
        super().__init__()
        self.token = _drawn(tokens, width, width=width)
        self.position = _drawn(context, width, width=width)

    def forward(self, tokens: Int[Tensor, "n s"]) -> Float[Tensor, "n s d"]:
        """Look them up."""
        stream: Tensor = self.token[tokens] + self.position
        return stream


class LastAttention(nn.Module):
    r"""What heads bring to the last position, added to what is there; other positions end here.

    .. math:: f_S + \sum_h \sum_s
              \operatorname{softmax}_s\bigl(f_S Q_h (f_s K_h)^\top / \sqrt{e}\bigr)\, f_s V_h O_h

    No position comes after the last, so that causal attention hides nothing from it.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        each = width // heads
        self.query, self.key, self.value = (
            _drawn(heads, width, each, width=width) for _ in range(3)
        )
        self.output = _drawn(heads, each, width, width=width)

    def forward(self, stream: Float[Tensor, "n s d"]) -> Float[Tensor, "n 1 d"]:
        """Attend from the last position."""
        last = stream[:, -1:]
        query = torch.einsum("nqd,hde->nhqe", last, self.query)
        key = torch.einsum("nsd,hde->nhse", stream, self.key)
        value = torch.einsum("nsd,hde->nhse", stream, self.value)
        scores = torch.einsum("nhqe,nhse->nhqs", query, key) / query.shape[-1] ** 0.5
        found = torch.einsum("nhqs,nhse,hed->nqd", scores.softmax(-1), value, self.output)
        return last + found


class Residual(nn.Module):
    """A hidden layer of ReLUs beside its skip connection."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, stream: Float[Tensor, "n s d"]) -> Float[Tensor, "n s d"]:
        """Add what the layer says."""
        said: Tensor = self.down(self.up(stream).relu())
        return stream + said


class SmallTransformer(nn.Module):
    """One layer of attention and one of ReLUs, without normalisation, read at the last position.

    Parameters
    ----------
    width
        Of the stream; the hidden layer has four times as many units.
    """

    def __init__(
        self, *, tokens: int, outputs: int, context: int = 3, width: int = 64, heads: int = 4
    ) -> None:
        super().__init__()
        if width % heads:
            raise InvalidInputError(
                f"The width has to be a multiple of the number of heads, got width={width} and "
                f"heads={heads}."
            )
        self.embedding = Embedding(tokens, context, width)
        self.attention = LastAttention(width, heads)
        self.mlp = Residual(width, 4 * width)
        self.unembed = nn.Linear(width, outputs, bias=False)
        for linear in (self.mlp.up, self.mlp.down, self.unembed):
            nn.init.normal_(linear.weight, std=width**-0.5)
        for linear in (self.mlp.up, self.mlp.down):
            nn.init.zeros_(linear.bias)

    def forward(self, tokens: Int[Tensor, "n s"]) -> Float[Tensor, "n c"]:
        """Return scores of the outputs."""
        stream = self.mlp(self.attention(self.embedding(tokens)))
        scores: Tensor = self.unembed(stream)[:, 0]
        return scores


def cut_transformer(network: SmallTransformer, tokens: Int[Tensor, "n s"]) -> Sections:
    """Cut a transformer into attention, hidden layer and unembedding.

    Works on a copy in double precision and evaluation mode. The stream carries everything that
    follows: attention and the hidden layer have their skip connections inside. Embeddings are
    run, but they are no section.

    Parameters
    ----------
    tokens
        A few rows, on which sections are held against the network as a whole.

    Raises
    ------
    InvalidInputError
        If the sections do not give what the network gives.
    """
    network = copy.deepcopy(network).double().eval().requires_grad_(requires_grad=False)
    sections = Sections(
        NAMES,
        (network.attention, network.mlp, network.unembed),
        (None, None, Dense(network.unembed.weight, None)),
        (False, True, True),
        network.embedding,
    )
    check_sections(sections, network, tokens)
    return sections
