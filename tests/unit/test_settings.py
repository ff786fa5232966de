"""Settings: where they come from, which goes first, and what is said when they do not fit."""

import re
from pathlib import Path

import pytest

from workbench.core.errors import InvalidInputError
from workbench.core.settings import PLACES, Settings, config_file, default_home, settings

DOCS = Path(__file__).parents[2] / "docs" / "operations.md"


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    """A home of its own, and no settings from outside."""
    for name in [*Settings.model_fields, "config"]:
        monkeypatch.delenv(f"WORKBENCH_{name.upper()}", raising=False)
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    return tmp_path


def write(home, text):
    (home / "workbench.toml").write_text(text)


def complaint():
    with pytest.raises(InvalidInputError) as caught:
        settings()
    return str(caught.value)


def test_defaults_without_file_and_variables(monkeypatch, tmp_path):
    monkeypatch.delenv("WORKBENCH_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    now = settings()
    assert now.home == tmp_path / "workbench" == default_home()
    assert (now.max_rows, now.default_role, now.require_isolation) == (20_000_000, "analyst", True)
    assert (now.admins, now.models, now.allow_anonymous_network) == ((), None, False)


def test_a_variable_goes_before_the_file_and_the_file_before_the_default(home, monkeypatch):
    write(home, "max_rows = 10\nmax_columns = 20\n")
    monkeypatch.setenv("WORKBENCH_MAX_ROWS", "30")
    now = settings()
    assert (now.max_rows, now.max_columns) == (30, 20)
    assert now.queue_length == Settings.model_fields["queue_length"].default


def test_an_empty_variable_counts_as_none(home, monkeypatch):
    write(home, "max_rows = 10\n")
    monkeypatch.setenv("WORKBENCH_MAX_ROWS", "")
    monkeypatch.setenv("WORKBENCH_MODELS", "")
    assert (settings().max_rows, settings().models) == (10, None)


def test_lists_come_with_commas_or_as_toml(home, monkeypatch):
    write(home, 'admins = ["ann@example.org"]\nviewers = []\n')
    monkeypatch.setenv("WORKBENCH_ANALYSTS", " bea@example.org, cid@example.org ,")
    now = settings()
    assert now.admins == ("ann@example.org",)
    assert now.analysts == ("bea@example.org", "cid@example.org")
    assert now.viewers == ()


def test_paths_start_where_they_are_written(home, monkeypatch, tmp_path_factory):
    write(home, 'models = "shared"\nsample_data = "~/tables"\n')
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("HOME", str(elsewhere))
    monkeypatch.setenv("WORKBENCH_SIGN_IN", "secrets.toml")
    now = settings()
    assert now.models == home / "shared"
    assert now.sample_data == elsewhere / "tables"
    assert now.sign_in == elsewhere / "secrets.toml"


def test_a_change_of_the_file_holds_without_a_restart(home):
    assert settings().max_rows == 20_000_000
    write(home, "max_rows = 10\n")
    assert settings().max_rows == 10
    assert settings() is settings()
    write(home, "max_rows = 1234\n")
    assert settings().max_rows == 1234
    (home / "workbench.toml").unlink()
    assert settings().max_rows == 20_000_000


def test_the_file_may_lie_elsewhere(home, monkeypatch):
    other = home / "other.toml"
    other.write_text("max_rows = 7\n")
    write(home, "max_rows = 10\n")
    monkeypatch.setenv("WORKBENCH_CONFIG", str(other))
    assert config_file() == other
    assert settings().max_rows == 7


def test_every_fault_is_named_at_once(home):
    write(home, 'max_rows = 0\nmax_row = 5\nlog_level = "LOUD"\nadmins = 3\n')
    assert complaint() == (
        f"Settings do not fit ({home / 'workbench.toml'} and WORKBENCH_ variables): max_rows: "
        "input should be greater than or equal to 1, got 0; admins: input should be a valid "
        "tuple, got 3; log_level: input should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR', got "
        "'LOUD'; max_row: there is no such setting, got 5."
    )


def test_a_variable_of_the_wrong_type_is_named(home, monkeypatch):
    monkeypatch.setenv("WORKBENCH_JOB_MINUTES", "long")
    assert complaint() == (
        f"Settings do not fit ({home / 'workbench.toml'} and WORKBENCH_ variables): job_minutes: "
        "input should be a valid number, unable to parse string as a number, got 'long'."
    )


def test_what_is_not_toml_is_named(home):
    write(home, "max_rows: 3\n")
    said = complaint()
    assert said.startswith(
        f"Settings cannot be read ({home / 'workbench.toml'} and WORKBENCH_ variables): "
    )
    assert "line 1" in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("make", "why"),
    [(str, "it does not exist"), (Path.mkdir, "it is a folder")],
    ids=["missing", "folder"],
)
def test_a_named_file_must_be_one(home, monkeypatch, make, why):
    chosen = home / "chosen.toml"
    make(chosen)
    monkeypatch.setenv("WORKBENCH_CONFIG", str(chosen))
    assert complaint() == (
        f"The settings file {str(chosen)!r} cannot be read ({why}); correct WORKBENCH_CONFIG, or "
        "the file and its permissions."
    )


def test_a_file_that_may_not_be_read_is_no_missing_file(home, monkeypatch):
    write(home, "max_rows = 10\n")
    file = home / "workbench.toml"

    def refuse(path, *_, **__):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("pydantic_settings.TomlConfigSettingsSource._read_file", refuse)
    assert complaint() == (
        f"The settings file {str(file)!r} cannot be read (Permission denied); correct "
        "WORKBENCH_CONFIG, or the file and its permissions."
    )


def test_settings_cannot_be_changed_by_the_program():
    with pytest.raises(ValueError, match="frozen"):
        settings().max_rows = 3


# --- their documentation -------------------------------------------------------------------------


def documented():
    """The names of the tables' first column, with the default beside them."""
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|", DOCS.read_text(), flags=re.MULTILINE)
    return {name: default for name, default in rows if name in Settings.model_fields}


def test_every_setting_is_documented():
    assert sorted(documented()) == sorted(Settings.model_fields)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_documented_defaults_are_true(name):
    field = Settings.model_fields[name]
    text = documented()[name].strip("`")
    if name == "home":
        assert text == "~/.local/share/workbench"
    elif field.default in (None, ()):
        assert text == "none"
    elif isinstance(field.default, bool):
        assert text == str(field.default).lower()
    elif isinstance(field.default, int | float):
        assert float(text.replace(",", "")) == field.default
    else:
        assert text == field.default


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_has_a_description(name):
    assert Settings.model_fields[name].description


def test_places_are_the_settings_that_are_paths():
    paths = {n for n, f in Settings.model_fields.items() if "Path" in str(f.annotation)}
    assert paths == set(PLACES)
