"""The pages: what stands in them, and that their links survive a proxy."""

from __future__ import annotations

import asyncio
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urljoin, urlsplit

import pytest

from nbfunc.errors import KernelUnreachable
from nbfunc.hosts.in_process import InProcessHost
from nbfunc.types import Dropdown
from nbfunc.web.built import Built
from nbfunc.web.options import Options
from nbfunc.web.pages import Pages
from tests.web.conftest import Serve

HTML = {"Accept": "text/html"}


def add(a: int = 1) -> int:
    """Add <one>."""
    return a + 1


def sub(a: int = 1) -> int:
    return a - 1


class Links(HTMLParser):
    """Collects the addresses in a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in {"href", "src", "action", "form", "shared"} and value and tag != "label":
                self.found.append(value)


def test_the_index_lists_functions_by_group_without_any_script(serve: Serve) -> None:
    page = serve({"Up": [add], "Down": [sub]}, title="Tools & more").get("/", **HTML)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Cache-Control"] == "no-store"
    assert "<title>Tools &amp; more</title>" in page.text
    assert page.text.index("<h2>Up</h2>") < page.text.index(">Add<") < page.text.index("<h2>Down</h2>")
    assert "Add &lt;one&gt;." in page.text
    assert 'href="./add"' in page.text


def test_a_single_function_is_at_the_root_itself(serve: Serve) -> None:
    served = serve(add)
    for path in ("/", "/add"):
        assert '<nbfunc-form form="./add" shared="./-/">' in served.get(path, **HTML).text
    assert "All functions" not in served.get("/add", **HTML).text


def test_a_form_among_others_leads_back(serve: Serve) -> None:
    assert 'href="./"' in serve([add, sub]).get("/add", **HTML).text


def test_an_embedded_form_has_no_frame(serve: Serve) -> None:
    served = serve([add, sub])
    assert "<header" in served.get("/add", **HTML).text
    page = served.get("/add?-embed=1&a=3", **HTML).text
    assert "<header" not in page
    assert "<nbfunc-form" in page


def held(page: str) -> Any:
    """Return the form that a page came with."""
    found = re.search(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)
    return None if found is None else json.loads(found[1])


def closing(text: str = "</script><script>alert(1)</script><!--<script>") -> None:
    """A text that would end its element: </script>."""


def test_a_page_comes_with_its_form_which_cannot_leave_its_element(serve: Serve) -> None:
    served = serve([closing, sub])
    page = served.get("/closing", **HTML).text
    assert held(page) == json.loads(served.get("/closing/schema").text)
    assert "<script>alert" not in page
    assert page.count("<!--") == 0


asked: list[str] = []


def colours() -> list[str]:
    asked.append("now")
    return ["red"]


def paint(colour: Annotated[str, Dropdown(colours)]) -> str:
    return colour


def test_a_page_does_not_wait_for_a_dropdown_nor_asks_it_twice(serve: Serve) -> None:
    asked.clear()
    served = serve(paint)
    assert held(served.get("/paint", **HTML).text) is None
    assert asked == []


async def unanswered(self: InProcessHost, name: str, *, ask: bool = True) -> dict[str, Any]:
    """Stand for a kernel that is busy, or not there."""
    if name == "add":
        await asyncio.Event().wait()
    raise KernelUnreachable("The kernel did not answer.")


def test_a_page_comes_without_its_form_where_the_host_does_not_answer(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = serve([add, sub])
    monkeypatch.setattr(InProcessHost, "form", unanswered)
    for name in ("add", "sub"):
        page = served.get(f"/{name}", **HTML)
        assert page.status == 200
        assert held(page.text) is None


def test_a_head_says_what_a_get_would(serve: Serve) -> None:
    served = serve([add, sub])
    for path in ("/", "/add"):
        head, get = served.request("HEAD", path), served.get(path)
        assert (head.status, head.body) == (200, b"")
        assert head.headers["Content-Length"] == get.headers["Content-Length"]


@pytest.mark.parametrize("root_path", ["", "/tools", "tools/", "/a/b/"])
@pytest.mark.parametrize("path", ["", "add", "nothing/at/all", "-/login"])
def test_links_are_relative_and_lead_below_the_prefix(serve: Serve, root_path: str, path: str) -> None:
    served = serve([add, sub], root_path=root_path, auth={"ada": "x"})
    basic = {"Authorization": "Basic YWRhOng="}
    prefix = f"/{root_path.strip('/')}/" if root_path else "/"
    for base in {"/", prefix}:
        links = Links(served.get(base + path, **HTML, **basic).text).found
        assert links
        for link in links:
            if link.startswith("data:"):
                continue
            assert not urlsplit(link).scheme
            assert not link.startswith("/")
            assert urljoin(base + path, link).startswith(base)
            assert not urljoin(base + path, link)[len(base) :].startswith("..")


def test_with_a_prefix_the_server_answers_with_it_and_without(serve: Serve) -> None:
    served = serve([add, sub], root_path="/tools")
    for path in ("/add", "/tools/add"):
        answer = served.post(path)
        assert answer.json["outputs"][0]["value"] == 2
        assert answer.headers["Location"].startswith("/tools/-/runs/")
    assert served.get("/tools/-/functions").json[0]["url"] == "/tools/add"
    assert served.get("/toolsadd").status == 404


@pytest.mark.parametrize("prefix", ["/tools", "/a/b", "/a b"])
def test_the_prefix_without_its_slash_leads_to_the_index(serve: Serve, prefix: str) -> None:
    served = serve([add, sub], root_path=prefix)
    address = quote(prefix)
    for method in ("GET", "HEAD"):
        answer = served.request(method, f"{address}?-embed=1")
        assert answer.status == 302
        assert urljoin(address, answer.headers["Location"]) == f"{address}/?-embed=1"
        assert served.request(method, f"{address}/").status == 200
    assert served.post(address).status == 404


def test_a_function_named_as_the_prefix_is_still_there(serve: Serve) -> None:
    def tools() -> str:
        return "tools"

    served = serve([tools, add], root_path="/tools")
    assert served.get("/tools", **HTML).status == 200
    assert served.post("/tools").json["outputs"][0]["text"] == "tools"
    assert served.post("/tools/tools").json["outputs"][0]["text"] == "tools"


def test_no_page_asks_another_host_for_anything(serve: Serve) -> None:
    served = serve([add, sub])
    for path in ("/", "/add", "/nothing"):
        page = served.get(path, **HTML).text
        assert not re.findall(r"(?:src|href)=[\"']?(?:https?:)?//", page)


# Of the author


def test_a_style_sheet_is_in_every_page_and_cannot_leave_its_element(serve: Serve, tmp_path: Path) -> None:
    css = tmp_path / "own.css"
    css.write_text("h1 { color: red } </style><script>alert(1)</script>")
    page = serve([add, sub], css=css).get("/", **HTML).text
    assert "h1 { color: red }" in page
    assert "</style><script>alert" not in page


def templates(folder: Path, *left_out: str) -> Path:
    folder.mkdir()
    for name in {"index.html", "form.html", "login.html"} - set(left_out):
        own = "{% block main %}Mine: {{ title }}{{ super() }}{% endblock %}"
        (folder / name).write_text(f'{{% extends "nbfunc/{name}" %}}{own}')
    return folder


def test_templates_of_the_author_are_used_and_may_extend_ours(serve: Serve, tmp_path: Path) -> None:
    served = serve([add, sub], template_dir=templates(tmp_path / "mine"), title="T")
    assert "Mine: T" in served.get("/", **HTML).text
    form = served.get("/add", **HTML).text
    assert "Mine: Add" in form
    assert "<nbfunc-form" in form
    assert "Not found" in served.get("/nothing", **HTML).text


@pytest.mark.parametrize("name", ["index.html", "form.html", "login.html"])
def test_a_missing_template_is_named(tmp_path: Path, name: str) -> None:
    folder = templates(tmp_path / "mine", name)
    with pytest.raises(FileNotFoundError, match=rf"has no {name}.*extends"):
        Pages(template_dir=folder)


@pytest.mark.parametrize("option", ["css", "template_dir"])
def test_a_path_that_is_not_there_is_named(tmp_path: Path, option: str) -> None:
    given: dict[str, Any] = {option: tmp_path / "nowhere"}
    with pytest.raises(FileNotFoundError, match=rf"{option}=.*nowhere"):
        Pages(**given)


# Static files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "static"
    folder.mkdir()
    (folder / "page-ABC.js").write_text("export {}; // a script\n" * 100)
    (folder / "manifest.json").write_text('{"page.js": "page-ABC.js"}')
    (tmp_path / "secret.txt").write_text("TOP SECRET")
    (folder / "inner").mkdir()
    return folder


def test_scripts_are_kept_for_ever_and_packed(serve: Serve, folder: Path) -> None:
    served = serve(add)
    served.app.site.pages.built = Built(folder)
    assert '<script type="module" src="./-/static/page-ABC.js"' in served.get("/add", **HTML).text
    answer = served.get("/-/static/page-ABC.js")
    assert answer.body == (folder / "page-ABC.js").read_bytes()
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Type"].endswith("javascript")
    assert answer.headers["Vary"] == "Accept-Encoding"
    packed = served.get("/-/static/page-ABC.js", Accept_Encoding="gzip")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.body) < len(answer.body)


@pytest.mark.parametrize(
    "name",
    [
        "nothing.js",
        "inner",
        "..%2fsecret.txt",
        "%2e%2e%2fsecret.txt",
        "..",
        ".hidden",
        "a%00",
        "inner%2f..%2fx",
    ],
)
def test_nothing_but_the_folders_own_files_is_served(serve: Serve, folder: Path, name: str) -> None:
    served = serve(add)
    served.app.site.pages.built = Built(folder)
    answer = served.get(f"/-/static/{name}")
    assert answer.status == 404
    assert b"TOP SECRET" not in answer.body


def test_options_are_those_of_run() -> None:
    assert Options(root_path="a b/").base == "/a%20b/"
