"""A Jupyter server for all tests that leave it as it was, and kernels of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.jupyter.server import Jupyter, Kernel, jupyter


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    """A server that all tests share."""
    with jupyter(tmp_path_factory.mktemp("jupyter")) as server:
        yield server


@pytest.fixture(scope="module")
def kernel(server: Jupyter) -> Iterator[Kernel]:
    """A kernel that the tests of a module share, with nbfunc loaded."""
    kernel = server.kernel()
    kernel.expose("")
    yield kernel
    kernel.shut_down()


@pytest.fixture
def fresh(server: Jupyter) -> Iterator[Kernel]:
    """A kernel of this test's own, nothing loaded."""
    kernel = server.kernel()
    yield kernel
    if kernel in server.kernels:
        kernel.shut_down()
