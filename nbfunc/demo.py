"""What ``nbfunc demo`` serves: one function for each thing worth seeing."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal

from nbfunc.core.context import progress
from nbfunc.types import (
    Color,
    Email,
    Field,
    File,
    FileResponse,
    ImageFile,
    Label,
    Multiline,
    OptionalDisabled,
    Placeholder,
    Slider,
)


def needed(module: str) -> Any:
    """Return a module of an optional package, or say how to get it."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"This demo needs {error.name}: pip install nbfunc[demo]", name=error.name
        ) from error


class Size(Enum):
    """Of a T-shirt."""

    SMALL = "S"
    MEDIUM = "M"
    LARGE = "L"


@dataclass
class Address:
    """Where to send it."""

    street: str
    city: str = "Lisbon"


def order_shirts(  # noqa: PLR0917 - a form has as many fields as it has
    name: Annotated[str, Field(min_length=1), Placeholder("Ada Lovelace")],
    size: Size,
    address: Address,
    color: Color = "#2266cc",
    count: Annotated[int, Field(ge=1, le=20), Slider()] = 2,
    extras: list[Literal["gift wrap", "sticker", "card"]] = ["card"],  # noqa: B006 - never changed
    deliver_on: date | None = None,
    email: Email | OptionalDisabled = "ada@example.com",
    note: Annotated[str, Multiline(3), Label("Anything else?")] = "",
) -> str:
    """Every common kind of field in one form.

    Args:
        name: Who gets the shirts.
        deliver_on: Leave it off for as soon as possible.
    """
    when = deliver_on or date.today() + timedelta(days=3)
    lines = [
        f"{count} shirts of size {size.value} in {color} for {name},",
        f"to {address.street}, {address.city}, on {when:%d %B %Y}.",
        f"Extras: {', '.join(extras) or 'none'}.",
        f"Mail to {email}." if email else "No mail.",
    ]
    return "\n".join(lines + ([note] if note else []))


def create_pdf(
    title: str = "Hello from nbfunc", paragraphs: Annotated[int, Field(ge=1, le=50)] = 3
) -> FileResponse:
    """Draw a PDF with reportlab."""
    canvas = needed("reportlab.pdfgen.canvas")
    buffer = io.BytesIO()
    page = canvas.Canvas(buffer)
    page.setTitle(title)
    page.setFont("Helvetica-Bold", 24)
    page.drawString(72, 760, title)
    page.setFont("Helvetica", 12)
    for number in range(paragraphs):
        page.drawString(72, 720 - 13 * number, f"Paragraph {number + 1}.")
    page.save()
    return FileResponse(data=buffer.getvalue(), filename=f"{title}.pdf")


def create_excel(rows: Annotated[int, Field(ge=1, le=100_000)] = 100) -> FileResponse:
    """Write a workbook with pandas."""
    pandas = needed("pandas")
    needed("openpyxl")
    frame = pandas.DataFrame({"n": range(rows), "square": [n * n for n in range(rows)]})
    buffer = io.BytesIO()
    frame.to_excel(buffer, index=False)
    return FileResponse(data=buffer.getvalue(), filename="squares.xlsx")


def create_archive(file_count: Annotated[int, Field(ge=1, le=1000)] = 5) -> FileResponse:
    """Pack text files into a zip."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(file_count):
            archive.writestr(f"file-{number + 1}.txt", f"This is file {number + 1}.\n")
    return FileResponse(data=buffer.getvalue(), filename="files.zip")


def several_files(name: str = "world") -> list[FileResponse]:
    """Return two files: each with its button, and one for all."""
    return [
        FileResponse(data=f"Hello {name}!\n".encode(), filename="hello.txt"),
        FileResponse(data=f"Goodbye {name}!\n".encode(), filename="goodbye.txt"),
    ]


def plot_wave(
    frequency: Annotated[float, Field(ge=0.1, le=10), Slider()] = 1.0, color: Color = "#2266cc"
) -> Any:
    """Draw a plot with matplotlib."""
    figure_module = needed("matplotlib.figure")
    numpy = needed("numpy")
    x = numpy.linspace(0, 2 * numpy.pi, 500)
    # A figure of its own, not pyplot's: several may run at once.
    figure = figure_module.Figure(figsize=(7, 3.5), layout="constrained")
    axes = figure.subplots()
    axes.plot(x, numpy.sin(frequency * x), color=color)
    axes.set_title(f"sin({frequency:g} x)")
    return figure


def random_table(rows: Annotated[int, Field(ge=1, le=1_000_000)] = 1000) -> Any:
    """Return a table: sort it, search in it, take it as CSV."""
    pandas = needed("pandas")
    random = needed("numpy").random.default_rng(0)
    names = ["Ada", "Grace", "Edsger", "Barbara", "Alan"]
    return pandas.DataFrame(
        {
            "day": pandas.date_range("2026-01-01", periods=rows, freq="min"),
            "who": random.choice(names, rows),
            "amount": random.normal(100, 20, rows).round(2),
            "paid": random.random(rows) < 0.7,
        }
    )


def count_slowly(
    steps: Annotated[int, Field(ge=1, le=100)] = 10, seconds: Annotated[float, Field(ge=0, le=60)] = 5
) -> str:
    """Print on the way and show how far it is. Leave the page and come back, or cancel it."""
    for step in range(steps):
        progress(step, steps, f"Step {step + 1} of {steps}")
        print(f"Step {step + 1}")
        time.sleep(seconds / steps)  # plays work that takes its time
    progress(steps, steps, "")
    return "Done counting."


def one_by_one(words: list[str] = ["first", "second", "third"]) -> Iterator[str]:  # noqa: B006 - never changed
    """Yield results: each is shown as it comes."""
    for word in words:
        time.sleep(0.5)  # plays work, so that each is seen to come
        yield word.capitalize()


def describe_file(file: File) -> dict[str, Any]:
    """Upload a file of any size; it goes to disk as it comes."""
    path = Path(file)
    return {"name": path.name, "bytes": path.stat().st_size}


def turn_picture(picture: ImageFile, degrees: Annotated[int, Field(ge=0, le=360), Slider()] = 90) -> Any:
    """Turn a picture with Pillow."""
    image = needed("PIL.Image")
    with image.open(picture) as opened:
        return opened.convert("RGB").rotate(-degrees, expand=True)


FUNCTIONS = {
    "Fields": [order_shirts],
    "Files": [create_pdf, create_excel, create_archive, several_files],
    "Pictures and tables": [plot_wave, random_table],
    "On the way": [count_slowly, one_by_one],
    "Uploads": [describe_file, turn_picture],
}
