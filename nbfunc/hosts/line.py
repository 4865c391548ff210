"""The line in which runs wait for their turn: so many at once, the rest in order."""

from __future__ import annotations

from collections.abc import Callable
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

    def join(self, place: Place) -> None:
        """Begin at once, or wait.

        Raises
        ------
        QueueFull
            Too many wait already.
        """
        if len(self._waiting) >= MOST_WAITING:
            raise QueueFull(f"{MOST_WAITING:,} runs are waiting already. Try again later.")
        self._waiting.append(place)
        self._advance()
        if not place.running:
            place.moved(len(self._waiting))

    def leave(self, place: Place) -> bool:
        """Give the place up, and say whether it was running."""
        if place.running:
            self._running -= 1
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
