"""The first load is small: what a form needs before it can be typed in."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, Response, expect

from tests.serving import serving

pytestmark = pytest.mark.browser


def add(a: int, b: int) -> int:
    return a + b


def test_a_form_is_ready_after_four_requests_and_forty_kilobytes(page: Page, tmp_path: Path) -> None:
    answers: list[Response] = []

    def came(answer: Response) -> None:
        answers.append(answer)

    page.on("response", came)
    with serving([add], tmp_path) as served:
        page.goto(served.url)
        expect(page.get_by_label("a", exact=True)).to_be_focused()
        # The stream of events is open for as long as the page is.
        loaded = [answer for answer in answers if "/-/events" not in answer.url]
        sizes = [answer.request.sizes() for answer in loaded]
        page.goto("about:blank")
    assert len(answers) <= 4
    assert sum(size["responseBodySize"] + size["responseHeadersSize"] for size in sizes) <= 40 * 1024
