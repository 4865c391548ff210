"""A real JupyterHub on free ports, with servers of its users' own, configured as README.md says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from jupyter_client.blocking.client import BlockingKernelClient

from tests.programs import hub_proxy
from tests.proxy.nginx import README, free_port

ROOT = Path(__file__).parents[2]
PASSWORD = "a-password-of-the-tests"
TOKEN = "a-token-of-the-tests"
# They cost a second at each start.
OTHERS = ("jupyterlab", "jupyter_lsp", "notebook", "notebook_shim", "voila.server_extension")

HUB = """
c = get_config()  # noqa
{example}
c.JupyterHub.bind_url = "http://127.0.0.1:{port}/hubs/"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub_port}"
c.JupyterHub.db_url = "sqlite:///{folder}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{folder}/cookie_secret"
c.ConfigurableHTTPProxy.command = {proxy!r}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api_port}"
c.ConfigurableHTTPProxy.pid_file = "{folder}/proxy.pid"
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = "{password}"
c.Authenticator.allowed_users = {{"alice", "bob"}}
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = "{folder}/homes/{{username}}"
c.Spawner.cmd = [{python!r}, "-m", "jupyterhub.singleuser"]
c.Spawner.args = ["--allow-root"]
c.Spawner.default_url = "/nbfunc/"
c.Spawner.http_timeout = c.Spawner.start_timeout = 120
c.Spawner.environment = {{
    "JUPYTER_CONFIG_PATH": "{folder}/config", "PYTHONPATH": "{root}", "JUPYTER_PREFER_ENV_PATH": "0",
    "JUPYTERHUB_ACTIVITY_INTERVAL": "1",
}}
# Who is active is known within seconds and not minutes, from the servers and from the proxy.
c.JupyterHub.activity_resolution = 0
c.JupyterHub.last_activity_interval = 1
c.JupyterHub.services = [{{"name": "tests", "api_token": "{token}"}}]
c.JupyterHub.load_roles.append({{
    "name": "tests", "services": ["tests"], "scopes": ["admin:users", "admin:servers", "tokens", "shares"]
}})
"""

T = TypeVar("T")


def examples() -> list[str]:
    """Return what README.md shows of configurations: the hub's, and that of its users' servers."""
    said = README.read_text(encoding="utf-8").partition("#### On a JupyterHub")[2].partition("\n####")[0]
    found = re.findall(r"```python\n(.*?)```", said, re.DOTALL)
    assert len(found) == 2, "README.md has an example of each"
    return found


@dataclass
class Hub:
    """A hub; its users log in with `PASSWORD`."""

    origin: str
    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"{self.origin}/hubs/"

    def server(self, user: str) -> str:
        """Return where a user's server is."""
        return f"{self.url}user/{user}/"

    def ask(self, method: str, path: str, body: Any = None, *, token: str = TOKEN) -> tuple[int, Any]:
        """Send a request to the hub, or to a user's server; return status and JSON."""
        request = urllib.request.Request(
            self.url + path,
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"token {token}", "Content-Type": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, _json(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _json(error.read())

    def start(self, user: str) -> None:
        """Start a user's server, and wait until it answers."""
        status, said = self.ask("POST", f"hub/api/users/{user}/server")
        assert status in {201, 202}, said
        self.until(lambda: self.ask("GET", f"hub/api/users/{user}")[1]["servers"][""]["ready"])

    def stop(self, user: str) -> None:
        """Stop a user's server."""
        self.ask("DELETE", f"hub/api/users/{user}/server")
        self.until(lambda: not self.ask("GET", f"hub/api/users/{user}")[1]["servers"])

    def token(self, user: str) -> str:
        """Return a token with which a program is this user."""
        status, said = self.ask("POST", f"hub/api/users/{user}/tokens", {"note": "tests"})
        assert status == 201, said
        return str(said["token"])

    def last_activity(self, user: str) -> str:
        """Return when the hub last heard that a user's server was used."""
        return str(self.ask("GET", f"hub/api/users/{user}")[1]["servers"][""]["last_activity"])

    @contextmanager
    def cell(self, user: str, code: str) -> Iterator[str]:
        """Run a cell in a kernel of a user's notebook, and yield the kernel's id while that lives."""
        token = self.token(user)
        model = {"path": "shared.ipynb", "name": "shared.ipynb", "type": "notebook", "kernel": {"name": ""}}
        status, said = self.ask("POST", f"user/{user}/api/sessions", model, token=token)
        assert status == 201, said
        kernel = str(said["kernel"]["id"])
        runtime = self.folder / "homes" / user / ".local" / "share" / "jupyter" / "runtime"
        client = BlockingKernelClient()
        client.load_connection_file(str(runtime / f"kernel-{kernel}.json"))
        client.start_channels(hb=False)
        try:
            client.wait_for_ready(timeout=60)
            reply = client.execute_interactive(code, timeout=60, output_hook=lambda _: None)
            assert reply["content"]["status"] == "ok", reply["content"]
            yield kernel
        finally:
            client.stop_channels()
            self.ask("DELETE", f"user/{user}/api/kernels/{kernel}", token=token)

    def until(self, ready: Callable[[], T | None], seconds: float = 100) -> T:
        """Return what `ready` returns once that is something."""
        deadline = time.monotonic() + seconds
        while True:
            assert self.process.poll() is None, self.said()
            with suppress(urllib.error.URLError):
                if found := ready():
                    return found
            assert time.monotonic() < deadline, f"waited in vain\n{self.said()}"
            time.sleep(0.05)

    def said(self) -> str:
        """Return the log of the hub and of its users' servers."""
        return (self.folder / "hub.log").read_text()


def _json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text.decode()


@contextmanager
def jupyterhub(folder: Path, config: str = "") -> Iterator[Hub]:
    """Run a hub, nobody's server started yet; `config` is added to that of the users' servers."""
    proxy = hub_proxy()
    assert proxy
    for_hub, for_servers = examples()
    (folder / "config").mkdir()
    extensions = dict.fromkeys(OTHERS, False) | {"nbfunc": True, "jupyter_server_terminals": True}
    (folder / "config" / "jupyter_server_config.py").write_text(
        f"{for_servers}\nc.ServerApp.jpserver_extensions = {extensions}\n{config}"
    )
    port = free_port()
    (folder / "jupyterhub_config.py").write_text(
        HUB.format(
            example=for_hub,
            folder=folder,
            password=PASSWORD,
            port=port,
            hub_port=free_port(),
            api_port=free_port(),
            proxy=proxy,
            python=sys.executable,
            root=ROOT,
            token=TOKEN,
        )
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")}
    command = [sys.executable, "-m", "jupyterhub", "-f", str(folder / "jupyterhub_config.py")]
    with (folder / "hub.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        hub = Hub(f"http://127.0.0.1:{port}", folder, process)
        try:
            hub.until(lambda: hub.ask("GET", "hub/api/users/alice")[0] == 200)
            yield hub
        finally:
            process.terminate()
            process.wait(60)
