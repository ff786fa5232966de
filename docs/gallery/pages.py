"""Where the pages of the gallery are, and what their blocks are."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
# A block of code, with the output and the picture that may follow it.
BLOCK = re.compile(
    r"^```python\n(?P<code>.*?)^```\n(?:\n```text\n(?P<output>.*?)^```\n)?(?:\n!\[[^\n]*\n)?",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """Code of a page, what it shows, and the figure that it makes."""

    code: str
    output: str
    figure: Any = None


def pages() -> list[Path]:
    """Return the pages, by name."""
    return sorted(page for page in HERE.glob("*.md") if page.stem != "index")


def page_of(name: str) -> Path:
    """Return the page of this name."""
    return HERE / f"{name}.md"


def blocks(page: Path) -> list[Block]:
    """Return the blocks of a page as it stands."""
    found = BLOCK.finditer(page.read_text(encoding="utf-8"))
    return [Block(block["code"], block["output"] or "") for block in found]
