"""Addresses: what a host names by id, a browser finds by address. Only this side writes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any
from urllib.parse import quote

from pydantic_core import to_json

from nbfunc.core.events import Display, File, Image, Output, StoredFile, Table, Text

KEPT_SECONDS = 3600.0


@dataclass(frozen=True)
class Addresses:
    """The addresses of one site.

    Attributes
    ----------
    base : str
        Where the site begins, with both slashes: ``/``, ``/prefix/`` or ``<base_url>nbfunc/``.
    """

    base: str = "/"

    def functions(self, kernel: str | None = None) -> str:
        """Return R, below which the functions of a host are."""
        return self.base if kernel is None else f"{self.base}{quote(kernel, safe='')}/"

    def function(self, name: str, kernel: str | None = None) -> str:
        """Return R<function>."""
        return self.functions(kernel) + quote(name, safe="")

    def shared(self, *parts: str) -> str:
        """Return an address below S, which is common to all hosts."""
        return f"{self.base}-/" + "/".join(quote(part, safe="") for part in parts)

    def run(self, run: str) -> str:
        """Return the address of a run."""
        return f"{self.base}-/runs/{run}"

    def file(self, file: StoredFile) -> str:
        """Return the address of a returned file."""
        return self.shared("files", file.id, file.filename)

    def table(self, file: StoredFile) -> str:
        """Return the address that answers for a table."""
        return self.shared("tables", file.id, file.filename)

    def output(self, output: Output) -> dict[str, Any]:
        """Return an output as clients read it, but for `expires_in`, which is known when it is sent."""
        match output:
            case Text():
                wire: dict[str, Any] = {"kind": "text", "text": output.text}
                if output.has_value:
                    wire["value"] = output.value
                if output.file is not None:
                    wire["url"] = self.file(output.file)
                return wire
            case Image():
                return {
                    "kind": "image",
                    "url": self.file(output.file),
                    "width": output.width,
                    "height": output.height,
                }
            case Table():
                url = self.table(output.file)
                shown = output.model_dump(include={"kind", "columns", "rows", "total"})
                return {**shown, "url": url, "csv": f"{url}?format=csv"}
            case File():
                file = output.file
                return {
                    "kind": "file",
                    "url": self.file(file),
                    "filename": file.filename,
                    "size": file.size,
                    "expires": rfc3339(file.created + KEPT_SECONDS),
                }
            case Display():
                links = {mime: {"url": self.file(file)} for mime, file in output.files.items()}
                return {"kind": "display", "data": {**output.data, **links}, "metadata": output.metadata}


def rfc3339(seconds: float) -> str:
    """Return a time since the epoch as RFC 3339 has it, in UTC."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def json_bytes(value: Any) -> bytes:
    """Return JSON as this side writes it: not-a-number and infinity are words."""
    return to_json(value, inf_nan_mode="strings")
