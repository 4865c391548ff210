"""The connection to a gateway breaks, and the kernel lives: what was under way goes on as if nothing were."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.gateway.gateway import Server, behind_wire, needs_namespaces
from tests.gateway.wire import Wire
from tests.jupyter.server import Kernel

pytestmark = needs_namespaces

FUNCTIONS = """
import threading, time
from nbfunc import FileResponse
from nbfunc.types import File

gate = threading.Event()

def copied(file: File) -> FileResponse:
    return FileResponse(path=file, filename="back.bin")

def count(to: int) -> int:
    for n in range(to):
        print(n)
    return to

def wait_at_gate() -> str:
    print("waiting")
    while not gate.wait(0.01):
        pass
    return "through"

def hold() -> None:
    print("holding")
    while True:
        time.sleep(0.01)

calls = 0

def once(text: str = "") -> int:
    global calls
    calls += 1
    return len(text)

%func_to_web copied count wait_at_gate hold once
"""
MB = 1 << 20


@pytest.fixture(scope="module", params=["newest", "older"])
def wired(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[tuple[Server, Wire]]:
    """A server and its wire to the gateway, which speaks the newest protocol, or only the older."""
    older = ["--ZMQChannelsWebsocketConnection.kernel_ws_protocol="] if request.param == "older" else []
    with behind_wire(tmp_path_factory.mktemp("wired"), *older) as made:
        yield made


@pytest.fixture
def server(wired: tuple[Server, Wire]) -> Server:
    return wired[0]


@pytest.fixture
def wire(wired: tuple[Server, Wire]) -> Iterator[Wire]:
    wire = wired[1]
    wire.cuts = 0
    yield wire
    wire.mend()
    wire.cut_after()


@pytest.fixture(scope="module")
def functions(wired: tuple[Server, Wire]) -> Kernel:
    kernel = wired[0].kernel()
    kernel.expose(FUNCTIONS)
    return kernel


def test_files_cross_wires_that_break(server: Server, wire: Wire, functions: Kernel) -> None:
    content = random.Random(1).randbytes(20 * MB)
    upload = server.upload("there.bin", content)
    # On its way there, and back.
    wire.cut_after(5 * MB, 9 * MB, 12 * MB, 10 * MB)
    answer = functions.call("copied", file={"upload": upload})
    assert answer.status == 200, answer.text
    assert wire.cuts == 4
    (output,) = answer.json["outputs"]
    is_same = server.get(output["url"]).content == content
    assert is_same
    assert not server.uploaded()


def test_prints_arrive_once_and_in_order_over_wires_that_break(wire: Wire, functions: Kernel) -> None:
    wire.cut_after(*[300_000] * 8)
    answer = functions.call("count", to=200_000)
    assert answer.status == 200, answer.text[-300:]
    assert wire.cuts >= 5
    is_whole = answer.json["printed"] == "".join(f"{n}\n" for n in range(200_000))
    assert is_whole


def test_a_silent_run_goes_on_and_is_cancelled_over_the_new_connection(
    server: Server, wire: Wire, functions: Kernel
) -> None:
    run = functions.begin("hold")
    with server.stream(run) as events:
        events.until(kind="printed", text="holding\n")
        wire.take_down()
        assert server.ask("DELETE", run).status == 202
        wire.mend()
        assert events.until(kind="cancelled")


def test_what_ends_while_there_is_no_connection_is_heard_after(
    server: Server, wire: Wire, functions: Kernel
) -> None:
    run = functions.begin("wait_at_gate")
    with server.stream(run) as events:
        events.until(kind="printed", text="waiting\n")
        wire.take_down()
        functions.run("gate.set()")
        wire.mend()
        assert events.until(kind="output")["output"]["value"] == "through"
        assert events.until(kind="finished")


def test_what_is_asked_while_there_is_no_connection_is_done_once(
    server: Server, wire: Wire, functions: Kernel
) -> None:
    before = int(functions.run("print(calls)").stdout)
    wire.take_down()
    with ThreadPoolExecutor(1) as asker:
        asked = asker.submit(functions.call, "once")
        wire.mend()
        assert asked.result().status == 200
    assert int(functions.run("print(calls)").stdout) == before + 1


def test_what_is_exposed_while_there_is_no_connection_is_known_after(
    server: Server, wire: Wire, functions: Kernel
) -> None:
    wire.take_down()
    request = functions.client.execute("def later(): pass\n%func_to_web later")
    wire.mend()
    cell = functions.heard(request)
    assert not cell.stderr
    assert functions.call("later").status == 200


def test_arguments_of_many_megabytes_arrive_whole(wire: Wire, functions: Kernel) -> None:
    text = "é" * (8 * MB)
    wire.cut_after(6 * MB)
    answer = functions.call("once", text=text)
    assert answer.status == 200, answer.text
    assert answer.json["outputs"][0]["value"] == len(text)
    assert wire.cuts == 1
