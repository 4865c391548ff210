"""`run` as people use it: programs of their own, ports, signals, TLS, and a kernel."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from nbfunc import application, run
from nbfunc.errors import OptionError
from nbfunc.files.returns import ReturnsDir
from nbfunc.web.serving import Server
from tests.web.conftest import Serve
from tests.web.served import start

PROGRAM = """
import sys
from nbfunc import run
def add(a: int = 1) -> int:
    return a + 1
def sleep(seconds: float = 60) -> None:
    import time
    time.sleep(seconds)
{before}
run([{functions}], port=0{options})
print("after", flush=True)
"""


class Program:
    """A program that serves, in a process of its own."""

    def __init__(self, folder: Path, options: str, before: str, functions: str) -> None:
        self.file = folder / "program.py"
        self.file.write_text(PROGRAM.format(options=options, before=before, functions=functions))
        self.process = subprocess.Popen(
            [sys.executable, str(self.file)],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.said = self.process.stdout.readline()
        self.url = self.said.partition(" at ")[2].partition(" ")[0]

    def get(self, path: str, data: bytes | None = None) -> str:
        with urllib.request.urlopen(self.url + path, data, timeout=30) as answer:
            text: str = answer.read().decode()
            return text

    def end(self) -> tuple[int, str, str]:
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out, err


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    running: list[Program] = []

    def start_program(options: str = "", before: str = "", functions: str = "add, sleep") -> Program:
        running.append(Program(tmp_path, options, before, functions))
        return running[-1]

    yield start_program
    for each in running:
        if each.process.poll() is None:
            each.process.kill()
        each.process.communicate(timeout=30)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_script_serves_until_it_is_told_to_stop(program: Callable[..., Program], number: int) -> None:
    running = program()
    assert running.said.startswith("nbfunc serves 2 functions at http://127.0.0.1:")
    assert '"value":2' in running.get("add", b"")
    running.process.send_signal(number)
    status, out, err = running.end()
    assert (status, out, err) == (0, "after\n", "")


def test_a_function_that_sleeps_does_not_keep_a_stopped_server(program: Callable[..., Program]) -> None:
    running = program()
    port = int(running.url.rpartition(":")[2].strip("/"))
    waiting = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    waiting.request("POST", "/sleep")
    while '"running"' not in running.get("-/runs"):
        time.sleep(0.01)
    running.process.send_signal(signal.SIGINT)
    assert waiting.getresponse().status == 409
    assert running.end()[0] == 0
    waiting.close()


FORKING = """
import multiprocessing, os, signal, time
from concurrent.futures import ProcessPoolExecutor

POOL = ProcessPoolExecutor(2, multiprocessing.get_context("fork"))

def end_a_child() -> int:
    child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
    child.start()
    child.terminate()
    child.join(30)
    return child.exitcode

def die() -> None:
    os._exit(3)  # then the pool terminates the others
"""


@pytest.mark.parametrize(
    "options", ["", ", executor=ProcessPoolExecutor(1, multiprocessing.get_context('fork'))"]
)
def test_a_child_that_is_terminated_does_not_stop_the_server(
    options: str, program: Callable[..., Program]
) -> None:
    running = program(options, FORKING, "end_a_child, die, add")
    for _ in range(3):
        with suppress(urllib.error.HTTPError):
            running.get("die" if options else "end_a_child", b"")
    assert json.loads(running.get("-/functions"))


def test_directories_are_made_where_the_program_runs(program: Callable[..., Program], tmp_path: Path) -> None:
    program()
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["returned_files", "uploads"]


def test_a_server_for_everybody_warns(program: Callable[..., Program]) -> None:
    running = program(', host="0.0.0.0"')
    assert running.url.startswith("http://127.0.0.1:")
    running.process.send_signal(signal.SIGINT)
    assert "pass auth=" in running.end()[2]


def test_with_auth_it_does_not_warn(program: Callable[..., Program]) -> None:
    running = program(', host="0.0.0.0", auth={"ada": "x"}')
    running.process.send_signal(signal.SIGINT)
    assert running.end()[2] == ""


def test_matplotlib_draws_without_windows(program: Callable[..., Program]) -> None:
    before = "import os, matplotlib; matplotlib.use('svg'); os.environ.pop('MPLBACKEND', None)"
    after = (
        "\ndef backend() -> str:\n    import matplotlib\n    return matplotlib.get_backend()\nadd = backend"
    )
    running = program("", before + after)
    assert "agg" in running.get("backend", b"").lower()


def test_a_port_that_is_taken_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=rf"Port {port} of 127.0.0.1 is taken.*port=0"):
            run(add, port=port)


def add(a: int = 1) -> int:
    return a + 1


def sub(a: int = 1) -> int:
    return a - 1


@pytest.fixture
def background(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Server]]:
    monkeypatch.chdir(tmp_path)
    running: list[Server] = []

    def serve_in_background(function: Callable[..., object], port: int = 0, **options: Any) -> Server:
        server = run(function, port=port, block=False, **options)
        assert isinstance(server, Server)
        running.append(server)
        return server

    yield serve_in_background
    for server in running:
        server.stop()


def fetched(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        text: str = answer.read().decode()
        return text


def test_a_server_in_the_background_is_a_handle(background: Callable[..., Server]) -> None:
    server = background(add)
    assert f'<a href="{server.url}"' in server._repr_html_()
    assert repr(server) == f"<nbfunc server at {server.url}>"
    assert "add" in fetched(f"{server.url}-/functions")
    server.stop()
    with pytest.raises(OSError, match=r"refused|reset"):
        fetched(server.url)
    server.stop()


def test_a_server_takes_the_place_of_the_earlier_one_on_its_port(background: Callable[..., Server]) -> None:
    first = background(add)
    second = background(sub, first.port)
    assert second.port == first.port
    assert "sub" in fetched(f"{second.url}-/functions")


def test_an_old_handle_leaves_the_server_in_its_place_known(background: Callable[..., Server]) -> None:
    first = background(add)
    background(sub, first.port)
    first.stop()
    third = background(add, first.port)
    assert "add" in fetched(f"{third.url}-/functions")


def no_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return True
    return False


@pytest.mark.parametrize(
    "host",
    [
        "",
        "0.0.0.0",
        pytest.param("::", marks=pytest.mark.skipif(no_ipv6(), reason="this machine has no IPv6")),
        pytest.param("*", marks=pytest.mark.skipif(sys.platform != "linux", reason="is no host elsewhere")),
    ],
)
def test_a_server_of_every_network_has_an_address_that_answers(
    background: Callable[..., Server], host: str
) -> None:
    server = background(add, host=host, auth={"ada": "x"})
    assert "<form" in fetched(f"{server.url}-/login")


def test_two_servers_in_one_process_know_nothing_of_each_other(background: Callable[..., Server]) -> None:
    one, other = background(add), background(sub)
    for server, name in ((one, "add"), (other, "sub")):
        assert name in fetched(f"{server.url}-/functions")
        with urllib.request.urlopen(f"{server.url}{name}", b"", timeout=30) as answer:
            assert answer.status == 200


def test_blocking_inside_a_running_loop_says_what_to_do() -> None:
    async def main() -> None:
        with pytest.raises(OptionError, match="block=False"):
            run(add, port=0)

    asyncio.run(main())


def test_a_certificate_makes_it_https(background: Callable[..., Server], tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        str(key),
        "-out",
        str(cert),
    ]
    subprocess.run([*made, *subject], check=True, capture_output=True)
    server = background(add, ssl_certfile=cert, ssl_keyfile=key, auth={"ada": "x"})
    assert server.url.startswith("https://")
    trust = ssl.create_default_context(cafile=str(cert))
    connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=trust, timeout=30)
    body = b"username=ada&password=x"
    connection.request("POST", "/-/login", body, {"Content-Type": "application/x-www-form-urlencoded"})
    answer = connection.getresponse()
    assert answer.status == 303
    assert "Secure" in str(answer.headers["Set-Cookie"])
    connection.close()


# Sweeps


def test_what_expired_is_swept_when_a_server_starts(serve: Serve, tmp_path: Path) -> None:
    old = ReturnsDir(tmp_path / "returns", clock=lambda: time.time() - 7200).put(b"old", "old.txt")
    (tmp_path / "returns" / "not ours.txt").write_text("keep")
    served = serve(add)
    served.until(lambda: not list((tmp_path / "returns").glob(f"{old.id}*")))
    assert (tmp_path / "returns" / "not ours.txt").exists()


def test_an_application_sweeps_from_its_first_request_on(tmp_path: Path) -> None:
    old = ReturnsDir(tmp_path / "returns", clock=lambda: time.time() - 7200).put(b"old", "old.txt")
    app = application(add, returns_dir=tmp_path / "returns", uploads_dir=tmp_path / "uploads")
    assert app._sweeping is None
    served = start(app)
    served.get("/add/schema")
    served.until(lambda: not list((tmp_path / "returns").glob(f"{old.id}*")))
    served.server.stop()


def test_a_directory_that_cannot_be_used_says_so(tmp_path: Path) -> None:
    file = tmp_path / "a file"
    file.write_text("x")
    for option in ("returns_dir", "uploads_dir"):
        directories = {"returns_dir": tmp_path / "r", "uploads_dir": tmp_path / "u", option: file}
        with pytest.raises(Exception, match=option):
            application(add, **directories)


# In a notebook


KERNEL = """
import asyncio, json, sys, urllib.request
from jupyter_client import KernelManager
manager = KernelManager(kernel_name="python3")
manager.start_kernel(cwd=sys.argv[1])
client = manager.client()
client.start_channels()
client.wait_for_ready(timeout=60)
for cell in json.loads(sys.argv[2]):
    said = []
    client.execute_interactive(cell, timeout=60, output_hook=lambda m: said.append(m["content"]))
    print(json.dumps(said), flush=True)
client.stop_channels()
manager.shutdown_kernel(now=True)
"""


CELLS = [
    """
from nbfunc import run
def add(a: int = 1) -> int:
    return a + 1
server = run(add, port=0)
server
""",
    """
import http.cookiejar, urllib.error, urllib.request
bare = server.url.partition("?")[0]
try:
    urllib.request.urlopen(bare)
except urllib.error.HTTPError as error:
    print(error.code)
""",
    """
jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
opener = urllib.request.build_opener(jar)
print(opener.open(server.url).url == bare, opener.open(bare + "add", b"").status)
""",
    """
second = run(add, port=server.port)
print(second.port == server.port, second.url != server.url)
""",
    """
import asyncio, os, signal
asyncio.get_running_loop().call_later(0.5, os.kill, os.getpid(), signal.SIGINT)
run(add, port=0, block=True)
print("on it goes")
""",
    """
import warnings
with warnings.catch_warnings(record=True) as warned:
    warnings.simplefilter("always")
    run(add, port=0, host="0.0.0.0").stop()
print(len(warned))
""",
]


def said(contents: list[dict[str, Any]]) -> str:
    """Return what a cell printed, however it was cut into messages."""
    return "".join(content["text"] for content in contents if "text" in content)


def test_in_a_notebook_it_runs_in_the_background_behind_a_token(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, "-c", KERNEL, str(tmp_path), json.dumps(CELLS)],
        capture_output=True,
        text=True,
        timeout=110,
        env=environment,
        check=False,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    texts = [json.dumps(line) for line in lines]
    assert len(texts) == len(CELLS), done.stderr
    assert "?-token=" in texts[0]
    assert "text/html" in texts[0]
    assert "401" in texts[1]
    assert said(lines[2]) == "True 200\n"
    assert said(lines[3]) == "True True\n"
    assert said(lines[4]).startswith("nbfunc serves 1 function at http://127.0.0.1:")
    assert said(lines[4]).endswith("on it goes\n")
    assert said(lines[5]) == "0\n", "who has no token cannot run anything"
