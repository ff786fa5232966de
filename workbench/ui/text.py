"""Text for the place where it is shown: what a user wrote means itself there."""

import html
import re

from workbench.report.visible import visible

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~$:&^=])")
_LIVE = re.compile(r"(:(?=[a-z_/])|\bwww(?=\.))", re.IGNORECASE)
WORD_JOINER = "\N{WORD JOINER}"


def plain(text: str) -> str:
    r"""Escape text for Markdown, so that it is shown as it is.

    Icons such as ``:name:`` and bare links are found after the Markdown is read, when a backslash
    is gone already; an invisible joiner keeps them text. What would turn the text around it is
    written as its number.

    Examples
    --------
    >>> plain("<=50K *")
    '\\<\\=50K \\*'
    >>> plain("a\u202eb")
    'a\\[U\\+202E\\]b'
    """
    line = " ".join(_LIVE.sub(rf"\1{WORD_JOINER}", visible(text)).split())
    return _MARKDOWN.sub(r"\\\1", line)


def markup(text: str) -> str:
    """Escape text for ``st.html``, between tags and in attributes.

    Examples
    --------
    >>> markup('<b title="x">')
    '&lt;b title=&quot;x&quot;&gt;'
    """
    return html.escape(visible(text))


def duration(seconds: float) -> str:
    """Write a time as a person says it, with two significant digits at most.

    Examples
    --------
    >>> duration(0.0312), duration(8.4), duration(75), duration(7300)
    ('0.03 s', '8 s', '1 min', '2 h')
    >>> duration(86_400), duration(200_000)
    ('1 day', '2 days')
    """
    if seconds < 0.01:
        return "0.01 s"
    if seconds < 1:
        return f"{float(f'{seconds:.1g}'):g} s"
    if seconds >= 86_400:
        days = round(seconds / 86_400)
        return f"{days:,} day{'s' * (days != 1)}"
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:.0f} s"


def size(n_bytes: int) -> str:
    """Write a number of bytes.

    Examples
    --------
    >>> size(900), size(21_000_000)
    ('1 kB', '21 MB')
    """
    for unit, name in ((10**9, "GB"), (10**6, "MB")):
        if n_bytes >= unit:
            return f"{n_bytes / unit:,.0f} {name}"
    return f"{max(1, round(n_bytes / 1000)):,} kB"
