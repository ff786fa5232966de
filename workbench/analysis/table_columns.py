"""Which columns the table of each kind of result has, known before anything was run."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from workbench.core.schema import listing


@dataclass(frozen=True)
class Columns:
    """Columns of a table.

    Attributes
    ----------
    numbers
        Those that hold numbers, or may.
    words
        Names and sentences, which nothing can be above or below.
    beginnings
        How the names of further columns begin, of which there is one for each output or group.
    """

    numbers: tuple[str, ...]
    words: tuple[str, ...] = ()
    beginnings: tuple[str, ...] = ()

    def lacks(self, name: str) -> str:
        """Say in part of a sentence that there is no such column; empty where there may be."""
        known = (*self.numbers, *self.words)
        if name in known or name.startswith(self.beginnings):
            return ""
        near = get_close_matches(name, known, n=1, cutoff=0.6)
        instead = f"did you mean {near[0]!r}" if near else f"choose one of {listing(known, 30)}"
        return f"there is no column {name[:60]!r}, {instead}"

    def is_unsure(self, name: str) -> bool:
        """Tell whether a column has no interval, neither one of its own nor one of the table."""
        own = {f"{name}_low", f"{name}_high"} <= set(self.numbers)
        of_table = {"low", "high"} <= set(self.numbers) and name not in {"low", "high"}
        return not own and not of_table and not name.startswith(self.beginnings)


def _columns(numbers: str, words: str = "", *beginnings: str) -> Columns:
    return Columns(tuple(numbers.split()), tuple(words.split()), beginnings)


def _with_ends(names: str) -> str:
    return " ".join(f"{name} {name}_low {name}_high" for name in names.split())


COLUMNS: Mapping[str, Columns] = {
    "attribute_flips": _columns(
        "row score plausible move move_support lowest highest", "group decision flip move_as"
    ),
    "attribution": _columns(
        "row value attribution std_error background_std_error low high base_value prediction",
        "output feature unit",
    ),
    "attribution_range": _columns(
        "row value attribution sampling_low sampling_high low high agreement flips models",
        "output feature unit",
    ),
    "boundary_people": _columns(
        "row score margin low high other_row distance flip_score " + _with_ends("otherwise"),
        "decision truth flip", "group: ",
    ),
    "churn": _columns(
        "tolerance models expected low high worst smoothed pairwise fixes breaks neutral bound "
        "noise"
    ),
    "counterfactuals": _columns(
        "row counterfactual from to distance", "feature", "prediction: "
    ),
    "detectors": _columns(
        "strength relative rank signed std_error seconds evaluations gradients",
        "output detector title feature other unit locality",
    ),
    "error_audit": _columns(
        "value low high size " + _with_ends("difference"), "partition group measure"
    ),
    "fairness_audit": _columns(
        "value low high n size " + _with_ends("difference"), "partition group rate reason"
    ),
    "fairness_front": _columns(
        "model number strength stretch excess within value low high on_front chance_on_front "
        "beats_given chosen " + _with_ends("accuracy change"),
        "finder rows gap",
    ),
    "faithfulness": _columns("missed low high rows calls", "output method type neighbourhood"),
    "gap_causes": _columns(
        "itself contribution low high own_part effect told_mcc " + _with_ends("told gap"),
        "attribute group reference feature unit",
    ),
    "halo": _columns(
        "share mask share_other mask_other share_third mask_third excess excess_std_error "
        "tolerances member score_std_error reference_score " + _with_ends("score"),
        "feature other third direction direction_other direction_third loss_unit",
    ),
    "interaction_scores": _columns(
        "model mixed_std_error share signed signed_std_error loss loss_std_error contexts weights "
        "excess " + _with_ends("mixed"),
        "output feature other third unit loss_unit",
    ),
    "interaction_test": _columns(
        "given observed without band_low band_high times p q in_data", "feature other verdict"
    ),
    "interactions": _columns(
        "row value other_value interaction std_error background_std_error low high base_value "
        "prediction",
        "output feature other unit index",
    ),
    "local_basis": _columns(
        "width features nodes_required edges_required possible_edges", "basis layer"
    ),
    "local_functions": _columns(
        "row value coefficient std_error low high selected intercept prediction missed",
        "output feature meaning unit",
    ),
    "local_models": _columns(
        "row value coefficient std_error low high selected intercept local_prediction prediction "
        "r2 effective_share stability samples",
        "output feature condition meaning unit",
    ),
    "measures": _columns(
        "mean low high median rows", "output method type measure better settings"
    ),
    "mitigation": _columns(
        "independent size value low high sets models excess accuracy " + _with_ends("reduction"),
        "judge metric",
    ),
    "performance": _columns("value low high rows", "metric class interval note"),
    "profiles": _columns(
        "model value label rows mean std_error effect effect_error", "feature output"
    ),
    "rashomon_set": _columns(
        "tolerance value models drawn noise below_noise seconds", "explorer metric"
    ),
    "remedies": _columns(
        "changed by_lot needs_attribute publishable trainings seconds " + _with_ends(
            "accuracy accuracy_change gap gap_change multiplicity multiplicity_change proxy "
            "proxy_change"
        ),
        "remedy stage harmed settings",
    ),
    "scale_curves": _columns("row scale missed std_error", "output"),
    "simpler_models": _columns(
        "simple cv_loss cv_gap cv_noise test_loss test_excess test_noise", "model"
    ),
}  # fmt: skip
