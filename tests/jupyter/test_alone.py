"""Kernels whose server has no extension: the form inline, and servers of their own."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from tests.jupyter.server import Jupyter, Kernel, jupyter

WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    """A server without nbfunc's extension."""
    with jupyter(tmp_path_factory.mktemp("plain"), with_nbfunc=False) as server:
        yield server


@pytest.fixture(scope="module")
def alone(plain: Jupyter) -> Kernel:
    kernel = plain.kernel()
    kernel.expose("def add(a: int, b: int = 2) -> int:\n    return a + b")
    return kernel


def fetched(url: str, data: bytes | None = None, cookies: str = "") -> tuple[int, str, str]:
    """Return status, body and the cookie that was set."""
    headers = {"Content-Type": "application/json", "Cookie": cookies}
    opener = urllib.request.build_opener(_Stay)
    try:
        with opener.open(urllib.request.Request(url, data, headers)) as answer:
            return answer.status, answer.read().decode(), answer.headers["Set-Cookie"] or ""
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(), error.headers["Set-Cookie"] or ""


class _Stay(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer."""

    def redirect_request(self, *_: object) -> None:
        return None


def link(text: str) -> str:
    """Return the address in what a cell showed."""
    found = re.search(r"http://127\.0\.0\.1:\d+/[^\s\"'<>]*", text)
    assert found, text
    return found[0]


def opened(url: str) -> str:
    """Follow a link with its token, and return the cookie that it gives."""
    status, _, cookie = fetched(url)
    assert status == 302, "the token is exchanged for a cookie"
    return cookie.partition(";")[0]


def test_the_form_is_shown_inline_and_a_line_says_why(alone: Kernel) -> None:
    cell = alone.run("%func_to_web add")
    (line,) = cell.stderr.splitlines()
    assert "pip install nbfunc" in line
    assert "restart" in line
    assert any(WIDGET in bundle for bundle in cell.displays)
    assert not cell.error


def test_inline_says_nothing(alone: Kernel) -> None:
    cell = alone.run("%func_to_web --inline add")
    assert cell.stderr == ""
    assert any(WIDGET in bundle for bundle in cell.displays)


@pytest.mark.parametrize("line", ["--main where", "--inline --main where"])
def test_an_inline_form_runs_on_the_notebooks_thread_where_that_was_asked_for(
    line: str, plain: Jupyter, alone: Kernel
) -> None:
    alone.run(
        "import threading\n"
        "from ipywidgets.widgets.widget import _instances\n"
        "from nbfunc.notebook.panel import Panel\n"
        "def where() -> bool:\n    return threading.current_thread() is threading.main_thread()\n"
        f"%func_to_web {line}\n"
        "future = [one for one in _instances.values() if isinstance(one, Panel)][-1].run()"
    )
    plain.until(lambda: alone.run("print(future.done())").stdout == "True\n")
    assert alone.run("print(future.result())").stdout == "True\n"


def test_serve_serves_behind_a_token(alone: Kernel) -> None:
    cell = alone.run("%func_to_web --serve add")
    assert not cell.error + cell.stderr
    (bundle,) = cell.displays
    url = link(bundle["text/html"])
    base = url.partition("?")[0]
    assert fetched(base)[0] in {302, 401}
    assert fetched(base + "add", b'{"a": 3}')[0] == 401
    status, body, _ = fetched(base + "add", b'{"a": 3}', opened(url))
    assert status == 200
    assert '"value":5' in body


def test_run_starts_in_the_background_and_stops(alone: Kernel) -> None:
    cell = alone.run("import nbfunc\nserver = nbfunc.run(add, port=0)\nprint(server.url)\nserver")
    assert not cell.error + cell.stderr
    url = link(cell.stdout)
    assert url == link(cell.displays[0]["text/html"])
    cookie = opened(url)
    base = url.partition("?")[0]
    assert '"value":3' in fetched(base + "add", b'{"a": 1}', cookie)[1]
    assert not alone.run("server.stop()").error
    with pytest.raises(urllib.error.URLError):
        fetched(base)


def test_a_second_run_on_a_port_takes_the_place_of_the_first(alone: Kernel) -> None:
    first = alone.run("server = nbfunc.run(add, port=0)\nprint(server.url)")
    port = link(first.stdout).split(":")[2].partition("/")[0]
    second = alone.run(
        f"def twice(n: int) -> int: return 2 * n\nserver = nbfunc.run(twice, port={port})\nprint(server.url)"
    )
    assert not second.error
    url = link(second.stdout)
    assert f":{port}/" in url
    assert '"value":8' in fetched(url.partition("?")[0] + "twice", b'{"n": 4}', opened(url))[1]
    alone.run("server.stop()")


def test_what_a_served_function_prints_lands_in_no_cell(alone: Kernel) -> None:
    cell = alone.run("def speak(): print('spoken')\nserver = nbfunc.run(speak, port=0)\nprint(server.url)")
    url = link(cell.stdout)
    body = fetched(url.partition("?")[0] + "speak", b"{}", opened(url))[1]
    assert '"printed":"spoken\\n"' in body
    alone.run("server.stop()")
    said = [message["content"] for message in alone.heard_all if message["msg_type"] == "stream"]
    assert "spoken" not in str(said)


def test_block_serves_until_the_cell_is_interrupted(plain: Jupyter, alone: Kernel) -> None:
    request = alone.client.execute("nbfunc.run(add, port=0, block=True)")
    text = ""
    while "http://" not in text:
        text += str(alone.client.get_iopub_msg(timeout=30)["content"])
    url = link(text)
    assert '"value":3' in fetched(url.partition("?")[0] + "add", b'{"a": 1}', opened(url))[1]
    plain.act(alone, "interrupt")
    alone.heard(request)
    assert alone.run("print('on')").stdout == "on\n"


def served(kernel: Kernel, name: str, definition: str) -> tuple[str, str]:
    """Serve a function of this kernel; return the address of its form's endpoint, and the cookie for it."""
    kernel.run(definition)
    cell = kernel.run(f"%func_to_web --serve {name}")
    assert not cell.error, cell.error
    url = link(str(cell.displays[0]["text/html"]))
    return f"{url.partition('?')[0]}{name}", opened(url)


def test_what_serve_serves_follows_its_name(alone: Kernel) -> None:
    url, cookie = served(alone, "version", "def version() -> str:\n    return 'old'")
    assert '"value":"old"' in fetched(url, b"{}", cookie)[1]
    alone.run("def version() -> str:\n    return 'new'")
    assert '"value":"new"' in fetched(url, b"{}", cookie)[1]
    cell = alone.run("def version(x): ...")
    assert "still calls the function of before" in cell.stderr
    assert '"value":"new"' in fetched(url, b"{}", cookie)[1]
    assert f"version: {url.rpartition('/')[0]}" in alone.run("%func_to_web").stdout
    alone.run("del version")
    with pytest.raises(urllib.error.URLError):
        fetched(url, b"{}", cookie)


def test_remove_and_unloading_end_what_serve_serves(plain: Jupyter) -> None:
    kernel = plain.kernel()
    kernel.expose("")
    for end in ("%func_to_web --remove gone", "%unload_ext nbfunc"):
        url, cookie = served(kernel, "gone", "def gone() -> int:\n    return 1")
        assert fetched(url, b"{}", cookie)[0] == 200
        assert not kernel.run(end).error
        with pytest.raises(urllib.error.URLError):
            fetched(url, b"{}", cookie)
    kernel.shut_down()
