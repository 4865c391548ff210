"""What every resource does alike: admit who asks, bound the body, and say what is wrong."""

from __future__ import annotations

import errno
import gzip
import logging
import re
import secrets
import time
from http.client import responses
from types import TracebackType
from typing import Any, ClassVar
from urllib.parse import unquote

from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, RequestHandler, stream_request_body

from nbfunc.errors import (
    AskerError,
    DiskFull,
    InvalidArguments,
    KernelUnreachable,
    NotFound,
    NotReady,
    QueueFull,
    StorageError,
    TooLarge,
    TooManyTries,
    Unauthorized,
)
from nbfunc.web.addresses import json_bytes
from nbfunc.web.runlog import RunLog
from nbfunc.web.site import Site

logger = logging.getLogger(__name__)

SMALL_BODY = 64 << 10
# Files arrive in pieces of this size: with Tornado's 64 KiB an upload spends its time in calls. What is short
# is read in those, since each piece is a buffer to be zeroed.
LARGE_PIECE = 256 << 10
# After an early refusal the rest of the body is read and dropped for so long: closing at once would reset
# the connection, and most clients would never see the answer (as nginx, lingering_time).
LINGER_SECONDS = 30.0
# Who reads an answer that lasts is looked at again so often: a share may be revoked, a session ended. Less
# than the time between two comments of a stream, so that each of them is a look.
READMIT_SECONDS = 10.0

REASONS = {401: "unauthorized", 403: "forbidden", 404: "not_found", 413: "too_large"}


@stream_request_body
class Resource(RequestHandler):
    """A resource of a site. Who asks is checked in one place, `prepare`, before the body is read.

    Attributes
    ----------
    user : str, optional
        Who asks, where there are names.
    left : bool
        Whether the client is gone.
    with_error : dict of str to str
        Headers that an error needs to have; it loses those that the answer would have had.
    """

    public: ClassVar[bool] = False
    site: Site
    user: str | None = None

    def initialize(self, site: Site) -> None:
        self.site = site
        self.body = bytearray()
        self.left = False
        self.with_error: dict[str, str] = {}
        self._refused: float | None = None
        self._admitted = 0.0
        self.set_default_headers()

    def set_default_headers(self) -> None:
        super().set_default_headers()
        # Tornado calls this once before initialize() has brought the site.
        site = getattr(self, "site", None)
        if site is not None:
            self.clear_header("Server")
            self.set_header("Cache-Control", "no-store")
            self.set_header("X-Content-Type-Options", "nosniff")
            for name, value in site.headers.items():
                self.set_header(name, value)

    async def prepare(self) -> None:
        # Tornado's own limit answers 400 without a word; receive() has a better one.
        self.request.connection.set_max_body_size(1 << 62)  # type: ignore[union-attr]  # HTTP/1 always has it
        try:
            before = super().prepare()
            if before is not None:
                await before
            if self._finished:
                return
            self.site.served()
            user = self.site.guard.admit(self, public=self.public)
            self.user = user if user is None or isinstance(user, str) else await user
            self._admitted = time.monotonic()
            if self._verb_is_missing():
                raise HTTPError(405)
            await self.admitted()
        except (AskerError, HTTPError) as error:
            if not self._has_body():
                raise
            await self._refuse(error)

    async def admitted(self) -> None:
        """Look at the request's head, with who asks known and the body still to come."""

    def expect_files(self) -> None:
        """Say, before the body comes, that it may be long."""
        self.request.connection.stream.read_chunk_size = LARGE_PIECE  # type: ignore[union-attr]  # HTTP/1 has it

    async def readmit(self) -> None:
        """Look again whether who asks may, if that was a while ago.

        Raises
        ------
        AskerError
            No more: what a new request would be answered.
        """
        if time.monotonic() - self._admitted < READMIT_SECONDS:
            return
        looking = None if self.public else self.site.guard.readmit(self)
        if looking is not None:
            await looking
        self._admitted = time.monotonic()

    async def receive(self, chunk: bytes) -> None:
        """Take a piece of the body. By default it is kept, and small."""
        self.body += chunk
        if len(self.body) > SMALL_BODY:
            raise TooLarge(f"The body is over {SMALL_BODY:,} bytes.")

    async def data_received(self, chunk: bytes) -> None:
        if self._refused is not None:
            if time.monotonic() - self._refused > LINGER_SECONDS:
                self.abort()
            return
        try:
            await self.receive(chunk)
        except Exception as error:  # noqa: BLE001 - Tornado would close the connection without an answer
            await self._refuse(error)

    def on_connection_close(self) -> None:
        self.left = True
        super().on_connection_close()

    def abort(self) -> None:
        """Close the connection: what was sent so far is not the whole, and the client is to know."""
        self.request.connection.stream.close()  # type: ignore[union-attr]  # HTTP/1 always has it

    def verbs(self) -> list[str]:
        """Return the verbs that this resource has."""
        mine = (name for name in self.SUPPORTED_METHODS if name.lower() in VERBS)
        return [name for name in mine if getattr(type(self), name.lower()) is not VERBS[name.lower()]]

    def _verb_is_missing(self) -> bool:
        verb = str(self.request.method).lower()
        return verb in VERBS and getattr(type(self), verb) is VERBS[verb]

    def _has_body(self) -> bool:
        headers = self.request.headers
        # A client that waits for "100 Continue" has sent nothing yet.
        waits = headers.get("Expect", "").lower() == "100-continue"
        return not waits and ("Transfer-Encoding" in headers or headers.get("Content-Length", "0") != "0")

    async def _refuse(self, error: Exception) -> None:
        """Answer now, read the rest of the body to its end, and do nothing else."""
        self._refused = time.monotonic()
        method = str(self.request.method).lower()
        setattr(self, method, self._nothing_more)  # Tornado looks the verb up here when the body is over
        self.log_exception(type(error), error, error.__traceback__)
        self.write_problem(error)
        self.set_header("Content-Length", str(sum(map(len, self._write_buffer))))
        try:
            await self.flush()
        except StreamClosedError:
            self.left = True

    async def _nothing_more(self, *_: str, **__: str) -> None:
        if not self._finished:
            self.finish()

    # Runs

    def run_of(self, run: str) -> RunLog:
        """Return a run that who asks may know of.

        Raises
        ------
        NotFound
            There is none, or it is another's.
        """
        log = self.site.runs.get(run)
        if log.user != self.user and not self.site.guard.sees_all_runs(self):
            raise NotFound("This run is not known here.")
        return log

    def runs(self) -> list[RunLog]:
        """Return the runs that who asks may know of, the newest first."""
        logs = self.site.runs.all()
        if self.site.guard.sees_all_runs(self):
            return logs
        return [log for log in logs if log.user == self.user]

    # What the client accepts

    def accepts(self, named: str, header: str = "Accept") -> bool:
        """Whether the request names this type, or coding (RFC 9110, 12.5.1 and 12.5.3), wildcards apart."""
        accept = self.request.headers.get(header, "").lower()
        if named not in accept:
            return False
        for part in accept.split(","):
            name, *parameters = (piece.strip() for piece in part.split(";"))
            if name == named:
                return not any(re.fullmatch(r"q\s*=\s*0(\.0*)?", p) for p in parameters)
        return False

    # Answers

    def write_json(self, value: Any) -> None:
        """Answer with JSON; bytes are JSON already."""
        self.set_header("Content-Type", "application/json")
        self.write(value if isinstance(value, bytes) else json_bytes(value))

    def write_page(self, page: str) -> None:
        """Answer with a page, packed for who takes that; none holds a secret that its size could tell."""
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Vary", "Accept-Encoding")
        content = page.encode()
        if self.accepts("gzip", "Accept-Encoding"):
            self.set_header("Content-Encoding", "gzip")
            content = gzip.compress(content, 6, mtime=0)
        self.write(content)

    def up(self) -> str:
        """Return the relative address of the site's base, for links of pages: proxies may move them."""
        path = unquote(self.request.path)
        base = unquote(self.site.addresses.base)
        rest = path[len(base) :] if path.startswith(base) else path[1:]
        return "../" * rest.count("/") or "./"

    def query(self) -> str:
        """Return what follows the path, for a redirect that keeps it."""
        return f"?{self.request.query}" if self.request.query else ""

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs["exc_info"][1] if "exc_info" in kwargs else HTTPError(status_code)
        login = self.site.guard.login(self) if isinstance(error, Unauthorized) else None
        if login is not None and self.request.method in {"GET", "HEAD"} and self.accepts("text/html"):
            self.redirect(login)
            return
        self.write_problem(error)
        self.finish()

    def write_problem(self, error: BaseException) -> None:
        """Write what is wrong: JSON, or a page for a browser."""
        status, said = problem(error)
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        for name in ("ETag", "Last-Modified", "Content-Disposition", "Content-Encoding"):
            self.clear_header(name)
        for name, value in self.with_error.items():
            self.set_header(name, value)
        if isinstance(error, TooManyTries):
            self.set_header("Retry-After", str(error.retry_after))
        elif isinstance(error, (QueueFull, KernelUnreachable)):
            self.set_header("Retry-After", "5")
        elif isinstance(error, NotReady):
            self.set_header("Retry-After", str(error.retry_after))
            self.set_header("Refresh", str(error.retry_after))  # which browsers know, and no program minds
        elif status == 405:
            self.set_header("Allow", ", ".join(self.verbs()))
        elif isinstance(error, Unauthorized) and "Sec-Fetch-Mode" not in self.request.headers:
            # A browser would ask for the password with a window of its own.
            self.set_header("WWW-Authenticate", 'Basic realm="nbfunc", charset="UTF-8"')
        if self.accepts("text/html"):
            way_out = self.way_out(error)
            self.write_page(
                self.site.pages.error(status, str(said["message"]), up=self.up(), way_out=way_out)
            )
        else:
            self.write_json(said)

    def way_out(self, error: BaseException) -> tuple[str, str] | None:  # noqa: ARG002 - for who knows one
        """Return the text and address of a link that mends an error."""
        return None

    def log_exception(
        self,
        typ: type[BaseException] | None,  # noqa: ARG002 - Tornado's signature
        value: BaseException | None,
        tb: TracebackType | None,  # noqa: ARG002 - Tornado's signature
    ) -> None:
        if isinstance(value, (HTTPError, StreamClosedError)) or value is None:
            return
        if isinstance(value, StorageError):
            logger.error("%s %s: %s", self.request.method, self.request.path, value)
        elif not isinstance(value, AskerError):
            value.__nbfunc_reference__ = secrets.token_hex(4)  # type: ignore[attr-defined]  # ours
            logger.error(
                "%s %s failed (reference %s)",
                self.request.method,
                self.request.path,
                reference(value),
                exc_info=value,
            )

    def compute_etag(self) -> str | None:
        return None  # answers are not stored; files have their own


VERBS = {
    name: getattr(RequestHandler, name)
    for name in ("get", "head", "post", "delete", "patch", "put", "options")
}


class Missing(Resource):
    """Everything that is nowhere."""

    async def admitted(self) -> None:
        raise NotFound("There is nothing at this address.")

    def _verb_is_missing(self) -> bool:
        return False


def reference(error: BaseException) -> str:
    """Return what names an unexpected error in the log."""
    return str(getattr(error, "__nbfunc_reference__", ""))


def problem(error: BaseException) -> tuple[int, dict[str, Any]]:
    """Return the status and the JSON of an error."""
    if isinstance(error, HTTPError):
        message = responses.get(error.status_code, "Error")
        return error.status_code, {"message": message, "reason": REASONS.get(error.status_code, "invalid")}
    if isinstance(error, StorageError):
        # Its own message names a directory of the server, which is the log's business.
        message = "The server could not read or write a file."
        if isinstance(error, DiskFull):
            quota = getattr(error.__cause__, "errno", None) == errno.EDQUOT
            message = "The server's disk quota is used up." if quota else "The server's disk is full."
        return error.status, {"message": f"{message} Its log says more.", "reason": error.reason}
    if isinstance(error, InvalidArguments):
        # The body of a run, as far as there is one.
        said: dict[str, Any] = {"run": None, "status": "invalid", "printed": "", "outputs": []}
        said |= {"message": str(error), "reason": error.reason, "errors": error.problems}
        return error.status, said
    if isinstance(error, AskerError):
        return error.status, {"message": str(error), "reason": error.reason}
    message = f"Something went wrong here. The server's log has it under reference {reference(error)}."
    return 500, {"message": message, "reason": "failed"}
