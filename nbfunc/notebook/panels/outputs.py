"""Outputs of a run as widgets, drawn as the notebook draws them."""

from __future__ import annotations

import base64
import html
import io
import mimetypes
from collections.abc import Callable
from typing import Any

import ipywidgets

from nbfunc.core.events import Display, File, Image, Output, StoredFile, Table, Text
from nbfunc.errors import AskerError
from nbfunc.files import tables
from nbfunc.notebook.panels.files import size
from nbfunc.notebook.panels.stage import Stage

# A link that holds the file itself: what fits in one message without holding the notebook up.
MOST_LINKED = 10 << 20


def output_widget(output: Output, stage: Stage) -> Any:
    """Return the widget of an output. Blocks: reads what the widget shows.

    Parameters
    ----------
    output : Output
        Of a run on `stage`.
    stage : Stage
        Keeps its files, and knows their addresses.
    """
    draw: Callable[[Any, Stage], Any] = next(draw for kind, draw in _DRAWN if isinstance(output, kind))
    return draw(output, stage)


def shown(data: dict[str, Any], metadata: dict[str, Any] | None = None) -> Any:
    """Return the widget of a MIME bundle."""
    bundle = {"output_type": "display_data", "data": data, "metadata": metadata or {}}
    return ipywidgets.Output(outputs=(bundle,))


def _text(output: Text, stage: Stage) -> Any:
    whole = [] if output.file is None else [_download(output.file, stage, "The whole text")]
    return _with([shown({"text/plain": output.text})], whole)


def _image(output: Image, stage: Stage) -> Any:
    content = _content(output.file, stage)
    if content is None:
        return _gone(output.file)
    mime = mimetypes.guess_type(output.file.filename)[0] or "image/png"
    alternative = f"Picture of {output.width} by {output.height} pixels"
    # In HTML, since the notebook draws pictures of their own without a word for who cannot see them.
    source = f"data:{mime};base64,{base64.b64encode(content).decode()}"
    picture = f'<img src="{source}" alt="{alternative}" style="max-width: 100%">'
    return shown({"text/html": picture, "text/plain": alternative})


def _table(output: Table, stage: Stage) -> Any:
    heads = "".join(f"<th>{html.escape(column.name)}</th>" for column in output.columns)
    rows = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in output.rows)
    count = f"{output.total:,} rows, {len(output.columns):,} columns"
    if output.total > len(output.rows):
        count += f", of which the first {len(output.rows)} are shown"
    table = (
        f'<table class="dataframe"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table><p>{count}</p>'
    )
    return _with([shown({"text/html": table, "text/plain": count})], [_csv(output, stage)])


def _cell(cell: Any) -> str:
    return f"<td>{'' if cell is None else html.escape(str(cell))}</td>"


def _csv(output: Table, stage: Stage) -> str:
    """Return the link to a table as CSV; nothing for one that does not fit in a link."""
    try:
        path = stage.store.find(output.file.id, output.file.filename).path
    except AskerError:
        return ""
    csv = io.BytesIO()
    for piece in tables.csv_pieces(path):
        csv.write(piece)
        if csv.tell() > MOST_LINKED:
            return ""
    return _link("table.csv", csv.getvalue(), "Download CSV")


def _file(output: File, stage: Stage) -> Any:
    return _rows([_download(output.file, stage)])


def _display(output: Display, stage: Stage) -> Any:
    data = dict(output.data)
    for mime, file in output.files.items():
        content = _content(file, stage)
        if content is not None:
            data[mime] = base64.b64encode(content).decode()
    return shown(data, output.metadata)


def _download(file: StoredFile, stage: Stage, what: str = "") -> str:
    """Return the row of a file, with a link that works from here."""
    name = f"<b>{html.escape(what or file.filename)}</b> <span>{size(file.size)}</span>"
    url = stage.links.url(file)
    if url is not None:
        return f'{name} <a href="{html.escape(url)}" download>Download</a>'
    if file.size <= MOST_LINKED:
        content = _content(file, stage)
        if content is None:
            return f"{name} <span>expired: it was kept for one hour</span>"
        return f"{name} {_link(file.filename, content, 'Download')}"
    try:
        path = stage.store.find(file.id, file.filename).path
    except AskerError as error:
        return f"{name} <span>{html.escape(str(error))}</span>"
    return (
        f"{name} <span>too large for a link in the notebook; for one hour it is on the kernel's machine at "
        f"<code>{html.escape(str(path))}</code></span>"
    )


def _link(filename: str, content: bytes, text: str) -> str:
    # Always to be saved, never to be shown: what a function wrote has no business in this page.
    encoded = base64.b64encode(content).decode()
    href = f"data:application/octet-stream;base64,{encoded}"
    return f'<a href="{href}" download="{html.escape(filename)}">{text}</a>'


def _content(file: StoredFile, stage: Stage) -> bytes | None:
    try:
        return stage.store.find(file.id, file.filename).path.read_bytes()
    except (AskerError, OSError):
        return None


def _gone(file: StoredFile) -> Any:
    return _rows([f"{html.escape(file.filename)} expired: it was kept for one hour."])


def _rows(rows: list[str]) -> Any:
    inside = "".join(f'<div class="nbfunc-file">{row}</div>' for row in rows if row)
    return ipywidgets.HTML(inside)


def _with(widgets: list[Any], rows: list[str]) -> Any:
    return ipywidgets.VBox([*widgets, _rows(rows)]) if any(rows) else ipywidgets.VBox(widgets)


_DRAWN: tuple[tuple[type[Any], Callable[[Any, Stage], Any]], ...] = (
    (Text, _text),
    (Image, _image),
    (Table, _table),
    (File, _file),
    (Display, _display),
)
