"""``workbench lib``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.options import MethodCommand, labelled_options
from workbench.cli.results import trust_lines, write_result
from workbench.cli.running import finish, labelled_rows

if TYPE_CHECKING:
    from workbench.core.results import LocalBasis

EXAMPLES = """\b
Examples:
  workbench lib digits-mlp digits
  workbench lib wine-mlp wine --tolerance 0.02 --out out/
  workbench lib wine-mlp wine --layers "hidden 2"
  workbench lib diabetes-mlp diabetes --json
"""


@click.command(
    "lib", cls=MethodCommand, no_args_is_help=True, epilog=EXAMPLES, yields="local_basis"
)
@labelled_options
def lib(**flags: Any) -> None:
    """Say how few features of its layers, and edges between them, MODEL takes.

    Features come from the training rows of TABLE in three bases: the Local Interaction Basis,
    principal components, and neurons. They are left out, the weakest first, on the rows that are
    reported on.

    MODEL is a name from `workbench list` (name, name@version) or a folder; TABLE is a bundled
    name or a file with the column that the model predicts.
    """
    finish("local_basis", "Looking inside", _summary, read=labelled_rows, write=_write, **flags)


def _write(result: "LocalBasis", out: Path) -> list[Path]:
    """Write the files of a result, and its graph."""
    from workbench.core.files import replacing
    from workbench.report.graphml import to_graphml  # loads networkx

    paths = write_result(result, out)
    path = paths[0].with_suffix(".graphml")
    with replacing(path) as part:
        part.write_text(to_graphml(result), encoding="utf-8")
    return [*paths, path]


def _summary(result: "LocalBasis") -> str:
    from workbench.plots.basis_redundancy import redundancy_sentence  # loads plotly
    from workbench.plots.local_basis import lib_sentence, together_sentence

    said = [lib_sentence(result), together_sentence(result), redundancy_sentence(result)]
    return "\n".join([*said, "", *_lines(result), "", *trust_lines(result)])


def _lines(result: "LocalBasis") -> list[str]:
    from workbench.core.local_basis import BASES

    wide = max(map(len, result.layer_names))
    lines = [f"  {'needed: features of a layer / edges to the next':<{wide}}"]
    for basis, name in BASES.items():
        b = result.basis_index(basis)
        cells = [
            f"{layer} {result.nodes_required[b, at]:,} / {result.edges_required[b, at]:,}"
            for at, layer in enumerate(result.layer_names[:-1])
        ]
        total = int(result.edges_required[b].sum())
        lines.append(f"  {name:<24} {'   '.join(cells)}   edges in all {total:,}")
    return lines
