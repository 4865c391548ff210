"""The clock is set while files are kept: an hour stays an hour, for every process of the machine."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from nbfunc.errors import Expired
from nbfunc.files import hours
from nbfunc.files.returns import KEPT_SECONDS, ReturnsDir, Stored
from tests.files.conftest import child

HOUR = KEPT_SECONDS
MINUTE = 60.0


@dataclass
class Machine:
    """A clock that can be set, and what has really passed."""

    set_by: float = 0.0
    passed: float = 0.0
    mark: str = "ab12"
    start: float = field(default_factory=time.time)

    def clock(self) -> float:
        return self.start + self.passed + self.set_by

    @property
    def boot(self) -> hours.Boot:
        return hours.Boot(self.mark, lambda: self.passed)

    def returns(self, folder: Path) -> ReturnsDir:
        return ReturnsDir(folder, clock=self.clock, boot=self.boot)


def is_there(returns: ReturnsDir, stored: Stored) -> bool:
    try:
        returns.find(stored.id, stored.filename)
    except Expired:
        return False
    return True


@pytest.mark.parametrize("step", [-HOUR, HOUR, -30 * HOUR, 30 * HOUR, -MINUTE, MINUTE])
@pytest.mark.parametrize("restarted", [False, True], ids=["", "restarted"])
def test_a_clock_that_is_set_neither_ends_nor_prolongs_the_hour(
    step: float, restarted: bool, tmp_path: Path
) -> None:
    machine = Machine()
    returns = machine.returns(tmp_path)
    stored = returns.put(b"data", "data.txt")
    machine.passed += 5 * MINUTE
    machine.set_by = step
    if restarted:
        returns = machine.returns(tmp_path)
    assert returns.sweep() == 0
    assert is_there(returns, stored)
    machine.passed += 54 * MINUTE
    assert returns.sweep() == 0
    assert is_there(returns, stored)
    machine.passed += MINUTE
    assert not is_there(returns, stored)
    assert returns.sweep() == 1


@pytest.mark.parametrize("step", [-HOUR, HOUR])
def test_what_came_after_the_clock_was_set_has_its_hour_too(step: float, tmp_path: Path) -> None:
    machine = Machine()
    earlier = machine.returns(tmp_path)
    machine.set_by = step
    for returns in (earlier, machine.returns(tmp_path)):
        stored = returns.put(b"data", "data.txt")
        machine.passed += 59 * MINUTE
        assert is_there(returns, stored)
        machine.passed += MINUTE
        assert not is_there(returns, stored)


def test_after_a_reboot_and_of_other_machines_the_time_of_day_counts(tmp_path: Path) -> None:
    machine = Machine()
    stored = machine.returns(tmp_path).put(b"data", "data.txt")
    other = Machine(mark="cd34", start=machine.start + 59 * MINUTE, passed=0)
    returns = other.returns(tmp_path)
    assert is_there(returns, stored)
    other.passed += MINUTE
    assert not is_there(returns, stored)
    assert returns.sweep() == 1


def test_a_boot_with_the_mark_of_another_is_seen_through(tmp_path: Path) -> None:
    machine = Machine(passed=1000 * HOUR)
    stored = machine.returns(tmp_path).put(b"data", "data.txt")
    rebooted = Machine(start=machine.clock() + MINUTE, passed=MINUTE)
    assert is_there(rebooted.returns(tmp_path), stored)


def test_a_table_that_was_promised_is_not_swept_by_a_clock_that_is_set_forward(tmp_path: Path) -> None:
    machine = Machine()
    returns = machine.returns(tmp_path)
    with returns.promise_table("table.csv") as promise:
        machine.set_by = 2 * HOUR
        assert returns.sweep() == 0
        promise.write([("n", "number")], [[1], [2]])
    machine.set_by = 6 * HOUR
    assert returns.sweep() == 0
    assert is_there(returns, promise.stored)
    machine.passed += HOUR
    assert not is_there(returns, promise.stored)
    assert returns.sweep() == 1


@pytest.mark.skipif(hours.THIS_BOOT is None, reason="this system does not tell its boots apart")
def test_two_processes_of_a_machine_count_alike(tmp_path: Path) -> None:
    code = """
        import sys
        from nbfunc.files.returns import ReturnsDir
        print(ReturnsDir(sys.argv[1]).put(b"data", "data.txt").id)
        """
    key = child(code, tmp_path).strip()
    counted = hours.now(time.time, hours.THIS_BOOT).counted(key)
    assert counted is not None
    assert 0 <= counted < 10 * MINUTE


def test_ids_cannot_be_guessed(tmp_path: Path) -> None:
    returns = Machine().returns(tmp_path)
    ends = {returns.put(b"", "x").id[24:] for _ in range(200)}
    assert len(ends) == 200
    assert all(len(end) == 20 for end in ends)


def test_without_a_boot_the_time_of_day_counts(tmp_path: Path) -> None:
    now = time.time()
    returns = ReturnsDir(tmp_path, clock=lambda: now)
    stored = returns.put(b"data", "data.txt")
    now += HOUR - 1
    assert is_there(returns, stored)
    now += 1
    assert not is_there(returns, stored)
    returns.sweep()
    assert not os.listdir(tmp_path)
