"""Logs: one line per event, as text or JSON, that nothing from outside can forge.

Messages name jobs, models and owners by key. Who an owner is, and values of people's data, are not
logged; addresses that slip into a message are blotted out. A traceback may quote what made the
program fail, which is why it is nowhere but here.
"""

import json
import logging
import re
import secrets
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TextIO

from workbench.core.settings import settings

# Loggers that bring handlers of their own, which would write lines of another form.
OTHERS = ("streamlit", "uvicorn", "websockets")
# What a record may say besides its message, as in ``log.info("...", extra={"job": job.id})``.
FIELDS = ("incident", "owner", "job")
HANDLER = "workbench"
_OWNER: ContextVar[str] = ContextVar("owner", default="")
# Control characters, line separators, and marks that turn the direction of text around.
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")


def configure_logs(stream: TextIO | None = None) -> None:
    """Write the logs of this process as the settings say, to standard error or ``stream``.

    May be called again at any time, and is by every run of a page: it takes over loggers that
    Streamlit has made since, and follows the settings.
    """
    now = settings()
    root = logging.getLogger()
    handler = next((h for h in root.handlers if h.get_name() == HANDLER), None)
    if handler is None or stream is not None:
        if handler is not None:
            root.removeHandler(handler)
        handler = logging.StreamHandler(stream or sys.stderr)
        handler.set_name(HANDLER)
        root.addHandler(handler)
    handler.setFormatter(JsonLines() if now.log_format == "json" else TextLines())
    root.setLevel(now.log_level)
    for logger in _others():
        for own in tuple(logger.handlers):
            logger.removeHandler(own)
        logger.propagate = True
        logger.setLevel(logging.NOTSET)
    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)  # a line for every file served
    logging.captureWarnings(True)


def speak_for(owner: str) -> None:
    """Name the owner in what this thread logs from now on."""
    _OWNER.set(owner)


def incident(log: logging.Logger, message: str = "a defect") -> str:
    """Log the exception that is being handled, and return the number to show instead of it."""
    number = secrets.token_hex(4)
    log.exception("%s", message, extra={"incident": number})
    return number


class TextLines(logging.Formatter):
    """A line for people: time, level, logger, fields, message; a traceback is indented below."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields = "".join(f" {name}={value}" for name, value in _fields(record).items())
        line = (
            f"{_time(record)} {record.levelname:<7} {_clean(record.name)}{fields}: "
            f"{_clean(record.getMessage())}"
        )
        traceback = _traceback(self, record)
        return "\n".join([line, *(f"    | {_clean(part)}" for part in traceback.splitlines())])


class JsonLines(logging.Formatter):
    """One JSON object per line, in ASCII."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        content = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": _blot(record.getMessage()),
            **_fields(record),
        }
        if traceback := _traceback(self, record):
            content["traceback"] = traceback
        return json.dumps(content, ensure_ascii=True)


def _others() -> list[logging.Logger]:
    known = logging.Logger.manager.loggerDict
    return [
        logger
        for name, logger in known.items()
        if isinstance(logger, logging.Logger) and name.partition(".")[0] in OTHERS
    ]


def _time(record: logging.LogRecord) -> str:
    time = datetime.fromtimestamp(record.created, UTC)
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03d}Z"


def _fields(record: logging.LogRecord) -> dict[str, str]:
    given = {name: getattr(record, name, "") for name in FIELDS}
    given["owner"] = given["owner"] or _OWNER.get()
    return {name: _clean(str(value)).replace(" ", "_") for name, value in given.items() if value}


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    if not record.exc_info or record.exc_info[0] is None:
        return ""
    return _blot(formatter.formatException(record.exc_info))


def _clean(text: str) -> str:
    r"""Write what could end a line, or hide in one, as escapes.

    Examples
    --------
    >>> print(_clean("sales\n2026-01-01T00:00:00.000Z INFO forged"))
    sales\x0a2026-01-01T00:00:00.000Z INFO forged
    """
    return _UNSEEN.sub(lambda match: _escape(match[0]), _blot(text))


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def _blot(text: str) -> str:
    return _ADDRESS.sub("<address>", text)
