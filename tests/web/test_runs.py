"""The runs of a site and their logs: numbered, bounded, and forgotten in their time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from nbfunc.core.events import (
    Display,
    Event,
    Failed,
    File,
    Finished,
    Image,
    OutputEvent,
    Printed,
    Progress,
    Queued,
    Started,
    StoredFile,
    Text,
)
from nbfunc.errors import NotFound
from nbfunc.hosts.base import Events, FunctionHost, FunctionInfo, RawArguments
from nbfunc.web.addresses import Addresses
from nbfunc.web.runlog import RunLog
from nbfunc.web.runs import REMEMBERED_SECONDS, Runs
from nbfunc.web.streams import frame, taken

STORED = StoredFile(id="1-2", filename="ä b.txt", size=3, created=1000.0)


class FakeHost(FunctionHost):
    """A host whose one function emits what it is told to, then waits for more."""

    def __init__(self) -> None:
        self.mailboxes: dict[str, asyncio.Queue[Event]] = {}

    def functions(self) -> list[FunctionInfo]:
        return [FunctionInfo(name="f", title="F")]

    async def form(self, name: str, *, ask: bool = True) -> dict[str, Any]:  # noqa: ARG002 - the host's
        return {}

    async def start(
        self,
        name: str,  # noqa: ARG002 - the host's signature
        raw: RawArguments,  # noqa: ARG002 - the host's signature
        *,
        run: str,
        user: str | None = None,  # noqa: ARG002 - the host's signature
    ) -> Events:
        mailbox = self.mailboxes[run] = asyncio.Queue()

        async def events() -> AsyncIterator[Event]:
            while True:
                event = await mailbox.get()
                # Taken: what follows in the reader is done before whoever waits for that has its turn.
                mailbox.task_done()
                yield event

        return Events(events())

    async def cancel(self, run: str) -> None: ...


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def started(runs: Runs, host: FakeHost, *events: Event) -> RunLog:
    log = await runs.start(host, "f", RawArguments(), kernel=None, user=None)
    for event in events:
        host.mailboxes[log.id].put_nowait(event)
    await host.mailboxes[log.id].join()
    return log


def printed(size: int) -> Printed:
    return Printed(stream="stdout", text="x" * size)


def test_the_oldest_runs_that_ended_go_first() -> None:
    async def check() -> None:
        runs, host = Runs(Addresses(), limit=40_000), FakeHost()
        running = await started(runs, host, printed(10))
        ended = [await started(runs, host, printed(10_000), Finished()) for _ in range(4)]
        for log in ended[:2]:
            with pytest.raises(NotFound):
                runs.get(log.id)
        assert runs.get(ended[3].id) is ended[3]
        assert runs.get(running.id) is running
        await runs.close()

    asyncio.run(check())


def test_a_running_one_that_alone_is_too_large_loses_its_oldest_prints_and_says_so() -> None:
    async def check() -> None:
        runs, host = Runs(Addresses(), limit=40_000), FakeHost()
        log = await started(runs, host, Started(run="x"), *(printed(5_000) for _ in range(20)))
        said = json.loads(log.body())["printed"]
        assert said.startswith("[nbfunc: what was printed before this was dropped")
        assert said.count("[nbfunc:") == 1
        assert len(said) < 40_000
        numbers = [entry.n for entry in log.after(0)]
        assert numbers == sorted(set(numbers))
        assert numbers[-1] == 21
        assert log.entries[0].kind == "started"
        await runs.close()

    asyncio.run(check())


def test_what_yields_for_ever_fills_no_memory() -> None:
    async def check() -> None:
        runs, host = Runs(Addresses(), limit=100_000), FakeHost()
        outputs = (OutputEvent(output=Text(text="y" * 1000)) for _ in range(1000))
        log = await started(runs, host, *outputs)
        assert log.size < 120_000
        assert runs._size == log.size
        await runs.close()

    asyncio.run(check())


def test_an_ended_run_is_forgotten_after_a_day() -> None:
    async def check() -> None:
        clock = Clock()
        runs, host = Runs(Addresses(), clock=clock), FakeHost()
        log = await started(runs, host, Finished())
        running = await started(runs, host, Started(run="x"))
        clock.now += REMEMBERED_SECONDS - 1
        assert runs.get(log.id) is log
        clock.now += 2
        with pytest.raises(NotFound, match="a day"):
            runs.get(log.id)
        assert runs.all() == [running]
        await runs.close()

    asyncio.run(check())


def test_a_host_that_breaks_off_fails_the_run(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(FakeHost):
        async def start(
            self,
            name: str,  # noqa: ARG002 - the host's signature
            raw: RawArguments,  # noqa: ARG002 - the host's signature
            *,
            run: str,
            user: str | None = None,  # noqa: ARG002 - the host's signature
        ) -> Events:
            async def events() -> AsyncIterator[Event]:
                yield Started(run=run)
                raise OSError("gone")

            return Events(events())

    async def check() -> None:
        runs = Runs(Addresses())
        log = await runs.start(Broken(), "f", RawArguments(), kernel=None, user=None)
        await log.end()
        assert log.status == "failed"
        assert json.loads(log.body())["error"]["type"] == "OSError"

    asyncio.run(check())
    assert "broke off" in caplog.text


def test_closing_ends_what_does_not_stop_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nbfunc.web.runs.CANCEL_SECONDS", 0.01)

    async def check() -> None:
        runs, host = Runs(Addresses()), FakeHost()
        log = await started(runs, host, Started(run="x"))
        await runs.close()
        assert log.status == "cancelled"

    asyncio.run(check())


def test_only_the_newest_progress_in_a_row_is_kept() -> None:
    log = RunLog(id="r", host=FakeHost(), function="f", addresses=Addresses())
    size = log.size
    for done in range(1000):
        log.add(Progress(done=done, total=1000))
    assert [entry.n for entry in log.entries] == [1000]
    assert log.size - size < 1000
    assert log.summary()["progress"]["done"] == 999


def test_tracebacks_stay_in_the_server_unless_it_shows_them() -> None:
    async def check(shown: bool) -> str:
        runs, host = Runs(Addresses(), tracebacks=shown), FakeHost()
        log = await started(runs, host, Failed(type="E", message="m", traceback="secret path"))
        frames, _, _ = taken(log, 0, page=False)
        return (log.body() + b"".join(frames)).decode()

    assert "secret path" in asyncio.run(check(True))
    assert "secret path" not in asyncio.run(check(False))


def test_the_time_left_is_that_of_sending() -> None:
    clock = Clock()
    log = RunLog(id="r", host=FakeHost(), function="f", addresses=Addresses("/p/"), clock=clock)
    log.add(OutputEvent(output=File(file=STORED)))
    output = json.loads(log.body())["outputs"][0]
    assert output == {
        "kind": "file",
        "url": "/p/-/files/1-2/%C3%A4%20b.txt",
        "filename": "ä b.txt",
        "size": 3,
        "expires": "1970-01-01T01:16:40Z",
        "expires_in": 3600,
    }
    clock.now += 600
    assert json.loads(log.body())["outputs"][0]["expires_in"] == 3000
    clock.now += 6000
    data = frame(log, log.entries[0], clock.now).decode().partition("data: ")[2]
    assert json.loads(data)["output"]["expires_in"] == 0


def test_outputs_name_files_by_address() -> None:
    addresses = Addresses("/p/")
    assert addresses.output(Image(file=STORED, width=1, height=2))["url"] == "/p/-/files/1-2/%C3%A4%20b.txt"
    assert addresses.output(Text(text="t", file=STORED)) == {
        "kind": "text",
        "text": "t",
        "url": "/p/-/files/1-2/%C3%A4%20b.txt",
    }
    shown = addresses.output(Display(data={"text/plain": "x"}, files={"image/png": STORED}))
    assert shown["data"] == {"text/plain": "x", "image/png": {"url": "/p/-/files/1-2/%C3%A4%20b.txt"}}


def test_what_is_no_number_in_json_is_a_word() -> None:
    log = RunLog(id="r", host=FakeHost(), function="f", addresses=Addresses())
    value = [float("nan"), float("inf")]
    log.add(OutputEvent(output=Text(text="t", value=value, has_value=True)))
    assert json.loads(log.body())["outputs"][0]["value"] == ["NaN", "Infinity"]


def test_a_place_in_the_line_is_told_and_replaced() -> None:
    log = RunLog(id="r", host=FakeHost(), function="f", addresses=Addresses())
    for position in (3, 2, 1):
        log.add(Queued(run="r", position=position))
    assert (log.summary()["position"], len(log.entries)) == (1, 1)
