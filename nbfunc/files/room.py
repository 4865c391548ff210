"""How much a directory may take: a bound on all that is in it, and what has to stay free on its disk."""

from __future__ import annotations

import os
import re
import shutil
import threading
from contextlib import suppress

from nbfunc.files.storing import Place

# What is still being written; a file that was returned under such a name has another dash.
_PART = re.compile(r"[0-9a-f]{11}-[0-9a-f]{32}w?\.part")


class Room:
    """What is left of a directory for files.

    Parameters
    ----------
    place : Place
        The directory.
    max_size : int, optional
        Bytes of all its files together. Those of other processes count from the next `recount` on.
    min_free : int
        Bytes of its disk that stay free.
    """

    def __init__(self, place: Place, *, max_size: int | None = None, min_free: int = 0) -> None:
        self._place = place
        self.max_size = max_size
        self.min_free = min_free
        self._used: int | None = None
        self._lock = threading.Lock()

    def check(self, whole: int, more: int) -> None:
        """Raise what keeps a file out.

        Parameters
        ----------
        whole : int
            Bytes of the file, as far as they are known.
        more : int
            Those of them that are still to be written.

        Raises
        ------
        DiskFull
            The message names the setting.
        """
        if self.max_size is not None and self._taken() + whole > self.max_size:
            raise self._place.full(
                f"all returned files together may take {self.max_size:,} bytes (max_returns_size), "
                f"and this one has {whole:,} or more"
            )
        if more:
            self.check_disk(more)

    def check_disk(self, more: int = 0) -> None:
        """Raise `DiskFull` if its disk has not as much free as has to stay, with these bytes written too."""
        if not self.min_free:
            return
        free = shutil.disk_usage(self._place.path).free
        if free - more < self.min_free:
            coming = f", and {more:,} more are to be written" if more else ""
            raise self._place.full(
                f"{self.min_free:,} bytes of its disk have to stay free (min_free_space), "
                f"there are {free:,}{coming}"
            )

    def take(self, size: int) -> None:
        """Count a file that is kept from now on."""
        with self._lock:
            if self._used is not None:
                self._used += size

    def adopt(self, size: int) -> None:
        """Count a file that another process has put in, as `take` does.

        Raises
        ------
        DiskFull
            It is one too many; it is not counted.
        """
        if self.max_size is None:
            return
        with self._lock:
            # Counted just now it is among them already.
            self._used = _size_of(self._place) if self._used is None else self._used + size
            if self._used <= self.max_size:
                return
            self._used -= size
        raise self._place.full(
            f"all returned files together may take {self.max_size:,} bytes (max_returns_size), "
            f"and this one has {size:,}"
        )

    def recount(self) -> None:
        """Count anew at the next need: files went."""
        with self._lock:
            self._used = None

    def _taken(self) -> int:
        with self._lock:
            if self._used is None:
                self._used = _size_of(self._place)
            return self._used


def _size_of(place: Place) -> int:
    """Return the bytes of the files that are whole: who writes another one counts it when it is."""
    size = 0
    with suppress(FileNotFoundError), os.scandir(place.path) as entries:
        for entry in entries:
            if _PART.fullmatch(entry.name):
                continue
            with suppress(FileNotFoundError):  # swept meanwhile
                size += entry.stat(follow_symlinks=False).st_size
    return size
