"""Whatever answers, and whatever a function does: the page says what happened, and what was typed stays."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from nbfunc import expose, progress
from nbfunc.types import Field, FileResponse, Label, Placeholder
from tests.browser.wire import relay
from tests.serving import Served, serving

pytestmark = pytest.mark.browser

MARKUP = "<b id=planted>bold</b><img src=x onerror=\"document.title='planted'\">"
MANY_FILES = 10_000
MANY_PRINTS = 200_000


def greet(name: str) -> str:
    return f"Hello {name}!"


async def forever(name: str) -> None:
    print("for ever,", name)
    await asyncio.Event().wait()


def endless(name: str) -> Iterator[str]:
    at = 0
    while True:
        yield f"{name} {at}"
        at += 1


def flood(name: str) -> None:
    for at in range(MANY_PRINTS):
        print("line", at)
    print("the end,", name)


def many(name: str) -> list[FileResponse]:
    return [FileResponse(data=name.encode(), filename=f"{at}.txt") for at in range(MANY_FILES)]


@dataclasses.dataclass
class Planted:
    inner: Annotated[str, Label(MARKUP), Field(description=MARKUP)] = MARKUP


def planting(  # noqa: PLR0917 - a form of one field of each kind that shows text
    text: Annotated[str, Label(MARKUP), Placeholder(MARKUP), Field(description=MARKUP)] = MARKUP,
    choice: Literal["<b id=planted>bold</b>", "none"] = "none",
    choices: list[Literal["<b id=planted>bold</b>", "none"]] = [],  # noqa: B006 - a default of the form
    several: list[str] = [MARKUP],  # noqa: B006 - the same
    pairs: dict[str, str] = {MARKUP: MARKUP},  # noqa: B006 - the same
    group: Planted = Planted(),  # noqa: B008 - the same
    either: Planted | int = 1,
) -> Iterator[Any]:
    print(MARKUP)
    progress(1, 2, MARKUP)
    yield MARKUP
    yield pd.DataFrame({MARKUP: [MARKUP]})
    yield FileResponse(data=b"", filename=f"{MARKUP}.txt")
    yield {MARKUP: MARKUP}
    raise ValueError(MARKUP)


planting.__doc__ = MARKUP
expose(planting, title=MARKUP)


def labelled(
    arabic: Annotated[
        str, Label("اسم الملف المراد تحويله"), Field(description="يظهر في أعلى الصفحة.")
    ] = "مرحبا",
    japanese: Annotated[str, Label("変換するファイルの名前")] = "こんにちは",
    long: Annotated[str, Label("wordwithoutend" * 22)] = "",
    sure: Annotated[bool, Label("Label of many words " * 15)] = False,
) -> str:
    return f"{arabic} {japanese}"


def named(name: str) -> Callable[[str], str]:
    def function(name: str) -> str:
        return f"Hello {name}!"

    function.__name__ = function.__qualname__ = name
    return function


ROUTES = ("static", "schema", "login", "runs", "events", "files", "nbfunc", "index")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    functions = {
        "": [greet, forever, endless, flood, many, labelled],
        MARKUP: [planting],
        "Routes": [named(name) for name in ROUTES],
    }
    with serving(functions, tmp_path_factory.mktemp("served")) as served:
        yield served


def fill(page: Page, text: str = "Ada") -> None:
    page.get_by_label("name", exact=True).fill(text)


def run(page: Page) -> None:
    page.get_by_role("button", name="Run", exact=True).click()


def refused(status: int, **said: Any) -> dict[str, Any]:
    return {"status": status, "content_type": "application/json", "body": json.dumps(said)}


def proxied(status: int) -> dict[str, Any]:
    """Return what a proxy, or a login page, answers in the server's stead."""
    return {"status": status, "content_type": "text/html", "body": f"<html><h1>{status}</h1></html>"}


REFUSALS: dict[str, tuple[dict[str, Any], str]] = {
    "401": (refused(401, reason="unauthorized"), "You are not logged in"),
    "401 of a proxy": (proxied(401), "You are not logged in"),
    "403": (refused(403, reason="forbidden", message="Reading only."), "Reading only."),
    "404": (refused(404, reason="not_found", message="The kernel has no greet."), "The kernel has no greet."),
    "413 of a proxy": (proxied(413), "more than the server, or a proxy before it, takes"),
    "422 of no field": (
        refused(422, message="x", errors=[{"loc": ["gone"], "msg": "Is no field."}]),
        "Is no field",
    ),
    "500": (refused(500, reason="failed", message="Something broke."), "Something broke."),
    "502 of a proxy": (proxied(502), "The server failed (502"),
    "503": (refused(503, reason="queue_full", message="Too many runs wait."), "Too many runs wait."),
    "a page instead of JSON": (proxied(200), "not one of this server's"),
    "JSON of another server": (refused(202, ok=True), "not one of this server's"),
    "an error that is a list": (
        {"status": 400, "content_type": "application/json", "body": "[1]"},
        "refused this",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_submit_that_is_refused_is_explained_and_can_be_sent_again(
    case: str, served: Served, page: Page, complaints: list[str]
) -> None:
    answer, words = REFUSALS[case]
    page.goto(f"{served.url}/greet")
    fill(page)

    def refuse(route: Route) -> None:
        if route.request.method == "POST":
            route.fulfill(**answer)
        else:
            route.continue_()

    page.route("**/greet", refuse)
    run(page)
    expect(page.get_by_role("alert")).to_contain_text(words)
    expect(page.get_by_label("name", exact=True)).to_have_value("Ada")
    page.unroute("**/greet")
    run(page)
    expect(page.locator(".run pre")).to_have_text("Hello Ada!")
    expect(page.get_by_role("alert")).to_have_count(0)
    complaints[:] = [said for said in complaints if "Failed to load resource" not in said]


def test_a_login_that_ended_is_renewed_in_another_tab(chromium: Browser, tmp_path: Path) -> None:
    def login(page: Page) -> None:
        page.get_by_label("Name", exact=True).fill("ada")
        page.get_by_label("Password", exact=True).fill("pass")
        page.get_by_role("button", name="Log in").click()

    with serving([greet], tmp_path, auth={"ada": "pass"}) as served, chromium.new_context() as context:
        page = context.new_page()
        page.goto(f"{served.url}/greet")
        login(page)
        fill(page)
        context.clear_cookies()
        run(page)
        with page.expect_popup() as opened:
            page.get_by_role("link", name="Log in in a new tab").click()
        login(opened.value)
        expect(opened.value.get_by_label("name", exact=True)).to_be_visible()
        run(page)
        expect(page.locator(".run pre")).to_have_text("Hello Ada!")


def test_a_server_that_is_gone_is_told_and_what_was_typed_waits_for_it(
    served: Served, page: Page, complaints: list[str]
) -> None:
    with relay(served.url) as wire:
        page.goto(f"{wire.url}/greet")
        fill(page)
        wire.cut()
        run(page)
        expect(page.get_by_role("alert")).to_contain_text("The server cannot be reached")
        wire.mend()
        run(page)
        expect(page.locator(".run pre")).to_have_text("Hello Ada!")
        page.goto("about:blank")
    complaints[:] = [said for said in complaints if "net::ERR_" not in said]


def test_a_server_that_was_restarted_is_used_again_without_a_reload(
    page: Page, tmp_path: Path, complaints: list[str]
) -> None:
    with serving([forever], tmp_path) as first, relay(first.url) as wire:
        page.goto(f"{wire.url}/forever")
        fill(page)
        run(page)
        expect(page.locator(".prints")).to_contain_text("for ever, Ada")
        wire.cut()
        with serving([forever, greet], tmp_path / "second") as second:
            wire.lead(second.url)
            wire.mend()
            page.evaluate("dispatchEvent(new Event('online'))")
            expect(page.locator(".runs > .run")).to_contain_text("does not know this run any more")
            expect(page.locator(".prints")).to_contain_text("for ever, Ada")
            expect(page.get_by_label("name", exact=True)).to_have_value("Ada")
            run(page)
            expect(page.locator(".runs > .run .prints")).to_contain_text("for ever, Ada")
            page.get_by_role("button", name="Cancel").click()
            expect(page.locator(".runs > .run .state")).to_contain_text("Cancelled")
            page.goto("about:blank")
    said = ("net::ERR_", "404")
    complaints[:] = [one for one in complaints if not any(word in one for word in said)]


def test_a_flood_of_prints_leaves_the_page_usable_and_shows_its_end(served: Served, page: Page) -> None:
    page.goto(f"{served.url}/flood")
    fill(page)
    run(page)
    expect(page.locator(".prints")).to_contain_text("line")
    fill(page, "Grace")
    expect(page.locator(".prints")).to_contain_text("the end, Ada", timeout=120_000)
    expect(page.locator(".run .state")).to_contain_text("Done")
    # What was printed first gives way, so that a page does not grow for as long as a function prints.
    assert page.locator("nbfunc-tail").inner_text().count("\n") < MANY_PRINTS / 10
    expect(page.get_by_label("name", exact=True)).to_have_value("Grace")


def test_ten_thousand_files_are_shown_a_part_at_a_time(served: Served, page: Page) -> None:
    page.goto(f"{served.url}/many")
    fill(page)
    run(page)
    expect(page.locator(".run .state")).to_contain_text("Done", timeout=120_000)
    expect(page.get_by_role("link", name="Download all")).to_be_visible()
    shown = page.locator(".files li")
    before = shown.count()
    assert before < MANY_FILES / 10
    page.get_by_role("button", name="Show more").click()
    expect(shown.nth(before)).to_be_visible()
    fill(page, "Grace")


def test_a_function_that_yields_for_ever_leaves_the_page_usable_and_is_cancelled(
    served: Served, page: Page
) -> None:
    page.goto(f"{served.url}/endless")
    fill(page)
    run(page)
    expect(page.locator(".run")).to_contain_text("Ada 20")
    fill(page, "Grace")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".run .state")).to_contain_text("Cancelled", timeout=60_000)
    expect(page.get_by_label("name", exact=True)).to_have_value("Grace")


def test_markup_is_text_wherever_it_stands(served: Served, page: Page) -> None:
    page.goto(served.url)
    expect(page.get_by_role("heading", name=MARKUP)).to_be_visible()
    page.get_by_role("link", name=MARKUP).click()
    expect(page.get_by_role("heading", name=MARKUP, level=1)).to_be_visible()
    run(page)
    expect(page.locator(".run .error")).to_contain_text(f"ValueError: {MARKUP}")
    expect(page.locator(".run table")).to_contain_text(MARKUP)
    expect(page.locator(".run .files")).to_contain_text("<b id=planted>")
    assert page.locator("#planted").count() == 0
    assert page.title() == MARKUP


@pytest.mark.parametrize("name", ROUTES)
def test_a_function_may_be_named_like_a_route(name: str, served: Served, page: Page) -> None:
    page.goto(served.url)
    page.get_by_role("link", name=name.capitalize(), exact=True).click()
    fill(page)
    run(page)
    expect(page.locator(".run pre")).to_have_text("Hello Ada!")


@pytest.mark.parametrize("width", [360, 1280])
def test_labels_of_any_script_and_length_fit(width: int, served: Served, page: Page) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{served.url}/labelled")
    page.get_by_label("اسم الملف المراد تحويله").fill("سلام")
    page.get_by_label("変換するファイルの名前").fill("世界")
    page.get_by_label("wordwithoutend" * 22).fill("x")
    page.get_by_label("Label of many words").check()
    run(page)
    expect(page.locator(".run pre")).to_have_text("سلام 世界")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
