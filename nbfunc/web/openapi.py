"""What a site offers to programs, as OpenAPI 3.1: one operation a function, and those of runs and files."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from nbfunc._version import __version__
from nbfunc.errors import AskerError
from nbfunc.web.site import Site, Source

ERROR = {
    "type": "object",
    "properties": {"message": {"type": "string"}, "reason": {"type": "string"}},
    "required": ["message", "reason"],
}
PROBLEMS = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "loc": {"type": "array", "items": {"type": ["string", "integer"]}},
            "msg": {"type": "string"},
        },
        "required": ["loc", "msg"],
    },
}
OUTPUT = {
    "type": "object",
    "properties": {"kind": {"enum": ["text", "image", "table", "file", "display"]}},
    "required": ["kind"],
}
RUN = {
    "type": "object",
    "properties": {
        "run": {"type": "string"},
        "status": {
            "enum": ["queued", "running", "cancelling", "finished", "failed", "cancelled", "invalid"],
        },
        "printed": {"type": "string"},
        "outputs": {"type": "array", "items": {"$ref": "#/components/schemas/Output"}},
        "error": {
            "type": "object",
            "properties": {"type": {"type": "string"}, "message": {"type": "string"}},
            "required": ["type", "message"],
        },
        "errors": {"$ref": "#/components/schemas/Problems"},
        "message": {"type": "string"},
        "reason": {"type": "string"},
    },
    "required": ["status"],
}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _answer(description: str, schema: str, **more: Any) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": _ref(schema)}}, **more}


NOT_FOUND = _answer("No such function, run or file", "Error")
EVENTS = {"schema": {"type": "string", "description": "Server-sent events"}}
BYTES: dict[str, Any] = {"application/octet-stream": {}}


async def openapi(site: Site, sources: Sequence[Source]) -> dict[str, Any]:
    """Return the description of the functions of these hosts; of several, those that answer.

    What a dropdown offers is not in it: that is asked for when a form opens.
    """
    asked = [(source, info.name, info.group) for source in sources for info in source.host.functions()]
    forms = await asyncio.gather(
        *(source.host.form(name, ask=False) for source, name, _ in asked), return_exceptions=True
    )
    paths = dict(_shared(site))
    for (source, name, group), form in zip(asked, forms, strict=True):
        if isinstance(form, AskerError) and len(sources) > 1:
            continue
        if isinstance(form, BaseException):
            raise form
        url = site.addresses.function(name, source.kernel)
        tags = [tag for tag in (source.notebook or source.kernel, group) if tag]
        unique = name if source.kernel is None else f"{source.kernel}/{name}"
        paths[url] = {"post": _call(unique, form, tags)}
        paths[f"{url}/schema"] = {
            "get": {
                "operationId": f"{unique}/schema",
                "summary": f"The form of {form['title']}",
                "tags": tags,
                "responses": {"200": {"description": "Title and parameters"}, "404": NOT_FOUND},
            }
        }
    return {
        "openapi": "3.1.0",
        "info": {"title": site.pages.title or "Functions", "version": __version__},
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "paths": paths,
        "components": {"schemas": {"Error": ERROR, "Problems": PROBLEMS, "Output": OUTPUT, "Run": RUN}},
    }


def _call(unique: str, form: dict[str, Any], tags: list[str]) -> dict[str, Any]:
    location = {"Location": {"description": "The run's address", "schema": {"type": "string"}}}
    finished = _answer("Finished", "Run", headers=location)
    finished["content"]["text/event-stream"] = EVENTS
    return {
        "operationId": unique,
        "summary": form["title"],
        "description": form["description"],
        "tags": tags,
        "parameters": [
            {
                "name": "Prefer",
                "in": "header",
                "description": "respond-async: 202 at once, with the run's id",
                "schema": {"type": "string"},
            }
        ],
        "requestBody": {
            "required": bool(form["parameters"].get("required")),
            "content": {"application/json": {"schema": _lasting(form["parameters"])}},
        },
        "responses": {
            "200": finished,
            "202": _answer("Started", "Run", headers=location),
            "404": NOT_FOUND,
            "409": _answer("Cancelled", "Run", headers=location),
            "422": _answer("Some values do not fit; nothing was run", "Run"),
            "500": _answer("The function failed", "Run", headers=location),
            "503": _answer("Too many runs wait", "Error"),
        },
    }


def _lasting(schema: Any) -> Any:
    """Return a schema that holds on another day too: a dynamic dropdown takes what it will offer then."""
    if isinstance(schema, list):
        return [_lasting(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    dynamic = schema.get("x-nbfunc", {}).get("dynamic", False)
    return {name: _lasting(value) for name, value in schema.items() if not (dynamic and name == "enum")}


def _parameter(name: str, place: str, description: str, kind: str = "string") -> dict[str, Any]:
    """Return a parameter; those in a path are required, and those in a header of tus."""
    required = place != "query"
    schema = {"type": kind}
    return {"name": name, "in": place, "required": required, "description": description, "schema": schema}


def _ok(description: str, content: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"description": description, "content": content} if content else {"description": description}


def _shared(site: Site) -> dict[str, dict[str, Any]]:
    """Return the paths that do not depend on functions."""
    return {site.addresses.shared() + path: verbs for path, verbs in {**_RUNS, **_UPLOADS, **_FILES}.items()}


_EXPIRED = _answer("Expired", "Error")
_SO_FAR = {"application/json": {"schema": _ref("Run")}, "text/event-stream": EVENTS}
_STORED = [
    _parameter("id", "path", "As the result's address has it"),
    _parameter("filename", "path", "The same"),
]
_RUNS: dict[str, dict[str, Any]] = {
    "functions": {
        "get": {"operationId": "-/functions", "responses": {"200": _ok("All functions")}},
    },
    "events": {
        "get": {
            "operationId": "-/events",
            "parameters": [
                _parameter("changes", "query", "1: tell of functions that change or go, and of kernels"),
                _parameter("run", "query", "id:n, the events of a run after its n-th; may be repeated"),
            ],
            "responses": {"200": _ok("Events of several runs", {"text/event-stream": EVENTS})},
        },
    },
    "runs": {"get": {"operationId": "-/runs", "responses": {"200": _ok("The newest runs")}}},
    "runs/{run}": {
        "parameters": [_parameter("run", "path", "The run's id")],
        "get": {
            "operationId": "-/run",
            "parameters": [_parameter("after", "query", "Of the events, those after this one", "integer")],
            "responses": {
                "200": _ok("The run so far", _SO_FAR),
                "204": _ok("No more events"),
                "404": NOT_FOUND,
            },
        },
        "delete": {
            "operationId": "-/cancel",
            "responses": {"200": _ok("It had ended"), "202": _ok("Cancelling"), "404": NOT_FOUND},
        },
    },
    "runs/{run}/files.zip": {
        "parameters": [_parameter("run", "path", "The run's id")],
        "get": {
            "operationId": "-/zip",
            "responses": {
                "200": _ok("Every file of the run", {"application/zip": {}}),
                "404": NOT_FOUND,
                "410": _EXPIRED,
            },
        },
        "head": {
            "operationId": "-/zip/about",
            "responses": {"200": _ok("Its size and name"), "404": NOT_FOUND, "410": _EXPIRED},
        },
    },
}
_TUS = _parameter("Tus-Resumable", "header", "1.0.0 (tus.io)")
_UPLOADS: dict[str, dict[str, Any]] = {
    "uploads": {
        "post": {
            "operationId": "-/upload",
            "parameters": [
                _TUS,
                _parameter("Upload-Length", "header", "Bytes", "integer"),
                _parameter("Upload-Metadata", "header", "filename, a space, the name in base64"),
            ],
            "responses": {
                "201": _ok("Created: the last part of Location is the token"),
                "412": _answer("Another tus", "Error"),
                "413": _answer("Too large", "Error"),
            },
        },
    },
    "uploads/{token}": {
        "parameters": [_parameter("token", "path", "The last part of Location"), _TUS],
        "patch": {
            "operationId": "-/upload/more",
            "parameters": [_parameter("Upload-Offset", "header", "Bytes that are there", "integer")],
            "requestBody": {"required": True, "content": {"application/offset+octet-stream": {}}},
            "responses": {
                "204": _ok("Taken: Upload-Offset says how far it is"),
                "409": _answer("Another offset", "Error"),
                "410": _EXPIRED,
            },
        },
        "head": {
            "operationId": "-/upload/offset",
            "responses": {"200": _ok("Upload-Offset says how far it is"), "410": _EXPIRED},
        },
        "delete": {
            "operationId": "-/upload/drop",
            "responses": {"204": _ok("Gone"), "410": _EXPIRED},
        },
    },
}
_FILES: dict[str, dict[str, Any]] = {
    "files/{id}/{filename}": {
        "parameters": _STORED,
        "get": {
            "operationId": "-/file",
            "responses": {
                "200": _ok("The file", BYTES),
                "206": _ok("A range of it", BYTES),
                "404": NOT_FOUND,
                "410": _EXPIRED,
            },
        },
        "head": {
            "operationId": "-/file/about",
            "responses": {"200": _ok("Its size and name"), "404": NOT_FOUND, "410": _EXPIRED},
        },
    },
    "tables/{id}/{filename}": {
        "parameters": _STORED,
        "get": {
            "operationId": "-/table",
            "parameters": [
                _parameter("offset", "query", "Rows to leave out", "integer"),
                _parameter("limit", "query", "Rows to return, at most 1000", "integer"),
                _parameter("sort", "query", "A column's index", "integer"),
                _parameter("descending", "query", "1: the largest first"),
                _parameter("q", "query", "Only rows with this text"),
                _parameter("format", "query", "csv: all of it, as a file"),
            ],
            "responses": {
                "200": _ok("Rows, and how many there are", {"application/json": {}, "text/csv": {}}),
                "404": NOT_FOUND,
                "410": _EXPIRED,
                "422": _answer("Not a number, or no such column", "Error"),
            },
        },
        "head": {
            "operationId": "-/table/about",
            "responses": {"200": _ok("Its type and name"), "404": NOT_FOUND, "410": _EXPIRED},
        },
    },
}
