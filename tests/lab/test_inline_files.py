"""Files of an inline form go to the server, of any size; where they cannot, through the kernel."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.lab.jupyter import Jupyter, jupyter
from tests.lab.window import KERNEL_MILLISECONDS, Window
from tests.looking import files_below

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

CELL = """
import hashlib
from pathlib import Path
from typing import Annotated
from nbfunc import panel
from nbfunc.types import File, FileHint

def digest(data: File, times: int = 1) -> str:
    return f"{Path(data).name} {hashlib.sha256(Path(data).read_bytes()).hexdigest()} {times}"

def names(data: list[Annotated[str, FileHint(extensions=(".csv",), max_size=100)]]) -> str:
    return " ".join(f"{Path(one).name}={Path(one).read_text()}" for one in data)

display(panel(digest), panel(names))
"""
LARGE = bytes(range(256)) * (12 << 12)  # 12 MiB: more than the notebook's connection takes


class Inline(Window):
    """A notebook with inline forms."""

    def panel_of(self, title: str) -> Locator:
        heading = self.page.get_by_role("heading", name=title, exact=True)
        return self.page.locator(".nbfunc-panel", has=heading)

    def start(self, *, sends: bool = True) -> None:
        self._server.notebook("inline.ipynb", CELL)
        self.visit("inline.ipynb")
        self.run_all()
        expect(self.panel_of("Digest")).to_be_visible(timeout=KERNEL_MILLISECONDS)
        if sends:
            expect(self.panel_of("Digest").locator(".nbfunc-tus")).to_have_count(1)
            expect(self.panel_of("Names").locator(".nbfunc-tus")).to_have_count(1)

    def pick(self, title: str, *paths: Path) -> None:
        with self.page.expect_file_chooser() as chooser:
            self.panel_of(title).get_by_role("button", name="Choose").click()
        chooser.value.set_files(list(paths))

    def run_form(self, title: str) -> None:
        self.panel_of(title).get_by_role("button", name="Run", exact=True).click()


@pytest.fixture
def window(page: Page, lab: Jupyter) -> Inline:
    inline = Inline(page, lab)
    inline.start()
    return inline


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "großes Bild.bin"
    path.write_bytes(LARGE)
    return path


SAID = f"großes Bild.bin {hashlib.sha256(LARGE).hexdigest()}"


def uploads(lab: Jupyter) -> list[Path]:
    files = files_below(lab.folder.parent / "data")
    return [path for path in files if path.parent.parent.name == "uploads"]


def test_a_file_of_any_size_arrives_and_goes_when_its_run_ends(
    window: Inline, lab: Jupyter, large: Path
) -> None:
    form = window.panel_of("Digest")
    expect(form.get_by_text("or drop it here")).to_be_visible()
    expect(form.get_by_text("Up to 10 MB")).to_be_hidden()
    window.pick("Digest", large)
    expect(form).to_contain_text("großes Bild.bin (12.6 MB)")
    assert [path.read_bytes() == LARGE for path in uploads(lab)] == [True]
    window.run_form("Digest")
    expect(form.locator(".nbfunc-outputs")).to_contain_text(f"{SAID} 1")
    expect(form.get_by_role("status").first).to_have_text("Done")
    assert uploads(lab) == []


def test_a_second_run_sends_the_file_again_by_itself(window: Inline, large: Path) -> None:
    form = window.panel_of("Digest")
    window.pick("Digest", large)
    expect(form).to_contain_text("12.6 MB")
    for times in (1, 2):
        form.get_by_label("times", exact=True).fill(str(times))
        window.run_form("Digest")
        expect(form.locator(".nbfunc-outputs").first).to_contain_text(f"{SAID} {times}")
        expect(form.locator(".nbfunc-spent")).to_have_count(1)
    expect(form.get_by_role("alert")).to_have_count(0)


def test_a_run_waits_for_its_file_which_shows_how_far_it_is(window: Inline, page: Page, large: Path) -> None:
    form = window.panel_of("Digest")
    held: list[Route] = []
    arrived = threading.Event()

    def hold(route: Route) -> None:
        if route.request.method == "PATCH" and not arrived.is_set():
            held.append(route)
        else:
            route.continue_()

    page.route("**/uploads/*", hold)
    window.pick("Digest", large)
    expect(form.get_by_role("progressbar", name="Sending großes Bild.bin")).to_be_visible()
    window.run_form("Digest")
    window.run_form("Digest")
    expect(form.locator(".nbfunc-run")).to_have_count(0)
    arrived.set()
    for route in held:
        route.continue_()
    expect(form.locator(".nbfunc-outputs")).to_contain_text(SAID)
    expect(form.locator(".nbfunc-run")).to_have_count(1)
    expect(form.get_by_role("progressbar")).to_have_count(0)


def test_an_upload_is_cancelled(window: Inline, page: Page, lab: Jupyter, large: Path) -> None:
    form = window.panel_of("Digest")
    page.route("**/uploads/*", lambda route: None if route.request.method == "PATCH" else route.continue_())
    window.pick("Digest", large)
    with page.expect_response(lambda answer: answer.request.method == "DELETE"):
        form.get_by_role("button", name="Cancel großes Bild.bin").click()
    expect(form.get_by_role("progressbar")).to_have_count(0)
    expect(form.get_by_role("button", name="Choose")).to_be_focused()
    assert uploads(lab) == []
    window.run_form("Digest")
    expect(form.get_by_role("alert")).to_contain_text("needed")


def test_several_files_are_dropped_and_what_does_not_fit_is_refused(window: Inline) -> None:
    form = window.panel_of("Names")
    for files in (["a.csv", "b.CSV"], ["c.txt"]):
        given = window.page.evaluate_handle(
            """(names) => {
                const data = new DataTransfer();
                for (const name of names) data.items.add(new File([name], name));
                return data;
            }""",
            files,
        )
        for kind in ("dragover", "drop"):
            form.locator(".nbfunc-upload").dispatch_event(kind, {"dataTransfer": given})
        if files[0] == "a.csv":
            expect(form).to_contain_text("a.csv (5 B), b.CSV (5 B)")
    expect(form.get_by_role("alert")).to_contain_text("c.txt is not a file of this kind")
    window.run_form("Names")
    expect(form.locator(".nbfunc-outputs")).to_contain_text("a.csv=a.csv b.CSV=b.CSV")


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    with jupyter(tmp_path_factory.mktemp("bare"), extension=False) as one:
        yield one


def test_where_the_server_has_no_extension_files_come_through_the_kernel(
    page: Page, bare: Jupyter, tmp_path: Path, complaints: list[str]
) -> None:
    window = Inline(page, bare)
    window.start(sends=False)
    form = window.panel_of("Digest")
    expect(form.get_by_text("Up to 10 MB")).to_be_visible()
    path = tmp_path / "small.bin"
    path.write_bytes(b"small")
    for times in (1, 2):
        form.get_by_label("times", exact=True).fill(str(times))
        if times == 1:
            window.pick("Digest", path)
            expect(form).to_contain_text("small.bin (5 B)")
        window.run_form("Digest")
        digest = hashlib.sha256(b"small").hexdigest()
        expect(form.locator(".nbfunc-outputs").first).to_contain_text(f"small.bin {digest} {times}")
    window.leave()
    complaints[:] = [said for said in complaints if not re.search("404|nbfunc", said)]
