"""A method describes itself; form, command line, report, docs and tests read the record."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.model import Model
from workbench.core.params import Params
from workbench.core.results import Result
from workbench.core.schema import listing
from workbench.core.table import Table

# What it means for a model not to have a capability.
MISSING: Mapping[str, str] = {
    "differentiable": "gradients: it is a black box, which can only be asked for its outputs",
    "explainer": "a trained explainer: train one on the page FastSHAP, or on the command line with "
    "workbench fastshap train",
    "dropout": "dropout layers: it was built without any",
    "first_layer": "a linear first layer",
    "perturbable": "weights of linear layers that could be moved: a black box shows none, so that "
    "training models again and holding their scores against each other is what remains",
}


@dataclass(frozen=True)
class Cost:
    """What a run will take: rows through the network, and bytes of temporary tensors."""

    evaluations: int
    n_bytes: int


@dataclass(frozen=True)
class Effort:
    """How hard to try: background rows, and settings that differ from their defaults."""

    background: int
    settings: Mapping[str, Any]


# Each method takes its own subclass of Params, which the registry checks at the call.
Explain = Callable[[Model, Table, Table, Any, Context], Result]
CostFormula = Callable[[Model, int, int, Any], Cost]


def _never(_: Params) -> bool:
    return False


def always(_: Params) -> bool:
    """Whatever the settings are, networks are trained."""
    return True


@dataclass(frozen=True)
class Method:
    """One way to answer one question.

    Attributes
    ----------
    explain
        ``explain(model, rows, background, params, context)``; pure, without file or network.
    needs
        Capabilities that a model must have (see ``Model.capabilities``).
    uses
        What it takes besides model and rows: ``background`` rows, ``labels`` of the rows, or the
        whole labelled ``table`` that the rows are from, which it splits itself (``Table.split``)
        and which takes the place of the background. A method that uses neither is handed the rows
        themselves.
    efforts
        For a number of features, what ``quick``, ``standard`` and ``thorough`` mean; the standard
        is what the defaults give.
    cost
        ``cost(model, n_rows, n_background, params)``, an upper bound known before the run.
    weakness
        What the method is known to get wrong, shown where it is chosen.
    trains
        Whether a run with these settings trains networks: another kind of device draws other random
        numbers for that, so that the networks are others.
    takes_given
        Whether an attribution that was made elsewhere may stand beside its own explanations, as the
        keyword argument ``given`` of ``explain``.
    gap
        How far its attributions may miss the prediction by the method's own nature, as a share of
        the largest difference of a prediction from the base value; 0 where they add up exactly.
    """

    title: str
    question: str
    explain: Explain
    params: type[Params]
    yields: type[Result]
    needs: frozenset[str]
    cost: CostFormula
    reference: str
    weakness: str
    uses: frozenset[str] = frozenset({"background"})
    efforts: Callable[[int], Mapping[str, Effort]] | None = None
    gap: float = 0.0
    trains: Callable[[Any], bool] = _never
    takes_given: bool = False

    def lacks(self, model: Model) -> tuple[str, ...]:
        """Return what the method needs and the model cannot do, in words; empty if it can serve."""
        return tuple(MISSING.get(need, need) for need in sorted(self.needs - model.capabilities))


class MethodRegistry(Mapping[str, Method]):
    """Methods by name, such as ``shapley.exact``."""

    def __init__(self) -> None:
        self._methods: dict[str, Method] = {}

    def register(self, name: str, method: Method) -> None:
        """Add a method; called once, in the file that defines it.

        Raises
        ------
        ValueError
            If the name is taken.
        """
        if name in self._methods:
            raise ValueError(f"method {name!r} is registered twice")
        self._methods[name] = method

    def find(self, name: str) -> Method:
        """Return a method.

        Raises
        ------
        InvalidInputError
            If there is none of that name; the message lists those of its family, if it has one.
        """
        if name not in self._methods:
            family = f"{name.partition('.')[0]}."
            akin = [known for known in self if known.startswith(family)]
            raise InvalidInputError(
                f"There is no method {name!r}; choose {listing(sorted(akin or self), 20)}."
            )
        return self._methods[name]

    def __getitem__(self, name: str) -> Method:
        return self._methods[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._methods)

    def __len__(self) -> int:
        return len(self._methods)


METHODS = MethodRegistry()
