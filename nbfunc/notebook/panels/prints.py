"""What a terminal would show of a run's prints: carriage returns redraw, the oldest lines give way."""

from __future__ import annotations

import html
import re
from collections import deque
from typing import Literal

KEPT_LINES = 2000
KEPT_WIDTH = 2000
# Each drawing sends all that is shown to the browser again.
SHOWN_CHARACTERS = 100_000

_PIECES = re.compile(r"\x1b\[[0-9;?]*[@-~]|[\n\r\b]|[^\n\r\b\x1b]+|\x1b")


class Prints:
    """The last lines that a run printed."""

    def __init__(self) -> None:
        self._lines: deque[tuple[str, bool]] = deque([("", False)], maxlen=KEPT_LINES)
        self._column = 0
        self._count = 1

    def write(self, text: str, stream: Literal["stdout", "stderr"]) -> None:
        """Add printed text."""
        for piece in _PIECES.findall(text):
            if piece == "\n":
                self._lines.append(("", False))
                self._count += 1
                self._column = 0
            elif piece == "\r":
                self._column = 0
            elif piece == "\b":
                self._column = max(0, self._column - 1)
            elif piece.startswith("\x1b"):
                if piece == "\x1b[K":
                    self._lines[-1] = (self._lines[-1][0][: self._column], self._lines[-1][1])
            else:
                self._put(piece, stderr=stream == "stderr")

    def _put(self, text: str, *, stderr: bool) -> None:
        line, was_stderr = self._lines[-1]
        end = self._column + len(text)
        line = (line[: self._column].ljust(self._column) + text + line[end:])[:KEPT_WIDTH]
        self._lines[-1] = (line, stderr or (was_stderr and self._column > 0))
        self._column = min(end, KEPT_WIDTH)

    def html(self) -> str:
        """Return the last lines as HTML; nothing where nothing was printed."""
        shown: list[str] = []
        room = SHOWN_CHARACTERS
        lines = reversed(self._lines)
        for line, stderr in lines:
            room -= len(line) + 1
            if room < 0:
                break
            text = html.escape(line, quote=False)
            shown.append(f'<span class="nbfunc-stderr">{text}</span>' if stderr else text)
        text = "\n".join(reversed(shown)).removesuffix("\n")
        if not text:
            return ""
        dropped = self._count - len(shown)
        note = f'<p class="nbfunc-help">{dropped:,} earlier lines are not shown.</p>' if dropped else ""
        # Its only child starts at the bottom, so the last line is what is seen.
        return f'{note}<div class="nbfunc-prints" tabindex="0" role="log"><pre>{text}</pre></div>'
