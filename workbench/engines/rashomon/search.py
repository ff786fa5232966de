"""What a search for equally good models is made of, so that explorers plug in."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from workbench.core.model import Model
from workbench.engines.rashomon.params import SearchParams
from workbench.engines.rashomon.scene import Scene
from workbench.numerics.stream.family import Family, Members


class Search(NamedTuple):
    """Near-copies that an explorer wants to try.

    Attributes
    ----------
    members
        In the order in which they are tried, in parts of any size; made while they are taken.
    remark
        How the range of this explorer is to be read, as a sentence; may be empty.
    """

    family: Family
    members: Iterator[Members]
    remark: str = ""


class Block(NamedTuple):
    """Candidates that were tried.

    Attributes
    ----------
    excess, noise
        By how much their loss on the admission rows exceeds the given model's, with the standard
        error of that mean of paired differences.
    outputs
        Probabilities or values of the rows that are reported on, where the model is.
    """

    members: Members
    excess: Float[Tensor, " b"]
    noise: Float[Tensor, " b"]
    outputs: Float[Tensor, "b n k"]


class ClosedRange(NamedTuple):
    """Ends of the viable range by formula, without models that could be counted."""

    low: Float[Tensor, "t n k"]
    high: Float[Tensor, "t n k"]
    remark: str = ""


# ``explore(scene, explorer, tolerances, params)``: tolerances in units of the loss, ascending; the
# largest says how far a search should go, the others where models are wanted as well.
Explore = Callable[[Scene, str, tuple[float, ...], SearchParams], Search]
RangeOf = Callable[[Scene, str, tuple[float, ...], SearchParams], ClosedRange]
# ``passes(model, n_admission, n_rows, params)``: rows times models through the network at most,
# for the search and for trying what it found.
Passes = Callable[[Model, int, int, SearchParams], int]
