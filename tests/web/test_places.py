"""The directories of several Jupyter servers of one account, beside each other."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest

from nbfunc.web.places import GONE_SECONDS, Place, name_of_server
from tests.looking import files_below

HOUR = 3600.0


class Clock:
    def __init__(self) -> None:
        self.now = time.time()  # the file system's own clock tells when a directory was made

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def place(parent: Path, port: int, clock: Clock) -> Place:
    return Place(parent, parent, name_of_server(port, "/", "host"), clock=clock)


def files(parent: Path) -> list[str]:
    return sorted(path.name.rpartition("-")[2] for path in files_below(parent))


def test_a_server_keeps_its_directory_over_a_restart_and_no_other_has_it() -> None:
    assert name_of_server(8888, "/", "host") == name_of_server(8888, "/", "host")
    names = {name_of_server(*each) for each in [(8888, "/"), (8889, "/"), (8888, "/user/ada/")]}
    assert len(names | {name_of_server(8888, "/", "other")}) == 4


def test_directories_are_for_their_owner_alone(tmp_path: Path, clock: Clock) -> None:
    mine = place(tmp_path / "nbfunc", 1, clock)
    kept = mine.returns.put(b"x", "x.txt")
    assert stat.S_IMODE(mine.returns.path.stat().st_mode) == 0o700
    assert stat.S_IMODE(mine.uploads.path.stat().st_mode) == 0o700
    assert stat.S_IMODE(mine.returns.find(kept.id, "x.txt").path.stat().st_mode) == 0o600


def test_what_another_server_left_is_swept_ten_minutes_later(tmp_path: Path, clock: Clock) -> None:
    mine, other = place(tmp_path, 1, clock), place(tmp_path, 2, clock)
    mine.returns.put(b"x", "mine.txt")
    other.returns.put(b"x", "other.txt")
    clock.now += HOUR + 1
    mine.sweep()
    assert files(tmp_path) == ["other.txt"]
    clock.now += 600
    mine.sweep()
    assert files(tmp_path) == []


@pytest.mark.parametrize("apart", [-600, 600])
def test_a_server_whose_clock_is_ten_minutes_off_takes_no_file_before_its_hour(
    tmp_path: Path, clock: Clock, apart: float
) -> None:
    other_clock = Clock()
    mine, other = place(tmp_path, 1, clock), place(tmp_path, 2, other_clock)
    other_clock.now = clock.now + apart
    other.returns.put(b"x", "other.txt")
    clock.now += HOUR - 1
    mine.sweep()
    assert files(tmp_path) == ["other.txt"]
    clock.now += 1201 + 1
    mine.sweep()
    assert files(tmp_path) == []


def test_a_directory_goes_when_its_server_has_been_away_for_three_hours(tmp_path: Path, clock: Clock) -> None:
    mine, other = place(tmp_path, 1, clock), place(tmp_path, 2, clock)
    other.sweep()
    other.uploads.create("half.txt", 10)
    clock.now += GONE_SECONDS - 60
    mine.sweep()
    assert other.uploads.path.exists()
    clock.now += 120
    mine.sweep()
    assert not other.returns.path.exists()
    assert mine.returns.path.exists()


def test_a_server_that_lives_keeps_its_directory(tmp_path: Path, clock: Clock) -> None:
    mine, other = place(tmp_path, 1, clock), place(tmp_path, 2, clock)
    for _ in range(5):
        clock.now += HOUR
        other.sweep()
        mine.sweep()
    assert other.returns.path.exists()


def test_what_is_not_ours_stays(tmp_path: Path, clock: Clock) -> None:
    mine = place(tmp_path, 1, clock)
    for path in (tmp_path / "notes", tmp_path / "0123456789abcdef" / "kept by hand.txt"):
        path.parent.mkdir(exist_ok=True)
        path.write_text("keep")
        os.utime(path.parent, (0, 0))
    clock.now += 2 * GONE_SECONDS
    mine.sweep()
    assert files(tmp_path) == ["kept by hand.txt", "notes"]
