"""A function's own options go with it, however it is wrapped, and a bad one is refused at once."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from nbfunc import expose
from nbfunc.core.forms import form_of
from nbfunc.core.options import FunctionOptions, options_of
from nbfunc.errors import OptionError


def report(year: int) -> str:
    return str(year)


def decorated(f: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(f)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return f(*args, **kwargs)

    return wrapper


class Library:
    def find(self, title: str) -> str:
        return title


def test_options_are_the_functions_own_and_the_function_stays_itself() -> None:
    def f() -> None: ...

    assert expose(f, title="The report", timeout=5) is f
    assert options_of(f) == FunctionOptions(title="The report", timeout=5)
    assert options_of(report) == FunctionOptions()


def test_it_decorates_too_and_the_last_word_counts() -> None:
    @expose(title="One", group="Reports")
    def f() -> None: ...

    assert form_of(f).title == "One"
    expose(f, title="Two")
    assert options_of(f) == FunctionOptions(title="Two")


@pytest.mark.parametrize("wrap", [decorated, functools.partial, lambda f: functools.partial(decorated(f))])
def test_options_are_seen_through_what_wraps_the_function(wrap: Callable[..., Any]) -> None:
    @expose(title="Inside")
    def f(year: int) -> None: ...

    assert form_of(wrap(f)).title == "Inside"
    outside = expose(wrap(f), title="Outside")
    assert form_of(outside).title == "Outside"
    assert form_of(f).title == "Inside"


def test_a_bound_method_has_options() -> None:
    expose(Library().find, title="Find a book")
    assert form_of(Library().find).title == "Find a book"


def test_the_schema_tells_where_it_runs_only_if_that_is_special() -> None:
    def f() -> None: ...

    assert "where" not in form_of(f).schema({})
    assert form_of(expose(f, where="main")).schema({})["where"] == "main"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"title": ""}, "title=''.*leave it out"),
        ({"group": 3}, "group=3"),
        ({"where": "thread"}, "where='thread'.*'main'"),
        ({"max_concurrency": 0}, "max_concurrency=0.*from 1"),
        ({"max_concurrency": True}, "max_concurrency=True"),
        ({"timeout": 0}, "timeout=0.*seconds"),
        ({"timeout": float("nan")}, "timeout=nan"),
        ({"timeout": "5"}, "timeout='5'"),
        ({"executor": "dask"}, "executor='dask'.*ProcessPoolExecutor"),
        ({"titel": "x"}, "takes no titel=.*title"),
    ],
)
def test_a_bad_option_is_refused_with_the_way_out(options: dict[str, Any], says: str) -> None:
    with pytest.raises(OptionError, match=says):
        expose(report, **options)
    assert options_of(report) == FunctionOptions()


async def coroutine() -> None: ...


def generator() -> Iterator[int]:
    yield 1


@pytest.mark.parametrize("function", [coroutine, generator, decorated(coroutine)])
def test_an_executor_takes_plain_functions_only(function: Callable[..., Any]) -> None:
    with ThreadPoolExecutor() as pool, pytest.raises(OptionError, match=r"plain function, or leave out"):
        expose(function, executor=pool)


def test_an_executor_and_the_main_thread_exclude_each_other() -> None:
    with ThreadPoolExecutor() as pool, pytest.raises(OptionError, match=r"leave out executor=, or where="):
        expose(report, executor=pool, where="main")


@pytest.mark.parametrize("what", [3, None.__class__.__dict__])
def test_only_functions_have_options(what: Any) -> None:
    with pytest.raises(OptionError, match="pass a function"):
        expose(what, title="x")
