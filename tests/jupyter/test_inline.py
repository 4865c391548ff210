"""The inline form in a kernel of a server that has nbfunc: its files are downloads of the server's."""

from __future__ import annotations

from tests.jupyter.server import Jupyter, Kernel

CELLS = """
import re, time
import ipywidgets, nbfunc
from nbfunc.types import FileResponse

def make() -> FileResponse:
    return FileResponse(data=b"from the panel", filename="made here.txt")

form = nbfunc.panel(make)

def shown(widget):
    yield getattr(widget, "value", "")
    for child in getattr(widget, "children", ()):
        yield from shown(child)
"""
RUN = """
form.run().result(30)
print(*re.findall(r'href="([^"]*)"', " ".join(map(str, shown(form)))))
"""


def is_address(link: str) -> bool:
    """Say whether a link leads to the server, and does not hold the file itself."""
    return link.startswith("/")


def test_a_file_of_the_inline_form_is_downloaded_from_the_server(server: Jupyter, fresh: Kernel) -> None:
    assert not fresh.run(CELLS).error
    # Until the server has asked for the first time files are links with all their content.
    newest = server.until(lambda: next(filter(is_address, fresh.run(RUN).stdout.split()), None))
    answer = server.get(newest)
    assert (answer.status, answer.text) == (200, "from the panel")
