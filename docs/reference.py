"""What the site says of commands, methods, checks and exported names, written from the records."""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

import workbench
from workbench import api
from workbench.checks.registry import CHECKS
from workbench.cli.main import workbench as command_line

HERE = Path(__file__).resolve().parent
# Links of pages of this folder to files above it, which are no part of the site.
OUTSIDE = re.compile(r"\[([^\]]*)\]\(\.\./([^)]+)\)")
MARK = re.compile(r"^<!-- generated: (\w+) -->$", re.MULTILINE)
# The pages in the order of the navigation; a folder stands for its pages by name.
NAVIGATION: Mapping[str, Sequence[str]] = {
    "Start": ("start", "gallery/index", "data", "models", "jobs"),
    "Guides": (
        "shapley", "value-functions", "which-explanation", "interactions", "rashomon",
        "rashomon-explorers", "fairness", "remedies", "lib", "plots",
    ),
    "Hand over": ("reports", "analysis-files", "interchange"),
    "Reference": ("methods", "methods/table", "checks", "command-line", "commands", "python"),
    "Operations": ("operations", "security"),
    "How it is built": ("architecture", "benchmarks"),
}  # fmt: skip
# The exported names by what they are for; every other function explains, every other class that is
# exported is a result.
GROUPS: Mapping[str, Sequence[str]] = {
    "Models and data": (
        "load_model", "load_table", "select_rows", "background_for", "list_models", "list_tables",
        "list_methods", "estimate_cost", "Model", "Table", "Schema", "Feature", "WorkbenchError",
    ),
    "Explain": (
        "explain", "lime", "interactions", "counterfactuals", "local_functions", "faithfulness",
        "advise", "measures", "scale_curves", "train_explainer", "attach", "attribute",
        "import_attribution",
    ),
    "Question": (
        "evaluate", "rashomon_set", "explain_set", "interactions_set", "profiles_set",
        "simpler_models", "churn", "realised_churn", "mitigate", "audit", "audit_decisions",
        "error_audit", "flips", "gap_causes", "boundary_people", "fairness_front",
        "less_discriminatory_model", "save_front_model", "remedies", "remedied_model",
    ),
    "Inside and across features": (
        "local_basis", "local_basis_row", "interaction_scores", "interaction_test", "halo",
        "detectors", "profiles",
    ),
    "Deliver": ("answer", "plot", "run_checks", "write_report", "load_result"),
    "Ask again": (
        "analysis_of", "save_analysis", "load_analysis", "run_analysis", "Analysis", "Step",
        "Replay", "AnalysisRun",
    ),
}  # fmt: skip


def connect(app: Any) -> None:
    """Write the generated parts when Sphinx reads a page."""
    app.connect("source-read", fill_in)


def fill_in(_app: object, name: str, source: list[str]) -> None:
    """Put what is generated in the place of its mark, and the navigation under the first page."""
    source[0] = MARK.sub(lambda found: GENERATED[found[1]](), source[0])
    source[0] = source[0].replace("](../README.md", "](index.md")  # the site's own first page
    if "/" not in name:
        source[0] = OUTSIDE.sub(r"\1 (`\2`)", source[0])
    if name == "index":
        source[0] += navigation()
    elif name == "gallery/index":
        source[0] += _toctree("", [page.stem for page in sorted(HERE.glob("gallery/[0-9]*.md"))])
    elif name in {"methods", "checks"}:
        source[0] += _toctree("", [f"{name}/{page.stem}" for page in pages_of(name)])


def pages_of(folder: str) -> list[Path]:
    """Return the pages of a folder that belong to a record."""
    known = {"methods": api.list_methods(), "checks": CHECKS}[folder]
    return [HERE / folder / f"{name}.md" for name in known]


def navigation() -> str:
    """Return the tables of contents of the first page."""
    return "".join(_toctree(caption, names) for caption, names in NAVIGATION.items())


def _toctree(caption: str, names: Sequence[str]) -> str:
    head = [":hidden:", *([f":caption: {caption}"] if caption else [])]
    return "\n" + "\n".join(["```{toctree}", *head, "", *names, "```", ""])


def methods() -> str:
    """Return every method by family, with its question and what it needs."""
    lines = []
    family = ""
    for name, method in api.list_methods().items():
        if family != (family := name.partition(".")[0]):
            lines += ["", f"## {family}", "", "| method | question | needs |", "|---|---|---|"]
        needs = ", ".join(sorted(method.needs | method.uses)) or "nothing but rows"
        lines.append(f"| [{method.title}](methods/{name}.md) `{name}` | {_cell(method.question)} "
                     f"| {needs} |")  # fmt: skip
    return "\n".join(lines)


def checks() -> str:
    """Return every check by code, with the kind of result that it asks."""
    lines = ["| code | check | of results |", "|---|---|---|"]
    for code, check in CHECKS.items():
        kinds = check.applies_to if isinstance(check.applies_to, tuple) else (check.applies_to,)
        of = ", ".join(f"`{kind.__name__}`" for kind in kinds)
        lines.append(f"| [{code}](checks/{code}.md) | {_cell(check.title)} | {of} |")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def walk(
    group: click.Group = command_line, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command with the words that call it."""
    for name, command in group.commands.items():
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from walk(command, (*path, name))


def commands() -> str:
    """Return what each command's ``--help`` says."""
    parts = []
    for path, command in walk():
        words = " ".join(("workbench", *path))
        context = click.Context(command, info_name=words, max_content_width=100)
        context.help_option_names = ["-h", "--help"]
        heading = "#" * (1 + len(path))
        parts += [f"{heading} {words}", "", "```text", command.get_help(context), "```", ""]
    return "\n".join(parts)


def exported() -> dict[str, list[str]]:
    """Return the exported names by group; what no group names is a result."""
    named = {name for names in GROUPS.values() for name in names}
    rest = [name for name in workbench.__all__ if name not in named]
    results = [name for name in rest if inspect.isclass(getattr(workbench, name))]
    groups = {title: list(names) for title, names in GROUPS.items()}
    groups["Explain"] += [name for name in rest if name not in results]
    return groups | {"Results": results}


def python() -> str:
    """Return the directives that document the exported names."""
    lines = []
    for title, names in exported().items():
        lines += [f"## {title}", "", "```{eval-rst}"]
        for name in names:
            thing = getattr(workbench, name)
            lines.append(f".. auto{'class' if inspect.isclass(thing) else 'function'}:: "
                         f"workbench.{name}")  # fmt: skip
            if inspect.isclass(thing):
                lines.append("   :members:")
            lines.append("")
        lines += ["```", ""]
    return "\n".join(lines)


GENERATED: Mapping[str, Callable[[], str]] = {
    "methods": methods, "checks": checks, "commands": commands, "python": python,
}  # fmt: skip
