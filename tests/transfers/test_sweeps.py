"""A server starts and sweeps among any number of files, and its event loop has no part in it."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from nbfunc.errors import Expired
from nbfunc.files.returns import KEPT_SECONDS, ReturnsDir
from nbfunc.files.uploads import UploadsDir
from tests.files.conftest import child

# Each thread that touches a directory is noted, from the first turn of the loop to the end of the sweep.
STARTS = """
    import asyncio, os, sys, threading
    from nbfunc import application

    def nothing() -> None:
        pass

    folder, loop_thread, touched = sys.argv[1], threading.get_ident(), []
    EVENTS = {"open", "os.listdir", "os.scandir", "os.remove", "os.rename", "os.rmdir", "os.utime"}

    def hook(event, arguments):
        if event in EVENTS and threading.get_ident() == loop_thread and folder in str(arguments[0]):
            touched.append((event, arguments[0]))

    async def swept():
        sys.addaudithook(hook)
        app.start_sweeping()
        while app.site._later:
            await asyncio.sleep(0.01)

    app = application(nothing, returns_dir=folder + "/returns", uploads_dir=folder + "/uploads")
    asyncio.run(swept())
    by_loop = list(touched)
    print(by_loop, sorted(os.listdir(folder + "/returns")), sorted(os.listdir(folder + "/uploads")))
"""
# What clients of NFS call a file that is deleted while it is open, and what else may lie there.
FOREIGN = [".nfs000000000123abcd00000001", "notes.txt", "1a2-not-ours.txt"]


def test_no_file_is_touched_on_the_event_loop_and_none_of_others(tmp_path: Path) -> None:
    old = time.time() - 2 * KEPT_SECONDS
    returns = ReturnsDir(tmp_path / "returns", clock=lambda: old)
    for n in range(500):
        returns.put(b"old", f"{n}.txt")
    uploads = UploadsDir(tmp_path / "uploads")
    token = uploads.create("live.txt", 5)
    for folder in ("returns", "uploads"):
        for name in FOREIGN:
            (tmp_path / folder / name).write_bytes(b"theirs")
    said = child(STARTS, tmp_path).strip()
    assert said == f"[] {sorted(FOREIGN)} {sorted([*FOREIGN, f'{token}.part'])}"


def test_an_upload_that_a_reader_on_nfs_holds_goes_with_the_sweep_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    uploads = UploadsDir(tmp_path / "uploads", clock=lambda: now)
    token = uploads.create("data.txt", 5)
    now += 2 * KEPT_SECONDS
    with monkeypatch.context() as nfs:
        # A file that is open elsewhere stays as .nfs…, and its directory with it.
        nfs.setattr(shutil, "rmtree", lambda *_, **__: None)
        uploads.sweep()
        with pytest.raises(Expired):
            uploads.status(token)
        assert list(uploads.path.iterdir())
    uploads.sweep()
    assert not list(uploads.path.iterdir())


def test_servers_that_sweep_one_directory_at_once_delete_what_is_over_and_nothing_else(
    tmp_path: Path,
) -> None:
    now = time.time()
    ReturnsDir(tmp_path, clock=lambda: now - KEPT_SECONDS).put(b"over", "over.txt")
    live = ReturnsDir(tmp_path, clock=lambda: now - KEPT_SECONDS + 1).put(b"live", "live.txt")
    # Of a host whose clock is ahead: it is kept as long as that clock says.
    ahead = ReturnsDir(tmp_path, clock=lambda: now + 300).put(b"ahead", "ahead.txt")
    servers = [ReturnsDir(tmp_path, clock=lambda: now) for _ in range(3)]
    assert [server.sweep() for server in servers] == [1, 0, 0]
    for kept in (live, ahead):
        assert servers[0].find(kept.id, kept.filename).path.exists()
