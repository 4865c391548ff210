"""What decoding a submit needs of a host: its uploads, and what its dynamic dropdowns offered."""

from __future__ import annotations

import functools
import math
import threading
import time
from collections.abc import Callable, Iterator, Set
from concurrent.futures import Future, TimeoutError  # noqa: A004 - not the built-in one before Python 3.11
from pathlib import Path
from typing import Any

from nbfunc.core import threads
from nbfunc.core.choices import ask
from nbfunc.core.fields import NoOffer, Options
from nbfunc.core.forms import Form
from nbfunc.core.mailbox import unicode_only
from nbfunc.hosts.base import Uploads

SERVED_SECONDS = 3600.0


class Offers:
    """What dynamic dropdowns offered within the hour.

    Parameters
    ----------
    seconds : float
        How long an answer is waited for.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._lock = threading.Lock()
        self._served: dict[Callable[[], Any], dict[Options, float]] = {}
        self._asking: dict[Callable[[], Any], tuple[float, Future[Options | str]]] = {}

    def asking(self, source: Callable[[], Any]) -> Future[Options | str]:
        """Return the options that come, or why there are none; who asks meanwhile shares them.

        Each is asked in a thread of its own: one that hangs keeps nobody else up. After `seconds` it is asked
        anew, since what it hangs on may have passed.
        """
        now = time.monotonic()
        with self._lock:
            begun, answer = self._asking.get(source, (-math.inf, None))
            if answer is None or now - begun >= self.seconds:
                answer = Future()
                answer.set_running_or_notify_cancel()  # who gives up must not cancel it for the others
                self._asking[source] = now, answer
                threads.start(functools.partial(self._ask, source, answer), name="nbfunc-options")
        return answer

    def _ask(self, source: Callable[[], Any], answer: Future[Options | str]) -> None:
        try:
            options: Options | str = ask(source)
        except Exception as error:  # noqa: BLE001 - the author's code; the form opens all the same
            options = unicode_only(f"{type(error).__name__}: {error}")
        with self._lock:
            if not isinstance(options, str):
                self._served[source] = self._recent(source) | {options: time.monotonic()}
            if self._asking.get(source, (0, None))[1] is answer:
                del self._asking[source]
        answer.set_result(options)

    def late(self) -> str:
        """Say that the options did not come in time."""
        return f"TimeoutError: the options did not come within {self.seconds:g} s."

    def known(self, source: Callable[[], Any]) -> list[Options]:
        """Return the answers of the last hour."""
        with self._lock:
            return list(self._recent(source))

    def inherit(self, old: Form, new: Form) -> None:
        """Let the same dropdown of a changed function go on accepting what open pages show."""
        with self._lock:
            for place, source in new.dropdowns.items():
                if place in old.dropdowns:
                    self._served[source] = self._recent(old.dropdowns[place]) | self._recent(source)

    def keep(self, sources: Set[Callable[[], Any]]) -> None:
        """Forget the answers of all others."""
        with self._lock:
            self._served = {source: served for source, served in self._served.items() if source in sources}

    def _recent(self, source: Callable[[], Any]) -> dict[Options, float]:
        now = time.monotonic()
        return {o: at for o, at in self._served.get(source, {}).items() if now - at < SERVED_SECONDS}


class SubmitInputs:
    """The inputs of one submit (`nbfunc.core.fields.Inputs`): remembers which uploads it names.

    Parameters
    ----------
    uploads : Uploads
        The host's.
    offers : Offers
        The host's.

    Attributes
    ----------
    tokens : list of str
        Of the uploads that were asked for, each once.
    """

    def __init__(self, uploads: Uploads, offers: Offers) -> None:
        self.tokens: list[str] = []
        self._uploads = uploads
        self._offers = offers

    def upload(self, token: str) -> Path:
        """Return an upload's file."""
        path = self._uploads.find(token)
        if token not in self.tokens:
            self.tokens.append(token)
        return path

    def offered(self, source: Callable[[], Any]) -> Iterator[Options]:
        """Yield what was offered within the hour, then what is offered now."""
        yield from self._offers.known(source)
        try:
            options = self._offers.asking(source).result(self._offers.seconds)
        except TimeoutError:
            options = self._offers.late()
        if isinstance(options, str):
            raise NoOffer(options)
        yield options
