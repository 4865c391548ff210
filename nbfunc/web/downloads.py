"""Returned files to the client: whole or a range, one or many as a zip, read in threads a piece at a time."""

from __future__ import annotations

import asyncio
import mimetypes
import os
import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import ExitStack, aclosing
from datetime import datetime, timezone
from email.utils import format_datetime
from functools import partial
from io import FileIO
from itertools import count
from pathlib import PurePath
from urllib.parse import quote

from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPHeaders
from tornado.iostream import SSLIOStream, StreamClosedError
from zipstream import ZIP_STORED, ZipStream

from nbfunc.core.events import StoredFile
from nbfunc.errors import AskerError, Expired, NotFound
from nbfunc.files import transfer
from nbfunc.files.returns import Found, ReturnsDir
from nbfunc.web import resource
from nbfunc.web.resource import Resource

PIECE = 1 << 20
# Read at once, where it is opened.
SMALL = 256 << 10
# A zip holds so many files open from its start, which a sweep cannot take away; more are opened as they come.
HELD_OPEN = 200

# What the standard library does not know everywhere.
TYPES = {
    ".avif": "image/avif",
    ".csv": "text/csv",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".heic": "image/heic",
    ".ipynb": "application/x-ipynb+json",
    ".md": "text/markdown",
    ".parquet": "application/vnd.apache.parquet",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".webp": "image/webp",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
# Some clients write "to the end" as a number of twenty digits; Python reads up to 4300.
_RANGE = re.compile(r"bytes\s*=\s*(\d{0,4000})\s*-\s*(\d{0,4000})", re.ASCII | re.IGNORECASE)

ENCODED = {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz"}


class Download(Resource):
    """A resource that answers with bytes to keep."""

    _sending: asyncio.Task[None] | None = None

    def on_connection_close(self) -> None:
        super().on_connection_close()
        if self._sending is not None:
            self._sending.cancel()

    def note(self, filename: str, size: int) -> None:
        """Tell who wants to know that a file leaves."""
        if self.site.audit is not None:
            self.site.audit.downloaded(filename, size, self.user)

    def offer(self, filename: str) -> None:
        """Set what says that this is a file of that name."""
        self.set_header("Content-Type", type_of(filename))
        self.set_header("Content-Disposition", disposition(filename))
        self.set_header("Content-Security-Policy", "sandbox")
        self.set_header("Cache-Control", "private, no-cache")

    async def send(self, pieces: AsyncGenerator[bytes, None]) -> None:
        """Send pieces as they come, to the end or until the client leaves; none to who asked for the head."""
        with self.site.answering():
            await self._send(pieces)

    async def _send(self, pieces: AsyncGenerator[bytes, None]) -> None:
        async with aclosing(pieces):
            try:
                if self.request.method == "HEAD":
                    await self.flush()
                    return
                async for piece in pieces:
                    await self.readmit()
                    self.write(piece)
                    await self.flush()
            except StreamClosedError:
                self.left = True
            except Exception as error:  # noqa: BLE001 - too late for an answer: break off, so that it shows
                self.log_exception(type(error), error, error.__traceback__)
                self.abort()

    async def send_file(self, file: FileIO, start: int, end: int) -> None:
        """Send a part of a file, whose length the headers say, as `send` does; then close it."""
        connection = self.request.connection
        assert isinstance(connection, HTTP1Connection)
        if not transfer.BY_SYSTEM or isinstance(connection.stream, SSLIOStream):
            pieces = transfer.pieces(file, start, end)
            assert isinstance(pieces, AsyncGenerator)  # to be closed when the client leaves
            await self.send(pieces)
            return
        try:
            await self.flush()
        except StreamClosedError:
            file.close()
            self.left = True
            return
        # Tornado counts the bytes that go through it, and these do not.
        connection._expected_content_remaining = 0
        self._sending = asyncio.create_task(transfer.send(file, start, end, connection.stream.socket))
        self.site.sending.add(self._sending)
        self._sending.add_done_callback(self.site.sending.discard)
        while not (await asyncio.wait([self._sending], timeout=resource.READMIT_SECONDS))[0]:
            try:
                await self.readmit()
            except AskerError:
                self._sending.cancel()
        error = None if self._sending.cancelled() else self._sending.exception()
        if error is not None and not isinstance(error, (ConnectionError, TimeoutError)):
            self.log_exception(type(error), error, error.__traceback__)
        if error is not None or self._sending.cancelled():
            self.left = True
            self.abort()

    async def joined(self, parts: Iterator[bytes]) -> AsyncGenerator[bytes, None]:
        """Yield `parts`, made in a thread, about a piece at a time."""
        while piece := await self.site.in_thread(joined, parts):
            yield piece


class FileResource(Download):
    """``S files/<id>/<filename>``."""

    async def get(self, file: str, filename: str) -> None:
        found, content = await self.site.in_thread(read, self.site.returns, file, filename)
        with ExitStack() as kept:
            if isinstance(content, FileIO):
                kept.enter_context(content)
            self.offer(filename)
            self.set_header("Accept-Ranges", "bytes")
            self.set_header("ETag", f'"{file}"')
            self.set_header("Last-Modified", http_date(found.created))
            if fresh(self.request.headers, file, found.created):
                self.set_status(304)
                return
            start, end = 0, found.size
            part = asked_range(self.request.headers, file, found) if self.request.method == "GET" else None
            if part is not None:
                start, end = part
                if start >= end:
                    self.set_status(416)
                    self.set_header("Content-Range", f"bytes */{found.size}")
                    self.clear_header("Content-Disposition")
                    message = f"The file has {found.size:,} bytes: there is nothing in this range."
                    self.write_json({"message": message, "reason": "invalid"})
                    return
                self.set_status(206)
                self.set_header("Content-Range", f"bytes {start}-{end - 1}/{found.size}")
            self.set_header("Content-Length", str(end - start))
            if self.request.method != "GET":
                return
            if start == 0:  # not each part of one that is fetched in parts
                self.note(filename, found.size)
            if isinstance(content, bytes):
                self.write(content[start:end])
                return
            kept.pop_all()
        await self.send_file(content, start, end)

    async def head(self, file: str, filename: str) -> None:
        await self.get(file, filename)


class ZipResource(Download):
    """``S runs/<id>/files.zip``: the files of a run that are still there."""

    async def head(self, run: str) -> None:
        await self.get(run)

    async def get(self, run: str) -> None:
        log = self.run_of(run)
        if not log.files:
            raise NotFound("This run has returned no file.")
        inside, held, archive = await self.site.in_thread(archive_of, self.site.returns, log.files)
        try:
            if archive.is_empty():
                raise Expired("The files of this run have expired.")
            self.offer(f"{log.function}.zip")
            if self.request.method == "GET":
                for file in inside:
                    self.note(file.filename, file.size)
            if archive.sized:
                self.set_header("Content-Length", str(len(archive)))
            await self.send(self.joined(iter(archive)))
        finally:
            for stream in held:
                stream.close()


def opened(returns: ReturnsDir, file: str, filename: str) -> tuple[Found, FileIO]:
    """Return a returned file, open: from here on no sweep takes it away."""
    found = returns.find(file, filename)
    return found, found.open()


def read(returns: ReturnsDir, file: str, filename: str) -> tuple[Found, bytes | FileIO]:
    """Return a returned file: its content if it is small, else open."""
    found, stream = opened(returns, file, filename)
    if found.size > SMALL:
        return found, stream
    with stream:
        return found, stream.read(found.size)


def joined(parts: Iterator[bytes]) -> bytes:
    """Return about a piece of `parts`; nothing at their end."""
    gathered: list[bytes] = []
    size = 0
    for part in parts:
        gathered.append(part)
        size += len(part)
        if size >= PIECE:
            break
    return b"".join(gathered)


def archive_of(
    returns: ReturnsDir, files: list[StoredFile]
) -> tuple[list[StoredFile], list[FileIO], ZipStream]:
    """Return the files that are still there, what is open, and the zip of them under names of their own."""
    inside: list[StoredFile] = []
    held: list[FileIO] = []
    few = len(files) <= HELD_OPEN
    archive = ZipStream(compress_type=ZIP_STORED, sized=few)
    taken: set[str] = set()
    for file in files:
        try:
            found, stream = opened(returns, file.id, file.filename)
        except (Expired, NotFound):
            continue
        inside.append(file)
        name = unique(file.filename, taken)
        if few:
            held.append(stream)
            archive.add(iter(partial(stream.read, PIECE), b""), name, size=found.size)
        else:
            stream.close()
            archive.add_path(os.fspath(found.path), name)
    return inside, held, archive


def unique(filename: str, taken: set[str]) -> str:
    """Return a name that is not taken, on systems that do not tell cases apart either; and take it."""
    path = PurePath(filename)
    names = (filename if n == 1 else f"{path.stem} ({n}){path.suffix}" for n in count(1))
    name = next(name for name in names if name.casefold() not in taken)
    taken.add(name.casefold())
    return name


def type_of(filename: str) -> str:
    """Return the media type that a file's name tells."""
    known = TYPES.get(PurePath(filename).suffix.lower())
    if known:
        return known
    guessed, encoding = mimetypes.guess_type(filename, strict=False)
    return (ENCODED.get(encoding) if encoding else guessed) or "application/octet-stream"


def disposition(filename: str) -> str:
    """Return ``Content-Disposition`` for a file of any name (RFC 6266)."""
    plain = re.sub(r'[^\x20-\x7e]|["\\%]', "_", filename)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"


def http_date(seconds: float) -> str:
    """Return a time since the epoch as HTTP has it (RFC 9110, 5.6.7)."""
    return format_datetime(datetime.fromtimestamp(int(seconds), timezone.utc), usegmt=True)


def fresh(headers: HTTPHeaders, file: str, created: float) -> bool:
    """Whether the client has it already (RFC 9110, 13.1.2 and 13.1.3)."""
    match = headers.get("If-None-Match")
    if match is None:
        return headers.get("If-Modified-Since") == http_date(created)
    return match.strip() == "*" or f'"{file}"' in re.findall(r'"[^"]*"', match)


def asked_range(headers: HTTPHeaders, file: str, found: Found) -> tuple[int, int] | None:
    """Return the one range asked for as start and end; start is not before end where there is none of it.

    None is the whole: no range, several, a malformed one, or ``If-Range`` of another file (RFC 9110, 14.2).
    """
    condition = headers.get("If-Range")
    if condition is not None and condition.strip() not in {f'"{file}"', http_date(found.created)}:
        return None
    asked = _RANGE.fullmatch(headers.get("Range", ""))
    if asked is None:
        return None
    first, last = asked[1], asked[2]
    if not first:
        return (max(0, found.size - int(last)), found.size) if last else None
    if last and int(last) < int(first):
        return None
    return int(first), min(int(last) + 1, found.size) if last else found.size
