"""A run whose form leaves the page, by its output cleared or its cell run again, ends as any other."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.notebook.test_panel_lab import Notebook, chromium, folder, opened, server

__all__ = ["chromium", "folder", "opened", "server"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

SHOW = "p = panel(wait_for_go)\np"
BEGIN = "go.clear()\nfuture = p.run()"
END = "go.set()\nprint(future.result(20))"


def expect_no_error(notebook: Notebook) -> None:
    """No cell says anything that it did not print."""
    errors = '[data-mime-type$="stderr"], [data-mime-type$="error"]'
    expect(notebook.page.locator(".jp-Notebook").locator(errors)).to_have_count(0)


def test_a_run_ends_when_its_output_was_cleared(opened: Callable[..., Notebook]) -> None:
    notebook = opened(SHOW, BEGIN, END, "p")
    expect(notebook.output(3)).to_have_text("went 1")
    notebook.run_cell(2)
    panels = notebook.page.locator(".nbfunc-panel")
    expect(panels.first).to_contain_text("Running")
    notebook.page.evaluate("void window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
    expect(panels).to_have_count(0)
    notebook.run_cell(3)
    expect(notebook.output(3)).to_have_text("went 1")
    notebook.run_cell(4)
    expect(panels.get_by_role("status")).to_have_text(["Done", "Done"])
    expect(panels).to_have_count(1)
    expect_no_error(notebook)


def test_a_run_ends_when_its_cell_is_run_again_meanwhile(opened: Callable[..., Notebook]) -> None:
    notebook = opened(SHOW, BEGIN, END, "p.run().result(20)")
    expect(notebook.output(4)).to_contain_text("went 1")
    notebook.run_cell(2)
    panel = notebook.panel("Wait for go")
    expect(panel).to_contain_text("Running")
    notebook.run_cell(1)
    expect(panel.get_by_role("status")).to_have_count(0)
    notebook.run_cell(3)
    expect(notebook.output(3)).to_have_text("went 1")
    expect(panel.get_by_role("status")).to_have_count(0)
    notebook.run_cell(4)
    expect(panel.get_by_role("status")).to_have_text(["Done"])
    expect_no_error(notebook)
