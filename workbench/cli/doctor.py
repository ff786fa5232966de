"""The command that examines an installation."""

import json
from dataclasses import asdict

import click

from workbench.cli.options import AS_JSON
from workbench.cli.printing import echo
from workbench.core.errors import InvalidInputError

SYMBOLS = {"ok": "✓", "warning": "▲", "failure": "✕"}


@click.command()
@click.option("--deep", is_flag=True, help="Also read all weights and compare their digests.")
@AS_JSON
def doctor(deep: bool, as_text: bool) -> None:
    """Examine this installation and say what to mend; exit code 1 if something fails."""
    from workbench.operations.doctor import examine  # loads torch

    findings = examine(deep=deep)
    if as_text:
        echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            echo(f"{SYMBOLS[finding.state]} {finding.name:12}{finding.sentence}")
    failed = sum(finding.state == "failure" for finding in findings)
    if failed:
        raise InvalidInputError(f"{failed} of {len(findings)} examinations failed.")
