"""The functions of the bench, served by nbfunc."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from bench.probe import Gap, watch
from nbfunc import FileResponse, run
from nbfunc.types import File

PORT, FOLDER = int(sys.argv[1]), Path(sys.argv[2])
MIB = 1 << 20


def echo(text: str) -> str:
    return text


def greet(name: str = "you", times: int = 1) -> str:
    return f"seen: {name} " * times


def wait() -> str:
    time.sleep(1)  # what is measured: how many of these go on at once
    return "slept"


def return_data(megabytes: int) -> FileResponse:
    return FileResponse(data=b"x" * (megabytes * MIB), filename="big.bin")


def return_path(path: str) -> FileResponse:
    return FileResponse(path=path, filename="big.bin")


def return_moved(path: str) -> FileResponse:
    return FileResponse(path=path, filename="big.bin", move=True)


def return_chunks(megabytes: int) -> FileResponse:
    return FileResponse(chunks=(b"x" * MIB for _ in range(megabytes)), filename="big.bin")


def size(file: File) -> int:
    return Path(file).stat().st_size


if __name__ == "__main__":
    watch(Gap(FOLDER / "gap"))
    run(
        [echo, greet, wait, return_data, return_path, return_moved, return_chunks, size],
        port=PORT,
        returns_dir=FOLDER / "returns",
        uploads_dir=FOLDER / "uploads",
    )
