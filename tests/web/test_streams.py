"""Events as they happen: of one run, and of a page."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from typing import Any

import pytest
from tornado.http1connection import HTTP1Connection

from nbfunc.web import streams
from tests.web.conftest import Serve
from tests.web.served import Served


def add(a: int, b: int = 2) -> int:
    print("adding")
    return a + b


class Stream:
    """An open stream of events, read one at a time."""

    def __init__(self, served: Served, path: str, **headers: str) -> None:
        self.connection = served.connect()
        self.connection.request("GET", path, headers={"Accept": "text/event-stream", **headers})
        self.answer: http.client.HTTPResponse = self.connection.getresponse()

    def next(self) -> dict[str, Any]:
        """Return the next event; comments are skipped."""
        while True:
            lines = self.block()
            if "data" in lines:
                return {**json.loads(lines["data"]), "id": lines.get("id")}

    def block(self) -> dict[str, str]:
        lines: dict[str, str] = {}
        while line := self.answer.readline().decode().rstrip("\n"):
            name, _, value = line.partition(":")
            lines[name] = value.strip()
        return lines

    def close(self) -> None:
        self.answer.close()
        self.connection.close()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_event_waits_for_the_one_before_to_be_acknowledged(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    at_once: list[bool] = []
    send = streams.EventResource.send

    async def watched(resource: streams.EventResource, frames: list[bytes]) -> None:
        connection = resource.request.connection
        assert isinstance(connection, HTTP1Connection)
        option = connection.stream.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        at_once.append(option != 0)
        await send(resource, frames)

    monkeypatch.setattr(streams.EventResource, "send", watched)
    served = serve(add)
    if method == "GET":
        served.events(served.post("/add", {"a": 1}, Prefer="respond-async").headers["Location"])
    else:
        served.post("/add", {"a": 1}, Accept="text/event-stream")
    assert at_once
    assert all(at_once)


def test_a_page_gets_the_events_of_a_short_run_with_its_id(serve: Serve) -> None:
    served = serve(add)
    answer = served.post("/add", {"a": 1}, Prefer="respond-async; events")
    assert answer.status == 202
    run, events = answer.json["run"], answer.json["events"]
    assert [event["n"] for event in events] == list(range(1, len(events) + 1))
    assert all(event["run"] == run for event in events)
    # However much of it that is, the rest follows.
    rest = served.events(f"/-/events?run={run}:{len(events)}")
    assert [event["kind"] for event in [*events, *rest]] == [
        "queued",
        "started",
        "printed",
        "output",
        "finished",
    ]
    assert answer.json.keys() == {"run", "events"}


def test_a_page_does_not_wait_for_a_long_run(serve: Serve) -> None:
    go = threading.Event()

    def hold() -> None:
        go.wait()

    served = serve(hold)
    answer = served.post("/hold", Prefer="respond-async; events")
    go.set()
    assert answer.status == 202
    assert [event["kind"] for event in answer.json["events"]][:1] == ["queued"]


def test_a_run_is_told_as_it_happens(serve: Serve) -> None:
    answer = serve(add).post("/add", {"a": 1}, Accept="text/event-stream")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/event-stream"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Accel-Buffering"] == "no"
    run = answer.headers["Location"].rpartition("/")[2]
    first, second = answer.text.split("\n\n")[:2]
    assert first == f'id: 1\nevent: queued\ndata: {{"run":"{run}","kind":"queued","position":0}}'
    assert second == f'id: 2\nevent: started\ndata: {{"run":"{run}","kind":"started"}}'


def test_events_are_numbered_from_one_and_end_with_the_last(serve: Serve) -> None:
    events = serve(add).events("/add", method="POST", body={"a": 1})
    assert [event["id"] for event in events] == [1, 2, 3, 4, 5]
    assert [event["kind"] for event in events] == ["queued", "started", "printed", "output", "finished"]
    assert events[2] == {"kind": "printed", "stream": "stdout", "text": "adding\n", "id": 3}
    assert events[3]["output"] == {"kind": "text", "text": "3", "value": 3}


def test_invalid_arguments_are_no_stream(serve: Serve) -> None:
    answer = serve(add).post("/add", {}, Accept="text/event-stream")
    assert (answer.status, answer.headers["Content-Type"]) == (422, "application/json")


def test_a_failure_is_the_last_event(serve: Serve) -> None:
    def fail() -> None:
        raise KeyError("x")

    last = serve(fail).events("/fail", method="POST")[-1]
    assert last == {"kind": "failed", "type": "KeyError", "message": "'x'", "id": 3}


@pytest.mark.parametrize(("last", "after"), [("3", ""), ("", "3")])
def test_a_stream_is_resumed_after_the_last_event_seen(serve: Serve, last: str, after: str) -> None:
    served = serve(add)
    run = served.post("/add", {"a": 1}).json["run"]
    events = served.events(f"/-/runs/{run}?after={after}", **({"Last-Event-ID": last} if last else {}))
    assert [event["id"] for event in events] == [4, 5]


def test_after_the_end_there_is_nothing_more(serve: Serve) -> None:
    served = serve(add)
    run = served.post("/add", {"a": 1}).json["run"]
    answer = served.get(f"/-/runs/{run}?after=5", Accept="text/event-stream")
    assert (answer.status, answer.body) == (204, b"")
    assert served.get("/-/runs/unknown", Accept="text/event-stream").status == 404


def test_who_comes_late_hears_it_from_the_beginning_and_then_live(serve: Serve) -> None:
    release = threading.Event()

    def wait() -> str:
        print("first")
        release.wait(30)
        return "last"

    served = serve(wait)
    run = served.post("/wait", Prefer="respond-async").json["run"]
    streams_ = [Stream(served, f"/-/runs/{run}") for _ in range(3)]
    for stream in streams_:
        assert [stream.next()["kind"] for _ in range(3)] == ["queued", "started", "printed"]
    release.set()
    for stream in streams_:
        assert [stream.next()["kind"] for _ in range(2)] == ["output", "finished"]
        assert stream.answer.read() == b""
        stream.close()


def test_a_client_that_leaves_is_forgotten(serve: Serve) -> None:
    release = threading.Event()

    def wait() -> None:
        release.wait(30)

    served = serve(wait)
    run = served.post("/wait", Prefer="respond-async").json["run"]
    log = served.app.site.runs.get(run)
    stream = Stream(served, f"/-/runs/{run}")
    stream.next()
    served.until(lambda: len(log._watchers or ()) == 1)
    stream.close()
    served.until(lambda: not log._watchers)
    release.set()
    served.until(lambda: log.status == "finished")


def test_a_comment_keeps_a_silent_stream_alive(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "COMMENT_SECONDS", 0.01)
    release = threading.Event()

    def wait() -> None:
        release.wait(30)

    served = serve(wait)
    run = served.post("/wait", Prefer="respond-async").json["run"]
    stream = Stream(served, f"/-/runs/{run}?after=2")
    assert stream.block() == {"": ""}
    release.set()
    assert stream.next()["kind"] == "finished"
    stream.close()


def test_a_hundred_thousand_prints_come_through_in_few_events(serve: Serve) -> None:
    def chatter() -> None:
        for n in range(100_000):
            print(n)

    served = serve(chatter)
    events = served.events("/chatter", method="POST")
    text = "".join(event["text"] for event in events if event["kind"] == "printed")
    assert text == "".join(f"{n}\n" for n in range(100_000))
    assert len(events) < 5_000


# The stream of a page


def test_a_page_hears_several_runs_in_one_stream(serve: Serve) -> None:
    served = serve(add)
    first, second = (served.post("/add", {"a": n}).json["run"] for n in (1, 2))
    events = served.events(f"/-/events?run={first}:3&run={second}:0")
    assert all("id" not in event for event in events)
    assert [(e["n"], e["kind"]) for e in events if e["run"] == first] == [(4, "output"), (5, "finished")]
    assert [e["n"] for e in events if e["run"] == second] == [1, 2, 3, 4, 5]


def test_a_page_that_listens_for_changes_stays(serve: Serve) -> None:
    served = serve(add)
    run = served.post("/add", {"a": 1}).json["run"]
    stream = Stream(served, f"/-/events?changes=1&run={run}:4")
    assert stream.next()["kind"] == "finished"

    async def tell() -> None:
        served.app.site.changes.tell("changed", url="/add")

    served.on_loop(tell())
    assert stream.next() == {"kind": "changed", "url": "/add", "id": None}
    stream.close()
    served.until(lambda: not served.app.site.changes._listeners)


def test_a_page_is_told_which_run_is_unknown(serve: Serve) -> None:
    events = serve(add).events('/-/events?run=nothing"{}:0')
    assert events == [{"kind": "unknown", "run": 'nothing"{}'}]


def test_a_page_hears_runs_that_start_later_in_its_next_stream(serve: Serve) -> None:
    release = threading.Event()

    def wait() -> str:
        release.wait(30)
        return "x"

    served = serve([wait, add])
    slow = served.post("/wait", Prefer="respond-async").json["run"]
    stream = Stream(served, f"/-/events?changes=1&run={slow}:0")
    assert [stream.next()["kind"] for _ in range(2)] == ["queued", "started"]
    release.set()
    assert [stream.next()["kind"] for _ in range(2)] == ["output", "finished"]
    stream.close()


@pytest.mark.parametrize("given", ["x", "-1", "1e9", "9" * 30, "٣"])
def test_a_strange_event_number_is_none(serve: Serve, given: str) -> None:
    served = serve(add)
    run = served.post("/add", {"a": 1}).json["run"]
    path = f"/-/runs/{run}?after=" + "".join(f"%{b:02x}" for b in given.encode())
    assert len(served.events(path)) == 5


def test_a_reader_that_does_not_read_holds_nobody_up(serve: Serve) -> None:
    def flood() -> None:
        for _ in range(300):
            print("x" * 100_000)

    served = serve([flood, add])
    run = served.post("/flood", Prefer="respond-async").json["run"]
    with served.socket() as deaf:
        deaf.sendall(
            f"GET /-/runs/{run} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n".encode()
        )
        served.until(lambda: served.get(f"/-/runs/{run}").json["status"] == "finished")
        assert served.post("/add", {"a": 1}).status == 200
