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


def test_a_file_of_the_inline_form_is_downloaded_from_the_server(server: Jupyter, fresh: Kernel) -> None:
    assert not fresh.run(CELLS).error
    # Until the server has asked for the first time files are links with all their content.
    link = server.until(lambda: (found := fresh.run(RUN).stdout.strip()).startswith("/") and found)
    answer = server.get(str(link))
    assert (answer.status, answer.text) == (200, "from the panel")
