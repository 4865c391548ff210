"""Whatever a function returns is shown as a person would expect it."""

from __future__ import annotations

import contextlib
import enum
import io
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from matplotlib import pyplot as plt
from PIL import Image as Pillow

from nbfunc.core import events
from nbfunc.core.cancel import Guard
from nbfunc.core.drawings import OpenFigures
from nbfunc.core.outputs import MOST_TEXT, Presenter
from nbfunc.types import FileResponse
from nbfunc.web.addresses import json_bytes

mpl.use("agg")


@dataclass
class Kept:
    id: str
    filename: str
    size: int
    created: float = 0.0


class Memory:
    """A store that keeps everything, by id."""

    promises = False

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}

    def put(self, source: Any, filename: str, *, move: bool = False) -> Kept:
        if isinstance(source, Path):
            content = source.read_bytes()
            if move:
                source.unlink()
        else:
            content = bytes(source) if isinstance(source, (bytes, memoryview)) else b"".join(source)
        return self._keep(content, filename, len(content))

    def put_table(self, columns: Any, rows: Any, filename: str) -> Kept:
        content = (list(columns), [list(row) for row in rows])
        return self._keep(content, filename, len(content[1]))

    def promise_table(self, filename: str) -> Any:
        raise AssertionError(f"this store promises nothing, {filename} neither")

    def _keep(self, content: Any, filename: str, size: int) -> Kept:
        name = str(len(self.kept))
        self.kept[name] = content
        return Kept(name, filename, size)


class Weekday(enum.IntEnum):
    MONDAY = 1


@pytest.fixture
def store() -> Memory:
    return Memory()


def shown(value: Any, store: Memory) -> list[events.Output]:
    return list(Presenter(store, Guard()).outputs(value))


def table(value: Any, store: Memory) -> events.Table:
    (output,) = shown(value, store)
    assert isinstance(output, events.Table)
    return output


class Rich:
    def _repr_html_(self) -> str:
        return "<b>rich</b>"


class Bundle:
    def __init__(self, bundle: Any) -> None:
        self.bundle = bundle

    def _repr_mimebundle_(self, **_: Any) -> Any:
        return self.bundle

    def _repr_html_(self) -> str:
        return "<i>fallback</i>"


@pytest.mark.parametrize(
    ("value", "text", "held"),
    [
        ("hello", "hello", "hello"),
        ("", "", ""),
        (5, "5", 5),
        (True, "True", True),
        (1.5, "1.5", 1.5),
        ([1, "a", None, {"b": [2.5]}], None, [1, "a", None, {"b": [2.5]}]),
        ([], "[]", []),
        ({}, "{}", {}),
        ({"a": {"b": 1}}, None, {"a": {"b": 1}}),
        (Decimal("1.10"), "1.10", None),
        (date(2024, 1, 2), "2024-01-02", None),
        ({1: "a"}, "{1: 'a'}", None),
        ("half \ud800 a pair", "half ? a pair", "half ? a pair"),
        (["half \udcff"], None, ["half ?"]),
        ({"\udcff": ["\udcff"]}, None, {"?": ["?"]}),
        ({"mean": np.float64(1.5), "n": np.int64(3)}, None, {"mean": 1.5, "n": 3}),
        ([np.bool_(True), np.float64(0.5)], None, [True, 0.5]),
        (Counter("aab"), None, {"a": 2, "b": 1}),
        ([Weekday.MONDAY], None, [1]),
    ],
)
def test_text_and_plain_values_are_text(value: Any, text: str | None, held: Any, store: Memory) -> None:
    (output,) = shown(value, store)
    assert isinstance(output, events.Text)
    if text is not None:
        assert output.text == text
    assert (output.value if output.has_value else None) == held


def test_a_picture_or_a_file_in_a_list_of_rows_is_not_lost_in_a_table(store: Memory) -> None:
    rows = [(Pillow.new("RGB", (1, 1)), "red"), (FileResponse(data=b"x", filename="x.txt"), "x")]
    assert [output.kind for output in shown(rows, store)] == ["image", "text", "file", "text"]


def test_what_is_displayed_as_json_need_not_be_unicode(store: Memory) -> None:
    (output,) = shown(Bundle({"application/json": {"name": "\udcff"}, "text/plain": "x"}), store)
    assert isinstance(output, events.Display)
    assert output.data["application/json"] == {"name": "?"}


def test_none_shows_nothing(store: Memory) -> None:
    assert shown(None, store) == []
    assert shown((None, None), store) == []


def test_long_text_is_cut_with_the_whole_beside_it(store: Memory) -> None:
    (output,) = shown("é" * (MOST_TEXT + 1), store)
    assert isinstance(output, events.Text)
    assert len(output.text) == MOST_TEXT
    assert output.file is not None
    assert store.kept[output.file.id] == ("é" * (MOST_TEXT + 1)).encode()


def test_tuples_and_mixed_lists_are_shown_one_by_one_and_flat(store: Memory) -> None:
    outputs = shown(("a", [Rich(), ("b", None)], FileResponse(data=b"x", filename="f")), store)
    assert [output.kind for output in outputs] == ["text", "display", "text", "file"]


def test_files_keep_their_bytes_and_names(store: Memory, tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    path.write_bytes(b"path")
    outputs = shown(
        [
            FileResponse(data=b"data", filename="a.txt"),
            FileResponse(path=path),
            FileResponse(chunks=(b"ch", b"unks"), filename="c.txt"),
        ],
        store,
    )
    files = [output.file for output in outputs if isinstance(output, events.File)]
    assert [file.filename for file in files] == ["a.txt", "report.txt", "c.txt"]
    assert [store.kept[file.id] for file in files] == [b"data", b"path", b"chunks"]


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "F", "YCbCr"])
def test_a_picture_of_any_mode_is_an_image(mode: str, store: Memory) -> None:
    (output,) = shown(Pillow.new(mode, (7, 5)), store)
    assert isinstance(output, events.Image)
    assert (output.width, output.height) == (7, 5)
    assert Pillow.open(io.BytesIO(store.kept[output.file.id])).size == (7, 5)


def test_a_figure_its_axes_and_both_are_one_image_and_closed(store: Memory) -> None:
    picks: list[Callable[[Any], Any]] = [lambda both: both[0], lambda both: both[1], lambda both: both]
    for pick in picks:
        figure, axes = plt.subplots()
        (output,) = shown(pick((figure, axes)), store)
        assert isinstance(output, events.Image)
        picture = Pillow.open(io.BytesIO(store.kept[output.file.id]))
        assert picture.size == (output.width, output.height)
        assert not plt.fignum_exists(figure.number)


def test_an_array_of_axes_is_its_figure(store: Memory) -> None:
    _, axes = plt.subplots(2, 2)
    assert [output.kind for output in shown(axes, store)] == ["image"]


def test_figures_left_open_are_found() -> None:
    before = plt.figure()
    figures = OpenFigures()
    left = plt.figure()
    assert figures.left() == [left]
    plt.close(before)
    plt.close(left)


class Row(NamedTuple):
    name: str
    n: int


ROWS = [["x", 1], ["y", None]]


@pytest.mark.parametrize(
    ("value", "names", "rows"),
    [
        (pd.DataFrame({"a": ["x", "y"], "b": [1.0, None]}), ["a", "b"], ROWS),
        (pl.DataFrame({"a": ["x", "y"], "b": [1, None]}), ["a", "b"], ROWS),
        (pa.table({"a": ["x", "y"], "b": [1, None]}), ["a", "b"], ROWS),
        ([{"a": "x", "b": 1}, {"a": "y"}], ["a", "b"], ROWS),
        ([("x", 1), ("y",)], ["Column 1", "Column 2"], ROWS),
        ([Row("x", 1)], ["name", "n"], [["x", 1]]),
        (np.array([[1, 2], [3, 4]]), ["Column 1", "Column 2"], [[1, 2], [3, 4]]),
        (pd.DataFrame({"a": [1]}, index=["i"]), ["index", "a"], [["i", 1]]),
        (pd.DataFrame({"a": [1]}, index=pd.Index([5], name="a")), ["a", "a"], [[5, 1]]),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), ["a", "a"], [[1, 2]]),
        (pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])), ["a / b"], [[1]]),
        (pd.Series([1, 2], name="s"), ["s"], [[1], [2]]),
        (pd.Series({"p": 1}), ["index", "value"], [["p", 1]]),
        (pd.DataFrame({"a": []}), ["a"], []),
    ],
)
def test_tables_of_every_make(value: Any, names: list[str], rows: list[Any], store: Memory) -> None:
    output = table(value, store)
    assert [column.name for column in output.columns] == names
    assert output.rows == rows
    assert output.total == len(rows)
    assert store.kept[output.file.id][1] == rows


def test_cells_are_what_json_holds(store: Memory) -> None:
    frame = pd.DataFrame(
        {
            "flag": [True],
            "when": [datetime(2024, 1, 2, 3)],
            "missing": [pd.NaT],
            "na": pd.array([pd.NA], dtype="Int64"),
            "inf": [float("inf")],
            "object": [{"k": 1}],
        }
    )
    output = table(frame, store)
    assert output.rows == [[True, "2024-01-02T03:00:00", None, None, "Infinity", "{'k': 1}"]]
    assert [column.type for column in output.columns][:2] == ["boolean", "date"]


def test_a_long_table_sends_its_first_rows_and_keeps_the_rest(store: Memory) -> None:
    output = table(pl.DataFrame({"n": range(25_000)}), store)
    assert (len(output.rows), output.total) == (100, 25_000)
    assert store.kept[output.file.id][1][-1] == [24_999]


def test_a_rich_object_shows_its_representation(store: Memory) -> None:
    (output,) = shown(Rich(), store)
    assert isinstance(output, events.Display)
    assert output.data["text/html"] == "<b>rich</b>"


def test_a_rich_object_is_asked_once(store: Memory) -> None:
    asked: list[str] = []

    class Costly:
        def _repr_html_(self) -> str:
            asked.append("html")
            return "<b>once</b>"

    shown(Costly(), store)
    assert asked == ["html"]


class Undecided(list[str]):
    """A list that may show itself, and does not want to."""

    def _repr_html_(self) -> None:
        return None


def test_a_list_that_declines_to_show_itself_is_shown_as_any_list(store: Memory) -> None:
    assert shown(Undecided(["a", "b"]), store) == shown(["a", "b"], store)


@pytest.mark.parametrize(
    ("bundle", "html"),
    [
        ({"text/html": "own"}, "own"),
        (({"text/html": "own"}, {"text/html": {"isolated": True}}), "own"),
        ({}, "<i>fallback</i>"),
        (None, "<i>fallback</i>"),
    ],
)
def test_a_mime_bundle_comes_first_and_an_empty_one_falls_through(
    bundle: Any, html: str, store: Memory
) -> None:
    (output,) = shown(Bundle(bundle), store)
    assert isinstance(output, events.Display)
    assert output.data["text/html"] == html


def test_bytes_in_a_bundle_become_a_file(store: Memory) -> None:
    (output,) = shown(Bundle({"image/png": b"\x89PNG", "text/plain": "a plot"}), store)
    assert isinstance(output, events.Display)
    assert output.data == {"text/plain": "a plot"}
    assert store.kept[output.files["image/png"].id] == b"\x89PNG"


@pytest.mark.parametrize("value", [Rich, int, lambda: None, object()])
def test_anything_else_is_its_text(value: Any, store: Memory) -> None:
    (output,) = shown(value, store)
    assert isinstance(output, events.Text)
    assert output.text == str(value)


class AnswersEverything:
    def __getattr__(self, name: str) -> Any:
        return lambda *_: name

    def __str__(self) -> str:
        return "a mock"


def test_an_object_that_answers_to_every_name_has_no_representation(store: Memory) -> None:
    (output,) = shown(AnswersEverything(), store)
    assert output.kind == "text"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({}, "exactly one"),
        ({"data": b"", "chunks": [b""], "filename": "f"}, "exactly one"),
        ({"data": b""}, "filename"),
        ({"data": b"", "filename": "///"}, "nothing"),
        ({"data": b"", "filename": "f", "move": True}, "path="),
        ({"path": "/nowhere/at/all"}, "No such file"),
        ({"path": "/"}, "regular file"),
        ({"path": ""}, "names no file"),
    ],
)
def test_a_file_response_without_sense_is_a_value_error(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        FileResponse(**arguments)


@pytest.mark.parametrize("arguments", [{"data": "text"}, {"chunks": "text"}, {"chunks": 3}])
def test_a_file_response_of_another_type_is_a_type_error(arguments: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        FileResponse(filename="f", **arguments)


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("a/b\\c\x00.txt", "a_b_c_.txt"),
        ("../../x", ".._.._x"),
        ("日本.txt", "日本.txt"),
        ("a\u202egnp.exe", "a_gnp.exe"),
    ],
)
def test_a_file_name_is_one_path_part(name: str, cleaned: str) -> None:
    assert FileResponse(data=b"", filename=name).filename == cleaned


def test_a_link_is_resolved_before_anything_else(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"x")
    (tmp_path / "link").symlink_to("real")
    response = FileResponse(path=tmp_path / "link")
    assert response.path == tmp_path / "real"
    assert response.filename == "link"


def test_a_path_that_leads_nowhere_is_a_value_error(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    for path in (tmp_path / "loop", "~nobody of this name/file"):
        with pytest.raises(ValueError, match=r"FileResponse\(path=.*\): ."):
            FileResponse(path=path)


def test_a_piece_that_is_none_does_not_end_the_file(store: Memory) -> None:
    pieces: Any = iter([b"first", None, b"second"])
    with pytest.raises(TypeError):  # not a shorter file
        shown(FileResponse(chunks=pieces, filename="f"), store)


def test_chunks_may_be_made_by_code_that_is_cancelled() -> None:
    class Refusing(Memory):
        def put(self, source: Any, *_: Any, **__: Any) -> Kept:
            with contextlib.closing(source):
                next(source)
                guard.request()
                next(source)
            raise AssertionError

    from nbfunc.errors import Cancelled

    guard = Guard()
    guard.enter()
    presenter = Presenter(Refusing(), guard)
    with pytest.raises(Cancelled):
        list(presenter.outputs(FileResponse(chunks=iter([b"a", b"b"]), filename="f")))
    guard.leave()


def test_a_number_that_is_none_is_plain_too(store: Memory) -> None:
    (output,) = shown({"a": float("nan")}, store)
    assert isinstance(output, events.Text)
    assert output.text == '{\n  "a": NaN\n}'
    assert output.has_value


def test_a_list_that_holds_itself_is_shown_and_not_followed(store: Memory) -> None:
    endless: list[Any] = [1]
    endless.append(endless)
    assert [one.text for one in shown(endless, store) if isinstance(one, events.Text)] == ["1", "[1, [...]]"]


def test_a_representation_that_raises_falls_through_to_text(store: Memory) -> None:
    class Broken:
        def _repr_html_(self) -> str:
            raise ValueError("no")

        def __repr__(self) -> str:
            return "broken, but here"

    (output,) = shown(Broken(), store)
    assert isinstance(output, events.Text)
    assert output.text == "broken, but here"


def test_what_is_nested_deeper_than_json_goes_is_shown_in_parts(store: Memory) -> None:
    deep: list[Any] = ["innermost"]
    for _ in range(300):
        deep = [deep]
    (output,) = shown(deep, store)
    assert isinstance(output, events.Text)
    assert json_bytes(output.value)  # what is told of it can be sent
    assert "innermost" in output.text
