"""The page's own scripts: named by their content, so that a browser may keep them for ever."""

from __future__ import annotations

import functools
import gzip
import json
import re
from pathlib import Path

from nbfunc.errors import NotFound

FOLDER = Path(__file__).parent / "static"


@functools.lru_cache(maxsize=256)
def static_file(name: str, folder: Path = FOLDER) -> tuple[bytes, bytes]:
    """Return a built file, as it is and gzipped; a name is one of the folder's own files or nothing."""
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", name):
        raise NotFound(f"There is no file {name!r} here.")
    try:
        content = (folder / name).read_bytes()
    except OSError as error:
        raise NotFound(f"There is no file {name!r} here.") from error
    return content, gzip.compress(content, mtime=0)


def scripts(folder: Path = FOLDER) -> dict[str, str]:
    """Return the built scripts: entry to file name; empty where nothing was built."""
    try:
        found = json.loads((folder / "manifest.json").read_text())
    except FileNotFoundError:
        return {}
    return {str(entry): str(name) for entry, name in found.items()}
