"""Where the files of a run go, as the core sees it: what `nbfunc.files.returns.ReturnsDir` does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from nbfunc.core.events import Cell


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
