"""The contract of every FunctionHost: the same suite runs over each."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

import pytest

from nbfunc.core.events import (
    CancelledEvent,
    Event,
    Failed,
    File,
    Finished,
    OutputEvent,
    Queued,
    Started,
    Table,
    Text,
)
from nbfunc.errors import DiskFull, Expired, FormError, InvalidArguments, NotFound, Unfinished
from nbfunc.files import tables
from nbfunc.files.returns import ReturnsDir
from nbfunc.files.uploads import UploadsDir
from nbfunc.hosts.base import FunctionHost, RawArguments
from nbfunc.hosts.in_process import Functions, InProcessHost
from nbfunc.types import DataFile, Dropdown, FileResponse
from nbfunc.types import File as FileType
from tests.hosts.over_a_kernel import OverAKernel
from tests.looking import files_below

T = TypeVar("T")
Host: TypeAlias = InProcessHost | OverAKernel


@dataclasses.dataclass
class Rig:
    """A host and what it keeps its files in."""

    returns: ReturnsDir
    uploads: UploadsDir
    place: Literal["in_process", "kernel", "remote", "gateway"]
    made: list[Host] = dataclasses.field(default_factory=list)

    def host(self, functions: Functions, **options: Any) -> Host:
        host: Host
        if self.place == "in_process":
            host = InProcessHost(functions, store=self.returns, uploads=self.uploads, **options)
        else:
            host = OverAKernel(
                functions, place=self.place, returns=self.returns, uploads=self.uploads, **options
            )
        self.made.append(host)
        return host

    def upload(self, name: str, content: bytes) -> str:
        token = self.uploads.create(name, len(content))
        with self.uploads.writer(token, 0) as writer:
            writer.write(content)
        return token

    def uploaded(self) -> list[Path]:
        """Return the uploaded files that are still there, once all deleting that was begun is done."""
        for thread in threading.enumerate():
            if thread.name == "nbfunc-delete":
                thread.join()
        return files_below(self.uploads.path)


# "kernel" shares the server's disk, "remote" does not, and "gateway" neither, over a websocket.
@pytest.fixture(params=["in_process", "kernel", "remote", "gateway"])
def rig(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Rig]:
    rig = Rig(ReturnsDir(tmp_path / "returns"), UploadsDir(tmp_path / "uploads"), request.param)
    yield rig
    for host in rig.made:
        host.close()


def within(coroutine: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(coroutine)


async def events_of(host: FunctionHost, name: str, run: str = "r", **values: Any) -> list[Event]:
    events = await host.start(name, RawArguments(values=values), run=run)
    return [event async for event in events]


async def first(events: AsyncIterator[Event], kind: type) -> Event:
    async for event in events:
        if isinstance(event, kind):
            return event
    raise AssertionError(f"no {kind.__name__}")


def texts(events: list[Event]) -> list[str]:
    outputs = [event.output for event in events if isinstance(event, OutputEvent)]
    return [output.text for output in outputs if isinstance(output, Text)]


def double(n: int, times: int = 2) -> int:
    """Double it."""
    return n * times


def test_functions_are_listed_in_order_with_title_description_and_group(rig: Rig) -> None:
    def other() -> None: ...

    groups: dict[str, list[Callable[..., Any]]] = {"Math": [double], "Rest": [other]}
    infos = rig.host(groups).functions()
    assert [(i.name, i.title, i.description, i.group) for i in infos] == [
        ("double", "Double", "Double it.", "Math"),
        ("other", "Other", "", "Rest"),
    ]


@pytest.mark.parametrize(("functions", "says"), [([double, double], "rename"), ([3], "not a function")])
def test_what_cannot_be_exposed_is_refused(functions: Any, says: str, rig: Rig) -> None:
    with pytest.raises(FormError, match=says):
        rig.host(functions)


def named(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    function.__name__ = name
    return function


def test_functions_come_and_go(rig: Rig) -> None:
    host = rig.host(())
    assert host.functions() == []
    assert [info.name for info in host.expose([double])] == ["double"]
    assert [info.name for info in host.functions()] == ["double"]
    assert host.remove("double")
    assert not host.remove("double")
    assert host.functions() == []


def test_a_function_of_the_same_name_takes_the_place_of_the_other(rig: Rig) -> None:
    def other() -> None: ...

    def triple(n: int) -> int:
        """Triple it."""
        return n * 3

    host = rig.host([double, other])
    host.expose({"New": [named(triple, "double")]})
    assert [(i.name, i.description, i.group) for i in host.functions()] == [
        ("double", "Triple it.", "New"),
        ("other", "", None),
    ]
    assert texts(within(events_of(host, "double", n=2))) == ["6"]


def test_what_cannot_be_exposed_changes_nothing(rig: Rig) -> None:
    def fine() -> None: ...

    def wrong(*args: int) -> None: ...

    host = rig.host(double)
    with pytest.raises(FormError, match="wrong"):
        host.expose([fine, wrong])
    assert [info.name for info in host.functions()] == ["double"]


def test_a_run_finishes_the_code_that_it_started_with(rig: Rig) -> None:
    release = threading.Event()

    def old() -> str:
        release.wait()
        return "old"

    def new() -> str:
        return "new"

    async def replaced() -> list[Event]:
        host = rig.host(named(old, "f"))
        events = await host.start("f", RawArguments(), run="r")
        await first(events, Started)
        host.expose(named(new, "f"))
        assert texts(await events_of(host, "f", run="s")) == ["new"]
        host.remove("f")
        release.set()
        return [event async for event in events]

    assert texts(within(replaced())) == ["old"]


def test_a_page_that_is_open_while_its_function_changes_may_send_what_it_offers(rig: Rig) -> None:
    async def use() -> list[str]:
        host = rig.host(choosing(Source(["a"])))
        await host.form("choose")
        host.expose(choosing(Source(["b"])))
        return texts(await events_of(host, "choose", x="a"))

    assert within(use()) == ["a"]


def test_a_run_keeps_to_the_directories_that_it_found(rig: Rig, tmp_path: Path) -> None:
    release = threading.Event()

    def make() -> FileResponse:
        release.wait()
        return FileResponse(data=b"x", filename="a.txt")

    async def moved() -> Event:
        host = rig.host(make)
        events = await host.start("make", RawArguments(), run="r")
        host.store = ReturnsDir(tmp_path / "elsewhere")
        release.set()
        return await first(events, OutputEvent)

    event = within(moved())
    assert isinstance(event, OutputEvent)
    assert isinstance(event.output, File)
    assert rig.returns.find(event.output.file.id, "a.txt").path.exists()


def test_a_run_queues_starts_shows_and_finishes(rig: Rig) -> None:
    events = within(events_of(rig.host(double), "double", n=4))
    assert [event.kind for event in events] == ["queued", "started", "output", "finished"]
    assert texts(events) == ["8"]


def test_an_unknown_function_is_not_found(rig: Rig) -> None:
    host = rig.host(double)
    with pytest.raises(NotFound, match="halve"):
        within(events_of(host, "halve"))
    with pytest.raises(NotFound, match="halve"):
        within(host.form("halve"))


def test_invalid_arguments_run_nothing(rig: Rig) -> None:
    called = threading.Event()

    def act(n: int) -> None:
        called.set()

    with pytest.raises(InvalidArguments):
        within(events_of(rig.host(act), "act", n="5"))
    assert not called.is_set()


def test_a_returned_file_is_in_the_returns_directory(rig: Rig) -> None:
    def make() -> FileResponse:
        return FileResponse(data=b"content", filename="made.txt")

    events = within(events_of(rig.host(make), "make"))
    (output,) = [event.output for event in events if isinstance(event, OutputEvent)]
    assert isinstance(output, File)
    assert rig.returns.find(output.file.id, "made.txt").path.read_bytes() == b"content"


def test_a_function_gets_its_upload_by_its_name_and_it_goes_after_the_run(rig: Rig) -> None:
    def read(table: DataFile) -> str:
        return f"{Path(table).name}: {Path(table).read_text()}"

    token = rig.upload("Zahlen Ä.CSV", b"1,2")
    events = within(events_of(rig.host(read), "read", table={"upload": token}))
    assert texts(events) == ["Zahlen Ä.CSV: 1,2"]
    with pytest.raises((NotFound, Expired)):
        rig.uploads.find(token)
    assert not rig.uploaded()


def test_an_invalid_submit_takes_no_upload(rig: Rig) -> None:
    def read(file: FileType, n: int) -> None: ...

    token = rig.upload("a.txt", b"x")
    with pytest.raises(InvalidArguments) as caught:
        within(events_of(rig.host(read), "read", file={"upload": token}, n="x"))
    assert [p["loc"] for p in caught.value.problems] == [["n"]]
    assert rig.uploads.find(token).read_bytes() == b"x"


@pytest.mark.parametrize("extension", ["exe", "csv.exe", ""])
def test_an_upload_of_another_type_is_refused_at_its_field(extension: str, rig: Rig) -> None:
    def read(files: list[DataFile]) -> None: ...

    token = rig.upload(f"a.{extension}", b"x")
    with pytest.raises(InvalidArguments) as caught:
        within(events_of(rig.host(read), "read", files=[{"upload": token}]))
    assert caught.value.problems[0]["loc"] == ["files", 0]


def test_an_unfinished_unknown_or_taken_upload_is_refused_at_its_field(rig: Rig) -> None:
    def read(file: FileType) -> None: ...

    host = rig.host(read)
    for token in (rig.uploads.create("a.txt", 5), "nonsense", "../../etc/passwd", "/etc/passwd"):
        with pytest.raises(InvalidArguments) as caught:
            within(events_of(host, "read", file={"upload": token}))
        assert caught.value.problems[0]["loc"] == ["file"]


def test_so_many_run_at_once_and_the_rest_wait_in_order(rig: Rig) -> None:
    release = threading.Event()

    def wait(n: int) -> int:
        release.wait()
        return n

    async def three() -> list[list[Event]]:
        host = rig.host(wait, max_concurrency=1)
        started = [await host.start("wait", RawArguments(values={"n": n}), run=str(n)) for n in range(3)]
        heads = [[await events.__anext__()] for events in started]
        release.set()
        for head, events in zip(heads, started, strict=True):
            head.extend([event async for event in events])
        return heads

    runs = within(three())
    positions = [[event.position for event in events if isinstance(event, Queued)] for events in runs]
    assert positions == [[0], [1, 0], [2, 1, 0]]
    assert all(isinstance(events[-1], Finished) for events in runs)


def test_a_waiting_run_can_be_cancelled_and_gives_its_upload_back(rig: Rig) -> None:
    release = threading.Event()

    def wait(file: FileType | None = None) -> None:
        release.wait()

    async def cancel_second() -> tuple[list[Event], list[Event]]:
        host = rig.host(wait, max_concurrency=1)
        token = rig.upload("a.txt", b"x")
        one = await host.start("wait", RawArguments(), run="one")
        two = await host.start("wait", RawArguments(values={"file": {"upload": token}}), run="two")
        await host.cancel("two")
        second = [event async for event in two]
        release.set()
        return [event async for event in one], second

    first_run, second_run = within(cancel_second())
    assert isinstance(first_run[-1], Finished)
    assert isinstance(second_run[-1], CancelledEvent)
    assert not any(isinstance(event, Started) for event in second_run)
    assert not rig.uploaded()


def test_a_running_run_can_be_cancelled_an_ended_one_stays_as_it_is(rig: Rig) -> None:
    def loop() -> None:
        number = 0
        while True:
            number += len(str(number))

    async def cancel() -> Event:
        host = rig.host([loop, double])
        await events_of(host, "double", run="ended", n=1)
        await host.cancel("ended")
        await host.cancel("never was")
        events = await host.start("loop", RawArguments(), run="r")
        await first(events, Started)
        await host.cancel("r")
        return [event async for event in events][-1]

    assert isinstance(within(cancel()), CancelledEvent)


def test_one_slow_function_does_not_hold_up_another(rig: Rig) -> None:
    release = threading.Event()

    def slow() -> None:
        release.wait()

    async def both() -> list[Event]:
        host = rig.host([slow, double])
        slow_events = await host.start("slow", RawArguments(), run="slow")
        quick = await events_of(host, "double", run="quick", n=1)
        release.set()
        await first(slow_events, Finished)
        return quick

    assert isinstance(within(both())[-1], Finished)


@dataclasses.dataclass
class Large:
    """An argument that takes memory."""

    n: int


def test_what_a_run_held_is_free_when_it_ends_and_not_when_a_collector_comes(rig: Rig) -> None:
    held: list[weakref.ref[Large]] = []

    def hold(large: Large) -> int:
        held.append(weakref.ref(large))
        return large.n

    async def use() -> None:
        host = rig.host(hold)
        gc.disable()
        try:
            assert texts(await events_of(host, "hold", large={"n": 1})) == ["1"]
            # Its thread may still be on its way out.
            await asyncio.wait_for(freed(held[0]), 10)
        finally:
            gc.enable()

    within(use())


async def freed(something: weakref.ref[Any]) -> None:
    while something() is not None:  # noqa: ASYNC110 - nobody tells when an object goes
        await asyncio.sleep(0.01)


class Source:
    """A dropdown's callable whose answer changes."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    def __call__(self) -> Any:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def choosing(source: Callable[[], Any]) -> Callable[[str], str]:
    def choose(x: str) -> str:
        return x

    choose.__annotations__["x"] = Literal[source]
    return choose


def node(schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = schema["parameters"]["properties"]["x"]
    return found


@pytest.mark.parametrize(("answer", "enum"), [(["a", 1], ["a", 1]), (("a",), ["a"]), ("a", ["a"]), ([], [])])
def test_a_dynamic_dropdown_offers_what_its_callable_says(answer: Any, enum: list[Any], rig: Rig) -> None:
    host = rig.host(choosing(Source(answer)))
    assert node(within(host.form("choose")))["enum"] == enum


def test_options_are_asked_for_each_time_and_the_served_ones_stay_good(rig: Rig) -> None:
    async def use() -> list[Event]:
        host = rig.host(choosing(Source(["old"], ["new"])))
        assert node(await host.form("choose"))["enum"] == ["old"]
        assert node(await host.form("choose"))["enum"] == ["new"]
        assert texts(await events_of(host, "choose", run="1", x="new")) == ["new"]
        return await events_of(host, "choose", run="2", x="old")

    assert texts(within(use())) == ["old"]


def test_an_option_that_was_never_offered_is_refused(rig: Rig) -> None:
    with pytest.raises(InvalidArguments):
        within(events_of(rig.host(choosing(Source(["a"]))), "choose", x="b"))


@pytest.mark.parametrize("answer", [ValueError("no list today"), [object()], None.__class__])
def test_a_dropdown_whose_callable_fails_opens_with_the_error(answer: Any, rig: Rig) -> None:
    hints = node(within(rig.host(choosing(Source(answer))).form("choose")))["x-nbfunc"]
    assert hints["dynamic"] is True
    assert "Error: " in hints["error"]


def test_a_dropdown_whose_callable_hangs_keeps_nobody_else_up(tmp_path: Path) -> None:
    gate = threading.Event()

    def hanging() -> list[str]:
        gate.wait()
        return ["a"]

    @dataclasses.dataclass
    class Checked:
        n: int

    def other(checked: Checked) -> int:
        return checked.n

    other.__annotations__["checked"] = Checked

    async def use() -> list[Event]:
        returns, uploads = ReturnsDir(tmp_path / "returns"), UploadsDir(tmp_path / "uploads")
        host = InProcessHost([choosing(hanging), other], store=returns, uploads=uploads, ask_seconds=0.05)
        opened = await asyncio.gather(*(host.form("choose") for _ in range(40)))
        assert all("did not come within" in node(schema)["x-nbfunc"]["error"] for schema in opened)
        with pytest.raises(InvalidArguments, match="did not come within"):
            await events_of(host, "choose", run="1", x="a")
        events = await events_of(host, "other", run="2", checked={"n": 3})
        host.close()
        return events

    try:
        assert texts(within(use())) == ["3"]
    finally:
        gate.set()


def test_a_submit_says_why_an_option_could_not_be_checked(rig: Rig) -> None:
    with pytest.raises(InvalidArguments) as caught:
        within(events_of(rig.host(choosing(Source(ValueError("no list today")))), "choose", x="a"))
    (problem,) = caught.value.problems
    assert problem["loc"] == ["x"]
    assert "ValueError: no list today" in problem["msg"]


def test_a_full_disk_is_the_runs_failure_in_words(rig: Rig) -> None:
    def make() -> FileResponse:
        return FileResponse(chunks=refusing(), filename="a")

    def refusing() -> Iterator[bytes]:
        yield b"x"
        raise OSError(28, "No space left on device")

    last = within(events_of(rig.host(make), "make"))[-1]
    assert isinstance(last, Failed)
    assert "No space left" in last.message
    assert not list(rig.returns.path.iterdir()), "no partial file stays"


def long_table() -> list[tuple[int, int]]:
    return [(n, -n) for n in range(60_000)]


@pytest.fixture
def writing(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Let tables be written only when this is set."""
    go = threading.Event()
    write = tables.write_table

    def late(*args: Any) -> None:
        go.wait()
        write(*args)

    monkeypatch.setattr(tables, "write_table", late)
    yield go
    go.set()


def test_a_long_table_is_told_of_before_it_is_written(rig: Rig, writing: threading.Event) -> None:
    if rig.place in {"remote", "gateway"}:
        writing.set()  # the server can fetch only what is whole

    async def told_early() -> tuple[Table, list[Event]]:
        events = await rig.host([long_table]).start("long_table", RawArguments(), run="r")
        event = await first(events, OutputEvent)
        assert isinstance(event, OutputEvent)
        assert isinstance(event.output, Table)
        if rig.place not in {"remote", "gateway"}:
            with pytest.raises(Unfinished):
                rig.returns.find(event.output.file.id, event.output.file.filename)
        writing.set()
        return event.output, [event async for event in events]

    table, rest = within(told_early())
    assert (table.total, table.rows[:2], len(table.rows)) == (60_000, [[0, 0], [1, -1]], 100)
    assert rest == [Finished()]
    found = rig.returns.find(table.file.id, table.file.filename)
    assert tables.query(found.path, offset=59_999)["rows"] == [[59_999, -59_999]]
    assert len(list(rig.returns.path.iterdir())) == 1


def test_a_long_table_without_room_fails_its_run_and_leaves_nothing(tmp_path: Path, rig: Rig) -> None:
    rig.returns = ReturnsDir(tmp_path / "bounded", max_size=100_000)
    events = within(events_of(rig.host([long_table]), "long_table"))
    last = events[-1]
    assert isinstance(last, Failed)
    assert last.type == DiskFull.__name__
    assert "max_returns_size" in last.message
    assert list(rig.returns.path.iterdir()) == []


def test_a_table_that_is_cancelled_while_it_is_written_leaves_nothing(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing = threading.Event()
    write = tables.write_table

    def endless(path: Path, columns: Any, rows: Any, *rest: Any) -> None:
        def more() -> Iterator[Any]:
            for row in rows:
                writing.set()
                threading.Event().wait(0.001)
                yield row

        write(path, columns, more(), *rest)

    monkeypatch.setattr(tables, "write_table", endless)

    async def cancelled() -> list[Event]:
        host = rig.host([long_table])
        events = await host.start("long_table", RawArguments(), run="r")
        await asyncio.to_thread(writing.wait)
        await host.cancel("r")
        return [event async for event in events]

    assert within(cancelled())[-1] == CancelledEvent()
    assert list(rig.returns.path.iterdir()) == []


def test_a_function_that_was_quick_so_far_may_take_its_time_without_keeping_others_up(rig: Rig) -> None:
    gate = threading.Event()
    gate.set()

    def wait(n: int) -> int:
        gate.wait()
        return n

    async def check() -> None:
        host = rig.host([wait, double])
        for n in range(5):
            assert texts(await events_of(host, "wait", f"r{n}", n=n)) == [str(n)]
        gate.clear()
        slow = await host.start("wait", RawArguments(values={"n": 7}), run="slow")
        assert texts(await events_of(host, "double", n=2)) == ["4"]
        gate.set()
        assert texts([event async for event in slow]) == ["7"]
        events = await events_of(host, "wait", "after", n=8)
        assert [event.kind for event in events] == ["queued", "started", "output", "finished"]

    within(check())


def test_quick_runs_that_wait_in_line_all_end(rig: Rig) -> None:
    async def check() -> None:
        host = rig.host(double, max_concurrency=1)
        await events_of(host, "double", n=0)
        ended = await asyncio.gather(*(events_of(host, "double", f"r{n}", n=n) for n in range(300)))
        assert [texts(events) for events in ended] == [[str(2 * n)] for n in range(300)]

    within(check())


ASKED: list[str] = []


def colors() -> list[str]:
    ASKED.append("colors")
    return ["red"]


def paint(color: Annotated[str, Dropdown(colors)]) -> None: ...


def test_a_form_can_be_had_without_asking_for_its_options(rig: Rig) -> None:
    ASKED.clear()

    async def check() -> None:
        host = rig.host(paint)
        form = await host.form("paint", ask=False)
        assert form["parameters"]["properties"]["color"]["enum"] == []
        assert not ASKED
        assert (await host.form("paint"))["parameters"]["properties"]["color"]["enum"] == ["red"]

    within(check())
