"""A table as an SQLite file: a returned file as others, that answers pages, sort and search.

A million rows of five columns go in within about a second, and the work is SQLite's, outside the GIL.
Once written a table is never changed, so it is read without locks, which not every network disk has; the
order of a sort goes into a file beside it, ``<name of the table>~<column>``.

A row is spread over as many SQL tables as it needs, ``cells0``, ``cells1``, …, since one takes no more than
2000 columns; ``n`` counts the rows from 1 in each. Booleans are stored as blobs, to come back as such.
"""

from __future__ import annotations

import csv
import io
import os
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Any, TypeAlias, TypedDict

from nbfunc.errors import AskerError, Expired, InvalidArguments, StorageError
from nbfunc.files.drafts import Draft
from nbfunc.files.storing import Place

Cell: TypeAlias = bool | int | float | str | None

MOST_ROWS = 1000
BATCH = 1000
WIDTH = 500
# SQLite refuses a pattern over 50,000 bytes; a letter takes up to some twenty of them.
MOST_SEARCHED = 1000
# Fewer are sorted within some ten milliseconds, each time.
ORDERED_ROWS = 10_000

_BOOLEANS = {True: b"true", False: b"false"}
_PLAIN = {str, float, type(None)}
_MOST_VARIABLES = 30_000 if sqlite3.sqlite_version_info >= (3, 32) else 999
# Two threads that want the same order: one makes it, the other waits for it.
_ORDERING = threading.Lock()


class Page(TypedDict):
    """Some rows of a table: `matching` of `total` are found by the search."""

    rows: list[list[Cell]]
    total: int
    matching: int


def write_table(
    path: Path,
    columns: Sequence[tuple[str, str]],
    rows: Iterable[Sequence[Cell]],
    place: Place,
    check: Callable[[], None] = lambda: None,
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
    check : callable
        Called after each batch of rows; raises what keeps the table out.

    Raises
    ------
    DiskFull, StorageError
        The disk did not take it.
    ValueError
        A row is longer or shorter than `columns`.
    """
    parts = _parts(len(columns))
    iterator = iter(rows)
    with _storing(place):
        opened = _connected(path)
    with closing(opened) as connection:
        with _storing(place):
            _begin(connection, columns, parts)
        at_once = max(1, min(BATCH, 100 * BATCH // (len(columns) or 1)))
        while batch := list(islice(iterator, at_once)):
            stored = _storable(batch, len(columns))
            with _storing(place):
                for number, part in enumerate(parts):
                    cells = stored if len(parts) == 1 else [row[part.start : part.stop] for row in stored]
                    _insert(connection, number, cells)
            check()
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
        bounds = limit, offset = (min(limit, MOST_ROWS), min(offset, total))
        matching = total
        numbers: Sequence[int]
        if q:
            where, searched = _search(parts, q)
            numbers = _sorted(connection, sort, bounds, where, searched, descending=descending)
            matching = offset + len(numbers)
            # A page that is not full is the last one, and says how many there are.
            if len(numbers) == limit or (offset and not numbers):
                count = f"SELECT count(*) FROM cells0 {where}"
                (matching,) = connection.execute(count, searched).fetchone()
        elif sort is None:
            numbers = range(offset + 1, min(offset + limit, total) + 1)
        else:
            order = _order_file(path, sort, descending=descending) if total > ORDERED_ROWS else None
            numbers = (
                _sorted(connection, sort, bounds, descending=descending)
                if order is None
                else _numbers(order, bounds)
            )
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
            numbers = range(start, min(start + BATCH, total + 1))
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
    connection.execute("BEGIN")
    connection.execute("CREATE TABLE columns (n INTEGER PRIMARY KEY, name TEXT, type TEXT)")
    named = [(_unicode(name), kind) for name, kind in columns]
    connection.executemany("INSERT INTO columns VALUES (NULL, ?, ?)", named)
    for number, part in enumerate(parts):
        # Columns without a type: SQLite keeps each cell as it was given.
        names = "".join(f", c{column}" for column in part)
        connection.execute(f"CREATE TABLE cells{number} (n INTEGER PRIMARY KEY{names})")


def _insert(connection: sqlite3.Connection, table: int, rows: Sequence[Sequence[Any]]) -> None:
    """Add rows, many by one statement.

    Each statement lets the GIL go, and beside a thread that computes it comes back late: 10,000 rows took
    1.8 s one by one and 0.08 s by the thousand.
    """
    width = len(rows[0])
    at_once = max(1, _MOST_VARIABLES // (width or 1))
    for start in range(0, len(rows), at_once):
        some = rows[start : start + at_once]
        values = ",".join([f"(NULL{',?' * width})"] * len(some))
        statement = f"INSERT INTO cells{table} VALUES {values}"
        try:
            connection.execute(statement, list(chain.from_iterable(some)))
        except UnicodeEncodeError:
            connection.execute(statement, [_unicode(item) for row in some for item in row])


def _unicode(item: Any) -> Any:
    """Return a text with lone surrogates as question marks; anything else as it is."""
    return item.encode(errors="replace").decode() if isinstance(item, str) else item


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
    if kinds <= _PLAIN:
        return cells
    if kinds <= _PLAIN | {int}:
        numbers = [item for item in cells if type(item) is int]
        if _is_small(min(numbers)) and _is_small(max(numbers)):
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
    """Open a file that nobody changes any more."""
    try:
        # Pieces may be asked for in one thread after the other.
        connection = sqlite3.connect(_uri(path), uri=True, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise _unreadable(path, error) from error
    with closing(connection):
        try:
            yield connection
        except sqlite3.Error as error:
            raise _unreadable(path, error) from error


def _uri(path: Path) -> str:
    return path.absolute().as_uri() + "?mode=ro&immutable=1"


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


def _sorted(
    connection: sqlite3.Connection,
    sort: int | None,
    bounds: tuple[int, int],
    where: str = "",
    searched: Sequence[str] = (),
    *,
    descending: bool,
) -> list[int]:
    """Return the numbers of the rows from a limit and an offset on, by going through all of them."""
    source, order = _order(sort, descending=descending)
    found = connection.execute(
        f"SELECT n FROM {source} {where} ORDER BY {order} LIMIT ? OFFSET ?", (*searched, *bounds)
    )
    return [n for (n,) in found]


def _order_file(path: Path, column: int, *, descending: bool) -> Path | None:
    """Return the file with a sort's order, made at the first sort.

    It has the table's id in its name and goes with it. None where it cannot be made (read-only, full, too
    long a name): sorting is slower without.
    """
    ordered = path.with_name(f"{path.name}~{column}{'-' if descending else ''}")
    source, order = _order(column, descending=descending)
    part = f"{int(time.time() * 1000):011x}-{os.urandom(16).hex()}.part"
    with _ORDERING:
        if ordered.exists():
            return ordered
        try:
            with Draft(Place(path.parent, "returns_dir"), part, named=True) as draft:
                draft.close()
                with closing(_connected(draft.path)) as connection:
                    connection.execute("ATTACH ? AS tabled", (_uri(path),))
                    connection.execute("CREATE TABLE ordered (n INTEGER PRIMARY KEY, row INTEGER)")
                    connection.execute(
                        f"INSERT INTO ordered (row) SELECT n FROM tabled.{source} ORDER BY {order}"
                    )
                # It goes when the table goes, by whichever of its name and its time that is.
                whole = path.stat()
                os.utime(draft.path, ns=(whole.st_atime_ns, whole.st_mtime_ns))
                draft.publish(lambda: ordered.name)
        except (StorageError, sqlite3.Error, OSError):
            return None
        return ordered


def _numbers(ordered: Path, bounds: tuple[int, int]) -> list[int]:
    """Return the numbers of the rows from a limit and an offset on, as an order has them."""
    limit, offset = bounds
    with _reading(ordered) as connection:
        found = connection.execute(
            "SELECT row FROM ordered WHERE n > ? AND n <= ? ORDER BY n", (offset, offset + limit)
        )
        return [n for (n,) in found]


def _connected(path: Path) -> sqlite3.Connection:
    """Open a file to write that has no name yet: nobody else has it, and a crash leaves nothing to mend."""
    connection = sqlite3.connect(path.absolute().as_uri() + "?nolock=1", uri=True, isolation_level=None)
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    return connection


def _order(sort: int | None, *, descending: bool) -> tuple[str, str]:
    """Return the SQL table to go through, and the order."""
    if sort is None:
        return "cells0", "n"
    way = "DESC" if descending else "ASC"
    return f"cells{sort // WIDTH}", f"(c{sort} IS NULL), c{sort} {way}, n"


def _search(parts: Sequence[range], q: str) -> tuple[str, tuple[str, ...]]:
    """Return the condition that some cell has `q` in it, and its parameter."""
    operator, pattern = _pattern(q)
    # Booleans are blobs, which some builds of SQLite find nothing in (SQLITE_LIKE_DOESNT_MATCH_BLOBS).
    conditions = [_any([f"CAST(c{column} AS TEXT) {operator}" for column in part]) for part in parts]
    if len(parts) == 1:
        return f"WHERE ({conditions[0]})", (pattern,)
    found = " UNION ".join(f"SELECT n FROM cells{n} WHERE {c}" for n, c in enumerate(conditions))
    return f"WHERE n IN ({found})", (pattern,)


def _any(conditions: Sequence[str]) -> str:
    """Return that one of these holds, in halves of halves: SQLite takes no chain of more than some 500."""
    if len(conditions) < 2:
        return conditions[0] if conditions else "0"
    middle = len(conditions) // 2
    return f"({_any(conditions[:middle])} OR {_any(conditions[middle:])})"


def _pattern(q: str) -> tuple[str, str]:
    """Return the condition of a text in any case, and its pattern.

    LIKE is twice as fast as GLOB, and knows the case of ASCII letters only.
    """
    text = _unicode(q).replace("\0", "")  # where SQLite would take the pattern to end
    if text.isascii():
        return "LIKE ?1 ESCAPE '\\'", "%" + re.sub(r"([%_\\])", r"\\\1", text) + "%"
    return "GLOB ?1", "*" + "".join(map(_letter, text)) + "*"


def _letter(letter: str) -> str:
    forms = {form for form in (letter, letter.lower(), letter.upper(), letter.casefold()) if len(form) == 1}
    return f"[{''.join(sorted(forms))}]" if len(forms) > 1 or letter in "*?[" else letter


def _rows(connection: sqlite3.Connection, parts: Sequence[range], numbers: Sequence[int]) -> list[list[Cell]]:
    """Return rows by their numbers, in that order."""
    rows: dict[int, list[Cell]] = {n: [] for n in numbers}
    if isinstance(numbers, range):
        wanted = f"BETWEEN {numbers.start} AND {numbers.stop - 1}"
    else:
        wanted = f"IN ({','.join(map(str, numbers))})"
    for part in range(len(parts)):
        for n, *cells in connection.execute(f"SELECT * FROM cells{part} WHERE n {wanted}"):
            rows[n].extend(item == b"true" if type(item) is bytes else item for item in cells)
    return list(rows.values())
