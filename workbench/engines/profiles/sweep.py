"""Ask a model about rows whose feature, or two, takes every value of a grid."""

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from workbench.core.context import Context
from workbench.core.model import Model, Output
from workbench.engines.profiles.grids import Grid
from workbench.numerics.chunks import slices
from workbench.numerics.devices import to_host
from workbench.numerics.maskers import Masker
from workbench.numerics.mixer import Mixer

# On a CPU what a pass writes should stay in the cache; a black box is asked for much at once.
CPU_BYTES, BLACK_BOX_ROWS = 2**21, 8192
BLOCK_ROWS = 1024
# Values of a grid in a pass, if there is room: fewer rows at once cost more passes.
TOGETHER = 4


class Sweep:
    """A model, asked about a block of rows at a time.

    What the other features of a row add to the first layer is computed once for a block
    (``Mixer``), and each value of a grid adds its own share to it: no row is encoded twice, and
    no input is put together where the network starts with a linear layer.

    Parameters
    ----------
    most
        Values at which a row is asked about at once, at most: of a feature, or of a pair together.

    Attributes
    ----------
    evaluations
        Rows that went through the network so far.
    """

    def __init__(
        self, model: Model, X: Tensor, output: Output, context: Context, most: int
    ) -> None:
        self.model, self.X, self.output = model, X, output
        self.chunk_rows = context.chunk_rows or _chunk_rows(model, context)
        self.evaluations = 0
        self._block_rows = _block_rows(model, self.chunk_rows, context, most)

    def blocks(self) -> Iterator[tuple[slice, "Block"]]:
        """Go through the rows."""
        for part in slices(len(self.X), self._block_rows):
            yield part, Block(self, self.X[part])


class Block:
    """Some rows, encoded."""

    def __init__(self, sweep: Sweep, X: Tensor) -> None:
        self._sweep, self._X = sweep, X
        weights = torch.full((len(X),), 1 / len(X), dtype=torch.float64)
        self._mixer = Mixer(sweep.model, Masker(X, weights, "", ""), sweep.output)

    @torch.no_grad()
    def as_they_are(self) -> Float[np.ndarray, "n k"]:
        """Return the outputs of the rows themselves, in double precision."""
        self._sweep.evaluations += len(self._X)
        parts = self._mixer.inputs.split(self._sweep.chunk_rows)
        return _numbers(torch.cat([self._mixer.whole(part) for part in parts]))

    @torch.no_grad()
    def at(self, grids: Sequence[Grid]) -> Float[np.ndarray, "v n k"]:
        """Return the rows' outputs at all values of a grid, or of all combinations of two.

        The last grid moves fastest.
        """
        combined = list(product(*(grid.values.tolist() for grid in grids)))
        values = torch.tensor(combined, dtype=self._X.dtype)  # (v, 1 | 2)
        places = [grid.place for grid in grids]
        X = self._X[:1].repeat(len(values), 1)
        X[:, places] = values
        Z = self._sweep.model.encode(X)
        known = torch.zeros(1, 1, self._X.shape[1], dtype=torch.bool, device=Z.device)
        known[..., places] = True
        unknown = self._mixer.all_but(places)
        step = max(1, self._sweep.chunk_rows // len(self._X))
        parts = [self._mixer.grid(Z[part], known, unknown)[:, 0] for part in slices(len(Z), step)]
        self._sweep.evaluations += len(Z) * len(self._X)
        return np.concatenate([_numbers(part) for part in parts])


def _numbers(found: Tensor) -> np.ndarray:
    """Return what a network said in double precision on the CPU."""
    return to_host(found).double().numpy()


def _chunk_rows(model: Model, context: Context) -> int:
    """Rows per pass: what a CPU has cache for, and an accelerator memory."""
    if "black_box" in model.capabilities:
        return BLACK_BOX_ROWS
    widths = [m.out_features for m in model.network.modules() if isinstance(m, nn.Linear)]
    row = max([len(model.groups), *widths]) * torch.finfo(model.dtype).bits // 8
    if model.device.type == "cpu":
        return max(256, min(16384, CPU_BYTES // row))
    return max(1024, context.budget // (4 * row))


def _block_rows(model: Model, chunk_rows: int, context: Context, most: int) -> int:
    """Rows that are encoded at once: their shares and all answers must fit into the budget."""
    first = getattr(model.network, "first", None)
    width = first.out_features if isinstance(first, nn.Linear) else 1
    row = width * len(model.schema.features) * torch.finfo(model.dtype).bits // 8
    row += 8 * most * len(model.output_names)
    return max(1, min(BLOCK_ROWS, chunk_rows // TOGETHER, context.budget // (4 * row)))
