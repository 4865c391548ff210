"""What nobody expects of kernels and of the server's own parts: the forms stand all the same."""

from __future__ import annotations

from pathlib import Path

from tests.jupyter.server import Jupyter, Kernel, jupyter

FUNCTION = """
def one() -> int:
    return 1
%func_to_web one
"""
SAY_THEM = """
kernel = get_ipython().kernel
for state in ("dreaming", "<b>", ""):
    kernel.session.send(
        kernel.iopub_socket, "status", {"execution_state": state}, parent=kernel.get_parent(), ident=b"status"
    )
"""
FAILING_SESSIONS = """
from pathlib import Path
from jupyter_server.services.sessions.sessionmanager import SessionManager

class Failing(SessionManager):
    async def list_sessions(self):
        if Path("no-sessions").exists():
            raise RuntimeError("no sessions today")
        return await super().list_sessions()

c.ServerApp.session_manager_class = Failing
"""
KNOWN = {"starting", "idle", "busy", "restarting", "dead"}


def states_while(server: Jupyter, kernel: Kernel, code: str) -> set[str]:
    """Return the states that pages hear of while a cell runs, to its end."""
    heard = set()
    with server.stream("nbfunc/-/events?changes=1") as page:
        request = kernel.client.execute(code)
        for event in page:
            if event["kind"] == "kernel" and event["id"] == kernel.id:
                heard.add(event["state"])
                if event["state"] == "idle":
                    break
        kernel.heard(request)
    return heard


def test_a_state_that_no_kernel_has_is_not_taken_over(server: Jupyter, fresh: Kernel) -> None:
    fresh.expose(FUNCTION)
    assert states_while(server, fresh, SAY_THEM) <= KNOWN
    assert fresh.call("one").json["outputs"][0]["value"] == 1
    assert fresh.url("one") in server.get("nbfunc/-/functions").text


def test_forms_are_used_though_the_notebooks_cannot_be_looked_up(tmp_path: Path) -> None:
    with jupyter(tmp_path, config=FAILING_SESSIONS) as server:
        kernel = server.kernel("a.ipynb")
        for place in (tmp_path, tmp_path / "notebooks"):
            (place / "no-sessions").touch()
        cell = kernel.expose(FUNCTION)
        assert not cell.stderr
        assert kernel.call("one").json["outputs"][0]["value"] == 1
        assert kernel.url("one") in server.get("nbfunc/-/functions").text
        assert server.get("nbfunc/", Accept="text/html").status == 200
        assert server.get("nbfunc/-/open/a.ipynb/one", Accept="text/html").status == 404
        assert "no sessions today" in server.said()
