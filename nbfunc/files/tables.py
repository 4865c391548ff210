"""A table as an SQLite file: a returned file as others, that answers pages, sort and search.

A million rows of five columns go in within about a second, and the work is SQLite's, outside the GIL.

A row is spread over as many SQL tables as it needs, ``cells0``, ``cells1``, …, since one takes no more than
2000 columns; ``n`` counts the rows from 1 in each. Booleans are stored as blobs, to come back as such.
"""

from __future__ import annotations

import csv
import io
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias, TypedDict

from nbfunc.errors import AskerError, Expired, InvalidArguments, StorageError
from nbfunc.files.storing import Place

Cell: TypeAlias = bool | int | float | str | None

MOST_ROWS = 1000
BATCH = 1000
WIDTH = 500
# SQLite refuses a pattern over 50,000 bytes; a letter takes up to some twenty of them.
MOST_SEARCHED = 1000
WAIT_SECONDS = 30.0

_BOOLEANS = {True: b"true", False: b"false"}
_PLAIN = {str, float, type(None)}
# Two threads that want the same index: one makes it, the other waits, instead of asking again and again.
_INDEXING = threading.Lock()


class Page(TypedDict):
    """Some rows of a table: `matching` of `total` are found by the search."""

    rows: list[list[Cell]]
    total: int
    matching: int


def write_table(
    path: Path, columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[Cell]], place: Place
) -> None:
    """Write a table to `path`, an empty file.

    Parameters
    ----------
    path : Path
        For this alone until it is whole.
    columns : sequence of (str, str)
        Their names and types.
    rows : iterable of sequences of cells
        Each as long as `columns`. Whole numbers beyond 64 bits are kept as text.
    place : Place
        Its directory, for errors.

    Raises
    ------
    DiskFull, StorageError
        The disk did not take it.
    ValueError
        A row is longer or shorter than `columns`.
    """
    parts = _parts(len(columns))
    iterator = iter(rows)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        with _storing(place):
            _begin(connection, columns, parts)
        while batch := list(islice(iterator, BATCH)):
            stored = _storable(batch, len(columns))
            with _storing(place):
                for number, part in enumerate(parts):
                    cells = stored if len(parts) == 1 else [row[part.start : part.stop] for row in stored]
                    connection.executemany(
                        f"INSERT INTO cells{number} VALUES (NULL{',?' * len(part)})", cells
                    )
        with _storing(place):
            connection.execute("COMMIT")


def query(
    path: Path,
    *,
    offset: int = 0,
    limit: int = 100,
    sort: int | None = None,
    descending: bool = False,
    q: str = "",
) -> Page:
    """Return some rows of a table.

    Parameters
    ----------
    path : Path
        As `write_table` left it.
    offset, limit : int
        Which of the rows that match; at most 1000.
    sort : int, optional
        The column to sort by, from 0; missing values come last, equal ones stay in their order.
    descending : bool
        The largest first.
    q : str
        Rows with this text in any cell, in whatever case; at most 1000 characters.

    Raises
    ------
    InvalidArguments
        There is no such column, a negative number, or too long a text.
    Expired
        The file is gone.
    StorageError
        It cannot be read.
    """
    with _reading(path) as connection:
        (width,) = connection.execute("SELECT count(*) FROM columns").fetchone()
        _check(width, offset=offset, limit=limit, sort=sort, q=q)
        parts = _parts(width)
        (total,) = connection.execute("SELECT coalesce(max(n), 0) FROM cells0").fetchone()
        bounds = (min(limit, MOST_ROWS), min(offset, total))
        where, searched = _search(parts, q)
        matching = total
        if q:
            (matching,) = connection.execute(f"SELECT count(*) FROM cells0 {where}", searched).fetchone()
        if sort is not None and not q:
            _index(connection, sort, descending=descending)
        if sort is None and not q:
            numbers = list(range(bounds[1] + 1, min(sum(bounds), total) + 1))
        else:
            source, order = _order(sort, descending=descending)
            # With a search, one pass over the rows beats going by an index from row to row.
            through = f"{source} NOT INDEXED" if q else source
            found = connection.execute(
                f"SELECT n FROM {through} {where} ORDER BY {order} LIMIT ? OFFSET ?", (*searched, *bounds)
            )
            numbers = [n for (n,) in found]
        return Page(rows=_rows(connection, parts, numbers), total=total, matching=matching)


def csv_pieces(path: Path) -> Iterator[bytes]:
    """Yield a table as CSV (RFC 4180, UTF-8) with a header row, some hundred rows at a time.

    Each piece takes milliseconds to make: ask for it in a thread.

    Raises
    ------
    Expired, StorageError
        As for `query`, at the first piece.
    """
    with _reading(path) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM columns ORDER BY n")]
        yield _csv([names])
        (total,) = connection.execute("SELECT coalesce(max(n), 0) FROM cells0").fetchone()
        for start in range(1, total + 1, BATCH):
            numbers = list(range(start, min(start + BATCH, total + 1)))
            yield _csv(_rows(connection, _parts(len(names)), numbers))


def _csv(rows: Iterable[Sequence[Cell]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _parts(width: int) -> list[range]:
    """Return which columns are in which SQL table; a table without columns has one all the same."""
    return [range(start, min(start + WIDTH, width)) for start in range(0, width or 1, WIDTH)]


def _begin(
    connection: sqlite3.Connection, columns: Sequence[tuple[str, str]], parts: Sequence[range]
) -> None:
    # The file has no name yet: a crash leaves nothing that a journal would have to mend.
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("BEGIN")
    connection.execute("CREATE TABLE columns (n INTEGER PRIMARY KEY, name TEXT, type TEXT)")
    connection.executemany("INSERT INTO columns VALUES (NULL, ?, ?)", columns)
    for number, part in enumerate(parts):
        # Columns without a type: SQLite keeps each cell as it was given.
        names = "".join(f", c{column}" for column in part)
        connection.execute(f"CREATE TABLE cells{number} (n INTEGER PRIMARY KEY{names})")


def _storable(batch: list[Sequence[Cell]], width: int) -> Sequence[Sequence[Any]]:
    """Return rows as SQLite takes them; by columns, since most need nothing, and seeing that is quick."""
    try:
        columns: list[tuple[Cell, ...]] = list(zip(*batch, strict=True))
    except ValueError:
        columns = []
    if len(columns) != width:
        wrong = next(len(row) for row in batch if len(row) != width)
        raise ValueError(f"A row has {wrong} cells where the table has {width} columns.")
    stored = [_stored_column(column) for column in columns]
    if all(new is old for new, old in zip(stored, columns, strict=True)):
        return batch
    return list(zip(*stored, strict=True))


def _stored_column(cells: Sequence[Any]) -> Sequence[Any]:
    kinds = set(map(type, cells))
    if kinds <= _PLAIN or (kinds == {int} and _is_small(min(cells)) and _is_small(max(cells))):
        return cells
    return [_stored(item) for item in cells]


def _stored(item: Any) -> Any:
    if isinstance(item, bool):
        return _BOOLEANS[item]
    return str(item) if isinstance(item, int) and not _is_small(item) else item


def _is_small(number: int) -> bool:
    return -(1 << 63) <= number < 1 << 63


@contextmanager
def _storing(place: Place) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        if "full" in str(error):
            raise place.full(str(error)) from error
        raise place.refused(str(error)) from error


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a table, also for the index that a sort makes: SQLite itself falls back to reading only."""
    try:
        uri = path.absolute().as_uri() + "?mode=rw"
        # Pieces may be asked for in one thread after the other.
        connection = sqlite3.connect(
            uri, uri=True, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False
        )
    except sqlite3.Error as error:
        raise _unreadable(path, error) from error
    with closing(connection):
        try:
            yield connection
        except sqlite3.Error as error:
            raise _unreadable(path, error) from error


def _unreadable(path: Path, error: sqlite3.Error) -> AskerError:
    if not path.exists():
        return Expired("File expired: this table was kept for one hour. Run the function again to have it.")
    return StorageError(f"The table {path} cannot be read: {error}. Run the function again.")


def _check(width: int, *, offset: int, limit: int, sort: int | None, q: str) -> None:
    for name, wrong, said in (
        ("offset", offset < 0, "must not be negative"),
        ("limit", limit < 0, "must not be negative"),
        ("sort", sort is not None and not 0 <= sort < width, f"must be a column, from 0 to {width - 1}"),
        ("q", len(q) > MOST_SEARCHED, f"must have at most {MOST_SEARCHED} characters"),
    ):
        if wrong:
            raise InvalidArguments([{"loc": [name], "msg": said}])


def _index(connection: sqlite3.Connection, column: int, *, descending: bool) -> None:
    """Make the index of a sort, once. Where that fails (read-only, full, in use) it is slower without."""
    source, _ = _order(column, descending=descending)
    way = "DESC" if descending else "ASC"
    with _INDEXING, suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(
            f"CREATE INDEX IF NOT EXISTS by{column}{way} ON {source} ((c{column} IS NULL), c{column} {way})"
        )


def _order(sort: int | None, *, descending: bool) -> tuple[str, str]:
    """Return the SQL table to go through, and the order."""
    if sort is None:
        return "cells0", "n"
    way = "DESC" if descending else "ASC"
    return f"cells{sort // WIDTH}", f"(c{sort} IS NULL), c{sort} {way}, n"


def _search(parts: Sequence[range], q: str) -> tuple[str, tuple[str, ...]]:
    """Return the condition that some cell has `q` in it, and its parameter."""
    if not q:
        return "", ()
    conditions = [" OR ".join(f"c{column} GLOB ?1" for column in part) or "0" for part in parts]
    if len(parts) == 1:
        return f"WHERE ({conditions[0]})", (_pattern(q),)
    found = " UNION ".join(f"SELECT n FROM cells{n} WHERE {c}" for n, c in enumerate(conditions))
    return f"WHERE n IN ({found})", (_pattern(q),)


def _pattern(q: str) -> str:
    """Return the GLOB pattern of a text in any case. LIKE knows the case of ASCII letters only."""
    return "*" + "".join(map(_letter, q)) + "*"


def _letter(letter: str) -> str:
    forms = {form for form in (letter, letter.lower(), letter.upper(), letter.casefold()) if len(form) == 1}
    return f"[{''.join(sorted(forms))}]" if len(forms) > 1 or letter in "*?[" else letter


def _rows(connection: sqlite3.Connection, parts: Sequence[range], numbers: Sequence[int]) -> list[list[Cell]]:
    """Return rows by their numbers, in that order."""
    rows: dict[int, list[Cell]] = {n: [] for n in numbers}
    wanted = ",".join(map(str, numbers))
    for part in range(len(parts)):
        for n, *cells in connection.execute(f"SELECT * FROM cells{part} WHERE n IN ({wanted})"):
            rows[n].extend(item == b"true" if type(item) is bytes else item for item in cells)
    return list(rows.values())
