"""What a GPU computes is what the CPU computes, in bounded memory, under its own name."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from workbench import api
from workbench.core.context import Context
from workbench.core.method import METHODS
from workbench.core.params import parse_params
from workbench.engines.shapley.interactions import MAX_PLAYERS

pytestmark = pytest.mark.cuda

MODELS = ("adult-mlp", "digits-mlp", "diabetes-mlp")
DTYPES = (torch.float32, torch.float64)
FAMILY = sorted(name for name in METHODS if name.startswith("shapley."))
FEW = {
    "shapley.expected-gradients": {"samples": 100},
    "shapley.integrated-gradients": {"n_steps": 8},
}
QUICK = {"surrogate_epochs": 5, "warm_epochs": 8, "epochs": 1, "draws": 2, "width": 64}


@cache
def case(name, dtype):
    """A bundled model in a precision, three rows and thirty background rows."""
    model = api.load_model(name).to(dtype=dtype)
    rows = api.load_table(model.card.training_table)[:3]
    return model, rows, api.background_for(model, rows, n=30)


def on_both(name, model, rows, background, *, context=None, **params):
    """Run a method here and there; same seed."""
    method = METHODS[name]
    settings = parse_params(method.params, params)
    there = torch.device("cuda:0")
    results = []
    for device in (torch.device("cpu"), there):
        own = replace(context or Context(seed=1), device=device)
        results.append(method.explain(model.to(device), rows, background, settings, own))
    assert results[1].provenance.device == torch.cuda.get_device_name(there)
    return results


def assert_alike(one, two, dtype):
    """Values agree as well as the precision allows, in units of what they add up to."""
    scale = abs(one.predictions - one.base_values).max()
    relative = 1e-4 if dtype == torch.float32 else 1e-8
    for field in ("values", "predictions", "base_values", "std_errors", "background_std_errors"):
        here, there = getattr(one, field, None), getattr(two, field, None)
        assert (here is None) == (there is None), field
        if here is not None:
            np.testing.assert_allclose(
                there, here, rtol=0, atol=relative * scale, err_msg=field, equal_nan=True
            )


def fits(name, model):
    """Whether a method can explain a model at all."""
    d = len(model.schema.features)
    table = name in {"shapley.exact", "shapley.interactions"}
    return METHODS[name].needs <= model.capabilities and not (table and d > MAX_PLAYERS)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("model_name", MODELS)
@pytest.mark.parametrize("name", FAMILY)
def test_every_method_agrees_with_the_cpu(name, model_name, dtype):
    model, rows, background = case(model_name, dtype)
    if not fits(name, model):
        pytest.skip("not for this model")
    one, two = on_both(name, model, rows, background, **FEW.get(name, {}))
    # An explainer's networks are in single precision whatever the model is in.
    asked = "explainer" in METHODS[name].needs
    assert_alike(one, two, torch.float32 if asked else dtype)


@pytest.mark.parametrize("output", ["probability", "score"])
@pytest.mark.parametrize("name", ["shapley.kernel", "shapley.leverage"])
@pytest.mark.parametrize("model_name", MODELS)
def test_shared_coalitions_agree_with_the_cpu(model_name, name, output):
    model, _, background = case(model_name, torch.float32)
    rows = api.load_table(model.card.training_table)[:70]
    few = {"draw": "shared", "budget": 256, "output": output}
    assert_alike(*on_both(name, model, rows, background, **few), torch.float32)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("value", ["marginal", "baseline", "neighbours", "gaussian"])
@pytest.mark.parametrize("model_name", [*MODELS, "wine-mlp"])
def test_every_value_function_agrees_with_the_cpu(model_name, value, dtype):
    model, rows, background = case(model_name, dtype)
    if value == "gaussian" and any(f.kind == "categorical" for f in model.schema.features):
        pytest.skip("for numbers alone")
    budget = 4 * len(model.schema.features)
    for name in ("shapley.permutation", "shapley.exact"):
        if fits(name, model):
            few = {"budget": budget} if name == "shapley.permutation" else {}
            one, two = on_both(name, model, rows, background, value=value, **few)
            assert_alike(one, two, dtype)


@pytest.mark.parametrize(("link", "output"), [("logit", "probability"), ("identity", "score")])
def test_links_and_scores_agree_with_the_cpu(link, output):
    model, rows, background = case("adult-mlp", torch.float64)
    for name in ("shapley.exact", "shapley.kernel"):
        one, two = on_both(name, model, rows, background, link=link, output=output)
        assert_alike(one, two, torch.float64)


@pytest.mark.parametrize(
    ("model_name", "value"),
    [
        ("adult-mlp", "marginal"), ("adult-mlp", "conditional"), ("digits-mlp", "conditional"),
        ("diabetes-mlp", "marginal"),
    ],
)  # fmt: skip
def test_an_explainer_trained_there_is_as_good_and_answers_here_as_well(model_name, value):
    model, rows, background = case(model_name, torch.float32)
    table = api.load_table(model.card.training_table, split="train")[:300]
    here, there = on_both("fastshap.train", model, table, background, value=value, **QUICK)
    assert np.isfinite(there.history).all()
    assert there.certificate.rmse < 2 * here.certificate.rmse
    attached = api.attach(model, there)
    one, two = on_both("shapley.fastshap", attached, rows, background, value=value, fallback="flag")
    assert_alike(one, two, torch.float32)


def test_the_same_seed_trains_alike_there():
    model, _, background = case("diabetes-mlp", torch.float32)
    table = api.load_table("diabetes", split="train")[:120]
    one, two = (
        api.train_explainer(model, table, background, device="cuda", seed=5, **QUICK)
        for _ in range(2)
    )
    np.testing.assert_allclose(one.certificate.rmse, two.certificate.rmse, rtol=0.1)


@pytest.mark.parametrize("model_name", MODELS)
def test_counterfactuals_are_the_same(model_name):
    model, rows, _ = case(model_name, torch.float64)
    one, two = (api.counterfactuals(model, rows, device=device) for device in ("cpu", "cuda"))
    assert two.provenance.device == torch.cuda.get_device_name(0)
    np.testing.assert_allclose(two.changed_data, one.changed_data)


@pytest.mark.parametrize("model_name", MODELS)
@pytest.mark.parametrize("sampling", ["discretised", "mean-centred", "around"])
def test_local_models_are_the_same(model_name, sampling):
    model, rows, _ = case(model_name, torch.float64)
    one, two = (
        api.lime(model, rows, sampling=sampling, perturbations=500, selection="none", device=device)
        for device in ("cpu", "cuda")
    )
    for name in ("coefficients", "intercepts", "r2", "effective_share"):
        np.testing.assert_allclose(getattr(two, name), getattr(one, name), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(two.std_errors, one.std_errors, rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize("model_name", MODELS)
def test_performance_is_the_same(model_name):
    model, _, _ = case(model_name, torch.float64)
    rows = api.load_table(model.card.training_table)
    one, two = (api.evaluate(model, rows, device=device) for device in ("cpu", "cuda"))
    np.testing.assert_allclose(two.metrics, one.metrics, rtol=1e-6)


@pytest.mark.parametrize("model_name", MODELS)
@pytest.mark.parametrize("mebibytes", [64, 512])
def test_memory_does_not_grow_with_the_rows(model_name, mebibytes):
    model, _, background = case(model_name, torch.float32)
    model, budget = model.to("cuda:0"), mebibytes * 2**20
    rows = api.load_table(model.card.training_table)
    method = METHODS["shapley.leverage"]
    settings = parse_params(method.params, {"budget": 512, "draw": "shared"})
    context = Context(device=model.device, budget=budget)
    peaks = []
    for n in (64, min(256, len(rows))):
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        held = torch.cuda.memory_allocated()
        method.explain(model, rows[:n], background, settings, context)
        peaks.append(torch.cuda.max_memory_allocated() - held)
    # The values of 64 rows, 512 coalitions and all columns are held besides, in double precision.
    values = 8 * 64 * 512 * len(model.output_names) * 11
    assert max(peaks) < 2 * budget + 4 * values
    assert peaks[1] < 1.1 * peaks[0] + 2**20


def test_chunks_shrink_when_the_memory_of_the_gpu_runs_out():
    model, _, _ = case("diabetes-mlp", torch.float32)
    rows = api.load_table("diabetes")[:60]
    background = api.background_for(model, rows, n=100)
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(2**30 / total)
    try:
        one, two = on_both(
            "shapley.exact", model, rows, background, context=Context(chunk_rows=2**24)
        )
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert two.provenance.chunk_rows < 2**24
    assert_alike(one, two, torch.float32)


@pytest.mark.parametrize("name", ["rashomon.interactions", "rashomon.profiles"])
def test_near_copies_side_by_side_agree_with_one_at_a_time_on_the_cpu(name):
    model = api.load_model("german-mlp").to(dtype=torch.float64)
    table = api.load_table("german", split="all")
    few = {
        "rashomon.interactions": {"scored": 5, "permutations": 2, "detector": "both"},
        "rashomon.profiles": {"profiled": 5, "points": 5, "features": "duration,purpose"},
    }
    one, two = on_both(name, model, table.split("test")[:60], table, models=60, **few[name])
    np.testing.assert_array_equal(two.numbers, one.numbers)
    assert len(one.numbers) == 6
    compared = {
        "rashomon.interactions": ("mixed", "mixed_std_errors", "losses", "excess", "variances"),
        "rashomon.profiles": ("mean", "std_errors", "effects", "base", "excess"),
    }
    for field in compared[name]:
        np.testing.assert_allclose(
            getattr(two, field), getattr(one, field), rtol=1e-7, atol=1e-10, err_msg=field
        )
