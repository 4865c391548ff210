"""A Lab for each module of tests, and a notebook in it for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.conftest import chromium, complaints, page
from tests.lab.jupyter import Jupyter, jupyter

__all__ = ["chromium", "complaints", "lab", "page"]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    with jupyter(tmp_path_factory.mktemp("lab")) as one:
        yield one


@pytest.fixture(autouse=True)
def no_kernels(request: pytest.FixtureRequest) -> Iterator[None]:
    """End the kernels of a test: their functions would be in the next one's list."""
    yield
    if "lab" in request.fixturenames:
        server: Jupyter = request.getfixturevalue("lab")
        for session in server.api("api/sessions"):
            server.api(f"api/sessions/{session['id']}", "DELETE")
