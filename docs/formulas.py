"""Formulas of docstrings as MathML, which browsers draw themselves: nothing is loaded for them."""

import re
from typing import Any

from docutils import nodes
from docutils.utils.math import latex2mathml

# Sizes of brackets, which docutils does not know; MathML stretches brackets by itself.
SIZES = re.compile(r"\\[bB]igg?[lrm]?(?![a-zA-Z])")


def connect(app: Any) -> None:
    """Offer Sphinx the renderer ``mathml``."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))


def visit_inline(writer: Any, node: nodes.Node) -> None:
    """Write a formula within a line."""
    writer.body.append(latex2mathml.tex2mathml(SIZES.sub("", node.astext()), as_block=False))
    raise nodes.SkipNode


def visit_block(writer: Any, node: nodes.Node) -> None:
    """Write a formula on lines of its own."""
    text = SIZES.sub("", node.astext()).strip()
    if "&" in text or "\\\\" in text:
        text = rf"\begin{{aligned}}{text}\end{{aligned}}"
    writer.body.append(f"<div class='math'>{latex2mathml.tex2mathml(text, as_block=True)}</div>")
    raise nodes.SkipNode
