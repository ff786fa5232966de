"""Entry point: groups the commands and turns every fault into one sentence."""

import errno
import io
import os
import sys

import click

from workbench.cli.across_models import interactions_set, profile_set
from workbench.cli.compare import compare, measure
from workbench.cli.completion import completion
from workbench.cli.convert import convert
from workbench.cli.counterfactual import counterfactual
from workbench.cli.data import data
from workbench.cli.detectors import detectors
from workbench.cli.doctor import doctor
from workbench.cli.evaluate import evaluate
from workbench.cli.explain import explain
from workbench.cli.explain_set import explain_set
from workbench.cli.fairness import fairness
from workbench.cli.fairness_front import fairness_front
from workbench.cli.fastshap import fastshap
from workbench.cli.flags import FlagsGroup
from workbench.cli.flips import flips
from workbench.cli.gap_causes import gap_causes
from workbench.cli.group_errors import group_errors
from workbench.cli.halo import halo
from workbench.cli.importing import import_attribution
from workbench.cli.interaction_test import interaction_test
from workbench.cli.interactions import interactions
from workbench.cli.jobs import jobs
from workbench.cli.lib import lib
from workbench.cli.lib_experiments import lib_experiments
from workbench.cli.local import local, scales
from workbench.cli.methods import methods
from workbench.cli.models import models
from workbench.cli.people import people
from workbench.cli.printing import echo
from workbench.cli.profile import profile
from workbench.cli.rashomon import rashomon
from workbench.cli.registry import list_, train
from workbench.cli.remedies import remedies
from workbench.cli.report import report
from workbench.cli.run import run
from workbench.cli.serve import serve
from workbench.cli.simpler import simpler
from workbench.cli.updates import churn, mitigate
from workbench.core.errors import CancelledError, WorkbenchError

DEBUG = "WORKBENCH_DEBUG"
CANCELLED, FAULT, DEFECT = 130, 1, 70
MOST_LETTERS = 300  # of a path
# A write that fails for them names no file.
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
# Threads of torch that wait for each other spin by default. Where other programs want the cores
# too, that made runs 20 times slower; waiting politely costs a few per cent on an idle machine.
SPIN, POLITE = "GOMP_SPINCOUNT", "1000"
EPILOG = """\b
Examples:
  workbench list
  workbench explain adult-mlp adult --rows 3
  workbench explain --help

Exit codes: 0 done; 1 something given does not fit, and one sentence says what; 2 the command was
not understood; 3 a condition of fail_if in an analysis file holds; 70 a defect of the program;
130 cancelled. Results go to standard output, everything else to standard error.
"""


@click.group(
    cls=FlagsGroup, epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)  # fmt: skip
@click.version_option(package_name="explainability-workbench", prog_name="workbench")
def workbench() -> None:
    """Explain the decisions of PyTorch models, and say how far each explanation can be trusted."""


workbench.add_section("Explain (why a model decides as it does)", {
    explain: "Which features made a prediction, or made it with others",
    import_attribution: "Take in explanations that another program made",
    counterfactual: "What would have to be different for another decision",
    local: "A simple function around rows, of your choice",
    profile: "How the output changes with each feature",
    interactions: "Which features a model uses together",
    detectors: "The same, by several detectors beside each other",
    fastshap: "Train networks that explain a model at once",
})  # fmt: skip
workbench.add_section("Question (how good it is, and which explanation holds)", {
    evaluate: "How good a model is on labelled rows",
    compare: "Which explanation to believe, for which question",
    measure: "Explanations by the measures of the literature",
    scales: "How far around a row a linear explanation holds",
    interaction_test: "Which interactions are in the data",
    simpler: "Whether a simpler model would do",
})  # fmt: skip
workbench.add_section("Question (whether equally good models say the same)", {
    rashomon: "How far models that are as good disagree about rows",
    explain_set: "Whether they would explain rows alike",
    interactions_set: "Whether they use the same features together",
    profile_set: "Whether they follow features alike",
    halo: "How far features can be weighed otherwise at once",
    churn: "Which decisions an update could change",
    mitigate: "What makes decisions less arbitrary",
})  # fmt: skip
workbench.add_section("Question (who is worse off, and what would help)", {
    fairness: "Which groups are worse off, and how sure that is",
    group_errors: "The same for a model that predicts a number",
    flips: "Whose decision hangs on a protected attribute alone",
    gap_causes: "What a gap between groups is made of",
    people: "Who is decided narrowly, and what would have changed it",
    fairness_front: "Models about as accurate that treat groups more alike",
    remedies: "What would lessen a gap, at what cost, and who pays",
})  # fmt: skip
workbench.add_section("Inside (what the network makes of it)", {
    lib: "How few features and edges of the layers are needed",
    lib_experiments: "The same of small networks that are trained for it",
})  # fmt: skip
workbench.add_section("Deliver (what can be checked later)", {
    report: "Results as one HTML page, PDF, JSON or tables",
    run: "Every step of an analysis file again, and judge it",
})  # fmt: skip
workbench.add_section("Manage (models, tables, jobs and this installation)", {
    list_: "Models, tables and methods",
    methods: "Which method serves which model, and why not",
    models: "Add, look at, compare, check and remove models",
    data: "Look at, check and keep tables",
    jobs: "What the workbench in the browser was asked for",
    convert: "Turn a PyTorch network into a model without code",
    train: "Train a bundled model anew", serve: "Start the workbench in the browser",
    doctor: "Examine this installation", completion: "Let the shell complete commands and names",
})  # fmt: skip


def main(arguments: list[str] | None = None) -> None:
    """Run the command line.

    Exit codes: 0 done, 1 something given does not fit (one sentence says what), 2 the command
    was not understood, 3 a condition of ``fail_if`` holds, 70 a defect of the program, 130
    cancelled.
    """
    os.environ.setdefault(SPIN, POLITE)  # read when torch is loaded, which is later
    try:
        workbench.main(arguments, prog_name="workbench", standalone_mode=False)
    except click.exceptions.Abort:
        echo("Cancelled.", err=True)
        sys.exit(CANCELLED)
    except click.ClickException as error:
        error.show(said := io.StringIO())
        echo(said.getvalue().removesuffix("\n"), err=True)
        sys.exit(error.exit_code)
    except CancelledError as error:
        echo(str(error), err=True)
        sys.exit(CANCELLED)
    except WorkbenchError as error:
        echo(f"Error: {error}", err=True)
        sys.exit(FAULT)
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        if isinstance(error, OSError) and (refusal := _of_files(error)):
            echo(f"Error: {refusal}", err=True)
            sys.exit(FAULT)
        echo(
            f"Unexpected fault ({type(error).__name__}: {error}). Set {DEBUG}=1 to see where "
            "it happened, and please report it.",
            err=True,
        )
        sys.exit(DEFECT)


def _of_files(error: OSError) -> str:
    """Say what the system refuses; empty where it is none of the user's."""
    if error.filename is not None:
        name = str(error.filename)
        shown = name if len(name) <= MOST_LETTERS else f"{name[: MOST_LETTERS - 1]}…"
        return (
            f"{shown!r} cannot be read or written: {error.strerror}; choose another "
            "path or change its permissions."
        )
    if error.errno in NO_ROOM:
        return f"What came out cannot be written: {error.strerror}; make room, or write elsewhere."
    return ""
