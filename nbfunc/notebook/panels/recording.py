"""What a function returns, for its panel: the value itself, and tables as a notebook shows them."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from typing import Any

from nbfunc.core import tabular
from nbfunc.core.context import CALL

Note = Callable[[str, Any], None]


class Own:
    """A table in the representation that a notebook cell gives it."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def _repr_mimebundle_(self, **_: Any) -> Any:
        interactive = sys.modules["IPython"].get_ipython()
        return interactive.display_formatter.format(self._table)


def recorded(function: Callable[..., Any], note: Note) -> Callable[..., Any]:
    """Return `function`, with each value that it returns or yields told to `note`, after the run's id."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        current = CALL.get()
        if current is None:
            return result

        def noted(value: Any) -> Any:
            note(current.run, value)
            return shown(value)

        if inspect.isasyncgen(result):
            return _each_async(result, noted)
        if inspect.isgenerator(result):
            return _each(result, noted)
        return _awaited(result, noted) if inspect.isawaitable(result) else noted(result)

    return call


async def _awaited(result: Awaitable[Any], noted: Callable[[Any], Any]) -> Any:
    return noted(await result)


async def _each_async(
    generator: AsyncGenerator[Any, Any], noted: Callable[[Any], Any]
) -> AsyncGenerator[Any, None]:
    try:
        async for value in generator:
            yield noted(value)
    finally:
        await generator.aclose()


def _each(generator: Generator[Any, Any, Any], noted: Callable[[Any], Any]) -> Generator[Any, None, Any]:
    try:
        while True:
            try:
                value = next(generator)
            except StopIteration as stop:
                return shown(stop.value) if stop.value is None else noted(stop.value)
            yield noted(value)
    finally:
        generator.close()


def shown(value: Any) -> Any:
    """Return what stands for a value: tables that show themselves do so, in lists and tuples too."""
    if "IPython" not in sys.modules or sys.modules["IPython"].get_ipython() is None:
        return value
    if type(value) in {list, tuple}:
        items = [shown(item) for item in value]
        changed = any(item is not before for item, before in zip(items, value, strict=True))
        return type(value)(items) if changed else value
    is_own = hasattr(type(value), "_repr_html_") and tabular.is_table(value)
    return Own(value) if is_own else value
