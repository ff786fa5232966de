"""Pictures of features by the two numbers that are added."""

import numpy as np
import pytest

from workbench.core.errors import InvalidInputError
from workbench.numerics.fourier_terms import GridFeature, waves_of
from workbench.plots.sums import sums

P = 7
X, Y = np.meshgrid(np.arange(P), np.arange(P), indexing="ij")


def feature(layer, number, grid):
    return GridFeature(layer, number, 1.0, 0, grid, tuple(waves_of(grid)))


@pytest.fixture
def features():
    wave = np.cos(2 * np.pi * 2 * (X + Y) / P)
    return [
        feature("stream", 1, wave), feature("stream", 2, np.full((P, P), 2.0)),
        feature("later", 1, 3 * np.cos(2 * np.pi * X / P) + wave),
    ]  # fmt: skip


@pytest.mark.parametrize("dark", [False, True])
def test_every_feature_is_a_picture_under_its_wave(features, dark):
    figure = sums(features, dark=dark)
    assert len(figure.data) == 3
    for trace, one in zip(figure.data, features, strict=True):
        np.testing.assert_array_equal(trace.z, one.grid)
        assert trace.zmin <= one.grid.min() <= one.grid.max() <= trace.zmax
        assert (trace.zmin + trace.zmax) / 2 == pytest.approx(one.grid.mean())
    named = [one.text for one in figure.layout.annotations]
    assert named == ["cos 2(x + y)<br>100 %", "no wave", "cos x<br>90 %"]
    assert figure.layout.yaxis.title.text == "stream: x"
    assert figure.layout.yaxis3.title.text == "later: x"


def test_a_layer_with_fewer_features_leaves_its_place_empty(features):
    figure = sums(features)
    used = {(trace.xaxis, trace.yaxis) for trace in figure.data}
    assert len(used) == 3
    assert figure.layout.yaxis4.visible is False


def test_without_features_there_is_no_picture():
    with pytest.raises(InvalidInputError, match="at least 1 feature, got none"):
        sums([])
