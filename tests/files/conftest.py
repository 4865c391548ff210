"""Disks as users have them: full, read-only, not theirs; and a clock that can be set."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest


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
        pytest.skip("needs root, to mount a file system")
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", ",".join(options), "nbfunc-test", directory],
        check=False,
        capture_output=True,
        text=True,
    )
    if mount.returncode:
        pytest.skip(f"cannot mount a file system here: {mount.stderr.strip()}")
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
        user = {"user": 65534} if os.geteuid() == 0 else {}
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code), directory],
            check=False,
            capture_output=True,
            text=True,
            cwd=Path(__file__).parents[2],
            **user,  # type: ignore[call-overload]  # one keyword or none
        )
        assert done.returncode == 0, done.stderr
        return str(done.stdout)

    return run


@pytest.fixture
def open_to_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a directory that any user can reach, unlike ``tmp_path``."""
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        if os.geteuid() == 0:
            os.chown(name, 65534, 65534)
        yield Path(name)
