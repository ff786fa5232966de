"""`workbench data`: add, list, remove and check, as a person at the keyboard sees them."""

import sys
from functools import partial

import pytest

from workbench.data.bundled import data_folder
from workbench.workspace import reading, store


@pytest.fixture
def cli(cli, home, monkeypatch):  # noqa: ARG001 - data are added to a home of this test's own
    """Runs ``workbench data``, which reads here what it usually reads in a confined process."""
    monkeypatch.setattr(
        store, "call", lambda entry, given, _: getattr(reading, entry.split(":")[1])(**given)
    )
    return partial(cli, "data")


@pytest.fixture
def people(tmp_path):
    path = tmp_path / "My people.csv"
    path.write_text("age,job,name,ok\n31,a,k1,yes\n40,b,k2,no\n52,a,k3,yes\n")
    return path


def test_add_list_remove(cli, people, tmp_path):
    code, out, err = cli("add", people, "--target", "ok")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "  Note: Column 'age' was taken for a protected group by its name.",
        "  Note: Column 'name' was left out: every row has a text of its own, as in an identifier.",
        "my:my-people: 3 rows, 2 features",
    ]
    assert cli("list")[1].splitlines()[-1].split() == ["my:my-people", "3", "rows"]
    assert cli("add", people, "--name", "p")[1].splitlines()[-1] == "my:p: 3 rows, 3 features"
    assert cli("remove", "my:p")[1] == "Removed my:p\n"
    assert cli("remove", "my-people")[0] == 0
    assert "my:" not in cli("list")[1]
    assert not list((tmp_path / "home").rglob("*.csv"))


def test_add_with_a_schema_given_or_beside(cli, people):
    schema = people.with_suffix(".schema.json")
    cli("check", people, "--write-schema", schema)
    code, out, _ = cli("add", people, "--ignore-extra-columns")
    assert (code, out) == (0, "my:my-people: 3 rows, 3 features\n")
    wine = data_folder() / "wine.csv"
    code, out, _ = cli("add", wine, "--schema", data_folder() / "wine.schema.json")
    assert (code, out) == (0, "my:wine: 178 rows, 13 features\n")


def test_faults_are_one_sentence_and_leave_nothing(cli, people, tmp_path):
    for arguments, message in (
        (["no.csv"], "There is no file 'no.csv'; check the path."),
        ([people, "--target", "x"], "There is no target column 'x'; choose one of 'age', 'job', "
         "'name', 'ok'."),
        ([people, "--name", "A b"], "Table name 'A b' does not fit; use up to 64 lower-case "
         "letters, digits, - and _, a letter or digit first."),
        ([people, "--sheet", "S"], "File 'My people.csv' has no sheets; leave out sheet 'S'."),
        ([people, "--target", "ok", "--schema", people], "A schema names its target itself; leave "
         "out --target or --schema."),
    ):  # fmt: skip
        assert cli("add", *arguments) == (1, "", f"Error: {message}\n")
    code, _, err = cli("remove", "x")
    assert (code, err) == (1, "Error: There is no table 'my:x'; yours are none so far.\n")
    kept = [p.name for p in (tmp_path / "home").rglob("*") if p.is_file()]
    assert kept == ["uploads.sqlite"]


def test_help_is_quick(cli):
    before = set(sys.modules)
    assert cli("--help")[0] == 0
    assert "pyarrow.csv" not in set(sys.modules) - before
