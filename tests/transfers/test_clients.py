"""curl, wget and aria2 fetch a file over a wire that breaks, are killed, go on, and have it as it was."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.programs import needs
from tests.transfers.conftest import SIZE, returned
from tests.transfers.relay import Cut, How, cutting
from tests.transfers.server import Program

HOWS: tuple[How, ...] = ("closed", "reset", "client killed")
# So often a client is started again, which is more than there are cuts.
TRIES = 40
MOST_CUTS = 6


def curl(url: str, out: Path, certificate: list[str]) -> list[str]:
    trusted = ["--cacert", *certificate] if certificate else []
    return ["curl", "-sS", "-C", "-", *trusted, "-o", str(out), url]


def wget(url: str, out: Path, certificate: list[str]) -> list[str]:
    trusted = [f"--ca-certificate={path}" for path in certificate]
    return ["wget", "-nv", "-c", "--tries=20", "--waitretry=0", *trusted, "-O", str(out), url]


def aria2c(url: str, out: Path, certificate: list[str]) -> list[str]:
    trusted = [f"--ca-certificate={path}" for path in certificate]
    parts = ["-c", "-x8", "-s8", "-k1M", "--file-allocation=none", "--max-tries=20", "--retry-wait=0"]
    quiet = ["--quiet", "--no-conf", "--auto-save-interval=1", "--async-dns=false"]
    return ["aria2c", *parts, *quiet, *trusted, "-d", str(out.parent), "-o", out.name, url]


CLIENTS = pytest.mark.parametrize(
    "client",
    [
        pytest.param(curl, marks=needs("curl")),
        pytest.param(wget, marks=needs("wget")),
        pytest.param(aria2c, marks=needs("aria2c")),
    ],
    ids=["curl", "wget", "aria2c"],
)
Client = Callable[[str, Path, list[str]], list[str]]


@dataclass(frozen=True)
class Offered:
    """A file that a server has: where, and what is in it."""

    server: Program
    path: str
    content: bytes


@pytest.fixture(scope="module")
def plain(server: Program, content: bytes) -> Offered:
    return Offered(server, returned(server, content), content)


@pytest.fixture(scope="module")
def secure(secure_server: Program, content: bytes) -> Offered:
    return Offered(secure_server, returned(secure_server, content), content)


def share(client: Client) -> int:
    """Return how many bytes come over one connection."""
    return SIZE // 8 if client is aria2c else SIZE


def cuts(client: Client, seed: int) -> list[Cut]:
    """Return some, anywhere in the file or in an answer's head."""
    dice = random.Random(seed)
    count = dice.randint(1, MOST_CUTS)
    return [Cut(int(share(client) * dice.random() ** 2), dice.choice(HOWS)) for _ in range(count)]


def fetch(client: Client, offered: Offered, out: Path, planned: list[Cut]) -> list[Cut]:
    """Fetch a file however often its wire breaks, and judge it; return the cuts that were met."""
    running: list[subprocess.Popen[str]] = []
    server = offered.server
    trusted = [str(server.certificate.path)] if server.certificate else []

    def kill() -> None:
        running[-1].kill()

    with cutting(server.port, planned, kill) as relay:
        url = server.url.replace(str(server.port), str(relay.port)) + offered.path
        for _ in range(TRIES):
            command = client(url, out, trusted)
            with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
                running.append(process)
                said = process.communicate()[1]
            if process.returncode == 0:
                assert out.read_bytes() == offered.content
                return relay.made
    raise AssertionError(f"{command} did not get there in {TRIES} tries: {process.returncode} {said}")


@CLIENTS
@pytest.mark.parametrize("seed", range(5))
def test_a_download_over_a_wire_that_breaks_is_identical(
    client: Client, seed: int, plain: Offered, tmp_path: Path
) -> None:
    fetch(client, plain, tmp_path / "out.bin", cuts(client, seed))


@CLIENTS
@pytest.mark.parametrize("how", HOWS)
def test_a_download_goes_on_where_it_was_cut(
    client: Client, how: How, plain: Offered, tmp_path: Path
) -> None:
    planned = [Cut(share(client) // 2, how)]
    assert fetch(client, plain, tmp_path / "out.bin", planned) == planned


@needs("curl")
@needs("openssl")
@pytest.mark.parametrize("seed", range(2))
def test_a_download_over_tls_is_identical(seed: int, secure: Offered, tmp_path: Path) -> None:
    fetch(curl, secure, tmp_path / "out.bin", cuts(curl, seed))


@pytest.mark.soak
@pytest.mark.timeout(3600)
@CLIENTS
@pytest.mark.parametrize("kind", ["plain", "secure"])
def test_a_hundred_downloads_over_wires_that_break_are_identical(
    client: Client, kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    offered: Offered = request.getfixturevalue(kind)
    met = 0
    for seed in range(100):
        out = tmp_path / f"{seed}.bin"
        met += len(fetch(client, offered, out, cuts(client, seed)))
        out.unlink()
    assert met >= 100
