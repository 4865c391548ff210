"""A kernel's own directory goes with it, however it dies."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nbfunc.notebook.folder import KernelFolder
from nbfunc.notebook.passed import PUSHED_SECONDS, PassedUploads, PushedUploads

pytest.importorskip("fcntl", reason="elsewhere nothing tells whether a kernel lives")

MADE = """
import sys
from pathlib import Path
from nbfunc.notebook.folder import KernelFolder
folder = KernelFolder(Path(sys.argv[1]))
(folder.path / "uploads").mkdir()
(folder.path / "uploads" / "large.bin").write_bytes(b"abc")
print(folder.path, flush=True)
sys.stdin.read()
"""


def kernel(parent: Path) -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen(
        [sys.executable, "-c", MADE, str(parent)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_a_new_kernel_removes_what_a_killed_one_left_and_nothing_else(tmp_path: Path) -> None:
    killed, left = kernel(tmp_path)
    living, kept = kernel(tmp_path)
    others = tmp_path / "nbfunc-of-another-program"
    others.mkdir()
    with killed, living:
        killed.kill()
        killed.wait()
        assert left.exists()
        made = KernelFolder(tmp_path).path
        assert sorted(tmp_path.iterdir()) == sorted([kept, others, made])
        assert (kept / "uploads" / "large.bin").exists()
        assert living.stdin is not None
        living.stdin.close()
        living.wait()
    # One that ends by itself takes it along.
    assert not kept.exists()


def test_an_upload_that_no_run_took_is_swept_in_the_end_and_one_in_use_is_not(tmp_path: Path) -> None:
    pushed = PushedUploads(lambda: tmp_path)
    for token in ("used", "forsaken"):
        pushed.write(token, "a.bin", 0, memoryview(b"abc"))
    passed = PassedUploads({"paths": {"used": None}, "filenames": {"used": "a.bin"}, "problems": {}}, pushed)
    passed.take(["used"], "run")
    now = pushed.path("forsaken", "a.bin").stat().st_mtime
    pushed.sweep(now + PUSHED_SECONDS - 60)
    assert len(list(tmp_path.iterdir())) == 2
    pushed.sweep(now + PUSHED_SECONDS + 60)
    assert [path.name for path in tmp_path.iterdir()] == ["used"]
