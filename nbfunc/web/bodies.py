"""Bodies to arguments: JSON, urlencoded and multipart. What is no file is held in memory, and bounded."""

from __future__ import annotations

import functools
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from tornado.httputil import HTTPHeaders

from nbfunc.errors import BadBody, Conflict, Expired, InvalidArguments, TooLarge, UnsupportedBody
from nbfunc.files.uploads import UploadsDir
from nbfunc.hosts.base import RawArguments
from nbfunc.web.inflow import Inflow
from nbfunc.web.site import Site

# The field of a form body that holds a JSON object for what a form cannot say.
REST = "-"
MOST_FIELDS = 10_000
# Parsing holds the interpreter: beyond this it is done in a thread, which at least can be switched from.
LONG_BODY = 256 << 10


class Body(ABC):
    """A body that is being read.

    Parameters
    ----------
    site : Site
        Its limits, and where uploads go.
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        self._held = 0

    def hold(self, size: int) -> None:
        """Count bytes that stay in memory."""
        self._held += size
        if self._held > self.site.limits.body:
            limit = self.site.limits.body >> 20
            raise TooLarge(f"The body is over {limit} MiB, files apart: send what is large as a file.")

    @abstractmethod
    async def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""

    @abstractmethod
    async def arguments(self) -> RawArguments:
        """The body is over: return what is in it."""

    async def discard(self) -> None:
        """Leave nothing behind, since nothing came of it."""
        return


class PlainBody(Body):
    """A body that is read when it is whole."""

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self._content = bytearray()

    async def feed(self, chunk: bytes) -> None:
        self.hold(len(chunk))
        self._content += chunk

    async def arguments(self) -> RawArguments:
        if len(self._content) > LONG_BODY:
            return await self.site.in_thread(self.read, bytes(self._content))
        return self.read(bytes(self._content))

    @abstractmethod
    def read(self, content: bytes) -> RawArguments:
        """Return the arguments in a whole body."""


class JsonBody(PlainBody):
    """``application/json``: an object of arguments."""

    def read(self, content: bytes) -> RawArguments:
        return RawArguments(values=json_object(content) if content.strip() else {})


class UrlencodedBody(PlainBody):
    """``application/x-www-form-urlencoded`` (WHATWG URL, 5.1)."""

    def read(self, content: bytes) -> RawArguments:
        try:
            pairs = parse_qsl(content.decode(), True, errors="strict", max_num_fields=MOST_FIELDS)
        except ValueError as error:
            raise BadBody(f"The form body cannot be read: {error}.") from error
        texts: dict[str, list[str]] = {}
        for name, text in pairs:
            texts.setdefault(name, []).append(text)
        return form_arguments(texts, {})


class EmptyBody(PlainBody):
    """No body: no arguments."""

    def read(self, content: bytes) -> RawArguments:
        if content:
            raise UnsupportedBody("A body needs a Content-Type: application/json, or a form's.")
        return RawArguments()


class MultipartBody(Body):
    """``multipart/form-data`` (RFC 7578): files go to disk as they arrive.

    Parameters
    ----------
    boundary : bytes
        From the content type.
    """

    def __init__(self, site: Site, boundary: bytes) -> None:
        super().__init__(site)
        self._texts: dict[str, list[bytearray]] = {}
        self._files: dict[str, list[str]] = {}
        self._tokens: list[str] = []
        self._done: list[tuple[str, bytes]] = []  # what the parser called for, in order
        self._header = bytearray()
        self._value = bytearray()
        self._headers: dict[bytes, bytes] = {}
        self._parts = 0
        self._text: bytearray | None = None
        self._file: Inflow | None = None
        self._over = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": lambda: self._did("begin"),
                    "on_header_field": lambda data, start, end: self._did("field", data[start:end]),
                    "on_header_value": lambda data, start, end: self._did("value", data[start:end]),
                    "on_header_end": lambda: self._did("header"),
                    "on_headers_finished": lambda: self._did("headers"),
                    "on_part_data": lambda data, start, end: self._did("data", data[start:end]),
                    "on_part_end": lambda: self._did("end"),
                    "on_end": lambda: self._did("over"),
                },
            )
        except FormParserError as error:
            raise BadBody(f"The multipart body cannot be read: {error}.") from error

    def _did(self, what: str, data: bytes = b"") -> None:
        self._done.append((what, data))

    async def feed(self, chunk: bytes) -> None:
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise BadBody(f"The multipart body cannot be read: {error}.") from error
        done, self._done = self._done, []
        for what, data in done:
            await self._take(what, data)

    async def _take(self, what: str, data: bytes) -> None:
        match what:
            case "data":
                if self._file is not None:
                    await self._file.write(data)
                elif self._text is not None:
                    self.hold(len(data))
                    self._text += data
            case "field":
                self._header += data
            case "value":
                self._value += data
            case "header":
                self.hold(len(self._header) + len(self._value))
                self._headers[bytes(self._header).lower()] = bytes(self._value)
                self._header.clear()
                self._value.clear()
            case "headers":
                self._begin_part()
            case "end" if self._file is not None:
                file, self._file = self._file, None
                await file.close()
                await self.site.in_thread(self.site.uploads.finish, self._tokens[-1])
            case "over":
                self._over = True

    def _begin_part(self) -> None:
        headers, self._headers = self._headers, {}
        self._text = None
        self._parts += 1
        if self._parts > MOST_FIELDS:
            raise TooLarge(f"The form has more than {MOST_FIELDS:,} fields.")
        _, options = parse_options_header(headers.get(b"content-disposition", b""))
        if b"name" not in options:
            raise BadBody("A part of the multipart body has no name.")
        name = unquoted(options[b"name"])
        filename = options.get(b"filename")
        if filename and name != REST:
            self._file = Inflow(lambda: self._create(name, unquoted(filename)), self.site.in_thread)
        elif filename is None or name == REST:
            self._text = bytearray()
            self._texts.setdefault(name, []).append(self._text)
        # An empty file name is a browser's file field in which nothing was chosen: left out.

    def _create(self, name: str, filename: str) -> Any:
        token = self.site.uploads.create(filename, None)
        self._tokens.append(token)
        self._files.setdefault(name, []).append(token)
        return self.site.uploads.writer(token, 0)

    async def arguments(self) -> RawArguments:
        if not self._over:
            raise BadBody("The multipart body ends before its last boundary.")
        try:
            texts = {name: [bytes(t).decode() for t in several] for name, several in self._texts.items()}
        except UnicodeDecodeError as error:
            raise BadBody(f"A field of the multipart body is not UTF-8: {error}.") from error
        return form_arguments(texts, self._files)

    async def discard(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            await file.abort()
        tokens, self._tokens = self._tokens, []
        if tokens:
            await self.site.in_thread(remove_all, self.site.uploads, tokens)


def remove_all(uploads: UploadsDir, tokens: list[str]) -> None:
    """Remove uploads that no run took."""
    for token in tokens:
        with suppress(Expired, Conflict):
            uploads.remove(token)


def body_of(headers: HTTPHeaders, site: Site) -> Body:
    """Return the reader of a body.

    Raises
    ------
    UnsupportedBody
        A content type that is not read here.
    TooLarge
        It says itself that it is over the limit.
    """
    kind, options = _content_type(headers.get("Content-Type", ""))
    match kind.strip().lower():
        case b"application/json":
            body: Body = JsonBody(site)
        case b"application/x-www-form-urlencoded":
            body = UrlencodedBody(site)
        case b"multipart/form-data" if b"boundary" in options:
            return MultipartBody(site, options[b"boundary"])
        case b"":
            body = EmptyBody(site)
        case other:
            raise UnsupportedBody(
                f"{other.decode('latin-1')} is not read here: send application/json, multipart/form-data "
                "or application/x-www-form-urlencoded."
            )
    length = headers.get("Content-Length", "0")
    if length.isdecimal() and int(length[:20]) > site.limits.body:
        body.hold(site.limits.body + 1)
    return body


@functools.lru_cache(maxsize=64)
def _content_type(header: str) -> tuple[bytes, dict[bytes, bytes]]:
    return parse_options_header(header)


def json_object(content: bytes | str) -> dict[str, Any]:
    """Return a JSON object (RFC 8259: no NaN; of one name twice, the last).

    Raises
    ------
    BadBody
        It is not JSON.
    InvalidArguments
        It is JSON, and no object.
    """
    try:
        text = content if isinstance(content, str) else content.decode()
        value = _JSON.decode(text)
    except (ValueError, RecursionError) as error:
        what = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise BadBody(f"The body is not JSON: {what}.") from error
    if not isinstance(value, dict):
        raise InvalidArguments([{"loc": [], "msg": "The body must be a JSON object of arguments."}])
    return value


def _integer(digits: str) -> int:
    try:
        return int(digits)
    except ValueError:
        raise ValueError(f"a number of {len(digits):,} digits is not read") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f'{name} is no JSON, write "{name}"')


_JSON = json.JSONDecoder(parse_constant=_no_constant, parse_int=_integer)


def form_arguments(texts: Mapping[str, list[str]], uploads: Mapping[str, list[str]]) -> RawArguments:
    """Return what a form's fields say; the field named ``-`` is a JSON object, which wins."""
    rest = [text for text in texts.get(REST, []) if text.strip()]
    values = json_object(rest[-1]) if rest else {}
    return RawArguments(
        values=values,
        texts={name: several for name, several in texts.items() if name != REST},
        uploads=uploads,
    )


def unquoted(parameter: bytes) -> str:
    """Return a part's name: UTF-8, with the three escapes that browsers write (WHATWG HTML, 4.10.21.8)."""
    text = parameter.decode("utf-8", "replace")
    for escape, meant in (("%22", '"'), ("%0D", "\r"), ("%0A", "\n")):
        text = text.replace(escape, meant)
    return text
