"""The command that starts the server."""

import os
import sys
from pathlib import Path

import click

from workbench.core.errors import AccessError

HERE = "127.0.0.1"
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - to tell them apart


@click.command()
@click.option(
    "--port",
    default=8501,
    show_default=True,
    type=click.IntRange(1, 65535),
    help="Port to listen on.",
)
@click.option(
    "--host",
    default=HERE,
    show_default=True,
    help="Address to listen on; any but this machine's own needs sign-in.",
)
@click.option(
    "--allow-anonymous-network",
    is_flag=True,
    help="Let in everybody who can reach the address, without sign-in, as one person.",
)
def serve(port: int, host: str, allow_anonymous_network: bool) -> None:
    """Start the workbench in the browser, for this machine only unless --host says otherwise."""
    from workbench.core.settings import PREFIX, settings  # loads pydantic
    from workbench.operations.server import app_folder
    from workbench.operations.sign_in import OPEN, read_sign_in, refusal, secrets_files

    if allow_anonymous_network:
        os.environ[PREFIX + OPEN.upper()] = "true"
    _keep_paths()
    app = app_folder()
    files = secrets_files(settings(), app)
    if said := refusal(host, read_sign_in(files), settings()):
        raise AccessError(said)
    os.chdir(app)  # Streamlit reads .streamlit/config.toml from the working folder
    arguments = ["-m", "workbench.ui.server", "run", "app.py", f"--server.port={port}"]
    arguments += [f"--server.address={host}", f"--logger.level={settings().log_level.lower()}"]
    arguments += [f"--server.maxUploadSize={-(-settings().max_file_bytes // 2**20)}"]
    if host in EVERYWHERE:  # else Streamlit asks a server elsewhere for this machine's address
        arguments.append("--browser.serverAddress=localhost")
    arguments += [f"--secrets.files={file}" for file in files if file.exists()]
    # Fewer arenas: each thread would keep memory of its own that others cannot use.
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")
    sys.stdout.flush()
    sys.stderr.flush()
    # The process becomes Streamlit, so a signal reaches the server itself and not a parent of it.
    os.execv(sys.executable, [sys.executable, *arguments])  # noqa: S606 - no shell


def _keep_paths() -> None:
    """Let paths in variables mean the same after the working folder has changed."""
    from workbench.core.settings import PLACES, PREFIX

    for name in ("CONFIG", *map(str.upper, PLACES)):
        if value := os.environ.get(PREFIX + name):
            os.environ[PREFIX + name] = str(Path(value).expanduser().absolute())
