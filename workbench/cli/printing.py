"""The only way to the terminal: what came from a file cannot steer it."""

import json
import re
import sys

import click

# Control characters but line ends and tabs; marks that turn or part lines; halves of letters, as
# in names of files that are no text. Titles, names and cells hold them where somebody wishes to
# hide, reorder or overwrite what is printed.
_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def harmless(text: str) -> str:
    r"""Write each steering character by its number, as JSON does: JSON stays the same JSON.

    Examples
    --------
    >>> print(harmless("a\x1b[31mb\u202e"))
    a\u001b[31mb\u202e
    """
    return _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def echo(text: str, *, err: bool = False) -> None:
    """Print a text and a line end to standard output, or to standard error.

    Letters that the terminal or file has no code for are written by their numbers.
    """
    stream = sys.stderr if err else sys.stdout
    click.echo(_known_to(getattr(stream, "encoding", None) or "utf-8", harmless(text)), err=err)  # noqa: TID251


def _known_to(encoding: str, text: str) -> str:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        # ASCII is a part of every encoding that a terminal has.
        return "".join(c if c.isascii() else _known(encoding, c) for c in text)
    return text


def _known(encoding: str, letter: str) -> str:
    try:
        letter.encode(encoding)
    except UnicodeEncodeError:
        return json.dumps(letter)[1:-1]
    return letter
