"""`jupyter nbfunc notebook.ipynb`: what it exposes is served, and until then the index says why not."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import chromium, complaints, page
from tests.jupyter.server import TOKEN, Jupyter

__all__ = ["chromium", "complaints", "page"]

LOAD = "%load_ext nbfunc"
ONE = "def one() -> int:\n    return 1\n%func_to_web one"
TWO = "def two() -> int:\n    return 2\n%func_to_web two"
NEVER_ENDS = "import time\nwhile True: time.sleep(0.1)"


def waits(gate: Path) -> str:
    return f"import time\nfrom pathlib import Path\nwhile not Path({str(gate)!r}).exists(): time.sleep(0.05)"


def write(path: Path, *cells: str, kernel: str = "python3") -> Path:
    """Write a notebook of code cells."""
    path.parent.mkdir(parents=True, exist_ok=True)
    empty: dict[str, Any] = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    book = {
        "cells": [{**empty, "id": f"cell-{n}", "source": source} for n, source in enumerate(cells)],
        "metadata": {"kernelspec": {"name": kernel, "display_name": kernel}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.write_text(json.dumps(book), encoding="utf-8")
    return path


class Launched(Jupyter):
    """A server that runs notebooks."""

    program: tuple[str, ...] = ("-m", "jupyter", "nbfunc")

    def command(self) -> list[str]:
        if self.program[-1] == "run":
            return [self.python, *self.program, *self.options, "--root-path", self.base, "--port", "0"]
        base = f"--ServerApp.base_url={self.base}"
        return [self.python, *self.program, *self.options, base, "--allow-root", "--no-browser", "--port=0"]

    def index(self, **headers: str) -> Any:
        return self.get("nbfunc/", **headers)

    def names(self) -> list[str]:
        return sorted(one["name"] for one in self.get("nbfunc/-/functions").json)

    def url(self, name: str) -> str:
        """Return where an exposed function is."""
        (url,) = (one["url"] for one in self.get("nbfunc/-/functions").json if one["name"] == name)
        return str(url)


@contextmanager
def launched(
    folder: Path,
    *arguments: Path | str,
    program: tuple[str, ...] = Launched.program,
    kernels: Mapping[str, Sequence[str]] | None = None,
) -> Iterator[Launched]:
    server = Launched(folder, *map(str, arguments), base="/base/")
    server.program = program
    for name, argv in (kernels or {}).items():
        server.add_kernelspec(name, *argv)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_TOKEN", TOKEN)
        try:
            server.start()
            yield server
        finally:
            server.stop()
            server.log.close()


@pytest.mark.parametrize("program", [("-m", "jupyter", "nbfunc"), ("-m", "nbfunc", "run")])
def test_until_it_is_ready_the_index_says_which_cell_runs(tmp_path: Path, program: tuple[str, ...]) -> None:
    gate = tmp_path / "gate"
    notebook = write(tmp_path / "notebooks" / "a.ipynb", LOAD, waits(gate), ONE)
    with launched(tmp_path, notebook, program=program) as server:
        server.until(lambda: "cell 2 of 3" in server.index().text)
        answer = server.index()
        assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
        assert answer.json["message"].startswith("a.ipynb is running: cell 2 of 3.")
        gate.touch()
        server.until(lambda: server.names() == ["one"])
        assert server.index().status == 200
        assert server.post(server.url("one")).json["outputs"][0]["value"] == 1


@pytest.mark.browser
def test_a_page_that_waits_shows_the_forms_when_they_are_there(
    tmp_path: Path, page: Page, complaints: list[str]
) -> None:
    gate = tmp_path / "gate"
    notebook = write(tmp_path / "notebooks" / "a.ipynb", LOAD, waits(gate), ONE)
    with launched(tmp_path, notebook) as server:
        page.goto(f"http://127.0.0.1:{server.port}/base/nbfunc/?token={TOKEN}")
        expect(page.get_by_text("a.ipynb is running: cell 2 of 3.")).to_be_visible(timeout=60_000)
        gate.touch()
        expect(page.get_by_role("link", name="One")).to_be_visible(timeout=60_000)
        page.goto("about:blank")
    assert all("503" in complaint for complaint in complaints)
    complaints.clear()


def test_several_notebooks_of_several_folders_are_run_side_by_side(tmp_path: Path) -> None:
    first = write(tmp_path / "notebooks" / "a.ipynb", LOAD, NEVER_ENDS)
    second = write(tmp_path / "more" / "deep" / "b ü.ipynb", LOAD, "%cd", TWO)
    with launched(tmp_path, first, second) as server:
        server.until(lambda: server.names() == ["two"])
        notebooks = {one["notebook"] for one in server.get("nbfunc/-/functions").json}
        assert notebooks == {"more/deep/b ü.ipynb"}


def test_a_cell_that_fails_is_named_with_its_error(tmp_path: Path) -> None:
    notebook = write(tmp_path / "notebooks" / "a.ipynb", LOAD, "\n1 / 0\n", ONE)
    with launched(tmp_path, notebook) as server:
        server.until(lambda: server.index().status == 500)
        said = "a.ipynb stopped. Cell 2 of 3: ZeroDivisionError: division by zero (1 / 0)"
        assert server.index().json == {"message": said, "reason": "failed"}
        assert said in server.index(Accept="text/html").text
        assert said in server.said()


def test_a_notebook_that_exposes_nothing_says_what_to_do(tmp_path: Path) -> None:
    none = write(tmp_path / "notebooks" / "none.ipynb", "1 + 1")
    some = write(tmp_path / "notebooks" / "some.ipynb", LOAD, ONE)
    with launched(tmp_path, none, some) as server:
        said = "none.ipynb has run. It exposes no function: "
        server.until(lambda: said in server.said() and "some.ipynb has run." in server.said())
        (line,) = (line for line in server.said().splitlines() if said in line)
        assert line.startswith("[W ")
        assert "%func_to_web f" in line
        server.until(lambda: server.names() == ["one"])
        page = server.index(Accept="text/html")
        assert page.status == 200
        assert said in page.text
        assert "some.ipynb has run" not in page.text


def test_what_was_exposed_before_a_cell_that_never_ends_is_served(tmp_path: Path) -> None:
    notebook = write(tmp_path / "notebooks" / "a.ipynb", LOAD, ONE, NEVER_ENDS, TWO)
    with launched(tmp_path, notebook) as server:
        server.until(lambda: server.names() == ["one"])
        assert server.post(server.url("one")).json["outputs"][0]["value"] == 1
        server.until(lambda: "cell 3 of 4" in server.index(Accept="text/html").text)
        page = server.index(Accept="text/html")
        assert page.status == 200
        assert "a.ipynb is running: cell 3 of 4." in page.text
        # Who has had enough of it interrupts it.
        kernel = server.url("one").split("/")[-2]
        server.post(f"api/kernels/{kernel}/interrupt")
        server.until(lambda: "Cell 3 of 4: KeyboardInterrupt" in server.index(Accept="text/html").text)
        assert server.names() == ["one"]


def test_a_kernel_that_dies_in_a_cell_ends_its_notebook(tmp_path: Path) -> None:
    notebook = write(tmp_path / "notebooks" / "a.ipynb", LOAD, "import os\nos._exit(1)", ONE)
    # jupyter_server 2.21 cannot be stopped while it starts a kernel again.
    with launched(tmp_path, notebook, "--KernelManager.autorestart=False") as server:
        server.until(lambda: server.index().status == 500)
        assert "Cell 2 of 3: its kernel died" in server.index().json["message"]


def test_a_kernel_that_dies_at_its_start_is_waited_for(tmp_path: Path) -> None:
    # As one does that loses a port to another program.
    started = tmp_path / "started"
    dies_once = (
        "import runpy, sys; from pathlib import Path; mark = Path(sys.argv.pop(1)); known = mark.exists(); "
        "mark.touch(); known or sys.exit(1); runpy.run_module('ipykernel_launcher', run_name='__main__')"
    )
    argv = [sys.executable, "-c", dies_once, str(started), "-f", "{connection_file}"]
    notebook = write(tmp_path / "notebooks" / "a.ipynb", LOAD, ONE, kernel="dies once")
    with launched(tmp_path, notebook, kernels={"dies once": argv}) as server:
        server.until(lambda: server.names() == ["one"])
        assert server.post(server.url("one")).json["outputs"][0]["value"] == 1
    assert "stopped" not in server.said()


def test_a_notebook_whose_kernel_is_not_installed_says_so(tmp_path: Path) -> None:
    notebook = write(tmp_path / "notebooks" / "a.ipynb", LOAD, kernel="nowhere")
    with launched(tmp_path, notebook) as server:
        server.until(lambda: server.index().status == 500)
        assert "nowhere" in server.index().json["message"]


def test_a_link_waits_for_its_notebook(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    notebook = write(tmp_path / "notebooks" / "a.ipynb", LOAD, waits(gate), ONE)
    with launched(tmp_path, notebook) as server:
        link = "nbfunc/-/open/a.ipynb/one"
        assert server.get(link).status == 503
        gate.touch()
        server.until(lambda: server.get(link).status == 302)
        server.until(lambda: "a.ipynb has run." in server.said())
        assert server.get("nbfunc/-/open/a.ipynb/none").status == 404


def tried(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `jupyter nbfunc` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "jupyter", "nbfunc", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        env={**os.environ, "JUPYTER_RUNTIME_DIR": str(folder / "runtime")},
    )


def test_the_forms_of_a_notebook_that_is_open_are_shown_without_running_it(server: Jupyter) -> None:
    notebook = write(server.folder / "notebooks" / "opened.ipynb", "raise RuntimeError('run')")
    kernel = server.kernel("opened.ipynb")
    nothing = tried(server.folder, str(notebook), "--no-exec", "--no-browser")
    assert nothing.returncode == 2
    assert "exposes no function" in nothing.stderr
    kernel.expose(ONE)
    shown = tried(server.folder, str(notebook), "--no-exec", "--no-browser")
    assert shown.returncode == 0, shown.stderr
    found = re.search(r"http://\S+", shown.stdout)
    assert found
    assert found[0].endswith(f"{server.base}nbfunc/{kernel.id}/?token={TOKEN}")
    kernel.shut_down()


def test_a_notebook_that_is_not_open_and_one_that_is_not_there_are_told(
    server: Jupyter, tmp_path: Path
) -> None:
    notebook = write(tmp_path / "closed.ipynb", ONE)
    closed = tried(server.folder, str(notebook), "--no-exec")
    assert (closed.returncode, "No running Jupyter server has it open" in closed.stderr) == (2, True)
    missing = tried(server.folder, str(tmp_path / "missing.ipynb"))
    assert (missing.returncode, "there is no such file" in missing.stderr) == (2, True)


def test_help_teaches_by_examples(tmp_path: Path) -> None:
    said = tried(tmp_path, "--help").stdout
    assert "jupyter nbfunc report.ipynb clean.ipynb" in said
    assert "--no-exec" in said
