"""One server for the tests of a module, and a file that compresses to nothing smaller."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.transfers.server import Certificate, Program, make_certificate, serving

SIZE = (24 << 20) + 12_345


@pytest.fixture(scope="package")
def content() -> bytes:
    return os.urandom(SIZE)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with serving(tmp_path_factory.mktemp("served")) as program:
        yield program


@pytest.fixture(scope="module")
def secure_server(tmp_path_factory: pytest.TempPathFactory, certificate: Certificate) -> Iterator[Program]:
    with serving(tmp_path_factory.mktemp("served"), certificate=certificate) as program:
        yield program


def returned(program: Program, content: bytes) -> str:
    """Return the path of an address where the server has `content`."""
    path = program.folder / "content.bin"
    path.write_bytes(content)
    output = program.run("give", path=os.fspath(path))["outputs"][0]
    assert output["size"] == len(content)
    return str(output["url"])
