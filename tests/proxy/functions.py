"""What runs behind the proxy: in a server of its own, and in a kernel."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

from nbfunc.types import File


def live(gate: str) -> str:
    """Say a word, wait for a file, say another."""
    print("first")
    while not Path(gate).exists():
        time.sleep(0.05)
    print("second")
    return "both"


def count(to: int) -> int:
    for n in range(to):
        print(n)
    return to


def silent(seconds: float) -> str:
    time.sleep(seconds)
    return "still here"


def digest(data: File) -> str:
    path, found = Path(data), hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            found.update(piece)
    return f"{path.name} {path.stat().st_size} {found.hexdigest()}"
