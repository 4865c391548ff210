"""A real nginx before real servers, configured as README.md says, and otherwise as nginx comes."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"
# What nginx does by itself, said aloud; its 60 seconds are given by the test.
AROUND = """
{user}
daemon off;
pid {folder}/pid;
error_log {folder}/error.log info;
events {{}}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    proxy_buffering on;
    proxy_request_buffering on;
    client_max_body_size 1m;
    proxy_connect_timeout {seconds}s;
    proxy_read_timeout {seconds}s;
    proxy_send_timeout {seconds}s;
    send_timeout {seconds}s;
    client_body_timeout {seconds}s;
    {more}
{example}
}}
"""


def example() -> str:
    """Return the configuration that README.md shows."""
    found = re.search(r"```nginx\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert found, "README.md has an example for nginx"
    return found[1]


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port: int = taken.getsockname()[1]
        return port


@contextmanager
def nginx(folder: Path, ports: dict[int, int], *, seconds: int, more: str = "") -> Iterator[str]:
    """Run nginx, and yield its origin.

    Parameters
    ----------
    folder : Path
        Where it keeps what it writes.
    ports : dict of int to int
        Those that README.md's example leads to, and what listens in their place.
    seconds : int
        Each of its timeouts.
    more : str
        What else its configuration says.
    """
    folder.mkdir()
    port = free_port()
    said = example()
    for named, real in {80: port, **ports}.items():
        address = f"127.0.0.1:{named}" if named != 80 else "listen 80"
        assert address in said, f"README.md's example has {address}"
        said = said.replace(address, f"listen 127.0.0.1:{real}" if named == 80 else f"127.0.0.1:{real}")
    # Its workers would be nobody, who may not look into the tests' directories.
    user = "user root;" if os.geteuid() == 0 else ""
    file = folder / "nginx.conf"
    file.write_text(AROUND.format(user=user, folder=folder, seconds=seconds, more=more, example=said))
    program = shutil.which("nginx")
    assert program
    process = subprocess.Popen([program, "-p", str(folder), "-c", str(file)], stderr=subprocess.PIPE)
    try:
        _wait_for(process, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=30)


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()[1].decode()
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.02)
    raise TimeoutError("nginx does not listen")
