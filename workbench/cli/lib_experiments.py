"""``workbench lib-experiments``."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.options import MEMORY
from workbench.cli.printing import echo
from workbench.cli.results import check_folder
from workbench.cli.running import running
from workbench.core.errors import InvalidInputError

if TYPE_CHECKING:
    from workbench.operations.lib_experiments import Needed

NAMES = (
    "digits", "digits-noise", "digits-cnn", "breast-cancer", "wine", "adult", "modular-37",
    "modular-53", "modular-113",
)  # fmt: skip
EXAMPLES = """\b
Examples:
  workbench lib-experiments digits
  workbench lib-experiments digits-noise --seeds 5 --seed 3
  workbench lib-experiments modular-37 --seeds 1 --out out/
"""


@click.command("lib-experiments", no_args_is_help=True, epilog=EXAMPLES)
@click.argument("name", metavar="NAME", type=click.Choice(NAMES))
@click.option(
    "--seeds", type=click.IntRange(1, 100), default=3, show_default=True,
    help="Networks that are trained, each from another start.",
)  # fmt: skip
@click.option(
    "--tolerance", type=click.FloatRange(0, 1, max_open=True), default=0.01, show_default=True,
    help="Loss of accuracy that still counts as kept.",
)  # fmt: skip
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True,
    help="Of the first network; the others have the next ones. Same seed, same numbers.",
)  # fmt: skip
@MEMORY
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path),
    help="Folder to write to: all numbers as JSON; of modular-..., a picture of the features.",
)  # fmt: skip
@click.option("--json", "as_text", is_flag=True, help="Print everything as JSON.")
def lib_experiments(
    name: str, seeds: int, tolerance: float, seed: int, memory: int | None, out: Path | None,
    as_text: bool,
) -> None:  # fmt: skip
    """Train small networks, and say how few features and edges they take in three bases.

    NAME is digits, digits-noise (digits beside 32 columns of noise), digits-cnn (two convolutions),
    breast-cancer, wine or adult; or modular-37, modular-53 or modular-113, a transformer that
    learns to add modulo 37, 53 or 113 (the last takes minutes). Every layer, and every section
    between two, is cut alone until accuracy on test rows is more than the tolerance below that of
    the whole network. Networks this small are trained on the CPU, so that their numbers are the
    same everywhere.
    """
    import torch

    from workbench.core.context import Context
    from workbench.numerics.devices import memory_budget
    from workbench.operations.lib_experiments import needed_by  # loads torch

    if out is not None:
        check_folder(out)
    with running("Training", memory) as progress:
        context = Context(seed=seed, budget=memory_budget(torch.device("cpu")), progress=progress)
        found = list(needed_by(name, seeds, context, tolerance=tolerance))
    content = json.dumps(_record(name, tolerance, found), indent=2, allow_nan=False)
    for path in _write(name, content, found, out) if out else []:
        echo(f"Wrote {path}", err=as_text)
    echo(content if as_text else "\n".join([*_table(found), *_waves(found)]))


def _record(name: str, tolerance: float, found: "list[Needed]") -> dict[str, Any]:
    """Put what was counted into what JSON knows; of features their waves, not every value."""
    return {
        "experiment": name,
        "tolerance": tolerance,
        "counts": [
            {
                "seed": one.seed, "basis": one.basis, "accuracy": one.base,
                "is_learned": one.is_learned, "features_kept": one.nodes, "edges_kept": one.edges,
                "accuracy_six_each": one.six,
                "features": [
                    {
                        "layer": each.layer, "number": each.number, "importance": each.importance,
                        "position": each.position,
                        "waves": [
                            {"label": wave.label, "x": wave.x, "y": wave.y, "share": wave.share,
                             "cosine": wave.cosine}
                            for wave in each.waves
                        ],
                    }
                    for each in one.features
                ],
            }
            for one in found
        ],
    }  # fmt: skip


def _write(name: str, content: str, found: "list[Needed]", out: Path) -> list[Path]:
    """Write the numbers, and a picture of the first network's features where there is one."""
    from workbench.core.files import replacing

    paths = [out / f"{name}.json"]
    with replacing(paths[0]) as part:
        part.write_text(f"{content}\n", encoding="utf-8")
    shown = _pictured(found)
    if shown is not None:
        from workbench.plots.sums import sums  # loads plotly

        paths.append(out / f"{name}-features.html")
        with replacing(paths[1]) as part:
            part.write_text(sums(shown.features).to_html(), encoding="utf-8")
    return paths


def _pictured(found: "list[Needed]") -> "Needed | None":
    """Return the first network that has learned and whose features are waves."""
    fine = [one for one in found if one.basis == "lib" and one.is_learned and one.features]
    return fine[0] if fine else None


def _table(found: "list[Needed]") -> list[str]:
    """Write a line for each basis: means over networks, with the range of the edges in all.

    Raises
    ------
    InvalidInputError
        If no network has learned what it is about.
    """
    import numpy as np

    from workbench.core.local_basis import BASES
    from workbench.core.wording import counted

    fine = [one for one in found if one.is_learned]
    failed = [one for one in found if one.basis == "lib" and not one.is_learned]
    if not fine:
        best = 100 * max(one.base for one in failed)
        raise InvalidInputError(
            f"No network has learned it: the best has {best:.1f} % of the test rows right. Take "
            "more seeds."
        )
    bases = [one.base for one in fine if one.basis == "lib"]
    lines = [
        f"accuracy of the whole network {100 * np.mean(bases):.1f} % "
        f"({100 * min(bases):.1f} to {100 * max(bases):.1f}), {counted(len(bases), 'network')}",
        f"{'basis':<24} {'features kept':<22} {'edges kept':<26} {'in all (range)':<24} six each",
    ]
    for basis, title in BASES.items():
        own = [one for one in fine if one.basis == basis]
        nodes = " / ".join(f"{mean:.1f}" for mean in np.mean([one.nodes for one in own], 0))
        edges = " / ".join(f"{mean:.1f}" for mean in np.mean([one.edges for one in own], 0))
        totals = [sum(one.edges) for one in own]
        whole = f"{np.mean(totals):.0f} ({min(totals)} to {max(totals)})"
        six = 100 * np.mean([one.six for one in own])
        lines.append(f"{title:<24} {nodes:<22} {edges:<26} {whole:<24} {six:.1f} %")
    lines += [
        f"Left out: network {one.seed}, which has not learned it ({100 * one.base:.1f} % of the "
        "test rows right)."
        for one in failed
    ]
    return lines


def _waves(found: "list[Needed]") -> list[str]:
    """Name the waves of the strongest features of the first network that adds."""
    shown = _pictured(found)
    if shown is None:
        return []
    lines = ["", f"Strongest features of network {shown.seed} as functions of x and y:"]
    for layer in dict.fromkeys(one.layer for one in shown.features):
        named = [one.label for one in shown.features if one.layer == layer]
        lines.append(f"  {layer:<16} {', '.join(named)}")
    return lines
