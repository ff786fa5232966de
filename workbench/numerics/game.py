"""The set function: what would the model say, had it known only the features in S?"""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.model import Model, Output
from workbench.numerics.devices import free_cache, is_out_of_memory, to_host
from workbench.numerics.links import Link, apply_link, link_slope
from workbench.numerics.maskers import Masker
from workbench.numerics.mixer import Mixer
from workbench.numerics.set_function import SetFunction

CPU_CHUNK_BYTES = 2**21
BLACK_BOX_CHUNK_ROWS = 8192
REPORT_EVERY = 2**17
GROUPS = 10
MAX_CODED_PLAYERS = 40
BLOCK_ELEMENTS = 2**22
WORTHWHILE = 0.6
FEWEST_ROWS = 32
# On a GPU: keys held at once for each row of a network pass, bytes that a key takes, and places
# in the table of keys for each mixture.
GPU_KEYS = 32
GPU_KEY_BYTES = 64
GPU_SPARSITY = 8


class Game:
    r"""Value of coalitions of raw features for rows of a table.

    .. math:: v(x, S) = g\Big(\sum_b w_b\, f(x_S, b_{\bar S})\Big)

    with background rows :math:`b`, the chosen output :math:`f` and link :math:`g`.

    Where a row and a background row agree in a feature, it makes no difference whether the
    feature is known. Coalitions that differ in such features only are one mixture, and are
    evaluated once; on tables with categories that is most of them.

    A value depends on which background rows were drawn. To say how much, the mean is also taken
    over ``GROUPS`` parts of the background: ``values``, ``full`` and ``empty`` have
    ``k (1 + n_groups)`` columns, the outputs over the whole background first. Estimators are
    linear in the values and treat all columns alike; the spread of an estimate over the groups
    gives its standard error (``background_std_errors``).

    Attributes
    ----------
    n_outputs
        Outputs of the model, ``k``.
    n_groups
        Parts of the background; 0 where it has too few rows.
    evaluations
        Rows that went through the network so far.
    covered
        Mixtures whose value is known so far, repeats included. Progress is told by these: how many
        of them are repeats is not known beforehand.
    chunk_rows
        Rows per network pass; halved when memory runs out.
    """

    def __init__(
        self,
        model: Model,
        masker: Masker,
        *,
        output: Output = "probability",
        link: Link = "identity",
        context: Context,
        expected: int = 0,
    ) -> None:
        self.model = model
        self.masker = masker
        self.link = link
        self.context = context
        self.expected = expected
        self.n_players = len(model.schema.features)
        self.chunk_rows = context.chunk_rows or _chunk_rows(model, context)
        # A black box may be slow: stop or show progress after each of its batches.
        self._report_every = 1 if "black_box" in model.capabilities else REPORT_EVERY
        self.evaluations = 0
        self.covered = 0
        self._reported = 0
        self._background = masker.rows.numpy()
        self._mixer = Mixer(model, masker, output)
        self.n_groups = GROUPS if len(masker) >= 2 * GROUPS else 0
        self._weights = _weights_of_groups(masker.weights, self.n_groups)  # (b, g)
        outputs = self._whole(self._mixer.inputs)
        self.n_outputs = outputs.shape[1]
        mean = self._weights.T @ outputs  # (g, k)
        self.empty: Float[Tensor, " gk"] = apply_link(mean, link).flatten()
        self.empty_std_errors = _std_errors(outputs, masker.weights) * link_slope(mean[0], link)

    def full(self, X: Float[Tensor, "n d"]) -> Float[Tensor, "n gk"]:
        """Value of the coalition of all features: what the model says."""
        outputs = apply_link(self._whole(self.model.encode(X)), self.link)
        return outputs.repeat(1, 1 + self.n_groups)

    @torch.no_grad()
    def values(
        self,
        X: Float[Tensor, "n d"],
        coalitions: Bool[Tensor, "m players"] | Bool[Tensor, "n m players"],
    ) -> Float[Tensor, "n m gk"]:
        """Value of every coalition for every row, in double precision on the CPU.

        Parameters
        ----------
        coalitions
            True where a feature is known. Two axes: the same coalitions for all rows; three:
            coalitions of each row's own. Empty and full coalitions cost nothing, and a coalition
            that occurs twice is evaluated once.

        Raises
        ------
        InvalidInputError
            If the coalitions are not over the model's features.
        """
        if coalitions.ndim == 3:
            rows = zip(X, coalitions, strict=True)
            return torch.cat([self.values(x[None], own) for x, own in rows])
        return to_host(self._table(X, coalitions))

    @torch.no_grad()
    def _table(
        self, X: Float[Tensor, "n d"], coalitions: Bool[Tensor, "m players"]
    ) -> Float[Tensor, "n m gk"]:
        """Return ``values`` on the device where they were computed."""
        if coalitions.shape[-1] != self.n_players:
            raise InvalidInputError(
                f"Coalitions are over {coalitions.shape[-1]} players, the model has "
                f"{self.n_players} features."
            )
        unique, inverse = _unique(coalitions)
        size = unique.sum(1)
        inner = (size > 0) & (size < self.n_players)
        found = self._inner_values(X, unique[inner]) if inner.any() else self.empty
        device = found.device
        table = found.new_empty(len(X), len(unique), len(self.empty))
        table[:, (size == 0).to(device)] = self.empty.to(device)
        if (size == self.n_players).any():
            table[:, (size == self.n_players).to(device)] = self.full(X)[:, None].to(device)
        if inner.any():
            table[:, inner.to(device)] = found
        return table[:, inverse.to(device)]

    def background_std_errors(
        self, estimates: Float[Tensor, "n d gk"]
    ) -> Float[Tensor, "n d k"] | None:
        """Return the standard error of estimates from the choice of background rows, if known."""
        if not self.n_groups:
            return None
        groups = estimates.unflatten(2, (1 + self.n_groups, self.n_outputs))[:, :, 1:]
        return groups.std(2) / self.n_groups**0.5

    def _inner_values(self, X: Tensor, coalitions: Tensor) -> Tensor:
        """Value of inner coalitions, by whichever way has fewer mixtures to evaluate."""
        if self.model.device.type == "cuda":
            return apply_link(self._inner_means_on_gpu(X, coalitions), self.link)
        m = len(coalitions)
        total = torch.empty(len(X), m, len(self.empty), dtype=torch.float64)
        rest = []
        for row, x in enumerate(X):
            differs = _differs(x.numpy(), self._background)  # (b, d)
            distinct = np.minimum(m, 2.0 ** np.minimum(differs.sum(1), 62)).sum()
            coded = self.n_players <= MAX_CODED_PLAYERS
            if coded and distinct <= WORTHWHILE * m * len(self.masker):
                total[row] = self._with_less_memory(
                    partial(self._distinct_mixtures, x, differs, coalitions)
                )
            else:
                rest.append(row)
        if rest:
            total[rest] = self._with_less_memory(partial(self._all_mixtures, X[rest], coalitions))
        return apply_link(total, self.link)

    def _inner_means_on_gpu(self, X: Tensor, coalitions: Tensor) -> Tensor:
        """Mean outputs ``[n, m, gk]``, with no work on the host for each row.

        All rows are evaluated in the same way, whichever has fewer mixtures over all of them.
        """
        m = len(coalitions)
        background = self.masker.rows.to(self.model.device)
        parts = []
        for rows in _slices(len(X), max(1, BLOCK_ELEMENTS // background.numel())):
            own = X[rows].to(background)[:, None]
            differs = (own != background) & ~(own.isnan() & background.isnan())  # (r, b, d)
            by_table = self.n_players < 31 and 2**self.n_players <= GPU_SPARSITY * m
            if by_table:
                distinct = (2.0 ** differs.sum(2).double()).clamp(max=m).mean()
                by_table = bool(distinct <= WORTHWHILE * m)
            given = (X[rows], differs, coalitions) if by_table else (X[rows], coalitions)
            way = self._distinct_mixtures_on_gpu if by_table else self._all_mixtures
            parts.append(self._with_less_memory(partial(way, *given)))
        return torch.cat(parts)

    def _distinct_mixtures_on_gpu(self, X: Tensor, differs: Tensor, coalitions: Tensor) -> Tensor:
        """Mean outputs of rows ``[n, m, gk]``, each distinct mixture of a row evaluated once.

        A mixture's key is its row, then its background row, then the bits of those known features
        in which the two differ. A table of all keys says which occur, and holds their outputs.
        """
        device, d, b = differs.device, self.n_players, len(self.masker)
        bits = 1 << torch.arange(d, device=device)
        codes = (coalitions.to(device) * bits).sum(1)  # (m,)
        free = (differs * bits).sum(2, keepdim=True)  # (n, b, 1)
        parts = []
        most = min(self.chunk_rows * GPU_KEYS, self.context.budget // GPU_KEY_BYTES)
        at_once = most // (b * max(len(codes), 2**d))
        Z = self.model.encode(X)
        for rows in _slices(len(X), max(1, at_once)):
            keys = codes & free[rows]  # (r, b, m)
            keys += torch.arange(len(keys) * b, device=device).view(-1, b, 1) << d
            outputs = self._outputs_of_keys(Z[rows], keys)  # (r, b, m, k)
            means = torch.einsum("rbmk,bg->rmgk", outputs, self._weights.to(outputs))
            parts.append(means.flatten(2).double())
        return torch.cat(parts)

    def _outputs_of_keys(self, Z: Tensor, keys: Tensor) -> Tensor:
        device, d, b = keys.device, self.n_players, keys.shape[1]
        bits = 1 << torch.arange(d, device=device)
        seen = torch.zeros(len(Z) * b << d, dtype=torch.bool, device=device)
        mixtures = seen.index_fill_(0, keys.flatten(), value=True).nonzero()[:, 0]
        inputs = self._mixer.inputs
        table = inputs.new_empty(len(seen), self.n_outputs)
        self.covered += keys.numel()
        for some in mixtures.split(self.chunk_rows):
            place = some >> d
            known = ((some[:, None] & bits) != 0)[:, self.model.groups]  # (j, p)
            table[some] = self._mixer.whole(torch.where(known, Z[place // b], inputs[place % b]))
            self._count(len(some))
        return table[keys]

    def _with_less_memory(self, evaluate: Callable[[], Tensor]) -> Tensor:
        """Evaluate, with chunks of half the size as often as memory runs out."""
        while True:
            try:
                return evaluate()
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
            if self.chunk_rows == 1:
                raise InvalidInputError(
                    f"{self.model.device.type} has too little memory for a single row; explain "
                    "fewer rows at once, use a smaller background, or another device."
                )
            self.chunk_rows //= 2
            free_cache(self.model.device)

    def _all_mixtures(self, X: Tensor, coalitions: Tensor) -> Tensor:
        """Mean outputs ``[n, m, gk]``: background in the outer loop, then coalitions, then rows."""
        Z = self.model.encode(X)
        weights = self._weights.to(Z)
        # Sums stay on a GPU, so that it need not wait for the host; others may lack doubles.
        where = Z.device if Z.device.type == "cuda" else torch.device("cpu")
        total = torch.zeros(
            len(X), len(coalitions), len(self.empty), dtype=torch.float64, device=where
        )
        for part in _slices(len(self.masker), self.chunk_rows):
            n_background = part.stop - part.start
            pairs = max(1, self.chunk_rows // n_background)
            for chosen in _slices(len(coalitions), pairs):
                known = coalitions[chosen].to(Z.device)[None]
                unknown = self._mixer.unknown(known, part)
                for rows in _slices(len(X), max(1, pairs // known.shape[1])):
                    outputs = self._mixer.grid(Z[rows], known, unknown)  # (r, c, b, k)
                    means = torch.einsum("rcbk,bg->rcgk", outputs, weights[part])
                    total[rows, chosen] += means.flatten(2).to(where).double()
                    self._count(n := len(Z[rows]) * known.shape[1] * n_background, n)
        return total

    def _distinct_mixtures(self, x: Tensor, differs: np.ndarray, coalitions: Tensor) -> Tensor:
        """Mean outputs of one row ``[m, gk]``, each distinct mixture evaluated once."""
        bits = 1 << np.arange(self.n_players, dtype=np.int64)
        codes, free = coalitions.numpy() @ bits, differs @ bits  # (m,), (b,)
        if self.n_players < 31:
            codes, free = codes.astype(np.int32), free.astype(np.int32)
        z = self.model.encode(x[None])[0]
        total = torch.zeros(len(codes), len(self.empty), dtype=torch.float64)
        # Few enough rows at a time that their mixtures fit, and a table of all keys where there
        # are not too many features for one.
        at_once = BLOCK_ELEMENTS // (len(codes) * self.n_outputs)
        by_table = BLOCK_ELEMENTS >> self.n_players
        step = max(1, min(at_once, by_table) if by_table >= FEWEST_ROWS else at_once)
        for part in _slices(len(free), step):
            mixtures, place, n_places = _distinct(codes & free[part, None], self.n_players)
            background = torch.from_numpy(part.start + (mixtures >> self.n_players))
            known = torch.from_numpy((mixtures[:, None] & bits) != 0)
            outputs = torch.cat([
                self._pairs(z, background[chunk], known[chunk])
                for chunk in _slices(len(mixtures), self.chunk_rows)
            ])  # (j, k)
            table = outputs
            if n_places > len(mixtures):  # keys are places
                table = outputs.new_zeros(n_places, self.n_outputs)
                table[torch.from_numpy(mixtures)] = outputs
            spread = table.index_select(0, torch.from_numpy(place).flatten())
            spread = spread.unflatten(0, place.shape)  # (b, m, k)
            weights = self._weights[part].to(spread)
            self.covered += spread.shape[0] * spread.shape[1]
            total += torch.einsum("bmk,bg->mgk", spread, weights).flatten(1).double()
        return total

    def _pairs(self, z: Tensor, background: Tensor, known: Tensor) -> Tensor:
        self._count(len(known))
        return self._mixer.pairs(z, background.to(z.device), known.to(z.device)).cpu()

    def _whole(self, inputs: Tensor) -> Tensor:
        return self._with_less_memory(partial(self._whole_once, inputs))

    @torch.no_grad()
    def _whole_once(self, inputs: Tensor) -> Tensor:
        parts = []
        for rows in torch.split(inputs, self.chunk_rows):
            parts.append(self._mixer.whole(rows).cpu().double())
            self._count(len(rows), len(rows))
        return torch.cat(parts)

    def report(self) -> None:
        """Tell how far it is, and stop if asked to.

        Raises
        ------
        CancelledError
            If the run was cancelled.
        """
        total = max(self.expected, self.covered)
        self.context.step(self.covered, total, "mixtures of rows and background")

    def _count(self, evaluations: int, covered: int = 0) -> None:
        self.evaluations += evaluations
        self.covered += covered
        if self.evaluations >= self._reported + self._report_every:
            self._reported = self.evaluations
            self.report()


def weighted_sums(
    game: SetFunction,
    X: Float[Tensor, "n d"],
    coalitions: Bool[Tensor, "m players"],
    weights: Float[Tensor, "s m"],
) -> Float[Tensor, "n s gk"]:
    """Return sums of weights times the values of coalitions, in double precision on the CPU.

    They are taken where the values are, so that few numbers have to leave a GPU.
    """
    table = game._table(X, coalitions) if isinstance(game, Game) else game.values(X, coalitions)
    return torch.einsum("sm,nmk->nsk", weights.to(table), table).cpu()


def _differs(x: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Tell in which features ``[b, d]`` a row differs from each background row; NaN equals NaN."""
    return (x != background) & ~(np.isnan(x) & np.isnan(background))


def _distinct(codes: np.ndarray, n_players: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Find the distinct mixtures of a block of background rows.

    Parameters
    ----------
    codes
        Coalition of each background row's free features, as bits ``[b, m]``.

    Returns
    -------
    Sorted keys of the mixtures (background row above, coalition below); where each mixture of
    the block stands; and in a table of how many places: one per mixture, or, where that fits
    into memory and saves a sort, one per possible key.
    """
    n_keys = len(codes) << n_players
    # A narrow type halves the memory traffic, which is most of the work here.
    kind: type[np.int32 | np.int64] = np.int32 if n_keys < 2**31 else np.int64
    rows: np.ndarray = np.arange(0, n_keys, 1 << n_players, dtype=kind)
    keys = codes.astype(kind, copy=False) + rows[:, None]
    if n_keys > BLOCK_ELEMENTS:
        mixtures, place = np.unique(keys, return_inverse=True)
        return mixtures.astype(np.int64), place.reshape(keys.shape), len(mixtures)
    seen = np.zeros(n_keys, dtype=bool)
    seen[keys] = True
    return np.flatnonzero(seen), keys, n_keys


def _chunk_rows(model: Model, context: Context) -> int:
    """Keep activations in the cache on a CPU, within the memory budget elsewhere.

    A black box shows no layers, and each of its calls has a price of its own.
    """
    if "black_box" in model.capabilities:
        return BLACK_BOX_CHUNK_ROWS
    widths = [m.out_features for m in model.network.modules() if isinstance(m, nn.Linear)]
    width = max([len(model.groups), *widths])
    row = width * torch.finfo(model.dtype).bits // 8
    if model.device.type == "cpu":
        return max(256, min(16384, CPU_CHUNK_BYTES // row))
    return max(1024, context.budget // (4 * row))


def _slices(n: int, step: int) -> list[slice]:
    return [slice(start, min(n, start + step)) for start in range(0, n, step)]


def _unique(coalitions: Bool[Tensor, "m d"]) -> tuple[Bool[Tensor, "u d"], Int[Tensor, " m"]]:
    """Return the distinct coalitions and, for each given one, its place among them."""
    packed = np.packbits(coalitions.numpy(), axis=1)
    keys = packed.view(np.dtype((np.void, packed.shape[1]))).reshape(-1)
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    return coalitions[torch.from_numpy(first)], torch.from_numpy(inverse)


def _weights_of_groups(weights: Float[Tensor, " b"], n_groups: int) -> Float[Tensor, "b g"]:
    """Return the weights of all rows, then of every ``n_groups``-th row; columns add up to 1."""
    columns = [weights]
    for group in range(n_groups):
        own = torch.zeros_like(weights)
        own[group::n_groups] = weights[group::n_groups]
        columns.append(own / own.sum())
    return torch.stack(columns, dim=1)


def _std_errors(outputs: Float[Tensor, "b k"], weights: Float[Tensor, " b"]) -> Tensor:
    """Return the standard error of a weighted mean over background rows; NaN for a single row."""
    effective = 1 / (weights**2).sum()
    mean = weights @ outputs
    variance = weights @ (outputs - mean) ** 2 * effective / (effective - 1)
    return (variance / effective).sqrt()
