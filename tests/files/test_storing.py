"""What the system says of a directory reads as what it is, and names the setting that changes it."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from nbfunc.errors import DiskFull
from nbfunc.files.returns import ReturnsDir
from nbfunc.files.uploads import UploadsDir


def quota_is_used_up(*_: Any, **__: Any) -> NoReturn:
    raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))


def returned(folder: Path) -> Callable[[], object]:
    returns = ReturnsDir(folder)
    return lambda: returns.put(b"data", "data.bin")


def copied(folder: Path) -> Callable[[], object]:
    returns = ReturnsDir(folder)
    return lambda: returns.put(Path(__file__), "data.bin")


def uploaded(folder: Path) -> Callable[[], object]:
    uploads = UploadsDir(folder)
    writer = uploads.writer(uploads.create("data.bin", 4), 0)

    def write() -> None:
        with writer:
            writer.write(b"data")

    return write


@pytest.mark.parametrize(
    ("prepared", "setting"),
    [(returned, "returns_dir="), (copied, "returns_dir="), (uploaded, "uploads_dir=")],
    ids=["returned", "copied", "uploaded"],
)
def test_a_used_up_quota_is_told_as_one(
    prepared: Callable[[Path], Callable[[], object]],
    setting: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = prepared(tmp_path / "files")
    with monkeypatch.context() as system:
        for call in ("write", "copy_file_range"):
            system.setattr(os, call, quota_is_used_up, raising=False)
        with pytest.raises(DiskFull, match="quota") as told:
            store()
    assert setting in str(told.value)
    assert "disk is full" not in str(told.value)
    assert "another disk" in str(told.value)
    if setting == "returns_dir=":
        assert not os.listdir(tmp_path / "files")
