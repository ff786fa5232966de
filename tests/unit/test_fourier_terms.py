"""Waves against explicit projections, known sums, and what they leave out."""

import numpy as np
import pytest

from workbench.core.errors import InvalidInputError
from workbench.numerics.fourier_terms import GridFeature, waves_of

P = 11
X, Y = np.meshgrid(np.arange(P), np.arange(P), indexing="ij")


def angle(a, b):
    return 2 * np.pi * (a * X + b * Y) / P


@pytest.mark.parametrize(
    ("a", "b", "label"),
    [
        (3, 0, "cos 3x"), (0, 1, "cos y"), (2, 2, "cos 2(x + y)"), (1, -1, "cos (x - y)"),
        (4, -4, "cos 4(x - y)"), (3, 1, "cos (3x + y)"), (1, -5, "cos (x - 5y)"),
    ],
)  # fmt: skip
def test_a_single_wave_is_named(a, b, label):
    (wave,) = [w for w in waves_of(7.0 + 2 * np.cos(angle(a, b))) if w.share > 1e-9]
    assert (wave.x, wave.y, wave.label) == (a, b, label)
    assert wave.share == pytest.approx(1.0)
    assert wave.cosine == pytest.approx(1.0)
    assert waves_of(np.sin(angle(a, b)))[0].label == label.replace("cos", "sin")


def test_a_wave_keeps_its_share_when_it_is_moved_along():
    for phase in (0.3, 1.0, 2.0):
        wave = waves_of(np.cos(angle(4, 4) + phase))[0]
        assert wave.share == pytest.approx(1.0)
        assert wave.cosine == pytest.approx(np.cos(phase) ** 2)


def test_waves_of_a_mix_share_by_the_squares_of_their_heights():
    mixed = 3 * np.cos(angle(5, 5) + 0.4) - 2 * np.sin(angle(2, 0)) + np.cos(angle(0, 3)) + 1
    found = waves_of(mixed)[:3]
    assert [wave.label for wave in found] == ["cos 5(x + y)", "sin 2x", "cos 3y"]
    np.testing.assert_allclose([wave.share for wave in found], np.array([9, 4, 1]) / 14)


def test_a_product_is_half_the_sum_and_half_the_difference():
    found = waves_of(np.cos(angle(3, 0)) * np.cos(angle(0, 3)))[:2]
    assert {wave.label for wave in found} == {"cos 3(x + y)", "cos 3(x - y)"}
    np.testing.assert_allclose([wave.share for wave in found], 0.5)


def test_shares_are_those_of_projections_on_each_cosine_and_sine():
    grid = np.random.default_rng(0).normal(size=(P, P))
    found = waves_of(grid)
    assert len(found) == (P**2 - 1) // 2
    assert sum(wave.share for wave in found) == pytest.approx(1.0)
    for wave in found:
        parts = []
        for shape in (np.cos(angle(wave.x, wave.y)), np.sin(angle(wave.x, wave.y))):
            height = (grid * shape).sum() / (shape**2).sum()
            parts.append((height * shape).var())
        assert wave.share == pytest.approx(sum(parts) / grid.var())
        assert wave.cosine == pytest.approx(parts[0] / sum(parts))


@pytest.mark.parametrize("value", [0.0, 1.0, 0.1, 1e6 / 3])
def test_a_constant_has_no_waves(value):
    assert waves_of(np.full((P, P), value)) == []
    assert GridFeature("stream", 1, 0.0, 2, np.full((P, P), value), ()).label == "no wave"


def test_a_feature_is_called_by_its_strongest_wave():
    grid = 3 * np.cos(angle(5, 5)) + np.cos(angle(2, 0))
    assert GridFeature("stream", 1, 1.0, 0, grid, tuple(waves_of(grid))).label == (
        "cos 5(x + y) 90 %"
    )


def test_an_even_number_is_refused():
    with pytest.raises(InvalidInputError, match=r"odd p alone, got p=4"):
        waves_of(np.zeros((4, 4)))
