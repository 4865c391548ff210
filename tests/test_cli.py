"""The command line."""

from __future__ import annotations

import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from nbfunc._version import __version__
from nbfunc.cli import functions_of, main
from nbfunc.errors import OptionError

APP = '''
from dataclasses import dataclass
from math import sqrt
import beside

@dataclass
class Point:
    x: float = 0

def add(a: int = 1) -> int:
    """Add one."""
    return a + 1

def point(p: Point) -> float:
    return p.x

def _private() -> None: ...

value = 3
'''


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "beside.py").write_text("def not_mine() -> None: ...\n")
    file = tmp_path / "app_of_test.py"
    file.write_text(APP)
    return file


@pytest.fixture(autouse=True)
def _modules_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", sys.path.copy())
    for name in ("app_of_test", "beside"):
        monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.mark.parametrize(
    ("target", "more", "names"),
    [
        ("{}", [], ["add", "point"]),
        ("{}:add", [], ["add"]),
        ("{}:point,add", [], ["point", "add"]),
        ("{}:add", ["point"], ["add", "point"]),
        ("{}", ["point"], ["point"]),
        ("{}:_private", [], ["_private"]),
        ("{}:sqrt", [], ["sqrt"]),
    ],
)
def test_a_target_names_functions(app: Path, target: str, more: list[str], names: list[str]) -> None:
    assert [f.__name__ for f in functions_of(target.format(app), more)] == names


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("{}:nothing", r"no function 'nothing'.*It has: add, point"),
        ("{}:value", "no function 'value'"),
        ("nowhere.py", "there is no such file"),
        ("book.txt", "takes a Python file"),
        ("app_of_test", "takes a Python file"),
    ],
)
def test_a_target_that_is_none_says_what_there_is(app: Path, target: str, said: str) -> None:
    with pytest.raises(OptionError, match=said):
        functions_of(target.format(app))


def test_a_file_without_functions_says_so(tmp_path: Path) -> None:
    file = tmp_path / "empty_of_test.py"
    file.write_text("x = 1\n")
    with pytest.raises(OptionError, match="no public function"):
        functions_of(str(file))
    del sys.modules["empty_of_test"]


MIXED = """
import nbfunc

class Size: ...

def resize(size: Size) -> None: ...

def add(a: int = 1) -> int:
    return a + 1

def query(text: str) -> None: ...

nbfunc.expose(query, where="main")
"""


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    file = tmp_path / "app_of_test.py"
    file.write_text(MIXED)
    return file


def test_of_a_file_what_can_be_no_form_is_left_out_and_named(
    mixed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [f.__name__ for f in functions_of(str(mixed))] == ["add"]
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert said[0].startswith("nbfunc leaves out resize: resize(size: ")
    assert "there is no field for it" in said[0]
    assert said[1].startswith("nbfunc leaves out query: query: where='main'")


@pytest.mark.parametrize("name", ["resize", "query", "add,resize"])
def test_a_function_that_is_named_and_can_be_no_form_is_an_error(
    mixed: Path, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = ["--uploads-dir", str(tmp_path / "uploads"), "--returns-dir", str(tmp_path / "returned")]
    assert main(["run", f"{mixed}:{name}", "--port", "0", *places]) == 2
    assert capsys.readouterr().err.startswith(f"nbfunc: {name.rpartition(',')[2]}")


def test_a_file_of_which_no_function_can_be_a_form_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "app_of_test.py"
    file.write_text("def f(x: object) -> None: ...\n")
    assert main(["run", str(file), "--port", "0"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith("nbfunc leaves out f: f(x: object)")
    assert said[1] == f"nbfunc: {file}: none of its functions can be a form."


@pytest.mark.parametrize("target", ["nowhere.py", "nowhere.ipynb"])
def test_an_error_is_one_line_and_a_status(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", target]) == 2
    assert capsys.readouterr().err == f"nbfunc: {target}: there is no such file.\n"


@pytest.mark.parametrize(("content", "said"), [("", "no users"), ("ada", "line 1"), ("a:x\n:y", "line 2")])
def test_a_file_of_users_says_which_line_is_wrong(
    app: Path, capsys: pytest.CaptureFixture[str], content: str, said: str
) -> None:
    users = app.parent / "users.txt"
    users.write_text(content)
    assert main(["run", str(app), "--auth-file", str(users)]) == 2
    assert said in capsys.readouterr().err


def test_help_teaches_by_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "nbfunc run app.py:plot" in capsys.readouterr().out


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"nbfunc {__version__}\n"


def served(arguments: list[str], folder: Path) -> str:
    """Start the program, fetch its functions, stop it."""
    command = [sys.executable, "-m", "nbfunc", *arguments, "--port", "0"]
    environment = {"PYTHONPATH": str(Path(__file__).parents[1]), "PATH": "/usr/bin:/bin", "HOME": str(folder)}
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        url = process.stdout.readline().partition(" at ")[2].partition(" ")[0]
        with urllib.request.urlopen(f"{url}-/functions", timeout=30) as answer:
            said: str = answer.read().decode()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    return said


def test_run_serves_the_functions_of_a_file(app: Path) -> None:
    assert '"url":"/add"' in served(["run", str(app)], app.parent)


def test_run_serves_what_can_be_served_of_a_file(mixed: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert '"url":"/add"' in served(["run", str(mixed)], mixed.parent)
    assert "nbfunc leaves out resize" in capfd.readouterr().err


def test_the_demo_serves_its_functions(tmp_path: Path) -> None:
    said = served(["demo"], tmp_path)
    assert '"url":"/create_pdf"' in said
    assert '"group":"Files"' in said


def test_a_missing_package_is_told_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    from nbfunc import demo

    monkeypatch.setitem(sys.modules, "reportlab", None)
    monkeypatch.delitem(sys.modules, "reportlab.pdfgen.canvas", raising=False)
    with pytest.raises(ModuleNotFoundError, match=r"pip install nbfunc\[demo\]"):
        demo.create_pdf("x")
