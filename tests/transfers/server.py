"""The standalone server in a process of its own, to be measured, and to be killed."""

from __future__ import annotations

import http.client
import json
import re
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 120
HOST = "127.0.0.1"


@dataclass(frozen=True)
class Certificate:
    """A certificate that signs itself, for this machine."""

    path: Path
    key: Path

    @property
    def trusted(self) -> ssl.SSLContext:
        """What a client needs to believe it."""
        return ssl.create_default_context(cafile=self.path)


def make_certificate(folder: Path) -> Certificate:
    """Make one, with openssl."""
    made = Certificate(folder / "certificate.pem", folder / "key.pem")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-keyout", made.key, "-out", made.path, "-subj", "/CN=127.0.0.1"]  # type: ignore[list-item]  # paths
    command += ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(command, check=True, capture_output=True)
    return made


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Message
    body: bytes


@dataclass
class Program:
    """A running server, and requests to it."""

    process: subprocess.Popen[str]
    port: int
    folder: Path
    certificate: Certificate | None = None

    @property
    def url(self) -> str:
        scheme = "https" if self.certificate else "http"
        return f"{scheme}://{HOST}:{self.port}"

    def connect(self) -> http.client.HTTPConnection:
        if self.certificate:
            trusted = self.certificate.trusted
            return http.client.HTTPSConnection(HOST, self.port, timeout=PATIENCE_SECONDS, context=trusted)
        return http.client.HTTPConnection(HOST, self.port, timeout=PATIENCE_SECONDS)

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        connection = self.connect()
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def run(self, function: str, **arguments: Any) -> dict[str, Any]:
        """Return the answer of a run that has to finish."""
        body = json.dumps(arguments).encode()
        answer = self.request("POST", f"/{function}", body, {"Content-Type": "application/json"})
        said: dict[str, Any] = json.loads(answer.body)
        assert said["status"] == "finished", said
        return said

    def kill(self) -> None:
        """End it at once, as the system does when memory is short."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE_SECONDS)

    def memory(self) -> int:
        """Return what it has now, in bytes, and measure its `peak` from here on."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")
        return self._status("VmRSS")

    def peak(self) -> int:
        """Return the most that it had since, in bytes."""
        return self._status("VmHWM")

    def _status(self, field: str) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith(field))


@contextmanager
def serving(
    folder: Path, *, certificate: Certificate | None = None, named: bool = False
) -> Iterator[Program]:
    """Start a server whose files are in `folder`, and stop it if it still runs."""
    folder.mkdir(exist_ok=True)
    options = ["--named"] if named else []
    if certificate:
        options += ["--certificate", str(certificate.path), "--key", str(certificate.key)]
    with (folder / "log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.transfers.program", str(folder), *options],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout is not None
    with process, process.stdout as said:
        try:
            line = said.readline()
            where = re.search(r"https?://[^:/]+:(\d+)/", line)
            assert where, f"it said {line!r}; its log: {(folder / 'log').read_text()}"
            yield Program(process, int(where[1]), folder, certificate)
        finally:
            process.terminate()
