"""The functions of the bench, served by func-to-web 0.9.9: it returns files from bytes only."""

import sys
import time
from pathlib import Path

from func_to_web import run  # type: ignore[import-not-found]  # it has a venv of its own
from func_to_web.types import File, FileResponse  # type: ignore[import-not-found]  # the same

from bench.probe import Gap, watch

PORT, FOLDER = int(sys.argv[1]), Path(sys.argv[2])
MIB = 1 << 20


def echo(text: str):  # type: ignore[no-untyped-def]  # what it returns is any
    return text


def greet(name: str = "you", times: int = 1):  # type: ignore[no-untyped-def]  # the same
    return f"seen: {name} " * times


def wait():  # type: ignore[no-untyped-def]  # the same
    time.sleep(1)  # what is measured: how many of these go on at once
    return "slept"


def return_data(megabytes: int):  # type: ignore[no-untyped-def]  # the same
    return FileResponse(data=b"x" * (megabytes * MIB), filename="big.bin")


def size(file: File):  # type: ignore[no-untyped-def]  # the same
    return Path(file).stat().st_size


if __name__ == "__main__":
    watch(Gap(FOLDER / "gap"))
    # By default it exits after 1000 requests.
    run(
        [echo, greet, wait, return_data, size],
        host="127.0.0.1",
        port=PORT,
        returns_dir=FOLDER / "returns",
        uploads_dir=FOLDER / "uploads",
        limit_max_requests=None,
    )
