"""A function on the notebook's main thread says on its page that it waits for the cell that runs."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import chromium, complaints, page
from tests.jupyter.server import TOKEN, Jupyter, Kernel

__all__ = ["chromium", "complaints", "page"]

pytestmark = pytest.mark.browser

WAITS = "waits for the one that is running"
# The connection belongs to the thread that made it.
BOUND = """
import sqlite3
database = sqlite3.connect(":memory:")
def version(prefix: str) -> str:
    return prefix + database.execute("select 'of the database'").fetchone()[0]
%func_to_web --main version
"""


def test_a_function_of_the_main_thread_says_that_it_waits_for_the_cell(
    server: Jupyter, fresh: Kernel, page: Page
) -> None:
    fresh.expose(BOUND)
    page.goto(f"http://127.0.0.1:{server.port}{server.base}{fresh.url('version')}?token={TOKEN}")
    page.get_by_label("prefix", exact=True).fill("version ")
    cell = fresh.begin_cell("import time\nwhile True: time.sleep(0.05)")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator(".run")).to_contain_text(WAITS)
    expect(page.locator(".run .state")).to_contain_text("Waiting for the notebook")
    expect(page.get_by_role("status").first).to_have_text("Waiting for the notebook")
    server.ask("POST", f"api/kernels/{fresh.id}/interrupt")
    assert fresh.reply(cell)["status"] == "error"
    expect(page.locator(".run pre")).to_have_text("version of the database")
    expect(page.locator(".run")).not_to_contain_text(WAITS)
    page.goto("about:blank")
