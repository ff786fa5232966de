"""Fixtures that several files share."""

import pytest

from tests.command_line import Said
from workbench import api
from workbench.cli.main import main


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home of this test's own."""
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def cli(capsys):
    """Runs the command line in this process, by the entry point that a shell calls."""

    def run(*arguments):
        code = 0
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as stop:
            code = stop.code or 0
        captured = capsys.readouterr()
        return Said(code, captured.out, captured.err)

    return run


@pytest.fixture(scope="module")
def people():
    """Twenty test rows of adult as a user would write them."""
    return api.load_table("adult")[:20].to_frame().drop(columns="income").reset_index(drop=True)
