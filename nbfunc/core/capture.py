"""print -> the run that printed it.

While runs live, `sys.stdout`, `sys.stderr` and `sys.stdin` are proxies that look up the current call. Outside
any call they are as good as not there: everything passes through untouched.
"""

from __future__ import annotations

import codecs
import io
import logging
import sys
from collections.abc import Callable, Mapping
from typing import Any, Literal, TextIO

from nbfunc.core.context import Call, call_here

Stream = Literal["stdout", "stderr"]


class _Bytes(io.RawIOBase):
    """What `sys.stdout.buffer` is during a run: bytes that may not be UTF-8."""

    def __init__(self, call: Call, stream: Stream) -> None:
        self._call = call
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        piece = bytes(data)
        with self._call.guard.masked():
            self._call.mailbox.print(self._stream, self._decoder.decode(piece))
        return len(piece)


class Output(io.TextIOBase):
    """`sys.stdout` or `sys.stderr` while runs live.

    Parameters
    ----------
    real : file object
        What takes everything that no run wrote.
    stream : {'stdout', 'stderr'}
        Which of the two it is.
    """

    def __init__(self, real: TextIO, stream: Stream) -> None:
        self.real = real
        self._stream = stream

    def write(self, text: str) -> int:
        call = call_here()
        if call is None:
            return self.real.write(text)
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if text:
            with call.guard.masked():
                call.mailbox.print(self._stream, text)
        return len(text)

    def flush(self) -> None:
        if call_here() is None:
            self.real.flush()

    def close(self) -> None:
        """Do nothing: neither a run nor the garbage collector ends what everybody writes to."""

    def isatty(self) -> bool:
        return call_here() is None and self.real.isatty()

    def writable(self) -> bool:
        return True

    @property
    def buffer(self) -> Any:
        call = call_here()
        return self.real.buffer if call is None else _Bytes(call, self._stream)

    @property
    def encoding(self) -> str:  # type: ignore[override]  # TextIOBase declares an attribute
        return "utf-8" if call_here() else self.real.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]  # the same
        return self.real.errors

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


class Input(io.TextIOBase):
    """`sys.stdin` while runs live: a run has no keyboard."""

    def __init__(self, real: TextIO) -> None:
        self.real = real

    def readline(self, *arguments: Any) -> str:  # type: ignore[override]  # one signature for text and bytes
        _refuse_input()
        return self.real.readline(*arguments)

    def read(self, *arguments: Any) -> str:
        _refuse_input()
        return self.real.read(*arguments)

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        """Do nothing, as `Output` does."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


def _refuse_input() -> None:
    if call_here() is not None:
        raise EOFError("input() has no keyboard in a form: make it a parameter of the function.")


class _Records(logging.Handler):
    """Log records of a run, onto its page."""

    def emit(self, record: logging.LogRecord) -> None:
        call = call_here()
        if call is not None:
            with call.guard.masked():
                call.mailbox.print("stderr", self.format(record) + "\n")


_RECORDS = _Records()
_RECORDS.setFormatter(logging.Formatter("%(levelname)s:%(name)s:%(message)s"))


# The print() of older Pythons writes to a stream that it does not own (CPython gh-130163): were a proxy freed
# with the last run, a cell that prints at that moment would write to freed memory. So they stay.
_KEPT: dict[tuple[str, int], Any] = {}
MOST_KEPT = 30


def _proxy(name: Stream | Literal["stdin"]) -> Any:
    """Return what stands in for `sys.stdout` or another; the same one each time, if that has not changed."""
    real = getattr(sys, name)
    if isinstance(real, Output | Input):  # who redirected the stream during a run has put it back after that
        real = real.real
    made = _KEPT.pop((name, id(real)), None)
    if made is None:
        made = Input(real) if name == "stdin" else Output(real, name)
    _KEPT[name, id(real)] = made
    while len(_KEPT) > MOST_KEPT:
        del _KEPT[next(iter(_KEPT))]  # of a stream that somebody had redirected to, long ago
    return made


def capture() -> Callable[[], None]:
    """Put the proxies in place; return what takes them away."""
    put = {name: _proxy(name) for name in ("stdout", "stderr", "stdin")}
    for name, proxy in put.items():
        setattr(sys, name, proxy)
    restore = _redirect_handlers(put)

    def undo() -> None:
        for name, proxy in put.items():
            if getattr(sys, name) is proxy:  # somebody else's redirection stays as it is
                setattr(sys, name, proxy.real)
        restore()

    return undo


def _redirect_handlers(put: Mapping[str, Any]) -> Callable[[], None]:
    """Let the root logger's handlers write where the run does; return what undoes it."""
    moved: list[tuple[logging.StreamHandler[Any], Any]] = []
    printing = False
    for handler in logging.root.handlers:
        if not isinstance(handler, logging.StreamHandler):
            continue
        proxy = next((put[name] for name in ("stdout", "stderr") if handler.stream is put[name].real), None)
        if proxy is not None:
            moved.append((handler, handler.stream))
            handler.setStream(proxy)
        # One that a basicConfig() within an earlier run made writes to that run's proxy, which still works.
        printing = printing or isinstance(handler.stream, Output)
    # Without any handler, logging's last resort writes to sys.stderr, which is ours; a handler of ours would
    # then only keep the author's basicConfig() from doing anything.
    if logging.root.handlers and not printing:
        logging.root.addHandler(_RECORDS)

    def restore() -> None:
        for handler, stream in moved:
            if isinstance(handler.stream, Output):  # else the author set another meanwhile
                handler.setStream(stream)
        logging.root.removeHandler(_RECORDS)

    return restore
