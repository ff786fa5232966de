"""Notes on which rows a number is about and how they count."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from fairlearn.metrics import demographic_parity_difference, demographic_parity_ratio

from tests.fairness_fronts import QUICK, grouped_table
from tests.networks import tiny_model
from workbench import api
from workbench.core.fairness_metrics import RATES
from workbench.engines.rows_told import counted_alike, gap_by_weight, which_rows
from workbench.plots.words import counting_sentence

TABLE = grouped_table()


def weighted(table):
    weights = torch.from_numpy(np.random.default_rng(1).uniform(0.1, 5.0, len(table)))
    schema = table.schema.model_copy(update={"weight": "stands_for"})
    return replace(table, schema=schema, weights=weights)


def test_says_which_rows_and_how_they_were_drawn():
    assert which_rows(TABLE, TABLE) == "reported on: all 300 rows of tiny"
    told = which_rows(TABLE.split("test"), TABLE)
    assert told.startswith("reported on: the 60 test rows of 300 (20 %), drawn once with seed 0")
    first = which_rows(TABLE.split("test")[:5], TABLE)
    assert first == (
        "reported on: 5 rows of tiny/test, chosen by their place or by a group; the table has 300"
    )


def test_a_gap_by_weights_is_that_of_fairlearn():
    rows = weighted(TABLE)
    said = rows.X[:, 0].numpy() > 0
    truth, group = rows.y.numpy(), rows.X[:, 1].numpy().astype(np.int64)
    enough = np.ones((len(RATES), group.max() + 1), dtype=bool)
    own = {"sensitive_features": group, "sample_weight": rows.weights.numpy()}
    points = 100 * demographic_parity_difference(truth, said, **own)
    told = gap_by_weight(rows, said, truth, group, enough, "selection_rate_difference")
    assert (
        told == f"the statistical parity difference of the given model would be {points:.1f} points"
    )
    ratio = demographic_parity_ratio(truth, said, **own)
    told = gap_by_weight(rows, said, truth, group, enough, "selection_rate_ratio")
    assert told.endswith(f"would be {ratio:.2f}")
    assert gap_by_weight(TABLE, said, truth, group, enough, "selection_rate_ratio") == ""
    nobody = replace(rows, weights=torch.zeros(len(rows)))
    assert gap_by_weight(nobody, said, truth, group, enough, "selection_rate_ratio") == ""


def test_names_the_column_of_the_weights_and_says_nothing_without_weights():
    assert counted_alike(TABLE) == ()
    (note,) = counted_alike(weighted(TABLE), "x would be 1")
    assert note.startswith("every row counts alike: the sampling weights (stands_for) are not used")
    assert note.endswith("; by them x would be 1")


def _flips(model, table):
    return api.flips(model, table, by="c1")


def _front(model, table):
    return api.fairness_front(model, table, by="c1", **QUICK)


def _causes(model, table):
    return api.gap_causes(model, table, table[:50], by="c1")


def _remedies(model, table):
    return api.remedies(
        model, table, by="c1", remedies="group_thresholds", refits=0, resamples=200, least_rows=1
    )


@pytest.mark.parametrize("ask", [_flips, _front, _causes, _remedies])
def test_every_view_that_counts_rows_alike_says_so_and_what_weights_would_make(ask):
    model = tiny_model(TABLE, dtype=torch.float32)
    assert counting_sentence(ask(model, TABLE)) == ""
    said = counting_sentence(ask(model, weighted(TABLE)))
    assert said.startswith("Every row counts alike: the sampling weights (stands_for) are not used")
    assert "; by them " in said


def test_of_flips_and_causes_the_numbers_by_weights_are_those_of_their_definition():
    table, model = weighted(TABLE), tiny_model(TABLE, dtype=torch.float32)
    found = _flips(model, table)
    flips = (found.decided != found.own_decided[:, None]).any(1)
    share = 100 * np.average(flips, weights=table.weights.numpy())
    assert f"by them {share:.1f} % would be decided otherwise" in counting_sentence(found)
    causes = _causes(model, table)
    score = model.predict(table.X)[:, model.output_names.index("yes")].numpy()
    own, other = (
        np.average(score[at], weights=table.weights.numpy()[at])
        for at in (
            table.X[:, 1].numpy() == table.schema.features[1].categories.index(
                name.rpartition(" ")[2])
            for name in causes.pairs[0]
        )
    )  # fmt: skip
    told = f"{100 * (own - other):+.1f} points".replace("-", "\N{MINUS SIGN}")
    assert f" explained would be {told}" in counting_sentence(causes)


def test_an_audit_says_that_rows_count_by_their_weights():
    table, model = weighted(TABLE), tiny_model(TABLE, dtype=torch.float32)
    said = counting_sentence(api.audit(model, table, by="c1", resamples=200))
    assert said.startswith("Rows count by column 'stands_for'")
