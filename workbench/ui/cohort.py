"""Which rows: conditions on columns, kept in the session and in the address."""

from dataclasses import replace

import numpy as np
import streamlit as st

from workbench.core.cohort import Cohort, Condition
from workbench.core.errors import InvalidInputError
from workbench.core.table import Table
from workbench.core.wording import counted
from workbench.ui.state import forget, peek, put
from workbench.ui.text import plain

NAME = "cohort"
OF_ROWS = ("row", "count")


def choose_cohort(rows: Table) -> Cohort:
    """Let the person narrow the rows down; what an old link asks for in vain is dropped."""
    text = str(peek(NAME, ""))
    try:
        cohort = Cohort.parse(text, rows.schema)
        cohort.apply(rows)
    except InvalidInputError as error:
        forget(NAME)
        st.caption(plain(str(error)))
        cohort = Cohort()
    label = f"{len(cohort.conditions)} filters" if len(cohort.conditions) > 1 else "1 filter"
    with st.popover(
        label if cohort else "Filter rows", icon=":material/filter_alt:", width="stretch"
    ):
        for place, condition in enumerate(cohort.conditions):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(plain(condition.describe()), width="stretch")
                st.button(
                    "", icon=":material/close:", key=f"cohort-drop-{place}", type="tertiary",
                    help="Remove this filter", on_click=_drop, args=(cohort, place),
                )  # fmt: skip
        _add(cohort, rows)
    if cohort:
        n = len(cohort.apply(rows))
        st.caption(plain(f"{n:,} of {counted(len(rows), 'row')}: {cohort.describe()}"))
    return cohort


def _add(cohort: Cohort, rows: Table) -> None:
    """Offer another condition, that leaves at least one row."""
    schema = rows.schema
    names = list(schema.names)
    if schema.target and rows.y is not None:
        names.append(schema.target)
    column = st.selectbox("Column", names, key="cohort-column")
    condition = _condition(column, rows)
    if condition is None:
        st.caption("Choose what the rows should have.")
        return
    wider = Cohort((*(c for c in cohort.conditions if c.column != column), condition))
    try:
        n = len(wider.apply(rows))
    except InvalidInputError as error:
        st.caption(plain(str(error)))
        return
    st.button(
        f"Keep {counted(n, 'row')}", type="primary", key="cohort-add", on_click=_set, args=(wider,),
        width="stretch",
    )  # fmt: skip


def _condition(column: str, rows: Table) -> Condition | None:
    schema = rows.schema
    if column == schema.target:
        assert rows.y is not None  # noqa: S101 - offered only then
        return _of_values(column, schema.classes, rows.y.numpy().astype(np.float64), integer=False)
    feature = schema.features[schema.index(column)]
    values = rows.X[:, schema.index(column)].numpy()
    found = _of_values(column, feature.categories, values, integer=feature.integer)
    if np.isnan(values).any() and st.checkbox("or missing", key=f"cohort-missing-{column}"):
        return replace(found or Condition(column), missing=True)
    return found


def _of_values(
    column: str, texts: tuple[str, ...], values: np.ndarray, *, integer: bool
) -> Condition | None:
    if texts:
        chosen = st.multiselect("is one of", texts, key=f"cohort-texts-{column}")
        return Condition(column, texts=tuple(chosen)) if chosen else None
    known = values[~np.isnan(values)]
    if not len(known):
        return None
    low, high = float(known.min()), float(known.max())
    if low == high:
        return None
    ends = (int(low), int(high)) if integer and abs(high) < 2**53 else (low, high)
    chosen_low, chosen_high = st.slider(
        "between", ends[0], ends[1], ends, key=f"cohort-range-{column}"
    )
    if (chosen_low, chosen_high) == ends:
        return None
    return Condition(column, low=float(chosen_low), high=float(chosen_high))


def _set(cohort: Cohort) -> None:
    put(NAME, str(cohort))
    forget(*OF_ROWS)


def _drop(cohort: Cohort, place: int) -> None:
    left = (*cohort.conditions[:place], *cohort.conditions[place + 1 :])
    _set(Cohort(left))
