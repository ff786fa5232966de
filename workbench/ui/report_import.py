"""An analysis file that somebody brings: its steps become jobs, and what they find the report."""

import streamlit as st

from workbench import api
from workbench.analysis import Analysis, Step, parse_analysis
from workbench.analysis.figures import unknown_to
from workbench.core.errors import InvalidInputError, LimitError
from workbench.core.people import Person, demand
from workbench.core.wording import counted, joined
from workbench.engines.shapley.chosen import why_chosen
from workbench.jobs.request import Request
from workbench.ui import cache
from workbench.ui.actions import act
from workbench.ui.frame import errors_shown, note
from workbench.ui.queue import queue
from workbench.ui.text import plain
from workbench.workspace.background import background_source
from workbench.workspace.basket import MAX_ITEMS, Basket
from workbench.workspace.given import find_given

MAX_MEGABYTES = 1


def bring_analysis(person: Person, basket: Basket) -> None:
    """Offer to run the steps of an analysis file, and to put what they find aside."""
    with st.expander("Run an analysis file", icon=":material/replay:"), errors_shown():
        file = st.file_uploader(
            "Analysis file", type=["yaml", "yml"], key="analysis-file",
            max_upload_size=MAX_MEGABYTES,
            help="What a report, or workbench run, hands over as analysis.yaml.",
        )  # fmt: skip
        if file is None:
            note("Its steps run as jobs, on models and tables that you can see here.")
            return
        analysis = parse_analysis(_text(file.getvalue(), file.name), file.name)
        requests = _requests(analysis, person)
        said = f"{plain(analysis.title)}: {counted(len(requests), 'step')}"
        st.markdown(f"**{said}**")
        for step in analysis.steps:
            note(f"{step.title or step.id}: {step.method} on {step.table}, {step.model}")
        st.button(
            "Run its steps", type="primary", icon=":material/play_arrow:",
            on_click=act, args=(_run, analysis, requests, person, basket),
        )  # fmt: skip


def _text(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidInputError(f"{name} is not text in UTF-8.") from None


def _requests(analysis: Analysis, person: Person) -> tuple[Request, ...]:
    """Return what the steps ask here.

    Raises
    ------
    WorkbenchError
        If something is not there.
    InvalidInputError
        If something is another one than the analysis was made with, or a figure asks for a
        feature that the model does not have.
    """
    faults: list[str] = []
    models, tables, given = {}, {}, {}
    for step in analysis.steps:
        model = cache.model(step.model, person.key)
        models[step.model] = model.digest
        faults += unknown_to(model.schema, [step])
        tables[step.table] = cache.table_digest(step.table, person.key)
        if step.given:
            given[step.given] = find_given(step.given, person.key)[1]
    if faults:
        raise InvalidInputError(f"The analysis does not fit: {'; '.join(faults)}.")
    rows = {name: entry.digest for name, entry in analysis.tables.items()}
    changed = [
        f"{what} {name!r} (digest {digest[:8]}, not {expected[name][:8]})"
        for what, found, expected in (
            ("model", models, analysis.models), ("given explanation", given, analysis.given),
            ("table", tables, rows),
        )
        for name, digest in found.items() if expected.get(name, "") not in {"", digest}
    ]  # fmt: skip
    if changed:
        raise InvalidInputError(
            f"The analysis was made with another {joined(changed)}; bring what it was made with, "
            "or take the digest out of the file."
        )
    return tuple(_request(step, models, tables, given) for step in analysis.steps)


def _request(
    step: Step, models: dict[str, str], tables: dict[str, str], given: dict[str, str]
) -> Request:
    if step.explainer and len(step.explainer) < 64:
        raise InvalidInputError(
            f"Step {step.id!r} asks an explainer that step {step.explainer!r} trains: train it on "
            "the page FastSHAP and write its digest into the file, or use workbench run."
        )
    return step.request(
        model_digest=models[step.model], table_digest=tables[step.table],
        given_digest=given.get(step.given, ""),
    )  # fmt: skip


def _run(analysis: Analysis, requests: tuple[Request, ...], person: Person, basket: Basket) -> None:
    """Submit every step, and put it aside with what the analysis says of it."""
    demand(person, "run")
    known = len(basket.content.items)
    if known + len(requests) > MAX_ITEMS:
        raise LimitError(
            f"A report holds at most {MAX_ITEMS} results and this one has {known:,}; remove some, "
            "or use workbench run."
        )
    for step, request in zip(analysis.steps, requests, strict=True):
        model = cache.model_with_explainers(request.model, person.key)
        table = cache.table(request.table, person.key)
        rows = request.select(table)
        drawn = request.background or len(background_source(model, table, 1))
        plan = api.plan(model, len(rows), drawn, method=request.method, **request.params)
        why = why_chosen(step.method, model, len(rows), drawn, step.params) if step.chosen else ""
        job = queue().submit(
            request, owner=person.key, title=_title(step, request, len(rows)), cost=plan.cost,
            link="report?", notes=(why,) if why else (),
        )  # fmt: skip
        basket.add(job.id, job.title, step.remark, step.figures)
        if step.title:
            basket.head(job.id, step.title)
    basket.rename(analysis.title)
    basket.comment("\n\n".join(analysis.comments))
    basket.address(analysis.level)


def _title(step: Step, request: Request, n_rows: int) -> str:
    method = api.list_methods()[step.method]
    model = request.model.partition("@")[0]
    return f"{method.title}, {model}, {counted(n_rows, 'row')} of {request.table}"
