"""Whose groups are compared, and what people hope for: choices of every part of the page."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from workbench.core.errors import InvalidInputError
from workbench.core.schema import Feature
from workbench.core.table import Table
from workbench.ui.frame import note
from workbench.ui.place import Place
from workbench.ui.state import choose, choose_several
from workbench.ui.text import plain

FAMILY = "fairness"
NOBODY_SAYS = "choose …"


def choose_groups(place: Place) -> dict[str, str]:
    """Choose attributes, where to cut numbers, and the favourable class: fields of the methods.

    ``favourable`` is empty where nobody says what people hope for: then there is nothing to run.

    Raises
    ------
    InvalidInputError
        If a number is to be cut where it cannot be; every such field is named.
    """
    columns = columns_of(place.rows)
    protected = [name for name, (feature, _) in columns.items() if feature.protected]
    usual = [name for name in protected if columns[name][0].categories]
    chosen = choose_several(
        "Attributes", f"{FAMILY}.by", options=list(columns), default=usual or protected,
        placeholder="whose groups?",
        help="Protected columns, or any other. Columns that the model does not read serve as well.",
    )  # fmt: skip
    typed = {
        name: _choose_cuts(list(columns).index(name), *columns[name])
        for name in chosen
        if not columns[name][0].categories
    }
    if not protected:
        note("No column is marked as protected; you may mark some on the page Add data.")
    decides = bool(place.model.schema.classes)  # a number has no class to hope for
    favourable = _choose_favourable(place) if decides else ""
    return {"by": ",".join(chosen), "bins": bins_of(typed), "favourable": favourable}


def bins_of(typed: Mapping[str, str]) -> str:
    """Return where columns are cut, as the methods take it, from what was typed for each.

    Blanks, and a comma after the last number, are let pass.

    Raises
    ------
    InvalidInputError
        If a text does not name ascending numbers; every such field is named.

    Examples
    --------
    >>> bins_of({"age": " 25, 60,", "pay": "1e3"})
    'age=25,60;pay=1e3'
    """
    cuts, faults = [], []
    for name, text in typed.items():
        parts = [part.strip() for part in text.strip().removesuffix(",").split(",")]
        try:
            values = [float(part) for part in parts]
        except ValueError:
            values = []
        if values and np.isfinite(values).all() and (np.diff(values) > 0).all():
            cuts.append(f"{name}={','.join(parts)}")
        else:
            faults.append(
                f"Cut {name} at: write ascending numbers with commas between, for example 25,60; "
                f"got {text[:80]!r}."
            )
    if faults:
        raise InvalidInputError(" ".join(faults))
    return ";".join(cuts)


def still_to_choose(place: Place, chosen: dict[str, str]) -> str:
    """Say what has to be chosen before groups can be compared; empty where nothing has to."""
    if not chosen["by"]:
        return "Choose whose groups are compared: of one column or of several."
    if place.model.schema.classes and not chosen["favourable"]:
        return "Say what people hope for: who is worse off depends on it."
    return ""


def choose_partition(by: str, label: str, name: str, help_text: str) -> str:
    """Choose one of several attributes, or all of them crossed, for what takes one set of groups.

    ``by`` and the answer are names of columns with commas between.
    """
    names = [attribute for attribute in by.split(",") if attribute]
    if len(names) < 2:
        return by
    return str(choose(
        st.selectbox, label, name, options=[*names, by], default=names[0], help=help_text,
        format_func=lambda key: " x ".join(key.split(",")),
    ))  # fmt: skip


def cuts_of(bins: str, by: str) -> str:
    """Return the cuts of those numbers that are among the columns ``by``."""
    kept = by.split(",")
    return ";".join(cut for cut in bins.split(";") if cut.partition("=")[0] in kept)


def columns_of(rows: Table) -> dict[str, tuple[Feature, np.ndarray]]:
    """Return columns that can make groups, those that the model does not read included.

    Names that a list with commas or a cut could not hold are left out.
    """
    tables = [rows] if rows.aside is None else [rows, rows.aside]
    return {
        feature.name: (feature, column)
        for table in tables
        for feature, column in zip(table.schema.features, table.X.T.numpy(), strict=True)
        if feature.kind != "image_patch" and not set(feature.name) & set(",;=")
    }


def _choose_cuts(position: int, feature: Feature, column: np.ndarray) -> str:
    """Choose where a number is cut; thirds of the rows unless something else is said."""
    present = column[np.isfinite(column)]
    thirds = np.quantile(present, [1 / 3, 2 / 3]) if len(present) else np.zeros(1)
    usual = ",".join(f"{cut:.4g}" for cut in sorted({float(f"{c:.3g}") for c in thirds}))
    unit = f" in {feature.unit}" if feature.unit else ""
    text = str(choose(
        st.text_input, plain(f"Cut {feature.name} at{unit}"), f"{FAMILY}.cut.{position}",
        default=usual, max_chars=200, placeholder="25,60",
        help="Numbers where a new group begins, separated by commas; at first, thirds of the rows.",
    ))  # fmt: skip
    return text if text.strip() else usual


def _choose_favourable(place: Place) -> str:
    schema = place.model.schema
    known = place.rows.schema.favourable or schema.favourable or ""
    options = list(schema.classes) if known else ["", *schema.classes]
    return str(choose(
        st.selectbox, "What people hope for", f"{FAMILY}.favourable", options=options,
        default=known, format_func=lambda name: name or NOBODY_SAYS,
        help="The outcome that is good for the person decided about: a low risk, not a high one.",
    ))  # fmt: skip


def choices_key(chosen: dict[str, Any]) -> tuple[str, ...]:
    """Return what tells one choice of groups from another, for the subject of a run."""
    return tuple(str(value) for value in chosen.values())
