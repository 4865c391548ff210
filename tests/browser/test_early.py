"""A form can be typed into before its script has come, and nothing of that is lost when it comes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Annotated, Any, Literal

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from nbfunc.types import Dropdown, Email, Field, Multiline, Password
from tests.browser.accessibility import violations
from tests.serving import Served, serving

pytestmark = pytest.mark.browser

MARKUP = "<img src=x onerror=alert(1)>\"'&amp;</template></script>"


def order(  # noqa: PLR0917 - one field of each kind
    name: Annotated[str, Field(description="who it is for")] = "you",
    times: int = 1,
    note: Annotated[str, Multiline(3)] = "\nfirst\nsecond",
    mail: Email = "ada@example.org",
    day: date = date(2024, 2, 29),
    wrapped: bool = False,
    size: Literal["small", "large"] = "large",
    code: Annotated[str, Password()] = "secret",
    parts: list[int] = [1, 2],  # noqa: B006 - read only
) -> str:
    return repr((name, times, note, mail, day.isoformat(), wrapped, size, parts))


def quoted(
    label: Annotated[str, Field(title=MARKUP, description=MARKUP)] = MARKUP,
    long: Annotated[str, Multiline(2)] = MARKUP,
    one: Literal["</option><b>a", "b"] = "b",
) -> None: ...


quoted.__doc__ = MARKUP


def nothing() -> str:
    return "done"


def offered() -> list[str]:
    if not OPEN.wait(60):
        raise RuntimeError("nobody opened it")
    return ["red", "green"]


OPEN = threading.Event()


def paint(what: str = "the door", color: Annotated[str, Dropdown(offered)] = "green") -> str:
    return f"{what}: {color}"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving([order, quoted, nothing, paint], tmp_path_factory.mktemp("served")) as served:
        yield served


@contextmanager
def held_back(page: Page, url: str) -> Iterator[Callable[[], None]]:
    """Open a page whose script does not come until it is let."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/static/page-*.js", hold)
    with page.expect_request("**/static/page-*.js"):
        page.goto(url, wait_until="commit")
    page.wait_for_function("document.readyState === 'interactive'")

    def let() -> None:
        while held:
            held.pop().continue_()
        page.unroute("**/static/page-*.js", hold)

    yield let
    let()
    expect(page.locator(".early")).to_have_count(0)
    page.goto("about:blank")


def run(page: Page) -> Locator:
    return page.get_by_role("button", name="Run", exact=True)


def taken_over(page: Page) -> None:
    expect(page.locator(".early")).to_have_count(0)
    expect(run(page)).to_be_enabled()


def field(page: Page, label: str) -> Locator:
    return page.get_by_label(label, exact=True)


def caret(of: Locator) -> list[Any]:
    found: list[Any] = of.evaluate("(one) => [one.selectionStart, one.selectionEnd, one.selectionDirection]")
    return found


def test_what_was_typed_the_focus_and_the_caret_are_kept(served: Served, page: Page) -> None:
    with held_back(page, f"{served.url}/order") as let:
        expect(field(page, "name")).to_be_focused()
        field(page, "times").fill("3")
        field(page, "wrapped").check()
        field(page, "size").select_option("small")
        field(page, "day").fill("2024-03-01")
        field(page, "note").fill("one\ntwo")
        field(page, "name").fill("Grace")
        field(page, "name").evaluate("(one) => one.setSelectionRange(1, 3, 'backward')")
        let()
        taken_over(page)
        expect(field(page, "name")).to_be_focused()
        assert caret(field(page, "name")) == [1, 3, "backward"]
        page.keyboard.type("-")
        expect(field(page, "name")).to_have_value("G-ce")
        expect(field(page, "mail")).to_have_value("ada@example.org")
        run(page).click()
        wanted = ("G-ce", 3, "one\ntwo", "ada@example.org", "2024-03-01", True, "small", [1, 2])
        expect(page.locator(".run pre")).to_have_text(repr(wanted))


def test_defaults_are_shown_and_are_not_what_someone_typed(served: Served, page: Page) -> None:
    with held_back(page, f"{served.url}/order?name=Ada&times=7") as let:
        for label, value in {
            "name": "you",
            "times": "1",
            "note": "\nfirst\nsecond",
            "mail": "ada@example.org",
            "day": "2024-02-29",
        }.items():
            expect(field(page, label)).to_have_value(value)
        expect(field(page, "size")).to_have_value("large")
        expect(field(page, "code")).to_have_count(0)
        assert "secret" not in page.content()
        let()
        taken_over(page)
        expect(field(page, "name")).to_have_value("Ada")
        expect(field(page, "times")).to_have_value("7")


def test_what_was_typed_wins_over_the_address_and_what_was_there_before_a_reload(
    served: Served, page: Page
) -> None:
    with held_back(page, f"{served.url}/order?name=Ada&times=7") as let:
        field(page, "name").fill("Grace")
        let()
        taken_over(page)
        expect(field(page, "name")).to_have_value("Grace")
        expect(field(page, "times")).to_have_value("7")
    with held_back(page, f"{served.url}/order") as let:
        field(page, "times").fill("2")
        let()
        taken_over(page)
        expect(field(page, "name")).to_have_value("Grace")
        expect(field(page, "times")).to_have_value("2")


def test_enter_submits_nothing_before_the_form_can_run(served: Served, page: Page) -> None:
    with held_back(page, f"{served.url}/order") as let:
        address = page.url
        expect(run(page)).to_be_disabled()
        field(page, "name").press("Enter")
        field(page, "times").press("Control+Enter")
        assert page.url == address
        expect(field(page, "name")).to_have_value("you")
        let()
        taken_over(page)
        expect(page.locator(".run")).to_have_count(0)


@pytest.mark.parametrize("keys", [["Tab"], ["End", "Shift+Home"]])
def test_a_number_that_is_chosen_whole_is_replaced_by_what_is_typed_next(
    served: Served, page: Page, keys: list[str]
) -> None:
    with held_back(page, f"{served.url}/order") as let:
        field(page, "name" if keys == ["Tab"] else "times").focus()
        for key in keys:
            page.keyboard.press(key)
        let()
        taken_over(page)
        expect(field(page, "times")).to_be_focused()
        page.keyboard.type("4")
        expect(field(page, "times")).to_have_value("4")


def test_half_a_number_is_typed_to_its_end_first(served: Served, page: Page) -> None:
    with held_back(page, f"{served.url}/order") as let:
        field(page, "times").fill("")
        field(page, "times").press("-")
        with page.expect_response("**/static/page-*.js"):
            let()
        page.wait_for_function("() => !!customElements.get('nbfunc-form')")
        page.keyboard.type("5")
        taken_over(page)
        expect(field(page, "times")).to_be_focused()
        page.keyboard.type("6")
        expect(field(page, "times")).to_have_value("-56")


def test_half_a_date_is_typed_to_its_end_and_then_left(served: Served, page: Page) -> None:
    with held_back(page, f"{served.url}/order") as let:
        field(page, "day").focus()
        page.keyboard.type("0305")
        with page.expect_response("**/static/page-*.js"):
            let()
        page.wait_for_function("() => !!customElements.get('nbfunc-form')")
        page.keyboard.type("2025")
        expect(page.locator(".early")).to_have_count(1)
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        taken_over(page)
        expect(field(page, "day")).to_have_value("2025-03-05")


def test_letters_that_are_being_composed_stay_together(served: Served, page: Page) -> None:
    wire = page.context.new_cdp_session(page)
    with held_back(page, f"{served.url}/order") as let:
        field(page, "name").fill("")
        wire.send("Input.imeSetComposition", {"text": "ni", "selectionStart": 2, "selectionEnd": 2})
        with page.expect_response("**/static/page-*.js"):
            let()
        page.wait_for_function("() => !!customElements.get('nbfunc-form')")
        expect(page.locator(".early")).to_have_count(1)
        wire.send("Input.insertText", {"text": "\u4f60"})
        taken_over(page)
        expect(field(page, "name")).to_be_focused()
        expect(field(page, "name")).to_have_value("\u4f60")


def test_markup_is_shown_as_text(served: Served, page: Page) -> None:
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    with held_back(page, f"{served.url}/quoted"):
        assert page.locator(".early img, .early b").count() == 0
        expect(page.locator(".early .help")).to_have_text(MARKUP)
        expect(page.locator(".early .description")).to_have_text(MARKUP)
        expect(field(page, MARKUP)).to_have_value(MARKUP)
        expect(field(page, "long")).to_have_value(MARKUP)
        assert field(page, "one").locator("option").all_text_contents() == ["</option><b>a", "b"]


@pytest.mark.parametrize("path", ["order", "order?-embed=1", "nothing"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_kept_from_using_the_early_form(
    served: Served, page: Page, path: str, scheme: Literal["light", "dark"]
) -> None:
    page.emulate_media(color_scheme=scheme)
    with held_back(page, f"{served.url}/{path}"):
        # An embedded form has no frame around it, which its page has.
        assert violations(page, "nbfunc-form") == []


# Everything that a person sees, with where it is and how it looks.
SEEN = """
() => [...document.querySelector("nbfunc-form").shadowRoot.querySelectorAll(
    "h1, .description, form, label, .head, input, select, textarea, .help, button"
)].filter((one) => one.checkVisibility() && !one.closest(".sr") && !one.closest(".list, .joined")
    && !one.matches("div.head")).map((one) => {
    const { x, y, width, height } = one.getBoundingClientRect();
    const style = getComputedStyle(one);
    const looks = ["color", "backgroundColor", "backgroundImage", "borderColor", "fontWeight"];
    return [one.localName, ...[x, y, width, height].map(Math.round), ...looks.map((name) => style[name])];
})
"""


@pytest.mark.parametrize("path", ["order", "order?-embed=1", "nothing"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 360])
def test_nothing_moves_nor_changes_its_looks_when_the_script_comes(
    served: Served, page: Page, path: str, scheme: Literal["light", "dark"], width: int
) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    with held_back(page, f"{served.url}/{path}") as let:
        early = page.evaluate(SEEN)
        assert len(early) >= 3
        let()
        taken_over(page)
        late = page.evaluate(SEEN)
        assert [one for one in early if one[0] != "span" and one not in late] == []


def test_a_script_that_does_not_come_is_said(served: Served, page: Page, complaints: list[str]) -> None:
    page.route("**/static/page-*.js", lambda route: route.abort())
    page.goto(f"{served.url}/order")
    expect(page.get_by_role("status")).to_have_text("This page could not be loaded in full: reload it.")
    expect(run(page)).to_be_disabled()
    complaints.clear()


def test_a_frame_does_not_pull_the_focus_to_itself(served: Served, page: Page) -> None:
    page.route("**/frame.html", lambda route: route.fulfill(content_type="text/html", body=FRAME))
    page.goto(f"{served.url}/frame.html")
    inner = page.frame_locator("iframe")
    expect(inner.get_by_role("button", name="Run", exact=True)).to_be_enabled()
    assert page.evaluate("document.activeElement.localName") == "body"
    page.goto("about:blank")


FRAME = '<!doctype html><link rel="icon" href="data:,"><iframe src="order"></iframe>'


def test_without_scripts_there_is_no_form_that_looks_usable(served: Served, chromium: Browser) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{served.url}/order")
    expect(page.locator(".early noscript p")).to_be_visible()
    expect(page.locator(".early form")).to_be_hidden()
    context.close()


def test_options_that_take_their_time_hold_no_other_field_back(served: Served, page: Page) -> None:
    OPEN.clear()
    try:
        with held_back(page, f"{served.url}/paint") as let:
            early = page.evaluate(SEEN)
            with page.expect_request("**/paint/schema"):
                let()
            assert page.evaluate(SEEN) == early
            expect(field(page, "what")).to_be_focused()
            expect(page.locator("[data-field=color]")).to_contain_text("Loading")
            field(page, "what").fill("the fence")
            expect(run(page)).to_be_disabled()
            OPEN.set()
            taken_over(page)
            expect(field(page, "what")).to_have_value("the fence")
            run(page).click()
            expect(page.locator(".run pre")).to_have_text("the fence: green")
    finally:
        OPEN.set()
