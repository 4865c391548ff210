"""The page's scripts as the build left them: named by content, so that a browser may keep them for ever."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

from nbfunc.errors import NotFound

FOLDER = Path(__file__).parent / "static"

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


class Built:
    """A folder of built files.

    Parameters
    ----------
    folder : Path
        With a ``manifest.json`` that names each entry's file.
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        self._read: dict[str, tuple[bytes, bytes]] = {}

    def entry(self, name: str) -> str:
        """Return the file of an entry, such as ``page.js``; the name itself where nothing was built."""
        try:
            entries = json.loads((self._folder / "manifest.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return name
        return str(entries.get(name, name))

    def file(self, name: str) -> tuple[bytes, bytes]:
        """Return a file's content, as it is and gzipped.

        Raises
        ------
        NotFound
            It is none of the folder's own files.
        """
        if name not in self._read:
            if not _NAME.fullmatch(name):
                raise NotFound(f"There is no file {name!r} here.")
            try:
                content = (self._folder / name).read_bytes()
            except OSError as error:
                raise NotFound(f"There is no file {name!r} here.") from error
            self._read[name] = content, gzip.compress(content, mtime=0)
        return self._read[name]
