"""Characters that would steer the text around them, made visible."""

import re

# Embeddings, overrides and isolates of writing direction, and control characters but line ends
# and tabs: a name that holds one could turn, hide or reorder what stands beside it.
_STEERING = re.compile("[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# The same as JSON writes them.
_ESCAPED = re.compile(r"(?<!\\)((?:\\\\)*)\\u(202[a-e]|206[6-9]|00[01][0-9a-f]|007f)")


def visible(text: str) -> str:
    r"""Replace each steering character by its number in brackets.

    Examples
    --------
    >>> visible("abc\u202edef"), visible("two\nlines")
    ('abc[U+202E]def', 'two\nlines')
    """
    return _STEERING.sub(lambda found: f"[U+{ord(found[0]):04X}]", text)


def visible_json(text: str) -> str:
    r"""Do the same to the strings in a JSON text, however they are written.

    Examples
    --------
    >>> visible_json('{"a": "\\u202e", "b": "\\\\u202e"}')
    '{"a": "[U+202E]", "b": "\\\\u202e"}'
    """
    named = _ESCAPED.sub(lambda found: f"{found[1]}[U+{found[2].upper()}]", text)
    return visible(named)
