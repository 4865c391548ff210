"""Everyone can use an inline form: by keyboard alone, with a screen reader, in light and dark themes."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.accessibility import violations
from tests.lab.jupyter import Jupyter, jupyter
from tests.lab.test_access import THEMES
from tests.lab.window import KERNEL_MILLISECONDS, Window

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

CELL = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
import matplotlib.pyplot as plt
from nbfunc import FileResponse, panel, progress
from tests.notebook.showcase import everything

def report(pages: int = 1):
    print("writing")
    figure, axes = plt.subplots()
    axes.plot([1, 2])
    yield figure
    yield [{{"page": 1, "words": 120}}]
    yield FileResponse(data=b"Hello", filename="hello.txt")
    raise ValueError("and an error at the end")

display(panel(everything), panel(report))
"""
# In the order of the form: each control by the name that a screen reader says. A date's parts are one name.
STOPS = [
    *("count", "title", "share", "share", "notes", "secret", "agreed", "day", "at", "when (optional)"),
    *("pause", "shade", "shade", "mail", "data (optional)", "size", "fruit", "Ask for the options again"),
    *("small", "large", "left", "top", "Move up", "Move down", "Remove", "Add to points"),
    *("Whole number", "Text", "either: Text", "corner (optional)", "left", "top"),
    *("Key 1 of prices", "prices 1", "Move up", "Move down", "Remove", "Add to prices"),
    *("attachments", "Run"),
]
FOCUSED = """() => {
    const one = document.activeElement;
    const labels = [...(one.labels ?? [])].map((label) => label.textContent).join(" ");
    return (one.ariaLabel || labels || one.title || one.textContent).trim();
}"""


def shown(window: Window, lab: Jupyter) -> Locator:
    lab.notebook("access.ipynb", CELL)
    window.visit("access.ipynb")
    window.run_all()
    panels = window.page.locator(".nbfunc-panel")
    expect(panels).to_have_count(2, timeout=KERNEL_MILLISECONDS)
    return panels


def barriers(page: Page) -> list[str]:
    """What axe finds that keeps people out; what it calls minor is how ipywidgets and pandas draw."""
    return [one for one in violations(page, ".nbfunc-panel") if "(serious)" in one or "(critical)" in one]


@pytest.mark.parametrize("theme", THEMES)
def test_no_state_of_an_inline_form_has_barriers(theme: str, page: Page, tmp_path: Path) -> None:
    settings = {"@jupyterlab/apputils-extension/themes": {"theme": THEMES[theme]}}
    with jupyter(tmp_path, settings=settings) as lab:
        window = Window(page, lab)
        form, report = shown(window, lab).all()
        expect(form.get_by_role("slider", name="share")).to_be_visible()
        assert barriers(page) == []
        form.get_by_label("when (optional)").check()
        form.get_by_role("button", name="Run", exact=True).click()
        expect(form.get_by_role("alert").first).to_contain_text("needed")
        report.get_by_role("button", name="Run", exact=True).click()
        expect(report.get_by_role("alert")).to_contain_text("ValueError")
        expect(report.get_by_role("img", name="Picture of")).to_be_visible()
        assert barriers(page) == []
        window.leave()


def test_tab_goes_through_a_form_in_its_order_and_to_run(page: Page, lab: Jupyter) -> None:
    window = Window(page, lab)
    form = shown(window, lab).first
    expect(form.get_by_role("slider", name="share")).to_be_visible()
    form.get_by_label("count", exact=True).focus()
    stops: list[str] = []
    while "Run" not in stops and len(stops) < 2 * len(STOPS):
        name = page.evaluate(FOCUSED)
        if name not in {"day", "at"} or stops[-1] != name:
            stops.append(name)
        page.keyboard.press("Tab")
    assert stops == STOPS
    page.keyboard.press("Shift+Tab")
    form.get_by_label("count", exact=True).fill("3")
    form.get_by_role("button", name="Run", exact=True).focus()
    page.keyboard.press("Enter")
    expect(form.locator(".nbfunc-outputs")).to_contain_text("3 A title")
    window.leave()
