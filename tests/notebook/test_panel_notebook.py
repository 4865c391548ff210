"""`notebooks/inline.ipynb` runs from top to bottom, and works in Voila."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from playwright.sync_api import Browser, expect

from tests.browser.conftest import chromium
from tests.notebook.jupyter import REPOSITORY, voila

__all__ = ["chromium"]

NOTEBOOK = REPOSITORY / "notebooks" / "inline.ipynb"


def test_the_notebook_runs() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]  # nbformat has no types
    NotebookClient(notebook, timeout=60).execute()
    shown = [cell.outputs[0].data for cell in notebook.cells if cell.cell_type == "code"]
    assert "run this cell to use it" in shown[0]["text/plain"]
    assert shown[1]["text/plain"] == "'Hello Grace!'"


@pytest.mark.browser
@pytest.mark.timeout(180)
def test_the_notebook_works_in_voila(tmp_path: Path, chromium: Browser) -> None:
    shutil.copy(NOTEBOOK, tmp_path)
    with voila(tmp_path, NOTEBOOK.name) as url:
        page = chromium.new_page()
        page.goto(url)
        panel = page.locator(".nbfunc-panel").first
        panel.get_by_label("name", exact=True).fill("Voila")
        panel.get_by_role("button", name="Run", exact=True).click()
        expect(panel).to_contain_text("Hello Voila! Hello Voila!")
        page.close()
