"""Entry point: groups the commands and turns every fault into one sentence."""

import os
import sys

import click

from workbench.cli.across_models import interactions_set, profile_set
from workbench.cli.compare import compare, measure
from workbench.cli.completion import completion
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
from workbench.cli.interaction_test import interaction_test
from workbench.cli.interactions import interactions
from workbench.cli.jobs import jobs
from workbench.cli.lib import lib
from workbench.cli.lib_experiments import lib_experiments
from workbench.cli.local import local, scales
from workbench.cli.models import convert, models
from workbench.cli.people import people
from workbench.cli.profile import profile
from workbench.cli.rashomon import rashomon
from workbench.cli.registry import list_, train
from workbench.cli.remedies import remedies
from workbench.cli.report import report
from workbench.cli.serve import serve
from workbench.cli.simpler import simpler
from workbench.cli.updates import churn, mitigate
from workbench.core.errors import CancelledError, WorkbenchError

DEBUG = "WORKBENCH_DEBUG"
CANCELLED, FAULT, DEFECT = 130, 1, 70
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


workbench.add_section(
    "Explain: what made a model decide so?",
    explain, counterfactual, local, profile, interactions, detectors, fastshap,
)  # fmt: skip
workbench.add_section(
    "Question: how good is it, and which explanation holds?",
    evaluate, compare, measure, scales, interaction_test, simpler,
)  # fmt: skip
workbench.add_section(
    "Question: would an equally good model say the same?",
    rashomon, explain_set, interactions_set, profile_set, halo, churn, mitigate,
)  # fmt: skip
workbench.add_section(
    "Question: who is worse off, and what would help?",
    fairness, group_errors, flips, gap_causes, people, fairness_front, remedies,
)  # fmt: skip
workbench.add_section("Inside: what does the network make of it?", lib, lib_experiments)
workbench.add_section("Deliver: what can be checked later", report)
workbench.add_section(
    "Manage: models, tables, jobs and this installation",
    list_, models, data, jobs, convert, train, serve, doctor, completion,
)  # fmt: skip


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
        click.echo("Cancelled.", err=True)
        sys.exit(CANCELLED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except CancelledError as error:
        click.echo(str(error), err=True)
        sys.exit(CANCELLED)
    except WorkbenchError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(FAULT)
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        if isinstance(error, OSError) and error.filename is not None:
            click.echo(
                f"Error: {str(error.filename)!r} cannot be read or written: {error.strerror}; "
                "choose another path or change its permissions.",
                err=True,
            )
            sys.exit(FAULT)
        click.echo(
            f"Unexpected fault ({type(error).__name__}: {error}). Set {DEBUG}=1 to see where "
            "it happened, and please report it.",
            err=True,
        )
        sys.exit(DEFECT)
