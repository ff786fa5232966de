"""How far two models agree, against counts by hand."""

import numpy as np
import pytest

from tests.networks import tiny_model, tiny_table
from workbench.core.errors import InvalidInputError
from workbench.engines.performance.agreement import agreement
from workbench.numerics.intervals import wilson
from workbench.plots.agreement import agreement_figure


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_the_share_is_that_of_rows_with_the_same_class(task):
    table = tiny_table(task=task)
    one, other = tiny_model(table, seed=1), tiny_model(table, seed=2)
    found = agreement(one, other, table)
    classes = [model.predict(table.X).argmax(1).tolist() for model in (one, other)]
    same = [a == b for a, b in zip(*classes, strict=True)]
    assert 0 < sum(same) < len(same)
    assert found.share == pytest.approx(sum(same) / len(same))
    assert (found.low, found.high) == wilson(sum(same), len(same))
    assert found.same.tolist() == same


def test_values_of_a_regression_agree_within_a_share_of_their_spread():
    table = tiny_table(task="regression")
    one, other = tiny_model(table, seed=1), tiny_model(table, seed=2)
    found = agreement(one, other, table)
    values = [model.predict(table.X)[:, 0].numpy() for model in (one, other)]
    close = np.abs(values[0] - values[1]) < 0.05 * values[0].std()
    assert found.same.tolist() == close.tolist()


def test_a_model_agrees_with_itself():
    table = tiny_table()
    model = tiny_model(table)
    found = agreement(model, model, table)
    assert found.share == 1
    assert len(agreement_figure(found).data) == 2


def test_models_of_other_features_are_not_compared():
    narrow, wide = tiny_table(d=4), tiny_table(d=5)
    with pytest.raises(InvalidInputError, match="read different features, so no row can be given"):
        agreement(tiny_model(narrow), tiny_model(wide), narrow)


def test_each_row_is_drawn_where_both_models_put_it():
    table = tiny_table()
    found = agreement(tiny_model(table, seed=1), tiny_model(table, seed=2), table)
    drawn = agreement_figure(found, dark=True).data[1:]
    points = {id_: (x, y) for trace in drawn
              for id_, x, y in zip(trace.customdata, trace.x, trace.y, strict=True)}  # fmt: skip
    assert points == {
        id_: (x, y) for id_, x, y in zip(found.ids, found.first, found.second, strict=True)
    }
