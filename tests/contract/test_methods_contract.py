"""Every registered method keeps the promises that the workbench makes for it."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

import workbench.api
from tests.networks import tiny_model, tiny_table
from workbench.core.context import Context
from workbench.core.errors import CancelledError, InvalidInputError
from workbench.core.method import METHODS, Method
from workbench.core.params import parse_params
from workbench.core.results import Result, load
from workbench.jobs.request import registered_methods

ROOT = Path(__file__).parents[2]
TASKS = ["binary", "multiclass", "regression"]
# Methods that say so where a number is missing.
TAKE_NO_MISSING_NUMBERS = {"lime.reference"}
# Settings with which methods that do much besides asking the model take a moment.
BRIEF = {
    "rashomon.simpler": {"trees": 1000, "depth": 2, "repeats": 1, "folds": 2},
    "rashomon.retrain": {"models": 12},
    "rashomon.interactions": {"scored": 12},
    "interactions.bootstrap": {"simulations": 5, "refits": 2, "epochs": 2},
    "rashomon.fairness": {
        "by": "c1",
        "models": 8,
        "near_copies": 1,
        "directed": 3,
        "draws": 100,
        "explained": 3,
        "least_rows": 1,
    },
    "fairness.remedies": {
        "by": "c1",
        "remedies": "retrained, reweighing, group_thresholds",
        "refits": 1,
        "epochs": 2,
        "resamples": 100,
        "least_rows": 1,
    },
}
# Methods about decisions, which a model of a number does not make, and those about such a model.
NOT_FOR = {
    "fairness.audit": {"regression"},
    "fairness.errors": {"binary", "multiclass"},
    "fairness.flips": {"regression"},
    "fairness.people": {"regression"},
    "fairness.remedies": {"regression"},
    "rashomon.fairness": {"regression"},
}
EVERY = [
    (name, task)
    for name in registered_methods()
    for task in TASKS
    if task not in NOT_FOR.get(name, ())
]


def with_people(table):
    """The table, of people of whom two attributes are protected and who hope for the last class."""
    schema = table.schema.edit("c1", protected=True).edit("c3", protected=True)
    favourable = schema.classes[-1] if schema.classes else None
    return replace(table, schema=schema.model_copy(update={"favourable": favourable}))


@cache
def explainer_of(task):
    """An explainer of the tiny model, trained for a moment."""
    table = tiny_table(d=5, task=task, missing=True)
    model = tiny_model(table, dtype=torch.float32, dropout=0.3)
    params = {"surrogate_epochs": 5, "warm_epochs": 5, "epochs": 1, "device": "cpu"}
    return workbench.api.train_explainer(model, table[:30], table[:12], **params)


def with_groups(table):
    """The table with a protected column, and a class that people hope for."""
    schema = table.schema.edit("c1", protected=True)
    hoped = schema.classes[-1] if schema.classes else None
    return replace(table, schema=schema.model_copy(update={"favourable": hoped}))


@pytest.fixture(params=EVERY, ids=["-".join(pair) for pair in EVERY])
def run(request):
    """A function that runs the method on a small case, and the case."""
    name, task = request.param
    table = tiny_table(d=5, task=task, missing=name not in TAKE_NO_MISSING_NUMBERS)
    if name.startswith("fairness.") or name == "rashomon.fairness":
        table = with_people(table)
    model = tiny_model(table, dtype=torch.float32, dropout=0.3)
    method, rows = METHODS[name], table[30:34]
    background = table if "table" in method.uses else table[:12]
    if "explainer" in method.needs:
        model = model.with_explainer(explainer_of(task))

    brief = BRIEF.get(name, {})

    def explain(seed=0, progress=None, **params):
        settings = parse_params(method.params, brief | params)
        context = Context(seed=seed, progress=progress)
        return method.explain(model, rows, background, settings, context)

    explain.case = request.param
    explain.name, explain.model, explain.rows, explain.background = name, model, rows, background
    explain.settings = parse_params(method.params, brief)
    return explain


SEED = 3
FOUND = {}


def found(run):
    """The result of one run of the case, which the tests that only look at it share."""
    if run.case not in FOUND:
        FOUND[run.case] = run(seed=SEED)
    return FOUND[run.case]


# Arrays that may hold what is not a number: raw cells, and metrics that rows like these four do
# not define, each with its reason in the result.
NOT_FINITE = {
    # Shares of groups without rows, alternatives of which too few rows tell, ends of quantiles of
    # few rows; rows of their own group, which conditional draws alone have.
    "attribute_flips": {"rates", "support", "moves", "overall_moves", "by_chance"},
    "attribution": {"data"},
    "attribution_range": {"data"},
    # Raw cells; ranges without labels, a person's own level, and nobody who is decided otherwise.
    "boundary_people": {
        "data",
        "neighbour_data",
        "low",
        "high",
        "otherwise",
        "noise",
        "flip_scores",
        "neighbour_scores",
        "distances",
        "closer",
    },
    # What a regression does not decide, and no admitted model at a tolerance.
    "churn": {"data", "expected"},
    "counterfactuals": {"data", "changed_data"},
    # Effects without a sign, errors that are not known, features of several columns.
    "detectors": {"strengths", "signed", "std_errors"},
    # Measures of a single row, and of attributes of which a group has nobody.
    "error_audit": {"values", "overall", "differences", "gaps", "floors", "chances", "adjusted"},
    "explainer": {"background"},
    # Rates that are a share of nobody, each with its reason.
    "fairness_audit": {
        "rates",
        "pooled",
        "overall",
        "differences",
        "ratios",
        "gaps",
        "floors",
        "chances",
        "adjusted",
        "score_values",
        "cross_areas",
        "bin_scores",
        "individual",
        "differential",
        "between",
    },
    # Gaps of few people, of groups of which a rate is not defined.
    "fairness_front": {
        "gaps",
        "change",
        "covariance",
        "width",
        "causes",
        "causes_change",
        "held",
    },
    "faithfulness": {"data", "reference", "values", "missed"},
    # Where the loss does not rise so far; features of no set.
    # Groups of a single row have no interval, and cannot be told.
    "gap_causes": {
        "gaps",
        "contributions",
        "shifts",
        "told",
        "told_mcc",
        "remaining",
        "remaining_mcc",
    },
    "halo": {
        "masks",
        "excess",
        "excess_std_errors",
        "scores",
        "scores_std_errors",
        "boundaries",
        "main_effects",
    },
    # Of categories without an order.
    "interaction_scores": {"signed", "signed_std_errors"},
    "interaction_test": set(),
    "interactions": {"data"},
    # Cells of the table, classes without rows, and units that do not bend.
    "local_basis": {"data", "class_means", "class_errors", "co_firing"},
    "local_functions": {"data"},
    "local_models": {"data"},
    "measures": {"data", "scores"},
    # Sizes that were not judged, what a regression does not decide, no candidates.
    "mitigation": {
        "data",
        "metrics",
        "reduction",
        "at_boundary",
        "accuracy",
        "stability",
        "least_support",
    },
    "performance": {"metrics", "class_metrics", "areas", "confusion_shares", "roc"},
    # A value that is missing, effects without an order, intervals with a single row.
    "profiles": {"data", "grid", "effects", "effect_errors", "pair_x", "pair_y", "pair_effects"},
    # Of no model, or of one alone, and where a regression decides nothing; cells of the table.
    "rashomon_set": {
        "data",
        "metrics",
        "low",
        "high",
        "flips",
        "deviation",
        "capacity",
        "noise",
        "growth",
        "candidate_accuracy",
        "reported_accuracy",
    },
    # Groups without rows, and what no remedy that was tried has.
    "remedies": {
        "data",
        "rates",
        "gaps",
        "rate_changes",
        "gap_changes",
        "violations",
        "proxy",
        "proxy_changes",
    },
    "scale_curves": {"data"},
    "simpler_models": {"log_ratio", "log_low"},
}


def arrays(result):
    return {k: v for k, v in vars(result).items() if isinstance(v, np.ndarray)}


def test_leaves_everything_as_it_was(run):
    modules = [*run.model.network.modules(), *run.model.encoder.modules()]

    def state():
        return (
            [m.training for m in modules],
            [len(m._forward_hooks) + len(m._forward_pre_hooks) + len(m._backward_hooks)
             for m in modules],
            [(p.requires_grad, p.grad) for p in run.model.network.parameters()],
        )  # fmt: skip

    before = state()
    weights = {k: v.clone() for k, v in run.model.network.state_dict().items()}
    digests = run.rows.digest, run.background.digest
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    threads = torch.get_num_threads()
    FOUND[run.case] = run(seed=SEED)  # always a run of this test's own
    assert state() == before
    assert all(torch.equal(v, weights[k]) for k, v in run.model.network.state_dict().items())
    assert type(run.rows)(**vars_of(run.rows)).digest == digests[0]
    assert type(run.background)(**vars_of(run.background)).digest == digests[1]
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert (np.random.get_state()[1] == numpy_state).all()  # noqa: NPY002
    assert torch.get_num_threads() == threads


def vars_of(table):
    """The table's fields without its cached digest."""
    return {k: v for k, v in vars(table).items() if k != "digest"}


def test_same_seed_same_bits(run):
    one, two = arrays(found(run)), arrays(run(seed=SEED))
    assert one.keys() == two.keys()
    for name in one.keys() - {"seconds"}:  # a clock is no promise
        array = one[name]
        np.testing.assert_array_equal(array, two[name], err_msg=name)


def test_keeps_its_budget_and_says_what_it_did(run):
    method: Method = METHODS[run.name]
    result = found(run)
    cost = method.cost(run.model, len(run.rows), len(run.background), run.settings)
    record = result.provenance
    assert 0 < record.evaluations <= cost.evaluations
    assert cost.n_bytes > 0
    assert (record.method, record.seed) == (run.name, SEED)
    assert record.model_digest == run.model.digest
    assert record.table_digest == run.rows.digest
    if method.uses & {"background", "table"}:
        expected = run.background.digest, len(run.background)
    elif run.model.explainers and "explainer" in method.needs:  # values are against its background
        own = run.model.explainers[-1].provenance
        expected = own.background_digest, own.n_background
    else:
        expected = "", 0
    assert (record.background_digest, record.n_background) == expected
    assert record.params == run.settings.model_dump(mode="json")


def test_yields_finite_numbers_of_its_kind_that_survive_a_file(run, tmp_path):
    result = found(run)
    assert type(result) is METHODS[run.name].yields
    assert issubclass(METHODS[run.name].yields, Result)
    back = load(result.save(tmp_path / "result"))
    for name, array in arrays(result).items():
        if name not in NOT_FINITE[result.kind]:
            assert np.isfinite(array).all(), name
        np.testing.assert_array_equal(array, getattr(back, name))
    assert back.provenance == result.provenance


def test_can_be_cancelled(run):
    def stop(*_):
        raise CancelledError("stop")

    with pytest.raises(CancelledError):
        run(progress=stop)


def test_errors_speak(run):
    with pytest.raises(InvalidInputError, match="colour is not a setting, choose among"):
        run(colour="red")


def test_needs_the_labels_that_it_says_it_needs(run):
    method = METHODS[run.name]
    assert method.uses <= {"background", "labels", "table"}
    rows = replace(run.rows, y=None)
    arguments = (run.model, rows, run.background, run.settings, Context())
    if "labels" not in method.uses:
        method.explain(*arguments)
        return
    with pytest.raises(InvalidInputError, match="does not say what is true"):
        method.explain(*arguments)


@pytest.mark.parametrize("name", METHODS)
def test_describes_itself(name):
    method = METHODS[name]
    texts = (method.title, method.question, method.reference, method.weakness)
    assert all(len(text) > 8 for text in texts)
    for field, info in method.params.model_fields.items():
        assert info.description, f"{name}: {field} has no description"
        assert not info.is_required(), f"{name}: {field} has no default"


@pytest.mark.parametrize("name", METHODS)
def test_has_a_page_and_a_test_file(name):
    page = ROOT / "docs" / "methods" / f"{name}.md"
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# {METHODS[name].title}\n")
    for heading in ("## What it computes", "## When to trust it", "## Settings", "## Sources"):
        assert heading in text
    for field in METHODS[name].params.model_fields:
        assert f"`{field}`" in text, f"{page.name} does not explain {field}"
    file = f"test_{name.replace('.', '_').replace('-', '_')}.py"
    assert (ROOT / "tests" / "unit" / file).is_file()


def test_every_page_belongs_to_a_method():
    assert {path.stem for path in (ROOT / "docs" / "methods").glob("*.*.md")} == set(METHODS)


def test_names_are_not_taken_twice():
    name, method = next(iter(METHODS.items()))
    with pytest.raises(ValueError, match="registered twice"):
        METHODS.register(name, method)
