"""What is served in these tests, by a process of its own: ``python -m tests.transfers.program FOLDER``."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterator
from pathlib import Path

from nbfunc import FileResponse, progress, run
from nbfunc.files import drafts
from nbfunc.types import File

PIECE = 256 << 10


def give(path: str) -> FileResponse:
    """Return a file that the server has."""
    return FileResponse(path=path, filename="given.bin")


def hand_over(path: str) -> FileResponse:
    """Return a file that the server has, itself."""
    return FileResponse(path=path, filename="handed.bin", move=True)


def weigh(file: File) -> str:
    """Return what tells an upload from any other."""
    with Path(file).open("rb") as opened:
        return _digest(opened.read())


def write(pieces: int, seed: int) -> Iterator[FileResponse | None]:
    """Write a file piece by piece, and tell of each; its name tells what it has to hold."""
    parts = [piece(seed, n) for n in range(pieces)]

    def told() -> Iterator[bytes]:
        for n, part in enumerate(parts, 1):
            yield part
            progress(n, pieces)

    yield FileResponse(chunks=told(), filename=f"{_digest(b''.join(parts))}.bin")


def tabulate(rows: int) -> list[dict[str, int]]:
    """Return a table."""
    return [{"n": n, "square": n * n} for n in range(rows)]


def piece(seed: int, n: int) -> bytes:
    """Return bytes that are like no others."""
    return hashlib.sha256(f"{seed} {n}".encode()).digest() * (PIECE // 32)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def main() -> None:
    """Serve until the end."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--certificate", type=Path)
    parser.add_argument("--key", type=Path)
    parser.add_argument("--named", action="store_true", help="write as on NFS, which has no nameless files")
    asked = parser.parse_args()
    if asked.named:
        drafts._UNNAMED = 0
    run(
        [give, hand_over, weigh, write, tabulate],
        port=0,
        returns_dir=asked.folder / "returns",
        uploads_dir=asked.folder / "uploads",
        ssl_certfile=asked.certificate,
        ssl_keyfile=asked.key,
    )


if __name__ == "__main__":
    main()
