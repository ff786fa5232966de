"""Pipes, sockets and devices are refused by whatever command they are given to, never waited for.

To open a pipe that nobody writes to takes forever, which an alarm ends here.
"""

import os
import shutil
import signal
import socket

import pytest
from safetensors.torch import save_file

from tests.command_line import complaint
from workbench import api
from workbench.core.errors import InvalidInputError
from workbench.core.files import replacing
from workbench.registry.store import registry_root

SAID = "not a file that can be read twice; name a file"


@pytest.fixture
def cli(cli, home, tmp_path, monkeypatch):  # noqa: ARG001 - a home of this test's own
    """Runs the command line for a minute at most, in a folder of this test's own."""

    def enough(*_):
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    before = signal.signal(signal.SIGALRM, enough)
    signal.alarm(60)
    yield cli
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


READING = {
    "table": "explain wine-mlp pipe.csv --rows 0",
    "parquet": "data check pipe.parquet",
    "sheet": "data check pipe.xlsx",
    "background": "explain wine-mlp wine --rows 0 --background pipe.csv",
    "added table": "data add pipe.csv",
    "schema": "data add {wine} --schema pipe.json",
    "attributions": "import-attribution wine-mlp wine pipe.csv",
    "result": "report pipe.attribution",
    "explainer": "fastshap show pipe.explainer",
    "model file": "models add pipe.onnx",
    "card": "models add pipe.json pipe.safetensors",
    "analysis": "run pipe.yaml",
    "given": "run given.yaml",
    "weights": "convert torch.nn:Identity --state pipe.safetensors --table wine --name a --into b",
    "encoder": "convert torch.nn:Identity --state none.safetensors --table wine "
               "--encoder pipe.json --name a --into b",
}  # fmt: skip
GIVEN = """format: 1
title: a title
steps:
  - {id: it, method: lfa.measures, model: wine-mlp, table: wine, background: 20,
     given: pipe.csv}
"""


@pytest.mark.parametrize("what", READING)
def test_a_pipe_is_refused_before_it_is_opened(what, cli, tmp_path):
    for suffix in ("csv", "parquet", "xlsx", "json", "attribution", "explainer", "onnx",
                   "safetensors", "yaml"):  # fmt: skip
        os.mkfifo(tmp_path / f"pipe.{suffix}")
    (tmp_path / "given.yaml").write_text(GIVEN)
    save_file({}, tmp_path / "none.safetensors")
    api.load_table("wine")[:9].to_frame().to_csv(tmp_path / "wine.csv", index=False)
    said = complaint(cli(*READING[what].format(wine="wine.csv").split()))
    assert "is a pipe" in said
    assert SAID in said


def test_weights_that_are_a_pipe_are_refused(cli, tmp_path):
    shutil.copytree(registry_root() / "wine-mlp" / "1", tmp_path / "model")
    weights = tmp_path / "model" / "model.safetensors"
    weights.unlink()
    os.mkfifo(weights)
    said = complaint(cli("evaluate", "./model", "wine"))
    assert said == f"'model/model.safetensors' is a pipe, {SAID}."


def test_devices_and_sockets_are_refused_as_well(cli, tmp_path):
    (tmp_path / "zero.csv").symlink_to("/dev/zero")
    assert "'zero.csv' is a device" in complaint(cli("data", "check", "zero.csv"))
    assert "'/dev/zero' is a device" in complaint(cli("run", "/dev/zero"))
    with socket.socket(socket.AF_UNIX) as one:
        one.bind("s.csv")
        assert "'s.csv' is a socket" in complaint(cli("data", "check", "s.csv"))


def test_none_is_replaced_by_a_file(cli, tmp_path):
    pipe = tmp_path / "pipe.html"
    os.mkfifo(pipe)
    with pytest.raises(InvalidInputError, match="is a pipe"), replacing(pipe):
        pytest.fail("it would have been written")
    for flags in (("data", "check", "wine", "--write-schema"), ("methods", "--out")):
        assert SAID in complaint(cli(*flags, pipe))
    assert pipe.is_fifo()
