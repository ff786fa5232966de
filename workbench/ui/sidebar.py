"""The sidebar: model, table, rows and device, kept in the session and in the address."""

import streamlit as st

from workbench.core.errors import DataError, RegistryError
from workbench.core.people import Person
from workbench.core.table import SPLITS, split_sizes
from workbench.core.wording import counted
from workbench.numerics.devices import choose_device, describe_device, list_devices
from workbench.ui import cache
from workbench.ui.cohort import NAME, choose_cohort
from workbench.ui.place import Place
from workbench.ui.state import choose, forget, peek
from workbench.ui.text import plain
from workbench.workspace import sources

FIRST_MODEL = "adult-mlp"
OF_PLACE = ("model", "table", "split", NAME, "device")
OF_ROWS = ("row", "count", "cohort")
GONE = "sidebar.gone"


def choose_place(person: Person) -> Place:
    """Let the person choose what all pages are about.

    Raises
    ------
    WorkbenchError
        If there is no model, no table that fits it, or no row.
    """
    asked = {name: str(peek(name, "")) for name in ("model", "table", NAME)}
    with st.sidebar:
        reference = _choose_model(person)
        model = cache.model_with_explainers(reference, person.key)
        st.caption(plain(model.card.title))
        table = _choose_table(person, reference)
        split = _choose_split(person, table)
        cohort = choose_cohort(cache.rows(table, person.key, split))
        device = _choose_device(black_box="black_box" in model.capabilities)
    got = {"model": reference, "table": table, NAME: str(cohort)}
    _say_what_is_gone(asked, got)
    if table.startswith(sources.MINE):  # which of them is the first one may change
        st.query_params["table"] = table
    rows = cache.rows(table, person.key, split, str(cohort))
    rows = rows.read_by(model.schema)
    pinned = f"{reference.partition('@')[0]}@{model.card.version}"
    return Place(person, pinned, model, table, split, cohort, rows, device)


def _say_what_is_gone(asked: dict[str, str], got: dict[str, str]) -> None:
    """Say in the page itself that a link meant something else, until another choice is made."""
    words = {"model": "model", "table": "table", NAME: "filter"}
    gone = [name for name, wanted in asked.items() if wanted and wanted != got[name]]
    if gone:
        st.session_state[GONE] = (
            got,
            [
                f"The {words[name]} {asked[name]} that was asked for is not available here; this "
                f"page is about {got[name] or 'all rows'} instead."
                for name in gone
            ],
        )
    shown_with, sentences = st.session_state.get(GONE, ({}, []))
    for sentence in sentences if shown_with == got else []:
        st.warning(plain(sentence), icon=":material/link_off:")


def _choose_model(person: Person) -> str:
    """Choose among the default versions, and the version that a link names."""
    entries = {entry.reference: entry for entry in sources.list_models(person.key)}
    if not entries:
        raise RegistryError(
            "There are no models yet; train the bundled ones with `workbench train`, or point "
            "WORKBENCH_MODELS to a folder of models."
        )
    options = list(entries)
    asked = peek("model", "")
    if asked not in entries and asked.partition("@")[0] in entries:
        known = entries[asked.partition("@")[0]]
        wanted = asked.partition("@")[2]
        if wanted in {*map(str, known.versions), *known.aliases}:
            options.insert(options.index(known.reference) + 1, asked)

    def label(reference: str) -> str:
        name, _, version = reference.partition("@")
        shown = version or str(entries[name].default)
        shown = f"v{shown}" if shown.isdecimal() else shown
        own = " · yours" if name.startswith(sources.MINE) else ""
        return f"{name.removeprefix(sources.MINE)} · {shown}{own}"

    first = FIRST_MODEL if FIRST_MODEL in entries else options[0]
    return str(choose(
        st.selectbox, "Model", "model", options=options, default=first, format_func=label,
        then=lambda: forget("table", "output", *OF_ROWS),
    ))  # fmt: skip


def _choose_table(person: Person, reference: str) -> str:
    card = cache.model(reference, person.key).card
    names = cache.tables_for(card.schema, person.key)
    if not names:
        raise DataError(
            f"No table here has the features that {card.name} reads; add one on the page Add data, "
            "or choose another model."
        )
    trained_on = card.training_table
    return str(choose(
        st.selectbox, "Table", "table", options=names,
        default=trained_on if trained_on in names else names[0],
        format_func=lambda name: (
            f"{name.removeprefix(sources.MINE)} · yours" if name.startswith(sources.MINE) else name
        ),
        then=lambda: forget(*OF_ROWS),
        help="Tables with the columns that the model reads.",
    ))  # fmt: skip


def _choose_split(person: Person, table: str) -> str:
    n = len(cache.table(table, person.key))
    parts = [*reversed(SPLITS), "all"] if n >= len(SPLITS) + 2 else ["all"]
    sizes = {"all": n, **split_sizes(n)}
    # The splits of a table of one's own were not held out from any model.
    default = "all" if table.startswith(sources.MINE) or "test" not in parts else "test"
    return str(choose(
        st.selectbox, "Rows", "split", options=parts, default=default,
        format_func=lambda part: (
            f"{'all' if part == 'all' else f'{part} split'} · {counted(sizes[part], 'row')}"
        ),
        then=lambda: forget(*OF_ROWS),
        help="Bundled models were fitted to the train split and have never seen the test split.",
    ))  # fmt: skip


def _choose_device(*, black_box: bool) -> str:
    devices = ["cpu"] if black_box else list_devices()
    preferred = "cpu" if black_box else str(choose_device())
    default = next((name for name in devices if name.startswith(preferred)), devices[0])
    if len(devices) == 1:
        st.caption(f":material/memory: {plain(describe_device(choose_device(devices[0])))}")
        return devices[0]
    return str(choose(
        st.selectbox, "Device", "device", options=devices, default=default,
        format_func=lambda name: describe_device(choose_device(name)),
    ))  # fmt: skip
