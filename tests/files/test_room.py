"""A directory takes no more than it may, says so in time, and deletes nothing for it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nbfunc.errors import DiskFull
from nbfunc.files.returns import ReturnsDir
from tests.files.conftest import Clock

MIB = 1 << 20


def as_bytes(_: Path) -> Any:
    return b"x" * MIB


def as_chunks(_: Path) -> Iterator[bytes]:
    return (b"x" * 1024 for _ in range(1024))


def as_path(folder: Path) -> Path:
    path = folder / "source"
    path.write_bytes(b"x" * MIB)
    return path


SOURCES = pytest.mark.parametrize("source", [as_bytes, as_chunks, as_path])


@SOURCES
def test_over_the_bound_a_file_is_refused_and_the_others_stay(
    tmp_path: Path, source: Callable[[Path], Any]
) -> None:
    returns = ReturnsDir(tmp_path / "returned", max_size=2 * MIB + 100)
    kept = [returns.put(source(tmp_path), "a.bin") for _ in range(2)]
    with pytest.raises(DiskFull, match="max_returns_size"):
        returns.put(source(tmp_path), "a.bin")
    assert len(os.listdir(returns.path)) == 2
    assert all(returns.find(stored.id, stored.filename).size == MIB for stored in kept)
    returns.put(b"x" * 100, "small.bin")


def test_a_moved_file_and_a_table_count_too(tmp_path: Path) -> None:
    returns = ReturnsDir(tmp_path / "returned", max_size=MIB - 1)
    path = as_path(tmp_path)
    with pytest.raises(DiskFull, match="max_returns_size"):
        returns.put(path, "a.bin", move=True)
    assert path.exists()
    with pytest.raises(DiskFull, match="max_returns_size"):
        returns.put_table([("a", "text")], ([str(n) * 100] for n in range(10_000)), "table.sqlite")
    assert os.listdir(returns.path) == []


def test_what_a_sweep_deletes_makes_room(tmp_path: Path, clock: Clock) -> None:
    returns = ReturnsDir(tmp_path / "returned", max_size=MIB, clock=clock)
    returns.put(b"x" * MIB, "a.bin")
    clock.now += 3600
    returns.sweep()
    returns.put(b"x" * MIB, "a.bin")


def test_what_was_there_before_counts(tmp_path: Path) -> None:
    ReturnsDir(tmp_path / "returned").put(b"x" * MIB, "a.bin")
    with pytest.raises(DiskFull, match="max_returns_size"):
        ReturnsDir(tmp_path / "returned", max_size=MIB).put(b"x", "b.bin")


@SOURCES
def test_what_would_fill_the_disk_is_refused(tmp_path: Path, source: Callable[[Path], Any]) -> None:
    free = shutil.disk_usage(tmp_path).free
    returns = ReturnsDir(tmp_path / "returned", min_free=free * 2)
    with pytest.raises(DiskFull, match="min_free_space"):
        returns.put(source(tmp_path), "a.bin")
    assert os.listdir(returns.path) == []


def put_table(returns: ReturnsDir, rows: Iterable[list[str]]) -> None:
    returns.put_table([("a", "text")], rows, "table.sqlite")


def put_promised_table(returns: ReturnsDir, rows: Iterable[list[str]]) -> None:
    with returns.promise_table("table.sqlite") as promise:
        promise.write([("a", "text")], rows)


TABLES = pytest.mark.parametrize("put", [put_table, put_promised_table])
PutTable = Callable[[ReturnsDir, Iterable[list[str]]], None]


def table_rows() -> Iterator[list[str]]:
    return ([str(n) * 100] for n in range(10_000))


@TABLES
def test_a_table_that_would_fill_the_disk_is_refused_on_its_way(tmp_path: Path, put: PutTable) -> None:
    returns = ReturnsDir(tmp_path / "returned", min_free=shutil.disk_usage(tmp_path).free * 2)
    rows = table_rows()
    with pytest.raises(DiskFull, match="min_free_space"):
        put(returns, rows)
    assert len(list(rows)) > 5000
    assert os.listdir(returns.path) == []


@TABLES
def test_a_table_is_counted_once(tmp_path: Path, put: PutTable) -> None:
    size = ReturnsDir(tmp_path).put_table([("a", "text")], table_rows(), "table.sqlite").size
    returns = ReturnsDir(tmp_path / "returned", max_size=2 * size)
    put(returns, table_rows())
    put(returns, table_rows())
    with pytest.raises(DiskFull, match="max_returns_size"):
        put(returns, table_rows())


def test_a_file_that_is_named_as_a_part_counts(tmp_path: Path) -> None:
    ReturnsDir(tmp_path / "returned").put(b"x" * MIB, "video.part")
    with pytest.raises(DiskFull, match="max_returns_size"):
        ReturnsDir(tmp_path / "returned", max_size=MIB).put(b"x", "b.bin")


def test_a_file_of_another_process_is_taken_only_if_there_is_room(tmp_path: Path) -> None:
    mine = ReturnsDir(tmp_path / "returned", max_size=MIB)
    other = ReturnsDir(tmp_path / "returned")
    small = other.put(b"x" * 1000, "small.bin")
    assert mine.adopt(small.id, small.filename).size == 1000
    large = other.put(b"x" * MIB, "large.bin")
    with pytest.raises(DiskFull, match="max_returns_size"):
        mine.adopt(large.id, large.filename)
    assert [path.name for path in mine.path.iterdir()] == [f"{small.id}-small.bin"]
    mine.put(b"x" * 1000, "there is room again.bin")


def test_another_process_can_keep_to_the_same_bounds(tmp_path: Path) -> None:
    mine = ReturnsDir(tmp_path / "returned", max_size=MIB, min_free=5)
    other = ReturnsDir(tmp_path / "returned", **mine.bounds)
    with pytest.raises(DiskFull, match="max_returns_size"):
        other.put(b"x" * (MIB + 1), "large.bin")
