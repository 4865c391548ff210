"""Uploads that survive a dropped connection: tus 1.0 with its extensions below (tus.io)."""

from __future__ import annotations

import base64
from contextlib import suppress
from datetime import datetime, timezone
from email.utils import format_datetime

from nbfunc.errors import (
    AskerError,
    ChecksumMismatch,
    Conflict,
    NotFound,
    TooLarge,
    UnsupportedBody,
)
from nbfunc.files.checksums import ALGORITHMS, Checksum
from nbfunc.web.inflow import Inflow
from nbfunc.web.resource import Resource

VERSION = "1.0.0"
EXTENSIONS = "creation,termination,expiration,checksum"


class WrongVersion(AskerError):
    """The client speaks another tus, or none."""

    reason = "invalid"
    status = 412


class BadHeader(AskerError):
    """A header that says nothing."""

    reason = "invalid"
    status = 400


class TusResource(Resource):
    """What every tus answer has in common."""

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("Tus-Resumable", VERSION)

    async def admitted(self) -> None:
        if self.request.method != "OPTIONS" and self.request.headers.get("Tus-Resumable") != VERSION:
            self.with_error["Tus-Version"] = VERSION
            raise WrongVersion(f"This server speaks tus {VERSION}: send Tus-Resumable: {VERSION}.")

    async def options(self, token: str | None = None) -> None:  # noqa: ARG002 - the same for all
        self.set_header("Tus-Version", VERSION)
        self.set_header("Tus-Extension", EXTENSIONS)
        self.set_header("Tus-Checksum-Algorithm", ",".join(ALGORITHMS))
        if self.site.limits.upload is not None:
            self.set_header("Tus-Max-Size", str(self.site.limits.upload))
        self.set_status(204)

    def number(self, name: str) -> int:
        """Return a header that is a count of bytes."""
        text = self.request.headers.get(name, "")
        if not (text.isascii() and text.isdecimal() and len(text) < 20):
            raise BadHeader(f"{name} must be a number of bytes.")
        return int(text)

    def tell_expiry(self, expires: float) -> None:
        """Say until when an upload that stands still is kept."""
        when = datetime.fromtimestamp(expires, timezone.utc)
        self.set_header("Upload-Expires", format_datetime(when, usegmt=True))


class UploadsResource(TusResource):
    """``S uploads``: begin an upload."""

    async def post(self) -> None:
        length = self.number("Upload-Length")
        filename = metadata(self.request.headers.get("Upload-Metadata", "")).get("filename") or "file"
        uploads = self.site.uploads
        token = await self.site.in_thread(uploads.create, filename, length)
        _, _, expires = await self.site.in_thread(uploads.status, token)
        self.tell_expiry(expires)
        self.set_header("Location", self.site.addresses.shared("uploads", token))
        self.set_status(201)


class UploadResource(TusResource):
    """``S uploads/<token>``: go on with an upload, ask how far it is, drop it."""

    _inflow: Inflow | None = None
    _sent = 0

    async def admitted(self) -> None:
        await super().admitted()
        if self.request.method == "POST":
            # For clients behind what lets only GET and POST through (tus, X-HTTP-Method-Override).
            method = self.request.headers.get("X-HTTP-Method-Override", "").upper()
            if method not in {"PATCH", "DELETE"}:
                raise NotFound("To begin an upload, POST to the address above this one.")
            self.request.method = method
        if self.request.method == "PATCH":
            await self._begin(self.path_kwargs["token"])

    async def _begin(self, token: str) -> None:
        headers = self.request.headers
        if headers.get("Content-Type") != "application/offset+octet-stream":
            raise UnsupportedBody("PATCH takes application/offset+octet-stream.")
        offset = self.number("Upload-Offset")
        at, length, _ = await self.site.in_thread(self.site.uploads.status, token)
        if offset != at:
            self.with_error["Upload-Offset"] = str(at)
            raise Conflict(f"The upload is at byte {at:,}, not at {offset:,}.")
        coming = self.number("Content-Length") if "Content-Length" in headers else 0
        if length is not None and offset + coming > length:
            raise TooLarge(f"The upload was announced with {length:,} bytes: this would be more.")
        checksum = checksum_of(headers.get("Upload-Checksum"))
        self.expect_files()
        self._inflow = Inflow(lambda: self.site.uploads.writer(token, offset, checksum), self.site.in_thread)

    async def receive(self, chunk: bytes) -> None:
        if self._inflow is None:
            await super().receive(chunk)
            return
        try:
            await self.readmit()
            await self._inflow.write(chunk)
        except BaseException:
            with suppress(ChecksumMismatch):
                await self._inflow.abort()
            raise

    def on_connection_close(self) -> None:
        inflow, self._inflow = self._inflow, None
        if inflow is not None and not self._finished:
            self.site.later(self._keep(inflow))
        super().on_connection_close()

    async def _keep(self, inflow: Inflow) -> None:
        """Keep what arrived, for the client to go on from there; under a checksum that is all or nothing."""
        with suppress(ChecksumMismatch):
            await inflow.close()

    async def patch(self, token: str) -> None:
        inflow, self._inflow = self._inflow, None
        if inflow is not None:
            await inflow.close()
        await self.head(token)
        self.clear_header("Upload-Length")
        self.set_status(204)

    async def head(self, token: str) -> None:
        offset, length, expires = await self.site.in_thread(self.site.uploads.status, token)
        self.set_header("Upload-Offset", str(offset))
        if length is not None:
            self.set_header("Upload-Length", str(length))
        self.tell_expiry(expires)

    async def delete(self, token: str) -> None:
        await self.site.in_thread(self.site.uploads.status, token)
        await self.site.in_thread(self.site.uploads.remove, token)
        self.set_status(204)

    async def post(self, token: str) -> None:
        """Never called: `admitted` turns it into what it stands for."""


def metadata(header: str) -> dict[str, str]:
    """Return ``Upload-Metadata``: pairs of a key and a base64 value."""
    found: dict[str, str] = {}
    for pair in filter(None, (pair.strip() for pair in header.split(","))):
        key, _, value = pair.partition(" ")
        try:
            found[key] = base64.b64decode(value.strip(), validate=True).decode()
        except ValueError as error:
            raise BadHeader(f"Upload-Metadata: {key} is not UTF-8 in base64.") from error
    return found


def checksum_of(header: str | None) -> Checksum | None:
    """Return ``Upload-Checksum``: an algorithm and what it gives, in base64.

    Raises
    ------
    BadHeader
        It is malformed, or of an algorithm that there is not.
    """
    if header is None:
        return None
    algorithm, _, value = header.partition(" ")
    if algorithm not in ALGORITHMS:
        raise BadHeader(f"Upload-Checksum: {algorithm!r} is not among {', '.join(ALGORITHMS)}.")
    try:
        return Checksum(algorithm, base64.b64decode(value.strip(), validate=True))
    except ValueError as error:
        raise BadHeader("Upload-Checksum: what follows the algorithm is not base64.") from error
