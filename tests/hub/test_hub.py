"""Alice's server on a JupyterHub: Bob, with a share, uses her forms, and nothing else."""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.hub.hub import PASSWORD, Hub
from tests.programs import needs_hub

pytestmark = [needs_hub(), pytest.mark.browser]

CELL = """
%load_ext nbfunc
import time
from pathlib import Path
import nbfunc
from nbfunc.types import FileResponse

def greet(name: str):
    print("hello")
    data = f"{nbfunc.current_user()} greets {name}".encode()
    return [nbfunc.current_user(), FileResponse(data=data, filename="greeting.txt")]

def large() -> FileResponse:
    with open("large.bin", "wb") as file:
        file.truncate(64 << 20)
    return FileResponse(path="large.bin", move=True)

def hold(gate: str) -> str:
    print("holding")
    while not Path(gate).exists():
        time.sleep(0.05)
    return "let go"

%func_to_web greet large hold
"""

PATIENCE = 10.0
SHARE = "hub/api/shares/alice/"


@pytest.fixture(scope="module")
def forms(hub: Hub) -> Iterator[str]:
    """The address of Alice's functions."""
    with hub.cell("alice", CELL) as kernel:
        yield f"{hub.server('alice')}nbfunc/{kernel}/"


@pytest.fixture
def share(hub: Hub) -> Iterator[None]:
    """Alice shares her server with Bob."""
    token = hub.token("alice")
    status, said = hub.ask("POST", SHARE, {"user": "bob"}, token=token)
    assert status == 200, said
    yield
    hub.ask("DELETE", SHARE, token=token)


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Callable[[str, str], Page]]:
    """Log a user in, in a browser of their own, on the way to an address."""
    with ExitStack() as stack:

        def visit(user: str, url: str) -> Page:
            context = stack.enter_context(chromium.new_context())
            page = context.new_page()
            page.set_default_timeout(60_000)
            page.goto(url)
            page.get_by_label("Username").fill(user)
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url(lambda at: "/hub/login" not in at)
            page.wait_for_load_state()
            # That Alice's server may know who Bob is.
            authorize = page.get_by_role("button", name="Authorize")
            if authorize.is_visible():
                authorize.click()
                page.wait_for_load_state()
            return page

        yield visit


def greet(page: Page, user: str, tmp_path: Path) -> None:
    """Run the form, and download what it returns."""
    page.get_by_label("name", exact=True).fill("Carol")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text("hello")).to_be_visible(timeout=60_000)
    expect(page.get_by_text(user, exact=True)).to_be_visible(timeout=60_000)
    with page.expect_download() as waiting:
        page.get_by_role("link", name=re.compile("Download")).click()
    waiting.value.save_as(tmp_path / "got")
    assert (tmp_path / "got").read_text() == f"{user} greets Carol"


def status(page: Page, method: str, path: str) -> Any:
    """Ask Alice's server, as a script of the page would."""
    script = """async ([method, path]) => {
        const [, token] = /_xsrf=([^;]*)/.exec(document.cookie);
        const url = location.pathname.replace(/nbfunc\\/.*/, "") + path;
        const headers = {"X-XSRFToken": token, Accept: "application/json"};
        return (await fetch(url, {method, headers})).status;
    }"""
    return page.evaluate(script, [method, path])


def test_the_owner_uses_her_forms_and_all_else(
    visit: Callable[[str, str], Page], forms: str, tmp_path: Path
) -> None:
    page = visit("alice", f"{forms}greet")
    greet(page, "alice", tmp_path)
    assert status(page, "GET", "api/contents") == 200
    assert status(page, "GET", "api/kernels") == 200
    assert status(page, "POST", "api/terminals") == 200


@pytest.mark.usefixtures("share")
def test_a_guest_with_a_share_runs_a_form_and_downloads(
    visit: Callable[[str, str], Page], forms: str, tmp_path: Path
) -> None:
    greet(visit("bob", f"{forms}greet"), "bob", tmp_path)


@pytest.mark.usefixtures("share")
def test_a_guest_reaches_neither_files_nor_kernels_nor_terminals(
    visit: Callable[[str, str], Page], forms: str
) -> None:
    page = visit("bob", f"{forms}greet")
    expect(page.get_by_label("name", exact=True)).to_be_visible()
    for method, path in [
        ("GET", "api/contents"),
        ("GET", "api/contents/shared.ipynb"),
        ("GET", "api/kernels"),
        ("POST", "api/kernels"),
        ("GET", "api/sessions"),
        ("GET", "api/terminals"),
        ("POST", "api/terminals"),
        ("GET", f"api/kernels/{forms.split('/')[-2]}/channels"),
        ("GET", "files/shared.ipynb"),
        ("POST", "api/shutdown"),
    ]:
        assert status(page, method, path) == 403, f"{method} {path}"


def test_without_a_share_there_is_no_way_in(visit: Callable[[str, str], Page], forms: str) -> None:
    page = visit("bob", f"{forms}greet")
    expect(page.get_by_text("403")).to_be_visible()
    expect(page.get_by_label("name", exact=True)).not_to_be_visible()


def test_links_carry_the_hubs_prefix(hub: Hub, visit: Callable[[str, str], Page], forms: str) -> None:
    page = visit("alice", f"{hub.server('alice')}nbfunc/")
    page.get_by_role("link", name="Greet").click()
    expect(page.get_by_label("name", exact=True)).to_be_visible()
    assert page.url == f"{forms}greet"
    page.goto(f"{hub.server('alice')}nbfunc/-/open/shared.ipynb/greet")
    expect(page.get_by_label("name", exact=True)).to_be_visible()
    assert page.url == f"{forms}greet"


def test_a_share_that_is_revoked_during_a_run_ends_what_a_guest_may_and_not_the_run(
    hub: Hub, visit: Callable[[str, str], Page], forms: str, share: None, tmp_path: Path
) -> None:
    token = hub.token("alice")
    gate = tmp_path / "gate"
    page = visit("bob", f"{forms}hold")
    page.get_by_label("gate", exact=True).fill(str(gate))
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text("holding")).to_be_visible(timeout=60_000)
    (run,) = (row["run"] for row in hub.ask("GET", "user/alice/nbfunc/-/runs", token=token)[1][:1])
    hub.ask("DELETE", SHARE, token=token)
    hub.until(lambda: status(page, "GET", "nbfunc/-/functions") == 403)
    # His page, which only listens, is told too.
    expect(page.locator(".trouble")).to_be_visible(timeout=60_000)
    gate.touch()
    ended = hub.until(
        lambda: next(
            (
                one
                for one in [hub.ask("GET", f"user/alice/nbfunc/-/runs/{run}", token=token)[1]]
                if one["status"] == "finished"
            ),
            None,
        )
    )
    assert ended["outputs"][0]["value"] == "let go"
    page.reload()
    expect(page.get_by_text("403")).to_be_visible()


def test_a_share_that_is_revoked_ends_what_a_guest_reads(
    hub: Hub, forms: str, share: None, tmp_path: Path
) -> None:
    bob, alice = hub.token("bob"), hub.token("alice")
    at = forms.removeprefix(hub.url)
    gate = tmp_path / "gate"
    body = hub.ask("POST", f"{at}large", token=bob)[1]
    with ExitStack() as stack:

        def begun(method: str, path: str, **headers: str) -> http.client.HTTPResponse:
            connection = http.client.HTTPConnection(hub.origin.removeprefix("http://"), timeout=100)
            stack.callback(connection.close)
            headers |= {"Authorization": f"token {bob}", "Content-Type": "application/json"}
            sent = json.dumps({"gate": str(gate)}) if method == "POST" else None
            connection.request(method, path, sent, headers)
            answer = stack.enter_context(connection.getresponse())
            connection.sock.settimeout(PATIENCE)
            return answer

        prefix = urlsplit(forms).path
        events = begun("POST", f"{prefix}hold", Accept="text/event-stream")
        while b"holding" not in events.readline():
            pass
        changes = begun("GET", f"{prefix.rpartition('/nbfunc/')[0]}/nbfunc/-/events?changes=1")
        download = begun("GET", body["outputs"][0]["url"])
        download.read(1 << 20)
        hub.ask("DELETE", SHARE, token=alice)
        assert b"event: " not in events.read()
        assert b"event: " not in changes.read()
        # The hub's proxy keeps its client waiting where the server behind it has hung up.
        with pytest.raises((http.client.IncompleteRead, ConnectionError, TimeoutError)):
            download.read()
    assert hub.ask("GET", body["outputs"][0]["url"].removeprefix("/hubs/"), token=bob)[0] == 403
    gate.touch()


def test_a_silent_run_is_activity_for_the_hub_and_an_open_page_is_not(
    hub: Hub, visit: Callable[[str, str], Page], forms: str, tmp_path: Path
) -> None:
    page = visit("alice", f"{forms}hold")
    page.get_by_label("gate", exact=True).fill(str(tmp_path / "gate"))

    def idle() -> bool:
        before = hub.last_activity("alice")
        time.sleep(6)  # the hub looks every second
        return hub.last_activity("alice") == before

    def heard_again() -> None:
        before = hub.last_activity("alice")
        hub.until(lambda: hub.last_activity("alice") > before)

    hub.until(idle)
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text("holding")).to_be_visible(timeout=60_000)
    page.close()
    for _ in range(3):
        heard_again()
    (tmp_path / "gate").touch()
    hub.until(idle)


def test_a_server_that_the_hub_starts_again_has_its_files(hub: Hub) -> None:
    token = hub.token("alice")
    with hub.cell("alice", CELL) as kernel:
        body = hub.ask("POST", f"user/alice/nbfunc/{kernel}/greet", {"name": "Carol"}, token=token)[1]
    url = body["outputs"][1]["url"].removeprefix("/hubs/")
    hub.stop("alice")
    hub.start("alice")
    assert hub.ask("GET", url, token=token) == (200, "alice greets Carol")
