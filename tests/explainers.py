"""A trained explainer whose every number is known, for tests of figures and pages."""

import numpy as np

from tests.attributions import FEATURES, provenance
from workbench.core.explainer import Certificate, Explainer, Fidelity
from workbench.core.schema import Schema


def trained(*, relative=0.05, history=(0.5, 0.1, 0.03, 0.04)):
    """An explainer of two classes; its weights fit no layer."""
    schema = Schema(
        features=FEATURES, target="income", task="binary", classes=("<=50K", ">50K"),
        favourable=">50K",
    )  # fmt: skip
    d, k = len(FEATURES), 2
    return Explainer(
        provenance=provenance(method="fastshap.train"),
        schema=schema,
        output_names=schema.output_names,
        output="probability",
        link="identity",
        unit="probability",
        value="marginal",
        surrogate_hidden=(8,),
        explainer_hidden=(8,),
        surrogate_weights=np.zeros(3, dtype=np.float32),
        explainer_weights=np.zeros(3, dtype=np.float32),
        empty=np.array([0.75, 0.25]),
        base_std_errors=np.array([0.01, 0.01]),
        background=np.zeros((4, d)),
        background_ids=np.arange(4),
        check_coalitions=np.zeros((2, d), dtype=bool),
        residual_limit=0.1,
        errors=np.arange(1, 1 + d * k).reshape(d, k) / 1000,
        history=np.array(history),
        certificate=Certificate(
            n_rows=40, n_coalitions=32, exact=True, against="game", loss=0.031, lowest_loss=0.03,
            mean_distance=0.02, rmse=0.004, relative=relative,
        ),
        fidelity=Fidelity(loss=0.3, no_information=0.6, full=0.01, rmse=0.02),
    )  # fmt: skip
