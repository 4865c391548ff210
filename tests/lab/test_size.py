"""The extension costs Lab little, and brings nothing along that Lab has."""

from __future__ import annotations

import gzip
import re

import pytest
from playwright.sync_api import Page, Response, expect

from tests.lab.jupyter import EXTENSION, Jupyter
from tests.lab.window import Window

pytestmark = pytest.mark.browser


def test_lab_loads_less_than_60_kilobytes_more(page: Page, lab: Jupyter) -> None:
    loaded: list[Response] = []

    def came(answer: Response) -> None:
        if "/extensions/nbfunc/" in answer.url:
            loaded.append(answer)

    page.on("response", came)
    window = Window(page, lab)
    window.open("1", run=False)
    expect(window.panel).to_contain_text("No functions yet")
    assert loaded
    assert sum(len(gzip.compress(answer.body())) for answer in loaded) < 60 * 1024


def test_nothing_is_bundled_that_lab_shares() -> None:
    licenses = (EXTENSION / "static" / "third-party-licenses.json").read_text(encoding="utf-8")
    assert not re.findall(r'"name": "(@jupyterlab/|@lumino/|react|yjs)', licenses)
    for script in (EXTENSION / "static").glob("*.js"):
        assert "lm-Widget" not in script.read_text(encoding="utf-8"), f"{script.name} holds Lumino's own"
