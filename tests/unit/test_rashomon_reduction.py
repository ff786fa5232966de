"""One pass over candidates against all of them kept, and what metrics promise."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.core.rashomon import METRICS, NO_MODEL
from workbench.engines.rashomon.metrics import measure, measure_range, metric_names
from workbench.engines.rashomon.reduction import Reduction, directions_of, growth_numbers
from workbench.engines.rashomon.search import Block
from workbench.engines.rashomon.tallies import SAMPLE, Sample
from workbench.numerics.stream.capacity import binary_capacity, capacity
from workbench.numerics.stream.family import Members

TOLERANCES = tuple(np.linspace(0, 0.04, 11))


def candidates(m, n, k, seed=0):
    """Excess losses, and outputs that move with them."""
    rng = torch.Generator().manual_seed(seed)
    base = torch.rand(n, k, generator=rng).softmax(-1)
    excess = 0.06 * torch.rand(m, generator=rng).double() - 0.01
    noise = torch.randn(m, n, k, generator=rng) * (excess.abs()[:, None, None] * 20).float()
    return base, (base.log() + noise).softmax(-1), excess


def reduce(base, outputs, excess, *, step=64, tolerances=TOLERANCES, is_class=True, delta=0.1):
    m = len(excess)
    rng = np.random.default_rng(0)
    sums = Reduction(
        tolerances, base, truth=None, is_class=is_class, delta=delta,
        growth_at=min(5, len(tolerances) - 1), growth_models=growth_numbers(m),
        directions=directions_of(base, len(tolerances), rng, is_class=is_class),
    )  # fmt: skip
    ones = torch.ones(m).double()
    members = Members(torch.arange(m) + 100, ones / 2, ones)
    for start in range(0, m, step):
        part = slice(start, start + step)
        sums.add(Block(members.take(part), excess[part], excess[part].abs() / 2, outputs[part]))
    return sums


def metrics_by_definition(base, outputs, delta):
    """Every metric but the capacity, from all outputs of the admitted models."""
    m, _, k = outputs.shape
    base, outputs = base.double(), outputs.double()
    decided, own = outputs.argmax(2), base.argmax(1)
    flips = (decided != own).double()
    shares = torch.nn.functional.one_hot(decided, k).double().mean(0)
    disagreement = m / (m - 1) * k / (k - 1) * (1 - shares.square().sum(1))
    counts = shares * m
    agreeing = (counts * (counts - 1) / 2).sum(1) / (m * (m - 1) / 2)  # of the pairs
    moved = (outputs - base).abs().amax(2) >= delta
    everyone = torch.cat([outputs, base[None]])
    return {
        "ambiguity": flips.amax(0).mean(),
        "discrepancy": flips.mean(1).max(),
        "obscurity": flips.mean(),
        "disagreement": disagreement.mean().clamp(max=1),
        "delta_ambiguity": moved.any(0).double().mean(),
        "delta_discrepancy": moved.double().mean(1).max(),
        "width": (everyone.amax(0) - everyone.amin(0)).amax(1).quantile(0.5),
        "deviation": outputs.std(0).amax(1).quantile(0.5),
        "self_consistency": agreeing.mean(),
    }


@pytest.mark.parametrize(("n", "k"), [(163, 2), (30, 4)])
def test_one_pass_equals_all_models_kept(n, k):
    base, outputs, excess = candidates(2000, n, k)
    sums = reduce(base, outputs, excess)
    seen = measure(sums)
    for t, tolerance in enumerate(TOLERANCES):
        within = outputs[excess <= tolerance]
        everyone = torch.cat([within, base[None]]).double()
        assert seen.admitted[t] == len(within)
        np.testing.assert_array_equal(seen.low[t], everyone.amin(0))
        np.testing.assert_array_equal(seen.high[t], everyone.amax(0))
        flips = (within.argmax(2) != base.argmax(1)).double().mean(0)
        np.testing.assert_allclose(seen.flips[t], flips, atol=1e-12)
        np.testing.assert_allclose(seen.deviation[t], within.double().std(0), atol=1e-6)
        expected = metrics_by_definition(base, within, 0.1)
        for name, value in expected.items():
            found = seen.metrics[t, list(METRICS).index(name)]
            assert found == pytest.approx(float(value), abs=1e-6), name
        if k == 2:
            ends = torch.from_numpy(seen.low[t, :, 1]), torch.from_numpy(seen.high[t, :, 1])
            np.testing.assert_allclose(seen.capacity[t], binary_capacity(*ends))


def test_capacity_of_few_extremes_is_nearly_that_of_all():
    base, outputs, excess = candidates(300, 12, 3)
    seen = measure(reduce(base, outputs, excess))
    for t in (3, 10):
        within = torch.cat([outputs[excess <= TOLERANCES[t]], base[None]])
        everyone = capacity(within.transpose(0, 1).double()).numpy()
        assert (seen.capacity[t] <= everyone * 1.001).all()
        np.testing.assert_allclose(np.log2(seen.capacity[t]), np.log2(everyone), atol=0.02)


def test_ends_know_their_models():
    base, outputs, excess = candidates(700, 20, 2)
    sums = reduce(base, outputs, excess, step=33)
    seen, kept = measure(sums), sums.kept_serials.numpy()
    for serials, ends in ((seen.low_serial, seen.low), (seen.high_serial, seen.high)):
        for t, i, c in np.ndindex(*serials.shape):
            serial = serials[t, i, c]
            own = base[i, c] if serial == NO_MODEL else outputs[serial, i, c]
            assert ends[t, i, c] == float(own)
            if serial != NO_MODEL:
                place = np.searchsorted(kept, serial)
                assert kept[place] == serial
                assert sums.kept[place].tolist()[0] == serial + 100
                assert float(sums.kept[place][3]) == float(excess[serial]) <= TOLERANCES[t]


def test_block_size_changes_nothing():
    base, outputs, excess = candidates(300, 15, 3)
    one, other = (measure(reduce(base, outputs, excess, step=step)) for step in (1, 300))
    for name in ("low", "high", "low_serial", "flips", "capacity", "admitted"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    np.testing.assert_allclose(one.deviation, other.deviation, atol=1e-9)


@settings(max_examples=6)
@given(st.integers(0, 10**6), st.sampled_from([2, 3, 10]))
def test_what_metrics_promise(seed, k):
    base, outputs, excess = candidates(60, 9, k, seed)
    seen, fewer = (measure(reduce(base, outputs[:m], excess[:m])) for m in (60, 25))
    find = lambda own, name: own.metrics[:, list(METRICS).index(name)]  # noqa: E731
    for name in ("ambiguity", "discrepancy", "width", "delta_ambiguity", "delta_discrepancy"):
        values = find(seen, name)
        known = values[~np.isnan(values)]
        assert (np.diff(known) >= 0).all(), name
        least = find(fewer, name)
        both = ~np.isnan(least)
        assert (values[both] >= least[both]).all(), name
    some = seen.admitted > 0
    assert (find(seen, "discrepancy")[some] <= find(seen, "ambiguity")[some]).all()
    assert (find(seen, "obscurity")[some] <= find(seen, "discrepancy")[some] + 1e-12).all()
    assert (find(seen, "disagreement")[seen.admitted > 1] <= 1).all()
    assert ((seen.capacity[some] >= 1) & (seen.capacity[some] <= k)).all()
    still = (seen.high - seen.low).max(2)[some] == 0
    assert (seen.capacity[some][still] == 1).all()


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.floats(0, 0.3))
def test_discrepancy_is_bounded_by_errors(seed, tolerance):
    """With the 0-1 loss on the same rows, no model flips more than 2 R(h0) + eps of them."""
    rng = torch.Generator().manual_seed(seed)
    base, outputs = torch.rand(30, 2, generator=rng), torch.rand(40, 30, 2, generator=rng)
    truth = base.argmax(1) ^ (torch.rand(30, generator=rng) < 0.2).long()
    copied = torch.rand(40, 30, 1, generator=rng) < 0.9
    outputs = torch.where(copied, base, outputs)
    risk = (base.argmax(1) != truth).double().mean()
    excess = (outputs.argmax(2) != truth).double().mean(1) - risk
    seen = measure(reduce(base, outputs, excess, tolerances=(tolerance,)))
    found = seen.metrics[0, list(METRICS).index("discrepancy")]
    assert np.isnan(found) or found <= 2 * float(risk) + tolerance + 1e-9


def test_no_model_is_not_no_disagreement():
    base, outputs, _ = candidates(20, 5, 2)
    seen = measure(reduce(base, outputs, torch.full((20,), 0.5).double()))
    assert (seen.admitted == 0).all()
    for name in ("metrics", "low", "high", "flips", "deviation", "capacity", "noise"):
        assert np.isnan(getattr(seen, name)).all(), name
    assert (seen.low_serial == NO_MODEL).all()


def test_one_model_has_no_spread_but_a_range():
    base, outputs, _ = candidates(1, 5, 2)
    seen = measure(reduce(base, outputs, torch.zeros(1).double()))
    named = dict(zip(METRICS, seen.metrics[0], strict=True))
    assert np.isnan([named["deviation"], named["disagreement"], named["self_consistency"]]).all()
    assert named["width"] > 0


def test_a_regression_decides_nothing():
    rng = torch.Generator().manual_seed(0)
    base, outputs = torch.randn(7, 1, generator=rng), torch.randn(50, 7, 1, generator=rng)
    sums = reduce(base, outputs, torch.zeros(50).double(), is_class=False)
    seen = measure(sums)
    assert metric_names(is_class=False) == ("width", "deviation")
    everyone = torch.cat([outputs, base[None]])
    width = (everyone.amax(0) - everyone.amin(0)).quantile(0.5)
    assert seen.metrics[0, 0] == pytest.approx(float(width))
    assert np.isnan(seen.flips).all() and np.isnan(seen.capacity).all()  # noqa: PT018
    assert np.isnan(sums.growing.found[:, :2]).all()
    assert np.isfinite(sums.growing.found[:, 2]).all()


def test_growth_is_that_of_the_first_models():
    base, outputs, excess = candidates(200, 30, 2)
    sums = reduce(base, outputs, excess, step=17)
    within = outputs[excess <= TOLERANCES[5]]
    for number, found in zip(growth_numbers(200), sums.growing.found, strict=True):
        if number > len(within):
            assert np.isnan(found).all()
            continue
        first = within[:number]
        flips = (first.argmax(2) != base.argmax(1)).double()
        everyone = torch.cat([first, base[None]])
        width = (everyone.amax(0) - everyone.amin(0)).amax(1).quantile(0.5)
        expected = [flips.amax(0).mean(), flips.mean(1).max(), width]
        np.testing.assert_allclose(found, [float(value) for value in expected], atol=1e-6)


def test_what_is_kept_does_not_grow_with_the_candidates():
    base, outputs, excess = candidates(50, 10, 2)
    few, many = reduce(base, outputs, excess), reduce(base, outputs, excess)
    members = Members(torch.arange(50), torch.ones(50).double(), torch.ones(50).double())
    for _ in range(50):
        many.add(Block(members, excess, excess, outputs))
    assert many.tried == 51 * 50
    assert many.n_bytes == few.n_bytes
    assert len(many.kept_serials) <= 4096
    assert SAMPLE / 2 <= len(many.sample.columns()) <= SAMPLE


def test_a_sample_is_evenly_spaced():
    sample = Sample()
    for start in range(0, 9000, 100):
        serials = torch.arange(start, start + 100)
        sample.add(serials, serials[:, None].double().expand(-1, 5))
    found = sample.columns()[:, 0]
    assert (np.diff(found) == sample.step).all()
    assert found[0] == 0
    assert found[-1] > 9000 - sample.step - 1


def test_ends_by_formula_tell_what_they_can():
    base = np.array([[0.4, 0.6], [0.9, 0.1]])
    low = np.array([[[0.3, 0.45], [0.8, 0.05]]])
    high = 1 - low[..., ::-1]
    seen = measure_range(low, high, base, is_class=True, delta=0.12)
    named = dict(zip(METRICS, seen.metrics[0], strict=True))
    assert (named["ambiguity"], named["delta_ambiguity"]) == (0.5, 0.5)
    assert named["width"] == pytest.approx((0.25 + 0.15) / 2)
    assert np.isnan([named["obscurity"], named["discrepancy"], named["deviation"]]).all()
    ends = torch.from_numpy(low[0, :, 1]), torch.from_numpy(high[0, :, 1])
    np.testing.assert_allclose(seen.capacity[0], binary_capacity(*ends))
