"""Messages arrive as they were sent, and what is no message is refused, whatever it is."""

import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from workbench.isolation import wire
from workbench.isolation.wire import PRELUDE, WireError, decode, encode, fill

DTYPES = st.sampled_from(sorted(wire.DTYPES))
ARRAYS = arrays_of.arrays(DTYPES, arrays_of.array_shapes(min_dims=0, max_dims=3, min_side=0))
BODIES = st.dictionaries(st.text(), st.none() | st.integers() | st.text() | st.lists(st.booleans()))


def read(content, most_bytes=10_000):
    return fill(decode(most_bytes), io.BytesIO(content).readinto)


def sent(header, rest=b"", mark=wire.MARK):
    content = header if isinstance(header, bytes) else json.dumps(header).encode()
    return PRELUDE.pack(mark, len(content)) + content + rest


@given(BODIES, st.lists(ARRAYS, max_size=3))
def test_what_is_sent_arrives(body, arrays):
    got, found = read(b"".join(encode(body, arrays)), 10**6)
    assert got == body
    for before, after in zip(arrays, found, strict=True):
        assert (before.dtype, before.shape) == (after.dtype, after.shape)
        assert before.tobytes() == after.tobytes()


@given(st.binary(max_size=200))
def test_any_other_bytes_are_refused_with_one_of_two_faults(content):
    for bytes_ in (content, sent(content), sent({"body": {}, "arrays": []})[:-1] + content[:0]):
        with pytest.raises((WireError, EOFError)):
            read(bytes_)


@pytest.mark.parametrize(
    "header",
    [
        [], {"body": {}}, {"body": [], "arrays": []}, {"body": {}, "arrays": [["<f8"]]},
        {"body": {}, "arrays": [["|O", [1]]]}, {"body": {}, "arrays": [["<U4", [1]]]},
        {"body": {}, "arrays": [["<f8", [-1]]]}, {"body": {}, "arrays": [["<f8", [True]]]},
        {"body": {}, "arrays": [["<f8", [1.5]]]}, {"body": {}, "arrays": [["<f8", [1] * 9]]},
        {"body": {}, "arrays": [[["<f8"], [1]]]}, {"body": {}, "arrays": [["<f8", 3]]},
        {"body": {}, "arrays": [["<f8", [2**60]]]}, {"body": {}, "arrays": [["<f8", [2**47, 2]]]},
        {"body": {}, "arrays": [["<f8", [0, 2**47, 2**47]]]}, b"[" * 100_000, b"1" * 5000,
    ],
)  # fmt: skip
def test_headers_that_promise_what_is_not_agreed_are_refused(header):
    with pytest.raises(WireError):
        read(sent(header, b"x" * 100))


def test_a_message_may_be_as_large_as_agreed_and_no_larger():
    content = b"".join(encode({}, [np.zeros(10), np.zeros(5, dtype=np.float32)]))
    assert len(read(content, 100)[1]) == 2
    with pytest.raises(WireError, match="arrays of more than 99 bytes"):
        read(content, 99)
    with pytest.raises(WireError, match="what came is not a message"):
        read(PRELUDE.pack(wire.MARK, wire.MAX_HEADER_BYTES + 1))
    with pytest.raises(WireError, match="what came is not a message"):
        read(sent({"body": {}, "arrays": []}, mark=b"WBP0"))


@pytest.mark.parametrize("array", [np.array(["a"]), np.array([None]), np.array([1j])])
def test_nothing_but_plain_numbers_is_sent(array):
    with pytest.raises(WireError, match="cannot be sent"):
        encode({}, [array])
