"""The resources and the routes to them. HTTP only: read the request, ask the host, write the answer."""

from __future__ import annotations

import asyncio
import mimetypes
import re
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from nbfunc.errors import AskerError, InvalidArguments, NotFound, Unfinished
from nbfunc.files import tables
from nbfunc.files.returns import Found
from nbfunc.hosts.base import FunctionHost, FunctionInfo
from nbfunc.web.bodies import Body, MultipartBody, body_of
from nbfunc.web.downloads import Download, FileResource, ZipResource
from nbfunc.web.openapi import openapi
from nbfunc.web.pages import Group
from nbfunc.web.resource import Resource
from nbfunc.web.runlog import RunLog
from nbfunc.web.site import Source
from nbfunc.web.streams import EventResource, first_events
from nbfunc.web.tus import UploadResource, UploadsResource

STATUS = {"finished": 200, "failed": 500, "cancelled": 409}
MOST_ROWS = 1000
FIRST_ROWS = 100
MOST_RUNS = 1000
# Between two looks at a table that is being written.
WRITING_SECONDS = 0.05
# What a page waits for beside its run's id: a run that is over by then costs no second request.
SHORT_SECONDS = 0.015
EVENTS_PREFERRED = re.compile(r"respond-async\s*;\s*events\b")
# What a page waits for its form's schema, which saves it a request: less than that request would take over a
# network. From a kernel the schema comes in 2 ms, or in 35 while that computes.
SCHEMA_SECONDS = 0.05
# Beyond this the body of a run takes milliseconds to make.
LONG_LOG = 1 << 20


def known(source: Source, name: str) -> FunctionInfo:
    """Return what a host says of a function of it, or raise `NotFound`."""
    name = unicodedata.normalize("NFKC", name)
    for info in source.host.functions():
        if info.name == name:
            return info
    raise NotFound(f"There is no function {name!r} here.")


async def schema_at_once(host: FunctionHost, info: FunctionInfo) -> dict[str, Any] | None:
    """Return a form's schema if its host has it now, without the options that it would have to ask for."""
    with suppress(AskerError, asyncio.TimeoutError):
        return await asyncio.wait_for(host.form(info.name, ask=False), SCHEMA_SECONDS)
    return None


class FormPages(Resource):
    """A resource that can show a form."""

    async def show(self, info: FunctionInfo, kernel: str | None) -> None:
        """Answer with the page of a function."""
        host = self.site.source_of(kernel).host
        several = len(host.functions()) > 1
        embed = self.get_query_argument("-embed", "") not in {"", "0"}
        schema = await schema_at_once(host, info)
        page = self.site.pages.form(info, schema, kernel=kernel, up=self.up(), several=several, embed=embed)
        self.write_page(page)


class IndexResource(FormPages):
    """``R``: the functions by group; the form itself where there is only one."""

    async def get(self, kernel: str | None = None) -> None:
        if self.site.refresh is not None:
            await self.site.refresh()
        sources = self.site.sources() if kernel is None else [self.site.source_of(kernel)]
        functions = [info for source in sources for info in source.host.functions()]
        if not functions:
            self.site.check()
        if len(functions) == 1 and sources[0].kernel == kernel:
            await self.show(functions[0], kernel)
        else:
            groups, notices = self._groups(sources), self.site.notices()
            self.write_page(self.site.pages.index(groups, notices=notices, up=self.up()))

    def _groups(self, sources: Sequence[Source]) -> list[Group]:
        """Return what the index shows: by notebook and group, each a list of functions and their links."""
        groups: dict[tuple[str | None, str | None, str | None], Group] = {}
        base = self.site.addresses.base
        for source in sources:
            for info in source.host.functions():
                key = source.kernel, source.notebook, info.group
                if key not in groups:
                    groups[key] = Group(info.group, source.notebook, source.state)
                url = self.up() + self.site.addresses.function(info.name, source.kernel)[len(base) :]
                groups[key].functions.append((info, url))
        return list(groups.values())

    async def head(self, kernel: str | None = None) -> None:
        await self.get(kernel)


class RunBody(EventResource):
    """A resource that answers with a run as far as it is."""

    async def write_body(self, log: RunLog) -> None:
        """Answer with the body of POST."""
        with self.site.answering():
            self.write_json(log.body() if log.size < LONG_LOG else await self.site.in_thread(log.body))


class FunctionResource(FormPages, RunBody):
    """``R<function>``: its page, and its runs."""

    _body: Body | None = None

    async def admitted(self) -> None:
        if self.request.method == "POST":
            body = body_of(self.request.headers, self.site)
            if isinstance(body, MultipartBody):
                # Gigabytes may follow: not for a function that is not there.
                source = self.site.source_of(self.path_kwargs.get("kernel"))
                known(source, self.path_kwargs["function"])
                self.expect_files()
            self._body = body

    async def receive(self, chunk: bytes) -> None:
        if self._body is None:
            await super().receive(chunk)
            return
        try:
            await self.readmit()
            await self._body.feed(chunk)
        except BaseException:
            await self._body.discard()
            raise

    def on_connection_close(self) -> None:
        body, self._body = self._body, None
        if body is not None:
            self.site.later(body.discard())
        super().on_connection_close()

    async def get(self, function: str, kernel: str | None = None) -> None:
        await self.show(known(self.site.source_of(kernel), function), kernel)

    async def head(self, function: str, kernel: str | None = None) -> None:
        await self.get(function, kernel)

    async def post(self, function: str, kernel: str | None = None) -> None:
        log = await self._start(unicodedata.normalize("NFKC", function), kernel)
        self.set_header("Location", self.site.addresses.run(log.id))
        prefer = self.request.headers.get("Prefer", "")
        if prefer and "respond-async" in preferences(prefer):
            self.set_status(202)
            self.set_header("Preference-Applied", "respond-async")
            if not EVENTS_PREFERRED.search(prefer):
                self.write_json({"run": log.id})
                return
            # A page shows the result of a short function without having to ask for its events.
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(log.end(), SHORT_SECONDS)
            self.write_json(first_events(log))
        elif self.accepts("text/event-stream"):
            await self.stream_run(log, 0)
        else:
            await log.end()
            await self.readmit()
            self.set_status(STATUS[log.status])
            await self.write_body(log)

    async def _start(self, function: str, kernel: str | None) -> RunLog:
        body, self._body = self._body, None
        assert body is not None  # `admitted` set it
        try:
            raw = await body.arguments()
            host = self.site.source_of(kernel).host
            return await self.site.runs.start(host, function, raw, kernel=kernel, user=self.user)
        except BaseException:
            await body.discard()
            raise


class SlashedResource(Resource):
    """``R<function>/``: the form, with one slash too many."""

    async def get(self, function: str, kernel: str | None = None) -> None:
        known(self.site.source_of(kernel), function)
        self.redirect(f"../{quote(function, safe='')}{self.query()}")

    async def head(self, function: str, kernel: str | None = None) -> None:
        await self.get(function, kernel)


class UnslashedResource(FunctionResource):
    """The site's prefix with one slash too few: the index, unless a function has that name."""

    async def get(self, function: str, kernel: str | None = None) -> None:
        try:
            await super().get(function, kernel)
        except NotFound:
            self.redirect(f"{self.request.path.rpartition('/')[2]}/{self.query()}")


class SchemaResource(Resource):
    """``R<function>/schema``."""

    async def get(self, function: str, kernel: str | None = None) -> None:
        name = unicodedata.normalize("NFKC", function)
        self.write_json(await self.site.source_of(kernel).host.form(name))


class FunctionsResource(Resource):
    """``S functions``: what there is, of all hosts."""

    async def get(self) -> None:
        if self.site.refresh is not None:
            await self.site.refresh()
        self.write_json([row for source in self.site.sources() for row in self._rows(source)])

    def _rows(self, source: Source) -> list[dict[str, Any]]:
        place = {"kernel": source.kernel, "notebook": source.notebook, "state": source.state}
        more = {name: value for name, value in place.items() if value is not None}
        return [
            {
                "name": info.name,
                "title": info.title,
                "description": info.description,
                "group": info.group,
                "url": self.site.addresses.function(info.name, source.kernel),
                **more,
            }
            for info in source.host.functions()
        ]


class EventsResource(EventResource):
    """``S events``: one stream for a page, of several runs and of what changes around them."""

    async def get(self) -> None:
        runs = []
        for given in self.get_query_arguments("run")[:MOST_RUNS]:
            run, _, after = given.partition(":")
            runs.append((run, event_number(after)))
        changes = self.get_query_argument("changes", "0") not in {"", "0"}
        await self.stream_page(runs, changes=changes)


class RunsResource(Resource):
    """``S runs``: the newest runs first."""

    async def get(self) -> None:
        self.write_json([log.summary() for log in self.runs()[:MOST_RUNS]])


class RunResource(RunBody):
    """``S runs/<id>``: a run as far as it is, as events or as the body of POST."""

    async def get(self, run: str) -> None:
        log = self.run_of(run)
        if not self.accepts("text/event-stream"):
            await self.write_body(log)
            return
        last = self.request.headers.get("Last-Event-ID") or self.get_query_argument("after", "0")
        after = event_number(last)
        if log.ended is not None and not log.after(after, 1):
            self.set_status(204)
        else:
            await self.stream_run(log, after)

    async def delete(self, run: str) -> None:
        log = self.run_of(run)
        if log.ended is None:
            await self.site.runs.cancel(log)
            self.set_status(202)
        self.write_json({"status": log.status if log.ended is not None else "cancelling"})


class TableResource(Download):
    """``S tables/<id>/<filename>``: a page of a returned table, or all of it as CSV."""

    async def get(self, file: str, filename: str) -> None:
        form = self.get_query_argument("format", "json")
        if form not in {"json", "csv"}:
            raise InvalidArguments([{"loc": ["format"], "msg": "Must be json or csv."}])
        found = await self._found(file, filename)
        if form == "csv":
            self.offer(f"{filename.rpartition('.')[0] or filename}.csv")
            await self.send(self.joined(tables.csv_pieces(found.path)))
            return
        self.write_json(await self.site.in_thread(self._query, found.path))

    async def head(self, file: str, filename: str) -> None:
        await self.get(file, filename)

    async def _found(self, file: str, filename: str) -> Found:
        """Return a table, once it is whole: what is told of early is still being written for a while."""
        while True:
            try:
                return await self.site.in_thread(self.site.returns.find, file, filename)
            except Unfinished:
                if self.left:
                    raise
                # It may be another process that writes it, which tells nobody when it is done.
                await asyncio.sleep(WRITING_SECONDS)

    def _query(self, path: Path) -> tables.Page:
        limit = self._count("limit")
        return tables.query(
            path,
            offset=self._count("offset") or 0,
            limit=FIRST_ROWS if limit is None else min(limit, MOST_ROWS),
            sort=self._count("sort"),
            descending=self.get_query_argument("descending", "0") not in {"", "0"},
            q=self.get_query_argument("q", ""),
        )

    def _count(self, name: str) -> int | None:
        text = self.get_query_argument(name, "")
        if text and not (text.isascii() and text.isdecimal() and len(text) < 16):
            raise InvalidArguments([{"loc": [name], "msg": "Must be a whole number, 0 or more."}])
        return int(text) if text else None


class OpenApiResource(Resource):
    """``S openapi.json``."""

    async def get(self) -> None:
        kernel = self.get_query_argument("kernel", None)
        source = None if kernel is None else self.site.source_of(kernel)
        self.write_json(await openapi(self.site, [source] if source else list(self.site.sources())))


class StaticResource(Resource):
    """``S static/<file>``. Public: a login page needs them too."""

    public = True

    async def get(self, name: str) -> None:
        content, packed = await self.site.in_thread(self.site.pages.built.file, name)
        self.set_header("Content-Type", mimetypes.guess_type(name)[0] or "application/octet-stream")
        self.set_header("Cache-Control", "public, max-age=31536000, immutable")
        self.set_header("Vary", "Accept-Encoding")
        if self.accepts("gzip", "Accept-Encoding"):
            self.set_header("Content-Encoding", "gzip")
            content = packed
        self.write(content)

    async def head(self, name: str) -> None:
        await self.get(name)


def event_number(text: str) -> int:
    """Return the number of an event that a client has seen; 0 for none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0


def preferences(header: str) -> set[str]:
    """Return the names in ``Prefer`` (RFC 7240)."""
    return {part.split(";")[0].split("=")[0].strip().lower() for part in header.split(",")}


def unslashed(base: str) -> str:
    """Return the route to a site's prefix without its last slash, of which one part may be a function."""
    above, _, last = base[:-1].rpartition("/")
    return f"{re.escape(base[:-1])}(?P<function>)" if above else f"/(?P<function>{re.escape(last)})"


def routes(*, prefix: str, kernel: str = "") -> list[tuple[str, type[Resource]]]:
    """Return the routes of a site: a regular expression and a resource each.

    Parameters
    ----------
    prefix : str
        A regular expression for what comes before S and R, with its last slash.
    kernel : str
        A regular expression for what stands between that and a function's name; a group named ``kernel``
        says which host it is. Where there is one, the prefix alone is the index of all hosts.
    """
    run = "(?P<run>[A-Za-z0-9_-]+)"
    stored = "(?P<file>[^/]+)/(?P<filename>[^/]+)"
    resources: list[tuple[str, type[Resource]]] = [
        # First, since Tornado tries them in turn, and runs are what must be quick.
        (f"(?!-/){kernel}(?P<function>[^/]+)", FunctionResource),
        ("-/functions", FunctionsResource),
        ("-/events", EventsResource),
        ("-/runs", RunsResource),
        (f"-/runs/{run}", RunResource),
        (f"-/runs/{run}/files\\.zip", ZipResource),
        ("-/uploads", UploadsResource),
        ("-/uploads/(?P<token>[^/]+)", UploadResource),
        (f"-/files/{stored}", FileResource),
        (f"-/tables/{stored}", TableResource),
        ("-/openapi\\.json", OpenApiResource),
        ("-/static/(?P<name>[^/]+)", StaticResource),
        (kernel, IndexResource),
        (f"{kernel}(?P<function>[^/]+)/schema", SchemaResource),
        (f"(?!-/){kernel}(?P<function>[^/]+)/", SlashedResource),
    ]
    if kernel:
        resources.append(("", IndexResource))
    return [(prefix + pattern, resource) for pattern, resource in resources]
