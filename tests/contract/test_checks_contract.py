"""Every registered check keeps its promises."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.attribution_ranges import one_range
from tests.attributions import build, example
from tests.boundary_people import some_people
from tests.churns import some_churn, some_mitigation
from tests.detectors import some_detectors
from tests.error_audits import some_errors, told_errors
from tests.fairness_audits import alike, audit_of, unequal, with_gaps
from tests.fairness_fronts import some_front
from tests.faithfulness import one_local_function, several_explanations, without
from tests.flips import by_both, by_income, flips_of, people, some_flips
from tests.gap_causes import some_causes
from tests.halos import halo_with
from tests.interaction_clouds import some_cloud
from tests.interaction_scores import some_scores
from tests.interaction_tests import some_test
from tests.interactions import one_row
from tests.local_bases import some_basis
from tests.local_models import one_local_model
from tests.performances import evaluated
from tests.profiles import profiles_of
from tests.rashomon_sets import no_models, several_models
from tests.remedies import harmless, nothing_helps, some_remedies
from tests.simpler import simpler
from workbench.checks import CHECKS, run_checks
from workbench.checks.advice import ADVICE
from workbench.core.results import Result

ROOT = Path(__file__).parents[2]
PLAIN = example(n=20, sampled=False)
GOOD = replace(PLAIN, background_std_errors=np.full_like(PLAIN.values[0], 0.001))
UNSETTLED = build([[0.1, 0.1]] * 3, std_errors=np.full((3, 2, 2), 0.1))
SOME = replace(evaluated(n=2000), trained_on="tiny")


def off_by(far):
    """An evaluation whose observed shares are off from the probabilities by so much."""
    bins, metrics = SOME.calibration.copy(), SOME.metrics.copy()
    bins[:, 1] = bins[:, 0] + far
    metrics[SOME.metric_names.index("calibration error")] = far
    return replace(SOME, calibration=bins, metrics=metrics)


EVALUATED = off_by(0.0)
# For each kind of result one that no check objects to.
PAIRS = one_row(errors=0.001)
LOCAL = one_local_model()
HELD = several_explanations()
FUNCTION = one_local_function()
ACROSS = one_range(shifts=(0.001,))
SETS = several_models()
CHURN, AVERAGED = some_churn(), some_mitigation()
SCORES = some_scores(models=21)
CURVES = profiles_of(lambda x: x.sum(1))
CLOUD = some_cloud()
TESTED = some_test()
INSIDE = replace(some_basis(), judged=200)
# Base rates are alike, and gaps of decisions far beyond the floor.
AUDIT = audit_of({"Female": ((400, 100), (250, 250)), "Male": ((250, 250), (100, 400))})
PEOPLE = some_people()
SIMPLER = replace(simpler(), within=True, tree_excess=0.0)
FINE = {
    type(fine): fine
    for fine in (GOOD, EVALUATED, PAIRS, LOCAL, HELD, FUNCTION, ACROSS, SETS, SIMPLER, CHURN,
                 AVERAGED, CLOUD, CURVES, some_detectors(), TESTED, AUDIT, SCORES,
                 halo_with(0.5, 0.1), flips_of(by_both, people(800)),
                 some_causes(area=0.55, spread=0.04), PEOPLE, some_front(), harmless(), INSIDE,
                 told_errors())
}  # fmt: skip
# For each check one result that it must object to; a new check adds its own.
BAD = {
    "WB001": replace(GOOD, predictions=GOOD.predictions + 0.1),
    "WB002": UNSETTLED,
    "WB003": replace(GOOD, background_std_errors=np.ones_like(GOOD.values[0])),
    "WB004": replace(GOOD, data=GOOD.data + 1e6),
    "WB005": UNSETTLED, "WB006": evaluated(n=40), "WB007": off_by(0.2),
    "WB008": replace(EVALUATED, trained_on="tiny",
                     provenance=EVALUATED.provenance.model_copy(update={"table": "tiny/train"})),
    "WB009": replace(PAIRS, predictions=PAIRS.predictions + 0.1),
    "WB010": one_row(errors=0.02),
    "WB011": replace(PAIRS, data=PAIRS.data + 1e6),
    "WB012": one_local_model(r2=0.05), "WB013": one_local_model(share=0.99),
    "WB014": one_local_model(stability=0.3),
    "WB015": without(several_explanations(), "smoothgrad", "lime", "kernelshap"),
    "WB016": without(several_explanations(shares=np.full((7, 4), 0.4)), "size"),
    "WB017": one_local_function(missed=0.4, fitted=0.0),
    "WB018": one_local_function(missed=0.6, fitted=0.6),
    "WB024": one_range(), "WB021": several_models(noise=0.03), "WB022": no_models(),
    "WB023": replace(SETS, growth=np.cumsum(np.ones_like(SETS.growth), 1)),
    "WB025": some_churn(m=8),
    "WB026": replace(AVERAGED, reduction=AVERAGED.reduction - 0.5),
    "WB028": several_models(explorers=("gaussian-units", "published-gaussian")),
    "WB030": replace(SCORES, association=np.full_like(SCORES.association, 0.95)),
    "WB031": some_scores([0.0004]), "WB032": some_scores(errors=0.03),
    "WB033": replace(SCORES, association=np.zeros_like(SCORES.association)),
    "WB042": profiles_of(lambda x: x.prod(1), correlation=0.9),
    "WB043": profiles_of(lambda x: x.prod(1)),
    "WB044": replace(CURVES, grid=np.exp(3 * CURVES.grid)),
    "WB040": some_cloud(factors=(0.1, 0.2)),
    "WB041": some_cloud(noise=0.006),
    "WB038": some_detectors(np.eye(4, 6) + 0.1),
    "WB039": some_detectors(smoothing=0.3),
    "WB036": some_test(given=(0.01, 0.012, 0.2, 0.0002)),
    "WB070": replace(INSIDE, fitted=100),
    "WB071": replace(INSIDE, edges_required=INSIDE.edges_required[[1, 0, 2]]),
    "WB072": replace(INSIDE, importances=np.ones_like(INSIDE.importances)),
    "WB073": replace(INSIDE, judged=99),
    "WB037": some_test(excess=0.01), "WB053": some_causes(gap=-0.12), "WB054": some_causes(),
    "WB029": replace(SIMPLER, tree_excess=0.2, tree_noise=0.01),
    "WB057": some_front(change=-0.01), "WB058": some_front(width=0.02),
    "WB065": some_errors(), "WB066": some_errors(),
    "WB067": replace(told_errors(), sizes=np.arange(len(told_errors())) * 30),
    "WB064": some_front(read=("c1",), swayed=np.array([0.2, 0.1])),
    "WB034": halo_with(2.0, 0.1),
    "WB050": some_flips(),
    "WB051": flips_of(by_income, people(50)),
    "WB035": halo_with(0.5, 0.6),
    "WB045": with_gaps(), "WB046": alike(), "WB047": with_gaps(), "WB048": unequal(),
    "WB055": some_people(tips=0.5), "WB056": some_people(distance=0.6), "WB060": nothing_helps(),
    "WB061": some_remedies(), "WB062": some_remedies(),
    "WB063": some_remedies(names=("as_is", "reweighing")),
}  # fmt: skip


def test_codes_are_unique_and_sorted():
    codes = [check.code for check in CHECKS.values()]
    assert codes == list(CHECKS)
    assert codes == sorted(set(codes))
    assert all(re.fullmatch(r"WB\d{3}", code) for code in codes)
    assert set(ADVICE) == set(CHECKS), "a check says in no report what to do"
    assert set(BAD) == set(CHECKS), "a check has no example that it objects to"


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_has_a_page_that_says_what_to_do(check):
    text = (ROOT / check.docs).read_text(encoding="utf-8")
    assert text.startswith(f"# {check.code}: {check.title}\n")
    for part in ("**What it measures.**", "**Tolerance.**", "**What to do.**"):
        assert part in text
    said = " ".join(text.rpartition("**What to do.**")[2].split())
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", said).replace("`", "").replace("*", "")
    assert ADVICE[check.code].endswith(".")
    assert plain.startswith(ADVICE[check.code]), "reports say what the page says"


def test_every_page_belongs_to_a_check():
    pages = {path.stem for path in (ROOT / "docs" / "checks").glob("WB*.md")}
    assert pages == set(CHECKS)


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_passes_what_is_good_and_objects_to_what_is_not(check):
    assert check(FINE[check.applies_to]).status == "ok"
    assert check(BAD[check.code]).status == check.severity


@pytest.mark.parametrize("result", [*FINE.values(), *BAD.values()])
def test_outcomes_are_complete(result):
    for found in run_checks(result):
        check = CHECKS[found.code]
        assert (found.title, found.docs) == (check.title, check.docs)
        assert found.sentence.endswith(".")
        assert all(isinstance(v, float) and np.isfinite(v) for v in found.evidence.values())


def test_checks_of_other_kinds_are_not_asked():
    assert run_checks(Result(GOOD.provenance)) == ()
    for kind, result in FINE.items():
        meant = [code for code, check in CHECKS.items() if check.applies_to is kind]
        assert [found.code for found in run_checks(result)] == meant


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_does_not_apply_to_results_of_another_kind(check):
    for kind, result in FINE.items():
        if kind is not check.applies_to:
            assert check(result).status == "not_applicable"
            assert check(result).sentence.endswith(f"not {kind.kind!r}.")
