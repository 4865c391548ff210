"""Functions of a notebook's kernel are called from JupyterLab's side panel."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.lab.jupyter import TOKEN, Jupyter
from tests.lab.window import KERNEL_MILLISECONDS, Window

pytestmark = pytest.mark.browser

GREET = '''
%load_ext nbfunc
from nbfunc.types import FileResponse
def greet(name: str, times: int = 1):
    """Say hello."""
    print("saying hello")
    return [f"Hello {name}! " * times, FileResponse(data=b"content", filename="hello.txt")]
%func_to_web greet
'''

WAIT = """
%load_ext nbfunc
import time, nbfunc
def wait_long(seconds: int = 60):
    for step in range(seconds * 20):
        nbfunc.progress(step, seconds * 20, "waiting")
        time.sleep(0.05)
%func_to_web wait_long
"""


@pytest.fixture
def window(page: Page, lab: Jupyter) -> Window:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    return Window(page, lab)


def test_a_function_is_exposed_filled_in_run_and_its_file_downloaded(window: Window) -> None:
    window.open(GREET, run=False)
    expect(window.panel).to_contain_text("No functions yet")
    window.run_all()
    window.function("Greet").click()
    expect(window.form.get_by_label("name", exact=True)).to_be_focused()
    window.fill(name="Ada", times="2")
    window.page.keyboard.press("Control+Enter")
    expect(window.form).to_contain_text("saying hello")
    expect(window.form).to_contain_text("Hello Ada! Hello Ada!")
    with window.page.expect_download() as download:
        window.form.get_by_role("link", name="Download hello.txt").click()
    assert Path(download.value.path()).read_bytes() == b"content"


def test_after_a_restart_and_run_all_the_open_form_works_again(window: Window) -> None:
    window.open(GREET)
    window.function("Greet").click()
    window.fill(name="Ada")
    window.restart("Restart Kernel…")
    expect(window.panel).to_contain_text("is not running")
    expect(window.form.get_by_label("name", exact=True)).to_have_value("Ada")
    window.panel.get_by_role("button", name="Run the notebook's cells").click()
    expect(window.panel).not_to_contain_text("is not running", timeout=KERNEL_MILLISECONDS)
    window.run()
    expect(window.form).to_contain_text("Hello Ada!")


def test_a_card_opens_the_form_and_says_when_its_kernel_is_gone(window: Window, lab: Jupyter) -> None:
    window.open(GREET)
    window.card.get_by_role("button", name="Open the form Greet").click()
    expect(window.form.get_by_label("name", exact=True)).to_be_focused()
    window.menu("Kernel", "Shut Down Kernel")
    expect(window.card).to_contain_text("Not running")
    window.card.get_by_role("button", name="Run the notebook's cells").click()
    expect(window.card).not_to_contain_text("Not running", timeout=KERNEL_MILLISECONDS)


def test_a_run_goes_on_without_its_form_and_is_cancelled_from_the_list(window: Window) -> None:
    window.open(WAIT)
    window.function("Wait long").click()
    window.run()
    expect(window.form).to_contain_text("Running")
    window.panel.get_by_role("button", name="All functions").click()
    running = window.panel.get_by_role("region", name="Running")
    expect(running).to_contain_text("waiting")
    running.get_by_role("button", name="Cancel Wait long").click()
    expect(running).to_have_count(0)
    window.function("Wait long").click()
    expect(window.form).to_contain_text("Cancelled")


def test_a_form_opens_beside_the_notebook_and_is_there_after_a_reload(window: Window) -> None:
    window.open(GREET)
    window.function("Greet").click()
    window.choose("Open Beside the Notebook")
    tab = window.page.locator("#jp-main-dock-panel nbfunc-form")
    tab.get_by_label("name", exact=True).fill("Grace")
    tab.get_by_role("button", name="Run", exact=True).click()
    expect(tab).to_contain_text("Hello Grace!")
    # Lab saves its workspace a moment after the last change.
    with window.page.expect_response(
        lambda answer: "/api/workspaces/" in answer.url and answer.request.method == "PUT"
    ):
        pass
    window.page.goto(window.page.url.partition("/tree/")[0])
    expect(tab.get_by_label("name", exact=True)).to_have_value("Grace")
    expect(tab).to_contain_text("Hello Grace!")


def test_a_call_is_copied_as_a_program_that_works(window: Window, lab: Jupyter) -> None:
    window.open(GREET)
    window.function("Greet").click()
    window.fill(name="Ada 'n' \\Grace")
    for item, command in (("Copy as curl", ["bash", "-c"]), ("Copy as Python", [sys.executable, "-c"])):
        window.choose(item)
        copied = window.page.evaluate("navigator.clipboard.readText()")
        assert TOKEN not in copied
        environment = {**os.environ, "JUPYTER_TOKEN": TOKEN}
        done = subprocess.run(
            [*command, copied], env=environment, check=True, capture_output=True, text=True, timeout=60
        )
        assert "Hello Ada 'n'" in done.stdout


def test_a_copied_link_leads_to_the_form(window: Window, chromium: Browser) -> None:
    window.open(GREET)
    window.function("Greet").click()
    window.choose("Copy Link")
    link = window.page.evaluate("navigator.clipboard.readText()")
    assert link.endswith("/nbfunc/-/open/demo.ipynb/greet")
    window.page.goto(link)
    expect(window.page.get_by_label("name", exact=True)).to_be_visible()


def test_a_file_is_uploaded_past_jupyters_guards(window: Window, tmp_path: Path) -> None:
    window.open(
        "%load_ext nbfunc\nfrom nbfunc.types import File\n"
        "def size(data: File):\n    return len(open(data, 'rb').read())\n%func_to_web size"
    )
    path = tmp_path / "data.bin"
    path.write_bytes(bytes(12_345))
    window.function("Size").click()
    window.form.locator("input[type=file]").set_input_files(path)
    window.run()
    expect(window.form.locator(".run pre")).to_have_text("12345")


def test_results_are_rendered_by_lab_and_markup_in_its_frame(window: Window) -> None:
    window.open(
        "%load_ext nbfunc\nfrom IPython.display import HTML, Latex, Markdown\n"
        "def rich():\n    return [Latex('$x^2$'), Markdown('**bold**'), HTML('<h3>Framed</h3>')]\n"
        "%func_to_web rich"
    )
    window.function("Rich").click()
    window.run()
    expect(window.form.locator("mjx-container")).to_be_visible()
    expect(window.form.locator("strong")).to_have_text("bold")
    frame = window.form.locator("iframe")
    expect(frame.content_frame.get_by_role("heading", name="Framed")).to_be_visible()
    assert frame.get_attribute("sandbox") == "allow-scripts allow-downloads"


def test_a_function_that_changes_or_goes_is_followed(window: Window) -> None:
    window.open(GREET)
    window.function("Greet").click()
    window.fill(name="Ada")
    execute(window, "def greet(name: str, loud: bool = False):\n    return name.upper() if loud else name")
    window.form.get_by_label("loud", exact=True).check()
    expect(window.form.get_by_label("name", exact=True)).to_have_value("Ada")
    window.run()
    expect(window.form).to_contain_text("ADA")
    execute(window, "del greet")
    expect(window.panel.get_by_role("status").first).to_contain_text("is not running")
    expect(window.form.get_by_label("name", exact=True)).to_have_value("Ada")


def test_text_is_never_markup(window: Window) -> None:
    window.open(
        "%load_ext nbfunc\nimport nbfunc\n"
        "def shown(x: int = 1):\n    '''<img src=x onerror=document.title='planted'>'''\n    return x\n"
        "nbfunc.expose(shown, title='<b id=planted>T</b>', group='<i id=planted>G</i>')\n%func_to_web shown"
    )
    window.function("<b id=planted>T</b>").click()
    expect(window.form.get_by_role("heading", name="<b id=planted>T</b>")).to_be_visible()
    assert window.page.locator("#planted").count() == 0
    assert window.page.title() != "planted"


def test_a_thousand_functions_are_listed_and_searched(window: Window) -> None:
    window.open(
        "%load_ext nbfunc\n"
        "for at in range(1000):\n    exec(f'def function_{at}(x: int = {at}): return x')\n"
        "names = ' '.join(f'function_{at}' for at in range(1000))\n"
        "get_ipython().run_line_magic('func_to_web', names)",
        run=False,
    )
    window.run_all()
    expect(window.panel.locator(".nbf-function")).to_have_count(1000, timeout=KERNEL_MILLISECONDS)
    window.panel.get_by_role("searchbox").fill("777")
    expect(window.panel.locator(".nbf-function")).to_have_count(1)
    window.panel.get_by_role("searchbox").fill("none of them")
    expect(window.panel).to_contain_text("No function matches")


def test_a_renamed_notebook_is_followed(window: Window) -> None:
    window.open(GREET, name="before.ipynb")
    expect(window.panel.get_by_role("region", name="before.ipynb")).to_be_visible()
    window.menu("File", "Rename Notebook…")
    dialog = window.page.locator(".jp-Dialog")
    dialog.get_by_role("textbox").fill("after.ipynb")
    dialog.get_by_role("button", name="Rename").click()
    expect(window.panel.get_by_role("region", name="after.ipynb")).to_be_visible(timeout=KERNEL_MILLISECONDS)


def test_a_second_window_shows_the_same(window: Window, chromium: Browser, lab: Jupyter) -> None:
    window.open(GREET)
    expect(window.function("Greet")).to_be_visible()
    page = chromium.new_page()
    second = Window(page, lab)
    second.open("1", name="second.ipynb")
    second.function("Greet").click()
    second.fill(name="Ada")
    second.run()
    expect(second.form).to_contain_text("Hello Ada!")
    page.close()


def execute(window: Window, code: str) -> None:
    """Run code in a new cell at the notebook's end."""
    notebook = window.page.locator(".jp-Notebook")
    notebook.locator(".jp-Cell .cm-content").last.click()
    window.page.keyboard.press("Escape")
    window.page.keyboard.press("b")
    window.page.keyboard.press("Enter")
    window.page.keyboard.insert_text(code)
    window.page.keyboard.press("Shift+Enter")
