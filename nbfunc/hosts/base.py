"""The one interface between faces and functions: list them, describe one, run one, cancel a run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from nbfunc.core.events import Event, Last


@dataclass(frozen=True, kw_only=True)
class FunctionInfo:
    """What an index says of a function.

    `group` is None outside any, `where` unless it is ``main``; `dynamic` says that its form asks for options
    each time it opens.
    """

    name: str
    title: str
    description: str = ""
    group: str | None = None
    where: Literal["main"] | None = None
    dynamic: bool = False


@dataclass(frozen=True, kw_only=True)
class RawArguments:
    """Arguments as a client sent them.

    Attributes
    ----------
    values : mapping of str to object
        From JSON: strict, ``"5"`` is no number.
    texts : mapping of str to list of str
        From a form body: each field's values as text; `values` wins over them.
    uploads : mapping of str to list of str
        From a multipart body: the tokens of each field's files, in order. In JSON a file is
        ``{"upload": token}`` in `values`.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    texts: Mapping[str, list[str]] = field(default_factory=dict)
    uploads: Mapping[str, list[str]] = field(default_factory=dict)


class Uploads(Protocol):
    """What a host needs of the uploads directory: tokens to files."""

    def find(self, token: str) -> Path:
        """Return the whole, untaken upload's file; raise `NotFound` with what is wrong otherwise."""

    def take(self, tokens: list[str], run: str) -> None:
        """Keep these uploads for `run`, all or none; raise `NotFound` if one is gone or taken."""

    def release(self, run: str) -> None:
        """The run ended: its uploads may go."""


class Events(AsyncIterator[Event]):
    """A run's events, to its end.

    Parameters
    ----------
    coming : asynchronous iterator of Event
        All but the first ones, to its own end.
    ready : iterable of Event
        The first ones, that are there already; with one of `Last` they are all.
    """

    def __init__(self, coming: AsyncIterator[Event], ready: Iterable[Event] = ()) -> None:
        self._coming = coming
        self._ready = deque(ready)
        self._over = False

    def ready(self) -> Iterator[Event]:
        """Yield those that are there already, which no one else sees then."""
        while self._ready:
            event = self._ready.popleft()
            self._over = isinstance(event, Last)
            yield event

    async def __anext__(self) -> Event:
        for event in self.ready():
            return event
        if self._over:
            raise StopAsyncIteration
        return await anext(self._coming)


class FunctionHost(ABC):
    """Functions that can be listed, described, run and cancelled."""

    @abstractmethod
    def functions(self) -> list[FunctionInfo]:
        """Return what is exposed, in the order of exposing."""

    @abstractmethod
    async def form(self, name: str, *, ask: bool = True) -> dict[str, Any]:
        """Return ``{name, title, description, parameters}`` as SPEC 7 has it.

        Parameters
        ----------
        name : str
            The function.
        ask : bool
            Ask for dynamic options, which may take 10 s; otherwise there are none.

        Raises
        ------
        NotFound
            No such function.
        """

    @abstractmethod
    async def start(self, name: str, raw: RawArguments, *, run: str, user: str | None = None) -> Events:
        """Check the arguments, then return the run's events: `Queued` first, one of `Last` last.

        The run goes on whether or not the events are read.

        Parameters
        ----------
        name : str
            The function.
        raw : RawArguments
            What the client sent.
        run : str
            The run's id, chosen by the caller, unguessable.
        user : str, optional
            Who asks, for `nbfunc.current_user`.

        Raises
        ------
        NotFound
            No such function.
        InvalidArguments
            A value does not fit; nothing was run, no upload taken.
        QueueFull
            No more runs may wait.
        """

    @abstractmethod
    async def cancel(self, run: str) -> None:
        """Ask a run to stop; a run that ended or is unknown is left as it is."""
