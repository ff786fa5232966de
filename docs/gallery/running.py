"""Run the code of a page block by block, as a notebook does."""

import ast
import contextlib
import io
import os
import re
import shutil
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from docs.gallery.pages import BLOCK, HERE, Block, blocks

EXAMPLES = HERE.parent / "examples"
WIDTH = 96
ROUNDING = 1e-9  # numbers as small are what rounding left, and differ between machines
VIEW = re.compile(r'render\(\w+, "(\w+)"')
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:[.,]\d+)*(?:e[+-]?\d+)?")


@contextlib.contextmanager
def in_a_new_folder() -> Iterator[None]:
    """Work in a folder with the example files alone and an empty home, as who starts does."""
    before, home, path = Path.cwd(), os.environ.get("WORKBENCH_HOME"), list(sys.path)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(EXAMPLES, Path(folder) / "docs" / "examples")
        os.chdir(folder)
        os.environ["WORKBENCH_HOME"] = str(Path(folder) / "home")
        sys.path.insert(0, folder)
        try:
            yield
        finally:
            os.chdir(before)
            sys.path[:] = path
            os.environ.pop("WORKBENCH_HOME")
            if home is not None:
                os.environ["WORKBENCH_HOME"] = home


def run(page: Path) -> list[Block]:
    """Run the blocks of a page in one namespace; a name ``figure`` is what a block draws."""
    namespace: dict[str, Any] = {"__name__": page.stem}
    done = []
    for block in blocks(page):
        namespace.pop("figure", None)
        output = _run(block.code, str(page), namespace)
        done.append(Block(block.code, output, namespace.get("figure")))
    return done


def _run(code: str, name: str, namespace: dict[str, Any]) -> str:
    """Return what a block prints, and below it what its last line is."""
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(tree, name, "exec"), namespace)  # noqa: S102 - a page of ours
        value = None
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), name, "eval"), namespace)  # noqa: S307
    text = _shown(printed.getvalue()) + _shown(value)
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def _shown(value: Any) -> str:
    """Write a value down: texts in lines of a readable width, tables as pandas prints them."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return "".join(map(_shown, value))
    if isinstance(value, str):
        lines = [textwrap.wrap(line, WIDTH) for line in value.splitlines()]
        return "".join(f"{line}\n" for part in lines for line in part)
    with pd.option_context("display.precision", 3, "display.width", WIDTH):
        return f"{value!r}\n"


def written(page: Path, done: list[Block]) -> str:
    """Return the text of a page with these outputs and pictures in it."""
    parts = iter(enumerate(done, start=1))

    def block(_: re.Match[str]) -> str:
        number, one = next(parts)
        text = f"```python\n{one.code}```\n"
        if one.output:
            text += f"\n```text\n{one.output}```\n"
        if one.figure is not None:
            view = VIEW.search(one.code)
            text += f"\n![Figure: {view[1] if view else page.stem}]({page.stem}_{number}.png)\n"
        return text

    return BLOCK.sub(block, page.read_text(encoding="utf-8"))


def differences(shown: str, found: str) -> list[str]:
    """Return where two outputs differ: in words, or in numbers beyond the last printed digit."""
    if NUMBER.sub("#", shown).split() != NUMBER.sub("#", found).split():
        return [f"shown: {shown}", f"found: {found}"]
    pairs = zip(NUMBER.findall(shown), NUMBER.findall(found), strict=True)
    return [f"{one} is {other}" for one, other in pairs if not _same(one, other)]


def _same(one: str, other: str) -> bool:
    mantissa, _, power = one.replace(",", "").partition("e")
    unit = 10.0 ** (int(power or 0) - len(mantissa.partition(".")[2]))
    a, b = (float(text.replace(",", "")) for text in (one, other))
    return abs(a - b) <= 1.01 * unit or max(abs(a), abs(b)) < ROUNDING
