"""A file of any size goes out whole, and the server's memory stays what it was."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.transfers.server import Program

GIB = 1 << 30
MIB = 1 << 20
# The server's own buffers; a file of 2 GiB that went through memory would be far over it.
MOST_MEMORY = 48 * MIB
MARK = b"here is one GiB more"


def sparse(path: Path, size: int) -> dict[int, bytes]:
    """Make a file of holes, with a mark in each GiB; return the marks by their place."""
    marks = {n * GIB + n * 1_234_567: MARK for n in range(size // GIB)}
    with path.open("wb") as file:
        file.truncate(size)
        for at, mark in marks.items():
            file.seek(at)
            file.write(mark)
    return marks


def downloaded(server: Program, path: str) -> tuple[int, dict[int, bytes]]:
    """Return how many bytes came, and what was not zero among them."""
    connection = server.connect()
    connection.request("GET", path)
    answer = connection.getresponse()
    buffer, zeros = bytearray(MIB), bytes(MIB)
    size, found, carried = 0, {}, b""
    while got := answer.readinto(buffer):
        if carried or buffer[:got] != zeros[:got]:
            part = carried + buffer[:got]
            start = size - len(carried)
            at = part.find(MARK[:1])
            if at >= 0 and len(part) - at < len(MARK):
                carried = part  # the mark goes on in the next piece
            else:
                found[start + at] = part.strip(b"\0")
                carried = b""
        size += got
    connection.close()
    return size, found


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="memory is read from /proc")
@pytest.mark.parametrize(
    "gib", [2, pytest.param(20, marks=[pytest.mark.soak, pytest.mark.timeout(3600)])], ids="{} GiB".format
)
def test_a_file_that_is_handed_over_comes_whole_at_the_same_memory(
    gib: int, server: Program, tmp_path: Path
) -> None:
    big = server.folder / "big.bin"
    marks = sparse(big, gib * GIB)
    server.run("give", path=__file__)
    before = server.memory()
    output = server.run("hand_over", path=str(big))["outputs"][0]
    assert not big.exists()
    assert output["size"] == gib * GIB
    assert downloaded(server, output["url"]) == (gib * GIB, marks)
    assert server.peak() - before < MOST_MEMORY
