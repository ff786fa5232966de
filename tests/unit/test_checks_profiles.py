"""Each check of profiles on functions that it must pass, and on others that it must not."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.profiles import numbers, profiles_of, some_profiles
from workbench.checks import CHECKS


def outcome(code, result):
    return CHECKS[code](result)


def rare_end(share):
    """Rows of which all but a share lie in the first tenth of the first number's range."""
    table = numbers(n=1000)
    X = table.X.clone()
    X[:, 0] = torch.linspace(0, 1, 1000)
    X[: int(share * 1000), 0] = torch.linspace(1, 10, int(share * 1000))
    return replace(table, X=X)


def add(x):
    return x[:, 0] + 0.5 * x[:, 1]


def multiply(x):
    return x[:, 0] * x[:, 1]


def test_curves_of_a_sum_agree_even_where_features_depend_on_each_other():
    found = outcome("WB042", profiles_of(add, correlation=0.9))
    assert found.status == "ok"
    assert found.evidence == {"apart": 0.0, "features": 0.0}


def test_curves_of_a_product_part_where_features_depend_on_each_other():
    found = outcome("WB042", profiles_of(multiply, correlation=0.9))
    assert found.status == "warning"
    # The mean curve is flat and the effects are a parabola.
    assert found.evidence["apart"] == pytest.approx(1, abs=0.15)
    assert found.evidence["features"] == 2
    assert "part for x0, x1" in found.sentence or "part for x1, x0" in found.sentence


def test_noise_of_effects_is_no_distance():
    result = profiles_of(multiply, correlation=0.9)
    unsure = replace(result, effect_errors=np.ones_like(result.effect_errors))
    assert outcome("WB042", unsure).status == "ok"


def test_opposite_effects_cancel():
    found = outcome("WB043", profiles_of(multiply))
    assert found.status == "warning"
    assert found.evidence["cancelled"] > 0.8
    assert found.sentence.startswith("The mean curve hides what single rows do with x")


@pytest.mark.parametrize(
    "formula", [add, lambda x: x[:, 0] * x[:, 1].exp(), lambda x: torch.sigmoid(5 * add(x))]
)
def test_rows_that_go_the_same_way_cancel_nothing(formula):
    found = outcome("WB043", profiles_of(formula, features="x0"))
    assert found.status == "ok"
    assert found.evidence["cancelled"] < 0.1


def test_a_quarter_that_goes_the_other_way_cancels_half():
    table = numbers()
    signs = np.where(np.arange(400) % 4 == 0, -1.0, 1.0)
    table = replace(table, X=torch.stack([table.X[:, 0], torch.from_numpy(signs)], 1))
    found = outcome("WB043", profiles_of(multiply, table=table, features="x0", curves=400))
    assert found.evidence["cancelled"] == pytest.approx(0.5)


def test_few_curves_tell_nothing_about_rows():
    found = outcome("WB043", profiles_of(add, curves=19))
    assert found.status == "not_applicable"
    assert found.sentence.startswith("19 single curves do not tell")


@pytest.mark.parametrize(("share", "status"), [(0.01, "warning"), (0.3, "ok")])
def test_a_range_that_hardly_any_row_is_in(share, status):
    found = outcome("WB044", profiles_of(add, table=rare_end(share), points=40))
    assert found.status == status
    assert (found.evidence["empty"] > 0.8) == (status == "warning")


def test_a_feature_that_moves_nothing_is_not_spoken_of():
    table = rare_end(0.01)
    second = profiles_of(lambda x: x[:, 1] + 0.001 * x[:, 0], table=table, points=40)
    assert outcome("WB044", second).status == "ok"
    for code in ("WB042", "WB043", "WB044"):
        still = outcome(code, profiles_of(lambda x: 0 * x[:, 0], table=table))
        assert (still.status, still.evidence["features"]) == ("ok", 0)


def test_categories_alone_have_no_order():
    only = some_profiles(features="c1", curves=60)
    for code in ("WB042", "WB044"):
        assert outcome(code, only).status == "not_applicable"
