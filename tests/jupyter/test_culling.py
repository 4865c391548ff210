"""What counts as activity: runs and transfers do, an open page does not."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from tests.jupyter.server import Jupyter, jupyter

CULL_SECONDS = 5
CONFIG = f"""
c.MappingKernelManager.cull_idle_timeout = {CULL_SECONDS}
c.MappingKernelManager.cull_interval = 1
"""

FUNCTIONS = """
import time
from nbfunc.types import FileResponse

def silent(seconds: float) -> str:
    time.sleep(seconds)
    return "still here"

def large(size: int) -> FileResponse:
    return FileResponse(chunks=(b"x" * 1_000_000 for _ in range(size)), filename="large.bin")

%func_to_web silent large
"""


@pytest.fixture(scope="module")
def culling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    with jupyter(tmp_path_factory.mktemp("culling"), config=CONFIG) as server:
        yield server


def kernels(server: Jupyter) -> list[str]:
    return [kernel["id"] for kernel in server.get("api/kernels?no_track_activity=1").json]


def last_activity(server: Jupyter) -> str:
    return str(server.get("api/status?no_track_activity=1").json["last_activity"])


def test_a_silent_run_keeps_its_kernel_and_an_open_page_does_not(culling: Jupyter) -> None:
    kernel = culling.kernel()
    kernel.expose(FUNCTIONS)
    with culling.stream("nbfunc/-/events?changes=1") as page:
        answer = kernel.call("silent", seconds=3 * CULL_SECONDS)
        assert (answer.status, answer.json["outputs"][0]["value"]) == (200, "still here")
        assert kernel.id in kernels(culling)
        page.until(kind="kernel", id=kernel.id, state="dead")
    assert kernel.id not in kernels(culling)
    gone = culling.get(kernel.url("silent"))
    assert (gone.status, gone.json["reason"]) == (404, "not_found")


def test_an_open_page_is_no_activity(culling: Jupyter) -> None:
    with culling.stream("nbfunc/-/events?changes=1"):
        culling.until(lambda: not kernels(culling))
        before = last_activity(culling)
        time.sleep(2 * CULL_SECONDS)  # in which nothing is to happen
        assert last_activity(culling) == before


def test_a_download_is_activity_to_its_end(culling: Jupyter) -> None:
    kernel = culling.kernel()
    kernel.expose(FUNCTIONS)
    url = kernel.call("large", size=50).json["outputs"][0]["url"]
    culling.until(lambda: not kernels(culling))
    with socket.create_connection(("127.0.0.1", culling.port), timeout=60) as reader:
        head = f"GET {url} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: token {culling.token}\r\n\r\n"
        reader.sendall(head.encode())
        assert reader.recv(1 << 10).startswith(b"HTTP/1.1 200 ")
        first = last_activity(culling)
        culling.until(lambda: last_activity(culling) > first)
        second = last_activity(culling)
        culling.until(lambda: last_activity(culling) > second)
    # It ends with the reader, who has left.
    culling.until(lambda: _stands_still(culling))


def _stands_still(server: Jupyter) -> bool:
    before = last_activity(server)
    time.sleep(CULL_SECONDS)  # longer than between two signs of life
    return last_activity(server) == before
