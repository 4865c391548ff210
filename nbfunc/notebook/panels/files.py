"""Files that a person chooses: sent to the server where JupyterLab's extension runs, else through the kernel.

The extension takes the button's click and drops of files for itself where the box says that the server's
uploads are read here (``nbfunc-tus``), and tells what it sent by a text box that nobody sees. Where there is
no extension (Voila, VS Code, Colab), nobody takes the click, and the button is `ipywidgets.FileUpload`.
"""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

import ipywidgets

from nbfunc.core.compound import ListField
from nbfunc.core.fields import LEFT_OUT, Loc
from nbfunc.core.uploaded import FileField
from nbfunc.errors import NotFound
from nbfunc.notebook.panels.inputs import Home, Input, heading
from nbfunc.notebook.panels.stage import Stage
from nbfunc.notebook.panels.widgets import show

# The server closes the notebook's websocket on a message that is larger (tornado's
# websocket_max_message_size); a little of it is the message around the files.
MOST_BYTES = 10 << 20
LIMIT = "Up to 10 MB, which is all that the notebook's connection takes at once."
_NOTHING = (
    '<span class="nbfunc-help">'
    f'<span class="nbfunc-limit">{LIMIT}</span><span class="nbfunc-any">or drop {{}} here</span>'
    "</span>"
)


def size(bytes_: float) -> str:
    """Return a size as people read it: 1234567 is "1.2 MB"."""
    for unit in ("B", "KB", "MB", "GB"):
        if bytes_ < 999.5:
            return f"{bytes_:.0f} {unit}" if unit == "B" or bytes_ >= 99.95 else f"{bytes_:.1f} {unit}"
        bytes_ /= 1000
    return f"{bytes_:.1f} TB"


class UploadPicker:
    """A button to choose files with, and what was chosen."""

    def __init__(self, field: FileField, several: bool, stage: Stage, changed: Callable[[], None]) -> None:
        self._stage = stage
        self._changed = changed
        self._tokens: list[str] = []
        self._upload = ipywidgets.FileUpload(
            accept=",".join(field.extensions),
            multiple=several,
            description="Choose files" if several else "Choose a file",
        )
        self._upload.observe(self._chosen, "value")
        self._nothing = _NOTHING.format("them" if several else "it")
        self._names = ipywidgets.HTML(self._nothing)
        self._by_server = False
        # What the browser has to know, and its answer.
        wanted = {**field.hints(), "several": several}
        self._sent = ipywidgets.Text(placeholder=json.dumps(wanted), continuous_update=False)
        self._sent.observe(self._arrived, "value")
        show(self._sent, on=False)
        row = ipywidgets.HBox([self._upload, self._names, self._sent], _dom_classes=("nbfunc-row",))
        # Below the row the extension shows how far it is.
        self.box = ipywidgets.VBox([row], _dom_classes=("nbfunc-upload",))
        stage.add(self)

    def name(self, title: str) -> None:
        """Say what the files are for, to who cannot see it."""
        self._upload.tooltip = title

    def send_to_server(self) -> None:
        self.box.add_class("nbfunc-tus")

    def spent(self, tokens: Collection[str]) -> None:
        if self._by_server and not set(tokens).isdisjoint(self._tokens):
            self.box.add_class("nbfunc-spent")

    def _chosen(self, _: Any) -> None:
        self._tokens, self._by_server = [], False
        self._tell([(file["name"], file["size"]) for file in self._upload.value])

    def _arrived(self, change: Any) -> None:
        files = json.loads(change.new or "[]")
        self._tokens, self._by_server = [str(file["token"]) for file in files], True
        self.box.remove_class("nbfunc-spent")
        self._tell([(str(file["name"]), float(file["size"])) for file in files])

    def _tell(self, files: list[tuple[str, float]]) -> None:
        rows = [f"{html.escape(name)} ({size(bytes_)})" for name, bytes_ in files]
        self._names.value = ", ".join(rows) or self._nothing
        self._changed()

    def tokens(self) -> list[str]:
        if self._by_server:
            return self._tokens  # the browser sends again what a run took
        uploads = self._stage.uploads
        try:
            for token in self._tokens:
                uploads.find(token)
        except NotFound:  # a run took it, or its hour is over
            self._tokens = []
        if not self._tokens:
            self._tokens = [uploads.keep(file["name"], file["content"]) for file in self._upload.value]
        return self._tokens


class _Files:
    """A picker, and the files of this machine that stand in where nothing is picked."""

    def __init__(self, field: FileField, home: Home, *, several: bool, edited: Callable[[], None]) -> None:
        self._home = home
        self._lent: list[str] = []
        self.picker = UploadPicker(field, several, home.stage, edited)
        self.note = ipywidgets.HTML()

    def tokens(self) -> list[str]:
        return self.picker.tokens() or self._lent

    def lend(self, paths: list[str]) -> None:
        for path in paths:
            self._home.stage.uploads.lend(path)
        self._lent = paths
        self.name([path.replace("\\", "/").rsplit("/", 1)[-1] for path in paths])

    def name(self, names: list[str]) -> None:
        shown = html.escape(", ".join(names))
        self.note.value = f'<p class="nbfunc-help">Nothing chosen: {shown}</p>' if names else ""


class FileInput(Input[FileField]):
    """`File` and its like."""

    def __init__(self, field: FileField, title: str, home: Home) -> None:
        super().__init__(field, title, home)
        self._heading = heading(title)
        self._files = _Files(field, home, several=False, edited=self._edited)
        self._files.picker.name(title)
        self._lay(self._heading, self._files.picker.box, self._files.note)

    def raw(self, loc: Loc) -> Any:  # noqa: ARG002 - an Input
        tokens = self._files.tokens()
        return {"upload": tokens[0]} if tokens else LEFT_OUT

    def fill(self, json: Any) -> None:
        self._files.lend([json["upload"]])

    def offer(self, told: Mapping[str, Any]) -> None:
        super().offer(told)
        self._files.name([told["default_name"]])

    def rename(self, title: str) -> None:
        super().rename(title)
        self._heading.value = html.escape(title)
        self._files.picker.name(title)


class FilesInput(Input[ListField]):
    """`list[File]`: several at once."""

    def __init__(self, field: ListField, title: str, home: Home) -> None:
        super().__init__(field, title, home)
        assert isinstance(field.item, FileField)
        self._heading = heading(title)
        self._files = _Files(field.item, home, several=True, edited=self._edited)
        self._files.picker.name(title)
        self._lay(self._heading, self._files.picker.box, self._files.note)

    def raw(self, loc: Loc) -> Any:  # noqa: ARG002 - an Input
        tokens = self._files.tokens()
        return LEFT_OUT if self.stands_in and not tokens else [{"upload": token} for token in tokens]

    def offer(self, told: Mapping[str, Any]) -> None:
        super().offer(told)
        self._files.name([told["default_name"]])

    def fill(self, json: Any) -> None:
        self._files.lend([item["upload"] for item in json])

    def complain(self, loc: Loc, message: str) -> None:  # noqa: ARG002 - the message names the file
        self.say(message)

    def rename(self, title: str) -> None:
        super().rename(title)
        self._heading.value = html.escape(title)
        self._files.picker.name(title)
