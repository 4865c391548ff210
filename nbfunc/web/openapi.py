"""What a site offers to programs, as OpenAPI 3.1: one operation a function, and those of runs and files."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from nbfunc._version import __version__
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
    """Return the description of the functions of these hosts."""
    asked = [(source, info.name, info.group) for source in sources for info in source.host.functions()]
    forms = await asyncio.gather(*(source.host.form(name) for source, name, _ in asked))
    paths = dict(_shared(site))
    for (source, name, group), form in zip(asked, forms, strict=True):
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
            "content": {"application/json": {"schema": form["parameters"]}},
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


def _shared(site: Site) -> dict[str, dict[str, Any]]:
    """Return the paths that do not depend on functions."""
    shared = site.addresses.shared()

    def parameter(name: str) -> dict[str, Any]:
        return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}

    def ok(description: str, content: dict[str, Any] | None = None) -> dict[str, Any]:
        return {"description": description, "content": content} if content else {"description": description}

    run, file = [parameter("run")], [parameter("id"), parameter("filename")]
    so_far = {"application/json": {"schema": _ref("Run")}, "text/event-stream": EVENTS}
    return {
        f"{shared}functions": {
            "get": {"operationId": "-/functions", "responses": {"200": ok("All functions")}},
        },
        f"{shared}runs": {"get": {"operationId": "-/runs", "responses": {"200": ok("The newest runs")}}},
        f"{shared}runs/{{run}}": {
            "parameters": run,
            "get": {
                "operationId": "-/run",
                "responses": {
                    "200": ok("The run so far", so_far),
                    "204": ok("No more events"),
                    "404": NOT_FOUND,
                },
            },
            "delete": {
                "operationId": "-/cancel",
                "responses": {"200": ok("It had ended"), "202": ok("Cancelling"), "404": NOT_FOUND},
            },
        },
        f"{shared}runs/{{run}}/files.zip": {
            "parameters": run,
            "get": {
                "operationId": "-/zip",
                "responses": {
                    "200": ok("Every file of the run", {"application/zip": {}}),
                    "404": NOT_FOUND,
                    "410": _answer("Expired", "Error"),
                },
            },
        },
        f"{shared}uploads": {
            "post": {"operationId": "-/upload", "responses": {"201": ok("Created (tus 1.0)")}},
        },
        f"{shared}files/{{id}}/{{filename}}": {
            "parameters": file,
            "get": {
                "operationId": "-/file",
                "responses": {
                    "200": ok("The file", BYTES),
                    "206": ok("A range of it", BYTES),
                    "404": NOT_FOUND,
                    "410": _answer("Expired", "Error"),
                },
            },
        },
    }
