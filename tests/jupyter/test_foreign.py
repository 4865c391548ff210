"""Kernels that are not as they should be: silent, of another make, or hostile. What they say is input."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, TypeAlias

import pytest

import nbfunc
from tests.jupyter.server import Answer, Jupyter, Kernel

FUNCTIONS = """
import nbfunc.notebook.outflow as outflow
from nbfunc import FileResponse
from nbfunc.core.context import CALL
from nbfunc.notebook.agent import Agent

def one() -> int:
    return 1

def make() -> FileResponse:
    return FileResponse(data=b"secret", filename="a.txt")

%func_to_web one make
agent = get_ipython().magics_manager.registry["FuncToWeb"].agent

# What is put before the last event of each run, as it goes over the wire.
plain, forged = outflow._line, []
def forge(event):
    return b",".join([*(forged if event.kind == "finished" else []), plain(event)])
outflow._line = forge

# The last request: who asks can be written to at any time.
received = Agent._answer
async def remember(self, asked):
    self.asked = asked
    await received(self, asked)
Agent._answer = remember
"""


Hanging: TypeAlias = tuple[Kernel, Future[Answer], Callable[[], None]]


@pytest.fixture(scope="module")
def hostile(server: Jupyter) -> Kernel:
    """A kernel whose messages a test can forge."""
    kernel = server.kernel()
    kernel.expose(FUNCTIONS)
    return kernel


@pytest.fixture(scope="module", autouse=True)
def hanging(server: Jupyter) -> Iterator[Hanging]:
    """A kernel that is stopped during all these tests, and a request that waits for it."""
    kernel = server.kernel()
    kernel.expose(FUNCTIONS)
    pid = kernel.pid
    os.kill(pid, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as asker:
        resume = partial(os.kill, pid, signal.SIGCONT)
        yield kernel, asker.submit(kernel.call, "one"), resume
        resume()


@pytest.fixture(autouse=True)
def honest_again(hostile: Kernel) -> None:
    hostile.run("forged.clear()")


def said_anew(server: Jupyter, before: str) -> str:
    return server.said()[len(before) :]


def file_event(id: str, filename: str = "a.txt", size: int = 6) -> dict[str, Any]:  # noqa: A002 - its name
    file = {"id": id, "filename": filename, "size": size, "created": 0}
    return {"kind": "output", "output": {"kind": "file", "file": file}}


def run_with(hostile: Kernel, *events: Any) -> Answer:
    """Run a function whose kernel says these too."""
    lines = [event if isinstance(event, bytes) else json.dumps(event).encode() for event in events]
    hostile.run(f"forged[:] = {lines!r}")
    return hostile.call("one")


@pytest.mark.parametrize(
    "event",
    [
        file_event("../../../etc", "passwd"),
        file_event("00000000000-" + 32 * "0"),
        file_event("x", "../../x"),
        {"kind": "output", "output": {"kind": "file", "url": "http://elsewhere/"}},
        {
            "kind": "output",
            "output": {
                "kind": "display",
                "data": {"image/png": {"url": "http://x/"}},
                "files": {"image/png": 3},
            },
        },
        {"kind": "output", "output": {"kind": "nothing"}},
        {"kind": "printed", "stream": "stdout", "text": 3},
        {"kind": "printed", "stream": "nowhere", "text": "x"},
        {"kind": "progress", "done": "much"},
        {"kind": "unheard of"},
        {},
        [],
        None,
        b"1e999",
    ],
)
def test_what_is_no_event_is_dropped_and_the_run_ends_well(event: Any, hostile: Kernel) -> None:
    answer = run_with(hostile, event)
    assert answer.status == 200, answer.text
    assert [output["value"] for output in answer.json["outputs"]] == [1]


def test_a_file_of_another_run_cannot_be_named(server: Jupyter, hostile: Kernel, fresh: Kernel) -> None:
    fresh.expose(FUNCTIONS)
    for kernel in (hostile, fresh):
        made = kernel.call("make").json["outputs"][0]
        answer = run_with(hostile, file_event(made["url"].split("/")[-2]))
        assert [output["kind"] for output in answer.json["outputs"]] == ["text"]
        assert server.get(made["url"]).content == b"secret"


def test_bytes_that_are_no_json_end_the_run_as_failed(hostile: Kernel) -> None:
    answer = run_with(hostile, b"\xff{no json")
    assert (answer.status, answer.json["error"]["type"]) == (500, "ProtocolError")
    assert hostile.call("one").status in {200, 500}


def test_what_follows_an_end_is_not_heard(hostile: Kernel) -> None:
    printed = {"kind": "printed", "stream": "stdout", "text": "late"}
    answer = run_with(hostile, {"kind": "finished"}, printed)
    assert (answer.status, answer.json["printed"]) == (200, "")


def test_a_kernel_that_says_the_same_nonsense_again_is_logged_once(server: Jupyter, fresh: Kernel) -> None:
    fresh.expose(FUNCTIONS)
    before = server.said()
    for _ in range(5):
        run_with(fresh, {"kind": "unheard of"}, {"kind": "neither"})
    assert said_anew(server, before).count("no event") == 1


def test_a_huge_event_fails_its_run_and_the_kernel_is_heard_again(server: Jupyter, fresh: Kernel) -> None:
    fresh.expose(FUNCTIONS)
    fresh.run(
        'forged[:] = [b\'{"kind":"printed","stream":"stdout","text":"\' + b\'x\' * (80 << 20) + b\'"}\']'
    )
    answer = fresh.call("one")
    assert answer.status in {200, 500}
    assert len(answer.content) < 64 << 20
    fresh.run("forged.clear()")
    assert fresh.call("one").status == 200


def test_strange_messages_are_dropped(server: Jupyter, hostile: Kernel) -> None:
    hostile.call("one")
    hostile.run(
        "asked = agent.asked\n"
        "def send(kind, content, buffers=()):\n"
        "    agent._loop.call_soon_threadsafe(agent._send, kind, asked, content, list(buffers))\n"
        "send('nbfunc_reply', {})\n"
        "send('nbfunc_reply', {'error': 3})\n"
        "send('nbfunc_events', {})\n"
        "send('nbfunc_events', {'run': 'none', 'batch': 1, 'over': True}, [b'[]'])\n"
        "send('nbfunc_events', {'run': ['x']}, [b'', b''])\n"
        "send('something_else', {'x': 1})\n"
        "send('nbfunc_reply', 'text')\n"
        "for frames in ([b'<IDS|MSG>', b'unsigned'], [b'x']):\n"
        "    agent._loop.call_soon_threadsafe(agent._stream.send_multipart, [*asked.idents, *frames])\n"
    )
    assert hostile.call("one").json["outputs"][0]["value"] == 1


def test_events_out_of_order_fail_the_run(hostile: Kernel) -> None:
    hostile.run(
        "def skip():\n"
        "    flow = agent._flows[CALL.get().run]\n"
        "    flow._batch += 3\n"
        "    return 1\n"
        "%func_to_web skip"
    )
    answer = hostile.call("skip")
    assert (answer.status, answer.json["error"]["type"]) == (500, "ProtocolError")


def test_a_flood_holds_up_no_other_kernel(server: Jupyter, hostile: Kernel, fresh: Kernel) -> None:
    fresh.expose(FUNCTIONS)
    hostile.call("one")
    hostile.run(
        "import threading, time\n"
        "asked = agent.asked\n"
        "flooding = True\n"
        "def some():\n"
        "    for _ in range(200):\n"
        "        agent._send('nbfunc_reply', asked, {'x': 'y' * 1000}, [])\n"
        "    agent._announce_all()\n"
        "    if flooding: agent._loop.call_soon(some)\n"
        "def announce():\n"
        "    agent._version += 1\n"
        "    agent._announce(agent._version)\n"
        "agent._announce_all = announce\n"
        "agent._loop.call_soon_threadsafe(some)\n"
    )
    for _ in range(20):
        assert fresh.call("one").status == 200
    hostile.run("flooding = False")
    assert hostile.call("one").status == 200


@pytest.mark.parametrize(
    "functions",
    [
        "3",
        "[3]",
        "[{'name': 'one'}]",
        "[{'name': 3, 'title': 'x'}]",
        "[{'name': '../../x', 'title': '<script>alert(1)</script>'}, {'name': '-', 'title': 'x'}]",
        "[{'name': 'n%d' % n, 'title': 'x' * 100} for n in range(20_000)]",
    ],
)
def test_whatever_a_kernel_says_it_exposes_the_index_stands(
    functions: str, server: Jupyter, fresh: Kernel
) -> None:
    fresh.expose(FUNCTIONS)
    fresh.run(
        "hello = Agent._hello\n"
        "async def lie(self, asked):\n"
        f"    return await hello(self, asked) | {{'functions': {functions}}}\n"
        "import nbfunc.notebook.agent as module\n"
        "module._OPS['hello'] = lie\n"
        "def two(): ...\n%func_to_web two"
    )
    page = server.get("nbfunc/", Accept="text/html")
    assert page.status == 200
    assert "<script>alert" not in page.text
    assert server.get("nbfunc/-/functions").status == 200
    assert fresh.run("print('alive')").stdout == "alive\n"


def test_a_kernel_without_nbfunc_is_named_so(server: Jupyter, fresh: Kernel) -> None:
    answer = fresh.call("one")
    assert (answer.status, answer.json["reason"]) == (404, "not_found")
    assert "%load_ext nbfunc" in answer.json["message"]


def test_a_kernel_of_another_language_that_says_nothing(server: Jupyter) -> None:
    code = "import time; time.sleep(600)"
    server.add_kernelspec("mute", sys.executable, "-c", code, "{connection_file}")
    started = server.post("api/kernels", {"name": "mute"})
    assert started.status == 201
    answer = server.post(f"nbfunc/{started.json['id']}/one")
    assert (answer.status, answer.json["reason"]) == (404, "not_found")
    assert server.get("nbfunc/", Accept="text/html").status == 200
    assert server.ask("DELETE", f"api/kernels/{started.json['id']}").status == 204


def test_a_kernel_with_another_protocol_is_refused_with_both_versions_and_the_way_out(
    server: Jupyter, fresh: Kernel
) -> None:
    cell = fresh.run(
        "import nbfunc, nbfunc.hosts.protocol\n"
        "nbfunc.hosts.protocol.PROTOCOL = (99, 0)\nnbfunc._version.__version__ = '99.1'\n"
        "%load_ext nbfunc\ndef one(): ...\n%func_to_web one"
    )
    for said in (cell.stderr, fresh.call("one").json["message"]):
        assert "99.1" in said
        assert f"nbfunc=={nbfunc.__version__}" in said
        assert "pip install" in said
    assert fresh.call("one").status == 404
    assert all(row["kernel"] != fresh.id for row in server.get("nbfunc/-/functions").json)


def test_a_kernel_that_hangs_is_given_up_in_bounded_time_and_heard_again(
    hanging: Hanging, hostile: Kernel
) -> None:
    kernel, asked, resume = hanging
    assert hostile.call("one").status == 200
    answer = asked.result(60)
    assert (answer.status, answer.json["reason"]) == (503, "kernel_unreachable")
    assert answer.headers["Retry-After"]
    resume()
    assert kernel.call("one").status == 200
