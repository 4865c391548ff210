"""What a run says on its way: a tagged union, the wire format of every transport.

A host names the files of an output by their id (`StoredFile`); only the web side turns ids into addresses.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Discriminator, TypeAdapter


class _Tagged(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class StoredFile(_Tagged):
    """A file in the returns directory.

    Attributes
    ----------
    id : str
        Unguessable, and all that is needed to find it.
    filename : str
        The name to offer.
    size : int
        In bytes.
    created : float
        When it was whole, in seconds since the epoch.
    """

    id: str
    filename: str
    size: int
    created: float


class Text(_Tagged):
    """Text. `value` is the result itself where JSON holds it; `file` is the whole where `text` is cut."""

    kind: Literal["text"] = "text"
    text: str
    value: Any = None
    has_value: bool = False
    file: StoredFile | None = None


class Image(_Tagged):
    """A picture; its size in pixels."""

    kind: Literal["image"] = "image"
    file: StoredFile
    width: int
    height: int


class Column(_Tagged):
    """A table's column; `type` is ``number``, ``boolean``, ``date`` or ``text``."""

    name: str
    type: Literal["number", "boolean", "date", "text"]


Cell: TypeAlias = bool | int | float | str | None


class Table(_Tagged):
    """A table: its first rows, and the SQLite file that answers for the rest.

    A long one is told of while its file is still being written, which is what `whole` says then: who asks
    for more of it waits. It is whole, or given up, before the run ends.
    """

    kind: Literal["table"] = "table"
    columns: list[Column]
    rows: list[list[Cell]]
    total: int
    file: StoredFile
    whole: bool = True


class File(_Tagged):
    """A file to download."""

    kind: Literal["file"] = "file"
    file: StoredFile


class Display(_Tagged):
    """A MIME bundle as a notebook cell shows it; `files` holds what is neither text nor JSON."""

    kind: Literal["display"] = "display"
    data: dict[str, Any]
    metadata: dict[str, Any] = {}
    files: dict[str, StoredFile] = {}


Output: TypeAlias = Annotated[Text | Image | Table | File | Display, Discriminator("kind")]


class Queued(_Tagged):
    """The run waits; `position` 0 starts now."""

    kind: Literal["queued"] = "queued"
    run: str
    position: int


class Started(_Tagged):
    """The function was called."""

    kind: Literal["started"] = "started"
    run: str


class Printed(_Tagged):
    """Text that the function printed."""

    kind: Literal["printed"] = "printed"
    stream: Literal["stdout", "stderr"]
    text: str


class Progress(_Tagged):
    """How far the function is: `done` of `total`, which is None where nobody knows."""

    kind: Literal["progress"] = "progress"
    done: float
    total: float | None = None
    text: str = ""


class OutputEvent(_Tagged):
    """One thing that the function returned, yielded or displayed."""

    kind: Literal["output"] = "output"
    output: Output


class Finished(_Tagged):
    """The last event of a run that ended well."""

    kind: Literal["finished"] = "finished"


class Failed(_Tagged):
    """The last event of a run that raised; `traceback` stays on the server unless it shows them."""

    kind: Literal["failed"] = "failed"
    type: str
    message: str
    traceback: str | None = None

    def __str__(self) -> str:
        return f"{self.type}: {self.message}" if self.message else self.type


class CancelledEvent(_Tagged):
    """The last event of a run that was cancelled."""

    kind: Literal["cancelled"] = "cancelled"


Event: TypeAlias = Annotated[
    Queued | Started | Printed | Progress | OutputEvent | Finished | Failed | CancelledEvent,
    Discriminator("kind"),
]
Last: TypeAlias = Finished | Failed | CancelledEvent

EVENT: TypeAdapter[Event] = TypeAdapter(Event)
