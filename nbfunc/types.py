"""What authors write in annotations and return: field markers, file types and `FileResponse`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from nbfunc.names import clean_filename

__all__ = [
    "AudioFile",
    "Color",
    "DataFile",
    "DocumentFile",
    "Dropdown",
    "Email",
    "Field",
    "File",
    "FileHint",
    "FileResponse",
    "ImageFile",
    "Label",
    "Multiline",
    "OptionalDisabled",
    "OptionalEnabled",
    "Password",
    "Placeholder",
    "Slider",
    "TextFile",
    "VideoFile",
]


@dataclass(frozen=True)
class Slider:
    """A number with both bounds is drawn as a slider: ``Annotated[int, Field(ge=0, le=10), Slider()]``."""


@dataclass(frozen=True)
class Multiline:
    """A text of several lines.

    Parameters
    ----------
    rows : int
        Lines that are visible at once.
    """

    rows: int = 5


@dataclass(frozen=True)
class Password:
    """A text that is not shown while it is typed, never prefilled and never remembered."""


@dataclass(frozen=True)
class Placeholder:
    """A hint in the empty field.

    Parameters
    ----------
    text : str
        The hint.
    """

    text: str


@dataclass(frozen=True)
class Label:
    """The field's label, where the parameter's name is not the right one.

    Parameters
    ----------
    text : str
        The label.
    """

    text: str


@dataclass(frozen=True)
class Dropdown:
    """A dropdown whose options are asked for each time the form opens.

    Parameters
    ----------
    options : callable
        Takes nothing; returns a list, a tuple or one value. Values are text, numbers or booleans.
    """

    options: Callable[[], Any]


@dataclass(frozen=True)
class FileHint:
    """What a file field takes.

    Parameters
    ----------
    extensions : tuple of str
        Such as ``(".csv", ".tsv")``, matched in any case; empty takes every file.
    max_size : int, optional
        In bytes; none by default.
    """

    extensions: tuple[str, ...] = ()
    max_size: int | None = None

    def __post_init__(self) -> None:
        if self.max_size is not None and self.max_size <= 0:
            raise ValueError(f"FileHint(max_size={self.max_size}) lets no file pass: give bytes, or nothing.")
        given = (self.extensions,) if isinstance(self.extensions, str) else tuple(self.extensions)
        dotted = tuple("." + extension.lower().lstrip(".") for extension in given)
        object.__setattr__(self, "extensions", dotted)


@dataclass(frozen=True)
class ColorHint:
    """Marks `Color`."""


@dataclass(frozen=True)
class EmailHint:
    """Marks `Email`."""


@dataclass(frozen=True)
class Switch:
    """Marks `OptionalEnabled` and `OptionalDisabled`: where a field's switch stands at the start."""

    on: bool


OptionalEnabled = Annotated[None, Switch(on=True)]
OptionalDisabled = Annotated[None, Switch(on=False)]

Color = Annotated[str, ColorHint()]
Email = Annotated[str, EmailHint()]


def _extensions(names: str) -> FileHint:
    return FileHint(tuple(names.split()))


File = Annotated[str, FileHint()]
ImageFile = Annotated[str, _extensions("png jpg jpeg gif webp bmp tiff svg ico heic avif")]
DataFile = Annotated[str, _extensions("csv tsv xlsx xls json xml yaml yml parquet")]
TextFile = Annotated[str, _extensions("txt md log rtf")]
DocumentFile = Annotated[str, _extensions("pdf doc docx odt ppt pptx odp xls xlsx ods")]
VideoFile = Annotated[str, _extensions("mp4 webm mov avi mkv m4v mpeg")]
AudioFile = Annotated[str, _extensions("mp3 wav ogg flac m4a aac opus")]


# Set within a run: takes a file in at once, and returns what the run knows it by.
TAKE_IN: ContextVar[Callable[[FileResponse], object] | None] = ContextVar("nbfunc_take_in", default=None)


class FileResponse:
    """A file to download: returned by a function, kept for one hour.

    Exactly one of `data`, `path` and `chunks` says what is in it.

    Parameters
    ----------
    data : bytes, optional
        The content (also `bytearray` or `memoryview`).
    path : str or os.PathLike, optional
        A regular file that exists. Within a run it is taken in at once, and may be overwritten or deleted
        the next moment; elsewhere when a run returns it.
    chunks : iterable of bytes, optional
        The content, made as it is written: constant memory at any size.
    filename : str, optional
        The name that the browser offers. Needed with `data` and `chunks`; the path's own otherwise.
        Separators and control characters become ``_``.
    move : bool
        Hand the file at `path` over instead of copying it: the original is gone, at no cost.

    Raises
    ------
    ValueError
        No source, or more than one; no `filename`, or nothing left of it; `move` without `path`; a path
        that is not a regular file.
    TypeError
        A source of another type.

    Examples
    --------
    >>> FileResponse(data=b"Hello", filename="hello.txt").filename
    'hello.txt'
    """

    __slots__ = ("chunks", "data", "filename", "move", "path", "taken")

    def __init__(
        self,
        data: bytes | bytearray | memoryview | None = None,
        *,
        path: str | os.PathLike[str] | None = None,
        chunks: Iterable[bytes] | None = None,
        filename: str | None = None,
        move: bool = False,
    ) -> None:
        sources = [
            name for name, value in (("data", data), ("path", path), ("chunks", chunks)) if value is not None
        ]
        if len(sources) != 1:
            given = " and ".join(sources) if sources else "nothing"
            raise ValueError(f"FileResponse takes exactly one of data=, path= and chunks=; got {given}.")
        if move and path is None:
            raise ValueError("FileResponse(move=True) hands a file over: it goes with path=.")
        if data is not None and not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"FileResponse(data=) takes bytes, not {type(data).__name__}: encode text first.")
        if isinstance(chunks, (str, bytes, bytearray)):
            raise TypeError(f"FileResponse(chunks=) takes an iterable of bytes, not {type(chunks).__name__}.")
        if chunks is not None and not isinstance(chunks, Iterable):
            raise TypeError(f"FileResponse(chunks=) takes an iterable of bytes, not {type(chunks).__name__}.")
        self.data = data
        self.chunks = chunks
        self.path = None if path is None else _regular_file(path)
        self.move = move
        if filename is None:
            if path is None:
                raise ValueError(
                    f"FileResponse({sources[0]}=) needs filename=, the name to download it under."
                )
            filename = os.path.basename(os.fspath(path)) or self.path.name  # type: ignore[union-attr]  # path given
        self.filename = clean_filename(filename)
        take = TAKE_IN.get()
        self.taken = None if take is None or self.path is None else take(self)

    def __repr__(self) -> str:
        return f"FileResponse(filename={self.filename!r})"


def _regular_file(path: str | os.PathLike[str]) -> Path:
    """Return the file behind `path`, links resolved."""
    if not os.fspath(path):
        raise ValueError("FileResponse(path='') names no file.")
    try:
        resolved = Path(path).expanduser().resolve(strict=True)
    # A link to itself before Python 3.13, and the home of somebody who is not there, are RuntimeErrors.
    except (OSError, RuntimeError) as error:
        said = getattr(error, "strerror", None) or str(error).rstrip(".")
        raise ValueError(f"FileResponse(path={os.fspath(path)!r}): {said}.") from error
    if not resolved.is_file():
        raise ValueError(f"FileResponse(path={os.fspath(path)!r}) is not a regular file: zip a folder first.")
    return resolved
