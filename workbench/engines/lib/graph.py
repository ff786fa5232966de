"""The method: bases, edges and what can be left out, of a network that was trained already."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import networkx as nx
import numpy as np
import torch
from torch import Tensor

from workbench.core.context import Context
from workbench.core.local_basis import BASES, LocalBasis
from workbench.core.method import METHODS, Cost, Method
from workbench.core.model import Model
from workbench.core.schema import Feature
from workbench.core.table import Table, split_sizes
from workbench.core.wording import counted
from workbench.engines.calls import check_features, check_finite, provenance_of, true_values
from workbench.engines.lib.bases import Fitted, fit_lib, fit_neurons, fit_pca, rule_name
from workbench.engines.lib.curves import Curves, curves_of, together
from workbench.engines.lib.params import LibParams
from workbench.engines.lib.sections import Sections, cut, where_double
from workbench.numerics.basis_ablation import Cut, JudgeRows
from workbench.numerics.section_jacobians import chunk_of, co_firing

NAME = "lib.graph"
FITTING, CURVING, COMMUNITIES = 43, 47, 53
# Numbers of edges that are tried for each section, about.
TRIES = 60
FEW_ROWS, ROWS_A_DIRECTION = 200, 5
FITS = {"lib": fit_lib, "pca": fit_pca, "neurons": fit_neurons}


def _explain(
    model: Model, rows: Table, table: Table, params: LibParams, context: Context
) -> LocalBasis:
    started = time.perf_counter()
    model = where_double(model)
    check_features(model, rows, "rows")
    check_features(model, table, "labelled rows")
    true_values(model, rows)
    train = _at_most(table.split("train"), params.fit_rows, context, FITTING)
    judged = _at_most(rows, params.curve_rows, context, CURVING)
    shown = judged[: params.shown_rows]
    truth = true_values(model, judged)
    sections = cut(model.network, model.encode(train.X[:64]), params.layers)
    layers, tested = (_layers(model, sections, part) for part in (train, judged))
    said = tested[-1][:, 0]
    check_finite(model, judged, said)
    judge, worth_name = judge_of(model, torch.from_numpy(truth).to(said.device))
    done = _steps(context, len(sections.parts))
    quiet = replace(context, progress=None)  # told between sections, by ``done``
    fitted = {name: fit(sections, layers, params, quiet, done) for name, fit in FITS.items()}
    base = float(judge(tested[-1]).mean())
    least = base - params.tolerance * (1.0 if model.schema.n_classes else abs(base))
    curves = {
        name: _curves(sections, tested, each, judge, least, done) for name, each in fitted.items()
    }
    features = features_of(fitted["lib"], tested)
    means, errors = _class_means(features, truth, model.schema.n_classes)
    communities, modularity = _communities(fitted["lib"], context)
    return LocalBasis(
        provenance=provenance_of(
            NAME, model, rows, table, params, context,
            evaluations=len(train) + len(judged), chunk_rows=len(judged),
            seconds=time.perf_counter() - started,
            notes=_notes(model, train, judged, layers, fitted),
        ).model_copy(update={"dtype": params.dtype}),
        layer_names=sections.names,
        widths=np.array([layer.shape[2] for layer in layers]),
        positions=np.array([layer.shape[1] for layer in layers]),
        rules=tuple(rule_name(sections, at, params) for at in range(len(sections.parts))),
        worth_name=worth_name,
        base=base,
        least=least,
        fitted=len(train),
        judged=len(judged),
        ids=shown.ids.numpy(),
        data=shown.X.numpy(),
        truth=truth[: len(shown)],
        predictions=model.predict(shown.X).numpy(),
        features=features[: len(shown)],
        class_means=means,
        class_errors=errors,
        communities=communities,
        modularity=modularity,
        co_firing=_co_firing(sections, layers, context),
        input_names=column_names(model),
        input_features=model.groups.cpu().numpy(),
        output_names=model.output_names,
        schema=model.schema,
        **_flat(fitted, layers),
        **together(curves),
    )  # fmt: skip


def _at_most(rows: Table, n: int, context: Context, address: int) -> Table:
    if len(rows) <= n:
        return rows
    return rows[np.sort(context.stream(address).permutation(len(rows))[:n])]


@torch.no_grad()
def _layers(model: Model, sections: Sections, rows: Table) -> list[Tensor]:
    return sections.layers(model.encode(rows.X).double())


def judge_of(model: Model, truth: Tensor) -> tuple[JudgeRows, str]:
    """Return what outputs are worth for each row of known truth, and the name of the mean of it."""
    if model.schema.n_classes:
        codes = truth.long()
        return lambda outputs: (outputs[:, 0].argmax(1) == codes).double(), "accuracy"
    return (
        lambda outputs: -(outputs[:, 0, 0] - truth).square(), "minus the mean squared error"
    )  # fmt: skip


def _curves(
    sections: Sections, layers: Sequence[Tensor], fitted: Fitted, judge: JudgeRows, least: float,
    done: Callable[[str], None],
) -> Curves:  # fmt: skip
    made = Cut(
        sections.parts, layers, fitted.bases, lambda outputs: float(judge(outputs).mean()), judge
    )
    return curves_of(made, [edges.cpu().numpy() for edges in fitted.edges], least, done)


def features_of(fitted: Fitted, layers: Sequence[Tensor]) -> np.ndarray:
    """Features of rows in all layers but the last; of several positions their mean."""
    found = [
        basis.features(layer).mean(1)
        for basis, layer in zip(fitted.bases[:-1], layers[:-1], strict=True)
    ]
    return torch.cat(found, 1).cpu().numpy()


def _class_means(
    features: np.ndarray, truth: np.ndarray, n_classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Mean by class and its standard error; NaN for classes without rows, or without two."""
    members = [truth == c for c in range(n_classes)] or [np.ones(len(truth), dtype=bool)]
    means = np.full((features.shape[1], len(members)), np.nan)
    errors = means.copy()
    for c, own in enumerate(members):
        if own.any():
            means[:, c] = features[own].mean(0)
        if own.sum() > 1:
            errors[:, c] = features[own].std(0, ddof=1) / np.sqrt(own.sum())
    return means, errors


def _communities(fitted: Fitted, context: Context) -> tuple[np.ndarray, float]:
    """Louvain's communities of the undirected graph, edges by the root of their strength."""
    sizes = [len(basis) for basis in fitted.bases]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    graph = nx.Graph()
    for at, edges in enumerate(fitted.edges):
        share = ((edges / edges.max()).sqrt() if edges.numel() else edges).cpu().numpy()
        for i, j in zip(*np.nonzero(share > 0), strict=True):
            graph.add_edge(int(starts[at + 1] + i), int(starts[at] + j), weight=float(share[i, j]))
    found = np.full(int(starts[-1]), -1)
    if not graph.number_of_edges():
        return found[: starts[-2]], 0.0
    seed = int(context.stream(COMMUNITIES).integers(2**31))
    groups = nx.community.louvain_communities(graph, seed=seed)
    for number, members in enumerate(sorted(groups, key=min)):
        found[list(members)] = number
    return found[: starts[-2]], float(nx.community.modularity(graph, groups))


def _co_firing(sections: Sections, layers: Sequence[Tensor], context: Context) -> np.ndarray:
    """How often units are on together, of every layer between; NaN where units do not bend."""
    found = []
    for at, dense in enumerate(sections.dense[:-1]):
        if dense is not None and dense.slope is not None:
            rows = chunk_of(dense, budget=context.budget)
            found.append(co_firing(dense, layers[at], rows=rows).cpu().numpy().ravel())
        else:
            found.append(np.full(layers[at + 1].shape[2] ** 2, np.nan))
    return np.concatenate(found) if found else np.zeros(0)


def _flat(fitted: dict[str, Fitted], layers: Sequence[Tensor]) -> dict[str, np.ndarray]:
    """Bases and edges one after another, as the result keeps them."""
    ordered = [fitted[name] for name in BASES]
    bases = [basis for each in ordered for basis in each.bases]
    lib = ordered[0].bases

    def joined(parts: Sequence[Tensor]) -> np.ndarray:
        return torch.cat([part.reshape(-1) for part in parts]).cpu().numpy()

    return {
        "sizes": np.array([len(basis) for basis in bases]).reshape(len(ordered), len(layers)),
        "unvisited": np.array([basis.unvisited for basis in lib]),
        "ignored": np.array([basis.ignored for basis in lib]),
        "means": joined([basis.mean for basis in lib]),
        "spectra": joined([basis.spectrum for basis in lib]),
        "intos": joined([basis.into for basis in bases]),
        "backs": joined([basis.back for basis in bases]),
        "importances": joined([basis.importance for basis in bases]),
        "edge_values": joined([edges for each in ordered for edges in each.edges]),
    }


def column_names(model: Model) -> tuple[str, ...]:
    """Name every column that the network reads: a number, a category, or that it is missing."""
    seen: dict[int, int] = {}
    groups = model.groups.tolist()
    counts = {group: groups.count(group) for group in set(groups)}
    names = []
    for group in groups:
        at = seen[group] = seen.get(group, -1) + 1
        names.append(_column(model.schema.features[group], at, counts[group]))
    return tuple(names)


def _column(feature: Feature, at: int, count: int) -> str:
    levels = len(feature.categories)
    if levels and count in {levels, levels + 1}:
        return f"{feature.name} = {feature.categories[at] if at < levels else 'missing'}"
    if count == 1:
        return feature.name
    if not levels and count == 2:
        return feature.name if at == 0 else f"{feature.name} = missing"
    return f"{feature.name} [{at}]"


def _notes(
    model: Model, train: Table, judged: Table, layers: Sequence[Tensor], fitted: dict[str, Fitted]
) -> tuple[str, ...]:
    notes = [f"bases and edges are made of {counted(len(train), 'training row')}"]
    if seen := int(torch.isin(judged.ids, train.ids).sum()):
        notes.append(
            f"{seen:,} of the {counted(len(judged), 'row')} that judge what can be left out are "
            "among them: fewer features and edges may seem to do than on other rows"
        )
    widest = max(layer.shape[2] for layer in layers)
    places = min(layer.shape[1] for layer in layers)
    if len(train) < FEW_ROWS or len(train) * places < ROWS_A_DIRECTION * widest:
        notes.append(
            f"these are few rows for layers of {widest} units: features may be others with more"
        )
    empty = [at for at, basis in enumerate(fitted["lib"].bases) if not len(basis)]
    if empty:
        notes.append(
            f"nothing that a layer of {model.name} does changes the outputs on these rows, so it "
            "has no features"
        )
    return tuple(notes)


def _steps(context: Context, n_sections: int) -> Callable[[str], None]:
    """Count what is done of all: bases and edges, then curves, of three bases."""
    total = n_sections * (2 + 1 + 1) + len(BASES) * (2 * n_sections + 2)
    seen = 0

    def done(what: str) -> None:
        nonlocal seen
        seen = min(seen + 1, total)
        context.step(seen, total, what)

    return done


def _cost(model: Model, n_rows: int, n_table: int, params: LibParams) -> Cost:
    n_fit = min(params.fit_rows, split_sizes(n_table)["train"])
    n_curve = min(params.curve_rows, n_rows)
    parameters = sum(p.numel() for p in model.network.parameters())
    widths = [max(p.shape) for p in model.network.parameters() if p.ndim > 1]
    # Every try of some edges takes a pass for each feature that sees others than its neighbours.
    tries = len(BASES) * TRIES * sum(widths)
    n_bytes = 8 * (n_fit + n_curve) * 6 * max(widths, default=1) + 8 * 40 * parameters
    return Cost(n_fit + tries * n_curve, n_bytes)


METHODS.register(
    NAME,
    Method(
        title="Local Interaction Basis",
        question="What does this network compute on the way, and how few features and edges does "
        "it take?",
        explain=_explain,
        params=LibParams,
        yields=LocalBasis,
        needs=frozenset({"differentiable"}),
        uses=frozenset({"table", "labels"}),
        cost=_cost,
        reference="Bushnaq et al. (2024), The Local Interaction Basis: Identifying "
        "Computationally-Relevant and Sparsely Interacting Features in Neural Networks",
        weakness="A layer has at most as many features as units, so features that share units are "
        "not told apart; the authors found no gain on language models. Features depend on the rows "
        "they are made of.",
    ),
)
