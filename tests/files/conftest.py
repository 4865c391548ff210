"""Disks as users have them: full, read-only, not theirs; and a clock that can be set."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from nbfunc.files import drafts

ROOT = Path(__file__).parents[2]


@dataclass
class Clock:
    """The time of day, to be moved on; what is written really has the real time."""

    now: float = field(default_factory=time.time)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@contextmanager
def mounted(directory: Path, *options: str) -> Iterator[Path]:
    """Mount an empty file system of its own."""
    directory.mkdir(exist_ok=True)
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("to mount a small disk takes Linux and root: run these tests as root to see them")
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", ",".join(options), "nbfunc-test", directory],
        check=False,
        capture_output=True,
        text=True,
    )
    if mount.returncode:
        pytest.skip(f"no disk may be mounted here, as in most containers: {mount.stderr.strip()}")
    try:
        yield directory
    finally:
        subprocess.run(["umount", "--lazy", directory], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a directory on a disk of one MiB."""
    with mounted(tmp_path / "small", "size=1m") as directory:
        yield directory


@pytest.fixture
def locked_disk(tmp_path: Path) -> Iterator[Callable[[], Path]]:
    """Return a directory on a disk that is read-only from the first call on."""
    with mounted(tmp_path / "locked", "size=1m") as directory:

        def lock() -> Path:
            subprocess.run(["mount", "-o", "remount,ro", directory], check=True)
            return directory

        yield lock


@pytest.fixture
def as_nobody() -> Callable[[str, Path], str]:
    """Return what runs code as a user whom file modes bind; root is not."""

    def run(code: str, directory: Path) -> str:
        # Imported before the change of user, who may not reach where Python is.
        first = "import os, nbfunc.files.returns, nbfunc.files.uploads\nos.geteuid() or os.setuid(65534)\n"
        return child(first + textwrap.dedent(code), directory)

    return run


def child(code: str, *arguments: object, **environment: str) -> str:
    """Return what a Python of its own prints."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """Return a directory that any user can reach, unlike ``tmp_path``."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        if os.geteuid() == 0:
            os.chown(name, 65534, 65534)
        yield Path(name)


@pytest.fixture(params=["nameless", "named"])
def parts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to write: without a name where the system can, and with one, as on NFS."""
    way: str = request.param
    if way == "named":
        monkeypatch.setattr(drafts, "_UNNAMED", 0)
    elif not hasattr(os, "O_TMPFILE"):
        pytest.skip("this system has no O_TMPFILE")
    return way


@pytest.fixture
def no_leak() -> Iterator[None]:
    """Every file that is opened is closed again."""
    before = _open_files()
    yield
    assert _open_files() == before


def _open_files() -> list[str]:
    if not os.path.isdir("/proc/self/fd"):
        return []
    # What the listing itself opens is closed when its link would be read.
    links = (f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd"))
    return sorted(os.readlink(link) for link in links if os.path.lexists(link))
