"""Models trained again beside a given one: do they agree with it?"""

from dataclasses import replace

from workbench.core.context import Context
from workbench.core.method import METHODS, Effort, Method
from workbench.core.model import Model
from workbench.core.rashomon import RashomonSet
from workbench.core.table import Table
from workbench.engines.rashomon.retrain_params import RetrainParams, trains_again
from workbench.engines.rashomon.set import explain_set, set_cost

NAME = "rashomon.retrain"


def _explain(
    model: Model, rows: Table, table: Table, params: RetrainParams, context: Context
) -> RashomonSet:
    found = explain_set(model, rows, table, params, context)
    own = METHODS[NAME]
    record = found.provenance.model_copy(
        update={"method": NAME, "title": own.title, "reference": own.reference}
    )
    return replace(found, provenance=record)


def _efforts(_: int) -> dict[str, Effort]:
    return {
        "quick": Effort(0, {"models": 25}),
        "standard": Effort(0, {}),
        "thorough": Effort(0, {"models": 500}),
    }


METHODS.register(
    NAME,
    Method(
        title="Models trained again",
        question="How much do models disagree that were trained again, from other starts and on "
        "other samples?",
        explain=_explain,
        params=RetrainParams,
        yields=RashomonSet,
        needs=frozenset(),
        uses=frozenset({"table", "labels"}),
        cost=set_cost,
        trains=trains_again,
        efforts=_efforts,
        reference="Marx, Calmon and Ustun (2020)",
        weakness="Training finds its way to few of all equally good models, so ranges are narrow; "
        "it leans towards models that stopped early; the settings of the given model's own "
        "training are not known.",
    ),
)
