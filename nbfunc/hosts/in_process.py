"""Functions of this process: the only code that calls them."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeAlias

from nbfunc.core.context import Call
from nbfunc.core.events import CancelledEvent, Event, Last, Queued
from nbfunc.core.fields import Options
from nbfunc.core.forms import Form, form_of
from nbfunc.core.mailbox import Mailbox
from nbfunc.core.options import is_plain
from nbfunc.core.runs import CoroutineLoop, Main, Run
from nbfunc.core.stores import Store
from nbfunc.errors import FormError, NotFound, OptionError
from nbfunc.hosts.base import Events, FunctionHost, FunctionInfo, RawArguments, Uploads
from nbfunc.hosts.inputs import Offers, SubmitInputs
from nbfunc.hosts.line import Line, Turn

ASK_SECONDS = 10.0
THREADS = 32
# What took less the last time is waited for, so long at most: the loop's way to an end that it is told of
# takes longer than such a function, and nobody else could have used that time for much.
QUICK_SECONDS = 0.001

Functions: TypeAlias = (
    "Callable[..., Any] | Iterable[Callable[..., Any]] | Mapping[str, Iterable[Callable[..., Any]]]"
)


@dataclass(frozen=True)
class Exposed:
    """A function that can be asked for."""

    form: Form
    group: str | None = None


def exposed(functions: Functions) -> dict[str, Exposed]:
    """Return functions by name: one, several, or several by group.

    Raises
    ------
    FormError
        One cannot be a form, or two have one name.
    """
    if callable(functions):
        grouped: list[tuple[str | None, Any]] = [(None, functions)]
    elif isinstance(functions, Mapping):
        grouped = [(group, f) for group, members in functions.items() for f in _several(members)]
    elif isinstance(functions, Iterable):
        grouped = [(None, f) for f in functions]
    else:
        raise FormError(f"{functions!r} is no function: pass one, a list of them, or a dict of lists.")
    found: dict[str, Exposed] = {}
    for group, function in grouped:
        form = form_of(function)
        if form.name in found:
            raise FormError(f"Two functions are named {form.name}: rename one, its name is its address.")
        found[form.name] = Exposed(form, group)
    return found


def check(function: Callable[..., Any]) -> None:
    """Raise why a function cannot be exposed outside of a kernel.

    Raises
    ------
    FormError, OptionError
        It cannot be a form, or belongs to a kernel's main thread.
    """
    _check_no_main(form_of(function))


def _check_no_main(form: Form) -> None:
    if form.options.where == "main":
        raise OptionError(
            f"{form.name}: where='main' is the main thread of a kernel, and there is none here: "
            "leave it out, or expose the function in a notebook."
        )


def _info(exposed: Exposed) -> FunctionInfo:
    form = exposed.form
    return FunctionInfo(
        name=form.name,
        title=form.title,
        description=form.description,
        group=exposed.group or form.options.group,
        where=form.options.where,
        dynamic=bool(form.sources),
    )


def _several(members: Any) -> Iterable[Any]:
    return [members] if callable(members) else members


class InProcessHost(FunctionHost):
    """A host of functions that live in this process. Its methods belong to one event loop, not to threads.

    Parameters
    ----------
    functions : callable, iterable of callables, or mapping of str to those
        What to expose at first; a mapping's keys are groups.
    store : Store
        Where returned files go.
    uploads : Uploads
        Where uploaded files are.
    max_concurrency : int, optional
        How many runs go at once; the rest wait in order.
    main : Main, optional
        The kernel's main thread; without it no function can ask to run there.
    executor : concurrent.futures.Executor, optional
        Where to call functions that have no executor of their own. Coroutine and generator functions, and
        those of the main thread, run here all the same.
    ask_seconds : float
        How long a dropdown's callable may take.

    Attributes
    ----------
    store : Store
    uploads : Uploads
        May be set at any time: each run keeps to those that it found when it was asked for.
    """

    def __init__(
        self,
        functions: Functions,
        *,
        store: Store,
        uploads: Uploads,
        max_concurrency: int | None = 40,
        main: Main | None = None,
        executor: Executor | None = None,
        ask_seconds: float = ASK_SECONDS,
    ) -> None:
        self.store = store
        self.uploads = uploads
        self._exposed: dict[str, Exposed] = {}
        self._line = Line(max_concurrency)
        self._main = main
        self._main_line = Line(1)
        self._own_lines: dict[str, Line] = {}
        self._executor = executor
        self._cancels: dict[str, Callable[[], None]] = {}
        self._coroutines = CoroutineLoop()
        self._offers = Offers(ask_seconds)
        self._quick: set[str] = set()
        # For what may take its time before a run: the author's own checks.
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="nbfunc-form")
        self.expose(functions)

    def functions(self) -> list[FunctionInfo]:
        return [_info(each) for each in self._exposed.values()]

    def expose(self, functions: Functions) -> list[FunctionInfo]:
        """Expose functions, all or none.

        One whose name is taken takes the place of the other, whose runs go on to their end.

        Parameters
        ----------
        functions : callable, iterable of callables, or mapping of str to those
            As for the constructor.

        Returns
        -------
        list of FunctionInfo
            Of these functions.

        Raises
        ------
        FormError
            One cannot be a form, or two have one name.
        OptionError
            One cannot run here.
        """
        added = list(exposed(functions).values())
        for each in added:
            self._check(each.form)
        for each in added:
            self.put(each)
        return [_info(each) for each in added]

    def put(self, exposed: Exposed) -> None:
        """Expose one whose form is made already (`form_of` may be called on any thread).

        Raises
        ------
        OptionError
            It cannot run here.
        """
        form = exposed.form
        self._check(form)
        if form.name in self._exposed:
            self._offers.inherit(self._exposed[form.name].form, form)
        self._exposed[form.name] = exposed
        self._own_lines.setdefault(form.name, Line(None)).set_limit(form.options.max_concurrency)
        self._forget_offers()

    def _check(self, form: Form) -> None:
        if self._main is None:
            _check_no_main(form)

    def remove(self, name: str) -> bool:
        """Stop exposing a function, and say whether it was; its runs go on to their end."""
        removed = self._exposed.pop(name, None)
        self._own_lines.pop(name, None)
        self._quick.discard(name)
        self._forget_offers()
        return removed is not None

    def _forget_offers(self) -> None:
        self._offers.keep({source for each in self._exposed.values() for source in each.form.sources})

    async def form(self, name: str, *, ask: bool = True) -> dict[str, Any]:
        form = self._form(name)
        if not ask:
            return form.schema({})
        answers = await asyncio.gather(*(self.ask(source) for source in form.sources))
        return form.schema(dict(zip(form.sources, answers, strict=True)))

    async def start(self, name: str, raw: RawArguments, *, run: str, user: str | None = None) -> Events:
        form = self._form(name)
        lines = self._lines(form)
        store, uploads = self.store, self.uploads
        arguments, tokens = await self._decoded(form, raw)
        uploads.take(tokens, run)
        positional, named = form.bind(arguments)
        mailbox = Mailbox(asyncio.get_running_loop())
        begun = 0.0
        joining = True  # not in line: a run that follows another's end must not hold the loop as well

        def ended() -> None:
            uploads.release(run)
            self._time(form, time.perf_counter() - begun)
            mailbox.then(functools.partial(self._ended, run, turn))

        started = self._run(
            form,
            call=Call(run, mailbox, user),
            act=functools.partial(form.function, *positional, **named),
            store=store,
            ended=ended,
        )

        def begin() -> None:
            nonlocal begun
            mailbox.put(Queued(run=run, position=0))
            begun = time.perf_counter()
            if joining and form.name in self._quick:
                mailbox.rest(started.start, QUICK_SECONDS)
            else:
                started.start()

        def cancel() -> None:
            if turn.begun:
                started.cancel()
            else:
                self._ended(run, turn)
                uploads.release(run)
                mailbox.put(CancelledEvent())

        turn = Turn(lines, begin, lambda position: mailbox.put(Queued(run=run, position=position)))
        self._cancels[run] = cancel
        try:
            turn.join()
        except BaseException:
            self._ended(run, turn)
            uploads.release(run)
            raise
        joining = False
        return Events(_events(mailbox), mailbox.arrived())

    async def check(self, name: str, raw: RawArguments) -> None:
        """Raise what `start` would raise of these arguments now; run nothing, take no upload."""
        await self._decoded(self._form(name), raw)

    async def _decoded(self, form: Form, raw: RawArguments) -> tuple[dict[str, Any], list[str]]:
        """Return the arguments that a client means, and the uploads that are among them."""
        inputs = SubmitInputs(self.uploads, self._offers)
        decode = functools.partial(form.decode, raw.values, inputs, texts=raw.texts, uploads=raw.uploads)
        if form.instant:
            return decode(), inputs.tokens
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, decode), inputs.tokens

    def _run(self, form: Form, **more: Any) -> Run:
        options = form.options
        on_main = options.where == "main"
        shared = self._executor
        if shared is not None and (on_main or not is_plain(form.function)):
            shared = None
        return Run(
            loop=self._coroutines,
            name=form.name,
            main=self._main,
            on_main=on_main,
            executor=options.executor or shared,
            timeout=options.timeout,
            **more,
        )

    def _lines(self, form: Form) -> list[Line]:
        """Return the lines that a run of it stands in, the narrowest first, so that it keeps no other up."""
        main = [self._main_line] if form.options.where == "main" else []
        return [self._own_lines[form.name], *main, self._line]

    async def cancel(self, run: str) -> None:
        cancel = self._cancels.get(run)
        if cancel is not None:
            cancel()

    def close(self) -> None:
        """Stop what this host started for itself; runs that go on are daemon threads."""
        self._coroutines.stop()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _ended(self, run: str, turn: Turn) -> None:
        self._cancels.pop(run, None)
        turn.leave()

    def _time(self, form: Form, seconds: float) -> None:
        """Remember whether a run was quick; from any thread."""
        if seconds < QUICK_SECONDS and form.options.where != "main":
            self._quick.add(form.name)
        else:
            self._quick.discard(form.name)

    def _form(self, name: str) -> Form:
        if name not in self._exposed:
            raise NotFound(f"There is no function {name!r} here.")
        return self._exposed[name].form

    async def ask(self, source: Callable[[], Any]) -> Options | str:
        """Return what a dropdown offers now, or why it has nothing to offer."""
        asking = asyncio.wrap_future(self._offers.asking(source))
        try:
            return await asyncio.wait_for(asking, self._offers.seconds)
        except asyncio.TimeoutError:
            return self._offers.late()


async def _events(mailbox: Mailbox) -> AsyncIterator[Event]:
    while True:
        event = await mailbox.get()
        yield event
        if isinstance(event, Last):
            return
