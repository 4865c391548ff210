"""How long a file has been kept, though the machine's clock is set meanwhile.

An id begins with the time of day when its file was whole. What follows says during which boot of which
machine that was, and how long after its start. While that boot lasts the age is what has passed since then,
for every process; after it, and on other machines, it is told by the time of day.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# An id: 11 digits of milliseconds, a dash, 4 of the boot, 8 of its sixteenths of a second, 20 at random.
_BOOT = slice(12, 16)
_PASSED = slice(16, 24)
_TICKS = 16


@dataclass(frozen=True)
class Boot:
    """A machine from its start to its end.

    Attributes
    ----------
    mark : str
        Four hexadecimal digits that tell it from others.
    passed : callable
        Tells the seconds since its start, those asleep too.
    """

    mark: str
    passed: Callable[[], float]


@dataclass(frozen=True)
class Moment:
    """A time, by the clock and by what has passed since the boot.

    Attributes
    ----------
    time : float
        In seconds since the epoch.
    mark : str
        Of the boot; empty where none is known.
    passed : float
        In seconds since the boot.
    """

    time: float
    mark: str
    passed: float

    def new_id(self) -> str:
        """Return an id that cannot be guessed: 80 of its bits are random."""
        milliseconds = int(self.time * 1000)
        if not self.mark:
            return f"{milliseconds:011x}-{os.urandom(16).hex()}"
        ticks = int(self.passed * _TICKS) & 0xFFFFFFFF
        return f"{milliseconds:011x}-{self.mark}{ticks:08x}{os.urandom(10).hex()}"

    def age(self, key: str) -> float:
        """Return the seconds from an id to this moment."""
        counted = self.counted(key)
        return self.time - int(key[:11], 16) / 1000 if counted is None else counted

    def counted(self, key: str) -> float | None:
        """Return the seconds that have passed since an id of this boot; None of others."""
        if not self.mark or key[_BOOT] != self.mark:
            return None
        passed = self.passed - int(key[_PASSED], 16) / _TICKS
        # Two boots may have one mark. A sixteenth is lost when an id is made.
        return passed if passed >= 0 else None


def now(clock: Callable[[], float], boot: Boot | None) -> Moment:
    """Return this moment."""
    return Moment(clock(), boot.mark, boot.passed()) if boot else Moment(clock(), "", 0.0)


def boot_of(clock: Callable[[], float]) -> Boot | None:
    """Return the boot that goes with a clock: this machine's with the system's, none with another."""
    return THIS_BOOT if clock is time.time else None


def _this_boot() -> Boot | None:
    """Return this machine's, where the system tells which one it is: Linux does."""
    try:
        name = Path("/proc/sys/kernel/random/boot_id").read_bytes().strip()
        number = time.CLOCK_BOOTTIME
        time.clock_gettime(number)
    except (OSError, AttributeError):
        return None
    # Never 0000, which an id of another making may well have.
    mark = int(hashlib.sha256(name).hexdigest()[:4], 16) or 1
    return Boot(f"{mark:04x}", lambda: time.clock_gettime(number))


THIS_BOOT = _this_boot()
