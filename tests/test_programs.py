"""The programs that people write: real files, made by real libraries, downloaded and opened again."""

from __future__ import annotations

import inspect
import io
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import matplotlib as mpl
import openpyxl
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from PIL import Image
from reportlab.pdfgen import canvas

from nbfunc.types import FileResponse
from tests.jupyter.server import Jupyter, jupyter
from tests.serving import Served, serving

mpl.use("agg")


def make_files(name: str) -> list[FileResponse]:
    return [
        FileResponse(data=f"Hello {name}!".encode(), filename="hello.txt"),
        FileResponse(data=f"Goodbye {name}!".encode(), filename="goodbye.txt"),
    ]


def create_pdf(title: str) -> FileResponse:
    """Draw a title."""
    buffer = io.BytesIO()
    page = canvas.Canvas(buffer, pageCompression=0)
    page.drawString(100, 750, title)
    page.save()
    return FileResponse(data=buffer.getvalue(), filename=f"{title}.pdf")


def create_excel(rows: int) -> FileResponse:
    """Write a workbook."""
    buffer = io.BytesIO()
    pd.DataFrame({"n": range(rows)}).to_excel(buffer, index=False)
    return FileResponse(data=buffer.getvalue(), filename="table.xlsx")


def create_archive(file_count: int) -> FileResponse:
    """Zip some files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for n in range(file_count):
            archive.writestr(f"file{n}.txt", f"content {n}")
    return FileResponse(data=buffer.getvalue(), filename="files.zip")


def draw_picture(width: int) -> Image.Image:
    return Image.new("RGB", (width, 2), "red")


def draw_plot() -> Any:
    figure, axes = plt.subplots()
    axes.plot([1, 2])
    return figure


def one_after_the_other(folder: str) -> Iterator[FileResponse]:
    path = Path(folder) / "out.csv"
    for content in ("first", "second, longer"):
        path.write_text(content)
        yield FileResponse(path=path)


def one_name_for_all(count: int) -> list[FileResponse]:
    returned = []
    with tempfile.TemporaryDirectory() as folder:
        for n in range(count):
            path = Path(folder) / "same.txt"
            path.write_text(f"version {n}")
            returned.append(FileResponse(path=path, filename=f"{n}.txt"))
    return returned


FUNCTIONS = [
    one_name_for_all,
    make_files,
    create_pdf,
    create_excel,
    create_archive,
    draw_picture,
    draw_plot,
    one_after_the_other,
]


# A cell as people write it: what the functions need, they themselves, and the magic in the place of run().
CELL = "\n".join(
    [
        "%load_ext nbfunc",
        *(line for line in Path(__file__).read_text().splitlines() if line.startswith(("import ", "from "))),
        *(inspect.getsource(cast("Any", function)) for function in FUNCTIONS),
        "%func_to_web " + " ".join(function.__name__ for function in FUNCTIONS),
    ]
)


class InNotebook:
    """The same programs in a notebook's kernel, asked over its Jupyter server."""

    def __init__(self, server: Jupyter) -> None:
        self._server = server
        self._kernel = server.kernel()
        assert not self._kernel.run(CELL).error
        self.shared = f"{server.base}nbfunc/-/"

    def run(self, function: str, **arguments: Any) -> Any:
        return self._kernel.call(function, **arguments).json

    def get(self, path: str) -> tuple[Any, bytes]:
        answer = self._server.get(path)
        return answer.headers, answer.content


@pytest.fixture(scope="module", params=["standalone", "notebook"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served | InNotebook]:
    folder = tmp_path_factory.mktemp("served")
    if request.param == "standalone":
        with serving(FUNCTIONS, folder) as served:
            yield served
    else:
        with jupyter(folder) as server:
            yield InNotebook(server)


def downloads(served: Served | InNotebook, function: str, **arguments: Any) -> list[tuple[str, bytes]]:
    answer = served.run(function, **arguments)
    assert answer["status"] == "finished", answer
    found = []
    for output in answer["outputs"]:
        headers, content = served.get(output["url"])
        assert headers["X-Content-Type-Options"] == "nosniff"
        if output["kind"] == "file":
            assert headers["Content-Disposition"].startswith("attachment")
            assert len(content) == output["size"]
            found.append((output["filename"], content))
        else:
            found.append((output["kind"], content))
    return found


def test_two_files_come_back_byte_for_byte(served: Served | InNotebook) -> None:
    assert downloads(served, "make_files", name="Ada") == [
        ("hello.txt", b"Hello Ada!"),
        ("goodbye.txt", b"Goodbye Ada!"),
    ]


def test_download_all_is_one_zip(served: Served | InNotebook) -> None:
    answer = served.run("make_files", name="Ada")
    _, content = served.get(f"{served.shared}runs/{quote(answer['run'])}/files.zip")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == {
            "hello.txt": b"Hello Ada!",
            "goodbye.txt": b"Goodbye Ada!",
        }


def test_a_pdf_holds_its_title(served: Served | InNotebook) -> None:
    ((name, content),) = downloads(served, "create_pdf", title="Quarterly report")
    assert name == "Quarterly report.pdf"
    assert content.startswith(b"%PDF-")
    assert b"(Quarterly report)" in content
    assert content.rstrip().endswith(b"%%EOF")


def test_a_workbook_opens_with_its_rows(served: Served | InNotebook) -> None:
    ((name, content),) = downloads(served, "create_excel", rows=1000)
    assert name == "table.xlsx"
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    assert [row[0] for row in sheet.iter_rows(values_only=True)] == ["n", *range(1000)]


def test_an_archive_holds_its_files(served: Served | InNotebook) -> None:
    ((_, content),) = downloads(served, "create_archive", file_count=20)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert archive.read("file19.txt") == b"content 19"
        assert len(archive.namelist()) == 20


def test_a_picture_and_a_plot_open(served: Served | InNotebook) -> None:
    ((_, picture),) = downloads(served, "draw_picture", width=7)
    assert Image.open(io.BytesIO(picture)).getpixel((6, 1)) == (255, 0, 0)
    ((_, plot),) = downloads(served, "draw_plot")
    assert Image.open(io.BytesIO(plot)).format == "PNG"


def test_a_path_yielded_twice_and_overwritten_between_gives_both(
    served: Served | InNotebook, tmp_path: Path
) -> None:
    files = downloads(served, "one_after_the_other", folder=str(tmp_path))
    assert files == [("out.csv", b"first"), ("out.csv", b"second, longer")]


def test_what_is_overwritten_and_deleted_before_the_return_comes_back_as_it_was(
    served: Served | InNotebook,
) -> None:
    files = downloads(served, "one_name_for_all", count=3)
    assert files == [("0.txt", b"version 0"), ("1.txt", b"version 1"), ("2.txt", b"version 2")]


@pytest.mark.parametrize(
    ("arguments", "loc"),
    [({}, ["rows"]), ({"rows": "5"}, ["rows"]), ({"rows": True}, ["rows"]), ({"rows": 1, "x": 1}, ["x"])],
)
def test_wrong_arguments_are_refused_at_their_place(
    arguments: dict[str, Any], loc: list[str], served: Served | InNotebook
) -> None:
    answer = served.run("create_excel", **arguments)
    assert answer["reason"] == "invalid"
    assert [error["loc"] for error in answer["errors"]] == [loc]
