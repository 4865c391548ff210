"""Keep what clients send until a run took it. The name on disk is the record, as with what is returned.

An upload is a directory of its own, ``<token>.part`` while bytes are missing and ``<token>`` when it is
whole, with one file in it that has the client's name. Its hour counts from the last byte: the file's mtime.
What a run took is marked beside it, by an empty file ``<token>.held``, or ``.kept`` where uploads are kept
for good; so servers that share a directory respect each other's.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import stat
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from nbfunc.errors import ChecksumMismatch, Conflict, Expired, NotFound, TooLarge
from nbfunc.files.checksums import Checksum
from nbfunc.files.drafts import try_writing
from nbfunc.files.storing import Place
from nbfunc.names import MOST_BYTES, clean_filename, shortened

KEPT_SECONDS = 3600.0
# A server freshens the marks of its runs at each sweep; one that missed three is no more.
HELD_SECONDS = 3 * 3600.0

_TOKEN = re.compile(r"[0-9a-f]{11}-[0-9a-f]{32}-(?:x|([0-9a-f]{1,15}))")
_OURS = re.compile(rf"({_TOKEN.pattern})(\.part|\.gone|\.held|\.kept)?")


@dataclass(frozen=True)
class _Upload:
    """One upload as it lies on disk."""

    path: Path
    size: int
    last_byte: float
    whole: bool


class UploadsDir:
    """The directory of uploads; satisfies `nbfunc.hosts.base.Uploads`.

    All of it may be called from any thread; writing and sweeping block, and are for threads.

    Parameters
    ----------
    path : str or os.PathLike
        The directory; made, for its owner alone, at once and whenever it is missing.
    max_size : int, optional
        The most bytes of one upload; no limit by default.
    auto_delete : bool
        Whether an upload is deleted when the run that took it ends; else it is kept for good.
    clock : callable
        Tells the time, in seconds since the epoch.

    Raises
    ------
    StorageError
        The directory cannot be made.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        max_size: int | None = None,
        auto_delete: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.path = Path(os.path.abspath(path))
        self.max_size = max_size
        self._auto_delete = auto_delete
        self._clock = clock
        self._place = Place(self.path, "uploads_dir")
        self._lock = threading.Lock()
        self._writing: dict[str, UploadWriter] = {}
        self._held: dict[str, list[str]] = {}
        self._place.make()
        try_writing(self._place)

    def create(self, filename: str, length: int | None) -> str:
        """Begin an upload and return its token, which is unguessable.

        Parameters
        ----------
        filename : str
            As the client has it; what is left of it when cleaned, else ``upload``.
        length : int, optional
            In bytes; None where only the end tells.

        Raises
        ------
        TooLarge
            It is longer than an upload may be.
        StorageError
            The directory does not take it.
        """
        self._check(length or 0)
        size = "x" if length is None else f"{length:x}"
        token = f"{int(self._clock() * 1000):011x}-{os.urandom(16).hex()}-{size}"
        directory = self._at(token, ".part")
        try:
            name = clean_filename(filename)
        except ValueError:
            name = "upload"
        # The same bytes under every locale; in a UTF-8 one this is the name itself.
        name = os.fsdecode(shortened(name, MOST_BYTES).encode())
        with self._place.storing():
            try:
                directory.mkdir(0o700)
            except FileNotFoundError:
                self._place.make()
                directory.mkdir(0o700)
            try:
                os.close(os.open(directory / name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            except BaseException:
                directory.rmdir()
                raise
        if length == 0:
            self._now_whole(token)
        return token

    def status(self, token: str) -> tuple[int, int | None, float]:
        """Return how many bytes are here, how many it will be, and when it expires without another.

        Raises
        ------
        NotFound
            The token is not of a form that we make.
        Expired
            Its hour is over, or it is gone.
        """
        length = _length(token)
        upload = self._current(token)
        judged = self._judged(token)
        size = upload.size if judged is None else judged
        return size, size if upload.whole else length, upload.last_byte + KEPT_SECONDS

    def writer(self, token: str, offset: int, checksum: Checksum | None = None) -> UploadWriter:
        """Open an upload to add bytes at `offset`; close it, or use it in ``with``.

        The newest goes on: a connection that dropped can look alive for hours, and its client comes back.

        Parameters
        ----------
        token : str
            As `create` returned it.
        offset : int
            In bytes.
        checksum : Checksum, optional
            Of what this writer adds: if it does not hold in the end, none of that stays.

        Raises
        ------
        NotFound, Expired
            As for `status`.
        Conflict
            `offset` is not where it ends, or another came at the same time.
        """
        length = _length(token)
        with self._lock:
            if offset != self._judged(token):
                self._current_at(token, offset)
            before = self._writing.get(token)
        if before is not None:
            before.give_way()
        with self._lock:
            # It stays there until it has given way, so that no third one meets an upload that nobody writes.
            if self._writing.get(token) not in {None, before}:
                raise Conflict("This upload is being written by another request.")
            upload = self._current_at(token, offset)
            if upload.whole:
                length = upload.size
            with self._place.storing():
                fd = os.open(upload.path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0))
            writer = self._writing[token] = UploadWriter(self, token, fd, offset, length, checksum=checksum)
        return writer

    def finish(self, token: str) -> None:
        """Say that an upload of unknown length is whole.

        Raises
        ------
        NotFound, Expired
            As for `status`.
        Conflict
            It is being written, or its length is known and not reached.
        """
        length = _length(token)
        upload = self._current(token)
        if upload.whole:
            return
        if token in self._writing:
            raise Conflict("This upload is being written by another request.")
        if length is not None and upload.size != length:
            raise Conflict(f"This upload has {upload.size} of {length} bytes: send the rest first.")
        self._now_whole(token)

    def remove(self, token: str) -> None:
        """Delete an upload that the client gave up.

        Raises
        ------
        NotFound, Expired
            As for `status`.
        Conflict
            A run took it.
        """
        _length(token)
        self._current(token)
        if self._taken(token):
            raise Conflict("A run uses this upload: it goes when the run ends.")
        self._delete(token)

    def find(self, token: str) -> Path:
        """Return the file of a whole upload that no run took.

        Raises
        ------
        NotFound
            With what is wrong, for the form's field.
        """
        try:
            upload = self._current(token)
        except Expired as error:
            raise NotFound(str(error)) from None
        if not upload.whole:
            length = _length(token)
            of = "" if length is None else f" of {length}"
            raise NotFound(f"This file is not whole: {upload.size}{of} bytes came. Send the rest, or again.")
        if self._taken(token):
            raise NotFound("This file was used by another run. Send it again.")
        return upload.path

    def take(self, tokens: list[str], run: str) -> None:
        """Keep these uploads for `run`, all or none.

        Raises
        ------
        NotFound
            One is gone, not whole, or taken; then all stay as they were.
        """
        marks: list[Path] = []
        with self._lock:
            try:
                for token in dict.fromkeys(tokens):
                    self.find(token)
                    mark = self._at(token, ".held" if self._auto_delete else ".kept")
                    with self._place.storing():
                        _touch(mark, self._clock())
                    marks.append(mark)
            except BaseException:
                for mark in marks:
                    with suppress(OSError):
                        mark.unlink(missing_ok=True)
                raise
            self._held.setdefault(run, []).extend(dict.fromkeys(tokens))

    def give_back(self, run: str) -> None:
        """Let go of what `run` took as if it never had: the run did not start."""
        suffix = ".held" if self._auto_delete else ".kept"
        with self._lock:
            for token in self._held.pop(run, []):
                with suppress(OSError):
                    self._at(token, suffix).unlink(missing_ok=True)

    def release(self, run: str) -> None:
        """Let go of what `run` took: deleted, or kept for good.

        On an event loop the deleting goes on in a thread: 1 GiB took 0.7 s on ext4.
        """
        with self._lock:
            tokens = self._held.pop(run, [])
        if not self._auto_delete or not tokens:
            return
        if _on_a_loop():
            threading.Thread(target=self._delete, args=tokens, name="nbfunc-delete").start()
        else:
            self._delete(*tokens)

    def sweep(self) -> int:
        """Delete the uploads that no run took within an hour of their last byte; return how many.

        Only what has a name of ours goes. For a thread: it takes as long as there are files.
        """
        now = self._clock()
        deleted = 0
        try:
            entries = os.scandir(self.path)
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise self._place.error(error) from error
        with entries:
            for entry in entries:
                ours = _OURS.fullmatch(entry.name)
                if ours is None:
                    continue
                token, suffix = ours[1], ours[3]
                if suffix in {".held", ".kept"}:
                    self._sweep_mark(token, Path(entry.path), now)
                elif entry.is_dir(follow_symlinks=False):
                    deleted += self._sweep_upload(token, suffix or "", Path(entry.path), now)
        return deleted

    def _sweep_mark(self, token: str, mark: Path, now: float) -> None:
        with suppress(OSError):
            if self._holds(token):
                os.utime(mark, (now, now))
            elif not self._at(token).exists() and now - mark.stat().st_mtime >= KEPT_SECONDS:
                mark.unlink()

    def _sweep_upload(self, token: str, suffix: str, directory: Path, now: float) -> bool:
        if suffix == ".gone":
            shutil.rmtree(directory, ignore_errors=True)
            return False
        with self._lock:
            upload = _upload(directory, whole=not suffix)
            last_byte = upload.last_byte if upload else _modified(directory)
            if last_byte is None or now - last_byte < KEPT_SECONDS:
                return False
            if token in self._writing or self._still_held(token, now):
                return False
            gone = self._set_aside(directory, token)
        self._discard(gone, token)
        return gone is not None

    def _still_held(self, token: str, now: float) -> bool:
        if self._holds(token) or self._at(token, ".kept").exists():
            return True
        freshened = _modified(self._at(token, ".held"))
        return freshened is not None and now - freshened < HELD_SECONDS

    def _holds(self, token: str) -> bool:
        return any(token in tokens for tokens in list(self._held.values()))

    def _taken(self, token: str) -> bool:
        return self._at(token, ".held").exists() or self._at(token, ".kept").exists()

    def _check(self, size: int) -> None:
        if self.max_size is not None and size > self.max_size:
            raise TooLarge(f"This file is larger than {self.max_size} bytes, the most that is taken here.")

    def _at(self, token: str, suffix: str = "") -> Path:
        return self.path / (token + suffix)

    def _current(self, token: str) -> _Upload:
        """Return an upload that is there, and whose hour is not over."""
        _length(token)
        # In this order: one that becomes whole in between is then found as whole.
        upload = _upload(self._at(token, ".part"), whole=False) or _upload(self._at(token), whole=True)
        if upload is None:
            raise Expired("This file is not here any more. Send it again.")
        if self._clock() - upload.last_byte >= KEPT_SECONDS and not self._taken(token):
            raise Expired("This file was sent more than an hour ago, and is not kept longer. Send it again.")
        return upload

    def _current_at(self, token: str, offset: int) -> _Upload:
        upload = self._current(token)
        if upload.size != offset:
            raise Conflict(f"This upload has {upload.size} bytes: go on from there, not from {offset}.")
        return upload

    def _now_whole(self, token: str) -> None:
        try:
            os.rename(self._at(token, ".part"), self._at(token))
        except FileNotFoundError:
            if not self._at(token).is_dir():
                raise Expired("This upload was deleted while it was written. Send it again.") from None
        except OSError as error:
            raise self._place.error(error) from error

    def _delete(self, *tokens: str) -> None:
        for token in tokens:
            for suffix in ("", ".part"):
                self._discard(self._set_aside(self._at(token, suffix), token), token)

    def _set_aside(self, directory: Path, token: str) -> Path | None:
        """Rename a directory, so that it is gone at once however long deleting takes."""
        gone = self._at(token, ".gone")
        try:
            os.rename(directory, gone)
        except OSError:
            return None
        return gone

    def _discard(self, directory: Path | None, token: str) -> None:
        """Delete what was set aside, and its mark after it."""
        if directory is not None:
            shutil.rmtree(directory, ignore_errors=True)
            with suppress(OSError):  # a mark that stays is swept
                self._at(token, ".held").unlink(missing_ok=True)

    def _judged(self, token: str) -> int | None:
        """Return where a writer began whose bytes a checksum has still to judge."""
        writing = self._writing.get(token)
        return None if writing is None else writing.judged

    def _written(self, token: str, writer: UploadWriter, *, whole: bool) -> None:
        with self._lock:
            if self._writing.get(token) is writer:
                del self._writing[token]
        if whole:
            self._now_whole(token)


class UploadWriter:
    """Adds bytes to one upload; made by `UploadsDir.writer`. It is whole when closed with all its bytes.

    Attributes
    ----------
    offset : int
        How many bytes the upload has.
    """

    def __init__(
        self,
        uploads: UploadsDir,
        token: str,
        fd: int,
        offset: int,
        length: int | None,
        *,
        checksum: Checksum | None,
    ) -> None:
        self.offset = offset
        self._start = offset
        self._checksum = checksum
        self._uploads = uploads
        self._token = token
        self._fd = fd
        self._length = length
        self._turn = threading.Lock()
        self._displaced = False

    @property
    def judged(self) -> int | None:
        """Where the bytes begin that a checksum has still to judge; None without one."""
        return None if self._checksum is None else self._start

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Add bytes. What the disk took before it was full stays, to go on from there.

        Raises
        ------
        TooLarge
            They are more than were announced, or may be sent; none of them was written.
        DiskFull, StorageError
            The disk did not take them.
        Conflict
            Another request goes on with this upload.
        """
        view = memoryview(data)
        after = self.offset + len(view)
        if self._length is not None and after > self._length:
            raise TooLarge(f"More came than the {self._length} bytes that were announced.")
        self._uploads._check(after)
        with self._turn, self._uploads._place.storing():
            if self._displaced:
                raise Conflict("Another request goes on with this upload.")
            while view:
                taken = os.write(self._fd, view)
                self.offset += taken
                if self._checksum is not None:
                    self._checksum.add(view[:taken])
                view = view[taken:]

    def give_way(self) -> None:
        """Let another go on from here; waits for the piece that is being written."""
        with self._turn:
            if not self._displaced and self._fd >= 0:
                self._verify()
            self._displaced = True

    def _verify(self) -> bool:
        """Take back what does not add up, and return whether it did."""
        if self._checksum is None or self._checksum.holds:
            return True
        with self._uploads._place.storing():
            os.ftruncate(self._fd, self._start)
        self.offset = self._start
        return False

    def close(self) -> None:
        """Let another write, or a run take it if all bytes are here.

        Raises
        ------
        Expired
            It was deleted meanwhile.
        ChecksumMismatch
            The bytes do not add up to what was said; none of them stays.
        """
        with self._turn:
            if self._fd < 0:
                return
            whole = False
            try:
                try:
                    # After it gave way the bytes behind its own are another's.
                    holds = self._displaced or self._verify()
                finally:
                    fd, self._fd = self._fd, -1
                    with self._uploads._place.storing():
                        os.close(fd)
                whole = holds and self.offset == self._length
            finally:
                self._uploads._written(self._token, self, whole=whole)
        if not holds:
            raise ChecksumMismatch("What came is not what was sent: its checksum differs. Send it again.")

    def __enter__(self) -> UploadWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self.close()
        except ChecksumMismatch:
            if error is None:
                raise  # else what broke it off says more


def _on_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _length(token: str) -> int | None:
    """Return the length that a token tells; None where only the end tells."""
    made = _TOKEN.fullmatch(token)
    if made is None:
        raise NotFound("There is no such upload: its token is none of ours.")
    return None if made[1] is None else int(made[1], 16)


def _upload(directory: Path, *, whole: bool) -> _Upload | None:
    """Return the upload in its directory; a function may have put more beside it."""
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                info = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(info.st_mode):
                    return _Upload(Path(entry.path), info.st_size, info.st_mtime, whole)
    except OSError:
        pass
    return None


def _modified(path: Path) -> float | None:
    try:
        return path.stat().st_mtime
    except OSError:
        return None


def _touch(mark: Path, now: float) -> None:
    """Make a mark that was not there."""
    try:
        os.close(os.open(mark, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        raise NotFound("This file was used by another run. Send it again.") from None
    os.utime(mark, (now, now))
