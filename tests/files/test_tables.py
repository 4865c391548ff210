"""A table is kept whole, and its pages come sorted and searched as asked."""

from __future__ import annotations

import csv
import io
import itertools
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbfunc.errors import DiskFull, Expired, InvalidArguments, NotFound, StorageError, Unfinished
from nbfunc.files import tables
from nbfunc.files.returns import ReturnsDir
from nbfunc.files.tables import ORDERED_ROWS, Cell, csv_pieces, query
from tests.files.conftest import Clock

HOUR = 3600.0


@pytest.fixture
def returns(tmp_path: Path, clock: Clock) -> ReturnsDir:
    return ReturnsDir(tmp_path / "returned", clock=clock)


def kept(returns: ReturnsDir, rows: Any, width: int | None = None) -> Path:
    """Keep rows as a table, and return its file."""
    rows = list(rows)
    columns = [(f"column {n}", "text") for n in range(len(rows[0]) if width is None else width)]
    stored = returns.put_table(columns, rows, "table.sqlite")
    return returns.find(stored.id, stored.filename).path


def column(path: Path, number: int = 0, **asked: Any) -> list[Cell]:
    return [row[number] for row in query(path, **asked)["rows"]]


def read_csv(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(b"".join(csv_pieces(path)).decode(), newline="")))


# What goes in comes out

CELLS: list[Cell] = [
    0,
    -1,
    2**63 - 1,
    -(2**63),
    1.5,
    -0.0,
    1e308,
    5e-324,
    float("inf"),
    True,
    False,
    None,
    "",
    "text",
    "1",
    "true",
    "null\0byte",
    "two\r\nlines",
    'quo"te',
    "日本 🎉",
    "é" * 10_000,
]


def test_cells_come_back_as_what_they_were(returns: ReturnsDir) -> None:
    path = kept(returns, [[cell, n] for n, cell in enumerate(CELLS)])
    for given_, got in zip(CELLS, column(path), strict=True):
        assert (type(got), got) == (type(given_), given_)


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**400])
def test_whole_numbers_beyond_64_bits_come_back_as_text(returns: ReturnsDir, number: int) -> None:
    assert column(kept(returns, [[1], [number], [None]])) == [1, str(number), None]
    assert column(kept(returns, [[number]])) == [str(number)]


def test_text_that_is_no_unicode_comes_back_with_question_marks(returns: ReturnsDir) -> None:
    assert column(kept(returns, [["good"], ["bad\udcff"]])) == ["good", "bad?"]


_cells = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text()


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 4).flatmap(lambda n: st.lists(st.lists(_cells, min_size=n, max_size=n), max_size=20)))
def test_any_table_comes_back(tmp_path_factory: pytest.TempPathFactory, rows: list[list[Cell]]) -> None:
    returns = ReturnsDir(tmp_path_factory.getbasetemp() / "any-table")
    path = kept(returns, rows, len(rows[0]) if rows else 2)
    page = query(path)
    assert page == {"rows": rows, "total": len(rows), "matching": len(rows)}
    assert [[type(cell) for cell in row] for row in page["rows"]] == [[type(c) for c in row] for row in rows]


@pytest.mark.parametrize("width", [0, 1, 499, 500, 501, 1300, 2500])
def test_a_table_may_be_as_wide_as_it_likes(returns: ReturnsDir, width: int) -> None:
    rows = [[n * 10_000 + c for c in range(width)] for n in range(3)]
    path = kept(returns, rows)
    assert query(path)["rows"] == rows
    if width:
        assert query(path, sort=width - 1, descending=True)["rows"] == rows[::-1]
        found = query(path, q=str(20_000 + width - 1))
        assert (found["rows"], found["matching"]) == (rows[2:], 1)
    assert len(read_csv(path)) == 4


def test_a_table_may_have_no_rows(returns: ReturnsDir) -> None:
    path = kept(returns, [], 2)
    assert query(path, sort=1, q="x") == {"rows": [], "total": 0, "matching": 0}
    assert read_csv(path) == [["column 0", "column 1"]]


def test_rows_are_read_once_as_they_come(returns: ReturnsDir) -> None:
    seen = itertools.count()
    stored = returns.put_table([("n", "number")], ([next(seen)] for _ in range(2500)), "table.sqlite")
    assert next(seen) == 2500
    path = returns.find(stored.id, stored.filename).path
    assert stored.size == path.stat().st_size
    assert column(path, offset=2499) == [2499]


@pytest.mark.parametrize("row", [[1], [1, 2, 3], []])
def test_a_row_of_another_length_is_refused_and_nothing_stays(returns: ReturnsDir, row: list[int]) -> None:
    for rows in ([[1, 2], row], [row]):
        with pytest.raises(ValueError, match=f"A row has {len(row)} cells where the table has 2 columns"):
            kept(returns, rows, 2)
    assert os.listdir(returns.path) == []


@pytest.mark.usefixtures("no_leak")
@pytest.mark.parametrize("error", [ValueError("mine"), KeyboardInterrupt(), sqlite3.OperationalError("mine")])
def test_what_the_maker_of_rows_raises_comes_through(returns: ReturnsDir, error: BaseException) -> None:
    def rows() -> Iterator[list[int]]:
        yield from ([n] for n in range(3000))
        raise error

    with pytest.raises(type(error)) as caught:
        returns.put_table([("n", "number")], rows(), "table.sqlite")
    assert caught.value is error
    assert os.listdir(returns.path) == []


# Told before it is whole

NUMBER = [("n", "number")]


def test_a_promised_table_is_found_when_it_is_whole_and_kept_an_hour_from_then(
    returns: ReturnsDir, clock: Clock
) -> None:
    with returns.promise_table("table.sqlite") as promise:
        key, filename = promise.stored.id, promise.stored.filename

        def rows() -> Iterator[list[int]]:
            yield from ([n] for n in range(2000))
            with pytest.raises(Unfinished):
                returns.find(key, filename)
            clock.now += 50
            yield [2000]

        with pytest.raises(Unfinished):
            returns.find(key, filename)
        promise.write(NUMBER, rows())
    whole = clock.now
    found = returns.find(key, filename)
    assert column(found.path, sort=0, descending=True)[:2] == [2000, 1999]
    assert found.created == pytest.approx(whole, abs=0.01)
    clock.now = whole + HOUR - 1
    assert returns.sweep() == 0
    assert returns.find(key, filename).size == found.size
    clock.now = whole + HOUR + 1
    with pytest.raises(Expired):
        returns.find(key, filename)
    returns.sweep()
    assert os.listdir(returns.path) == []


def test_the_order_of_a_promised_table_goes_with_it(returns: ReturnsDir, clock: Clock) -> None:
    with returns.promise_table("table.sqlite") as promise:
        promise.write(NUMBER, ([n] for n in range(ORDERED_ROWS + 1)))
    path = returns.find(promise.stored.id, promise.stored.filename).path
    query(path, sort=0)
    assert len(os.listdir(returns.path)) == 2
    clock.now += HOUR + 1
    assert returns.sweep() == 2


@pytest.mark.usefixtures("no_leak")
def test_a_promise_that_is_not_kept_leaves_nothing(returns: ReturnsDir) -> None:
    def rows() -> Iterator[list[int]]:
        yield [1]
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"), returns.promise_table("table.sqlite") as promise:
        promise.write(NUMBER, rows())
    with pytest.raises(Expired):
        returns.find(promise.stored.id, promise.stored.filename)
    assert os.listdir(returns.path) == []


def test_what_nobody_writes_any_more_is_not_waited_for(returns: ReturnsDir, clock: Clock) -> None:
    with returns.promise_table("table.sqlite") as promise:
        clock.now += 120
        with pytest.raises(Expired):
            returns.find(promise.stored.id, promise.stored.filename)


def test_a_promise_can_be_given_up_for_a_process_that_died(returns: ReturnsDir) -> None:
    with returns.promise_table("table.sqlite") as promise:
        returns.give_up(promise.stored.id)
        with pytest.raises(Expired):
            returns.find(promise.stored.id, promise.stored.filename)
    other = returns.put(b"x", "whole.txt")
    for key in (other.id, "../x", f"{other.id}w/../../x"):
        with pytest.raises(NotFound):
            returns.give_up(key)


@pytest.mark.usefixtures("no_leak")
def test_a_promised_table_that_fills_its_bounds_is_refused(tmp_path: Path) -> None:
    returns = ReturnsDir(tmp_path / "bounded", max_size=100_000)
    with pytest.raises(DiskFull), returns.promise_table("table.sqlite") as promise:
        promise.write(NUMBER, ([n] for n in range(100_000)))
    assert os.listdir(returns.path) == []


# Pages


@pytest.fixture
def numbers(returns: ReturnsDir) -> Path:
    return kept(returns, ([n, f"row {n}"] for n in range(2500)))


@pytest.mark.parametrize(
    ("offset", "limit", "first", "count"),
    [(0, 100, 0, 100), (2450, 100, 2450, 50), (2500, 100, None, 0), (10**30, 5, None, 0), (7, 0, None, 0)],
)
def test_a_page_is_what_was_asked_for(
    numbers: Path, offset: int, limit: int, first: int | None, count: int
) -> None:
    for sort in (None, 0):
        page = query(numbers, offset=offset, limit=limit, sort=sort)
        assert (page["total"], page["matching"], len(page["rows"])) == (2500, 2500, count)
        assert first is None or page["rows"][0] == [first, f"row {first}"]


def test_a_page_has_at_most_a_thousand_rows(numbers: Path) -> None:
    for asked in ({}, {"sort": 0}, {"q": "row"}):
        assert len(query(numbers, limit=10**30, **asked)["rows"]) == 1000


@pytest.mark.parametrize(
    ("asked", "name"),
    [({"offset": -1}, "offset"), ({"limit": -1}, "limit"), ({"q": "x" * 1001}, "q")]
    + [({"sort": sort}, "sort") for sort in (-1, 2, 10**30)],
)
def test_what_cannot_be_asked_is_named(numbers: Path, asked: dict[str, Any], name: str) -> None:
    with pytest.raises(InvalidArguments) as caught:
        query(numbers, **asked)
    assert [problem["loc"] for problem in caught.value.problems] == [[name]]


# Sorting


@pytest.mark.parametrize("rows", [10, ORDERED_ROWS + 10], ids=["few", "many"])
@pytest.mark.parametrize("descending", [False, True])
def test_sorted_rows_are_stable_and_missing_ones_last(
    returns: ReturnsDir, rows: int, descending: bool
) -> None:
    given_ = [[None if n % 5 == 0 else n % 3, n] for n in range(rows)]
    path = kept(returns, given_)
    expected = sorted(
        (row for row in given_ if row[0] is not None), key=lambda row: row[0] or 0, reverse=descending
    ) + [row for row in given_ if row[0] is None]
    for _ in range(2):
        for offset in (0, 5, rows - 5):
            page = query(path, sort=0, descending=descending, offset=offset, limit=50)
            assert page["rows"] == expected[offset : offset + 50]


def test_kinds_of_cells_are_sorted_apart(returns: ReturnsDir) -> None:
    path = kept(returns, [["b"], [2], [True], [None], [1.5], ["a"], [False], [-1]])
    assert column(path, sort=0) == [-1, 1.5, 2, "a", "b", False, True, None]
    assert column(path, sort=0, descending=True) == [True, False, "b", "a", 2, 1.5, -1, None]


@pytest.fixture
def many(returns: ReturnsDir) -> Path:
    return kept(returns, ([n * 7919 % 20_011, f"name {n}"] for n in range(20_011)))


def test_threads_may_sort_at_once(many: Path, returns: ReturnsDir) -> None:
    begin = threading.Barrier(6)

    def page(n: int) -> list[Cell]:
        begin.wait()
        return column(many, sort=n % 2, descending=n % 3 == 0, offset=100, limit=3)

    with ThreadPoolExecutor(6) as pool:
        pages = list(pool.map(page, range(6)))
    assert pages[2] == pages[4] == [100, 101, 102]
    assert not [name for name in os.listdir(returns.path) if name.endswith(".part")]


def test_a_table_that_cannot_be_written_beside_is_sorted_all_the_same(
    locked_disk: Callable[[], Path], tmp_path: Path
) -> None:
    path = kept(ReturnsDir(tmp_path / "locked" / "r"), ([-n] for n in range(ORDERED_ROWS + 1)))
    locked_disk()
    assert column(path, sort=0, limit=2) == [-ORDERED_ROWS, -ORDERED_ROWS + 1]
    assert column(path, q="77", limit=1) == [-77]
    assert len(b"".join(csv_pieces(path))) > ORDERED_ROWS


def test_a_full_disk_is_sorted_on_all_the_same(small_disk: Path) -> None:
    path = kept(ReturnsDir(small_disk / "r"), ([-n, "x" * 30] for n in range(ORDERED_ROWS + 1)))
    (small_disk / "filler").write_bytes(b"x" * (os.statvfs(small_disk).f_bavail * 4096))
    before = sorted(os.listdir(small_disk / "r"))
    assert column(path, sort=0, limit=2) == [-ORDERED_ROWS, -ORDERED_ROWS + 1]
    assert sorted(os.listdir(small_disk / "r")) == before


def test_what_a_sort_left_goes_with_its_table(many: Path, returns: ReturnsDir, clock: Clock) -> None:
    size = many.stat().st_size
    query(many, sort=0)
    query(many, sort=1, descending=True)
    assert many.stat().st_size == size
    clock.now += HOUR + 1
    returns.sweep()
    assert os.listdir(returns.path) == []


# Searching

WORDS = [
    "Straße",
    "ÄRGER",
    "ärger",
    "50%",
    "505",
    "a_b",
    "axb",
    "a*b",
    "a?b",
    "[x]",
    "x]",
    "^x",
    "back\\slash",
]


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("STRA", ["Straße"]),
        ("straße", ["Straße"]),
        ("Ärg", ["ÄRGER", "ärger"]),
        ("äRGEr", ["ÄRGER", "ärger"]),
        ("50%", ["50%"]),
        ("%", ["50%"]),
        ("a_b", ["a_b"]),
        ("a*b", ["a*b"]),
        ("a?b", ["a?b"]),
        ("[x", ["[x]"]),
        ("x]", ["[x]", "x]"]),
        ("^X", ["^x"]),
        ("\\", ["back\\slash"]),
        ("ä*", []),
        ("nowhere", []),
        (" ", []),
    ],
)
def test_a_search_is_for_the_text_itself_in_any_case(returns: ReturnsDir, q: str, found: list[str]) -> None:
    path = kept(returns, [[word] for word in WORDS])
    page = query(path, q=q)
    assert [row[0] for row in page["rows"]] == found
    assert (page["matching"], page["total"]) == (len(found), len(WORDS))


@pytest.mark.parametrize("q", ["ä[", "ä]", "ä^", "ä-z", "É?", "日*", "\u017f", "İ", "ß"])
def test_letters_beyond_ascii_are_searched_with_any_others(returns: ReturnsDir, q: str) -> None:
    path = kept(returns, [[f"before {q} after"], ["0"]])
    assert column(path, q=q) == [f"before {q} after"]


def test_any_cell_is_searched(returns: ReturnsDir) -> None:
    path = kept(returns, [["a", 1, None, True], ["b", 12.5, None, False], ["c", 3, "true story", None]])
    for q, found in (("2.5", ["b"]), ("TRUE", ["a", "c"]), ("false", ["b"]), ("3", ["c"]), ("None", [])):
        assert column(path, q=q) == found


@pytest.mark.parametrize("sort", [None, 0])
@pytest.mark.parametrize(
    ("offset", "limit", "count"),
    [(0, 5, 5), (0, 12, 12), (0, 13, 12), (7, 5, 5), (7, 9, 5), (12, 5, 0), (99, 5, 0), (0, 0, 0)],
)
def test_any_page_of_a_search_says_how_many_it_found(
    returns: ReturnsDir, sort: int | None, offset: int, limit: int, count: int
) -> None:
    path = kept(returns, [[n, "found" if n % 3 == 0 else "else"] for n in range(36)])
    page = query(path, q="FOUND", sort=sort, offset=offset, limit=limit)
    assert (len(page["rows"]), page["matching"], page["total"]) == (count, 12, 36)


def test_found_rows_are_sorted_and_paged_too(many: Path) -> None:
    page = query(many, q="name 77", sort=0, descending=True, offset=3, limit=5)
    found = sorted((n * 7919 % 20_011 for n in range(20_011) if str(n).startswith("77")), reverse=True)
    assert [row[0] for row in page["rows"]] == found[3:8]
    assert page["matching"] == len(found)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.text(max_size=8), min_size=1, max_size=20), st.text(min_size=1, max_size=3))
def test_a_search_misses_nothing_and_finds_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, words: list[str], q: str
) -> None:
    words = [word.replace("\0", "") for word in words]
    q = q.replace("\0", "") or "q"
    returns = ReturnsDir(tmp_path_factory.getbasetemp() / "any-search")
    found = column(kept(returns, [[word] for word in words]), q=q)
    assert [word for word in words if q in word] == [word for word in found if q in str(word)]

    def folded(text: str) -> list[set[str]]:
        return [{c, c.lower(), c.upper(), c.casefold()} for c in text]

    for word in found:  # each letter of the text, in one of its forms
        assert any(
            all(a & b for a, b in zip(folded(q), folded(str(word)[at:]), strict=False))
            for at in range(len(str(word)) - len(q) + 1)
        )


# CSV


def test_the_csv_is_the_whole_table_with_its_header(returns: ReturnsDir) -> None:
    rows: list[list[Cell]] = [[1, 'a "b", c', True], [2.5, "two\r\nlines", None], [None, "ä;🎉", False]]
    columns = [("number, or not", "number"), ("Ä", "text"), ("", "boolean")]
    stored = returns.put_table(columns, rows * 1000, "table.sqlite")
    path = returns.find(stored.id, stored.filename).path
    pieces = list(csv_pieces(path))
    assert pieces[0] == '"number, or not",Ä,\r\n'.encode()
    assert max(map(len, pieces)) < 100_000
    assert read_csv(path)[1:4] == [
        ["1", 'a "b", c', "True"],
        ["2.5", "two\r\nlines", ""],
        ["", "ä;🎉", "False"],
    ]
    assert len(read_csv(path)) == 3001


def test_a_csv_that_began_ends_in_full(numbers: Path, returns: ReturnsDir, clock: Clock) -> None:
    pieces = csv_pieces(numbers)
    first = next(pieces)
    clock.now += HOUR + 1
    assert returns.sweep() == 1
    assert (first + b"".join(pieces)).count(b"\r\n") == 2501


@pytest.mark.usefixtures("no_leak")
def test_a_csv_that_nobody_waits_for_is_closed(numbers: Path) -> None:
    pieces = csv_pieces(numbers)
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]  # it is a generator


def test_a_csv_may_be_made_by_one_thread_after_the_other(numbers: Path) -> None:
    pieces = csv_pieces(numbers)
    taken = []
    while True:
        with ThreadPoolExecutor(1) as pool:
            piece = pool.submit(next, pieces, b"").result()
        if not piece:
            break
        taken.append(piece)
    assert b"".join(taken).count(b"\r\n") == 2501


# Files that are not as they should be


def test_a_table_that_is_gone_has_expired(numbers: Path) -> None:
    numbers.unlink()
    with pytest.raises(Expired, match="File expired"):
        query(numbers)
    with pytest.raises(Expired):
        next(csv_pieces(numbers))


@pytest.mark.parametrize("content", [b"no database", b"", b"x" * 100_000])
def test_a_damaged_one_is_told(numbers: Path, content: bytes) -> None:
    numbers.write_bytes(content)
    with pytest.raises(StorageError, match=r"cannot be read.*Run the function again"):
        query(numbers)
    with pytest.raises(StorageError):
        list(csv_pieces(numbers))


def test_a_full_disk_leaves_nothing(small_disk: Path) -> None:
    returns = ReturnsDir(small_disk / "r")
    with pytest.raises(DiskFull, match=rf"{returns.path} has no room.*returns_dir="):
        kept(returns, (["x" * 1000] for _ in range(5000)))
    assert os.listdir(returns.path) == []


def test_odd_characters_in_the_path_are_no_part_of_its_address(tmp_path: Path) -> None:
    returns = ReturnsDir(tmp_path / "50% off?mode=memory#x ä")
    stored = returns.put_table([("a", "number")], [[1]], "what? 100%#.sqlite")
    path = returns.find(stored.id, stored.filename).path
    assert column(path) == [1]
    assert tables.query(path, sort=0, q="1")["matching"] == 1
