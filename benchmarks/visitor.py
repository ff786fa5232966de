"""A visitor without a browser: speaks the app's WebSocket protocol and keeps what a browser keeps.

That is the tree of elements, the value of every widget, the messages it has seen (the server sends
a reference for those), the address, and the timers of fragments that run again by themselves. A
visitor draws nothing, so twenty of them fit beside the server that they measure.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx
from streamlit.proto.BackMsg_pb2 import BackMsg  # noqa: TID251 - the protocol itself
from streamlit.proto.Common_pb2 import FileUploaderState  # noqa: TID251
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg  # noqa: TID251
from streamlit.proto.WidgetStates_pb2 import WidgetState  # noqa: TID251
from streamlit.web.server.starlette import starlette_app_utils as tokens  # noqa: TID251
from websockets.asyncio.client import ClientConnection, connect

PATIENCE = 60.0
SHOWS = {"plotly_chart", "dataframe", "progress", "file_uploader"}
ALERT_ERROR = 1
TRIGGERS = {"button", "download_button"}
_CHUNK = 2**20


@dataclass(frozen=True)
class Node:
    """An element or block, and the run that brought it."""

    kind: str
    body: Any
    run: str
    fragment: str


@dataclass
class Sample:
    """What one action took, in seconds from the click; None where it did not come to that.

    Attributes
    ----------
    shown
        First element that answers or tells progress.
    figure
        First figure that is no older answer.
    finished
        End of the script's run.
    """

    action: str
    shown: float | None = None
    figure: float | None = None
    finished: float | None = None
    n_bytes: int = 0
    fault: str = ""


@dataclass
class _Watch:
    """What is looked out for after a click."""

    sample: Sample
    started: float
    old_run: str
    chart: float | None = None
    figure_is_wanted: bool = False
    done: Callable[[], bool] = lambda: True
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Visitor:
    """One open window of the app.

    Parameters
    ----------
    cookies
        Such as prove who somebody is.
    """

    def __init__(self, url: str, *, cookies: dict[str, str] | None = None) -> None:
        self.url = url
        self.cookies = dict(cookies or {})
        self.nodes: dict[tuple[int, ...], Node] = {}
        self.pages: dict[str, str] = {}
        self.faults: list[str] = []
        self.n_bytes = 0
        self._values: dict[str, WidgetState] = {}
        self._messages: dict[str, ForwardMsg] = {}
        self._timers: dict[str, asyncio.Task[None]] = {}
        self._page = self._query = self._path = self._run = self._session = ""
        self._is_whole = True
        self._watch: _Watch | None = None
        self._uploads: asyncio.Queue[Any] = asyncio.Queue()
        self._socket: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None

    # Coming and going

    async def open(self, path: str = "", *, figure: bool = False) -> Sample:
        """Connect and open a page by its address; the sample includes the connection."""
        started = time.perf_counter()
        await self._connect()
        self._path = path
        return await self._act(
            "open the app", lambda: self._rerun(first=True), figure=figure, started=started
        )

    async def _connect(self) -> None:
        token = tokens.generate_xsrf_token_string()
        self.cookies["_streamlit_xsrf"] = token
        jar = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        self._socket = await connect(
            f"{self.url.replace('http', 'ws', 1)}/_stcore/stream",
            origin=self.url,  # type: ignore[arg-type] # a plain str will do
            subprotocols=["streamlit", token],  # type: ignore[list-item]
            additional_headers={"Cookie": jar},
            max_size=None, ping_interval=None,
        )  # fmt: skip
        self._reader = asyncio.create_task(self._read())

    async def close(self) -> None:
        """Close the window."""
        self._stop_timers()
        if self._socket is not None:
            await self._socket.close()
        if self._reader is not None:
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # What a person does

    async def visit(self, page: str, *, figure: bool = False) -> Sample:
        """Click on a page in the navigation."""
        self._stop_timers()
        self.nodes.clear()
        self._query = ""
        return await self._act(
            f"page {page}", lambda: self._rerun(page=self.pages[page]), figure=figure
        )

    async def give(
        self, kind: str, label: str, value: Any, *, action: str, figure: bool = False
    ) -> Sample:
        """Give a widget a value."""
        node = self.find(kind, label)
        if node is None:
            return Sample(action, fault=f"there is no {kind} {label!r}")
        state = self._values[node.body.id]
        _put(state, kind, node.body, value)
        return await self._act(action, lambda: self._rerun(fragment=node.fragment), figure=figure)

    async def press(
        self,
        label: str,
        *,
        action: str,
        figure: bool = False,
        done: Callable[[], bool] = lambda: True,
    ) -> Sample:
        """Press the first button whose label begins so, once it is there."""
        await self.wait_for(lambda: self.find("button", label, starts=True) is not None, 10)
        node = self.find("button", label, starts=True)
        if node is None:
            return Sample(action, fault=f"there is no button {label!r}")
        state = WidgetState(id=node.body.id, trigger_value=True)
        return await self._act(
            action, lambda: self._rerun(state, fragment=node.fragment), figure=figure, done=done
        )

    async def upload(
        self, label: str, file: Path, *, action: str, done: Callable[[], bool] = lambda: True
    ) -> Sample:
        """Choose a file; the sample includes sending it."""
        node = self.find("file_uploader", label, starts=True)
        if node is None:
            return Sample(action, fault=f"there is no file_uploader {label!r}")

        async def send() -> None:
            info = await self._send_file(file)
            state = self._values[node.body.id]
            state.file_uploader_state_value.uploaded_file_info.append(info)
            await self._rerun(fragment=node.fragment)

        return await self._act(action, send, done=done, patience=300)

    async def _send_file(self, file: Path) -> FileUploaderState:
        ask = BackMsg()
        ask.file_urls_request.request_id = "1"
        ask.file_urls_request.file_names.append(file.name)
        ask.file_urls_request.session_id = self._session
        await self._send(ask)
        urls = (await self._uploads.get()).file_urls[0]
        head = {"X-Xsrftoken": self.cookies["_streamlit_xsrf"], "Origin": self.url}
        async with httpx.AsyncClient(cookies=self.cookies, timeout=300) as client:
            with file.open("rb") as content:
                answer = await client.put(
                    f"{self.url}{urls.upload_url}", headers=head,
                    files={"file": (file.name, content, "application/octet-stream")},
                )  # fmt: skip
        answer.raise_for_status()
        state = FileUploaderState()
        info = state.uploaded_file_info.add(
            file_id=urls.file_id, name=file.name, size=file.stat().st_size
        )
        info.file_urls.CopyFrom(urls)
        return info

    # What a person sees

    def find(self, kind: str, label: str = "", *, starts: bool = False) -> Node | None:
        """Return the first element of a kind, by its label."""
        for _, node in sorted(self.nodes.items()):
            if node.kind == kind:
                said = str(getattr(node.body, "label", ""))
                if not label or said == label or (starts and said.startswith(label)):
                    return node
        return None

    def shows(self, kind: str) -> bool:
        """Tell whether there is an element of a kind."""
        return any(node.kind == kind for node in self.nodes.values())

    def says(self, text: str) -> bool:
        """Tell whether a line or alert holds a text."""
        return any(
            text in getattr(node.body, "body", "")
            for node in self.nodes.values()
            if node.kind in {"alert", "markdown", "html"}
        )

    async def wait_for(self, condition: Callable[[], bool], seconds: float = PATIENCE) -> bool:
        """Look at the window every 10 ms until something holds."""
        end = time.perf_counter() + seconds
        while not condition():
            if time.perf_counter() > end:
                return False
            await asyncio.sleep(0.01)
        return True

    # The protocol

    async def _act(
        self,
        action: str,
        click: Callable[[], Any],
        *,
        figure: bool = False,
        done: Callable[[], bool] = lambda: True,
        started: float | None = None,
        patience: float = PATIENCE,
    ) -> Sample:
        sample, before = Sample(action), self.n_bytes
        watch = _Watch(
            sample, time.perf_counter() if started is None else started, self._run,
            figure_is_wanted=figure, done=done,
        )  # fmt: skip
        self._watch = watch
        n_faults = len(self.faults)
        try:
            await click()
            async with asyncio.timeout(patience):
                await watch.over.wait()
        except TimeoutError:
            sample.fault = f"not over after {patience:g} s"
        except (httpx.HTTPError, OSError) as error:
            sample.fault = repr(error)
        self._watch = None
        sample.n_bytes = self.n_bytes - before
        if len(self.faults) > n_faults:
            sample.fault = "; ".join(self.faults[n_faults:])
        return sample

    async def _send(self, message: BackMsg) -> None:
        assert self._socket is not None  # noqa: S101 - opened first
        await self._socket.send(message.SerializeToString())

    async def _rerun(
        self,
        trigger: WidgetState | None = None,
        *,
        page: str | None = None,
        fragment: str = "",
        auto: bool = False,
        first: bool = False,
    ) -> None:
        message = BackMsg()
        asked = message.rerun_script
        asked.query_string = self._query
        asked.fragment_id, asked.is_auto_rerun = fragment, auto
        asked.page_script_hash = page or ("" if first else self._page)
        if first:
            asked.page_name = self._path
        if page is not None:
            self._path = next(name for name, known in self.pages.items() if known == page)
        asked.cached_message_hashes.extend(self._messages)
        asked.context_info.timezone = "Etc/UTC"
        asked.context_info.locale = "en-GB"
        asked.context_info.url = f"{self.url}/{self._path}"
        asked.context_info.color_scheme = "light"
        if page is None:  # what a page's widgets hold is not for the next page
            asked.widget_states.widgets.extend(self._states())
        if trigger is not None:
            asked.widget_states.widgets.append(trigger)
        await self._send(message)

    def _states(self) -> Iterator[WidgetState]:
        for node in self.nodes.values():
            state = self._values.get(getattr(node.body, "id", ""))
            if state is not None:
                yield state

    async def _read(self) -> None:
        assert self._socket is not None  # noqa: S101 - opened first
        async for content in self._socket:
            self.n_bytes += len(content)
            message = ForwardMsg()
            message.ParseFromString(content)
            self._receive(message)
        if self._watch is not None:
            self.faults.append("the server closed the connection")
            self._watch.over.set()

    def _receive(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "ref_hash":
            known = self._messages.get(message.ref_hash)
            if known is None:
                self.faults.append("the server refers to a message that was never sent")
                return
            full = ForwardMsg()
            full.CopyFrom(known)
            full.metadata.CopyFrom(message.metadata)
            message, kind = full, known.WhichOneof("type")
        elif message.metadata.cacheable:
            self._messages[message.hash] = message
        handle = getattr(self, f"_on_{kind}", None)
        if handle is not None:
            handle(message)

    def _on_new_session(self, message: ForwardMsg) -> None:
        new = message.new_session
        if new.page_script_hash != self._page:
            self.nodes.clear()
        self._page = new.page_script_hash
        self._session = new.initialize.session_id or self._session
        self._run = message.metadata.run.script_run_id
        self._is_whole = not message.metadata.run.fragment_ids
        if self._is_whole:
            self._stop_timers()

    def _on_navigation(self, message: ForwardMsg) -> None:
        navigation = message.navigation
        self.pages = {page.url_pathname: page.page_script_hash for page in navigation.app_pages}
        self._page = navigation.page_script_hash or self._page

    def _on_page_info_changed(self, message: ForwardMsg) -> None:
        self._query = message.page_info_changed.query_string

    def _on_page_not_found(self, _: ForwardMsg) -> None:
        self.faults.append("page not found")

    def _on_file_urls_response(self, message: ForwardMsg) -> None:
        self._uploads.put_nowait(message.file_urls_response)

    def _on_auto_rerun(self, message: ForwardMsg) -> None:
        fragment, seconds = message.auto_rerun.fragment_id, message.auto_rerun.interval

        async def tick() -> None:
            while True:
                await asyncio.sleep(seconds)
                await self._rerun(fragment=fragment, auto=True)

        if fragment not in self._timers:
            self._timers[fragment] = asyncio.create_task(tick())

    def _on_stop_auto_rerun(self, message: ForwardMsg) -> None:
        for fragment in message.stop_auto_rerun.fragment_ids:
            self._stop_timer(fragment)

    def _stop_timer(self, fragment: str) -> None:
        if timer := self._timers.pop(fragment, None):
            timer.cancel()

    def _stop_timers(self) -> None:
        for fragment in list(self._timers):
            self._stop_timer(fragment)

    def _on_delta(self, message: ForwardMsg) -> None:
        delta, path = message.delta, tuple(message.metadata.delta_path)
        what = delta.WhichOneof("type")
        if what == "new_element":
            kind = str(delta.new_element.WhichOneof("type"))
            body = getattr(delta.new_element, kind)
            for inner in [p for p in self.nodes if p[: len(path)] == path]:
                del self.nodes[inner]
            self._remember(kind, body)
            self._look_at(kind, body)
        elif what == "add_block":
            kind, body = "block", delta.add_block
        else:  # a spinner, which goes by itself
            return
        self.nodes[path] = Node(kind, body, self._run, delta.fragment_id)

    def _look_at(self, kind: str, body: Any) -> None:
        if kind == "exception" and not body.is_warning:
            self.faults.append(f"{body.type}: {body.message}"[:300])
        if kind == "alert" and body.format == ALERT_ERROR:
            self.faults.append(body.body[:300])
        watch = self._watch
        if watch is None or not self._is_whole or self._run == watch.old_run:
            return
        after = time.perf_counter() - watch.started
        if kind == "plotly_chart":
            watch.chart = after
        answers = kind in SHOWS or (kind == "html" and 'role="heading"' in body.body)
        if answers and watch.sample.shown is None:
            watch.sample.shown = after

    def _remember(self, kind: str, body: Any) -> None:
        if kind in READ and body.id and (body.id not in self._values or _is_set(body)):
            state = WidgetState(id=body.id)
            READ[kind](state, body)
            self._values[body.id] = state

    def _on_script_finished(self, message: ForwardMsg) -> None:
        status, run = message.script_finished, message.metadata.run
        ended = ForwardMsg.ScriptFinishedStatus
        if status == ended.FINISHED_EARLY_FOR_RERUN:
            return
        if status == ended.FINISHED_WITH_COMPILE_ERROR:
            self.faults.append("the script does not compile")
        part = set(run.fragment_ids) if status == ended.FINISHED_FRAGMENT_RUN_SUCCESSFULLY else None
        self._clear(run.script_run_id, part)
        watch = self._watch
        if watch is None or part is not None or run.script_run_id == watch.old_run:
            return
        if watch.sample.finished is None:
            watch.sample.finished = time.perf_counter() - watch.started
        waits = self.shows("progress") or watch.chart is None
        if watch.figure_is_wanted and waits and not self._has_failed():
            return
        if watch.figure_is_wanted:
            watch.sample.figure = watch.chart
        if watch.done():
            watch.over.set()

    def _has_failed(self) -> bool:
        return self.shows("exception") or any(
            node.kind == "alert" and node.body.format == ALERT_ERROR for node in self.nodes.values()
        )

    def _clear(self, run: str, fragments: set[str] | None) -> None:
        """Remove what the run did not bring again, be it a run of the page or of a fragment."""
        for path, node in list(self.nodes.items()):
            concerned = fragments is None or node.fragment in fragments
            if concerned and node.run != run:
                del self.nodes[path]


def sign_in(url: str, secret: str, number: int) -> dict[str, str]:
    """Return the cookie of somebody who has signed in, made with the server's own secret."""
    name = f"person-{number}"
    claims = {
        "origin": url, "is_logged_in": True, "iss": "https://id.example.org", "sub": name,
        "email": f"{name}@example.org", "email_verified": True, "name": name,
        "iat": int(time.time()),
    }  # fmt: skip
    cookie = tokens.create_signed_value(secret, "_streamlit_user", json.dumps(claims))
    return {"_streamlit_user": cookie.decode()}


def _is_set(body: Any) -> bool:
    return bool(getattr(body, "set_value", False))


def _read_number(state: WidgetState, body: Any) -> None:
    if _is_set(body) and body.HasField("value"):
        _number(state, body, body.value)
    elif not _is_set(body) and body.HasField("default"):
        _number(state, body, body.default)


def _number(state: WidgetState, body: Any, value: float) -> None:
    if body.data_type == body.INT:
        state.int_value = int(value)
    else:
        state.double_value = value


def _read_selectbox(state: WidgetState, body: Any) -> None:
    if _is_set(body):
        state.string_value = body.raw_value
    elif body.HasField("default") and body.options:
        state.string_value = body.options[body.default]


def _read_group(state: WidgetState, body: Any) -> None:
    chosen = body.raw_values if _is_set(body) else [body.options[i].content for i in body.default]
    state.string_array_value.data.extend(chosen)


def _read_multiselect(state: WidgetState, body: Any) -> None:
    chosen = body.raw_values if _is_set(body) else [body.options[i] for i in body.default]
    state.string_array_value.data.extend(chosen)


def _read_checkbox(state: WidgetState, body: Any) -> None:
    state.bool_value = body.value if _is_set(body) else body.default


def _read_text(state: WidgetState, body: Any) -> None:
    state.string_value = body.value if _is_set(body) else body.default


def _read_slider(state: WidgetState, body: Any) -> None:
    state.double_array_value.data.extend(body.value if _is_set(body) else body.default)


def _read_files(state: WidgetState, _: Any) -> None:
    state.file_uploader_state_value.SetInParent()


READ: dict[str, Callable[[WidgetState, Any], None]] = {
    "number_input": _read_number,
    "selectbox": _read_selectbox,
    "button_group": _read_group,
    "multiselect": _read_multiselect,
    "checkbox": _read_checkbox,
    "text_input": _read_text,
    "slider": _read_slider,
    "file_uploader": _read_files,
}


def _put(state: WidgetState, kind: str, body: Any, value: Any) -> None:
    if kind == "number_input":
        _number(state, body, value)
    elif kind == "button_group":
        del state.string_array_value.data[:]
        state.string_array_value.data.append(value)
    elif kind == "checkbox":
        state.bool_value = value
    else:
        state.string_value = value
