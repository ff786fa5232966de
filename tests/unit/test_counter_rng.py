"""Random numbers by address: the same again, in any order, and independent."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from workbench.core.counter_rng import stream

SEEDS = st.integers(0, 2**63 - 1)
ADDRESSES = st.lists(st.integers(0, 2**32 - 1), max_size=4).map(tuple)


@given(SEEDS, ADDRESSES)
def test_the_same_address_gives_the_same_numbers(seed, address):
    np.testing.assert_array_equal(
        stream(seed, *address).random(8), stream(seed, *address).random(8)
    )


@given(SEEDS, st.lists(ADDRESSES, min_size=2, max_size=6, unique=True), st.randoms())
def test_no_stream_depends_on_what_was_drawn_before(seed, addresses, order):
    alone = {address: stream(seed, *address).integers(2**63) for address in addresses}
    assert len(set(alone.values())) == len(addresses), "two addresses share their numbers"
    shuffled = addresses[:]
    order.shuffle(shuffled)
    for address in shuffled:
        generator = stream(seed, *address)
        assert generator.integers(2**63) == alone[address]
        generator.random(order.randint(0, 50))


def test_an_address_is_not_the_seed_and_order_within_it_counts():
    first = [stream(*key).random() for key in ((1, 2), (2, 1), (1, 2, 0), (3,), (1,), (1, 0))]
    assert len(set(first)) == len(first)


def test_first_numbers_over_addresses_are_uniform_and_uncorrelated():
    first = np.array([stream(7, row).random() for row in range(4000)])
    assert stats.kstest(first, "uniform").pvalue > 1e-4
    assert abs(np.corrcoef(first[:-1], first[1:])[0, 1]) < 5 / np.sqrt(len(first))


def test_is_philox_under_numpy_s_seed_sequence():
    reference = np.random.Philox(np.random.SeedSequence(5, spawn_key=(3, 1)))
    np.testing.assert_array_equal(
        stream(5, 3, 1).random(4), np.random.Generator(reference).random(4)
    )


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="negative"):
        stream(-1)
