"""Fast transforms against their sums over subsets and supersets, written out."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.errors import InvalidInputError
from workbench.numerics.set_transforms import moebius_, superset_sums_


def tables(n, d, k, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, 2**d, k, generator=generator, dtype=torch.float64)


def moebius_by_definition(table):
    out = torch.zeros_like(table)
    for T in range(table.shape[1]):
        for S in range(table.shape[1]):
            if S & T == S:
                out[:, T] += (-1) ** ((S ^ T).bit_count()) * table[:, S]
    return out


def superset_sums_by_definition(table):
    out = torch.zeros_like(table)
    for S in range(table.shape[1]):
        for T in range(table.shape[1]):
            if S & T == S:
                out[:, S] += table[:, T]
    return out


@given(st.integers(1, 3), st.integers(0, 6), st.integers(1, 3), st.integers(0, 2**16))
def test_equal_their_definitions(n, d, k, seed):
    table = tables(n, d, k, seed)
    torch.testing.assert_close(moebius_(table.clone()), moebius_by_definition(table))
    torch.testing.assert_close(superset_sums_(table.clone()), superset_sums_by_definition(table))


def test_sums_of_what_subsets_add_give_the_value_back():
    table = tables(2, 7, 3)
    added = moebius_(table.clone())
    for S in (0, 1, 37, 127):
        parts = [T for T in range(128) if T & S == T]
        torch.testing.assert_close(added[:, parts].sum(1), table[:, S])


def test_work_in_place():
    table = tables(2, 4, 1)
    assert moebius_(table) is table
    assert superset_sums_(table) is table


def test_rounding_stays_small_for_the_largest_table():
    table = tables(1, 16, 2)
    added = moebius_(table.clone())
    assert float((added[:, -1] - _alternating(table)).abs().max()) < 1e-10


def _alternating(table):
    signs = [(-1.0) ** S.bit_count() for S in range(table.shape[1])]
    return (table * torch.tensor(signs, dtype=torch.float64)[:, None]).sum(1)


@pytest.mark.parametrize("m", [0, 3, 12])
def test_refuse_what_is_no_table_of_all_coalitions(m):
    for transform in (moebius_, superset_sums_):
        with pytest.raises(InvalidInputError, match=r"needs a contiguous table of 2\^d coalitions"):
            transform(torch.zeros(2, m, 1))


def test_refuse_a_table_that_is_not_contiguous():
    with pytest.raises(InvalidInputError, match=r"pass table\.contiguous\(\)"):
        moebius_(torch.zeros(1, 3, 8).transpose(1, 2))
