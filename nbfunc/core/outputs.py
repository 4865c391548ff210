"""What a value looks like: one ordered table, value -> Outputs, first match wins.

Optional packages are recognized by what is already imported: a value of pandas exists only where pandas does.
"""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack
from functools import cached_property
from inspect import isgenerator
from itertools import chain, islice
from typing import Any, Final, Protocol, TypeAlias
from weakref import WeakSet

from nbfunc.core import tabular
from nbfunc.core.drawings import close, is_axes_array, is_figure, whole
from nbfunc.core.events import Display, File, Image, Output, StoredFile, Table, Text
from nbfunc.core.mailbox import unicode_only
from nbfunc.core.optional import class_of
from nbfunc.core.plain import plain
from nbfunc.core.rich import bundle, is_rich
from nbfunc.core.stores import Store, Stored
from nbfunc.types import FileResponse

log = logging.getLogger("nbfunc")

MOST_TEXT = 1 << 20
FIRST_ROWS = 100
# Longer tables take tenths of seconds and more to write.
PROMISED_CELLS = 100_000


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
        self._within: set[int] = set()  # the lists that are being shown

    @cached_property
    def _drawn(self) -> WeakSet[Any]:
        return WeakSet()

    @cached_property
    def _displayed(self) -> WeakSet[Any]:
        return WeakSet()

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
        if is_figure(value):
            figure = whole(value)
            self._displayed.add(figure)
            yield self._picture(figure)
        else:
            yield from self.outputs(value)

    def left_open(self, figure: Any) -> Iterator[Output]:
        """Yield what shows a pyplot figure that was left open, and close it."""
        if figure in self._displayed:
            close(figure)
        else:
            yield from self._figure(figure)

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
        try:
            while True:
                with self._guard.unmasked():
                    piece = next(iterator, _END)
                if piece is _END:
                    return
                yield piece
        finally:
            if isgenerator(iterator):
                iterator.close()

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
        figure = whole(value)
        if figure not in self._drawn:  # `return fig, ax` is one picture
            self._drawn.add(figure)
            yield self._picture(figure)
        close(figure)

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

    def _together(self, value: Any) -> Iterator[Output]:
        """Yield a list or dict of what JSON holds as one text; another list's items, another dict's text."""
        try:
            whole = plain(value)
        except TypeError:
            yield from self._text(value) if isinstance(value, dict) else self._each(value)
        else:
            yield self._cut(json.dumps(whole, indent=2, ensure_ascii=False), whole)

    def _itself(self, value: Any) -> Iterator[Output]:
        """Let a value display something, which is an output already."""
        try:
            value._ipython_display_()
        except Exception:
            # As a notebook does: the error is told beside the next best way.
            log.warning("%s._ipython_display_() raised.", type(value).__name__, exc_info=True)
            yield from self._text(value)

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
        data, metadata = bundle(value)
        if data:
            yield self.display(data, metadata)
        else:
            yield from self._together(value) if isinstance(value, (tuple, list, dict)) else self._text(value)

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
                shown[mime] = _json(content)
        return Display(data=shown, metadata=_json(metadata or {}), files=files)

    def _each(self, value: Iterable[Any]) -> Iterator[Output]:
        self._within.add(id(value))
        try:
            for item in value:
                yield from self.outputs(item)
        finally:
            self._within.discard(id(value))


_END: Final = object()
_DRAWING = threading.Lock()
_EXTENSIONS = {"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "application/pdf": ".pdf"}


def _json(content: Any) -> Any:
    """Return what is read back of JSON."""
    return json.loads(unicode_only(json.dumps(content, default=str, ensure_ascii=False)))


def _record(stored: Stored) -> StoredFile:
    return StoredFile(id=stored.id, filename=stored.filename, size=stored.size, created=stored.created)


def _is_image(value: Any) -> bool:
    return isinstance(value, class_of("PIL.Image", "Image"))


def _is_table(value: Any) -> bool:
    """Say whether a value is shown as a table: files and pictures would be lost in its cells."""
    if not tabular.is_table(value):
        return False
    if not isinstance(value, list):
        return True
    cells = chain.from_iterable(row.values() if isinstance(row, dict) else row for row in value)
    return not any(isinstance(cell, FileResponse) or _is_image(cell) or is_figure(cell) for cell in cells)


Show: TypeAlias = Callable[[Presenter, Any], Iterator[Output]]

_TABLE: tuple[tuple[Callable[[Any], bool], Show], ...] = (
    (lambda value: value is None, Presenter._nothing),
    (lambda value: isinstance(value, str), Presenter._text),
    (lambda value: isinstance(value, FileResponse), Presenter._file),
    (_is_image, Presenter._image),
    (is_figure, Presenter._figure),
    (is_axes_array, lambda presenter, value: presenter._each(value.flat)),
    (_is_table, Presenter._table),
    (is_rich, Presenter._rich),
    (lambda value: isinstance(value, (tuple, list, dict)), Presenter._together),
    (lambda value: callable(getattr(type(value), "_ipython_display_", None)), Presenter._itself),
    (lambda _: True, Presenter._text),
)
