"""FastSHAP's answers: they add up, say how far off they are, and give way where they should."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.networks import tiny_model, tiny_table
from workbench import api
from workbench.core.errors import InvalidInputError
from workbench.core.model import Model
from workbench.core.wording import percent

QUICK = {
    "surrogate_epochs": 6, "warm_epochs": 10, "epochs": 1, "width": 32, "draws": 4, "device": "cpu",
}  # fmt: skip


@pytest.fixture(scope="module")
def case():
    """A model with an explainer of each value function, its table, and its background."""
    table = tiny_table(n=200, d=5, task="multiclass", missing=True)
    model = tiny_model(table, dtype=torch.float32)
    background = table[:25]
    for value in ("conditional", "marginal"):
        model = api.attach(
            model, api.train_explainer(model, table, background, value=value, **QUICK)
        )
    return model, table, background


def fastshap(model, rows, **params):
    return api.explain(model, rows, method="fastshap", **params)


class Counted(torch.nn.Module):
    """A network that counts the rows it is asked about."""

    def __init__(self, network):
        super().__init__()
        self.network, self.rows = network, 0

    def forward(self, inputs):
        self.rows += len(inputs)
        return self.network(inputs)


@pytest.mark.parametrize("value", ["marginal", "conditional"])
@pytest.mark.parametrize("n", [1, 3, 200])
def test_values_add_up_to_the_prediction(case, value, n):
    model, table, _ = case
    result = fastshap(model, table[:n], value=value)
    assert abs(result.gap).max() < 1e-5
    np.testing.assert_allclose(result.predictions, model.predict(table.X[:n]).numpy())
    # Probabilities add up to one, so what moves one class moves the others the other way.
    assert abs(result.values.sum(2)).max() < 1e-5


def test_asks_the_model_once_for_each_row(case):
    model, table, _ = case
    counted = Counted(model.network)
    asked = Model(model.encoder, counted, model.card, model.digest, model.explainers)
    result = fastshap(asked, table, fallback="flag")
    assert counted.rows == len(table) == result.provenance.evaluations


def test_flagged_rows_are_estimated_against_the_explainers_own_background(case):
    model, table, background = case
    strange = replace(table[:6], X=table.X[:6].clone())
    strange.X[:, 0] = 400.0
    rows = replace(table[:12], X=torch.cat([strange.X, table.X[6:12]]))
    flagged = fastshap(model, rows, fallback="flag")
    result = fastshap(model, rows)
    note = next(note for note in result.provenance.notes if "estimated instead" in note)
    assert note.startswith("6 of 12 rows")
    exact = api.explain(model, rows, background, method="exact")
    np.testing.assert_allclose(result.values[:6], exact.values[:6], atol=1e-6)
    np.testing.assert_array_equal(result.values[6:], flagged.values[6:])
    assert (result.std_errors[:6] == 0).all()
    np.testing.assert_array_equal(
        result.std_errors[6:], np.broadcast_to(model.explainers[-1].errors, (6, 5, 3))
    )
    assert result.provenance.evaluations > 12
    assert any("and should be estimated: rows 0, 1" in n for n in flagged.provenance.notes)
    assert not any("residual" in n for n in fastshap(model, rows, fallback="none").provenance.notes)


def test_flagged_rows_of_the_conditional_value_take_the_surrogates_values(case):
    model, table, _ = case
    strange = replace(table[:3], X=table.X[:3].clone())
    strange.X[:, 0] = 400.0
    flagged = fastshap(model, strange, value="conditional", fallback="flag")
    result = fastshap(model, strange, value="conditional")
    assert abs(result.gap).max() < 1e-5
    assert abs(result.values - flagged.values).max() > 1e-3
    assert result.provenance.evaluations == 3


def test_few_rows_of_the_training_are_flagged(case):
    model, table, _ = case
    notes = fastshap(model, table, fallback="flag").provenance.notes
    found = [note for note in notes if "residual" in note]
    n = int(found[0].split(" ")[0]) if found else 0
    assert n < 0.2 * len(table)


def test_names_the_background_and_the_error(case):
    model, table, background = case
    record = fastshap(model, table[:2]).provenance
    assert record.background_digest == background.digest
    assert record.n_background == 25
    certificate = model.explainers[-1].certificate
    assert f"{percent(certificate.relative)} of the values, on 20 held-out rows" in record.notes[0]
    assert "no sampling error" in record.notes[0].replace("and no", "no")


def test_a_row_does_not_depend_on_the_others(case):
    model, table, _ = case
    together = fastshap(model, table[:50], fallback="none").values
    for i in (0, 49):
        alone = fastshap(model, table[[i]], fallback="none").values
        np.testing.assert_allclose(alone[0], together[i], atol=1e-6)


def test_the_last_explainer_that_fits_is_asked(case):
    model, table, _ = case
    first = model.explainers[-1]
    second = replace(first, errors=first.errors * 2)
    both = api.attach(model, second)
    assert f"explainer {second.digest[:8]}" in fastshap(both, table[:1]).provenance.notes[0]
    again = api.attach(both, first)
    assert f"explainer {first.digest[:8]}" in fastshap(again, table[:1]).provenance.notes[0]
    assert len(again.explainers) == 3


def test_says_what_is_wrong(case):
    model, table, _ = case
    with pytest.raises(InvalidInputError, match=r"no explainer for score .*, but for probability"):
        fastshap(model, table[:1], output="score")
    bare = replace(model, explainers=())
    alone = (
        r"no explainer for probability .*\(marginal\); train one \(workbench fastshap train\)\.$"
    )
    with pytest.raises(InvalidInputError, match=alone):
        fastshap(bare, table[:1])
    assert api.list_methods()["shapley.fastshap"].lacks(bare) == (
        "a trained explainer: train one on the page FastSHAP, or on the command line with "
        "workbench fastshap train",
    )
    assert "explainer" in model.capabilities
    broken = table[:1]
    with pytest.raises(InvalidInputError, match="reads 'x0'"):
        fastshap(model, tiny_table(n=5, d=3, missing=False)[:1] if broken is None else _other())


def _other():
    table = tiny_table(n=5, d=5, categorical=False)
    features = tuple(f.model_copy(update={"name": f"z{f.name}"}) for f in table.schema.features)
    return replace(table, schema=table.schema.model_copy(update={"features": features}))
