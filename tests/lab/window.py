"""What a person does in a Lab window."""

from __future__ import annotations

import itertools
import re

from playwright.sync_api import Locator, Page, expect

from tests.lab.jupyter import Jupyter

KERNEL_MILLISECONDS = 60_000
NUMBERS = itertools.count()
READY = "Python 3 (ipykernel) | Idle"


class Window:
    """A browser's window with a notebook open, and the panel beside it."""

    def __init__(self, page: Page, server: Jupyter) -> None:
        self.page = page
        self._server = server

    def open(self, *cells: str, name: str = "demo.ipynb", run: bool = True) -> None:
        """Open a notebook of these cells, show the panel, and run the cells."""
        self._server.notebook(name, *cells)
        self.visit(name)
        self.show()
        if run:
            self.run_all()

    def visit(self, name: str) -> None:
        workspace = f"workspace-{next(NUMBERS)}"
        self.page.goto(self._server.page(f"lab/workspaces/{workspace}/tree/{name}"))
        expect(self.page.get_by_text(READY)).to_be_visible(timeout=KERNEL_MILLISECONDS)

    def leave(self) -> None:
        """Go away, before the server does."""
        self.page.goto("about:blank")

    def show(self) -> None:
        """Show the panel, by its shortcut."""
        self.page.keyboard.press("Control+Shift+Y")
        expect(self.panel).to_be_visible()

    def menu(self, *path: str) -> None:
        """Choose from the main menu."""
        first, *others = path
        self.page.locator("#jp-MainMenu").get_by_role("menuitem", name=first, exact=True).click()
        for other in others:
            # Its name ends with its shortcut.
            item = re.compile(f"^{re.escape(other)}")
            self.page.locator(".lm-Menu").get_by_role("menuitem", name=item).click()

    def run_all(self) -> None:
        self.menu("Run", "Run All Cells")

    def restart(self, item: str) -> None:
        """Restart the kernel by an item of its menu, and say yes."""
        self.menu("Kernel", item)
        self.page.locator(".jp-Dialog").get_by_role("button", name="Confirm Kernel Restart").click()

    @property
    def panel(self) -> Locator:
        return self.page.locator("#nbfunc-panel")

    @property
    def form(self) -> Locator:
        return self.panel.locator("nbfunc-form")

    @property
    def card(self) -> Locator:
        return self.page.locator(".nbf-card")

    def function(self, title: str) -> Locator:
        """The list's entry of a function."""
        return self.panel.locator(".nbf-function", has=self.page.get_by_text(title, exact=True))

    def fill(self, **values: str) -> None:
        for name, value in values.items():
            self.form.get_by_label(name, exact=True).fill(value)

    def run(self) -> None:
        self.form.get_by_role("button", name="Run", exact=True).click()

    def choose(self, item: str) -> None:
        """Choose from the menu of the open form."""
        self.panel.get_by_role("button", name="More about this function").click()
        self.page.locator(".lm-Menu").get_by_role("menuitem", name=item).click()
