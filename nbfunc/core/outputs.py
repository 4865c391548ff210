"""What a value looks like: one ordered table, value -> Outputs, first match wins.

Optional packages are recognized by what is already imported: a value of pandas exists only where pandas does.
"""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from itertools import chain, islice
from pathlib import Path
from typing import Any, Protocol, TypeAlias
from weakref import WeakSet

from nbfunc.core import tabular
from nbfunc.core.events import Cell, Display, File, Image, Output, StoredFile, Table, Text
from nbfunc.core.mailbox import unicode_only
from nbfunc.types import FileResponse

log = logging.getLogger("nbfunc")

MOST_TEXT = 1 << 20
FIRST_ROWS = 100
# Longer tables take tenths of seconds and more to write.
PROMISED_CELLS = 100_000


class Stored(Protocol):
    """A file that is kept: its id, the name to offer, its size in bytes, when it was whole."""

    @property
    def id(self) -> str: ...
    @property
    def filename(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def created(self) -> float: ...


class Store(Protocol):
    """Where returned files go; blocking."""

    def put(
        self,
        source: bytes | bytearray | memoryview | Path | Iterable[bytes],
        filename: str,
        *,
        move: bool = False,
    ) -> Stored:
        """Keep a file: content, a path to take in, or pieces as they are made."""

    def put_table(
        self, columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[Cell]], filename: str
    ) -> Stored:
        """Keep a table: columns of name and type, and rows."""

    @property
    def promises(self) -> bool:
        """Whether a table may be told of before it is whole."""

    def promise_table(self, filename: str) -> AbstractContextManager[Promise]:
        """Name a table that is to be written next, and take it back if it is not."""


class Promise(Protocol):
    """A table that has its id before it has its rows."""

    @property
    def stored(self) -> Stored: ...
    def write(self, columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[Cell]]) -> None: ...


class Guarding(Protocol):
    """What holds cancelling off in our code and lets it in again in the author's."""

    def masked(self) -> AbstractContextManager[None]: ...
    def unmasked(self) -> AbstractContextManager[None]: ...


class Presenter:
    """Turns the values of one run into outputs.

    Parameters
    ----------
    store : Store
        Where its files go.
    guard : Guarding
        Its run's.
    """

    def __init__(self, store: Store, guard: Guarding) -> None:
        self._store = store
        self._guard = guard
        self._drawn: WeakSet[Any] = WeakSet()
        self._within: set[int] = set()  # the lists that are being shown
        self._displayed: WeakSet[Any] = WeakSet()

    def outputs(self, value: Any) -> Iterator[Output]:
        """Yield what shows `value`; nothing for None."""
        if id(value) in self._within:
            yield self._cut(repr(value))  # a list that holds itself
            return
        for takes, show in _TABLE:
            if takes(value):
                yield from show(self, value)
                return

    def displayed(self, value: Any) -> Iterator[Output]:
        """Yield what `display(value)` shows: a figure as it is now, and again each time."""
        if _is_figure(value):
            figure = _whole(value)
            self._displayed.add(figure)
            yield self._picture(figure)
        else:
            yield from self.outputs(value)

    def left_open(self, figure: Any) -> Iterator[Output]:
        """Yield what shows a pyplot figure that was left open, and close it."""
        if figure in self._displayed:
            _close(figure)
        else:
            yield from self._figure(figure)

    def presents(self, value: Any) -> bool:
        """Say whether a value is shown as more than its text."""
        return next(show for takes, show in _TABLE if takes(value)) is not Presenter._text

    def keep(self, source: Any, filename: str, *, move: bool = False) -> StoredFile:
        """Keep a file and return its record."""
        with self._guard.masked():
            stored = self._store.put(source, filename, move=move)
        return _record(stored)

    def _nothing(self, _: Any) -> Iterator[Output]:
        return iter(())

    def take_in(self, value: FileResponse) -> object:
        """Take a file in as soon as the function has made its `FileResponse`, and remember whose it is."""
        return self, self.keep(value.path, value.filename, move=value.move)

    def _file(self, value: FileResponse) -> Iterator[Output]:
        match value.taken:
            case (presenter, StoredFile() as file) if presenter is self:
                yield File(file=file)
                return
        source: Any = value.data if value.data is not None else value.path
        if source is None:
            source = self._pieces(value.chunks or ())
        yield File(file=self.keep(source, value.filename, move=value.move))

    def _pieces(self, chunks: Iterable[Any]) -> Iterator[Any]:
        iterator = iter(chunks)
        while True:
            with self._guard.unmasked():
                piece = next(iterator, None)
            if piece is None:
                return
            yield piece

    def _image(self, value: Any) -> Iterator[Output]:
        buffer = io.BytesIO()
        if getattr(value, "is_animated", False) and value.format == "GIF":
            value.save(buffer, format="GIF", save_all=True)
            filename = "image.gif"
        else:
            drawable = (
                value
                if value.mode in {"1", "L", "LA", "P", "RGB", "RGBA", "I", "I;16"}
                else value.convert("RGB")
            )
            drawable.save(buffer, format="PNG")
            filename = "image.png"
        yield Image(file=self.keep(buffer.getbuffer(), filename), width=value.width, height=value.height)

    def _figure(self, value: Any) -> Iterator[Output]:
        figure = _whole(value)
        if figure not in self._drawn:  # `return fig, ax` is one picture
            self._drawn.add(figure)
            yield self._picture(figure)
        _close(figure)

    def _picture(self, figure: Any) -> Image:
        buffer = io.BytesIO()
        with _DRAWING:  # matplotlib's font and text caches are not made for threads
            figure.savefig(buffer, format="png", bbox_inches="tight")
        data = buffer.getbuffer()
        width, height = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")  # PNG's IHDR
        return Image(file=self.keep(data, "figure.png"), width=width, height=height)

    def _table(self, value: Any) -> Iterator[Output]:
        table = tabular.read(value)
        rest = iter(table.rows)
        first = [list(row) for row in islice(rest, FIRST_ROWS)]
        rows = self._pieces(chain(first, rest))
        columns = [(column.name, column.type) for column in table.columns]

        def shown(stored: Stored, *, whole: bool) -> Table:
            file = _record(stored)
            return Table(columns=table.columns, rows=first, total=table.total, file=file, whole=whole)

        if self._store.promises and table.total * len(columns) > PROMISED_CELLS:
            with ExitStack() as given:
                with self._guard.masked():
                    promise = given.enter_context(self._store.promise_table("table.sqlite"))
                yield shown(promise.stored, whole=False)
                with self._guard.masked():
                    promise.write(columns, rows)
            return
        with self._guard.masked():
            stored = self._store.put_table(columns, rows, "table.sqlite")
        yield shown(stored, whole=True)

    def _plain(self, value: Any) -> Iterator[Output]:
        yield self._cut(json.dumps(value, indent=2, ensure_ascii=False), value)

    def _text(self, value: Any) -> Iterator[Output]:
        scalar = value is True or value is False or type(value) in {int, float, str}
        yield self._cut(str(value), value) if scalar else self._cut(str(value))

    def _cut(self, text: str, *value: Any) -> Text:
        text = unicode_only(text)
        if len(text) > MOST_TEXT:
            return Text(text=text[:MOST_TEXT], file=self.keep(text.encode(), "output.txt"))
        if value:
            return Text(text=text, value=text if isinstance(value[0], str) else value[0], has_value=True)
        return Text(text=text)

    def _rich(self, value: Any) -> Iterator[Output]:
        data, metadata = _bundle(value)
        yield self.display(data, metadata)

    def display(self, data: dict[str, Any], metadata: dict[str, Any] | None = None) -> Display:
        """Return the output of a MIME bundle; what is neither text nor JSON becomes a file."""
        shown: dict[str, Any] = {}
        files: dict[str, StoredFile] = {}
        for mime, content in data.items():
            if isinstance(content, (bytes, bytearray)):
                files[mime] = self.keep(content, "display" + _EXTENSIONS.get(mime, ""))
            elif isinstance(content, str):
                shown[mime] = unicode_only(content)
            else:
                shown[mime] = json.loads(json.dumps(content, default=str))
        return Display(data=shown, metadata=json.loads(json.dumps(metadata or {}, default=str)), files=files)

    def _each(self, value: Iterable[Any]) -> Iterator[Output]:
        self._within.add(id(value))
        try:
            for item in value:
                yield from self.outputs(item)
        finally:
            self._within.discard(id(value))


_DRAWING = threading.Lock()
_EXTENSIONS = {"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "application/pdf": ".pdf"}


def _record(stored: Stored) -> StoredFile:
    return StoredFile(id=stored.id, filename=stored.filename, size=stored.size, created=stored.created)


def _class(module: str, name: str) -> Any:
    """Return a class of an optional package, or one that has no instances where it is not imported."""
    return getattr(sys.modules.get(module), name, _Never)


class _Never:
    def __new__(cls) -> Any:
        raise TypeError("nothing is one")


def _is_image(value: Any) -> bool:
    return isinstance(value, _class("PIL.Image", "Image"))


def _is_figure(value: Any) -> bool:
    kinds = (_class("matplotlib.figure", "FigureBase"), _class("matplotlib.figure", "Figure"))
    if isinstance(value, kinds):
        return True
    if kinds[1] is _Never or isinstance(value, type):
        return False
    return isinstance(getattr(value, "figure", None), kinds)


def _whole(value: Any) -> Any:
    """Return the figure of an Axes, of a SubFigure, or itself."""
    figure = value if isinstance(value, _class("matplotlib.figure", "Figure")) else value.figure
    return getattr(figure, "figure", None) or figure


def _close(figure: Any) -> None:
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close(figure)


def _is_axes_array(value: Any) -> bool:
    return (
        isinstance(value, _class("numpy", "ndarray"))
        and value.dtype == object
        and value.size > 0
        and all(_is_figure(item) for item in value.flat)
    )


def _is_plain(value: Any) -> bool:
    """Say whether a list or dict is one text, as JSON has it."""
    try:
        return type(value) in {list, dict} and _is_plain_item(value)
    except RecursionError:  # too deep for JSON, or within itself
        return False


def _is_plain_item(value: Any) -> bool:
    if type(value) is list:
        return all(map(_is_plain_item, value))
    if type(value) is dict:
        return all(type(key) is str and _is_plain_item(item) for key, item in value.items())
    return value is None or type(value) in {bool, int, float, str}


_REPRESENTATIONS = (
    ("_repr_html_", "text/html"),
    ("_repr_markdown_", "text/markdown"),
    ("_repr_svg_", "image/svg+xml"),
    ("_repr_png_", "image/png"),
    ("_repr_jpeg_", "image/jpeg"),
    ("_repr_latex_", "text/latex"),
    ("_repr_json_", "application/json"),
    ("_repr_javascript_", "application/javascript"),
    ("_repr_pdf_", "application/pdf"),
)


def _is_rich(value: Any) -> bool:
    return not isinstance(value, type) and bool(_bundle(value)[0])


def _bundle(value: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the MIME bundle of a rich object and its metadata, as a notebook cell shows it; or nothing."""
    if isinstance(value, _class("plotly.basedatatypes", "BaseFigure")):
        # Its own bundle asks for a renderer, and its HTML loads the script from elsewhere.
        return {"text/html": value.to_html(include_plotlyjs=True), "text/plain": "Plotly figure"}, {}
    data, metadata = _pair(_ask(value, "_repr_mimebundle_"))
    if not data:
        data = {}
        for method, mime in _REPRESENTATIONS:
            content, about = _pair(_ask(value, method))
            if content is not None:
                data[mime] = content
                if about:
                    metadata[mime] = about
    if data and "text/plain" not in data:
        data = {**data, "text/plain": repr(value)[:MOST_TEXT]}
    return data, metadata


def _ask(value: Any, method: str) -> Any:
    # On the class too, as IPython looks: an object that answers to every name has no representation.
    if not callable(getattr(type(value), method, None)):
        return None
    try:
        return getattr(value, method)()
    except NotImplementedError:
        return None
    except Exception:
        # As a notebook does: the value is shown in its next best way, and the error told beside it.
        log.warning("%s.%s() raised.", type(value).__name__, method, exc_info=True)
        return None


def _pair(answer: Any) -> tuple[Any, dict[str, Any]]:
    if isinstance(answer, tuple) and len(answer) == 2:
        return answer[0], dict(answer[1] or {})
    return answer, {}


Show: TypeAlias = Callable[[Presenter, Any], Iterator[Output]]

_TABLE: tuple[tuple[Callable[[Any], bool], Show], ...] = (
    (lambda value: value is None, Presenter._nothing),
    (lambda value: isinstance(value, str), Presenter._text),
    (lambda value: isinstance(value, FileResponse), Presenter._file),
    (_is_image, Presenter._image),
    (_is_figure, Presenter._figure),
    (_is_axes_array, lambda presenter, value: presenter._each(value.flat)),
    (tabular.is_table, Presenter._table),
    (_is_plain, Presenter._plain),
    (_is_rich, Presenter._rich),
    (lambda value: isinstance(value, (tuple, list)), Presenter._each),
    (lambda _: True, Presenter._text),
)


class OpenFigures:
    """The pyplot figures that a run leaves open: they are outputs of it too."""

    def __init__(self) -> None:
        self._before = set(self._numbers())

    @staticmethod
    def _numbers() -> list[int]:
        pyplot = sys.modules.get("matplotlib.pyplot")
        # Another run may be importing it at this moment.
        return getattr(pyplot, "get_fignums", list)()

    def left(self) -> list[Any]:
        """Return those that are open now and were not before."""
        pyplot = sys.modules.get("matplotlib.pyplot")
        return (
            [pyplot.figure(number) for number in self._numbers() if number not in self._before]
            if pyplot
            else []
        )
