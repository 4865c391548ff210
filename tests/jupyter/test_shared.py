"""A server that is shared: guests run forms and nothing else, and the log says who ran what."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.jupyter.server import Jupyter, Kernel, jupyter

# Who asks is said by a header, as a proxy before a server might.
CONFIG = """
import logging
from jupyter_server.auth import IdentityProvider, User

class ByHeader(IdentityProvider):
    def get_user(self, handler):
        name = handler.request.headers.get("X-User", "ada")
        return User(name) if name else None

    def is_token_authenticated(self, handler):
        return True

c.ServerApp.jpserver_extensions = {{"nbfunc": True, "jupyter_server_terminals": True}}
c.ServerApp.identity_provider_class = ByHeader
c.ServerApp.authorizer_class = "nbfunc.FormsOnly"
c.FormsOnly.owner = "ada"
c.EventLogger.handlers = [logging.FileHandler({events!r})]
"""

FUNCTIONS = """
%load_ext nbfunc
import nbfunc
from nbfunc.types import FileResponse

def who() -> str:
    return nbfunc.current_user()

def make(secret: str) -> FileResponse:
    return FileResponse(data=secret.encode(), filename="made.txt")

def fail():
    raise ValueError("no")

%func_to_web who make fail
"""


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("events") / "events.jsonl"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, events: Path) -> Iterator[Jupyter]:
    config = CONFIG.format(events=str(events))
    with jupyter(tmp_path_factory.mktemp("shared"), config=config) as server:
        yield server


@pytest.fixture(scope="module")
def kernel(shared: Jupyter) -> Kernel:
    kernel = shared.kernel()
    assert not kernel.run(FUNCTIONS).error
    return kernel


def emitted(path: Path, schema: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [line for line in lines if f"/nbfunc/{schema}/" in line["__schema__"]]


def test_a_guest_runs_a_form_under_their_own_name(shared: Jupyter, kernel: Kernel) -> None:
    answer = shared.post(kernel.url("who"), X_User="bob")
    assert (answer.status, answer.json["outputs"][0]["value"]) == (200, "bob")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "api/contents"),
        ("GET", "api/kernels"),
        ("POST", "api/kernels"),
        ("GET", "api/sessions"),
        ("POST", "api/terminals"),
        ("GET", "files/made here 1.ipynb"),
    ],
)
def test_a_guest_does_nothing_else(shared: Jupyter, kernel: Kernel, method: str, path: str) -> None:
    assert shared.ask(method, path.replace(" ", "%20"), X_User="bob").status == 403


def test_the_owner_does_all(shared: Jupyter, kernel: Kernel) -> None:
    assert shared.get("api/contents").status == 200
    assert shared.post(kernel.url("who")).json["outputs"][0]["value"] == "ada"


def test_a_guest_downloads_what_their_run_returned(shared: Jupyter, kernel: Kernel) -> None:
    answer = shared.post(kernel.url("make"), {"secret": "for bob"}, X_User="bob")
    assert shared.get(answer.json["outputs"][0]["url"], X_User="bob").text == "for bob"


def test_a_guest_sees_no_runs_but_their_own(shared: Jupyter, kernel: Kernel) -> None:
    hers = shared.post(kernel.url("who")).json["run"]
    his = shared.post(kernel.url("who"), X_User="bob").json["run"]
    assert shared.get(f"nbfunc/-/runs/{hers}", X_User="bob").status == 404
    assert shared.ask("DELETE", f"nbfunc/-/runs/{hers}", X_User="bob").status == 404
    assert shared.get(f"nbfunc/-/runs/{his}", X_User="bob").status == 200
    assert hers not in [run["run"] for run in shared.get("nbfunc/-/runs", X_User="bob").json]
    assert {hers, his} <= {run["run"] for run in shared.get("nbfunc/-/runs").json}


def test_events_say_who_ran_what_and_how_it_ended(shared: Jupyter, kernel: Kernel, events: Path) -> None:
    answer = shared.post(kernel.url("make"), {"secret": "hush"}, X_User="bob")
    failed = shared.post(kernel.url("fail"))
    shared.get(answer.json["outputs"][0]["url"], X_User="bob")
    runs = [e for e in emitted(events, "run") if e["run"] == answer.json["run"]]
    assert [(e["action"], e["user"], e["function"]) for e in runs] == [
        ("started", "bob", "make"),
        ("ended", "bob", "make"),
    ]
    assert runs[1]["status"] == "finished"
    assert runs[1]["files"] == [{"filename": "made.txt", "size": 4}]
    assert runs[1]["seconds"] >= 0
    ended = next(
        e for e in emitted(events, "run") if e["run"] == failed.json["run"] and e["action"] == "ended"
    )
    assert (ended["status"], ended["error"], ended["user"]) == ("failed", "ValueError", "ada")
    left = [(e["user"], e["filename"], e["size"]) for e in emitted(events, "download")]
    assert ("bob", "made.txt", 4) in left
    assert "hush" not in events.read_text()


def test_events_say_what_was_exposed_and_removed(shared: Jupyter, kernel: Kernel, events: Path) -> None:
    kernel.run("def passing() -> int:\n    return 1\n%func_to_web passing")
    kernel.run("%func_to_web --remove passing")

    def actions() -> list[str]:
        return [e["action"] for e in emitted(events, "function") if e["function"] == "passing"]

    shared.until(lambda: len(actions()) > 1)
    assert actions() == ["exposed", "removed"]
