"""Messages between a process and its confined child: a JSON header, then raw arrays; no pickle."""

import json
import math
import struct
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

import numpy as np

PRELUDE = struct.Struct("<4sI")
MARK = b"WBP1"
MAX_HEADER_BYTES = 2**24
MAX_AXES = 8
DTYPES = frozenset({"<f8", "<f4", "<i8", "<i4", "<i2", "|i1", "|u1", "<u8", "<u4", "<u2", "|b1"})

Message = tuple[dict[str, Any], list[np.ndarray]]
Reading = Generator[memoryview, None, Message]


class WireError(Exception):
    """What came is not a message, or larger than agreed."""


def encode(body: Mapping[str, Any], arrays: Sequence[np.ndarray] = ()) -> list[memoryview]:
    """Return the buffers to write, in order.

    Raises
    ------
    WireError
        If the header is too large or an array holds anything but plain numbers.
    """
    ready = [np.asarray(array, order="C") for array in arrays]
    if odd := [a.dtype.str for a in ready if a.dtype.str not in DTYPES]:
        raise WireError(f"arrays of {odd[0]} cannot be sent")
    shapes = [[array.dtype.str, list(array.shape)] for array in ready]
    header = json.dumps({"body": dict(body), "arrays": shapes}).encode()
    if len(header) > MAX_HEADER_BYTES:
        raise WireError(f"a header of {len(header):,} bytes is too large")
    buffers = [memoryview(PRELUDE.pack(MARK, len(header)) + header)]
    return buffers + [_bytes_of(array) for array in ready if array.size]


def decode(most_bytes: int) -> Reading:
    """Yield the buffers to fill, in order, and return the message.

    Sizes are held against ``most_bytes`` before memory is taken for them.

    Raises
    ------
    WireError
        If what came is no message, or too large.
    """
    prelude = bytearray(PRELUDE.size)
    yield memoryview(prelude)
    mark, n_header = PRELUDE.unpack(prelude)
    if mark != MARK or n_header > MAX_HEADER_BYTES:
        raise WireError("what came is not a message")
    header = bytearray(n_header)
    yield memoryview(header)
    body, shapes = _parse(header)
    if sum(math.prod(shape) * dtype.itemsize for dtype, shape in shapes) > most_bytes:
        raise WireError(f"arrays of more than {most_bytes:,} bytes")
    try:
        arrays = [np.empty(shape, dtype) for dtype, shape in shapes]
    except ValueError:  # no elements, along axes that are too long all the same
        raise WireError("the header is damaged") from None
    for array in arrays:
        if array.size:
            yield _bytes_of(array)
    return body, arrays


def _bytes_of(array: np.ndarray) -> memoryview:
    return array.reshape(-1).view(np.uint8).data


def _parse(header: bytearray) -> tuple[dict[str, Any], list[tuple[np.dtype[Any], tuple[int, ...]]]]:
    try:
        content = json.loads(header)
        body, given = content["body"], content["arrays"]
        shapes = [(_dtype(dtype), _shape(shape)) for dtype, shape in given]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise WireError("the header is damaged") from None
    if not isinstance(body, dict):
        raise WireError("the header is damaged")
    return body, shapes


def _dtype(name: object) -> np.dtype[Any]:
    if not isinstance(name, str) or name not in DTYPES:
        raise ValueError(name)
    return np.dtype(name)


def _shape(shape: list[object]) -> tuple[int, ...]:
    sizes = tuple(n for n in shape if type(n) is int and 0 <= n < 2**48)
    if len(sizes) != len(shape) or len(sizes) > MAX_AXES:
        raise ValueError(shape)
    return sizes


def fill(reading: Reading, read_into: Callable[[memoryview], int]) -> Message:
    """Read a message to its end with a blocking ``read_into``.

    Raises
    ------
    EOFError
        If the other side is gone.
    """
    try:
        buffer = next(reading)
        while True:
            while buffer:
                count = read_into(buffer)
                if not count:
                    raise EOFError
                buffer = buffer[count:]
            buffer = next(reading)
    except StopIteration as end:
        message: Message = end.value
        return message
