"""A panel without a browser: what is filled in arrives, what is returned comes back, nothing is left."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated, Any, get_args

import ipywidgets
import pytest
import traitlets
from ipywidgets.widgets.widget import _instances

from nbfunc import Cancelled
from nbfunc.errors import FormError, InvalidArguments
from nbfunc.notebook.panel import Panel, RunFailed, panel
from nbfunc.notebook.panels.durations import seconds_of, spoken
from nbfunc.notebook.panels.prints import Prints
from nbfunc.notebook.panels.stage import stage
from nbfunc.types import Dropdown, Field, File, FileResponse, Password
from tests.browser.test_fields import CASES, function_of

SOON = 20


def widgets_of(widget: Any) -> Iterator[Any]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from widgets_of(child)


def find(panel: Any, description: str, kind: type[Any] = ipywidgets.Widget) -> Any:
    return next(
        widget
        for widget in widgets_of(panel)
        if isinstance(widget, kind) and getattr(widget, "description", None) == description
    )


def text_of(panel: Any) -> str:
    """Return all that a panel says in HTML and outputs."""
    said = []
    for widget in widgets_of(panel):
        if isinstance(widget, ipywidgets.HTML) and widget.layout.display != "none":
            said.append(widget.value)
        elif isinstance(widget, ipywidgets.Output):
            said += [str(output["data"]) for output in widget.outputs]
    return "\n".join(said)


def run(panel: Panel, **arguments: Any) -> Any:
    return panel.run(**arguments).result(SOON)


def double(n: int) -> int:
    """Double a number."""
    return 2 * n


@pytest.mark.parametrize("case", CASES)
def test_a_value_that_is_set_fills_its_field_and_arrives(case: str, tmp_path: Path) -> None:
    annotation, _, value = CASES[case]
    shown = panel(function_of(case, annotation))
    if case in {"file", "files"}:
        path = tmp_path / "Zahlen Ä.CSV"
        path.write_text("1,2")
        shown.value = {"value": str(path) if case == "file" else [str(path)]}
        assert run(shown) == repr(value)
        assert path.exists()
    else:
        shown.value = {"value": value}
        wait_for(shown, lambda: shown.value == {"value": value})
        assert run(shown) == repr(value)


def test_what_is_typed_arrives_and_comes_back() -> None:
    shown = panel(double)
    find(shown, "n").value = "21"
    assert shown.value == {"n": 21}
    find(shown, "Run").click()
    results: list[int] = []
    assert run(shown) == shown.result == 42
    shown.observe(lambda change: results.append(change.new), "result")
    assert run(shown, n=4) == 8
    assert results == [8]
    assert shown.value == {"n": 21}


@pytest.mark.parametrize(
    ("typed", "said"), [("", "needed"), ("many", "number"), ("2.5", "integer"), ("3", "5")]
)
def test_a_wrong_value_is_told_at_its_field_until_it_is_mended(typed: str, said: str) -> None:
    def take(n: Annotated[int, Field(ge=5)] = 7) -> int:
        return n

    shown = panel(take)
    control = find(shown, "n")
    control.value = typed
    with pytest.raises(InvalidArguments):
        run(shown)
    assert said in control.tooltip
    assert 'role="alert"' in text_of(shown)
    control.value = "6"
    assert 'role="alert"' not in text_of(shown)
    assert run(shown) == 6


def test_rows_are_added_moved_and_removed() -> None:
    def join(words: list[str]) -> str:
        return " ".join(words)

    shown = panel(join)
    for word in ("one", "two", "three"):
        find(shown, "Add").click()
        find(shown, f"words {len(shown.value['words'])}").value = word
    find(shown, "Remove").click()
    find(shown, "Move down").click()
    assert run(shown) == "three two"
    assert find(shown, "words 1").value == "three"


def test_a_wrong_item_is_told_in_its_row() -> None:
    def add(numbers: list[int]) -> int:
        return sum(numbers)

    shown = panel(add)
    shown.value = {"numbers": [1, 2]}
    find(shown, "numbers 2").value = "x"
    with pytest.raises(InvalidArguments):
        run(shown)
    assert "integer" in find(shown, "numbers 2").tooltip or "number" in find(shown, "numbers 2").tooltip
    assert find(shown, "numbers 1").tooltip is None


@dataclasses.dataclass
class Span:
    limit: int = 1

    def __post_init__(self) -> None:
        if self.limit > 1:
            raise KeyError("limits")


def test_a_check_that_is_itself_at_fault_is_told_at_the_field() -> None:
    def take(span: Span) -> int:
        return span.limit

    shown = panel(take)
    find(shown, "limit").value = "2"
    with pytest.raises(InvalidArguments):
        run(shown)
    assert "KeyError" in text_of(shown)


def test_a_default_that_nobody_touches_arrives_as_it_is() -> None:
    exact = timedelta(days=1, microseconds=1)

    def wait(pause: timedelta = exact, secret: Annotated[str, Password()] = "s3cret-default") -> list[object]:
        return [pause, secret]

    shown = panel(wait)
    assert "s3cret-default" not in str([widget.get_state() for widget in widgets_of(shown)])
    assert run(shown) == [exact, "s3cret-default"]


@dataclasses.dataclass
class Login:
    user: str
    key: Annotated[str, Password()]


@pytest.mark.parametrize(
    ("annotation", "default"),
    [
        (list[File], [__file__]),
        (set[File], {__file__}),
        (dict[str, File], {"a": __file__}),
        (int | File, __file__),
        (list[list[File]], [[__file__]]),
        (list[Annotated[str, Password()]], ["s3cret"]),
        (Login, Login("ada", "s3cret")),
        (Login | None, Login("ada", "s3cret")),
        (list[Login], [Login("ada", "s3cret")]),
    ],
)
def test_a_default_that_is_not_shown_is_used_where_nothing_is_given(annotation: Any, default: Any) -> None:
    def take(x: Any = default) -> Any:
        return x

    take.__annotations__["x"] = annotation
    shown = panel(take)
    assert "s3cret" not in str([widget.get_state() for widget in widgets_of(shown)])
    assert run(shown) == default
    if File in get_args(annotation):
        assert f": {Path(__file__).name}" in text_of(shown)


answers: list[Any] = [["red", "green"]]


def colors() -> Any:
    return answers[-1]


def test_a_dropdown_asks_for_its_options_and_says_why_there_are_none() -> None:
    def paint(color: Annotated[str, Dropdown(colors)]) -> str:
        return color

    shown = panel(paint)
    wait_for(shown, lambda: shown.value == {"color": "red"})
    find(shown, "color").label = "green"
    answers.append(["green", "blue"])
    find(shown, "Ask for the options again").click()
    wait_for(shown, lambda: "blue" in [label for label, _ in find(shown, "color").options])
    assert run(shown) == "green"
    answers.append(object())
    find(shown, "Ask for the options again").click()
    wait_for(shown, lambda: "could not be had" in text_of(shown))


def wait_for(shown: Panel, true: Any) -> None:
    """Wait until something that the stage's loop does is done."""
    for _ in range(2000):
        if true():
            return
        stage().submit(asyncio.sleep(0.005)).result(SOON)
    raise AssertionError(text_of(shown))


async def later(n: int) -> int:
    await asyncio.sleep(0)
    return n


def each(n: int) -> Iterator[int]:
    yield from range(n)


async def each_later(n: int) -> AsyncIterator[int]:
    for number in range(n):
        yield number


@pytest.mark.parametrize(("function", "result"), [(later, 3), (each, 2), (each_later, 2)])
def test_coroutines_and_generators_have_results_too(function: Any, result: int) -> None:
    assert run(panel(function), n=3) == result


def test_an_error_is_shown_with_what_came_before_it() -> None:
    def fail() -> Iterator[str]:
        print("so far")
        yield "one"
        raise ValueError("<b>")

    shown = panel(fail)
    with pytest.raises(RunFailed, match="ValueError: <b>"):
        run(shown)
    said = text_of(shown)
    assert "so far" in said
    assert "'one'" in said
    assert "<b>ValueError</b>: &lt;b&gt;" in said


def test_run_pressed_ten_times_is_ten_runs_and_each_has_the_values_of_its_moment() -> None:
    go = threading.Event()

    def take(n: int) -> int:
        go.wait(SOON)
        return n

    shown = panel(take)
    futures = []
    for n in range(10):
        find(shown, "n").value = str(n)
        futures.append(shown.run())
    find(shown, "n").value = "99"
    go.set()
    assert [future.result(SOON) for future in futures] == list(range(10))


def test_a_run_is_cancelled_by_its_button_and_by_the_panel() -> None:
    def wait_for_ever() -> None:
        while True:
            threading.Event().wait(0.01)

    shown = panel(wait_for_ever)
    for cancel in (lambda: find(shown, "Cancel").click(), shown.cancel):
        future = shown.run()
        wait_for(shown, lambda: "Running" in text_of(shown))
        cancel()
        with pytest.raises(Cancelled):
            future.result(SOON)
        shown.clear()
        wait_for(shown, lambda: "Cancelled" not in text_of(shown))


def test_panels_of_one_function_and_of_two_of_one_name_are_independent() -> None:
    def other(n: int) -> int:
        return -n

    other.__name__ = "double"
    first, second, third = panel(double), panel(double), panel(other)
    assert [run(one, n=n) for one, n in ((first, 1), (second, 2), (third, 3))] == [2, 4, -3]
    assert [one.result for one in (first, second, third)] == [2, 4, -3]
    first.close()
    assert run(second, n=5) == 10


def test_several_functions_are_tabs_and_groups_are_tabs_of_tabs() -> None:
    tabs = panel([double, each])
    assert tabs.titles == ("Double", "Each")
    groups: dict[str, list[Any]] = {"Numbers": [double, each], "More": [each_later]}
    grouped = panel(groups)
    assert grouped.titles == ("Numbers", "More")
    assert grouped.children[0].titles == ("Double", "Each")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (5, "5 is no function: pass one, a list of them, or a dict of lists."),
        ("double", "'double' is no function"),
        ({"Numbers": 5}, "5 is no function"),
        ([double, 5], "5 is not a function"),
        ([], "There is no function"),
        ({"Numbers": []}, "There is no function"),
    ],
)
def test_what_is_no_function_is_refused_with_a_sentence_and_leaves_nothing(given: Any, said: str) -> None:
    widgets = set(_instances)
    with pytest.raises(FormError, match=said):
        panel(given)
    assert set(_instances) <= widgets


def test_a_value_that_does_not_fit_is_refused_when_it_is_set() -> None:
    shown = panel(double)
    with pytest.raises(traitlets.TraitError):
        shown.value = {"n": "five"}
    with pytest.raises(traitlets.TraitError, match="no parameter 'm'"):
        shown.value = {"m": 5}


def test_a_small_file_is_a_link_and_a_large_one_says_where_it_is() -> None:
    def make(size: int) -> FileResponse:
        return FileResponse(data=b"x" * size, filename="a <b>.bin")

    shown = panel(make)
    run(shown, size=5)
    assert 'href="data:application/octet-stream;base64,eHh4eHg="' in text_of(shown)
    assert 'download="a &lt;b&gt;.bin"' in text_of(shown)
    shown.clear()
    run(shown, size=(10 << 20) + 1)
    assert "on the kernel's machine" in text_of(shown)


def test_an_upload_is_sent_again_for_a_second_run() -> None:
    def read(path: File) -> str:
        return Path(path).read_text()

    shown = panel(read)
    upload = next(w for w in widgets_of(shown) if isinstance(w, ipywidgets.FileUpload))
    content = memoryview(b"hello")
    upload.value = [
        {
            "name": "../x.txt",
            "type": "",
            "size": 5,
            "content": content,
            "last_modified": datetime.now(timezone.utc),
        }
    ]
    assert [run(shown), run(shown)] == ["hello", "hello"]
    assert "../x.txt (5 B)" in text_of(shown)


def test_a_megabyte_of_prints_is_shown_by_its_end() -> None:
    prints = Prints()
    for n in range(20_000):
        prints.write(f"line {n} {'x' * 40}\n", "stdout")
    shown = prints.html()
    assert "line 19999" in shown
    assert len(shown) < 200_000
    assert "earlier lines are not shown" in shown


@pytest.mark.parametrize(
    ("written", "seen"),
    [("10%\r100%\n", "100%"), ("abc\rx", "xbc"), ("a\b<b>", "&lt;b&gt;"), ("\x1b[31mred\x1b[0m", "red")],
)
def test_prints_are_drawn_as_a_terminal_draws_them(written: str, seen: str) -> None:
    prints = Prints()
    prints.write(written, "stdout")
    assert f"<pre>{seen}</pre>" in prints.html()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("1h 30m", 5400),
        ("1:30:00", 5400),
        ("PT1H30M", 5400),
        ("2 days and 3 hours", 183_600),
        ("-1.5s", -1.5),
        ("250 ms", 0.25),
        ("soon", None),
        ("", None),
    ],
)
def test_durations_are_read_as_people_write_them(text: str, seconds: float | None) -> None:
    assert seconds_of(text) == seconds
    if seconds is not None:
        assert seconds_of(spoken(seconds)) == seconds


def test_a_hundred_panels_leave_no_widget_and_no_thread_behind() -> None:
    def everything(
        n: int, words: list[str], a: dict[str, int], either: int | str = 5, maybe: int | None = None
    ) -> str:
        return "x"

    run(panel(everything), n=1, words=[], a={})
    widgets, threads = set(_instances), threading.active_count()
    names = stage().host.functions()
    for _ in range(100):
        shown = panel(everything)
        shown.value = {"n": 3, "words": ["a", "b"], "either": "x", "a": {"k": 1}}
        shown.run().result(SOON)
        shown.close()
    wait_for(shown, lambda: set(_instances) <= widgets)
    wait_for(shown, lambda: threading.active_count() <= threads)
    wait_for(shown, lambda: len(stage().host.functions()) <= len(names))


def test_closing_a_panel_during_a_run_leaves_nothing_behind_either() -> None:
    go = threading.Event()

    def show() -> Iterator[str]:
        go.wait(SOON)
        yield "late"

    widgets = set(_instances)
    shown = panel(show)
    future = shown.run()
    wait_for(shown, lambda: "Running" in text_of(shown))
    shown.close()
    go.set()
    assert future.result(SOON) == "late"
    assert set(_instances) <= widgets


def test_a_notebook_without_its_kernel_says_what_to_do() -> None:
    shown = panel(double)
    assert shown._repr_mimebundle_()["text/plain"] == "The form of double: run this cell to use it."
    assert "has lost its kernel" in text_of(shown)


def picture(n: int) -> object:
    """Draw n lines, in a figure of n inches."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    fig, _ = plt.subplots(figsize=(n, 1), dpi=10)
    threading.Event().wait(0.05)
    return fig


def test_ten_runs_at_once_draw_ten_right_pictures() -> None:
    shown = panel(picture)
    for future in [shown.run(n=n) for n in range(1, 11)]:
        future.result(SOON)
    outputs = [widget for widget in widgets_of(shown) if isinstance(widget, ipywidgets.Output)]
    assert len(outputs) == 10
