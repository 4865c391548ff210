"""What is compared, and how each of the three is spoken to."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlencode

PROJECT = Path(__file__).parent.parent
VENVS = PROJECT / ".bench"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Request:
    """One HTTP request."""

    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] | None = None


class Product(ABC):
    """One of those that are compared: how to install, start and ask it.

    Attributes
    ----------
    name : str
        For the table.
    module : str
        The server with the functions of the bench.
    package : str
        What an application imports.
    requirements : tuple of str
        For its venv; none for what is in this interpreter.
    python : tuple of int
        The oldest Python that it takes.
    submit : str
        What its page's button says.
    """

    name: ClassVar[str]
    module: ClassVar[str]
    package: ClassVar[str] = "func_to_web"
    requirements: ClassVar[tuple[str, ...]] = ()
    python: ClassVar[tuple[int, int]] = (3, 10)
    submit: ClassVar[str] = "Submit"

    def interpreter(self) -> str:
        """Return the Python that has it, installed if it was not."""
        if not self.requirements:
            return sys.executable
        venv = VENVS / self.name
        interpreter = venv / "bin" / "python"
        ready = venv / "installed"
        if not ready.exists():
            print(f"installing {self.name} into {venv}", file=sys.stderr)
            subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
            subprocess.run(
                [interpreter, "-m", "pip", "install", "--quiet", *self.requirements],
                check=True,
                stdout=sys.stderr,
            )
            ready.touch()
        return str(interpreter)

    @abstractmethod
    def run(self, function: str, arguments: Mapping[str, Any]) -> Request:
        """Return the request that runs a function and answers with its result."""

    def streamed(self, function: str, arguments: Mapping[str, Any]) -> Request:
        """Return the request that its own page would send."""
        return self.run(function, arguments)

    @abstractmethod
    def download(self, answer: Any) -> str:
        """Return where to get the file that `run` answered with."""

    @abstractmethod
    def disk_name(self, number: int, age: float) -> str:
        """Return the name of a returned file of that age, in seconds, in its directory."""

    @abstractmethod
    def address(self, disk_name: str) -> str:
        """Return where to get a file that has this name on disk."""


class Nbfunc(Product):
    """This project, as it is in the working tree."""

    name = "nbfunc"
    module = "bench.serve_nbfunc"
    package = "nbfunc"
    submit = "Run"

    def run(self, function: str, arguments: Mapping[str, Any]) -> Request:
        return Request("POST", f"/{function}", encoded(arguments), {"Content-Type": JSON})

    def streamed(self, function: str, arguments: Mapping[str, Any]) -> Request:
        headers = {"Content-Type": JSON, "Accept": "text/event-stream"}
        return Request("POST", f"/{function}", encoded(arguments), headers)

    def download(self, answer: Any) -> str:
        return str(answer["outputs"][0]["url"])

    def disk_name(self, number: int, age: float) -> str:
        return f"{int((time.time() - age) * 1000):011x}-{number:032x}-file.txt"

    def address(self, disk_name: str) -> str:
        return f"/-/files/{disk_name[:44]}/{disk_name[45:]}"


class FuncToWeb0(Product):
    """The last of the first generation."""

    name = "func-to-web-0.9.9"
    module = "bench.serve_func_to_web_0"
    requirements = ("func-to-web==0.9.9", "fastapi==0.115.14", "starlette==0.46.2")

    def run(self, function: str, arguments: Mapping[str, Any]) -> Request:
        body = urlencode(arguments).encode()
        return Request("POST", f"/{function}/submit", body, {"Content-Type": FORM})

    def download(self, answer: Any) -> str:
        return f"/download/{answer['file_id']}"

    def disk_name(self, number: int, age: float) -> str:
        return f"{number:032x}___{int(time.time() - age)}___file.txt"

    def address(self, disk_name: str) -> str:
        return f"/download/{disk_name[:32]}"


class FuncToWeb2(Product):
    """The second generation."""

    name = "func-to-web-2.7.6"
    module = "bench.serve_func_to_web_2"
    requirements = ("func-to-web==2.7.6",)
    python = (3, 11)

    def run(self, function: str, arguments: Mapping[str, Any]) -> Request:
        return Request("POST", f"/{function}/invoke", encoded(arguments), {"Content-Type": JSON})

    def streamed(self, function: str, arguments: Mapping[str, Any]) -> Request:
        return Request("POST", f"/{function}/invoke-stream", encoded(arguments), {"Content-Type": JSON})

    def download(self, answer: Any) -> str:
        return f"/returns/{answer['result']['value']}"

    def disk_name(self, number: int, age: float) -> str:
        return f"{number:032x}.~r{int(time.time() - age):010d}~file.txt"

    def address(self, disk_name: str) -> str:
        return f"/returns/{disk_name}"


def encoded(arguments: Mapping[str, Any]) -> bytes:
    """Return arguments as JSON."""
    return json.dumps(arguments).encode()


PRODUCTS: tuple[Product, ...] = (Nbfunc(), FuncToWeb0(), FuncToWeb2())
