"""The doctor: every examination finds what is wrong, and says so in a sentence."""

import json
import os
import shutil
import tomllib
from collections import namedtuple
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from workbench.cli.main import main
from workbench.isolation.process import Isolation
from workbench.operations import doctor
from workbench.operations.doctor import FLOORS, Finding, examine
from workbench.registry.store import registry_root

ROOT = Path(__file__).parents[2]
GIB = 2**30
CONFINED = Isolation(memory=True, network=True, writes=True, sentence="All is confined.")
Usage = namedtuple("Usage", "total used free")
AUTH = (
    '[auth]\nredirect_uri = "https://work.example.org/oauth2callback"\n'
    f'cookie_secret = "{"c" * 32}"\nclient_id = "w"\nclient_secret = "s"\n'
    'server_metadata_url = "https://id.example.org/x"\n'
)


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    """A machine on which everything is well."""
    for name in list(os.environ):
        if name.startswith(("WORKBENCH_", "STREAMLIT_")):
            monkeypatch.delenv(name)
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("WORKBENCH_HOME", str(folder))
    monkeypatch.setattr(doctor, "isolation", lambda: CONFINED)
    monkeypatch.setattr(doctor.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: Usage(99 * GIB, 0, 50 * GIB))
    monkeypatch.setattr(doctor, "_cores", lambda: 64.0)
    memory = namedtuple("Memory", "total available")(32 * GIB, 16 * GIB)
    monkeypatch.setattr(doctor.psutil, "virtual_memory", lambda: memory)
    monkeypatch.setattr(doctor, "_group", lambda _: "")
    return folder


def found(name, **options):
    return [(f.state, f.sentence) for f in examine(**options) if f.name == name]


def test_all_is_well():
    findings = examine()
    assert [f for f in findings if f.state != "ok"] == []
    assert [f.name for f in findings] == [
        "python", "packages", "settings", "device", "threads", "memory", "home", "disk", "registry",
        "tables", "isolation", "browser", "sign-in", "address",
    ]  # fmt: skip
    assert all(f.sentence.endswith(".") and "\n" not in f.sentence for f in findings)


# --- the machine and its packages ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "state", "sentence"),
    [
        ("3.11.7", "ok", "Python 3.11.7."),
        ("3.13.0", "ok", "Python 3.13.0."),
        ("3.10.9", "failure", "Python 3.10.9; install 3.11, 3.12 or 3.13."),
        ("3.14.0", "failure", "Python 3.14.0; install 3.11, 3.12 or 3.13."),
    ],
)
def test_python(monkeypatch, version, state, sentence):
    monkeypatch.setattr(doctor.platform, "python_version", lambda: version)
    assert found("python") == [(state, sentence)]


def with_versions(monkeypatch, **versions):
    real = doctor._installed
    monkeypatch.setattr(doctor, "_installed", lambda name: versions.get(name, real(name)))


def test_an_old_package(monkeypatch):
    with_versions(monkeypatch, torch="2.9.1+cpu", pyarrow="14.0.0")
    assert found("packages") == [
        ("failure", "pyarrow 14.0.0 has the fault CVE-2023-47248; install 14.0.1 or newer."),
        ("failure", "torch 2.9.1+cpu has the fault CVE-2026-24747; install 2.10 or newer."),
    ]


@pytest.mark.parametrize("version", ["2.10", "2.10.0+cpu", "2.10.1", "3", "2.13.0+cu130"])
def test_new_enough_packages(monkeypatch, version):
    with_versions(monkeypatch, torch=version)
    assert [state for state, _ in found("packages")] == ["ok"]


def test_a_missing_package(monkeypatch):
    with_versions(monkeypatch, onnx=None)
    assert found("packages") == [
        ("failure", "onnx is not installed; install requirements.txt again.")
    ]


def test_floors_and_declared_dependencies_agree():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    lowest = {
        requirement.name: Version(clause.version)
        for requirement in map(Requirement, declared)
        for clause in requirement.specifier
        if clause.operator == ">="
    }
    shared = FLOORS.keys() & lowest.keys()
    assert {"torch", "onnx", "pyarrow", "streamlit", "jinja2", "authlib"} <= shared
    assert [name for name in shared if lowest[name] < Version(FLOORS[name][0])] == []


def test_the_lock_is_above_the_floors():
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    pins = [line.split(" ")[0].split("==") for line in lines if "==" in line]
    old = [n for n, v in pins if n in FLOORS and Version(v) < Version(FLOORS[n][0])]
    assert old == []


def test_an_unknown_device(monkeypatch):
    monkeypatch.setenv("WORKBENCH_DEVICE", "abacus")
    assert found("device") == [
        ("failure", "There is no device 'abacus'; choose auto, cpu, cuda or mps.")
    ]


def test_more_threads_than_cores(monkeypatch):
    monkeypatch.setattr(doctor, "_cores", lambda: 1.5)
    monkeypatch.setattr(doctor.torch, "get_num_threads", lambda: 8)
    assert found("threads") == [
        ("warning", "PyTorch uses 8 threads where 1.5 cores may be used; set OMP_NUM_THREADS=1.")
    ]


def test_the_memory_of_a_container_counts(monkeypatch):
    limits = {"memory.max": str(4 * GIB), "memory.current": str(GIB)}
    monkeypatch.setattr(doctor, "_group", lambda name: limits.get(name, ""))
    assert found("memory") == [
        ("warning", "3.0 GiB of 4.0 GiB are free, less than reader_bytes or onnx_bytes let one "
         "process take; lower these settings."),
    ]  # fmt: skip
    limits["memory.current"] = str(3 * GIB)
    assert found("memory") == [
        ("warning", "Only 1.0 GiB of 4.0 GiB are free; large tables and many people need 2.0 GiB "
         "or more."),
    ]  # fmt: skip


# --- home and settings ---------------------------------------------------------------------------


def test_settings_that_do_not_fit(home):
    (home / "workbench.toml").write_text("max_row = 3\n")
    assert found("settings") == [
        ("failure", f"Settings do not fit ({home / 'workbench.toml'} and WORKBENCH_ variables): "
         "max_row: there is no such setting, got 3."),
    ]  # fmt: skip
    assert {f.name for f in examine()} == {"python", "packages", "settings"}


def test_a_variable_that_is_no_setting(monkeypatch):
    monkeypatch.setenv("WORKBENCH_MAX_ROW", "3")
    assert found("settings")[0] == (
        "warning", "There is no setting WORKBENCH_MAX_ROW; correct or remove the variable.",
    )  # fmt: skip


def test_settings_that_others_may_change(home):
    file = home / "workbench.toml"
    file.touch()
    file.chmod(0o666)
    assert found("settings") == [
        ("failure", f"Others may change {str(file)!r}, and with it who is an administrator; run "
         f"chmod 640 {file}."),
    ]  # fmt: skip
    file.chmod(0o640)
    assert found("settings") == [("ok", f"{str(file)!r} fits.")]


def test_a_home_that_others_may_look_into(home):
    home.chmod(0o755)
    assert found("home") == [
        ("warning", f"Other accounts of this machine may look into {str(home)!r}; run chmod 700 "
         f"{home}."),
    ]  # fmt: skip


def test_a_home_that_cannot_be_written(home, monkeypatch):
    monkeypatch.setattr(doctor, "_can_write", lambda _: False)
    assert found("home") == [
        ("failure", f"{str(home)!r} cannot be written; change its permissions or set "
         "WORKBENCH_HOME."),
    ]  # fmt: skip


def test_nothing_is_written_or_made(home, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "new" / "home"))
    assert found("home")[0][0] == "ok"
    assert not (tmp_path / "new").exists()
    assert list(home.iterdir()) == []


@pytest.mark.parametrize(
    ("free", "state", "sentence"),
    [
        (GIB // 2, "failure", "Only 0.5 GiB is free at {}; make room."),
        (5 * GIB, "warning", "5.0 GiB are free at {}, less than the 10.0 GiB that results may "
         "take; make room or lower results_bytes."),
        (10 * GIB, "ok", "10.0 GiB are free at {}."),
    ],
)  # fmt: skip
def test_disk(home, monkeypatch, free, state, sentence):
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: Usage(99 * GIB, 0, free))
    assert found("disk") == [(state, sentence.format(repr(str(home))))]


# --- models and tables ---------------------------------------------------------------------------


@pytest.fixture
def registry(monkeypatch, tmp_path):
    root = tmp_path / "models"
    shutil.copytree(registry_root() / "wine-mlp", root / "wine-mlp")
    monkeypatch.setenv("WORKBENCH_MODELS", str(root))
    return root / "wine-mlp" / "1"


@pytest.mark.usefixtures("registry")
def test_a_sound_registry():
    assert found("registry") == [
        ("ok", "The cards of 1 versions of 1 models are sound; --deep reads the weights, too.")
    ]
    assert found("registry", deep=True) == [
        ("ok", "The cards and weights of 1 versions of 1 models are sound.")
    ]


def test_changed_weights_are_found_by_looking_deep(registry):
    weights = registry / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert [state for state, _ in found("registry")] == ["ok"]
    assert found("registry", deep=True) == [
        ("failure", f"{str(weights)!r} is not what its card says; restore the file or train the "
         "model again."),
    ]  # fmt: skip


def test_a_changed_card_and_missing_weights(registry):
    (registry / "model.safetensors").unlink()
    assert found("registry") == [
        ("failure", f"{str(registry)!r} holds no weights; restore them or remove the version.")
    ]
    (registry / "card.json").write_text("{}")
    [(state, sentence)] = found("registry")
    assert state == "failure"
    assert sentence.startswith(f"The card in {str(registry)!r} was edited after it was written")


def test_an_empty_registry(monkeypatch, tmp_path):
    monkeypatch.setenv("WORKBENCH_MODELS", str(tmp_path / "none"))
    assert found("registry") == [
        ("warning", f"There are no models in {str(tmp_path / 'none')!r}; train the bundled ones "
         "with workbench train, or point WORKBENCH_MODELS elsewhere."),
    ]  # fmt: skip


def test_missing_tables(monkeypatch, tmp_path):
    monkeypatch.setenv("WORKBENCH_SAMPLE_DATA", str(tmp_path))
    [(state, sentence)] = found("tables")
    assert state == "failure"
    assert sentence.startswith("The bundled tables are not in ")


# --- isolation, browser, people ------------------------------------------------------------------


def test_isolation_that_is_not_enough(monkeypatch):
    poor = Isolation(memory=True, network=False, writes=False, sentence="No network guard.")
    monkeypatch.setattr(doctor, "isolation", lambda: poor)
    assert found("isolation") == [
        ("warning", "No network guard; uploads that need more are refused.")
    ]
    monkeypatch.setenv("WORKBENCH_REQUIRE_ISOLATION", "false")
    assert found("isolation") == [
        ("warning", "No network guard; uploads are read all the same, as require_isolation is off.")
    ]


def test_no_browser(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda _: None)
    ((state, said),) = found("browser")
    assert state == "warning"
    assert said.startswith("A PDF is printed by Chromium, and none was found: install it (Debian: ")


def test_sign_in(home, monkeypatch):
    file = home / "secrets.toml"
    file.write_text(AUTH)
    file.chmod(0o600)
    assert found("sign-in") == [
        ("warning", "People sign in, but nobody is an administrator; name one in the setting "
         "admins."),
    ]  # fmt: skip
    monkeypatch.setenv("WORKBENCH_ADMINS", "ann@example.org")
    assert found("sign-in") == [("ok", "People sign in; everybody else is analyst.")]
    monkeypatch.setenv("WORKBENCH_DEFAULT_ROLE", "none")
    assert found("sign-in") == [("ok", "People sign in; nobody else comes in.")]
    file.chmod(0o644)
    assert found("sign-in")[0] == (
        "failure", "Every account of this machine may read the secrets in "
        f"{str(file)!r}; run chmod 600 {file}.",
    )  # fmt: skip
    monkeypatch.setattr(doctor, "find_spec", lambda _: None)
    assert found("sign-in")[1] == (
        "failure", "Sign-in needs authlib and httpx; install requirements.txt again.",
    )  # fmt: skip


def test_a_weak_cookie_secret(home):
    file = home / "secrets.toml"
    file.write_text(AUTH.replace("c" * 32, "xxx"))
    file.chmod(0o600)
    state, sentence = found("sign-in")[0]
    assert state == "failure"
    assert sentence.startswith("cookie_secret must be 32 random characters or more")


def test_an_open_address(monkeypatch):
    monkeypatch.setenv("STREAMLIT_SERVER_ADDRESS", "0.0.0.0")  # noqa: S104
    [(state, sentence)] = found("address")
    assert state == "failure"
    assert sentence.startswith("Listening on 0.0.0.0 without sign-in would let in everybody")
    monkeypatch.setenv("WORKBENCH_ALLOW_ANONYMOUS_NETWORK", "true")
    assert found("address") == [
        ("warning", "allow_anonymous_network is on: whoever reaches this machine comes in, and all "
         "share their uploads and results."),
    ]  # fmt: skip


def test_an_examination_that_breaks_hides_no_other(monkeypatch):
    def break_down():
        raise RuntimeError("secret")

    monkeypatch.setattr(doctor, "isolation", break_down)
    assert found("isolation") == [("failure", "This could not be examined (RuntimeError).")]
    assert found("browser")[0][0] == "ok"


# --- the command ---------------------------------------------------------------------------------


def run(capsys, *arguments):
    code = 0
    try:
        main(["doctor", *arguments])
    except SystemExit as stop:
        code = stop.code
    said = capsys.readouterr()
    return code, said.out, said.err


def test_the_command_prints_lines_or_json(capsys, monkeypatch):
    findings = (Finding("python", "ok", "Fine."), Finding("disk", "warning", "Little."))
    monkeypatch.setattr(doctor, "examine", lambda *, deep: findings if deep else ())
    assert run(capsys, "--deep") == (0, "✓ python      Fine.\n▲ disk        Little.\n", "")
    code, out, err = run(capsys, "--deep", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)[1] == {"name": "disk", "state": "warning", "sentence": "Little."}


def test_the_command_fails_where_something_fails(capsys, monkeypatch):
    findings = (Finding("python", "ok", "Fine."), Finding("disk", "failure", "None."))
    monkeypatch.setattr(doctor, "examine", lambda **_: findings)
    assert run(capsys) == (
        1, "✓ python      Fine.\n✕ disk        None.\n", "Error: 1 of 2 examinations failed.\n",
    )  # fmt: skip
