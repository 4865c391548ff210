"""What a function displays, draws and counts is its run's, in threads and coroutines alike."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from types import ModuleType
from typing import Any

import IPython.display as untyped
import matplotlib as mpl
import pandas as pd
import pytest
from IPython.core import display_functions
from matplotlib import pyplot as plt
from PIL import Image as Pillow

from nbfunc.core.events import Display, Failed, Finished, Image, Output, OutputEvent, Progress, Table, Text
from nbfunc.core.runs import CoroutineLoop
from tests.core.test_runs import Kept, Memory, Watched, loop, watch

__all__ = ["loop"]

mpl.use("agg")
ipython: Any = untyped


def outputs(watched: Watched) -> list[Output]:
    return [event.output for event in watched.events if isinstance(event, OutputEvent)]


def shown(watched: Watched) -> list[Any]:
    """Return texts, and the bundles of what is displayed."""
    return [
        output.text if isinstance(output, Text) else output.data
        for output in outputs(watched)
        if isinstance(output, (Text, Display))
    ]


def displays_two() -> None:
    ipython.display("one", ipython.Markdown("*two*"))


async def displays_two_as_a_coroutine() -> None:
    await asyncio.sleep(0)
    displays_two()


def displays_two_between_yields() -> Iterator[None]:
    yield None
    displays_two()


async def displays_two_between_async_yields() -> AsyncIterator[None]:
    yield None
    displays_two()


@pytest.mark.parametrize(
    "act",
    [
        displays_two,
        displays_two_as_a_coroutine,
        displays_two_between_yields,
        displays_two_between_async_yields,
    ],
)
def test_what_is_displayed_is_an_output(
    act: Callable[[], Any], loop: CoroutineLoop, capsys: pytest.CaptureFixture[str]
) -> None:
    watched = watch(act, loop)
    one, two = shown(watched)
    assert one == "one"
    assert two["text/markdown"] == "*two*"
    assert capsys.readouterr().out == ""


def test_display_outside_a_run_is_untouched(loop: CoroutineLoop, capsys: pytest.CaptureFixture[str]) -> None:
    before = display_functions.display.__code__

    async def both() -> Watched:
        inside, outside = threading.Event(), threading.Event()

        def act() -> None:
            inside.set()
            outside.wait()

        watched = Watched(act, loop)
        await asyncio.to_thread(inside.wait)
        ipython.display("the server's own")
        outside.set()
        await watched.end()
        return watched

    watched = asyncio.run(both())
    assert shown(watched) == []
    assert capsys.readouterr().out == "the server's own\n"
    assert display_functions.display.__code__ is before


def test_display_goes_between_prints_and_before_the_result(loop: CoroutineLoop) -> None:
    def act() -> str:
        print("a")
        ipython.display("b")
        print("c")
        return "d"

    watched = watch(act, loop)
    kinds = [event.kind for event in watched.events]
    assert kinds == ["started", "printed", "output", "printed", "output", "finished"]
    assert shown(watched) == ["b", "d"]


def test_a_displayed_table_is_a_table_and_a_bundle_a_bundle(loop: CoroutineLoop) -> None:
    def act() -> None:
        ipython.display(pd.DataFrame({"a": [1]}))
        ipython.display({"text/html": "<b>raw</b>"}, raw=True)
        ipython.publish_display_data({"text/html": "<i>published</i>"})

    table, raw, published = outputs(watch(act, loop))
    assert isinstance(table, Table)
    assert isinstance(raw, Display)
    assert isinstance(published, Display)
    assert [raw.data, published.data] == [
        {"text/html": "<b>raw</b>"},
        {"text/html": "<i>published</i>"},
    ]


class Shows:
    """An object that displays itself."""

    def _ipython_display_(self) -> None:
        ipython.display("by itself")


def test_an_object_may_display_itself(loop: CoroutineLoop) -> None:
    assert shown(watch(lambda: ipython.display(Shows()), loop)) == ["by itself"]


def test_a_display_that_is_updated_often_shows_its_first_and_its_last(loop: CoroutineLoop) -> None:
    def act() -> str:
        handle = ipython.display("0", display_id=True)
        for n in range(1, 100):
            handle.update(str(n))
        ipython.clear_output()
        return "result"

    texts = shown(watch(act, loop))
    assert texts[0] == "0"
    assert texts[-2:] == ["99", "result"]
    assert len(texts) < 50


def test_a_displayed_figure_shows_each_time_and_the_returned_one_too(loop: CoroutineLoop) -> None:
    def act(*, give_back: bool) -> Any:
        figure, axes = plt.subplots()
        ipython.display(figure)
        axes.plot([1, 2])
        ipython.display(figure)
        return figure if give_back else None

    assert len(outputs(watch(lambda: act(give_back=True), loop))) == 3
    assert len(outputs(watch(lambda: act(give_back=False), loop))) == 2
    assert plt.get_fignums() == []


# Figures.


class Pictures(Memory):
    """A store that keeps the colour of each picture's first pixel."""

    def __init__(self) -> None:
        self.colours: list[tuple[int, ...]] = []

    def put(self, source: Any, filename: str, **_: Any) -> Kept:
        data = bytes(source)
        self.colours.append(tuple(Pillow.open(io.BytesIO(data)).tobytes()[:3]))
        return Kept("1", filename, len(data))


COLOURS = [(n * 20, 255 - n * 20, n) for n in range(10)]


def coloured(colour: tuple[int, ...]) -> Any:
    return tuple(part / 255 for part in colour)


def draws_explicitly(colour: tuple[int, ...]) -> Any:
    figure, axes = plt.subplots(facecolor=coloured(colour))
    axes.plot([1, 2, 3])
    return figure


def draws_implicitly(colour: tuple[int, ...]) -> Any:
    plt.figure()
    plt.plot([1, 2, 3])
    plt.gcf().set_facecolor(coloured(colour))
    return plt.gcf()


def leaves_open(colour: tuple[int, ...]) -> Any:
    draws_implicitly(colour)


@pytest.mark.parametrize("draw", [draws_explicitly, draws_implicitly, leaves_open])
def test_ten_runs_at_once_give_ten_right_pictures(
    draw: Callable[[tuple[int, ...]], Any], loop: CoroutineLoop
) -> None:
    barrier = threading.Barrier(len(COLOURS))

    def act(colour: tuple[int, ...]) -> Any:
        barrier.wait()
        return draw(colour)

    stores = [Pictures() for _ in COLOURS]

    async def all_of_them() -> list[Watched]:
        watched = [
            Watched(lambda c=colour: act(c), loop, store=store)  # type: ignore[misc]  # a default binds it
            for colour, store in zip(COLOURS, stores, strict=True)
        ]
        await asyncio.gather(*(w.end() for w in watched))
        return watched

    for watched in asyncio.run(all_of_them()):
        assert isinstance(watched.events[-1], Finished)
        assert [type(output) for output in outputs(watched)] == [Image]
    assert [store.colours for store in stores] == [[colour] for colour in COLOURS]


def test_figures_of_a_run_and_of_the_process_do_not_meet(loop: CoroutineLoop) -> None:
    def act() -> list[int]:
        plt.plot([1])
        plt.close("all")
        return list(plt.get_fignums())

    mine = plt.figure()
    assert watch(act, loop).values == [[]]
    assert plt.gcf() is mine
    plt.close(mine)


def test_figures_that_are_yielded_one_after_another_are_all_shown(loop: CoroutineLoop) -> None:
    def act() -> Iterator[Any]:
        for _ in range(5):
            yield plt.figure()

    assert len(outputs(watch(act, loop))) == 5


# Bars.


def bars(watched: Watched) -> list[Progress]:
    return [event for event in watched.events if isinstance(event, Progress)]


def counts() -> None:
    from tqdm.auto import tqdm

    for _ in tqdm(range(7), desc="pages"):
        pass


def counts_by_hand() -> None:
    from tqdm.auto import tqdm

    with tqdm(total=7, desc="pages") as bar:
        bar.update(3)
        bar.update(4)


async def counts_in_a_coroutine() -> None:
    from tqdm.auto import tqdm

    async for _ in tqdm(range(7), desc="pages"):
        await asyncio.sleep(0)


async def counts_what_it_gathers() -> None:
    from tqdm.auto import tqdm

    await tqdm.gather(*(asyncio.sleep(0) for _ in range(7)), desc="pages")


@pytest.mark.parametrize("act", [counts, counts_by_hand, counts_in_a_coroutine, counts_what_it_gathers])
def test_tqdm_auto_draws_a_bar_and_prints_nothing(act: Callable[[], Any], loop: CoroutineLoop) -> None:
    watched = watch(act, loop)
    assert isinstance(watched.events[-1], Finished), watched.events[-1]
    assert bars(watched)[-1] == Progress(done=7, total=7, text="pages")
    assert watched.printed == ""


def test_plain_tqdm_prints_its_bar(loop: CoroutineLoop) -> None:
    def act() -> None:
        from tqdm import tqdm

        for _ in tqdm(range(7), desc="pages"):
            pass

    watched = watch(act, loop)
    assert bars(watched) == []
    assert "\rpages: 100%" in watched.printed


def test_a_bar_inside_a_bar_is_in_its_text(loop: CoroutineLoop) -> None:
    def act() -> None:
        from tqdm.auto import tqdm, trange

        with tqdm(total=2, desc="files") as outer:
            for _ in trange(3, desc="rows", leave=False):
                pass
            outer.set_postfix_str("one done")
            outer.update()

    seen = bars(watch(act, loop))
    assert {bar.total for bar in seen} == {2}
    assert seen[-1] == Progress(done=1, total=2, text="files one done")
    assert any("rows" in bar.text for bar in seen) or len(seen) == 1


def test_an_unknown_total_and_a_disabled_bar(loop: CoroutineLoop) -> None:
    def act(**options: Any) -> None:
        from tqdm.auto import tqdm

        for _ in tqdm(iter("abc"), **options):
            pass

    assert bars(watch(act, loop))[-1] == Progress(done=3, total=None, text="")
    assert bars(watch(lambda: act(disable=True), loop)) == []


def test_runs_at_once_draw_their_own_bars(loop: CoroutineLoop) -> None:
    barrier = threading.Barrier(4)

    def act(n: int) -> None:
        from tqdm.auto import tqdm

        barrier.wait()
        for _ in tqdm(range(100), desc=str(n)):
            pass

    async def all_of_them() -> list[Watched]:
        watched = [Watched(lambda n=n: act(n), loop) for n in range(4)]  # type: ignore[misc]  # the same
        await asyncio.gather(*(w.end() for w in watched))
        return watched

    for n, watched in enumerate(asyncio.run(all_of_them())):
        assert {bar.text for bar in bars(watched)} == {str(n)}
        assert bars(watched)[-1].done == 100


def test_tqdm_auto_outside_a_run_is_untouched(
    loop: CoroutineLoop, capsys: pytest.CaptureFixture[str]
) -> None:
    watch(counts, loop)
    counts()
    assert "pages: 100%" in capsys.readouterr().err


def test_packages_that_a_function_imports_itself_are_seen_and_none_is_imported_for_it() -> None:
    code = """
import sys
from tests.core.test_runs import watch
from nbfunc.core.runs import CoroutineLoop
loop = CoroutineLoop()
def nothing():
    return [name for name in ("IPython", "tqdm", "matplotlib") if name in sys.modules]
def everything():
    import matplotlib; matplotlib.use("agg")
    from IPython.display import display
    from matplotlib import pyplot
    from tqdm.auto import tqdm
    display("shown")
    for _ in tqdm(range(2)):
        pass
    pyplot.plot([1])
print([event.output.value for event in watch(nothing, loop).events if event.kind == "output"])
print([event.kind for event in watch(everything, loop).events])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stderr == ""
    empty, kinds = done.stdout.splitlines()
    assert empty == "[[]]"
    assert kinds == "['started', 'output', 'progress', 'output', 'finished']"


def test_a_failing_representation_is_the_runs_failure(loop: CoroutineLoop) -> None:
    class Broken:
        def __str__(self) -> str:
            raise LookupError("no text")

    last = watch(lambda: ipython.display(Broken()), loop).events[-1]
    assert isinstance(last, Failed)
    assert last.message == "no text"


def test_a_package_of_another_make_is_no_runs_failure(
    loop: CoroutineLoop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "tqdm.asyncio", ModuleType("tqdm.asyncio"))
    assert isinstance(watch(counts_nothing, loop).events[-1], Finished)
    assert "tqdm.asyncio" in caplog.text


def counts_nothing() -> None: ...


def test_plt_show_shows_what_was_drawn_so_far(loop: CoroutineLoop) -> None:
    def act() -> str:
        plt.plot([1, 2])
        plt.show()
        assert plt.get_fignums() == []
        plt.plot([2, 1])
        plt.show()
        return "after them"

    watched = watch(act, loop)
    assert isinstance(watched.events[-1], Finished)
    assert [output.kind for output in outputs(watched)] == ["image", "image", "text"]


def test_an_object_that_displays_itself_may_be_returned(loop: CoroutineLoop) -> None:
    class Shown:
        def _ipython_display_(self) -> None:
            ipython.display(ipython.Markdown("*itself*"))

    (bundle,) = shown(watch(Shown, loop))
    assert bundle["text/markdown"] == "*itself*"


def test_an_object_that_fails_to_display_itself_is_shown_as_text(loop: CoroutineLoop) -> None:
    class Broken:
        def _ipython_display_(self) -> None:
            raise ValueError("not today")

        def __str__(self) -> str:
            return "its text"

    watched = watch(Broken, loop)
    assert shown(watched) == ["its text"]
