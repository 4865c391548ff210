"""A look into directories that others change meanwhile: what goes during the look is no error."""

from __future__ import annotations

import os
from pathlib import Path


def below(folder: Path) -> list[Path]:
    """Return the files and directories below a folder, sorted; pathlib would raise for one that goes."""
    return sorted(Path(at) / name for at, folders, files in os.walk(folder) for name in (*folders, *files))


def files_below(folder: Path) -> list[Path]:
    """Return the files below a folder, sorted."""
    return [path for path in below(folder) if path.is_file()]
