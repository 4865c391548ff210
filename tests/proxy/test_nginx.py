"""Behind nginx with its buffering, its timeouts and its limit of a megabyte."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from nbfunc.web import streams
from tests.browser.conftest import chromium, complaints, page
from tests.jupyter.server import TOKEN, jupyter
from tests.programs import needs
from tests.proxy import functions
from tests.proxy.behind import MIB, Behind, made
from tests.proxy.nginx import nginx
from tests.serving import serving

__all__ = ["chromium", "complaints", "page"]

pytestmark = [needs("nginx"), pytest.mark.browser]

# nginx waits for 60 seconds, and we say something every 15: here both go faster, in this proportion.
PROXY_SECONDS = 3
COMMENT_SECONDS = 0.75
FUNCTIONS = [functions.live, functions.count, functions.silent, functions.digest]
FASTER = f"import nbfunc.web.streams\nnbfunc.web.streams.COMMENT_SECONDS = {COMMENT_SECONDS}"
CELL = "from tests.proxy.functions import *\n%load_ext nbfunc\n%func_to_web live count silent digest"


@pytest.fixture(scope="module", params=["standalone", "jupyter"])
def behind(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    folder = tmp_path_factory.mktemp("behind")
    with ExitStack() as stack:
        if request.param == "standalone":
            patch = stack.enter_context(pytest.MonkeyPatch.context())
            patch.setattr(streams, "COMMENT_SECONDS", COMMENT_SECONDS)
            served = stack.enter_context(serving(FUNCTIONS, folder, root_path="/tools", proxy_headers=True))
            ports = {8000: int(served.url.rpartition(":")[2])}
            origin = stack.enter_context(nginx(folder / "nginx", ports, seconds=PROXY_SECONDS))
            yield Behind(origin, "/tools/", "/tools/-/")
        else:
            server = stack.enter_context(jupyter(folder, base="/jupyter/", config=FASTER))
            kernel = server.kernel()
            assert not kernel.run(CELL).error
            ports = {8888: server.port}
            origin = stack.enter_context(nginx(folder / "nginx", ports, seconds=PROXY_SECONDS))
            yield Behind(
                origin,
                f"/jupyter/nbfunc/{kernel.id}/",
                "/jupyter/nbfunc/-/",
                f"?token={TOKEN}",
                {"Authorization": f"token {TOKEN}"},
            )


def run(page: Page) -> None:
    page.get_by_role("button", name="Run", exact=True).click()


def test_prints_come_live(behind: Behind, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with behind.run("live", gate=str(gate)) as events:
        assert events.until(kind="printed")["text"] == "first\n"
        gate.touch()
        assert events.until(kind="printed")["text"] == "second\n"
        assert events.until(kind="finished")


def test_prints_reach_a_page_live(behind: Behind, page: Page, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    page.goto(behind.page("live"))
    page.get_by_label("gate", exact=True).fill(str(gate))
    run(page)
    expect(page.get_by_text("first")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("second")).not_to_be_visible()
    gate.touch()
    expect(page.get_by_text("second")).to_be_visible(timeout=60_000)


def test_a_hundred_thousand_prints_come_in_order(behind: Behind) -> None:
    with behind.run("count", to=100_000) as events:
        said = "".join(event["text"] for event in events if event["kind"] == "printed")
    assert said.split() == [str(n) for n in range(100_000)]


def test_a_run_survives_three_silent_timeouts(behind: Behind) -> None:
    with behind.run("silent", seconds=3 * PROXY_SECONDS) as events:
        assert events.until(kind="output")["output"]["value"] == "still here"
        assert events.until(kind="finished")


def test_the_page_of_a_silent_run_gets_its_result(behind: Behind, page: Page) -> None:
    page.goto(behind.page("silent"))
    page.get_by_label("seconds", exact=True).fill(str(3 * PROXY_SECONDS))
    run(page)
    expect(page.get_by_text("still here")).to_be_visible(timeout=120_000)


def test_a_program_whose_answer_the_proxy_gave_up_finds_its_run(behind: Behind) -> None:
    gone = behind.post("silent", {"seconds": 2 * PROXY_SECONDS})
    assert gone.status == 504, "the answer's status says how the run ended, so nothing can be said before"
    newest = behind.ask("GET", f"{behind.shared}runs").json[0]
    assert (newest["function"], newest["status"]) == ("silent", "running")
    events = behind.ask("GET", f"{behind.shared}runs/{newest['run']}", Accept="text/event-stream")
    assert "still here" in events.text


def test_a_program_that_does_not_wait_gets_its_result(behind: Behind) -> None:
    begun = behind.post("silent", {"seconds": 2 * PROXY_SECONDS}, Prefer="respond-async")
    assert begun.status == 202
    place = str(begun.headers["Location"])
    assert behind.ask("GET", place).json["status"] in {"queued", "running"}
    behind.ask("GET", place, Accept="text/event-stream")
    assert behind.ask("GET", place).json["outputs"][0]["value"] == "still here"


def test_a_program_uploads_200_megabytes_in_pieces_that_the_proxy_takes(
    behind: Behind, tmp_path: Path
) -> None:
    said = made(tmp_path / "large.bin", 200 * MIB)
    token = behind.upload(tmp_path / "large.bin")
    answer = behind.post("digest", {"data": {"upload": token}})
    assert answer.json["outputs"][0]["value"] == said


def test_a_page_uploads_200_megabytes_in_pieces_that_the_proxy_takes(
    behind: Behind, page: Page, tmp_path: Path, complaints: list[str]
) -> None:
    said = made(tmp_path / "large.bin", 200 * MIB)
    page.goto(behind.page("digest"))
    page.locator("input[type=file]").set_input_files(tmp_path / "large.bin")
    run(page)
    expect(page.get_by_text(said)).to_be_visible(timeout=100_000)
    # The browser reports the refusals from which the page learned how much the proxy takes.
    assert complaints
    assert all("413" in complaint for complaint in complaints)
    complaints.clear()


def test_links_carry_the_prefix(behind: Behind, page: Page) -> None:
    listed = behind.ask("GET", f"{behind.shared}functions").json
    assert [one["url"] for one in listed] == [f"{behind.forms}{f.__name__}" for f in FUNCTIONS]
    page.goto(behind.page(""))
    page.get_by_role("link", name="Count").click()
    expect(page.get_by_label("to", exact=True)).to_be_visible()
    assert page.url.partition("?")[0] == f"{behind.origin}{behind.forms}count"


def test_a_file_too_large_for_one_request_is_the_proxys_to_refuse(behind: Behind) -> None:
    answer = behind.ask(
        "POST",
        f"{behind.forms}digest",
        json.dumps({"data": "x" * MIB}).encode(),
        Content_Type="application/json",
    )
    assert answer.status == 413


@pytest.mark.soak
def test_a_run_survives_three_silent_minutes_behind_nginx_as_it_comes(tmp_path: Path) -> None:
    with serving(FUNCTIONS, tmp_path, root_path="/tools") as served:
        ports = {8000: int(served.url.rpartition(":")[2])}
        with nginx(tmp_path / "nginx", ports, seconds=60) as origin:
            behind = Behind(origin, "/tools/", "/tools/-/")
            answer = behind.post("silent", {"seconds": 180}, Accept="text/event-stream")
            assert "still here" in answer.text
