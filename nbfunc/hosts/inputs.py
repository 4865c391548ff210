"""What decoding a submit needs of a host: its uploads, and what its dynamic dropdowns offered."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Set
from pathlib import Path
from typing import Any

from nbfunc.core.choices import ask
from nbfunc.core.fields import NoOffer, Options
from nbfunc.core.forms import Form
from nbfunc.core.mailbox import unicode_only
from nbfunc.hosts.base import Uploads

SERVED_SECONDS = 3600.0


class Offers:
    """What dynamic dropdowns offered within the hour."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._served: dict[Callable[[], Any], dict[Options, float]] = {}

    def fresh(self, source: Callable[[], Any]) -> Options:
        """Ask, and remember the answer."""
        options = ask(source)
        with self._lock:
            self._served[source] = self._recent(source) | {options: time.monotonic()}
        return options

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
            yield self._offers.fresh(source)
        except Exception as error:
            raise NoOffer(unicode_only(f"{type(error).__name__}: {error}")) from error
