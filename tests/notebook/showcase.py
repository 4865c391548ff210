"""Functions to look at: every kind of field, and every kind of output."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Annotated

from nbfunc import FileResponse, progress
from nbfunc.types import Color, DataFile, Dropdown, Email, Field, File, Multiline, Password, Slider


class Size(enum.Enum):
    SMALL = "small"
    LARGE = "large"


@dataclasses.dataclass
class Point:
    """A point.

    Parameters
    ----------
    left : int
        From the left edge.
    """

    left: int
    top: int = 0


def everything(
    count: int,
    title: str = "A title",
    *,
    share: Annotated[float, Field(ge=0, le=1), Slider()] = 0.25,
    notes: Annotated[str, Multiline(3)] = "several\nlines",
    secret: Annotated[str, Password()] = "x",
    agreed: bool = True,
    day: date = date(2024, 2, 29),
    at: time = time(18, 30),
    when: datetime | None = None,
    pause: timedelta = timedelta(hours=1.5),
    shade: Color = "#ff8800",
    mail: Email = "ada@example.org",
    data: DataFile | None = None,
    size: Size = Size.SMALL,
    fruit: Annotated[str, Dropdown(lambda: ["apple", "pear"])] = "pear",
    sizes: list[Size] = [Size.LARGE],  # noqa: B006 - never changed
    points: list[Point] = [Point(1, 2)],  # noqa: B006, B008 - the same
    either: int | str = "text",
    corner: Point | None = Point(3, 4),  # noqa: B008 - the same
    prices: dict[str, float] = {"tea": 2.5},  # noqa: B006 - the same
    attachments: list[File] = [],  # noqa: B006 - the same
) -> str:
    """Take one of everything.

    Parameters
    ----------
    count : int
        How many there are, in all.
    pause : timedelta
        How long to wait between two of them.
    """
    return f"{count} {title}"


def make_report(pages: Annotated[int, Field(ge=1, le=50)] = 3) -> Iterator[object]:
    """Make a report: prints, progress, a figure, tables, files."""
    import matplotlib.pyplot as plt
    import pandas as pd

    for page in range(pages):
        print(f"page {page + 1}")
        progress(page + 1, pages, "writing")
    fig, ax = plt.subplots(figsize=(4, 2))
    ax.plot([1, 3, 2])
    yield fig
    yield pd.DataFrame({"page": [1, 2], "words": [120, 340]})
    yield [{"page": 1, "words": 120}, {"page": 2, "words": None}]
    yield {"pages": pages}
    yield "A text <b>as it is</b>\nof two lines"
    yield FileResponse(data=b"Hello", filename="hello.txt")
    raise ValueError("and an error <at> the end")
