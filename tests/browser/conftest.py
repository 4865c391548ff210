"""One Chromium for each module of browser tests; a test fails if its page complains."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.chromium import ADVICE, FLAGS, found


# For a module and not for the session: while Playwright lives its loop counts as running in this thread, and
# no other test could call asyncio.run().
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = found()
    assert path, ADVICE
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the page said as an error; a test that brings one about takes it out."""
    return []


@pytest.fixture
def page(chromium: Browser, complaints: list[str]) -> Iterator[Page]:
    page = chromium.new_page()

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(message.text)

    page.on("console", heard)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    page.close()
    assert not complaints, complaints
