"""``workbench serve``: what it starts, whom it lets in, and how it ends."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from workbench.cli.main import main
from workbench.core.settings import Settings

ROOT = Path(__file__).parents[2]
AUTH = (
    '[auth]\nredirect_uri = "https://work.example.org/oauth2callback"\n'
    f'cookie_secret = "{"c" * 32}"\nclient_id = "w"\nclient_secret = "s"\n'
    'server_metadata_url = "https://id.example.org/x"\n'
)


@pytest.fixture
def started(monkeypatch, tmp_path, capsys):
    """Runs ``workbench serve`` and returns what it would become, or its one sentence."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"WORKBENCH_{name.upper()}", raising=False)
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        became = []
        monkeypatch.setattr(os, "execv", lambda *call: became.append(call))
        try:
            main(["serve", *arguments])
        except SystemExit as stop:
            code = stop.code
        else:
            code = 0
        if code:
            assert (code, became) == (1, [])
            return capsys.readouterr().err.removeprefix("Error: ").removesuffix("\n")
        [(program, words)] = became
        assert program == words[0] == sys.executable
        return words[1:]

    return run


def test_it_becomes_streamlit_for_this_machine_alone(started):
    words = started()
    assert words[:4] == ["-m", "workbench.ui.server", "run", "app.py"]
    assert words[4:] == [
        "--server.port=8501", "--server.address=127.0.0.1", "--logger.level=info",
        "--server.maxUploadSize=1024",
    ]  # fmt: skip
    assert Path("app.py").is_file()  # the working folder is that of the app


def test_the_settings_decide(started, monkeypatch):
    monkeypatch.setenv("WORKBENCH_MAX_FILE_BYTES", str(2**20 + 1))
    monkeypatch.setenv("WORKBENCH_LOG_LEVEL", "DEBUG")
    words = started("--port", "8600")
    assert {"--server.port=8600", "--server.maxUploadSize=2", "--logger.level=debug"} <= set(words)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.7", "example.org"])  # noqa: S104
def test_other_machines_need_sign_in(started, tmp_path, host):
    assert started("--host", host) == (
        f"Listening on {host} without sign-in would let in everybody who can reach this machine; "
        "set up sign-in (docs/operations.md), listen on 127.0.0.1, or set "
        "allow_anonymous_network to accept that."
    )
    (tmp_path / "secrets.toml").write_text(AUTH)
    words = started("--host", host)
    assert words[-1] == f"--secrets.files={tmp_path / 'secrets.toml'}"
    assert f"--server.address={host}" in words


def test_other_machines_may_be_let_in_without(started, monkeypatch):
    monkeypatch.setenv("WORKBENCH_ALLOW_ANONYMOUS_NETWORK", "")
    words = started("--host", "0.0.0.0", "--allow-anonymous-network")  # noqa: S104
    assert "--server.address=0.0.0.0" in words
    assert os.environ["WORKBENCH_ALLOW_ANONYMOUS_NETWORK"] == "true"  # the app asks it again


def test_the_setting_lets_them_in_as_well(started, monkeypatch):
    monkeypatch.setenv("WORKBENCH_ALLOW_ANONYMOUS_NETWORK", "true")
    words = started("--host", "0.0.0.0")  # noqa: S104
    assert "--server.address=0.0.0.0" in words
    assert "--browser.serverAddress=localhost" in words  # nobody is asked for an address of ours


def test_a_sign_in_that_cannot_work_is_refused_even_here(started, tmp_path):
    (tmp_path / "secrets.toml").write_text(AUTH.replace("c" * 32, "xxx"))
    said = started()
    assert said.startswith("People could not sign in: cookie_secret must be 32 random characters")


def test_a_named_sign_in_file_must_exist(started, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_SIGN_IN", "nope.toml")
    assert started() == (
        f"The sign-in file {str(tmp_path / 'nope.toml')!r} cannot be read (it does not exist); "
        "correct it or its permissions, so that it is certain who may come in."
    )


def test_paths_in_variables_keep_their_meaning(started, tmp_path, monkeypatch):
    (tmp_path / "auth.toml").write_text(AUTH)
    monkeypatch.setenv("WORKBENCH_HOME", "data")
    monkeypatch.setenv("WORKBENCH_SIGN_IN", "auth.toml")
    words = started()
    assert Path.cwd() != tmp_path
    assert os.environ["WORKBENCH_HOME"] == str(tmp_path / "data")
    assert words[-1] == f"--secrets.files={tmp_path / 'auth.toml'}"


def children(pid):
    """Every process below ``pid``."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found += [child, *children(child)]
    return found


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
def test_it_answers_and_ends_on_sigterm_with_all_its_processes(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}/_stcore/health"
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("WORKBENCH_", "STREAMLIT_"))}
    log = tmp_path / "log"
    output = log.open("wb")
    server = subprocess.Popen(
        [sys.executable, "-c", "from workbench.cli import main; main()", "serve", f"--port={port}"],
        cwd=ROOT, env=kept | {"HOME": str(tmp_path), "WORKBENCH_HOME": str(tmp_path / "home")},
        stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        end = time.monotonic() + 180  # a busy machine imports slowly
        while True:
            try:
                with urllib.request.urlopen(address, timeout=5) as answer:
                    assert answer.read() == b"ok"
                break
            except (urllib.error.URLError, ConnectionError):
                assert server.poll() is None
                assert time.monotonic() < end
                time.sleep(0.1)
        below = children(server.pid)
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=20)
    finally:
        output.close()
        server.kill()
        server.wait()
    assert server.returncode == 0, log.read_text()
    assert not [pid for pid in below if Path(f"/proc/{pid}").exists()]
