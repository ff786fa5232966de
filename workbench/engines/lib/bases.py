"""Bases of all layers of a network, from its outputs back to its inputs, and the edges between."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

from workbench.core.context import Context
from workbench.engines.lib.params import LibParams
from workbench.engines.lib.sections import Sections
from workbench.numerics.interaction_basis import (
    Basis,
    interaction_basis,
    moments,
    neuron_basis,
    principal_basis,
)
from workbench.numerics.section_jacobians import (
    GRADIENT,
    MOST_OUTPUTS,
    Rule,
    chunk_of,
    dense_edges,
    dense_gram,
    edges,
    gauss_legendre,
    jacobian_gram,
)

SIGNS = 41
POINTS = 8
Done = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Fitted:
    """One basis for every layer, and the edges of every section."""

    bases: list[Basis]
    edges: list[Tensor]


def rule_of(sections: Sections, at: int, params: LibParams) -> Rule:
    """Return how gradients of a section are integrated."""
    straight = params.rule == "gradient" or (params.rule == "auto" and sections.bends[at])
    return GRADIENT if straight else gauss_legendre(POINTS)


def rule_name(sections: Sections, at: int, params: LibParams) -> str:
    """Name the rule of a section."""
    is_gradient = rule_of(sections, at, params) is GRADIENT
    return "gradient" if is_gradient else f"gauss-legendre {POINTS}"


def sources_of(sections: Sections, layers: Sequence[Tensor], at: int, params: LibParams) -> int:
    """Return how many vectors of random signs stand for the outputs of a section; 0: all."""
    if params.sources or sections.dense[at] is not None:
        return params.sources
    outputs = layers[at + 1].shape[1] * layers[at + 1].shape[2]
    return 1 if outputs > MOST_OUTPUTS else 0


def fit_lib(
    sections: Sections, layers: Sequence[Tensor], params: LibParams, context: Context, done: Done
) -> Fitted:
    """Fit the Local Interaction Basis; outputs stay as they are, so that they keep their names."""
    bases = [neuron_basis(*moments(layers[-1]))]
    for at in reversed(range(len(sections.parts))):
        gram = _gram(sections, layers, bases[0], at, params, context)
        bases.insert(0, interaction_basis(*moments(layers[at]), gram, epsilon=params.epsilon))
        done(f"bases, {sections.names[at]}")
    return Fitted(bases, _edges(sections, layers, bases, params, context, done))


def fit_pca(
    sections: Sections, layers: Sequence[Tensor], params: LibParams, context: Context, done: Done
) -> Fitted:
    """Take principal components of every layer but the outputs."""
    bases = [principal_basis(*moments(layer), epsilon=params.epsilon) for layer in layers[:-1]]
    bases.append(neuron_basis(*moments(layers[-1])))
    return Fitted(bases, _edges(sections, layers, bases, params, context, done))


def fit_neurons(
    sections: Sections, layers: Sequence[Tensor], params: LibParams, context: Context, done: Done
) -> Fitted:
    """Take neurons, those with the most outgoing edges first."""
    bases = [neuron_basis(*moments(layer)) for layer in layers]
    found = _edges(sections, layers, bases, params, context, done)
    for at in range(len(found)):
        order = found[at].sum(0).argsort(descending=True, stable=True)
        mass = found[at].sum(0)
        turned = bases[at].reordered(order)
        bases[at] = Basis(turned.mean, turned.into, turned.back, mass[order], turned.spectrum, 0, 0)
        found[at] = found[at][:, order]
        if at:
            found[at - 1] = found[at - 1][order]
    return Fitted(bases, found)


def _gram(
    sections: Sections, layers: Sequence[Tensor], there: Basis, at: int, params: LibParams,
    context: Context,
) -> Tensor:  # fmt: skip
    dense = sections.dense[at]
    if dense is not None:
        rows = chunk_of(dense, there, budget=context.budget)
        return dense_gram(dense, layers[at], there.into, rows=rows)
    return jacobian_gram(
        sections.parts[at], layers[at], there.into,
        sources=sources_of(sections, layers, at, params), rng=context.stream(SIGNS, at),
        budget=context.budget, step=_counting(context, len(layers[at]), "rows of a Jacobian"),
    )  # fmt: skip


def _edges(
    sections: Sections, layers: Sequence[Tensor], bases: Sequence[Basis], params: LibParams,
    context: Context, done: Done,
) -> list[Tensor]:  # fmt: skip
    found = []
    for at, dense in enumerate(sections.dense):
        here, there = bases[at], bases[at + 1]
        rule = rule_of(sections, at, params)
        if dense is not None and rule is GRADIENT:
            rows = chunk_of(dense, here, there, budget=context.budget)
            found.append(dense_edges(dense, layers[at], here, there, rows=rows))
        else:
            found.append(edges(
                sections.parts[at], layers[at], here, there, rule=rule, budget=context.budget,
                step=_counting(context, len(layers[at]), "rows of edges"),
            ))  # fmt: skip
        done(f"edges, {sections.names[at]}")
    return found


def _counting(context: Context, total: int, what: str) -> Callable[[int, int], None]:
    """Let a run tell what it does within a section, and be cancelled there."""
    seen = 0

    def step(rows: int, _: int) -> None:
        nonlocal seen
        seen += rows
        context.step(seen, total, what)

    return step
