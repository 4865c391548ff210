"""Keep returned files for an hour. The name on disk is the record: ``<when whole>-<random>-<file name>``.

So a look-up computes one path from the id and the file name that the address holds, and costs the same
with one file or a million.

A table that takes long to write is promised: its id, which then ends in ``w``, is told before it is whole.
When that was is not in the name, so it is in the file's modification time.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any

from nbfunc.errors import DiskFull, Expired, NotFound, Unfinished
from nbfunc.files import hours, tables
from nbfunc.files.deleting import delete, delete_all
from nbfunc.files.drafts import Draft, try_writing
from nbfunc.files.room import Room
from nbfunc.files.storing import Place
from nbfunc.names import MOST_BYTES, clean_filename, shortened

KEPT_SECONDS = 3600.0

# A part that nobody has written to for so long will not be whole any more.
WRITING_SECONDS = 60.0

_ID = re.compile(r"([0-9a-f]{11})-[0-9a-f]{32}(w?)")
_OURS = re.compile(r"([0-9a-f]{11})-[0-9a-f]{32}(?:-.+|(w-.+|w?\.part))", re.DOTALL)


@dataclass(frozen=True)
class Stored:
    """A file that is kept.

    Attributes
    ----------
    id : str
        Unguessable; with the file name all that is needed to find it.
    filename : str
        The name to offer.
    size : int
        In bytes.
    created : float
        When it was whole, in seconds since the epoch.
    """

    id: str
    filename: str
    size: int
    created: float


@dataclass(frozen=True)
class Found:
    """A file that is there, and whose hour is not over.

    Attributes
    ----------
    path : Path
        Where it is.
    size : int
        In bytes.
    created : float
        When it was whole, in seconds since the epoch.
    """

    path: Path
    size: int
    created: float

    def open(self) -> FileIO:
        """Open it for reading: from here on it can be read to its end, whatever the sweep does.

        Raises
        ------
        Expired
            It went between the look-up and now.
        """
        try:
            return FileIO(self.path)
        except FileNotFoundError:
            raise _expired(self.path.name) from None


@dataclass(frozen=True)
class Promise:
    """A table that is told of before it is whole.

    Attributes
    ----------
    stored : Stored
        What to tell; its size is not known yet.
    write : callable
        Writes its columns and rows, as `ReturnsDir.put_table` does; from then on it is kept.
    """

    stored: Stored
    write: Callable[[Sequence[tuple[str, str]], Iterable[Sequence[tables.Cell]]], None]


class ReturnsDir:
    """The directory of returned files.

    Several processes may use one: nothing is remembered but on disk. All of it blocks, and is for threads,
    but `find`, which asks the system once.

    Parameters
    ----------
    path : str or os.PathLike
        The directory; made, for its owner alone, at once and whenever it is missing.
    max_size : int, optional
        Bytes of all its files together; over it a file is refused, and none deleted.
    min_free : int
        Bytes of its disk that stay free: what would take them is refused, before it is written where its
        size is known.
    clock : callable
        Tells the time, in seconds since the epoch.
    boot : Boot, optional
        Tells what has passed, however the clock is set; this machine's, if the clock is.
    promises : bool
        Whether those who are told of a table before it is whole can see it here when it is.

    Raises
    ------
    StorageError
        The directory cannot be made, or not written to.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        max_size: int | None = None,
        min_free: int = 0,
        clock: Callable[[], float] = time.time,
        boot: hours.Boot | None = None,
        promises: bool = True,
    ) -> None:
        self.promises = promises
        self.path = Path(os.path.abspath(path))
        self._place = Place(self.path, "returns_dir")
        self._room = Room(self._place, max_size=max_size, min_free=min_free)
        self._clock = clock
        self._boot = hours.boot_of(clock) if boot is None else boot
        self._place.make()
        self._most = _longest_name(self.path)
        try_writing(self._place)

    def put(
        self,
        source: bytes | bytearray | memoryview | os.PathLike[str] | Iterable[bytes],
        filename: str,
        *,
        move: bool = False,
    ) -> Stored:
        """Keep a file.

        Parameters
        ----------
        source : bytes, os.PathLike or iterable of bytes
            Content; the path of a regular file to take in; or pieces, written as they are made.
        filename : str
            The name to offer, of any length and script; what does not belong in one becomes ``_``.
        move : bool
            Hand the file at the path over: renamed if it is on this file system, else copied and deleted.
            It stays as it was if that fails.

        Raises
        ------
        DiskFull
            No room. Nothing is left of it.
        StorageError
            The directory does not take it.
        TypeError
            A piece is not bytes.
        ValueError
            `filename` leaves nothing, or the path is no regular file.
        """
        name = clean_filename(filename)
        if isinstance(source, os.PathLike):
            path = Path(os.path.realpath(source))
            return (self._renamed(path, name) if move else None) or self._copied(path, name, move=move)
        whole = isinstance(source, (bytes, bytearray, memoryview))
        with self._draft() as draft:
            for piece in (source,) if whole else source:
                draft.write(piece)
            return self._published(draft, name)

    def put_table(
        self,
        columns: Sequence[tuple[str, str]],
        rows: Iterable[Sequence[tables.Cell]],
        filename: str,
    ) -> Stored:
        """Keep a table, for `tables.query` and `tables.csv_pieces` to read.

        Parameters
        ----------
        columns : sequence of (str, str)
            Their names and types.
        rows : iterable of sequences of cells
            Read once, and written as they come.
        filename : str
            As for `put`.
        """
        name = clean_filename(filename)
        with self._draft(named=True) as draft:
            draft.close()
            tables.write_table(draft.path, columns, rows, self._place, draft.check)
            return self._published(draft, name)

    @contextmanager
    def promise_table(self, filename: str) -> Iterator[Promise]:
        """Name a table that is to be written next; if it is not written in the end, nothing stays of it.

        Parameters
        ----------
        filename : str
            As for `put`.
        """
        name = clean_filename(filename)
        key, created = self._new_id()
        key += "w"
        with Draft(self._place, f"{key}.part", named=True, room=self._room) as draft:
            draft.close()

            def whole() -> str:
                now = self._clock()
                os.utime(draft.path, (now, now))
                return self._disk_name(key, name)

            def write(columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[tables.Cell]]) -> None:
                tables.write_table(draft.path, columns, rows, self._place, draft.check)
                self._room.take(draft.publish(whole))

            yield Promise(Stored(key, name, 0, created), write)

    def find(self, id: str, filename: str) -> Found:  # noqa: A002 - the name it has everywhere
        """Return the file that an address names. The directory is not listed.

        Raises
        ------
        Unfinished
            It was promised, and is being written.
        NotFound
            The id is not of a form that we make.
        Expired
            Its hour is over, or it is gone, or this is not its name.
        """
        made = _ID.fullmatch(id)
        if made is None:
            raise NotFound(f"There is no file {id!r} here.")
        created = int(made[1], 16) / 1000
        promised = bool(made[2])
        now = self._now()
        if (not promised and now.age(id) >= KEPT_SECONDS) or not _is_clean(filename):
            raise _expired(filename)
        path = self.path / self._disk_name(id, filename)
        try:
            # First: what is whole in the next moment is not missed between the two.
            being_written = promised and self._is_being_written(id)
            info = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            if being_written:
                raise Unfinished(f"{filename!r} is still being written.") from None
            raise _expired(filename) from None
        except OSError as error:
            raise self._place.error(error) from error
        if promised:
            created = info.st_mtime
        if not stat.S_ISREG(info.st_mode) or (promised and _has_stood(id, info, now)):
            raise _expired(filename)
        return Found(path, info.st_size, created)

    def _now(self) -> hours.Moment:
        return hours.now(self._clock, self._boot)

    def _is_being_written(self, key: str) -> bool:
        try:
            written = os.lstat(self.path / f"{key}.part").st_mtime
        except OSError:
            return False
        return self._clock() - written < WRITING_SECONDS

    def give_up(self, id: str) -> None:  # noqa: A002 - the name it has everywhere
        """Take back a promised table that nobody writes any more; one that is whole stays.

        Raises
        ------
        NotFound
            The id is not of a form that we make.
        """
        made = _ID.fullmatch(id)
        if made is None or not made[2]:
            raise NotFound(f"There is no table {id!r} being written here.")
        delete(self.path / f"{id}.part")

    def adopt(self, id: str, filename: str) -> Found:  # noqa: A002 - the name it has everywhere
        """Return a file that another process has put here, if this directory still has room for it.

        Raises
        ------
        DiskFull
            It has not; the file is deleted.
        NotFound, Expired
            As `find` does.
        """
        found = self.find(id, filename)
        try:
            self._room.adopt(found.size)
        except DiskFull:
            delete(found.path)
            raise
        return found

    @property
    def bounds(self) -> dict[str, Any]:
        """What another process that puts files here must keep to: the parameters of its `ReturnsDir`."""
        return {"max_size": self._room.max_size, "min_free": self._room.min_free}

    def remove(self, id: str, filename: str) -> None:  # noqa: A002 - the name it has everywhere
        """Delete a file before its hour is over; one that is not there is no error.

        Raises
        ------
        NotFound
            The id is not of a form that we make.
        """
        with suppress(Expired):
            delete(self.find(id, filename).path)
            self._room.recount()

    def sweep(self, *, late: float = 0.0) -> int:
        """Delete the files whose hour is over and the parts that nobody writes any more; return how many.

        Only what has a name of ours goes. For a thread: it takes as long as there are files.

        Parameters
        ----------
        late : float
            Seconds beyond the hour that they are left: in a directory of other servers, whose clocks differ.
        """
        now = self._now()
        try:
            entries = os.scandir(self.path)
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise self._place.error(error) from error
        with entries:
            deleted = delete_all(entry.path for entry in entries if _is_over(entry, now, late))
        self._room.recount()
        return deleted

    def _renamed(self, path: Path, name: str) -> Stored | None:
        """Take the file itself; None where only a copy can be kept."""
        info = os.stat(path)
        # A second hard link would go on to change what was returned.
        if not stat.S_ISREG(info.st_mode) or info.st_nlink != 1:
            return None
        self._room.check(info.st_size, 0)
        self._place.make()
        key, created = self._new_id()
        try:
            os.chmod(path, 0o600)
            os.rename(path, self.path / self._disk_name(key, name))
        except OSError:  # another file system, another owner: the copy tells what is really wrong
            _restore_mode(path, info)
            return None
        self._room.take(info.st_size)
        return Stored(key, name, info.st_size, created)

    def _copied(self, path: Path, name: str, *, move: bool) -> Stored:
        # Not to wait for a writer, should a pipe have taken the file's place.
        source = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        try:
            if not stat.S_ISREG(os.fstat(source).st_mode):
                raise ValueError(f"{path} is not a regular file: zip a folder first.")
            with self._draft() as draft:
                draft.take_in(source)
                stored = self._published(draft, name)
        finally:
            os.close(source)
        if move:
            try:
                os.unlink(path)
            except BaseException:
                delete(self.path / self._disk_name(stored.id, name))
                raise
        return stored

    def _draft(self, *, named: bool = False) -> Draft:
        return Draft(self._place, self._new_id()[0] + ".part", named=named, room=self._room)

    def _published(self, draft: Draft, name: str) -> Stored:
        made: list[tuple[str, float]] = []

        def disk_name() -> str:
            made.append(self._new_id())
            return self._disk_name(made[-1][0], name)

        size = draft.publish(disk_name)
        self._room.take(size)
        key, created = made[-1]
        return Stored(key, name, size, created)

    def _new_id(self) -> tuple[str, float]:
        key = self._now().new_id()
        return key, int(key[:11], 16) / 1000

    def _disk_name(self, key: str, filename: str) -> str:
        name = f"{key}-{shortened(filename, self._most - len(key) - 1)}"
        # The same bytes under every locale; in a UTF-8 one this is the name itself.
        return os.fsdecode(name.encode())


def _expired(filename: str) -> Expired:
    return Expired(f"File expired: {filename!r} was kept for one hour. Run the function again to have it.")


def _is_clean(filename: str) -> bool:
    try:
        return clean_filename(filename) == filename
    except ValueError:
        return False


def _is_over(entry: os.DirEntry[str], now: hours.Moment, late: float) -> bool:
    made = _OURS.fullmatch(entry.name)
    if made is None:
        return False
    if not made[2]:
        return now.age(entry.name) >= KEPT_SECONDS + late
    try:
        return _has_stood(entry.name, entry.stat(follow_symlinks=False), now, late)
    except OSError:
        return False


def _has_stood(key: str, info: os.stat_result, now: hours.Moment, late: float = 0.0) -> bool:
    """Whether an hour has passed since what its id does not tell was last written."""
    if now.time - info.st_mtime < KEPT_SECONDS + late:
        return False
    # The clock may have been set: it cannot be longer than its id is old.
    counted = now.counted(key)
    return counted is None or counted >= KEPT_SECONDS


def _restore_mode(path: Path, info: os.stat_result) -> None:
    with suppress(OSError):
        os.chmod(path, stat.S_IMODE(info.st_mode))


def _longest_name(directory: Path) -> int:
    """Return how many bytes a name may have there; encrypted file systems take fewer than 255."""
    try:
        return min(MOST_BYTES, os.pathconf(directory, "PC_NAME_MAX"))
    except (AttributeError, OSError, ValueError):
        return MOST_BYTES
