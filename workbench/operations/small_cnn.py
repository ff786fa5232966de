"""A small convolutional network as the steps of a graph."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from workbench.core.card import Architecture


def small_cnn(side: int, channels: tuple[int, ...], n_outputs: int) -> Architecture:
    """Describe convolutions with ReLU, each halving a square image, and a linear layer after them.

    Parameters
    ----------
    side
        Pixels along an edge of the image; what networks read is all of its pixels in a row.
    channels
        Of each convolution.
    """
    return Architecture(
        name="graph", arguments={"nodes": tuple(_steps(side, channels, n_outputs))}
    )  # fmt: skip


def _steps(side: int, channels: tuple[int, ...], n_outputs: int) -> Iterator[dict[str, Any]]:
    yield {"name": "pixels", "op": "input"}
    yield _function("image", "reshape", "pixels", -1, 1, side, side)
    before = "image"
    for i, (a, b) in enumerate(pairwise((1, *channels)), 1):
        sizes = {"in_channels": a, "out_channels": b, "kernel_size": (3, 3), "padding": (1, 1)}
        yield _layer(f"convolved_{i}", "Conv2d", before, sizes)
        yield _layer(f"bent_{i}", "ReLU", f"convolved_{i}", {})
        before = f"pooled_{i}"
        yield _layer(before, "MaxPool2d", f"bent_{i}", {"kernel_size": 2})
        side //= 2
    yield _function("flat", "flatten", before, 1)
    sizes = {"in_features": channels[-1] * side**2, "out_features": n_outputs}
    yield _layer("scores", "Linear", "flat", sizes)


def _layer(name: str, kind: str, before: str, settings: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name, "op": "layer", "target": kind, "path": name, "settings": settings,
        "args": [{"node": before}],
    }  # fmt: skip


def _function(name: str, target: str, before: str, *arguments: int) -> dict[str, Any]:
    return {
        "name": name,
        "op": "function",
        "target": target,
        "args": [{"node": before}, *arguments],
    }
