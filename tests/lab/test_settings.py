"""Where forms open, what is told of long runs, and what the panel says where it cannot work."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.lab.jupyter import jupyter
from tests.lab.window import Window

pytestmark = pytest.mark.browser

PLUGIN = "nbfunc/plugin"
NAP = """
%load_ext nbfunc
import time
def take_a_nap(seconds: float = 3):
    time.sleep(seconds)
%func_to_web take_a_nap
"""


def test_forms_open_in_tabs_and_the_end_of_a_long_run_is_told(page: Page, tmp_path: Path) -> None:
    settings = {PLUGIN: {"openIn": "tab", "noticeAfter": 2}}
    with jupyter(tmp_path, settings=settings) as lab:
        window = Window(page, lab)
        window.open(NAP)
        window.function("Take a nap").click()
        tab = page.locator("#jp-main-dock-panel nbfunc-form")
        tab.get_by_role("button", name="Run", exact=True).click()
        expect(tab).to_contain_text("Running")
        page.locator(".lm-TabBar-tab", has_text="Take a nap").locator(".lm-TabBar-tabCloseIcon").click()
        notice = page.locator(".Toastify__toast")
        expect(notice).to_contain_text("Take a nap is done, after")
        notice.get_by_role("button", name="Show").click()
        expect(tab).to_contain_text("Done")
        window.leave()


def test_without_the_servers_part_the_panel_says_what_to_install(
    page: Page, tmp_path: Path, complaints: list[str]
) -> None:
    with jupyter(tmp_path, extension=False) as lab:
        window = Window(page, lab)
        window.open("1", run=False)
        expect(window.panel).to_contain_text("The Jupyter server has no nbfunc")
        expect(window.panel).to_contain_text("pip install nbfunc")
        expect(window.panel).to_contain_text("jupyter server extension list")
        window.leave()
    complaints.clear()  # the 404


def test_a_server_that_is_gone_is_told(page: Page, tmp_path: Path, complaints: list[str]) -> None:
    with jupyter(tmp_path) as lab:
        window = Window(page, lab)
        window.open(NAP)
        window.function("Take a nap").click()
        expect(window.form.get_by_label("seconds", exact=True)).to_be_visible()
    expect(window.panel).to_contain_text("The connection to the server was lost")
    # Lab goes on asking for its server until its page is left.
    window.leave()
    complaints.clear()  # everything of Lab's that needs its server


def test_notebook_7_has_panel_and_cards(page: Page, tmp_path: Path, complaints: list[str]) -> None:
    with jupyter(tmp_path, "notebook") as notebook:
        name = notebook.notebook("demo.ipynb", NAP)
        page.goto(notebook.page(f"notebooks/{name}"))
        card = page.get_by_role("button", name="Open the form Take a nap")
        # Notebook shows its menu before its kernel is connected, and runs nothing then.
        while not any(session["kernel"]["connections"] for session in notebook.api("api/sessions")):
            page.wait_for_timeout(100)
        for _ in range(10):
            page.get_by_role("menuitem", name="Run", exact=True).click()
            page.locator(".lm-Menu").get_by_role("menuitem", name="Run All Cells").first.click()
            with contextlib.suppress(AssertionError):
                expect(card).to_be_visible()
                break
        card.click()
        form = page.locator("#nbfunc-panel nbfunc-form")
        form.get_by_label("seconds", exact=True).fill("0")
        form.get_by_role("button", name="Run", exact=True).click()
        expect(form).to_contain_text("Done")
        page.goto("about:blank")
    # Notebook 7.6 says this of its own settings, without any extension.
    complaints[:] = [said for said in complaints if "reading 'schema'" not in said]
