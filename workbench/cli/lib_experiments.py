"""``workbench lib-experiments``."""

from typing import TYPE_CHECKING

import click

from workbench.cli.options import progress_bar

if TYPE_CHECKING:
    from workbench.operations.lib_experiments import Needed

NAMES = ("digits", "digits-noise", "breast-cancer", "wine", "adult")
EXAMPLES = """\b
Examples:
  workbench lib-experiments digits
  workbench lib-experiments digits-noise --seeds 5
"""


@click.command("lib-experiments", no_args_is_help=True, epilog=EXAMPLES)
@click.argument("name", metavar="NAME", type=click.Choice(NAMES))
@click.option(
    "--seeds", type=click.IntRange(1, 100), default=3, show_default=True,
    help="Networks that are trained, each from another start.",
)  # fmt: skip
def lib_experiments(name: str, seeds: int) -> None:
    """Train small networks, and say how few features and edges they take in three bases.

    NAME is digits, digits-noise (digits beside 32 columns of noise), breast-cancer, wine or adult.
    Every layer, and every section between two, is cut alone until accuracy on test rows is more
    than one point below that of the whole network.
    """
    from workbench.core.context import Context
    from workbench.operations.lib_experiments import needed_by  # loads torch

    with progress_bar("Training") as progress:
        found = list(needed_by(name, seeds, Context(progress=progress)))
    click.echo("\n".join(_table(found)))


def _table(found: "list[Needed]") -> list[str]:
    """Write a line for each basis: means over networks, with the range of the edges in all."""
    import numpy as np

    from workbench.core.local_basis import BASES

    bases = [one.base for one in found if one.basis == "lib"]
    lines = [
        f"accuracy of the whole network {100 * np.mean(bases):.1f} % "
        f"({100 * min(bases):.1f} to {100 * max(bases):.1f}), {len(bases)} networks",
        f"{'basis':<24} {'features kept':<22} {'edges kept':<26} {'in all (range)':<24} six each",
    ]
    for basis, title in BASES.items():
        own = [one for one in found if one.basis == basis]
        nodes = " / ".join(f"{mean:.1f}" for mean in np.mean([one.nodes for one in own], 0))
        edges = " / ".join(f"{mean:.1f}" for mean in np.mean([one.edges for one in own], 0))
        totals = [sum(one.edges) for one in own]
        whole = f"{np.mean(totals):.0f} ({min(totals)} to {max(totals)})"
        six = 100 * np.mean([one.six for one in own])
        lines.append(f"{title:<24} {nodes:<22} {edges:<26} {whole:<24} {six:.1f} %")
    return lines
