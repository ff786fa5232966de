"""Twenty people at once, each clicking through every page; then nobody."""

import asyncio
import random
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any

from benchmarks.served import (
    SECRET,
    Memory,
    Served,
    Watcher,
    cpu_seconds,
    memory_of,
    served,
)
from benchmarks.visitor import Sample, Visitor, sign_in
from workbench.jobs.queue import Queue

PEOPLE = 20
THINK = 2.0
ROWS, MANY_ROWS = 50, 2000
FIRST_MODEL = "adult-mlp"
GOAL_SECONDS = 0.5
# Pages whose answer is a figure; to the others their first answer is the result.
FIGURES = {"", "shapley"}
# A window that is closed is kept for two minutes, in case it was a lost connection.
FORGET_SECONDS = 125


@dataclass
class Person:
    """Somebody with a window of the app, and what the clicks took."""

    visitor: Visitor
    number: int
    think: float

    def __post_init__(self) -> None:
        self.random = random.Random(self.number)  # noqa: S311 - no secret
        self.samples: list[Sample] = []

    async def tour(self) -> None:
        """Open the app, see every page, and explain."""
        await asyncio.sleep(self.random.uniform(0, self.think))
        await self._note(self.visitor.open(figure=True))
        pages = [page for page in self.visitor.pages if page != "shapley"]
        self.random.shuffle(pages)
        for page in pages:
            await self._note(self.visitor.visit(page, figure=page in FIGURES))
        await self._explain()
        for page in ("jobs", ""):
            await self._note(self.visitor.visit(page, figure=page in FIGURES))

    async def _explain(self) -> None:
        visitor = self.visitor
        await self._note(visitor.visit("shapley", figure=True))
        for _ in range(3):
            await self._change_row()
        first, *others = self._models()
        await self._choose_model(self.random.choice(others))
        await self._change_row()
        await self._choose_model(first)
        await self._explain_many()

    async def warm_up(self) -> None:
        """Look at every page and every model, so that all is loaded that is loaded once."""
        await self._note(self.visitor.open(figure=True))
        for page in self.visitor.pages:
            await self._note(self.visitor.visit(page, figure=page in FIGURES))
        await self._note(self.visitor.visit("shapley", figure=True))
        for model in self._models()[1:]:
            await self._choose_model(model)

    async def _choose_model(self, model: str) -> None:
        await self._note(self.visitor.give(
            "selectbox", "Model", model, action="another model", figure=True
        ))  # fmt: skip

    async def _explain_many(self) -> None:
        visitor = self.visitor
        for kind, label, value in (
            ("button_group", "Explain", "Many rows"),
            ("number_input", "Number of rows", ROWS),
            ("number_input", "Seed", self.number),
        ):
            await self._note(visitor.give(kind, label, value, action="a setting"))
        await self._note(visitor.press(
            f"Explain {ROWS}", action=f"Explain {ROWS} rows", figure=True
        ))  # fmt: skip
        await self._note(visitor.give(
            "number_input", "Number of rows", self._most_rows(), action="a setting"
        ))  # fmt: skip
        await self._note(visitor.press(
            "Explain", action="Explain all rows", done=lambda: visitor.shows("progress")
        ))  # fmt: skip
        await self._note(visitor.press(
            "Cancel", action="Cancel", done=lambda: visitor.says("Cancelled")
        ))  # fmt: skip

    def _most_rows(self) -> int:
        node = self.visitor.find("number_input", "Number of rows")
        return MANY_ROWS if node is None else min(MANY_ROWS, int(node.body.max))

    def _models(self) -> list[str]:
        """Return the models on offer, the one that is chosen first."""
        node = self.visitor.find("selectbox", "Model")
        if node is None:
            return [FIRST_MODEL, FIRST_MODEL]
        return sorted(node.body.options, key=lambda name: not name.startswith(FIRST_MODEL))

    async def _change_row(self) -> None:
        node = self.visitor.find("number_input", "Row")
        most = 0 if node is None else int(node.body.max)
        row = self.random.randint(1, max(1, most))
        await self._note(self.visitor.give(
            "number_input", "Row", row, action="another row", figure=True
        ))  # fmt: skip

    async def _note(self, action: Any) -> None:
        self.samples.append(await action)
        await asyncio.sleep(self.random.uniform(0.5, 1.5) * self.think)


async def _visit_all(
    server: Served, numbers: range, think: float, *, warm_up: bool
) -> tuple[list[Sample], Memory]:
    people = [
        Person(
            Visitor(server.url, cookies=sign_in(server.url, SECRET, number)), number, think
        )
        for number in numbers
    ]  # fmt: skip
    tours = await asyncio.gather(
        *(person.warm_up() if warm_up else person.tour() for person in people),
        return_exceptions=True,
    )
    connected = memory_of(server.pid)
    await asyncio.gather(*(person.visitor.close() for person in people), return_exceptions=True)
    broken = [Sample("tour", fault=repr(tour)) for tour in tours if isinstance(tour, Exception)]
    return [sample for person in people for sample in person.samples] + broken, connected


def _percentiles(values: list[float]) -> dict[str, float]:
    if not values:
        return {}
    cuts = quantiles(values, n=100, method="inclusive") if len(values) > 1 else values * 99
    return {"p50": cuts[49], "p95": cuts[94], "max": max(values)}


def summary(samples: list[Sample]) -> dict[str, Any]:
    """Sum up the actions of one kind each."""
    found = {}
    for action in sorted({sample.action for sample in samples}):
        some = [sample for sample in samples if sample.action == action]
        found[action] = {
            "n": len(some),
            **{
                what: _percentiles([v for s in some if (v := getattr(s, what)) is not None])
                for what in ("shown", "figure", "finished")
            },
            "kilobytes": sum(sample.n_bytes for sample in some) / len(some) / 1000,
        }
    return found


def _jobs(home: Path) -> dict[str, Any]:
    """Sum up what the workers did: how long jobs waited, and how long they ran."""
    queue = Queue(home)
    done = [
        (job.method, job.created, job.started, job.finished)
        for job in queue.everyone()
        if job.state == "done" and job.started and job.finished
    ]
    queue.close()
    found = {}
    for method in sorted({method for method, *_ in done}):
        some = [times for name, *times in done if name == method]
        found[method] = {
            "n": len(some),
            # Equal runs are shared: one may have started before it was asked for again.
            "waited": _percentiles([max(0.0, started - created) for created, started, _ in some]),
            "ran": _percentiles([finished - started for _, started, finished in some]),
        }
    return found


@dataclass
class Round:
    """What one crowd saw, and what it cost."""

    actions: dict[str, Any]
    faults: list[str]
    n_actions: int
    share_within_goal: float
    seconds: float
    server_cpu_seconds: float
    client_cpu_seconds: float
    peak: Memory
    connected: Memory
    gone: Memory


def _round(server: Served, numbers: range, think: float, *, warm_up: bool = False) -> Round:
    started, cpu, own = time.perf_counter(), cpu_seconds(server.pid), time.process_time()
    with Watcher(server.pid) as watcher:
        samples, connected = asyncio.run(_visit_all(server, numbers, think, warm_up=warm_up))
    seconds = time.perf_counter() - started
    used, ours = cpu_seconds(server.pid) - cpu, time.process_time() - own
    time.sleep(2)
    shown = [sample.shown for sample in samples if sample.shown is not None]
    return Round(
        actions=summary(samples),
        faults=[f"{sample.action}: {sample.fault}" for sample in samples if sample.fault],
        n_actions=len(samples),
        share_within_goal=sum(value <= GOAL_SECONDS for value in shown) / max(1, len(shown)),
        seconds=seconds, server_cpu_seconds=used, client_cpu_seconds=ours,
        peak=watcher.peak, connected=connected, gone=memory_of(server.pid),
    )  # fmt: skip


def measure(
    *, people: int = PEOPLE, think: float = THINK, rounds: int = 2, forget: bool = True,
    settings: dict[str, str] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Let one person in, then crowds one after another, then nobody.

    Parameters
    ----------
    think
        Mean of the seconds between two clicks of a person; half to one and a half times that.
    forget
        Wait at the end until the server forgets windows that are closed.
    """
    # An administrator sees every page.
    given = {"WORKBENCH_DEFAULT_ROLE": "admin"} | (settings or {})
    with served(people=True, settings=given) as server:
        fresh = memory_of(server.pid)
        first = _round(server, range(1), 0.1, warm_up=True)
        alone = _round(server, range(1, 2), 0.3)
        crowds = [
            _round(server, range(2 + k * people, 2 + (k + 1) * people), think)
            for k in range(rounds)
        ]
        forgotten = None
        if forget:
            time.sleep(FORGET_SECONDS)
            _round(server, range(1, 2), 0.1)  # the next who comes or goes makes it forget
            forgotten = asdict(memory_of(server.pid))
        return {
            "people": people,
            "think_seconds": think,
            "first": asdict(first),
            "alone": asdict(alone),
            "crowds": [asdict(crowd) for crowd in crowds],
            "jobs": _jobs(server.home),
            "memory_fresh": asdict(fresh),
            "memory_forgotten": forgotten,
            "incidents": server.incidents()[:20],
        }
