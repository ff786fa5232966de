"""Local functions of your choice: recovery of what is in their class, oracles, and promises."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression, LogisticRegression

from tests.formulas import formula_case, of_logit, one_output
from tests.networks import tiny_model, tiny_table
from workbench import api
from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.method import METHODS
from workbench.engines.lfa.fit_params import FitParams
from workbench.engines.lfa.functions import least_squares, logistic, screen, system_of
from workbench.engines.lfa.matching import match_pairwise
from workbench.engines.lfa.neighbourhoods import Look, Together, make_neighbourhood
from workbench.engines.lfa.scene import make_scene
from workbench.engines.shapley import explain as share_out

SLOPE = torch.tensor([1.5, -2.0, 0.0, 0.7, -0.3, 3.0]).double()
MOVED = [
    {"law": "normal"}, {"law": "uniform"}, {"loss": "gradient"}, {"function": "pairwise"},
    {"function": "sparse", "num_features": 6},
    {"function": "sparse", "loss": "gradient", "num_features": 6},
    {"function": "pairwise", "loss": "gradient"},
]  # fmt: skip
REPLACED = [
    *({"operator": "mask", "law": law} for law in ("exponential", "shapley", "even", "single")),
    {"operator": "mask", "law": "shapley", "function": "pairwise"},
    {"operator": "scale", "loss": "gradient"},
]


def linear_case():
    model, table = formula_case(one_output(lambda x: x @ SLOPE.to(x) + 2), 6)
    return model, table, table.X.std(0, correction=0)


def settings_id(settings):
    return "-".join(str(value) for value in settings.values())


@pytest.mark.parametrize("settings", MOVED, ids=settings_id)
def test_moves_recover_the_slopes_of_a_linear_model(settings):
    model, table, spread = linear_case()
    result = api.local_functions(model, table[:3], table, samples=200, **settings)
    np.testing.assert_allclose(
        result.coefficients[..., 0], (SLOPE * spread).expand(3, -1), atol=1e-7
    )
    np.testing.assert_allclose(result.pair_coefficients, 0, atol=1e-7)
    np.testing.assert_allclose(result.intercepts, result.predictions, atol=1e-7)
    np.testing.assert_allclose(result.std_errors, 0, atol=1e-6)
    assert result.share_missed().max() < 1e-12


@pytest.mark.parametrize("settings", REPLACED, ids=settings_id)
@pytest.mark.parametrize("samples", [20, 200])
def test_replacements_recover_weight_times_distance_from_the_reference(settings, samples):
    model, table, _ = linear_case()
    result = api.local_functions(model, table[:3], table, samples=samples, **settings)
    away = SLOPE * (table.X[:3] - table.X.mean(0))
    np.testing.assert_allclose(result.coefficients[..., 0], away, atol=1e-5)
    base = float(table.X.mean(0) @ SLOPE + 2)
    np.testing.assert_allclose(result.intercepts, base, atol=1e-5)
    assert result.share_missed().max() < 1e-9


def test_resampling_recovers_weight_times_distance_from_the_mean_within_its_errors():
    model, table, _ = linear_case()
    result = api.local_functions(model, table[:20], table, operator="resample", samples=4000)
    away = SLOPE * (table.X[:20] - table.X.mean(0))
    error = (result.coefficients[..., 0] - away.numpy()) / np.maximum(
        result.std_errors[..., 0], 1e-9
    )
    assert np.abs(error[:, SLOPE != 0]).max() < 5
    np.testing.assert_allclose(result.coefficients[:, 2], 0, atol=4 * result.std_errors.max())


def drawn(m, p, n=3, k=2, seed=0):
    """Values, weights and answers that are linear but for noise."""
    rng = np.random.default_rng(seed)
    phi, weights = rng.normal(size=(1, m, p)) + 1, rng.random(m)
    y = phi @ rng.normal(size=(n, p, k)) + rng.normal(size=(n, m, k))
    return tuple(map(torch.from_numpy, (phi, weights / weights.sum(), y)))


def every(p, *left_out):
    chosen = torch.ones(1, 1, p, dtype=torch.bool)
    chosen[..., list(left_out)] = False
    return chosen


def test_least_squares_is_that_of_scikit_learn():
    phi, weights, y = drawn(50, 4)
    fitted = least_squares(
        system_of(phi, weights, y, "normal"), y, every(4, 2), Together(torch.arange(50))
    )
    for row, output in np.ndindex(3, 2):
        package = LinearRegression().fit(
            phi[0, :, [0, 1, 3]].numpy(), y[row, :, output].numpy(), weights.numpy()
        )
        np.testing.assert_allclose(fitted.beta[row, output, [0, 1, 3]], package.coef_, atol=1e-8)
        assert float(fitted.intercepts[row, output]) == pytest.approx(package.intercept_)
    assert (fitted.beta[..., 2] == 0).all()


def test_errors_are_the_sandwich_of_its_definition():
    m, p = 40, 3
    phi, weights, y = drawn(m, p, n=1, k=1)
    order = torch.arange(m)
    D = np.column_stack([np.ones(m), phi[0].numpy()])
    W, f = np.diag(weights.numpy()), y[0, :, 0].numpy()
    bread = np.linalg.inv(D.T @ W @ D)
    e = f - D @ (bread @ D.T @ W @ f)
    e /= 1 - np.diag(D @ bread @ D.T @ W)
    for together, scores in (
        (Together(order), D * (W @ e)[:, None]),
        (Together(order[::2], order[1::2]), (D * (W @ e)[:, None]).reshape(-1, 2, p + 1).sum(1)),
        (Together(order[:10]), (D * (W @ e)[:, None])[:10]),
    ):
        fitted = least_squares(system_of(phi, weights, y, "normal"), y, every(p), together)
        expected = np.sqrt(np.diag(bread @ scores.T @ scores @ bread))[1:]
        np.testing.assert_allclose(fitted.errors[0, 0], expected, rtol=1e-6)


def test_doubling_a_weight_is_duplicating_a_sample():
    phi, _, y = drawn(30, 4)
    weights = torch.ones(30, dtype=torch.float64)
    doubled = torch.where(torch.arange(30) < 7, 2.0, weights)
    twice = torch.cat([torch.arange(30), torch.arange(7)])
    one, two = (
        least_squares(system_of(z, w / w.sum(), f, "normal"), f, every(4), Together())
        for z, w, f in (
            (phi, doubled, y), (phi[:, twice], torch.ones(37, dtype=torch.float64), y[:, twice])
        )
    )  # fmt: skip
    torch.testing.assert_close(one.beta, two.beta, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(one.intercepts, two.intercepts, rtol=1e-9, atol=1e-12)


def test_the_exponential_kernel_weighs():
    model, table = api.load_model("breast-cancer-mlp"), api.load_table("breast-cancer")
    background = api.background_for(model, table, n=200)
    settings = {"operator": "mask", "samples": 8192}
    weighted, even = (
        api.local_functions(model, table[:10], background, law=law, **settings)
        for law in ("exponential", "even")
    )
    apart = np.abs(weighted.coefficients - even.coefficients)
    errors = np.hypot(weighted.std_errors, even.std_errors)
    assert (apart / np.where(errors > 0, errors, 1)).max() > 5


def test_shapley_kernel_and_one_at_a_time_are_shapley_values_and_occlusion():
    table = tiny_table(d=6, task="multiclass", missing=True)
    model = tiny_model(table)
    result = api.local_functions(model, table[:4], table, operator="mask", law="shapley")
    values = share_out(
        model, table[:4], table, method="shapley.exact", value="baseline"
    ).values  # fmt: skip
    np.testing.assert_allclose(result.coefficients, values, atol=1e-7)
    single = api.local_functions(model, table[:4], table, operator="mask", law="single")
    reference = make_scene(model, table, "probability", Context(), lambda: None).reference
    for j in range(6):
        X = table.X[:4].clone()
        X[:, j] = reference[j]
        drop = (model.predict(table.X[:4]) - model.predict(X)).numpy()
        np.testing.assert_allclose(single.coefficients[:, j], drop, atol=1e-7)
    np.testing.assert_allclose(single.share_missed(), 0, atol=1e-12)


NAMED = {
    "c-lime": {},
    "smoothgrad": {"loss": "gradient"},
    "vanilla-gradients": {"loss": "gradient", "scale": 1e-4},
    "integrated-gradients": {"operator": "scale", "loss": "gradient"},
    "gradient-x-input": {"operator": "scale", "loss": "gradient", "scale": 1e-4},
    "lime": {"operator": "mask"},
    "kernelshap": {"operator": "mask", "law": "shapley"},
    "occlusion": {"operator": "mask", "law": "single"},
    "resampled": {"operator": "resample"},
}


def test_explanations_with_a_name_are_settings_of_it():
    table = tiny_table(n=200, d=9, missing=True)
    model = tiny_model(table, scale=1.0)
    both = api.faithfulness(model, table[:8], table, perturbations=512, seed=1)
    assert set(NAMED) < set(both.methods)
    for method, settings in NAMED.items():
        result = api.local_functions(model, table[:8], table, **settings)
        place = both.method_index(method)
        values, errors = (np.nan_to_num(a[:, place]) for a in (both.values, both.std_errors))
        apart = np.abs(result.coefficients - values)
        assert (apart <= 5 * np.hypot(errors, result.std_errors) + 1e-3).all(), method
        assert np.corrcoef(result.coefficients.ravel(), values.ravel())[0, 1] > 0.85, method


@pytest.mark.parametrize(("law", "index"), [("shapley", "FSII"), ("even", "Banzhaf")])
def test_pairs_are_faithful_interactions(law, index):
    table = tiny_table(d=5)
    model, one = tiny_model(table), table[7:8]
    result = api.local_functions(
        model, table[:3], one, operator="mask", law=law, function="pairwise", samples=32
    )
    expected = api.interactions(model, table[:3], one, index=index)
    for place, (i, j) in enumerate(result.pairs):
        np.testing.assert_allclose(
            result.pair_coefficients[:, place], expected.values[:, i, j], atol=1e-6
        )
    assert "all coalitions were evaluated" in result.provenance.notes[0]


@pytest.mark.parametrize("loss", ["squared", "gradient"])
def test_pairwise_recovers_products(loss):
    model, table = formula_case(
        one_output(lambda x: x[:, 0] - 2 * x[:, 1] + 3 * x[:, 0] * x[:, 2] - x[:, 1] * x[:, 2]), 4
    )
    s = table.X.std(0, correction=0)
    asked = {"scale": 1.0, "loss": loss}
    result = api.local_functions(model, table[:3], table, function="pairwise", **asked)
    expected = dict.fromkeys(result.pairs, 0.0) | {(0, 2): 3 * s[0] * s[2], (1, 2): -s[1] * s[2]}
    np.testing.assert_allclose(
        result.pair_coefficients[..., 0], [list(map(float, expected.values()))] * 3, atol=1e-6
    )
    x = table.X[:3]
    slopes = torch.stack(
        [1 + 3 * x[:, 2], -2 - x[:, 2], 3 * x[:, 0] - x[:, 1], torch.zeros(3)], 1
    )  # fmt: skip
    np.testing.assert_allclose(result.coefficients[..., 0], slopes * s, atol=1e-6)
    assert result.share_missed().max() < 1e-12
    assert api.local_functions(model, table[:3], table, **asked).share_missed().min() > 0.01


def test_slopes_that_change_are_least_squares():
    rng = np.random.default_rng(0)
    m, d, pairs = 30, 4, ((0, 1), (0, 3), (2, 3))
    z, slopes, weights = rng.normal(size=(m, d)), rng.normal(size=(2, m, d, 1)), rng.random(m)
    weights /= weights.sum()
    design = np.zeros((m, d, d + len(pairs)))
    for place, (i, j) in enumerate(pairs):
        design[:, i, d + place], design[:, j, d + place] = z[:, j], z[:, i]
    design[:, range(d), range(d)] = 1
    root = np.sqrt(weights)[:, None]
    look = Look(
        torch.from_numpy(z)[None], torch.zeros(2, m, 1, dtype=torch.float64),
        torch.ones(2, d, dtype=torch.bool),
    )  # fmt: skip
    fitted = match_pairwise(
        look, torch.from_numpy(slopes), torch.from_numpy(weights), Together(), pairs
    )
    for row in range(2):
        expected = np.linalg.lstsq(
            (root[..., None] * design).reshape(m * d, -1), (root * slopes[row, ..., 0]).ravel()
        )[0]
        np.testing.assert_allclose(fitted.beta[row, 0], expected, atol=1e-7)


def test_pairs_of_wide_tables_are_screened_and_the_note_says_so():
    d, true = 30, [(0, 29), (3, 4), (11, 20)]
    model, table = formula_case(
        one_output(lambda x: x.sum(1) + sum(x[:, i] * x[:, j] for i, j in true)), d,
        spreads=np.ones(d),
    )  # fmt: skip
    result = api.local_functions(model, table[:2], table, function="pairwise", samples=1024)
    assert len(result.pairs) == 300
    assert set(true) < set(result.pairs)
    assert "of 435 pairs the function has the 300" in result.provenance.notes[0]
    assert result.share_missed().max() < 1e-6


def test_screening_is_the_correlation_of_residuals_with_products():
    z, weights, y = drawn(200, 5, n=2, k=1)
    z = z - torch.einsum("m,rmp->rp", weights, z)[:, None]
    look = Look(z, y, torch.ones(2, 5, dtype=torch.bool))
    gains = {}
    for i, j in itertools.combinations(range(5), 2):
        product, gain = (z[0, :, i] * z[0, :, j]).numpy(), 0.0
        for f in y[..., 0].numpy():
            package = LinearRegression().fit(z[0].numpy(), f, weights.numpy())
            e = f - package.predict(z[0].numpy())
            spread = np.average((f - np.average(f, weights=weights)) ** 2, weights=weights)
            inner = np.average(e * product, weights=weights)
            gain += inner**2 / spread / np.average(product**2, weights=weights)
        gains[i, j] = gain
    best = sorted(gains, key=gains.get)[-4:]
    assert screen(look, weights, range(5), 4) == tuple(sorted(best))


def test_sparse_finds_the_features_that_there_are():
    weights = torch.tensor([0.0, 5.0, 0.0, 0.01, -4.0, 0.0, 3.0, 0.02]).double()
    model, table = formula_case(one_output(lambda x: x @ weights.to(x)), 8, spreads=np.ones(8))
    for settings in ({}, {"loss": "gradient"}, {"operator": "mask"}, {"operator": "resample"}):
        result = api.local_functions(
            model, table[:5], table, function="sparse", num_features=3, **settings
        )
        if settings.get("operator") is None:
            assert (result.selected[..., 0] == np.isin(np.arange(8), [1, 4, 6])).all()
        assert (result.selected.sum(1) == 3).all()
        assert (result.coefficients[~result.selected] == 0).all()
        assert (result.std_errors[~result.selected] == 0).all()
    mask = api.local_functions(
        model, table[:5], table, function="sparse", num_features=3, operator="mask"
    )
    size = np.abs((weights * (table.X[:5] - table.X.mean(0))).numpy())
    top = np.sort(np.argsort(-size, 1)[:, :3], 1)
    assert (np.argwhere(mask.selected[..., 0])[:, 1].reshape(5, 3) == top).all()


def test_logistic_recovers_a_logistic_model_by_either_loss():
    w = torch.tensor([1.5, -2.0, 0.0, 0.5]).double()
    model, table = formula_case(of_logit(lambda x: x @ w.to(x) - 0.3), 4, task="binary")
    s = table.X.std(0, correction=0)
    for settings in ({}, {"loss": "gradient"}, {"scale": 1.0}):
        result = api.local_functions(model, table[:4], table, function="logistic", **settings)
        np.testing.assert_allclose(
            result.coefficients[..., 1], (w * s).expand(4, -1), atol=1e-4, err_msg=str(settings)
        )
        np.testing.assert_allclose(result.coefficients[..., 0], -(w * s).expand(4, -1), atol=1e-4)
        logits = table.X[:4] @ w - 0.3
        np.testing.assert_allclose(result.intercepts[:, 1], logits, atol=1e-4)
        assert result.share_missed().max() < 1e-6
    away = w * (table.X[:4] - table.X.mean(0))
    for settings in (
        {"operator": "mask"}, {"operator": "mask", "law": "even"},
        {"operator": "mask", "law": "shapley"},
    ):  # fmt: skip
        result = api.local_functions(model, table[:4], table, function="logistic", **settings)
        np.testing.assert_allclose(result.coefficients[..., 1], away, atol=1e-4)


def test_logistic_is_maximum_likelihood_on_shares():
    rng = np.random.default_rng(0)
    z, p = rng.normal(size=(1, 60, 3)), rng.dirichlet(np.ones(3), size=(2, 60))
    weights = rng.random(60)
    weights /= weights.sum()
    fitted = logistic(
        torch.from_numpy(z), torch.from_numpy(weights), torch.from_numpy(p),
        torch.ones(2, 3, dtype=torch.bool), Together(torch.arange(60)),
    )  # fmt: skip
    doubled, labels = np.concatenate([z[0], z[0]]), np.repeat([1, 0], 60)
    for row, output in np.ndindex(2, 3):
        share = np.concatenate([weights * p[row, :, output], weights * (1 - p[row, :, output])])
        package = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(doubled, labels, share)
        np.testing.assert_allclose(fitted.beta[row, output], package.coef_[0], atol=1e-5)
        assert float(fitted.intercepts[row, output]) == pytest.approx(
            package.intercept_[0], abs=1e-5
        )


def test_probabilities_of_0_and_1_leave_coefficients_finite():
    model, table = formula_case(of_logit(lambda x: 1e4 * torch.sign(x[:, 0])), 2, task="binary")
    result = api.local_functions(model, table[:5], table, function="logistic", scale=1.0)
    assert np.isfinite(result.coefficients).all()
    assert np.isfinite(result.std_errors).all()
    assert result.share_missed().max() < 0.05


def test_squared_and_gradient_loss_meet_with_the_root_of_the_samples():
    table = tiny_table(n=200, d=5, categorical=False)
    model, sizes, apart = tiny_model(table, scale=1.0), [500, 2000, 8000], []
    for m in sizes:
        found = [
            api.local_functions(
                model, table[:32], table, loss=loss, samples=m, heldout=16, scale=0.5, seed=seed
            ).coefficients
            for loss, seed in (("squared", 1), ("gradient", 2))
        ]
        apart.append(np.linalg.norm(found[0] - found[1]))
    slope = np.polyfit(np.log(sizes), np.log(apart), 1)[0]
    assert slope == pytest.approx(-0.5, abs=0.1)


def test_what_is_missed_is_about_samples_not_seen():
    model, table = api.load_model("breast-cancer-mlp"), api.load_table("breast-cancer")
    background = api.background_for(model, table, n=200)
    few, many = (
        api.local_functions(model, table[:20], background, samples=m, scale=1.0) for m in (32, 4096)
    )
    fitted = few.fitted_missed[:, 1].sum() / few.fitted_total[:, 1].sum()
    assert fitted < 0.05
    assert few.missed[:, 1].sum() / few.total[:, 1].sum() > 0.5
    assert few.share_missed(1).mean() > 5 * fitted
    assert many.missed[:, 1].sum() / many.total[:, 1].sum() < 0.5
    assert "32 samples for 30 coefficients: the function follows" in few.provenance.notes[0]


COVERED = [
    {"samples": 30, "scale": 1.0}, {"samples": 100}, {"loss": "gradient", "samples": 32},
    {"operator": "mask", "samples": 100}, {"operator": "mask", "law": "shapley", "samples": 100},
    {"operator": "resample", "samples": 100}, {"function": "logistic", "samples": 100},
    {"function": "logistic", "loss": "gradient", "samples": 32},
    {"function": "pairwise", "loss": "gradient", "samples": 60},
    {"operator": "scale", "loss": "gradient", "samples": 16},
]  # fmt: skip


@pytest.mark.parametrize("settings", COVERED, ids=settings_id)
def test_standard_errors_are_those_of_other_seeds(settings):
    table = tiny_table(n=100, d=8, categorical=False)
    model, rows = tiny_model(table, scale=1.0), table[:4]
    runs = [
        api.local_functions(model, rows, table, heldout=16, seed=seed, **settings)
        for seed in range(10)
    ]
    found = np.stack([np.concatenate([r.coefficients, r.pair_coefficients], 1) for r in runs])
    told = np.stack([np.concatenate([r.std_errors, r.pair_std_errors], 1) for r in runs])
    ratio = np.sqrt((told**2).mean(0)) / found.std(0, ddof=1)
    # Errors are rather too large of very few samples, and on the way, where neighbours differ by
    # more than chance.
    assert 0.7 < np.median(ratio) < (2.7 if settings.get("operator") == "scale" else 1.7)


def test_what_is_missed_follows_its_definition():
    table = tiny_table(d=4, categorical=False)
    model, rows, heldout = tiny_model(table), table[:2], 64
    result = api.local_functions(model, rows, table, heldout=heldout, scale=1.0, seed=3)
    scene = make_scene(model, table, "probability", Context(), lambda: None)
    near = make_neighbourhood(
        scene, "add", "normal", 1.0, heldout, Context(seed=3), address=100, coefficients=4
    )
    z, answers, _ = near.look(rows.X)
    said = z.numpy() @ result.coefficients + result.intercepts[:, None]
    spread = answers.numpy().var(1)
    np.testing.assert_allclose(result.missed, ((answers.numpy() - said) ** 2).mean(1))
    np.testing.assert_allclose(result.total, spread)
    X = rows.X[:, None] + z * scene.spread
    expected = model.predict(X.flatten(0, 1)).unflatten(0, (2, heldout))
    torch.testing.assert_close(answers, expected)


@pytest.mark.parametrize(
    "settings",
    [{}, {"function": "sparse", "num_features": 2}, {"operator": "resample"},
     {"operator": "mask", "function": "pairwise"}, {"function": "logistic"},
     {"function": "pairwise", "loss": "gradient"}, {"operator": "scale", "loss": "gradient"},
     {"function": "logistic", "loss": "gradient"}],
    ids=settings_id,
)  # fmt: skip
def test_a_row_does_not_depend_on_the_others(settings):
    table = tiny_table(d=5, missing=True)
    model = tiny_model(table)
    together = api.local_functions(model, table[:6], table, samples=128, **settings)
    asked = FitParams(samples=128, **settings)
    cost = METHODS["lfa.fit"].cost(model, 6, len(table), asked)
    assert together.provenance.evaluations <= cost.evaluations
    for order in ([5, 2, 0], [3]):
        alone = api.local_functions(model, table[order], table, samples=128, **settings)
        np.testing.assert_allclose(
            alone.coefficients, together.coefficients[order], rtol=1e-6, atol=1e-9
        )
        np.testing.assert_allclose(alone.missed, together.missed[order], rtol=1e-6, atol=1e-12)


def test_what_cannot_vary_has_no_coefficient():
    table = tiny_table(d=5, missing=True)
    model = tiny_model(table)
    for settings in (
        {}, {"loss": "gradient"}, {"function": "logistic"}, {"function": "pairwise"},
        {"function": "pairwise", "loss": "gradient"}, {"function": "logistic", "loss": "gradient"},
    ):  # fmt: skip
        result = api.local_functions(model, table[:9], table, samples=64, **settings)
        numbers = np.array([f.kind != "categorical" for f in table.schema.features])
        known = numbers & ~np.isnan(result.data)
        assert (result.selected == known[..., None]).all()
        assert (result.coefficients[~known] == 0).all()
        assert (result.std_errors[~known] == 0).all()
    assert result.meanings[1] == "is not moved"
    assert result.meanings[0].startswith("one standard deviation (")
    mask = api.local_functions(model, table[:9], table, operator="mask")
    reference = make_scene(model, table, "probability", Context(), lambda: None).reference
    alike = (table.X[:9] == reference).numpy()
    assert alike.any()
    assert (mask.coefficients[alike] == 0).all()


def test_a_single_feature_is_enough():
    model, table = formula_case(one_output(lambda x: x[:, 0] ** 2), 1)
    for settings in (
        {}, {"loss": "gradient"}, {"function": "pairwise"}, {"operator": "resample"},
        {"operator": "scale", "loss": "gradient"},
        *({"operator": "mask", "law": law} for law in ("exponential", "shapley", "single")),
    ):  # fmt: skip
        result = api.local_functions(model, table[:2], table, **settings)
        assert np.isfinite(result.coefficients).all(), settings
        if settings.get("operator") in {"mask", "scale"}:
            change = result.predictions - float(table.X.mean()) ** 2
            np.testing.assert_allclose(result.coefficients[:, 0], change, atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"law": "shapley"}, "law 'shapley' does not go with operator 'add'; choose normal, unif"),
        ({"scale": 0.0}, "scale: input should be greater than 0, got 0.0"),
        ({"scale": -1.0}, "scale: input should be greater than 0, got -1.0"),
        ({"scale": 200.0}, r"scale \(200\) of operator 'add' is the standard deviations"),
        ({"operator": "resample", "scale": 1.5}, "share of the features that get the value"),
        ({"operator": "mask", "law": "even", "scale": 1.0}, "law 'even' has no scale; leave"),
        ({"operator": "scale"}, "tell no feature from another; choose loss 'gradient', or op"),
        ({"operator": "mask", "loss": "gradient"}, "has no slopes; choose loss 'squared', or op"),
        ({"operator": "mask", "scale": 0.1}, "least 0.2, below which nothing is ever removed"),
        (
            {"function": "pairwise", "operator": "scale", "loss": "gradient"},
            "no pair can be told from another; choose operator 'add' or 'mask'",
        ),
        ({"function": "pairwise", "operator": "mask", "law": "single"}, "one feature at a time"),
        ({"num_features": 2}, "num_features is for function 'sparse', not 'linear'; leave it out"),
        ({"function": "sparse", "num_features": 9}, "reads 3 features; choose at most 3"),
        ({"function": "logistic"}, "A logistic function is for probabilities; choose function"),
    ],
)
def test_says_what_does_not_go_together(settings, message):
    model, table = formula_case(one_output(lambda x: x.sum(1)), 3)
    with pytest.raises(InvalidInputError, match=message):
        api.local_functions(model, table[:1], table, **settings)


def test_scores_have_no_logistic_function():
    table = tiny_table()
    with pytest.raises(InvalidInputError, match="or output 'probability' of a classifier"):
        api.local_functions(
            tiny_model(table), table[:1], table, function="logistic", output="score"
        )


def test_black_boxes_are_asked_for_answers_alone():
    model, table = formula_case(one_output(lambda x: x.sum(1)), 3, black_box=True)
    with pytest.raises(InvalidInputError, match="black box, which shows no slopes; choose loss 's"):
        api.local_functions(model, table[:1], table, loss="gradient")
    assert api.local_functions(model, table[:1], table).share_missed().max() < 1e-12


def test_a_table_without_numbers_is_masked_and_not_moved():
    table = tiny_table(d=6)
    names = [i for i, f in enumerate(table.schema.features) if f.kind == "categorical"]
    schema = table.schema.model_copy(
        update={"features": tuple(table.schema.features[i] for i in names)}
    )
    table = replace(table, schema=schema, X=table.X[:, names].contiguous())
    model = tiny_model(table)
    with pytest.raises(InvalidInputError, match="choose operator 'mask' or 'resample', or another"):
        api.local_functions(model, table[:2], table)
    for operator in ("mask", "resample"):
        result = api.local_functions(
            model, table[:2], table, operator=operator, function="pairwise"
        )
        assert (result.missed < result.total).all()


def test_models_may_be_named():
    rows = api.load_table("adult", rows="5")
    background = api.load_table("adult", rows=":100")
    result = api.local_functions("adult-mlp", rows, background, operator="mask", law="shapley")
    total = result.coefficients.sum(1) + result.intercepts
    np.testing.assert_allclose(total, result.predictions, atol=1e-6)
    with pytest.raises(InvalidInputError, match="features; call local_functions"):
        api.explain("adult-mlp", rows, background, method="lfa.fit")
