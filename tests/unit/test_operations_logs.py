"""Logs: the form of a line, and that nothing from outside can forge one."""

import io
import json
import logging
import re
import threading
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.settings import Settings
from workbench.operations.logs import JsonLines, TextLines, configure_logs, incident, speak_for

STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


@pytest.fixture(autouse=True)
def as_before(monkeypatch, tmp_path):
    """Settings of its own, and the logging of this process left as it was."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"WORKBENCH_{name.upper()}", raising=False)
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    root, shown = logging.getLogger(), warnings.showwarning
    handlers, level = list(root.handlers), root.level
    yield
    logging.captureWarnings(False)
    warnings.showwarning = shown
    root.handlers[:], root.level = handlers, level
    logging.Logger.manager._clear_cache()
    speak_for("")


@pytest.fixture
def lines(monkeypatch):
    """Configures logs and returns a function that gives the lines written since."""

    def begin(form="text", level="INFO"):
        monkeypatch.setenv("WORKBENCH_LOG_FORMAT", form)
        monkeypatch.setenv("WORKBENCH_LOG_LEVEL", level)
        stream = io.StringIO()
        configure_logs(stream)
        return lambda: stream.getvalue().splitlines()

    return begin


def record(message, *arguments, **extra):
    made = logging.LogRecord("workbench.x", logging.INFO, "x.py", 1, message, arguments, None)
    made.__dict__.update(extra)
    made.created = 1_795_237_200.1239
    return made


def test_a_line_of_text():
    made = record("took %s rows", 5, owner="u12", job="j1", incident="ab12cd34")
    assert TextLines().format(made) == (
        "2026-11-21T05:00:00.123Z INFO    workbench.x incident=ab12cd34 owner=u12 job=j1: "
        "took 5 rows"
    )


def test_a_line_of_json():
    made = record("took %s rows", 5, owner="u12")
    assert json.loads(JsonLines().format(made)) == {
        "time": "2026-11-21T05:00:00.123Z",
        "level": "INFO",
        "logger": "workbench.x",
        "message": "took 5 rows",
        "owner": "u12",
    }


@given(st.text())
def test_no_text_ends_a_line_or_hides(text):
    for form in (TextLines(), JsonLines()):
        line = form.format(record("read %s", text, owner=text))
        assert len(line.splitlines()) == 1
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", line)
    fields = json.loads(line)
    assert set(fields) <= {"time", "level", "logger", "message", "owner"}


def test_a_forged_line_stays_part_of_its_message(lines):
    said = lines()
    logging.getLogger("workbench.x").info("name %s", "a\r\n2026-01-01T00:00:00.000Z ERROR x: b")
    [line] = said()
    assert line.endswith("workbench.x: name a\\x0d\\x0a2026-01-01T00:00:00.000Z ERROR x: b")


def test_addresses_are_blotted_out(lines):
    said = lines()
    logging.getLogger("workbench.x").info("from %s to adult-mlp@1", "Ann.Lee+x@mail.example.org")
    assert said()[0].endswith("from <address> to adult-mlp@1")


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_traceback_belongs_to_its_line(lines, form):
    said = lines(form)
    try:
        raise ValueError("first\nINFO second of ann@example.org")
    except ValueError:
        number = incident(logging.getLogger("workbench.x"))
    first, *rest = said()
    assert re.fullmatch(r"[0-9a-f]{8}", number)
    if form == "json":
        assert rest == []
        content = json.loads(first)
        assert (content["level"], content["incident"]) == ("ERROR", number)
        assert content["traceback"].endswith("ValueError: first\nINFO second of <address>")
    else:
        assert re.fullmatch(f"{STAMP} ERROR   workbench.x incident={number}: a defect", first)
        assert rest[0] == "    | Traceback (most recent call last):"
        assert rest[-2:] == ["    | ValueError: first", "    | INFO second of <address>"]
        assert all(line.startswith("    | ") for line in rest)


def test_configured_twice_writes_once(lines):
    said = lines()
    configure_logs()
    configure_logs()
    logging.getLogger("workbench.x").warning("once")
    assert len(said()) == 1


def test_the_level_follows_the_settings(lines, monkeypatch):
    said = lines(level="WARNING")
    log = logging.getLogger("workbench.x")
    log.info("not heard")
    monkeypatch.setenv("WORKBENCH_LOG_LEVEL", "DEBUG")
    configure_logs()
    log.debug("heard")
    assert [line.rpartition(" ")[2] for line in said()] == ["heard"]


def test_loggers_of_streamlit_write_the_same_lines(lines):
    from streamlit.logger import get_logger

    early = get_logger("streamlit.early_for_this_test")
    said = lines("json")
    late = get_logger("streamlit.late_for_this_test")
    configure_logs()
    early.error("one")
    late.error("two")
    assert [json.loads(line)["message"] for line in said()] == ["one", "two"]
    assert not early.handlers


def test_warnings_are_logged(lines):
    said = lines()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("old\nstyle", stacklevel=1)
    assert len(said()) == 1
    assert "py.warnings" in said()[0]


def test_an_owner_is_named_in_the_thread_that_speaks_for_it(lines):
    said = lines()
    log = logging.getLogger("workbench.x")

    def speak(owner):
        speak_for(owner)
        log.info("run")

    for owner in ("u1", "u2"):
        thread = threading.Thread(target=speak, args=(owner,))
        thread.start()
        thread.join()
    log.info("nobody")
    assert [" owner=u1:" in line for line in said()] == [True, False, False]
    assert [" owner=u2:" in line for line in said()] == [False, True, False]


def test_standard_error_is_the_default(capsys):
    logging.getLogger().handlers = [
        h for h in logging.getLogger().handlers if h.get_name() != "workbench"
    ]
    configure_logs()
    logging.getLogger("workbench.x").warning("here")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.endswith("WARNING workbench.x: here\n")
