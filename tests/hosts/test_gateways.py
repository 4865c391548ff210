"""A gateway goes away for long, or its server for ever: all that waits ends, and nothing stays."""

from __future__ import annotations

import asyncio
import struct
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from tornado.web import RequestHandler

from nbfunc import Cancelled
from nbfunc.core.events import CancelledEvent, Event, Failed, Finished, Printed
from nbfunc.errors import KernelUnreachable
from nbfunc.files.returns import ReturnsDir
from nbfunc.files.uploads import UploadsDir
from nbfunc.hosts.base import RawArguments
from nbfunc.hosts.protocol import SILENT_SECONDS
from tests.hosts.over_a_kernel import SECONDS, OverAKernel
from tests.hosts.test_hosts import events_of, first, within


class Held:
    """A function that runs until it is cancelled."""

    def __init__(self) -> None:
        self.cancelled = threading.Event()

    def hold(self) -> None:
        try:
            print("holding")
            while True:
                print("x" * 10_000)
        except Cancelled:
            self.cancelled.set()
            raise

    def was_cancelled(self) -> bool:
        return self.cancelled.wait(SECONDS)


def short() -> str:
    return "short"


@pytest.fixture
def held() -> Held:
    return Held()


@pytest.fixture
def made(tmp_path: Path, held: Held) -> Iterator[Callable[[float], OverAKernel]]:
    """Makes a host of a kernel behind a gateway."""
    hosts: list[OverAKernel] = []

    def make(unreachable_seconds: float = SECONDS) -> OverAKernel:
        host = OverAKernel(
            [held.hold, short],
            place="gateway",
            returns=ReturnsDir(tmp_path / "returns"),
            uploads=UploadsDir(tmp_path / "uploads"),
            unreachable_seconds=unreachable_seconds,
        )
        hosts.append(host)
        return host

    yield make
    for host in hosts:
        host.close()


async def last(events: AsyncIterator[Event]) -> Event:
    return [event async for event in events][-1]


async def begun(host: OverAKernel) -> AsyncIterator[Event]:
    events = await host.start("hold", RawArguments(), run="held")
    await first(events, Printed)
    return events


def test_a_gateway_that_stays_away_is_told_to_all_who_wait_and_works_again_when_it_is_back(
    made: Callable[[float], OverAKernel], held: Held
) -> None:
    host = made(0.5)

    async def away_and_back() -> None:
        events = await begun(host)
        host.stop_gateway()
        with pytest.raises(KernelUnreachable):
            await host.form("short")
        end = await last(events)
        assert isinstance(end, Failed)
        assert end.type == "KernelUnreachable"
        host.start_gateway()
        # Nobody waits for it any more, so it does not go on.
        assert await asyncio.to_thread(held.was_cancelled)
        assert (await events_of(host, "short", run="again"))[-1] == Finished()

    within(away_and_back())


def test_a_run_whose_server_is_gone_is_given_up(made: Callable[[], OverAKernel], held: Held) -> None:
    host = made()

    async def forsaken() -> None:
        await begun(host)
        host.stop_gateway()
        host.now += SILENT_SECONDS - 1
        host.tidy()
        assert not held.cancelled.is_set()
        host.now += 1
        host.tidy()
        assert await asyncio.to_thread(held.was_cancelled)

    within(forsaken())


def test_a_run_that_its_server_waits_for_goes_on_however_silent_it_is(
    made: Callable[[], OverAKernel], held: Held
) -> None:
    host = made()

    async def waited_for() -> None:
        events = await begun(host)
        for _ in range(3):
            host.now += SILENT_SECONDS - 1
            host.stir()
            await host.form("short")  # asked after, so answered after
            host.tidy()
        assert not held.cancelled.is_set()
        await host.cancel("held")
        assert await last(events) == CancelledEvent()

    within(waited_for())


def test_a_server_that_comes_back_too_late_hears_that_its_run_was_given_up(
    made: Callable[[], OverAKernel], held: Held
) -> None:
    host = made()

    async def too_late() -> None:
        events = await begun(host)
        host.stop_gateway()
        host.now += SILENT_SECONDS
        host.tidy()
        assert await asyncio.to_thread(held.was_cancelled)
        host.start_gateway()
        end = await last(events)
        assert isinstance(end, Failed)
        assert end.type == "KernelUnreachable"
        assert "heard nothing of the server" in end.message

    within(too_late())


def test_what_a_gateway_loses_comes_again_though_no_connection_broke(
    made: Callable[[], OverAKernel], held: Held
) -> None:
    host = made()
    assert host.gateway is not None
    gateway = host.gateway

    async def losing() -> None:
        events = await begun(host)
        gateway.loses = True
        await host.cancel("held")
        assert await asyncio.to_thread(held.was_cancelled)
        assert await asyncio.to_thread(gateway.lost.wait, SECONDS)
        gateway.loses = False
        host.stir()
        assert await last(events) == CancelledEvent()

    within(losing())


class Page(RequestHandler):
    """What a proxy answers whose login has run out."""

    asked = threading.Event()

    def get(self) -> None:
        self.asked.set()
        self.finish("<html>Please log in</html>")


def test_a_page_where_the_gateway_was_is_no_gateway_and_the_run_goes_on_when_it_is_back(
    made: Callable[[], OverAKernel], held: Held
) -> None:
    host = made()

    async def page() -> None:
        events = await begun(host)
        host.stop_gateway()
        host.start_gateway(instead=Page)
        assert await asyncio.to_thread(Page.asked.wait, SECONDS)
        host.stop_gateway()
        host.start_gateway()
        assert not held.cancelled.is_set()
        await host.cancel("held")
        assert await last(events) == CancelledEvent()

    within(page())


def frame(*parts: bytes) -> bytes:
    ends = [8 * (len(parts) + 2)]
    for part in parts:
        ends.append(ends[-1] + len(part))
    return b"".join([struct.pack(f"<{len(ends) + 1}Q", len(ends), *ends), *parts])


@pytest.mark.parametrize(
    "said",
    [
        bytes(4),
        "<html>",
        b"\xff" * 100,
        frame(b"control", b'{"msg_type": "nbfunc_reply"}', b"[]", b"{}", b'{"error": 3}'),
        frame(b"control", b'{"msg_type": "nbfunc_events"}', b"{}", b"{}", b'{"run": {}, "batch": []}', b"["),
        frame(b"iopub", b'{"msg_type": "status"}', b"{}", b"{}", b'{"execution_state": [[]]}'),
        frame(b"iopub", b'{"msg_type": "nbfunc_changed"}', b"{}", b"{}", b"{}"),
    ],
)
def test_what_no_kernel_says_changes_nothing(said: bytes | str, made: Callable[[], OverAKernel]) -> None:
    host = made()
    host.say(said)
    assert within(events_of(host, "short"))[-1] == Finished()
