"""Exposing is by name: what a name of the notebook stands for after a cell is what its form calls."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from nbfunc.core.forms import form_of
from nbfunc.core.options import FunctionOptions, options_of
from nbfunc.errors import AuthorError, FormError
from nbfunc.hosts.in_process import Exposed


@dataclass
class _Followed:
    """A name that is exposed: what it stood for, with which options, and the name of its form."""

    function: Any
    options: FunctionOptions
    form: str
    group: str | None
    main: bool


class Board(Protocol):
    """Where functions are exposed: by the kernel's agent, or by a server of the kernel's own."""

    def expose(self, exposed: list[Exposed]) -> None:
        """Expose these, in the place of those of their names."""

    def remove(self, names: list[str]) -> None:
        """Expose these no more."""


class Exposures:
    """The names of a notebook's namespace that are exposed in one place.

    Parameters
    ----------
    board : Board
        The place.
    namespace : dict
        The notebook's.
    """

    def __init__(self, board: Board, namespace: dict[str, Any]) -> None:
        self._board = board
        self._namespace = namespace
        self._followed: dict[str, _Followed] = {}

    def expose(self, names: list[str], *, group: str | None = None, main: bool = False) -> list[str]:
        """Expose what these names stand for, all or none; return the names of the forms.

        Parameters
        ----------
        names : list of str
            Dotted ones too.
        group : str, optional
            Where they stand in an index.
        main : bool
            Run them on the notebook's main thread, between cells.

        Raises
        ------
        FormError
            A name stands for nothing, or for what cannot be a form.
        """
        made: dict[str, tuple[Any, Exposed]] = {}
        for name in names:
            function = self.find(name)
            if not callable(function):
                raise FormError(f"{name} is no function, but {type(function).__name__}.")
            made[name] = function, self._made(function, group, main)
        taken = {followed.form: name for name, followed in self._followed.items()}
        for name, (_, exposed) in made.items():
            other = taken.setdefault(exposed.form.name, name)
            if other != name:
                raise FormError(
                    f"{name} and {other} are both named {exposed.form.name}: rename one, "
                    "its name is its address."
                )
        self._board.expose([exposed for _, exposed in made.values()])
        for name, (function, exposed) in made.items():
            self._followed[name] = _Followed(function, options_of(function), exposed.form.name, group, main)
        return [exposed.form.name for _, exposed in made.values()]

    def remove(self, names: list[str]) -> None:
        """Expose these no more.

        Raises
        ------
        FormError
            One is not exposed.
        """
        for name in names:
            if name not in self._followed:
                known = ", ".join(self._followed) or "nothing"
                raise FormError(f"{name} is not exposed; {known} is.")
        self._board.remove([self._followed.pop(name).form for name in names])

    def names(self) -> list[str]:
        """Return what is exposed."""
        return list(self._followed)

    def forms(self, names: list[str]) -> set[str]:
        """Return the names of these functions' forms."""
        return {self._followed[name].form for name in names}

    def find(self, name: str) -> Any:
        """Return what a name, or a dotted one, stands for in the notebook.

        Raises
        ------
        FormError
            Nothing.
        """
        first, *rest = name.split(".")
        try:
            found = self._namespace[first]
            for attribute in rest:
                found = getattr(found, attribute)
        except (KeyError, AttributeError):
            raise FormError(
                f"There is no {name!r} in this notebook: run the cell that defines it first."
            ) from None
        return found

    def _made(self, function: Any, group: str | None, main: bool) -> Exposed:
        form = form_of(function)
        if main:
            form = dataclasses.replace(form, options=dataclasses.replace(form.options, where="main"))
        return Exposed(form, group)

    def follow(self, say: Callable[[str], None] | None = None) -> None:
        """Look at every name again, as after each cell: a new function takes the old one's place."""
        say = say or (lambda text: print(text, file=sys.stderr))
        changed: list[Exposed] = []
        removed: list[str] = []
        for name, followed in list(self._followed.items()):
            try:
                function = self.find(name)
            except FormError:
                removed.append(followed.form)
                del self._followed[name]
                continue
            options = options_of(function)
            if function is followed.function and options == followed.options:
                continue
            followed.function, followed.options = function, options
            try:
                exposed = self._made(function, followed.group, followed.main)
                if exposed.form.name != followed.form:
                    raise FormError(f"it is named {exposed.form.name} now; run %func_to_web {name} again.")
            except AuthorError as error:
                say(f"nbfunc: the form of {name} still calls the function of before: {error}")
            else:
                changed.append(exposed)
        if removed:
            self._board.remove(removed)
        if changed:
            try:
                self._board.expose(changed)
            except AuthorError as error:
                say(f"nbfunc: {error}")
