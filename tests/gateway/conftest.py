"""A server behind whose gateway all kernels are, for all tests that leave both as they were."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.gateway.gateway import Server, behind_gateway
from tests.jupyter.conftest import fresh, kernel

__all__ = ["fresh", "kernel"]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that all tests share."""
    with behind_gateway(tmp_path_factory.mktemp("gateway")) as server:
        yield server
