"""The encoder against scikit-learn's, and its promise: a column depends on one feature alone."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from workbench.core.encoder import TabularArguments, TabularEncoder
from workbench.core.schema import Feature, Schema

ONE_HOT, EMBEDDING = (
    TabularArguments(categorical=kind, embedding_size=3) for kind in ("one_hot", "embedding")
)


def feature(name, levels=0, *, has_missing=False):
    """A number without levels, else a category."""
    return Feature(
        name=name,
        kind="categorical" if levels else "numeric",
        categories=tuple(f"c{i}" for i in range(levels)),
        has_missing=has_missing,
    )


def build(*features, arguments=ONE_HOT):
    torch.manual_seed(0)
    return TabularEncoder(Schema(features=features), arguments).eval()


def rows(features, n, seed=0, *, missing=True):
    random = np.random.default_rng(seed)
    X = np.empty((n, len(features)))
    for column, one in zip(X.T, features, strict=True):
        levels = len(one.categories)
        column[:] = random.integers(0, levels, n) if levels else random.normal(30, 7, n)
        if missing and one.has_missing:
            column[random.random(n) < 0.3] = np.nan
    return torch.from_numpy(X)


@st.composite
def features_and_rows(draw):
    levels = draw(st.lists(st.integers(0, 4), min_size=1, max_size=6))
    features = [
        feature(f"f{i}", count, has_missing=draw(st.booleans())) for i, count in enumerate(levels)
    ]
    return features, rows(features, draw(st.integers(1, 12)), draw(st.integers(0, 99)))


def test_equals_scikit_learn():
    features = [feature("a"), feature("b", 3), feature("c"), feature("d", 2)]
    X = rows(features, 200)
    encoder = build(*features)
    encoder.fit(X)
    numbers = StandardScaler().fit_transform(X[:, [0, 2]].numpy())
    levels = OneHotEncoder(categories=[range(3), range(2)], sparse_output=False)
    expected = np.hstack([numbers, levels.fit_transform(X[:, [1, 3]].numpy())])
    assert encoder.groups.tolist() == [0, 2, 1, 1, 1, 3, 3]
    # Mean and scale are kept in single precision, like the weights.
    np.testing.assert_allclose(encoder(X), expected, atol=1e-5)
    np.testing.assert_allclose(encoder(X.float()), expected, atol=1e-5)


def test_scaling_leaves_missing_numbers_out_as_scikit_learn_does():
    features = [feature("a", has_missing=True), feature("b", has_missing=True)]
    X = rows(features, 100)
    encoder = build(*features)
    encoder.fit(X)
    scaler = StandardScaler().fit(X.numpy())
    np.testing.assert_allclose(encoder.mean, scaler.mean_, rtol=1e-6)
    np.testing.assert_allclose(encoder.scale, scaler.scale_, rtol=1e-6)
    expected = np.hstack([np.nan_to_num(scaler.transform(X.numpy())), X.isnan().numpy()])
    np.testing.assert_allclose(encoder(X), expected, atol=1e-5)
    assert encoder.groups.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize("constant", [0.1, 0.3, -1e6, 0.0, 1e30])
@pytest.mark.parametrize("n", [1, 10, 1000])
def test_a_constant_column_keeps_scale_1(constant, n):
    # The mean of 1,000 times 0.1 is not 0.1, so the variance alone does not tell.
    encoder = build(feature("a"), feature("b", has_missing=True))
    X = torch.full((n, 2), constant, dtype=torch.float64)
    X[n // 2 :, 1] = torch.nan
    encoder.fit(X)
    assert encoder.scale.tolist() == [1.0, 1.0]
    known = encoder(X[:1])[0, 0].item()
    assert known == pytest.approx(0, abs=1e-6 * max(1.0, abs(constant)))


def test_a_column_without_values_is_zero():
    encoder = build(feature("a", has_missing=True))
    encoder.fit(torch.full((5, 1), torch.nan, dtype=torch.float64))
    assert (encoder.mean.item(), encoder.scale.item()) == (0.0, 1.0)
    assert encoder(torch.tensor([[torch.nan]])).tolist() == [[0.0, 1.0]]


@given(features_and_rows(), st.sampled_from([ONE_HOT, EMBEDDING]), st.data())
def test_a_column_changes_only_with_its_feature(drawn, arguments, data):
    features, X = drawn
    encoder = build(*features, arguments=arguments)
    encoder.fit(X)
    before = encoder(X)
    assert before.shape == (len(X), len(encoder.groups))
    assert before.dtype == torch.float32, "the precision of the encoder, not of the table"
    assert bool(before.isfinite().all())
    i = data.draw(st.integers(0, len(features) - 1))
    changed = X.clone()
    changed[:, i] = rows(features, len(X), seed=data.draw(st.integers(100, 199)))[:, i]
    moved = (encoder(changed) != before).any(0)
    assert set(encoder.groups[moved].tolist()) <= {i}
    differs = (changed[:, i] != X[:, i]) & ~(changed[:, i].isnan() & X[:, i].isnan())
    if len(features[i].categories) != 1 or features[i].has_missing:  # one level is always the same
        assert bool(moved.any()) == bool(differs.any())


@given(features_and_rows())
def test_every_feature_has_its_columns(drawn):
    features, _ = drawn
    groups = build(*features).groups.tolist()
    counts = {i: (len(one.categories) or 1) + one.has_missing for i, one in enumerate(features)}
    assert {i: groups.count(i) for i in set(groups)} == counts


def test_missing_values_with_and_without_a_column_that_says_so():
    nan = torch.nan
    plain = build(feature("a"), feature("b", 2))
    assert plain(torch.tensor([[nan, nan], [5.0, 1.0]])).tolist() == [[0, 0, 0], [5, 0, 1]]
    flagged = build(feature("a", has_missing=True), feature("b", 2, has_missing=True))
    assert flagged(torch.tensor([[nan, nan], [5.0, 1.0]])).tolist() == [
        [0, 1, 0, 0, 1],
        [5, 0, 0, 1, 0],
    ]
    assert flagged.groups.tolist() == [0, 0, 1, 1, 1]


def test_an_embedded_category_is_its_vector():
    encoder = build(
        feature("a", 4), feature("b"), feature("c", 2, has_missing=True), arguments=EMBEDDING
    )
    assert encoder.groups.tolist() == [1, 0, 0, 0, 2, 2, 2]
    vectors = {name: one.weight for name, one in encoder.embeddings.items()}
    assert {name: tuple(one.shape) for name, one in vectors.items()} == {"0": (4, 3), "2": (3, 3)}
    X = torch.tensor([[3.0, 0.5, torch.nan], [0.0, 0.5, 1.0]], dtype=torch.float64)
    expected = [
        torch.cat([torch.tensor([0.5]), vectors["0"][3], vectors["2"][2]]),
        torch.cat([torch.tensor([0.5]), vectors["0"][0], vectors["2"][1]]),
    ]
    assert torch.equal(encoder(X), torch.stack(expected).double())
    encoder(X).sum().backward()
    assert vectors["0"].grad.any(1).tolist() == [True, False, False, True]


def test_image_patches_are_numbers():
    pixel = Feature(name="p", kind="image_patch")
    encoder = build(pixel, pixel.model_copy(update={"name": "q"}))
    encoder.fit(torch.tensor([[0.0, 16.0], [16.0, 16.0]]))
    assert encoder(torch.tensor([[16.0, 17.0]])).tolist() == [[1.0, 1.0]]
