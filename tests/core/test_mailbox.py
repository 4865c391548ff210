"""Events arrive in order, and a writer neither waits for a loop that is gone nor fills the memory."""

from __future__ import annotations

import asyncio
import threading

from nbfunc.core.events import Finished, Printed
from nbfunc.core.mailbox import MOST_EVENTS, Mailbox


def test_prints_are_joined_and_keep_their_place() -> None:
    async def read() -> list[str]:
        mailbox = Mailbox(asyncio.get_running_loop())
        for text in ("a", "b"):
            mailbox.print("stdout", text)
        mailbox.print("stderr", "c")
        mailbox.put(Finished())
        events = [await mailbox.get() for _ in range(3)]
        return [event.text if isinstance(event, Printed) else event.kind for event in events]

    assert asyncio.run(read()) == ["ab", "c", "finished"]


def test_a_writer_waits_for_a_reader_that_is_behind() -> None:
    async def read() -> int:
        mailbox = Mailbox(asyncio.get_running_loop())

        def write() -> None:
            for _ in range(5 * MOST_EVENTS):
                mailbox.put(Finished())

        writer = threading.Thread(target=write)
        writer.start()
        writer.join(0.2)  # the loop is busy meanwhile: the writer cannot be done
        assert writer.is_alive()
        assert len(mailbox._waiting) <= MOST_EVENTS
        count = 0
        while count < 5 * MOST_EVENTS:
            await mailbox.get()
            count += 1
        await asyncio.to_thread(writer.join)
        return count

    assert asyncio.run(read()) == 5 * MOST_EVENTS


def test_a_writer_outlives_its_loop() -> None:
    async def make() -> Mailbox:
        return Mailbox(asyncio.get_running_loop())

    mailbox = asyncio.run(make())
    for _ in range(3 * MOST_EVENTS):
        mailbox.put(Finished())
        mailbox.print("stdout", "x")


def test_what_is_held_goes_out_with_the_next_event_and_wakes_no_one_before() -> None:
    async def read() -> list[str]:
        mailbox = Mailbox(asyncio.get_running_loop())
        called: list[str] = []

        def write() -> None:
            mailbox.then(lambda: called.append("then"))
            mailbox.hold(Printed(stream="stdout", text="a"))
            mailbox.put(Finished())

        await asyncio.to_thread(write)
        events = [await mailbox.get() for _ in range(2)]
        return [*called, *(event.kind for event in events)]

    assert asyncio.run(read()) == ["then", "printed", "finished"]


def test_a_reader_that_rests_is_woken_and_finds_all_that_was_written() -> None:
    async def read() -> list[str]:
        mailbox = Mailbox(asyncio.get_running_loop())

        def write() -> None:
            for text in ("a", "b"):
                mailbox.print("stdout", text)
            mailbox.put(Finished())
            mailbox.wake()

        writer = threading.Thread(target=write)
        mailbox.rest(writer.start, 60)
        events = mailbox.arrived()
        writer.join()
        return [event.text if isinstance(event, Printed) else event.kind for event in events]

    assert asyncio.run(read()) == ["ab", "finished"]


def test_a_reader_that_rested_in_vain_is_called_as_ever() -> None:
    async def read() -> list[str]:
        mailbox = Mailbox(asyncio.get_running_loop())
        mailbox.rest(lambda: None, 0.001)
        before = mailbox.arrived()
        await asyncio.to_thread(mailbox.put, Finished())
        return [event.kind for event in [*before, await mailbox.get()]]

    assert asyncio.run(read()) == ["finished"]


def test_a_writer_that_fills_the_mailbox_of_a_resting_reader_goes_on_after_that() -> None:
    async def read() -> int:
        mailbox = Mailbox(asyncio.get_running_loop())

        def write() -> None:
            for _ in range(2 * MOST_EVENTS):
                mailbox.put(Printed(stream="stdout", text="x"))
            mailbox.put(Finished())
            mailbox.wake()

        writer = threading.Thread(target=write)
        mailbox.rest(writer.start, 0.05)
        count = len(mailbox.arrived())
        while count < 2 * MOST_EVENTS + 1:
            await mailbox.get()
            count += 1
        await asyncio.to_thread(writer.join)
        return count

    assert asyncio.run(read()) == 2 * MOST_EVENTS + 1
