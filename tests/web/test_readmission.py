"""Answers that last, to somebody who may not read on: a session that ended in another tab, or expired."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from nbfunc.types import FileResponse
from nbfunc.web import resource, sessions, streams
from tests.web.conftest import Serve
from tests.web.served import Served
from tests.web.test_safety import authorization, cookie_of, log_in
from tests.web.test_streams import Stream

AUTH = {"ada": "secret", "bob": "hidden"}
LARGE = 64 << 20

End = Callable[[Served, dict[str, str]], None]


@pytest.fixture(autouse=True)
def looked_at_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "READMIT_SECONDS", 0.01)
    monkeypatch.setattr(streams, "COMMENT_SECONDS", 0.02)


@pytest.fixture(params=["logged out", "expired"])
def end(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> End:
    """End a session."""

    def ended(served: Served, cookie: dict[str, str]) -> None:
        if request.param == "logged out":
            assert served.request("POST", "/-/logout", headers=cookie).status == 303
        else:
            monkeypatch.setattr(sessions, "COOKIE_DAYS", -1)

    return ended


@pytest.fixture
def gate() -> threading.Event:
    return threading.Event()


@pytest.fixture
def served(serve: Serve, gate: threading.Event, tmp_path: Path) -> Served:
    def hold() -> str:
        print("holding")
        gate.wait(60)
        return "let go"

    def make() -> list[FileResponse]:
        path = tmp_path / "large.bin"
        with path.open("wb") as file:
            file.truncate(LARGE)
        return [FileResponse(path=path), FileResponse(data=b"small", filename="small.txt")]

    return serve([hold, make], auth=AUTH)


def begun(served: Served, cookie: dict[str, str]) -> str:
    return str(served.post("/hold", Prefer="respond-async", **cookie).json["run"])


@pytest.mark.parametrize("path", ["/-/runs/{}", "/-/events?run={}:0", "/-/events?changes=1&run={}:0"])
def test_a_stream_ends_with_its_readers_session_and_the_run_goes_on(
    served: Served, gate: threading.Event, end: End, path: str
) -> None:
    cookie = cookie_of(log_in(served, "ada", "secret"))
    run = begun(served, cookie)
    stream = Stream(served, path.format(run), **cookie)
    while stream.next()["kind"] != "printed":
        pass
    end(served, cookie)
    assert b"event:" not in stream.answer.read()  # to its end, which a client tells from a broken connection
    stream.close()
    again = served.get(path.format(run), Accept="text/event-stream", **cookie)
    assert (again.status, again.json["reason"]) == (401, "unauthorized")
    gate.set()
    served.until(lambda: served.app.site.runs.get(run).status == "finished")


def test_who_is_told_nothing_more_is_not_told_what_a_run_returns(
    served: Served, gate: threading.Event, end: End, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "READMIT_SECONDS", 0.0)
    cookie = cookie_of(log_in(served, "ada", "secret"))
    answers = []

    def wait() -> None:
        answers.append(served.post("/hold", **cookie))

    waiting = threading.Thread(target=wait)
    waiting.start()
    served.until(lambda: any(log.status == "running" for log in served.app.site.runs.all()))
    end(served, cookie)
    gate.set()
    waiting.join(60)
    assert answers[0].status == 401
    assert "let go" not in answers[0].text


@pytest.mark.parametrize("all_of_them", [False, True])
def test_a_download_breaks_off_when_its_readers_session_ends(
    served: Served, end: End, all_of_them: bool
) -> None:
    cookie = cookie_of(log_in(served, "ada", "secret"))
    body = served.post("/make", **cookie).json
    connection = served.connect()
    path = f"/-/runs/{body['run']}/files.zip" if all_of_them else body["outputs"][0]["url"]
    connection.request("GET", path, headers=cookie)
    answer = connection.getresponse()
    answer.read(1 << 20)
    end(served, cookie)
    served.until(lambda: served.get("/-/runs", **cookie).status == 401)
    # What the buffers of the system hold still comes; the rest does not, and the client can tell.
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        answer.read()
    connection.close()


def test_a_session_that_ends_takes_no_other_along(served: Served, gate: threading.Event) -> None:
    mine, other = (cookie_of(log_in(served, "ada", "secret")) for _ in range(2))
    bobs = cookie_of(log_in(served, "bob", "hidden"))
    run = begun(served, mine)
    readers = [other, bobs, authorization("ada", "secret")]
    open_ = [Stream(served, f"/-/runs/{run}", **reader) for reader in readers]
    served.request("POST", "/-/logout", headers=mine)
    for stream in open_:
        while stream.next()["kind"] != "printed":
            pass
        for _ in range(5):
            assert stream.block() == {"": ""}  # a comment each
    gate.set()
    for stream in open_:
        assert [stream.next()["kind"] for _ in range(2)] == ["output", "finished"]
        stream.close()
    assert served.get("/-/runs", **other).status == 200
    assert served.get("/-/runs", **mine).status == 401


def test_where_nobody_logs_in_a_stream_stays_open(serve: Serve, gate: threading.Event) -> None:
    def hold() -> None:
        gate.wait(60)

    served = serve(hold)
    run = begun(served, {})
    stream = Stream(served, f"/-/runs/{run}?after=2")
    for _ in range(5):
        assert stream.block() == {"": ""}
    gate.set()
    assert stream.next()["kind"] == "finished"
    stream.close()
