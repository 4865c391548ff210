"""The lines in which runs wait for their turn: so many at once, the rest in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from nbfunc.errors import QueueFull

MOST_WAITING = 10_000


@dataclass(eq=False)
class Place:
    """One run's place.

    Attributes
    ----------
    begin : callable
        Called once, when its turn has come.
    moved : callable
        Called with its position, from 1, when it joins behind others and whenever that changes.
    """

    begin: Callable[[], None]
    moved: Callable[[int], None]
    running: bool = field(default=False)


class Line:
    """A line for one event loop; not for threads.

    Parameters
    ----------
    limit : int, optional
        How many run at once; None for all.
    """

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._running = 0
        self._waiting: list[Place] = []

    def set_limit(self, limit: int | None) -> None:
        """Let so many run at once from now on; those that run go on."""
        self._limit = limit
        self._advance()

    @property
    def full(self) -> bool:
        """Whether another run would have to wait."""
        return bool(self._waiting) or (self._limit is not None and self._running >= self._limit)

    def check(self) -> None:
        """Refuse another run if too many wait already.

        Raises
        ------
        QueueFull
            It says how many.
        """
        if len(self._waiting) >= MOST_WAITING:
            raise QueueFull(f"{MOST_WAITING:,} runs are waiting already. Try again later.")

    def join(self, place: Place) -> None:
        """Begin at once, or wait."""
        if self.full:
            self._waiting.append(place)
            place.moved(len(self._waiting))
        else:
            place.running = True
            self._running += 1
            place.begin()

    def leave(self, place: Place) -> bool:
        """Give the place up, and say whether it was running."""
        if place.running:
            self._running -= 1
            if self._waiting:
                self._advance()
        elif place in self._waiting:
            index = self._waiting.index(place)
            self._waiting.remove(place)
            self._renumber(index)
        return place.running

    def _advance(self) -> None:
        started = 0
        while self._waiting and (self._limit is None or self._running < self._limit):
            place = self._waiting.pop(0)
            place.running = True
            self._running += 1
            started += 1
            place.begin()
        if started:
            self._renumber(0)

    def _renumber(self, start: int) -> None:
        for index in range(start, len(self._waiting)):
            self._waiting[index].moved(index + 1)


class Turn:
    """One run's way through several lines: it begins when it is through the last, and holds its place in all.

    Parameters
    ----------
    lines : sequence of Line
        In the same order for all runs that share them.
    begin : callable
        Called once, when its turn has come.
    moved : callable
        Called with its position in the line that it stands in, whenever that changes.
    """

    def __init__(
        self, lines: Sequence[Line], begin: Callable[[], None], moved: Callable[[int], None]
    ) -> None:
        self._lines = list(lines)
        self._ahead = iter(self._lines)
        self._held: list[tuple[Line, Place]] = []
        self._begin = begin
        self._moved = moved
        self.begun = False

    def join(self) -> None:
        """Begin at once, or wait.

        Raises
        ------
        QueueFull
            Too many wait already.
        """
        for line in self._lines:
            line.check()
        self._go_on()

    def leave(self) -> None:
        """Give all places up; it begins no more."""
        held, self._held = self._held, []
        for line, place in reversed(held):
            line.leave(place)
        # They know the run, and the run knows this: left alone, only the collector would find them.
        self._begin, self._moved = _nothing, _nowhere

    def _go_on(self) -> None:
        line = next(self._ahead, None)
        if line is None:
            self.begun = True
            self._begin()
            return
        place = Place(self._go_on, self._moved)
        self._held.append((line, place))
        line.join(place)


def _nothing() -> None: ...


def _nowhere(_: int) -> None: ...
