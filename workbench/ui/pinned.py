"""Scenarios of a row that are kept under a name, and compared."""

import json
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from workbench.core.model import Model
from workbench.core.results import Attribution
from workbench.core.wording import counted
from workbench.plots.what_if import scenario_effects, scenario_predictions
from workbench.report import write_csv
from workbench.ui.actions import act
from workbench.ui.drawn import is_dark
from workbench.ui.frame import empty_state, two_halves
from workbench.ui.report_later import scenario_to_report
from workbench.ui.results import plain_figure
from workbench.ui.scenarios import differs
from workbench.ui.text import plain
from workbench.ui.what_if_play import Pinned, Play, Setting

MOST_PINNED = 6


def pins(setting: Setting) -> None:
    """Keep scenarios under a name, and compare them."""
    play = setting.play
    with st.container(border=True):
        st.markdown("**Scenarios side by side**")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            name = st.text_input(
                "Name of the scenario", value=f"Scenario {len(play.pinned) + 1}", max_chars=40,
                key=f"what-if-name-{len(play.pinned)}", width=240,
            )  # fmt: skip
            st.button(
                "Pin this scenario", icon=":material/push_pin:", on_click=act,
                args=(_pin, setting, name), disabled=len(play.pinned) >= MOST_PINNED,
                help=f"Up to {MOST_PINNED} scenarios are kept while you look at this row.",
            )  # fmt: skip
        if not play.pinned:
            empty_state("Change values above and pin what you want to compare.", "push_pin",
                        height=160)  # fmt: skip
            return
        _comparison(setting)


def _pin(setting: Setting, name: str) -> None:
    play = setting.play
    taken = {"Original", *(one.name for one in play.pinned)}
    wanted = " ".join(name.split()) or "Scenario"
    free = next(
        title for n in range(1, len(taken) + 2)
        if (title := wanted if n == 1 else f"{wanted} ({n})") not in taken
    )  # fmt: skip
    play.pinned.append(Pinned(free, setting.explain("full", play.x)))


def _unpin(play: Play, name: str) -> None:
    play.pinned = [one for one in play.pinned if one.name != name]


def _comparison(setting: Setting) -> None:
    play = setting.play
    names = ["Original", *(one.name for one in play.pinned)]
    rows = [setting.explain("full", play.original), *(one.attribution for one in play.pinned)]
    st.dataframe(compared(setting.model, names, rows), hide_index=True, height="content")
    with st.container(horizontal=True, gap="small"):
        offered: set[bytes] = set()
        for one in play.pinned:
            st.button(
                f"Remove {plain(one.name)}", icon=":material/close:", on_click=_unpin,
                args=(play, one.name), key=f"unpin-{one.name}",
            )  # fmt: skip
            values = one.attribution.data[0]
            if values.tobytes() not in offered:  # alike, they are one result
                scenario_to_report(setting, values, one.name)
            offered.add(values.tobytes())
    left, right = two_halves("scenarios")
    stem = f"what-if-{setting.model.card.name}-row-{setting.row.ids[0]}"
    options: dict[str, Any] = {"output": setting.output, "dark": is_dark()}
    with left:
        plain_figure(
            scenario_predictions(rows, names, **options), name=f"{stem}-predictions",
            alt="Predictions of the scenarios",
        )  # fmt: skip
    with right:
        plain_figure(
            scenario_effects(rows, names, **options), name=f"{stem}-effects",
            alt="Effects of the features in each scenario",
        )  # fmt: skip
    with st.container(horizontal=True, gap="small"):
        frame = every_value(setting.model, names, rows)
        for label, icon, ending, mime, make in (
            ("CSV", "table", "csv", "text/csv", partial(_csv, frame)),
            ("JSON", "data_object", "json", "application/json", partial(_json, setting, frame)),
        ):
            st.download_button(
                label, make, file_name=f"{stem}.{ending}", mime=mime, on_click="ignore",
                icon=f":material/{icon}:", key=f"scenarios-{ending}",
            )  # fmt: skip


def compared(model: Model, names: list[str], rows: list[Attribution]) -> pd.DataFrame:
    """Return a line per scenario: prediction, decision, and the features in which any differ."""
    data = np.concatenate([one.data for one in rows])
    predicted = np.concatenate([one.predictions for one in rows])
    columns: dict[str, Any] = {"scenario": names}
    for k, output in enumerate(model.output_names):
        columns[f"prediction: {output}"] = np.round(predicted[:, k], 4)
    if model.schema.classes:
        columns["decision"] = [model.schema.classes[int(k)] for k in predicted.argmax(1)]
    for j, feature in enumerate(model.schema.features):
        if any(differs(row[[j]], data[0, [j]])[0] for row in data):
            columns[feature.name] = [feature.show(float(value)) for value in data[:, j]]
    return pd.DataFrame(columns)


def every_value(model: Model, names: list[str], rows: list[Attribution]) -> pd.DataFrame:
    """Return a line per scenario and feature: value and effect on each output, and prediction."""
    parts = []
    for name, one in zip(names, rows, strict=True):
        frame = one.to_frame().drop(columns=["row"])
        frame.insert(0, "scenario", name)
        parts.append(frame)
    whole = pd.concat(parts, ignore_index=True)
    whole.insert(1, "model", model.name)
    return whole


def _csv(frame: pd.DataFrame) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return write_csv(frame, Path(folder) / "scenarios.csv").read_bytes()


def finite_records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the lines of a table for JSON, which knows no NaN."""
    finite = frame.astype(object).where(frame.notna(), None)
    return [{str(name): cell for name, cell in line.items()} for line in finite.to_dict("records")]


def _json(setting: Setting, frame: pd.DataFrame) -> bytes:
    background = setting.ground.background
    content = {
        "model": setting.model.name,
        "model_digest": setting.model.digest,
        "table": setting.place.table,
        "row": int(setting.row.ids[0]),
        "method": setting.ground.full,
        "background": f"{counted(len(background), 'row')} of {background.name}",
        "scenarios": finite_records(frame),
    }
    return json.dumps(content, ensure_ascii=False, allow_nan=False, indent=1).encode()
