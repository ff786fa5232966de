"""Churn of an update: on real models against updates that were trained, and what it refuses."""

import functools
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch.nn import functional

from tests.churns import churn_of, some_churn
from tests.networks import tiny_model, tiny_table
from workbench import api
from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.rashomon import EXPLORERS
from workbench.core.table import Table
from workbench.engines.rashomon import churn as engine
from workbench.engines.rashomon.churn_params import ChurnParams
from workbench.engines.rashomon.realised import realised
from workbench.numerics.stream.dropout import Dropout
from workbench.numerics.stream.family import Members, materialise


@functools.cache
def german(**params):
    return api.churn("german-mlp", api.load_table("german"), device="cpu", **params)


@functools.cache
def trained_again(seeds, hidden=16, epochs=60):
    """What small networks say of the German test rows, all trained at once: a seed and a bootstrap
    each."""
    model = api.load_model("german-mlp")
    table = api.load_table("german", split="all")
    train, test = table.split("train"), table.split("test")
    x, y, z = model.encode(train.X).float(), train.y.long(), model.encode(test.X).float()
    random = torch.Generator().manual_seed(0)
    p, n = x.shape[1], len(x)
    weights = [
        torch.randn(seeds, p, hidden, generator=random) / p**0.5,
        torch.zeros(seeds, 1, hidden),
        torch.randn(seeds, hidden, 2, generator=random) / hidden**0.5,
        torch.zeros(seeds, 1, 2),
    ]
    drawn = torch.multinomial(torch.ones(seeds, n), n, replacement=True, generator=random)
    counts = torch.zeros(seeds, n).scatter_add_(1, drawn, torch.ones(seeds, n)) / n
    for part in weights:
        part.requires_grad_(True)
    optimiser = torch.optim.Adam(weights, lr=0.02, weight_decay=1e-3)

    def logits(rows):
        first, bias, last, offset = weights
        return torch.relu(rows @ first + bias) @ last + offset

    for _ in range(epochs):
        optimiser.zero_grad()
        losses = functional.cross_entropy(
            logits(x).flatten(0, 1), y.repeat(seeds), reduction="none"
        )
        (losses.view(seeds, n) * counts).sum().backward()
        optimiser.step()
    return logits(z).softmax(-1).detach().double().numpy(), test


def test_updates_that_are_trained_change_the_rows_that_others_did():
    """CH3: flip probabilities of 22 trainings foretell what eight others change."""
    outputs, test = trained_again(31)
    base, known, held = outputs[0], outputs[1:23], outputs[23:]
    single = api.churn("german-mlp", test[:4], api.load_table("german", split="all"), models=2)
    foreseen = churn_of(
        known, base, test.y.numpy(), explorers=("retraining",),
        single=_single(single, test),
    )  # fmt: skip
    areas = []
    for other in held:
        found = realised(foreseen.with_update(other, "held out"))
        flipped = other.argmax(1) != base.argmax(1)
        assert found.area[0] == pytest.approx(roc_auc_score(flipped, foreseen.flips().value))
        assert found.churn[0] == pytest.approx(flipped.mean())
        assert found.bin_rows.sum() == len(test)
        areas.append(found.area[0])
    assert np.mean(areas) >= 0.8


def _single(result, test):
    """What ``churn_of`` takes from a result: schema, names, rows."""

    class Single:
        schema, output_names, provenance = (
            result.schema, result.output_names, result.provenance
        )  # fmt: skip
        data, ids = test.X.numpy(), test.ids.numpy()

        def __len__(self):
            return len(test)

    return Single()


def test_near_copies_foresee_what_training_again_changes():
    """Dropout knows nothing of the trainings, and yet ranks the rows that they change."""
    result = german()
    outputs, _ = trained_again(31)
    areas = [realised(result.with_update(own, "trained")).area for own in outputs]
    assert np.mean([area for area, _, _ in areas]) >= 0.7
    assert all(low <= area <= high for area, low, high in areas)


def test_what_is_kept_can_be_made_again():
    result = german()
    model = api.load_model("german-mlp")
    family = Dropout(model, "units", "gaussian", 0)
    members = Members(
        *(torch.from_numpy(part) for part in (
            result.model_number, result.model_strength, result.model_stretch
        ))
    )  # fmt: skip
    assert result.explorers == ("gaussian-units",)
    test = api.load_table("german")
    validation = api.load_table("german", split="validation")
    for place in (0, len(members.numbers) - 1):
        again = materialise(family, members, place)
        said = again.predict(test.X).numpy()
        np.testing.assert_array_equal(said.argmax(1), result.decisions[place])
        own = -again.predict(validation.X).log()
        loss = own[torch.arange(len(own)), validation.y.long()].mean()
        assert float(loss) - result.base_loss == pytest.approx(result.excess[place], abs=1e-5)
        assert result.excess[place] <= result.tolerances[-1]


def test_churn_is_within_its_bounds_on_german_credit():
    """CH2, CH4, CH5 on a real set."""
    result = german()
    for tolerance in result.tolerances:
        churn = result.churn(tolerance)
        if len(churn):
            assert (churn <= result.worst(tolerance)).all()
            assert result.worst(tolerance) <= result.bound(tolerance)
    matrix = result.pairwise()
    assert (matrix == matrix.T).all()
    assert (np.diag(matrix) == 0).all()
    naive = (result.decisions[:, None] != result.decisions[None]).mean(2)
    np.testing.assert_allclose(matrix, naive, atol=1e-12)
    fixes, breaks, neutral = result.effects()
    np.testing.assert_allclose(fixes + breaks + neutral, result.churn())
    frame = result.to_frame()
    assert (np.diff(frame["models"]) >= 0).all()
    assert (np.diff(frame["worst"]) >= 0).all()
    assert ((frame["low"] <= frame["expected"]) & (frame["expected"] <= frame["high"])).all()


def test_several_explorers_add_up_and_pushing_reaches_the_tolerance():
    both = german(explorers="auto,gaussian-weights", models=40)
    assert both.explorers == ("gaussian-units", "gaussian-weights")
    assert list(both.drawn) == [40, 40]
    assert set(both.model_explorer) == {0, 1}
    pushed = german(models=20, push=True, tolerances="0.01")
    assert len(pushed.excess) == 20
    assert (pushed.excess > 0.009).all()
    assert (pushed.excess <= 0.01).all()


def test_a_regression_tells_what_moves():
    rows = api.load_table("diabetes")
    result = api.churn("diabetes-mlp", rows, models=50, gamma=0.2)
    assert result.movement > 0
    assert result.loss_name == "mean squared error"
    own = result.with_update(result.predictions + 2 * result.movement, "shifted")
    assert own.update_decisions.all()
    assert np.isnan(realised(own).area).all()


def test_more_classes_have_neutral_changes():
    rows = api.load_table("wine", split="all")
    result = api.churn("wine-mlp", rows, models=100, most=0.4)
    np.testing.assert_allclose(sum(result.effects()), result.churn())
    assert any("also admit models" in note for note in result.provenance.notes)


def test_a_real_update_is_held_against_what_was_foreseen():
    rows = api.load_table("adult", rows="0:300")
    result = api.churn("adult-mlp", rows, update="adult-linear", models=60, admission_rows=1000)
    found = realised(result)
    assert result.update == "adult-linear@1"
    linear = api.load_model("adult-linear").predict(rows.X).numpy().argmax(1)
    assert found.churn[0] == pytest.approx((linear != result.base).mean())
    assert found.fixes + found.breaks == pytest.approx(found.churn[0])
    assert found.area[0] > 0.8


def test_classes_of_an_update_may_be_in_another_order():
    rows = api.load_table("german", rows="0:40")
    model = api.load_model("german-mlp")
    result = api.churn(model, rows, api.load_table("german", split="all"), models=10)
    card = model.card.model_copy(
        update={"schema_": model.schema.model_copy(update={"classes": model.schema.classes[::-1]})}
    )
    other = replace(model, card=card)
    swapped = api.realised_churn(result, other, rows.with_classes(model.schema.classes[::-1]))
    np.testing.assert_array_equal(swapped.update_decisions, 1 - result.base)


def test_an_explorer_that_cannot_serve_the_model_leaves_the_others():
    rows, few = api.load_table("adult", rows="0:20"), {"models": 8, "admission_rows": 100}
    both = ("gaussian-units", "gaussian-weights")
    result = api.churn("adult-linear", rows, explorers=both, device="cpu", **few)
    assert result.drawn.tolist() == [0, 8]
    assert set(result.model_explorer) == {1}
    assert any("has no hidden units" in note for note in result.provenance.notes)
    with pytest.raises(InvalidInputError, match="has no hidden units"):
        api.churn("adult-linear", rows, explorers=both[:1], device="cpu", **few)


REFUSED = {
    "explorers": ({"explorers": "psychic"}, "psychic is no explorer, choose among auto"),
    "twice": ({"explorers": "auto,auto"}, "an explorer is named twice"),
    "no-models": ({"explorers": "quadratic"}, "tries no models"),
    "tolerance": ({"tolerances": "-1,0.1"}, "no tolerance may be below 0"),
    "gamma": ({"gamma": 0}, "gamma: input should be greater than 0"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_settings_that_cannot_be_are_refused(case):
    params, message = REFUSED[case]
    with pytest.raises(InvalidInputError, match=message):
        german(**params)


def test_updates_that_cannot_replace_are_refused():
    rows = api.load_table("german", rows="0:20")
    with pytest.raises(InvalidInputError, match="decides among other classes"):
        api.churn("german-mlp", rows, update="adult-mlp")
    result = api.churn("german-mlp", rows, models=4)
    with pytest.raises(InvalidInputError, match="are not those of the result"):
        api.realised_churn(result, "german-mlp", api.load_table("german", rows="20:40"))
    with pytest.raises(InvalidInputError, match="There is no update to hold this against"):
        realised(result)


def test_too_much_to_keep_is_refused():
    table = tiny_table(n=200)
    rows = Table(table.schema, table.X, table.ids, table.y)
    context, params = Context(budget=2**20), ChurnParams(models=5000)
    with pytest.raises(InvalidInputError, match=r"take 0\.0 GB, more than there is room for"):
        engine._explain(tiny_model(table), rows, rows, params, context)


def test_a_linear_model_has_no_hidden_units():
    result = api.churn("adult-linear", api.load_table("adult", rows="0:50"), models=20,
                       admission_rows=500)  # fmt: skip
    assert result.explorers == ("gaussian-weights",)
    with pytest.raises(InvalidInputError, match="no hidden units"):
        api.churn("adult-linear", api.load_table("adult", rows="0:50"), models=20,
                  explorers="gaussian-units", admission_rows=500)  # fmt: skip


def test_nothing_admitted_foresees_nothing():
    result = some_churn(excess=np.full(30, 0.015)).with_update(some_churn().predictions, "same")
    with pytest.raises(InvalidInputError, match="No prospective model is within this tolerance"):
        realised(result, 0.01)


def test_every_explorer_of_a_result_is_known():
    with pytest.raises(InvalidInputError, match="not known to this version"):
        some_churn(explorers=("psychic",))
    assert "retraining" in EXPLORERS
