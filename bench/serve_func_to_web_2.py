"""The functions of the bench, served by func-to-web 2.7.6: it returns files from bytes and paths."""

import sys
import time
from pathlib import Path
from typing import Annotated

from func_to_web import Download, FileHint, run  # type: ignore[import-not-found]  # it has a venv of its own

from bench.probe import Gap, watch

PORT, FOLDER = int(sys.argv[1]), Path(sys.argv[2])
MIB = 1 << 20


def echo(text: str) -> str:
    return text


def greet(name: str = "you", times: int = 1) -> str:
    return f"seen: {name} " * times


def wait() -> str:
    time.sleep(1)  # what is measured: how many of these go on at once
    return "slept"


def return_data(megabytes: int) -> Annotated[bytes, Download("big.bin")]:
    return b"x" * (megabytes * MIB)


def return_path(path: str) -> Annotated[Path, Download("big.bin")]:
    return Path(path)


def size(file: Annotated[str, FileHint()]) -> int:
    return Path(file).stat().st_size


if __name__ == "__main__":
    watch(Gap(FOLDER / "gap"))
    run(
        [echo, greet, wait, return_data, return_path, size],
        port=PORT,
        returns_dir=FOLDER / "returns",
        uploads_dir=FOLDER / "uploads",
    )
