"""Each kind of result is seen on the page, and can be taken from it."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image
from playwright.sync_api import Locator, Page, Request, expect

from nbfunc import progress
from nbfunc.files import tables
from nbfunc.types import FileResponse
from tests.looking import files_below
from tests.serving import Served, serving

pytestmark = pytest.mark.browser


class Rich:
    """What has a representation of its own, as Plotly's figures have."""

    def __init__(self, **bundle: Any) -> None:
        self.bundle = {name.replace("__", "/"): value for name, value in bundle.items()}

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return self.bundle


MARKUP = "<b id=planted>bold</b><script>document.title = 'planted'</script>"


def nothing() -> None:
    return None


def text() -> str:
    return MARKUP


def plain() -> dict[str, Any]:
    return {"a": [1, None, True]}


def file() -> FileResponse:
    return FileResponse(data=b"content", filename="Ergebnis Ä.txt")


def files() -> list[FileResponse]:
    return [FileResponse(data=name.encode(), filename=f"{name}.txt") for name in ("one", "two")]


def picture() -> Image.Image:
    return Image.new("RGB", (40, 30), "teal")


def figure() -> Figure:
    made = Figure(figsize=(4, 3))
    made.subplots().plot([1, 3, 2])
    return made


def table() -> pd.DataFrame:
    return pd.DataFrame({"number": range(2000), "name": [f"row {at}" for at in range(2000)]})


def identities() -> pd.DataFrame:
    return pd.DataFrame({"id": [2**63 - 1, 2**60]})


def long_table() -> pd.DataFrame:
    return pd.DataFrame({"number": range(60_000), "name": "n"})


def markup() -> Rich:
    return Rich(text__html=f"<h2>Framed</h2>{MARKUP}<p style='height: 300px'>tall</p>")


def markdown() -> Rich:
    return Rich(text__markdown="# Title\n\n**strong** <svg onload=\"document.title='planted'\"/>")


def latex() -> Rich:
    return Rich(text__latex=r"$\frac{1}{2}$")


def unknown() -> Rich:
    return Rich(application__x="?")


def several() -> tuple[Any, ...]:
    return "first", None, [1, 2], FileResponse(data=b"x", filename="x.bin")


def steps() -> Iterator[str]:
    for at in range(3):
        progress(at, 3, f"step {at}")
        yield f"result {at}"


def noisy() -> None:
    print("\r10%\r20%", end="")
    print("\r100%")
    print("w" * 1_000_000)
    print("the end")


def failing() -> Iterator[str]:
    yield "before"
    raise ValueError(MARKUP)


FUNCTIONS: list[Callable[..., Any]] = [
    *(
        nothing,
        text,
        plain,
        file,
        files,
        picture,
        figure,
        table,
        identities,
        long_table,
        markup,
        markdown,
        latex,
    ),
    *(unknown, several, steps, noisy, failing),
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(FUNCTIONS, tmp_path_factory.mktemp("served")) as served:
        yield served


@pytest.fixture
def shown(served: Served, page: Page) -> Callable[[Callable[..., Any]], Locator]:
    """Run a function by its page; return where its results are, once it has ended."""

    def show(function: Callable[..., Any]) -> Locator:
        page.goto(f"{served.url}/{function.__name__}")
        page.get_by_role("button", name="Run", exact=True).click()
        expect(page.locator(".run .state")).to_contain_text("Failed" if function is failing else "Done")
        return page.locator(".run")

    return show


Show = Callable[[Callable[..., Any]], Locator]


def test_a_function_that_returns_nothing_is_done(shown: Show) -> None:
    expect(shown(nothing)).to_contain_text("Done")


def test_text_is_never_markup(shown: Show, page: Page) -> None:
    expect(shown(text).locator(".text pre")).to_have_text(MARKUP)
    assert page.locator("#planted").count() == 0


def test_text_is_copied(shown: Show, page: Page, served: Served) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=served.url)
    shown(text).get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == MARKUP


def test_plain_values_are_indented_json(shown: Show) -> None:
    expect(shown(plain).locator("pre")).to_have_text('{\n  "a": [\n    1,\n    null,\n    true\n  ]\n}')


def test_a_file_has_name_size_and_time_left(shown: Show, page: Page) -> None:
    row = shown(file).locator(".files li")
    expect(row).to_contain_text("Ergebnis Ä.txt")
    expect(row).to_contain_text("7 B")
    expect(row).to_contain_text("left")
    with page.expect_download() as download:
        row.get_by_role("link").click()
    assert Path(download.value.path()).read_bytes() == b"content"
    assert download.value.suggested_filename == "Ergebnis Ä.txt"


def test_a_file_whose_hour_is_over_says_so(served: Served, page: Page) -> None:
    page.clock.install()
    page.goto(f"{served.url}/file")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_role("link", name="Download Ergebnis Ä.txt")).to_be_visible()
    page.clock.fast_forward("01:00:05")
    expect(page.locator(".files")).to_contain_text("File expired")
    expect(page.get_by_role("link", name="Download Ergebnis Ä.txt")).to_have_count(0)


def test_several_files_come_as_one_zip(shown: Show, page: Page) -> None:
    shown(files)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download all").click()
    with zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes())) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            "one.txt": b"one",
            "two.txt": b"two",
        }


@pytest.mark.parametrize("function", [picture, figure])
def test_a_picture_is_shown(function: Callable[..., Any], shown: Show) -> None:
    image = shown(function).get_by_role("img")
    expect(image).to_be_visible()
    image.evaluate("(image) => image.decode()")


def test_a_table_is_sorted_searched_and_scrolled_to_its_end(shown: Show) -> None:
    run = shown(table)
    expect(run).to_contain_text("2,000 rows")
    run.get_by_role("button", name="number").click()
    run.get_by_role("button", name="number").click()
    expect(run.locator("tbody tr:not(.space)").first).to_contain_text("1999")
    run.get_by_role("searchbox").fill("row 77")
    expect(run).to_contain_text("11 of 2,000 rows")
    run.get_by_role("searchbox").fill("")
    expect(run.get_by_text("2,000 rows", exact=True)).to_be_visible()
    run.locator(".scroll").evaluate("(box) => box.scrollTo(0, box.scrollHeight)")
    expect(run.locator("tbody")).to_contain_text("row 0")


def pages_asked(page: Page) -> list[str]:
    """Return a list that grows by the query of each page of a table that is asked for."""
    asked: list[str] = []

    def heard(request: Request) -> None:
        if "/-/tables/" in request.url:
            asked.append(urlsplit(request.url).query)

    page.on("request", heard)
    return asked


def drawn(page: Page) -> None:
    """Wait until the page has drawn what it knows, and what that made it ask for has gone out."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.evaluate("fetch('/-/functions').then((answer) => answer.status)") == 200


def test_a_sort_and_a_search_of_a_table_ask_once(shown: Show, page: Page) -> None:
    run = shown(table)
    expect(run).to_contain_text("2,000 rows")
    asked = pages_asked(page)
    run.get_by_role("button", name="number").click()
    expect(run.locator("th[aria-sort=ascending]")).to_be_visible()
    drawn(page)
    run.get_by_role("searchbox").fill("row 77")
    expect(run).to_contain_text("11 of 2,000 rows")
    drawn(page)
    assert asked == ["offset=0&limit=200&sort=0", "offset=0&limit=200&sort=0&q=row+77"]


def test_a_table_that_is_gone_is_asked_for_once_and_again_on_demand(
    page: Page, tmp_path: Path, complaints: list[str]
) -> None:
    with serving(table, tmp_path) as served:
        page.goto(f"{served.url}/table")
        page.get_by_role("button", name="Run", exact=True).click()
        run = page.locator(".run")
        expect(run).to_contain_text("2,000 rows")
        (kept,) = files_below(tmp_path / "returned_files")
        aside = kept.rename(tmp_path / "aside")
        asked = pages_asked(page)
        scroll = "(box, row) => { box.scrollTop = row * 30; }"
        for row in (650, 700, 1300):  # of two of the table's pages
            run.locator(".scroll").evaluate(scroll, row)
            expect(run.get_by_role("alert")).to_contain_text("not there any more: run again")
            drawn(page)
        assert asked == ["offset=600&limit=200"]
        aside.rename(kept)
        run.get_by_role("button", name="Try again").click()
        expect(run.locator("tbody")).to_contain_text("row 1300")
        expect(run.get_by_role("alert")).to_have_count(0)
        page.goto("about:blank")
    complaints[:] = [said for said in complaints if "410" not in said]


def test_large_integers_keep_their_digits(shown: Show) -> None:
    run = shown(identities)
    for number in (2**63 - 1, 2**60):
        expect(run.get_by_role("cell", name=str(number))).to_be_visible()


def test_a_long_table_is_seen_while_it_is_being_written(
    served: Served, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()
    write = tables.write_table

    def late(*args: Any) -> None:
        go.wait()
        write(*args)

    monkeypatch.setattr(tables, "write_table", late)
    try:
        page.goto(f"{served.url}/long_table")
        page.get_by_role("button", name="Run", exact=True).click()
        run = page.locator(".run")
        expect(run).to_contain_text("60,000 rows")
        expect(run.locator("tbody tr:not(.space)").first).to_contain_text("0")
        expect(run.locator(".state")).to_contain_text("Running")
        # However far it is scrolled meanwhile, the page's other requests get through.
        for share in (0.2, 0.4, 0.6, 0.8, 1):
            run.locator(".scroll").evaluate(
                "(box, share) => { box.scrollTop = share * box.scrollHeight; }", share
            )
            expect(run.locator("td.wait").first).to_be_visible()
        assert page.evaluate("fetch('/-/functions').then((answer) => answer.status)") == 200
    finally:
        go.set()
    expect(run.locator("tbody")).to_contain_text("59999")
    expect(run.locator(".state")).to_contain_text("Done")


def test_a_table_is_taken_as_csv(shown: Show, page: Page) -> None:
    run = shown(table)
    with page.expect_download() as download:
        run.get_by_role("link", name="CSV").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert lines[:2] == ["number,name", "0,row 0"]
    assert len(lines) == 2001


def test_markup_stays_in_its_frame_which_takes_its_height(shown: Show, page: Page) -> None:
    frame = shown(markup).locator("iframe")
    expect(frame.content_frame.get_by_role("heading", name="Framed")).to_be_visible()
    expect(frame.content_frame.locator("#planted")).to_be_visible()
    page.wait_for_function("(frame) => frame.clientHeight > 300", arg=frame.element_handle())
    assert page.title() != "planted"
    assert frame.get_attribute("sandbox") == "allow-scripts allow-downloads"


def test_markdown_is_read_and_made_safe(shown: Show, page: Page) -> None:
    run = shown(markdown)
    expect(run.get_by_role("heading", name="Title")).to_be_visible()
    expect(run.locator("strong")).to_have_text("strong")
    assert page.title() != "planted"


def test_latex_is_left_readable(shown: Show) -> None:
    expect(shown(latex)).to_contain_text(r"$\frac{1}{2}$")


def test_a_type_without_a_view_is_shown_by_its_text(shown: Show) -> None:
    expect(shown(unknown).locator("pre")).to_contain_text("Rich object")


def test_a_tuple_is_shown_one_after_the_other(shown: Show) -> None:
    run = shown(several)
    expect(run.locator("pre").first).to_have_text("first")
    expect(run.locator(".files")).to_contain_text("x.bin")


def test_what_a_generator_yields_stays_in_order(shown: Show) -> None:
    expect(shown(steps).locator("pre")).to_have_text(["result 0", "result 1", "result 2"])


def test_prints_are_redrawn_by_carriage_returns_and_cut_where_they_have_no_end(shown: Show) -> None:
    prints = shown(noisy).get_by_role("region", name="Printed")
    expect(prints).to_contain_text("100%")
    expect(prints).not_to_contain_text("20%")
    expect(prints).to_contain_text("the end")
    assert len(prints.inner_text()) < 20_000


def test_an_error_stands_with_the_results_so_far(shown: Show, page: Page) -> None:
    run = shown(failing)
    expect(run.locator("pre")).to_have_text("before")
    expect(run.locator(".error")).to_contain_text(f"ValueError: {MARKUP}")
    assert page.title() != "planted"
