"""What takes long: a large upload that is interrupted, a connection that is cut twice, a huge table."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import psutil
import pytest
from playwright.sync_api import Page, expect

from nbfunc.types import File
from tests.browser.wire import relay
from tests.serving import Served, serving

pytestmark = [pytest.mark.browser, pytest.mark.soak]

GIB = 1 << 30
MINUTES = 60_000


def digest(data: File) -> str:
    found = hashlib.blake2b()
    with Path(data).open("rb") as file:
        while block := file.read(1 << 24):
            found.update(block)
    return found.hexdigest()


# What the function may print next: the wire is cut, and the page reloaded, while it does.
PARTS = [threading.Event() for _ in range(4)]


def prints() -> None:
    for number in range(2000):
        if number % 500 == 0:
            PARTS[number // 500].wait()
        print("line", number)


def million() -> pd.DataFrame:
    return pd.DataFrame({"number": range(1_000_000), "square": [n * n for n in range(1_000_000)]})


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving([digest, prints, million], tmp_path_factory.mktemp("served")) as served:
        yield served


def large_file(path: Path, size: int) -> str:
    """Write random bytes; return their digest."""
    digest = hashlib.blake2b()
    with path.open("wb") as file:
        for _ in range(size >> 24):
            block = os.urandom(1 << 24)
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def test_two_gigabytes_arrive_whole_over_a_cut_connection_and_a_reload(
    served: Served, page: Page, tmp_path: Path, complaints: list[str]
) -> None:
    path = tmp_path / "large.bin"
    expected = large_file(path, 2 * GIB)
    server = psutil.Process()
    before = server.memory_info().rss
    with relay(served.url) as wire:
        page.goto(f"{wire.url}/digest")
        page.locator("input[type=file]").set_input_files(path)
        with page.expect_request(lambda request: int(request.headers.get("upload-offset", 0)) > GIB // 2):
            pass
        wire.cut()
        wire.mend()
        page.evaluate("dispatchEvent(new Event('online'))")
        with page.expect_request(
            lambda request: int(request.headers.get("upload-offset", 0)) > GIB, timeout=5 * MINUTES
        ):
            pass
        page.reload()
        expect(page.locator(".drop")).to_contain_text("choose large.bin again to go on")
        page.locator("input[type=file]").set_input_files(path)
        expect(page.locator(".upload")).to_have_class("upload done", timeout=5 * MINUTES)
        assert server.memory_info().rss - before < 64 << 20
        page.get_by_role("button", name="Run", exact=True).click()
        expect(page.locator(".run pre")).to_have_text(expected, timeout=MINUTES)
        page.goto("about:blank")
    # The cuts themselves, and a piece that was sent to where the server does not stand any more.
    complaints[:] = [said for said in complaints if "net::ERR_" not in said and "409" not in said]


def test_no_print_is_missing_or_doubled_over_two_cuts_and_a_reload(
    served: Served, page: Page, complaints: list[str]
) -> None:
    with relay(served.url) as wire:
        page.goto(f"{wire.url}/prints")
        page.get_by_role("button", name="Run", exact=True).click()
        PARTS[0].set()
        for part in (1, 2):
            expect(page.locator(".prints")).to_contain_text(f"line {500 * part - 1}", timeout=MINUTES)
            wire.cut()
            PARTS[part].set()
            expect(page.locator(".trouble")).to_be_visible()
            wire.mend()
            page.evaluate("dispatchEvent(new Event('online'))")
        expect(page.locator(".prints")).to_contain_text("line 1499", timeout=MINUTES)
        PARTS[3].set()
        page.reload()
        expect(page.locator(".run .state")).to_contain_text("Done", timeout=MINUTES)
        lines = page.locator("nbfunc-tail").evaluate("(tail) => tail.textContent").strip().splitlines()
        assert [line for line in lines if line.strip()] == [f"line {number}" for number in range(2000)]
        page.goto("about:blank")
    complaints[:] = [said for said in complaints if "net::ERR_" not in said]


def test_a_million_rows_are_scrolled_to_their_end_and_sorted(served: Served, page: Page) -> None:
    page.goto(f"{served.url}/million")
    page.get_by_role("button", name="Run", exact=True).click()
    run = page.locator(".run")
    expect(run).to_contain_text("1,000,000 rows", timeout=MINUTES)
    run.locator(".scroll").evaluate("(box) => box.scrollTo(0, box.scrollHeight)")
    expect(run.locator("tbody")).to_contain_text("999999", timeout=MINUTES)
    for _ in range(2):
        run.get_by_role("button", name="number").click()
    expect(run.locator("tbody tr:not(.space)").first).to_contain_text("999999", timeout=MINUTES)
    with page.expect_download() as download:
        run.get_by_role("link", name="CSV").click()
    with Path(download.value.path()).open("rb") as file:
        assert sum(1 for _ in file) == 1_000_001
