"""A chance that no draw reached is told as what it is below."""

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.error_audits import some_errors
from tests.fairness_audits import audit_of
from tests.fairness_fronts import grouped_table
from tests.networks import tiny_model
from workbench import api
from workbench.core.fairness_metrics import GAPS
from workbench.numerics.least_chance import is_least, least_chance
from workbench.plots.error_audit import errors_sentence
from workbench.plots.fairness_words import chance_sentence, verdict
from workbench.report.error_audit import error_audit_section


@pytest.fixture(scope="module")
def audit():
    return api.audit(tiny_model(grouped_table()), grouped_table(pull=4.0), by="c1", resamples=700)


def test_it_is_one_draw_of_all_and_of_itself(audit):
    """Of 700 draws a gap that none reaches has 1 / 701, and nothing lies below."""
    assert least_chance(audit) == pytest.approx(1 / 701)
    known = audit.chances[np.isfinite(audit.chances)]
    assert known.min() >= least_chance(audit) * (1 - 1e-9)
    errors = some_errors()
    many = errors.chances.size  # 40 draws for each, as 200 could not tell so many from chance
    assert many == 18
    assert least_chance(errors) == pytest.approx(1 / (1 + 40 * many))
    assert np.nanmin(errors.chances) >= least_chance(errors) * (1 - 1e-9)


def test_a_record_without_draws_has_none():
    made = audit_of({"a": ((40, 10), (25, 25)), "b": ((25, 25), (10, 40))})
    bare = replace(made, provenance=made.provenance.model_copy(update={"params": {}}))
    assert math.isnan(least_chance(bare))
    assert not is_least(0.0001, least_chance(bare))


def test_words_do_not_pretend_to_know_more_than_the_draws(audit):
    q, many = 0, len(GAPS)
    chances, adjusted = audit.chances.copy(), audit.adjusted.copy()
    chances[:], adjusted[:] = 1 / 701, many / 701
    told = verdict(replace(audit, chances=chances, adjusted=adjusted), q, 0)
    assert "corrected p below 0.015" in told  # 10 / 701 rounded up
    said = chance_sentence(replace(audit, chances=chances, adjusted=adjusted), 0, "selection_rate")
    assert "(p below 0.0015)" in said
    chances[:], adjusted[:] = 2 / 701, 2 * many / 701
    assert "corrected p 0.029" in verdict(replace(audit, chances=chances, adjusted=adjusted), q, 0)


def test_so_do_those_of_errors_on_every_face():
    errors = some_errors()
    least = np.full_like(errors.chances, 1 / 721)
    own = replace(errors, chances=least, adjusted=np.full_like(least, 4 / 721))
    assert "differ as much in less than 0.14 % of draws" in errors_sentence(own, 0)
    (grid,) = [one for one in error_audit_section(own, "x").tables if "corrected" in one.columns]
    assert grid.rows[0][-2:] == ("less than 0.14 %", "less than 0.56 %")
