"""The quickstart notebook, from its cells to a file on a person's disk."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.lab.jupyter import Jupyter
from tests.lab.window import Window

QUICKSTART = Path(__file__).parents[2] / "notebooks" / "quickstart.ipynb"

pytestmark = pytest.mark.browser


def test_run_the_cells_follow_a_link_fill_run_and_download(page: Page, lab: Jupyter) -> None:
    shutil.copy(QUICKSTART, lab.folder / "quickstart.ipynb")
    window = Window(page, lab)
    window.visit("quickstart.ipynb")
    window.run_all()
    card = window.card.filter(has_text="Make files").first
    with page.context.expect_page() as opened:
        card.get_by_role("link", name="In browser").click()
    form = opened.value
    form.get_by_label("name", exact=True).fill("Grace")
    form.get_by_role("button", name="Run", exact=True).click()
    saved = {}
    for name in ("hello.txt", "goodbye.txt"):
        with form.expect_download() as download:
            form.get_by_role("link", name=name).first.click()
        saved[download.value.suggested_filename] = Path(download.value.path()).read_bytes()
    assert saved == {"hello.txt": b"Hello Grace!", "goodbye.txt": b"Goodbye Grace!"}
    expect(form.get_by_role("region", name="Results").get_by_text("Done")).to_be_visible()
    form.close()
    window.leave()
