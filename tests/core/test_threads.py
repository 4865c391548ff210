"""Threads serve one call after another, and no call finds anything of an earlier one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import pytest

from nbfunc.core import threads
from nbfunc.core.cancel import Guard
from nbfunc.errors import Cancelled

VARIABLE: ContextVar[str] = ContextVar("VARIABLE", default="nothing")


def called(act: Callable[[], Any], name: str = "call") -> Any:
    """Return what `act` returns in a thread of `threads`."""
    answers: list[Any] = []
    over = threading.Event()

    def call() -> None:
        answers.append(act())
        over.set()

    threads.start(call, name=name)
    assert over.wait(10)
    return answers[0]


def test_a_call_has_its_name_and_is_a_daemon() -> None:
    assert called(lambda: threading.current_thread().name, "nbfunc-run-1") == "nbfunc-run-1"
    assert called(lambda: threading.current_thread().daemon)


@pytest.mark.skipif(
    not threads.LOCALS_SHOW,
    reason="since Python 3.13 nothing tells whether a thread is clean: none is used again",
)
def test_a_thread_is_used_again() -> None:
    assert len({called(threading.current_thread) for _ in range(100)}) < 20


def test_context_variables_do_not_stay() -> None:
    called(lambda: VARIABLE.set("something"))
    assert called(VARIABLE.get) == "nothing"


def test_thread_locals_do_not_stay() -> None:
    local = threading.local()

    def seen() -> bool:
        there = hasattr(local, "value")
        local.value = 1
        return there

    assert not any(called(seen) for _ in range(20))


def test_many_run_at_once() -> None:
    barrier = threading.Barrier(50)
    over = threading.Barrier(51)

    def meet() -> None:
        barrier.wait(10)
        over.wait(10)

    for _ in range(50):
        threads.start(meet, name="call")
    over.wait(10)


def test_a_cancel_that_comes_as_a_call_ends_never_reaches_the_next_one() -> None:
    stopped = []
    for _ in range(300):
        guard = Guard()
        over = threading.Event()

        def guarded(guard: Guard = guard, over: threading.Event = over) -> None:
            try:
                guard.enter()
                guard.leave()
            except Cancelled:
                guard.leave()
            over.set()

        threads.start(guarded, name="first")
        guard.request()
        assert over.wait(10)
        guard.request()
        stopped.append(called(lambda: sum(range(100))))
    assert set(stopped) == {sum(range(100))}


def test_who_waits_for_a_thread_is_told_when_the_call_is_over() -> None:
    done: list[str] = []
    over = threading.Event()

    def left() -> None:
        done.append("left")
        over.set()

    threads.start(lambda: done.append("called"), left=left, name="call")
    assert over.wait(10)
    assert done == ["called", "left"]
