"""What an administrator may want to know, as jupyter_events: who ran what, how it ended, which files left.

Names and sizes, never the values of arguments.
"""

from __future__ import annotations

from typing import Any

from nbfunc.web.runlog import RunLog

FUNCTION = "https://schema.jupyter.org/nbfunc/function/v1"
RUN = "https://schema.jupyter.org/nbfunc/run/v1"
DOWNLOAD = "https://schema.jupyter.org/nbfunc/download/v1"

_TEXT = {"type": "string"}
_FILES = {
    "type": "array",
    "items": {"type": "object", "properties": {"filename": _TEXT, "size": {"type": "integer"}}},
}


def _schema(
    schema: str, title: str, description: str, actions: list[str], **properties: Any
) -> dict[str, Any]:
    return {
        "$id": schema,
        "version": "1",
        "title": title,
        "personal-data": True,
        "description": description,
        "type": "object",
        "required": ["action"],
        "properties": {"action": {"enum": actions}, **properties},
    }


SCHEMAS = (
    _schema(
        FUNCTION,
        "Functions exposed",
        "A function of a kernel became a form, or is one no more.",
        ["exposed", "removed"],
        function=_TEXT,
        kernel=_TEXT,
    ),
    _schema(
        RUN,
        "Runs",
        "A run was asked for, or has ended: how, after how many seconds, with which files.",
        ["started", "ended"],
        run=_TEXT,
        function=_TEXT,
        kernel=_TEXT,
        user=_TEXT,
        status={"enum": ["finished", "failed", "cancelled"]},
        error=_TEXT,
        seconds={"type": "number"},
        files=_FILES,
    ),
    _schema(
        DOWNLOAD,
        "Downloads",
        "A returned file was sent to somebody.",
        ["downloaded"],
        user=_TEXT,
        filename=_TEXT,
        size={"type": "integer"},
    ),
)


class JupyterAudit:
    """Emits what happens; satisfies `nbfunc.web.site.Audit`.

    Parameters
    ----------
    events : jupyter_events.EventLogger
        Of the server.
    """

    def __init__(self, events: Any) -> None:
        self._events = events
        for schema in SCHEMAS:
            if schema["$id"] not in events.schemas:
                events.register_event_schema(schema)

    def function(self, action: str, name: str, kernel: str) -> None:
        """A function was ``"exposed"``, or ``"removed"``."""
        self._emit(FUNCTION, action=action, function=name, kernel=kernel)

    def started(self, log: RunLog) -> None:
        self._emit(RUN, action="started", **_run(log))

    def ended(self, log: RunLog) -> None:
        files = [{"filename": file.filename, "size": file.size} for file in log.files]
        seconds = (log.ended or 0.0) - (log.started or log.ended or 0.0)
        error = {} if log.failure is None else {"error": log.failure.type}
        self._emit(RUN, action="ended", status=log.status, seconds=seconds, files=files, **error, **_run(log))

    def downloaded(self, filename: str, size: int, user: str | None) -> None:
        who = {} if user is None else {"user": user}
        self._emit(DOWNLOAD, action="downloaded", filename=filename, size=size, **who)

    def _emit(self, schema: str, **data: Any) -> None:
        self._events.emit(schema_id=schema, data=data)


def _run(log: RunLog) -> dict[str, str]:
    said = {"run": log.id, "function": log.function, "kernel": log.kernel, "user": log.user}
    return {name: value for name, value in said.items() if value is not None}
