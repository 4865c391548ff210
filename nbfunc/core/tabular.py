"""Read a table of any make as columns and rows: data frames through narwhals, and plain Python ones."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import NoneType
from typing import Any, Literal, TypeAlias

from nbfunc.core.events import Cell, Column
from nbfunc.core.mailbox import unicode_only

ColumnType: TypeAlias = Literal["number", "boolean", "date", "text"]
_FRAME_PACKAGES = ("pandas", "polars", "pyarrow")
ROWS_AT_ONCE = 10_000
_INFINITY = {True: "Infinity", False: "-Infinity"}


@dataclass(frozen=True)
class Tabular:
    """A table's columns, and its rows as they are read, so many in all."""

    columns: list[Column]
    rows: Iterable[Sequence[Cell]]
    total: int


def is_table(value: Any) -> bool:
    """Say whether `value` is shown as a table."""
    if isinstance(value, list):
        return bool(value) and any(all(isinstance(row, kind) for row in value) for kind in (dict, tuple))
    return _is_array(value) or _is_frame(value)


def read(value: Any) -> Tabular:
    """Return a table's columns and rows.

    Parameters
    ----------
    value : object
        A pandas or polars data frame, a pandas Series, a pyarrow table, a 2-D NumPy array, or a list of
        dicts or of tuples.
    """
    if isinstance(value, list):
        return _of_dicts(value) if isinstance(value[0], dict) else _of_tuples(value)
    return _of_array(value) if _is_array(value) else _of_frame(value)


def _is_array(value: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray) and value.ndim == 2


def _is_frame(value: Any) -> bool:
    # By the package of its class: asking narwhals about every value would import it for every value.
    packages = {cls.__module__.partition(".")[0] for cls in type(value).__mro__}
    if not packages.intersection(_FRAME_PACKAGES):
        return False
    import narwhals as nw  # noqa: PLC0415 - only where there is a data frame

    return bool(nw.dependencies.is_into_dataframe(value) or nw.dependencies.is_pandas_series(value))


def _of_frame(value: Any) -> Tabular:
    import narwhals as nw  # noqa: PLC0415 - as above

    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(value, (pandas.DataFrame, pandas.Series)):
        names, value = _flat_pandas(value, pandas)
    else:
        names = None
    frame = nw.from_native(value, eager_only=True)
    columns = [
        Column(name=unicode_only(name), type=_type_of_dtype(dtype))
        for name, dtype in zip(names or frame.columns, frame.schema.dtypes(), strict=True)
    ]
    return Tabular(columns, _rows(frame), len(frame))


def _rows(frame: Any) -> Iterator[Sequence[Cell]]:
    """Yield rows; converted a column at a time, which is several times as quick as a cell at a time."""
    dtypes = list(frame.schema.dtypes())
    for start in range(0, len(frame), ROWS_AT_ONCE):
        part = frame[start : start + ROWS_AT_ONCE]
        yield from zip(*(_cells(part[:, n], dtype) for n, dtype in enumerate(dtypes)), strict=True)


def _cells(series: Any, dtype: Any) -> list[Cell]:
    """Return what `cell` does of each item."""
    values = _listed(series, dtype)
    kinds = set(map(type, values)) - {NoneType}
    if kinds <= {int, bool}:
        return values
    if kinds == {float}:
        return [x if x is None or math.isfinite(x) else cell(x) for x in values]
    if kinds == {str} and _is_unicode(values):
        return values
    if kinds == {datetime}:
        return [x if x is None else x.isoformat() for x in values]
    return [cell(x) for x in values]


def _listed(series: Any, dtype: Any) -> list[Any]:
    import narwhals as nw  # noqa: PLC0415 - as above

    if isinstance(dtype, nw.Datetime) and dtype.time_zone is None:
        moments = series.to_numpy()
        # Python's own moments have microseconds, and are made by numpy far quicker than by pandas.
        whole = moments.astype("datetime64[us]")
        if moments.dtype.kind == "M" and (whole == moments)[~_missing(moments)].all():
            return whole.tolist()  # type: ignore[no-any-return]  # numpy's
    return series.to_list()  # type: ignore[no-any-return]  # narwhals'


def _missing(moments: Any) -> Any:
    return moments != moments  # noqa: PLR0124 - what is no time equals nothing


def _is_unicode(texts: list[str | None]) -> bool:
    """Say whether UTF-8 can hold all of them."""
    try:
        "".join(filter(None, texts)).encode()
    except UnicodeEncodeError:
        return False
    return True


def _flat_pandas(value: Any, pandas: Any) -> tuple[list[str], Any]:
    """Return the column names and a frame with unique ones, an index other than the default as columns."""
    if isinstance(value, pandas.Series):
        value = value.to_frame("value" if value.name is None else value.name)
    index = value.index
    if not (
        isinstance(index, pandas.RangeIndex) and index.start == 0 and index.step == 1 and index.name is None
    ):
        value = value.reset_index(allow_duplicates=True)
    names = [
        " / ".join(str(part) for part in name if part != "") if isinstance(name, tuple) else str(name)
        for name in value.columns
    ]
    return names, value.set_axis([str(number) for number in range(len(names))], axis=1)


def _type_of_dtype(dtype: Any) -> ColumnType:
    import narwhals as nw  # noqa: PLC0415 - as above

    if dtype == nw.Boolean:
        return "boolean"
    if dtype.is_numeric() and dtype != nw.Decimal:
        return "number"
    return "date" if any(dtype == kind for kind in (nw.Date, nw.Datetime)) else "text"


def _of_array(value: Any) -> Tabular:
    kind: ColumnType = {"b": "boolean", "M": "date"}.get(
        value.dtype.kind, "number" if value.dtype.kind in "iuf" else "text"
    )  # type: ignore[assignment]
    columns = [Column(name=f"Column {n + 1}", type=kind) for n in range(value.shape[1])]
    slices = (value[start : start + ROWS_AT_ONCE] for start in range(0, value.shape[0], ROWS_AT_ONCE))
    rows = ([cell(item) for item in row] for part in slices for row in part.tolist())
    return Tabular(columns, rows, value.shape[0])


def _of_dicts(value: list[dict[Any, Any]]) -> Tabular:
    keys = list(dict.fromkeys(key for row in value for key in row))
    rows = [[cell(row.get(key)) for key in keys] for row in value]
    return Tabular(_named([str(key) for key in keys], rows), rows, len(rows))


def _of_tuples(value: list[tuple[Any, ...]]) -> Tabular:
    width = max(map(len, value))
    fields: Sequence[str] = getattr(type(value[0]), "_fields", ())
    names = [fields[n] if n < len(fields) else f"Column {n + 1}" for n in range(width)]
    rows = [[cell(item) for item in (*row, *([None] * (width - len(row))))] for row in value]
    return Tabular(_named(names, rows), rows, len(rows))


def _named(names: Sequence[str], rows: list[list[Cell]]) -> list[Column]:
    return [
        Column(name=unicode_only(name), type=_type_of_cells(row[n] for row in rows))
        for n, name in enumerate(names)
    ]


def _type_of_cells(cells: Iterator[Cell]) -> ColumnType:
    kinds = {type(item) for item in cells if item is not None}
    if kinds == {bool}:
        return "boolean"
    return "number" if kinds and kinds <= {int, float} else "text"


def cell(item: Any) -> Cell:
    """Return one cell as JSON holds it: numbers, booleans, null for missing, dates ISO, else text."""
    kind = type(item)
    if kind is str:
        return unicode_only(item)
    if kind is int or kind is bool or item is None:
        return item  # type: ignore[no-any-return]  # just seen to be one of them
    if kind is float:
        return item if math.isfinite(item) else None if math.isnan(item) else _INFINITY[item > 0]
    if isinstance(item, (date, datetime)):
        text = item.isoformat()
        return None if text == "NaT" else text
    if kind.__module__ == "numpy" and hasattr(item, "item"):
        plain = item.item()
        return cell(plain) if type(plain) is not kind else str(item)
    text = unicode_only(str(item))
    return None if text in {"<NA>", "NaT"} and kind.__module__.startswith("pandas") else text
