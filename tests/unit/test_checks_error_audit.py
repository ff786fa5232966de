"""Checks of audits of errors, on audits that are made up."""

from dataclasses import replace

import numpy as np
import pytest

from tests.error_audits import some_errors, told_errors
from workbench.checks import run_checks
from workbench.checks.error_audit import beyond_the_floor, tiny_groups, unknown_measures
from workbench.core.error_audit import MEASURES

M = list(MEASURES)


def test_an_audit_of_errors_is_asked_all_three():
    codes = [outcome.code for outcome in run_checks(some_errors())]
    assert codes == ["WB065", "WB066", "WB067"]


@pytest.mark.parametrize(("rows", "status"), [(19, "warning"), (20, "ok")])
def test_twenty_rows_are_enough(rows, status):
    audit = told_errors()
    sizes = audit.sizes.copy()
    sizes[1] = rows
    found = tiny_groups(replace(audit, sizes=sizes))
    assert found.status == status
    assert (audit.group_names[1] in found.sentence) == (status == "warning")


def test_only_gaps_of_errors_count_against_chance():
    audit = told_errors()
    assert beyond_the_floor(audit).evidence["gaps"] == 4.0
    chances, adjusted = audit.chances.copy(), np.full_like(audit.adjusted, 0.5)
    adjusted[M.index("mean_truth")] = 0.001
    none = beyond_the_floor(replace(audit, chances=np.full_like(chances, 0.5), adjusted=adjusted))
    assert none.status == "warning", "a gap of the target is none of the model's errors"
    assert "4 of 4 gaps of errors are not beyond" in none.sentence
    alone = beyond_the_floor(replace(audit, adjusted=adjusted))
    assert "4 of them would pass if looked at alone" in alone.sentence
    nobody = np.full_like(chances, np.nan)
    found = beyond_the_floor(replace(audit, chances=nobody, adjusted=nobody))
    assert found.status == "not_applicable"


def test_groups_without_rows_and_without_an_interval_are_named():
    audit = told_errors()
    sizes, values = audit.sizes.copy(), audit.values.copy()
    sizes[0], values[:, 1, 1:] = 0, np.nan
    found = unknown_measures(replace(audit, sizes=sizes, values=values))
    assert found.status == "warning"
    assert f"1 group with no rows ({audit.group_names[0]!r})" in found.sentence
    assert f"too few rows for an interval ({audit.group_names[1]!r})" in found.sentence
    assert unknown_measures(audit).status == "ok"
