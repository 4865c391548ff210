"""`%func_to_web`: functions of a notebook come, change and go as forms of its server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jupyter.server import Cell, Jupyter, Kernel

CARD = "application/vnd.nbfunc.card+json"


def exposed(server: Jupyter, kernel: Kernel) -> dict[str, Any]:
    """Return what the server says that this kernel exposes, by name."""
    rows = server.get("nbfunc/-/functions").json
    return {row["name"]: row for row in rows if row["kernel"] == kernel.id}


def card(cell: Cell) -> dict[str, Any]:
    (bundle,) = cell.displays
    found: dict[str, Any] = bundle[CARD]
    return found


def value(kernel: Kernel, function: str, **arguments: Any) -> Any:
    """Return what a function returns."""
    answer = kernel.call(function, **arguments)
    assert answer.status == 200, answer.text
    return answer.json["outputs"][0]["value"]


def follows(server: Jupyter, ready: Any) -> None:
    """Wait until the server knows."""
    server.until(ready, 10)


@pytest.fixture
def notebook(server: Jupyter, kernel: Kernel) -> Kernel:
    """The module's kernel, nothing defined."""
    kernel.run("%reset -f")
    follows(server, lambda: not exposed(server, kernel))
    return kernel


def test_a_function_is_a_form_as_soon_as_the_cell_is_over(server: Jupyter, notebook: Kernel) -> None:
    notebook.run("def add(a: int, b: int = 2) -> int:\n    'Add them.'\n    return a + b\n%func_to_web add")
    row = exposed(server, notebook)["add"]
    assert (row["title"], row["description"], row["notebook"]) == ("Add", "Add them.", notebook.notebook)
    assert row["url"] == f"{server.base}nbfunc/{notebook.id}/add"
    assert value(notebook, "add", a=3) == 5


def test_the_card_links_each_form_and_holds_no_token(server: Jupyter, notebook: Kernel) -> None:
    cell = notebook.run("def f(): ...\ndef g():\n    '<b>'\n%func_to_web f g")
    (bundle,) = cell.displays
    assert server.token not in str(bundle)
    assert [row["name"] for row in bundle[CARD]["functions"]] == ["f", "g"]
    for row in bundle[CARD]["functions"]:
        assert f'href="{row["url"]}"' in bundle["text/html"]
        assert row["url"] in bundle["text/plain"]
        assert server.get(row["form"], Accept="text/html").status == 200
        assert server.get(row["url"], Accept="text/html").headers["Location"].endswith(row["form"])


def test_a_cell_magic_exposes_what_the_cell_defines_but_what_is_private(
    server: Jupyter, notebook: Kernel
) -> None:
    cell = notebook.run(
        "%%func_to_web\nimport math\n"
        "def _helper(n): return n + 1\n"
        "def up(n: int) -> int: return _helper(n)\n"
        "async def later(n: int) -> int: return n\n"
        "class Thing:\n    def method(self): ...\n"
    )
    assert [row["name"] for row in card(cell)["functions"]] == ["up", "later"]
    assert list(exposed(server, notebook)) == ["up", "later"]
    assert value(notebook, "up", n=1) == 2
    assert value(notebook, "later", n=1) == 1


def test_one_bad_function_of_a_cell_is_named_and_the_others_are_exposed(
    server: Jupyter, notebook: Kernel
) -> None:
    cell = notebook.run("%%func_to_web\ndef good(): ...\ndef bad(x: object): ...\ndef fine(): ...\n")
    assert list(exposed(server, notebook)) == ["good", "fine"]
    assert "bad" in cell.stderr
    assert "x" in cell.stderr
    assert not cell.error


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("def f(): ...\n1 / 0", "ZeroDivisionError"),
        ("def f(): ...\nint('x')", "ValueError"),
        ("def f(: ...", "SyntaxError"),
        ("def f(): ...\nimport asyncio\nawait asyncio.sleep(0)\n1 / 0", "ZeroDivisionError"),
    ],
)
def test_a_cell_that_raises_fails_with_its_error_said_once_and_exposes_nothing(
    code: str, error: str, server: Jupyter, notebook: Kernel
) -> None:
    request = notebook.client.execute(f"%%func_to_web\n{code}")
    cell = notebook.heard(request)
    assert (cell.error.count(error), cell.stderr) == (1, "")
    reply = notebook.reply(request)
    assert (reply["status"], reply["ename"]) == ("error", error)
    assert "nbfunc" not in "".join(reply["traceback"])
    assert not exposed(server, notebook)
    assert "NameError" in notebook.run("nothing").error, "what comes after is said too"


@pytest.mark.parametrize(
    "wait", ["import time\ntime.sleep(60)", "import asyncio\nwhile True: await asyncio.sleep(0)"]
)
def test_a_cell_that_is_interrupted_fails_and_exposes_nothing(
    wait: str, server: Jupyter, notebook: Kernel
) -> None:
    request = notebook.begin_cell(f"def f(): ...\n{wait}", magic="%%func_to_web")
    server.act(notebook, "interrupt")
    assert notebook.reply(request)["status"] == "error"
    assert not exposed(server, notebook)


def test_a_cell_may_await(server: Jupyter, notebook: Kernel) -> None:
    cell = notebook.run(
        "%%func_to_web --group Later\n"
        "import asyncio\n"
        "start = await asyncio.sleep(0, 40)\n"
        "def add(n: int) -> int: return start + n\n"
        "asyncio.current_task() is not None"
    )
    assert (cell.error, cell.stderr) == ("", "")
    assert "True" in [shown.get("text/plain") for shown in cell.displays]
    assert exposed(server, notebook)["add"]["group"] == "Later"
    assert value(notebook, "add", n=2) == 42


def test_a_console_lets_a_cell_that_awaits_be_written_to_its_end(notebook: Kernel) -> None:
    for line in ("asyncio.sleep(0)", "await asyncio.sleep(0)"):
        asked = notebook.client.is_complete(f"%%func_to_web\n{line}")
        assert notebook.reply(asked)["status"] == "incomplete"


def test_a_cell_of_a_magic_shows_its_last_value_as_any_other(notebook: Kernel) -> None:
    cell = notebook.run("%%func_to_web\ndef f(): ...\n'the ' + 'end'")
    assert "'the end'" in [bundle.get("text/plain") for bundle in cell.displays]


def test_a_form_follows_its_name(server: Jupyter, notebook: Kernel) -> None:
    notebook.run("def f() -> int: return 1\n%func_to_web f")
    url = exposed(server, notebook)["f"]["url"]
    with server.stream("nbfunc/-/events?changes=1") as page:
        notebook.run("def f(n: int) -> int:\n    'New.'\n    return n")
        assert page.until(kind="changed")["url"] == url
    assert exposed(server, notebook)["f"]["description"] == "New."
    assert value(notebook, "f", n=7) == 7


def test_a_name_that_changes_in_another_way_is_followed_too(server: Jupyter, notebook: Kernel) -> None:
    notebook.run("def f() -> int: return 1\n%func_to_web f\ndef two() -> int: return 2\ntwo.__name__ = 'f'")
    notebook.run("globals()['f'] = two")
    follows(server, lambda: value(notebook, "f") == 2)


def test_a_run_finishes_the_code_that_it_started_with(server: Jupyter, notebook: Kernel) -> None:
    notebook.run(
        "import threading\ngo = threading.Event()\ndef f():\n    go.wait()\n    return 'old'\n%func_to_web f"
    )
    run = notebook.begin("f")
    notebook.run("def f() -> str: return 'new'")
    notebook.run("go.set()")
    with server.stream(run) as events:
        assert events.until(kind="output")["output"]["value"] == "old"
    assert value(notebook, "f") == "new"


def test_a_new_function_that_cannot_be_a_form_leaves_the_old_and_the_cell_says_why(
    server: Jupyter, notebook: Kernel
) -> None:
    notebook.run("def f() -> int: return 1\n%func_to_web f")
    cell = notebook.run("def f(x: object): ...")
    assert "f" in cell.stderr
    assert "object" in cell.stderr
    assert value(notebook, "f") == 1
    assert not notebook.run("1").stderr, "it is said once"
    notebook.run("f = 3")
    assert value(notebook, "f") == 1


def test_a_deleted_function_is_a_form_no_more(server: Jupyter, notebook: Kernel) -> None:
    notebook.run("def f(): ...\ndef g(): ...\n%func_to_web f g")
    with server.stream("nbfunc/-/events?changes=1") as page:
        notebook.run("del f")
        assert page.until(kind="removed")["url"].endswith("/f")
    assert list(exposed(server, notebook)) == ["g"]
    assert notebook.call("f").status == 404


def test_remove_ends_the_exposing_and_a_new_definition_does_not_bring_it_back(
    server: Jupyter, notebook: Kernel
) -> None:
    notebook.run("def f(): ...\ndef g(): ...\n%func_to_web f g")
    assert not notebook.run("%func_to_web --remove f").error
    follows(server, lambda: list(exposed(server, notebook)) == ["g"])
    notebook.run("def f(): ...\ndef g() -> int: return 1")
    follows(server, lambda: notebook.call("g").json["outputs"])
    assert list(exposed(server, notebook)) == ["g"]
    assert "f is not exposed" in notebook.run("%func_to_web --remove f").stderr


def test_unloading_removes_all(server: Jupyter, fresh: Kernel) -> None:
    fresh.expose("def f(): ...\n%func_to_web f")
    assert not fresh.run("%unload_ext nbfunc").error
    follows(server, lambda: not exposed(server, fresh))
    assert "func_to_web" in fresh.run("%func_to_web f").stderr
    answer = fresh.call("f")
    assert (answer.status, answer.json["reason"]) == (404, "not_found")


def test_loading_again_and_reloading_work(server: Jupyter, fresh: Kernel) -> None:
    for line in ("%load_ext nbfunc", "%reload_ext nbfunc", "%unload_ext nbfunc\n%load_ext nbfunc"):
        cell = fresh.run(f"{line}\ndef f() -> int: return 1\n%func_to_web f")
        assert not cell.error
        assert not cell.stderr
        assert value(fresh, "f") == 1
        assert list(exposed(server, fresh)) == ["f"]


def test_two_functions_of_one_name_are_refused_with_the_fix(server: Jupyter, notebook: Kernel) -> None:
    cell = notebook.run("def f(): ...\ng = f\n%func_to_web f g")
    assert "rename" in cell.stderr
    assert not exposed(server, notebook)


def test_a_lambda_is_refused_with_the_fix(server: Jupyter, notebook: Kernel) -> None:
    cell = notebook.run("f = lambda: 1\n%func_to_web f")
    assert "lambda" in cell.stderr
    assert "def" in cell.stderr
    assert not exposed(server, notebook)


def test_a_name_that_is_nowhere_is_said_so_without_a_traceback(notebook: Kernel) -> None:
    cell = notebook.run("%func_to_web nowhere")
    assert "nowhere" in cell.stderr
    assert "Traceback" not in cell.stderr


@pytest.mark.parametrize("function", ["len", "print", "3", "int"])
def test_what_cannot_be_a_form_is_refused_in_a_line(function: str, notebook: Kernel) -> None:
    cell = notebook.run(f"x = {function}\n%func_to_web x")
    assert cell.stderr.startswith("UsageError: ")
    assert not cell.error


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("--port 9000 f", "--port is the port of --serve"),
        ("--inline --serve f", "--inline and --serve are different things"),
        ("--serve --main f", "--main is the notebook's own thread"),
        ("--remove", "--remove of which functions?"),
        ("--group 'open f", "No closing quotation"),
        ("x", "x is no function, but int"),
        ("f --nothing", "unrecognized arguments: --nothing"),
    ],
)
def test_a_line_without_sense_is_refused_in_a_line(line: str, says: str, notebook: Kernel) -> None:
    cell = notebook.run(f"def f(): ...\nx = 5\n%func_to_web {line}")
    assert cell.stderr.startswith(f"UsageError: {says}")
    assert not cell.error


def test_a_group_may_have_spaces(notebook: Kernel, server: Jupyter) -> None:
    notebook.run("def f(): ...\n%func_to_web --group 'My group' f;")
    (row,) = server.get("nbfunc/-/functions").json
    assert row["group"] == "My group"


def test_each_line_of_a_cell_shows_its_card(notebook: Kernel) -> None:
    cell = notebook.run("def f(): ...\ndef g(): ...\n%func_to_web f\n%func_to_web g\n1 + 1")
    names = [[row["name"] for row in shown[CARD]["functions"]] for shown in cell.displays if CARD in shown]
    assert names == [["f"], ["g"]]


def test_a_cell_without_functions_is_told_so(notebook: Kernel) -> None:
    assert "defines no function" in notebook.run("%%func_to_web\nx = 1").stderr


def test_the_magic_alone_lists_what_is_exposed_and_else_teaches(notebook: Kernel) -> None:
    assert "%func_to_web make_report" in notebook.run("%func_to_web").stdout
    notebook.run("def f(): ...\ndef g(): ...\n%func_to_web f g")
    assert [row["name"] for row in card(notebook.run("%func_to_web"))["functions"]] == ["f", "g"]


def test_help_teaches(notebook: Kernel) -> None:
    text = notebook.reply(notebook.client.inspect("%func_to_web"))["data"]["text/plain"]
    for word in ("--inline", "--remove", "--main", "Examples"):
        assert word in text
    for code in ("%func_to_web -h", "%%func_to_web -h\n1 / 0", "%%func_to_web -h\nawait 1"):
        cell = notebook.run(code)
        assert ("--inline" in cell.stdout, cell.error) == (True, "")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("%func_to_web make_", "make_report"),
        ("%%func_to_web --in", "--inline"),
        ("%func_to_web a ma", "make_report"),
    ],
)
def test_functions_and_options_are_completed(line: str, expected: str, notebook: Kernel) -> None:
    notebook.run("def make_report(): ...\nmake_number = 3\nclass make_class: ...")
    matches = notebook.reply(notebook.client.complete(line))["matches"]
    assert expected in matches
    assert not {"make_number", "make_class"} & set(matches)


def test_methods_and_partials_are_exposed_by_their_functions_name(server: Jupyter, notebook: Kernel) -> None:
    notebook.run(
        "from functools import partial\n"
        "class Box:\n    size = 4\n    def volume(self, n: int) -> int: return self.size * n\n"
        "box = Box()\n"
        "def power(base: int, n: int) -> int: return base ** n\n"
        "square = partial(power, n=2)\n"
        "%func_to_web box.volume square"
    )
    assert list(exposed(server, notebook)) == ["volume", "power"]
    assert value(notebook, "volume", n=2) == 8
    assert value(notebook, "power", base=3) == 9
    notebook.run("box.size = 5")
    assert value(notebook, "volume", n=2) == 10


def test_classes_of_a_cell_and_postponed_annotations_are_understood(
    server: Jupyter, notebook: Kernel
) -> None:
    cell = notebook.run(
        "from __future__ import annotations\n"
        "import enum\nfrom dataclasses import dataclass\n"
        "class Size(enum.Enum):\n    SMALL = 1\n    LARGE = 2\n"
        "@dataclass\nclass Point:\n    x: int\n    size: Size = Size.SMALL\n"
        "def place(at: Point, also: list[Point] | None = None) -> str: return repr(at)\n"
        "%func_to_web place"
    )
    assert not cell.error
    assert not cell.stderr
    assert value(notebook, "place", at={"x": 1, "size": 2}) == "Point(x=1, size=<Size.LARGE: 2>)"


def test_options_of_a_function_are_used(server: Jupyter, notebook: Kernel) -> None:
    notebook.run(
        "import nbfunc\n@nbfunc.expose(title='A title', group='A group', max_concurrency=1)\n"
        "def f(): ...\n%func_to_web f\ndef g(): ...\n%func_to_web --group Others g"
    )
    rows = exposed(server, notebook)
    assert (rows["f"]["title"], rows["f"]["group"]) == ("A title", "A group")
    assert rows["g"]["group"] == "Others"


def test_a_decorated_function_goes_by_its_own_name(server: Jupyter, notebook: Kernel) -> None:
    notebook.run(
        "import functools\n"
        "def twice(f):\n    @functools.wraps(f)\n    def both(*a, **k): return 2 * f(*a, **k)\n"
        "    return both\n"
        "@twice\ndef number(n: int) -> int: return n\n%func_to_web number"
    )
    assert value(notebook, "number", n=4) == 8


def test_a_name_of_another_script_is_found_by_its_address(server: Jupyter, notebook: Kernel) -> None:
    notebook.run("def größe(n: int) -> int: return n\n%func_to_web größe")
    row = exposed(server, notebook)["größe"]
    assert server.post(row["url"], {"n": 3}).json["outputs"][0]["value"] == 3
