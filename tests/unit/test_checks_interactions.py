"""Each check of interactions on results that must pass and others that must not."""

from dataclasses import replace

import numpy as np
import pytest

from tests.attributions import build
from tests.interactions import one_row, pairs_of, several_rows
from workbench.checks import CHECKS, run_checks


def outcome(code, result):
    return CHECKS[code](result)


@pytest.mark.parametrize(
    ("dtype", "gap", "status"),
    [("float32", 9e-6, "ok"), ("float32", 1e-4, "warning"), ("float32", 0.05, "failure"),
     ("float64", 9e-6, "failure")],
)  # fmt: skip
@pytest.mark.parametrize("index", ["k-SII", "STII", "FSII"])
def test_gap(dtype, gap, status, index):
    result = one_row(index=index)
    record = result.provenance.model_copy(update={"dtype": dtype})
    found = outcome(
        "WB009", replace(result, provenance=record, predictions=result.predictions + gap)
    )
    assert found.status == status
    assert found.evidence["max_gap"] == pytest.approx(gap)


def test_gap_sentences():
    assert outcome("WB009", one_row()).sentence.startswith(
        "Single effects, pairs and base value add up to the prediction; largest gap "
    )
    for index in ("SII", "Banzhaf"):
        found = outcome("WB009", one_row(index=index))
        assert found.status == "not_applicable"
        assert found.sentence == f"{index} is not meant to add up to the prediction."


def test_background_compares_a_typical_error_with_the_strongest_pair():
    errors = np.zeros((5, 5, 2))
    errors[0, 1] = errors[1, 0] = 0.01  # one of ten pairs
    errors[range(5), range(5)] = 9.0  # single features are not asked
    found = outcome("WB010", replace(one_row(errors=0.1), background_std_errors=errors))
    assert found.evidence["ratio"] == pytest.approx(0.01 / np.sqrt(10) / 0.05)
    assert found.status == "ok"
    assert found.sentence == (
        "Stable: another draw of 100 background rows moves a pair by about 0.0032, 6.3 % of the "
        "strongest."
    )
    unstable = outcome("WB010", one_row(errors=0.02))
    assert (unstable.status, unstable.evidence["ratio"]) == ("warning", pytest.approx(0.4))
    assert unstable.sentence.endswith("40 % of the strongest; use more rows.")


def test_background_says_what_it_cannot_tell():
    few = one_row().provenance.model_copy(update={"n_background": 5})
    assert outcome("WB010", replace(one_row(), provenance=few)).sentence == (
        "The background has 5 rows; use at least 20."
    )
    assert outcome("WB010", one_row()).status == "not_applicable"
    assert "no pair" in outcome("WB010", pairs_of(build([[0.3]]), {}, errors=0.1)).sentence


def test_range_names_the_row():
    data = several_rows().data.copy()
    data[3, 0] = 200.0
    found = outcome("WB011", replace(several_rows(), data=data))
    assert found.status == "warning"
    assert "1 of 12 rows (first: row 37)" in found.sentence


def test_no_rows_have_nothing_to_check():
    found = run_checks(several_rows()[[]])
    assert [check.code for check in found] == ["WB009", "WB010", "WB011"]
    assert {check.status for check in found} == {"not_applicable"}
