"""A function's own options: they go with it wherever it is exposed."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypeVar, overload
from weakref import WeakKeyDictionary

from nbfunc.errors import OptionError

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True)
class FunctionOptions:
    """What `expose` takes."""

    title: str | None = None
    group: str | None = None
    where: Literal["main"] | None = None
    max_concurrency: int | None = None
    timeout: float | None = None
    executor: Executor | None = None

    def __post_init__(self) -> None:
        for name in ("title", "group"):
            text = getattr(self, name)
            if text is not None and not (isinstance(text, str) and text.strip()):
                raise OptionError(f"{name}={text!r}: pass a text, or leave it out.")
        if self.where not in {None, "main"}:
            raise OptionError(f"where={self.where!r}: pass 'main', or leave it out for a thread of its own.")
        count, seconds = self.max_concurrency, self.timeout
        if count is not None and (not isinstance(count, int) or isinstance(count, bool) or count < 1):
            raise OptionError(f"max_concurrency={count!r}: pass a number from 1, or None for no limit.")
        if seconds is not None and not (_is_number(seconds) and 0 < seconds < math.inf):
            raise OptionError(f"timeout={seconds!r}: pass seconds, more than 0, or None for no limit.")
        if self.executor is not None:
            check_executor(self.executor)
            if self.where is not None:
                raise OptionError("where='main' runs in the kernel itself: leave out executor=, or where=.")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def check_executor(executor: object) -> None:
    """Refuse what is no executor.

    Raises
    ------
    OptionError
        It says what to pass.
    """
    if not isinstance(executor, Executor):
        raise OptionError(
            f"executor={executor!r}: pass a concurrent.futures.Executor, such as ProcessPoolExecutor(), "
            "Dask's client.get_executor() or ipyparallel's client.executor()."
        )


# Not an attribute of the function: what sends functions to other processes by value would send its
# attributes too, and an executor cannot travel.
_OPTIONS: WeakKeyDictionary[Any, FunctionOptions] = WeakKeyDictionary()


@overload
def expose(
    f: F,
    /,
    *,
    title: str | None = None,
    group: str | None = None,
    where: Literal["main"] | None = None,
    max_concurrency: int | None = None,
    timeout: float | None = None,
    executor: Executor | None = None,
) -> F: ...


@overload
def expose(
    *,
    title: str | None = None,
    group: str | None = None,
    where: Literal["main"] | None = None,
    max_concurrency: int | None = None,
    timeout: float | None = None,
    executor: Executor | None = None,
) -> Callable[[F], F]: ...


def expose(f: Any = None, /, **options: Any) -> Any:
    """Set a function's own options; they hold wherever it is exposed, from the next time on that it is.

    Parameters
    ----------
    f : callable, optional
        The function. Without it this is a decorator: ``@expose(title="Yearly report")``.
    title : str, optional
        The form's title; by default the function's name.
    group : str, optional
        Where it stands in an index. A group that `run` was given for it comes first.
    where : {'main'}, optional
        Run it on the kernel's main thread and event loop, between cells, one at a time: for what is bound to
        them, such as an sqlite3 connection. Only in kernels.
    max_concurrency : int, optional
        How many runs of it go at once, within the host's own bound; the rest wait in order.
    timeout : float, optional
        Seconds after which a run is cancelled, and fails with a `TimeoutError`.
    executor : concurrent.futures.Executor, optional
        Call it there. What it prints there stays there; its result is shown as any other.

    Returns
    -------
    callable
        `f` itself, or the decorator.

    Raises
    ------
    OptionError
        An option that does not exist, or a value that does not fit.

    Examples
    --------
    >>> @expose(title="Yearly report", timeout=60)
    ... def report(year: int) -> str:
    ...     return f"Report of {year}"
    """
    try:
        chosen = FunctionOptions(**options)
    except TypeError as error:
        unknown = sorted(options.keys() - FunctionOptions.__dataclass_fields__)
        if isinstance(error, OptionError) or not unknown:
            raise
        known = ", ".join(FunctionOptions.__dataclass_fields__)
        raise OptionError(f"expose() takes no {unknown[0]}=. It takes {known}.") from None
    return partial(_expose, chosen) if f is None else _expose(chosen, f)


def _expose(options: FunctionOptions, f: Any) -> Any:
    if not callable(f):
        raise OptionError(f"expose({f!r}): pass a function.")
    if options.executor is not None and not is_plain(f):
        raise OptionError(
            f"{getattr(f, '__name__', f)} is a coroutine or generator function, which no executor runs: "
            "write a plain function, or leave out executor=."
        )
    try:
        _OPTIONS[f.__func__ if inspect.ismethod(f) else f] = options
    except TypeError:  # no hash, or nothing can refer to it weakly
        raise OptionError(f"expose({f!r}): write a `def` that calls it.") from None
    return f


def options_of(function: Callable[..., Any]) -> FunctionOptions:
    """Return a function's own options, seen through `functools.wraps`, `partial` and bound methods."""
    for layer in layers(function):
        try:
            if layer in _OPTIONS:
                return _OPTIONS[layer]
        except TypeError:  # the same
            continue
    return FunctionOptions()


def is_plain(function: Callable[..., Any]) -> bool:
    """Say whether it is neither a coroutine function nor a generator function."""
    kinds = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)
    return not any(kind(layer) for layer in layers(function) for kind in kinds)


def layers(function: Any) -> Iterator[Any]:
    """Yield a function, then what is inside its decorators, partials and bound methods, to the innermost."""
    seen: set[int] = set()
    while id(function) not in seen:
        seen.add(id(function))
        yield function
        if inspect.ismethod(function):
            function = function.__func__
        elif isinstance(function, partial):
            function = function.func
        else:
            function = getattr(function, "__wrapped__", function)
