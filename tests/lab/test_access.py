"""Everyone can use the panel: by keyboard alone, with a screen reader, in Lab's light and dark themes."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import violations
from tests.lab.jupyter import Jupyter, jupyter
from tests.lab.window import Window

pytestmark = pytest.mark.browser

THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
SHOW = '''
%load_ext nbfunc
import time, nbfunc
from nbfunc.types import FileResponse
def show(name: str = "Ada", times: int = 1):
    """Say hello."""
    print("saying hello")
    return [f"Hello {name}! " * times, FileResponse(data=b"content", filename="hello.txt")]
def wait_long():
    while True:
        nbfunc.progress(1, 2, "waiting")
        time.sleep(0.05)
%func_to_web show wait_long
'''


@pytest.mark.parametrize("theme", THEMES)
def test_no_state_of_the_panel_has_barriers(theme: str, page: Page, tmp_path: Path) -> None:
    settings = {"@jupyterlab/apputils-extension/themes": {"theme": THEMES[theme]}}
    with jupyter(tmp_path, settings=settings) as lab:
        window = Window(page, lab)
        window.open(SHOW, run=False)
        expect(window.panel).to_contain_text("No functions yet")
        assert violations(page, "#nbfunc-panel") == []
        window.run_all()
        expect(window.card).to_be_visible()
        assert violations(page, ".nbf-card") == []
        window.function("Wait long").click()
        window.run()
        expect(window.form).to_contain_text("Running")
        assert violations(page, "#nbfunc-panel") == []
        window.panel.get_by_role("button", name="All functions").click()
        expect(window.panel.get_by_role("progressbar")).to_be_visible()
        assert violations(page, "#nbfunc-panel") == []
        window.function("Show").click()
        window.fill(times="")
        window.run()
        expect(window.form).to_contain_text("Enter a whole number.")
        window.fill(times="2")
        window.run()
        expect(window.form).to_contain_text("Hello Ada! Hello Ada!")
        assert violations(page, "#nbfunc-panel") == []
        window.menu("Kernel", "Shut Down Kernel")
        expect(window.panel).to_contain_text("is not running")
        assert violations(page, "#nbfunc-panel") == []
        assert violations(page, ".nbf-card") == []
        window.leave()


def test_the_panel_works_by_keyboard_alone(page: Page, lab: Jupyter) -> None:
    window = Window(page, lab)
    window.open(SHOW)
    expect(window.function("Show")).to_be_visible()
    page.keyboard.press("Control+Shift+Y")
    expect(window.panel.get_by_role("searchbox")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(window.function("Show")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(window.function("Wait long")).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    name = window.form.get_by_label("name", exact=True)
    expect(name).to_be_focused()
    # Lab has shortcuts of these letters, and of this combination; here they are typed.
    page.keyboard.press("Control+A")
    page.keyboard.type("abdd00")
    expect(name).to_have_value("abdd00")
    page.keyboard.press("Control+Enter")
    expect(window.form).to_contain_text("Hello abdd00!")
    for _ in range(20):
        page.keyboard.press("Shift+Tab")
        if window.panel.get_by_role("button", name="All functions").evaluate(
            "(button) => button === document.activeElement"
        ):
            break
    page.keyboard.press("Enter")
    expect(window.panel.get_by_role("searchbox")).to_be_focused()
