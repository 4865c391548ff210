"""The command line: ``nbfunc run app.py:f`` and ``nbfunc demo``."""

from __future__ import annotations

import argparse
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from nbfunc._version import __version__
from nbfunc.errors import AuthorError, OptionError

EXAMPLES = """
examples:
  nbfunc run app.py                     every public function that app.py defines, those
                                        that can be no form apart
  nbfunc run app.py:plot                the function plot
  nbfunc run app.py:plot,clean          two of them; also: nbfunc run app.py:plot clean
  nbfunc run notebook.ipynb             run a notebook, and serve what it exposes behind
                                        a Jupyter server's login
  nbfunc run a.ipynb b.ipynb            two notebooks, side by side
  nbfunc run notebook.ipynb --no-exec   the forms of a notebook that JupyterLab has open
  nbfunc run app.py --port 0 --open     any free port, and open the page in a browser
  nbfunc run app.py --host 0.0.0.0 --auth-file users.txt
                                        for your network, behind a login; users.txt has a
                                        line name:password for each user
  nbfunc demo                           see what forms and results look like

In Python the same is:  from nbfunc import run; run(plot)
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line, and return its exit status.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the process by default.
    """
    given = _parser().parse_args(arguments)
    try:
        if given.command == "demo":
            from nbfunc.demo import FUNCTIONS  # noqa: PLC0415 - only for this command

            _serve(FUNCTIONS, given, title="nbfunc demo")
        elif given.target.endswith(".ipynb"):
            return _launch([given.target, *given.more], given)
        elif given.no_exec:
            raise OptionError(f"--no-exec is for notebooks, and {given.target} is none.")
        else:
            _serve(functions_of(given.target, given.more), given)
    except (AuthorError, OSError) as error:
        print(f"nbfunc: {error}", file=sys.stderr)
        return 2
    return 0


def functions_of(target: str, more: Sequence[str] = ()) -> list[Callable[..., Any]]:
    """Return the functions that a target names.

    Parameters
    ----------
    target : str
        ``app.py``, ``app.py:f`` or ``app.py:f,g``.
    more : sequence of str
        More functions of the same file, or more targets.

    Raises
    ------
    OptionError
        There is no such file or function, or no function of a file can be a form.
    """
    functions: list[Callable[..., Any]] = []
    path, _, names = target.rpartition(":") if _names_functions(target) else (target, "", "")
    module = imported(path)
    wanted = names.split(",") if names else []
    for word in more:
        if word.endswith(".py") or _names_functions(word):
            functions += functions_of(word)
        else:
            wanted += word.split(",")
    if not wanted:
        return [*_fitting(module), *functions]
    return [*(_named(module, name.strip()) for name in wanted if name.strip()), *functions]


def _names_functions(target: str) -> bool:
    # A colon may also be a drive's, as in C:\app.py.
    path, colon, names = target.rpartition(":")
    return (
        bool(colon)
        and path.endswith((".py", ".ipynb"))
        and all(name.strip().isidentifier() for name in names.split(",") if name.strip())
    )


def imported(path: str) -> ModuleType:
    """Return a file as a module, imported as a program beside it would."""
    file = Path(path).resolve()
    if file.suffix != ".py":
        raise OptionError(
            f"{path}: nbfunc run takes a Python file, app.py or app.py:function, or a notebook, app.ipynb."
        )
    if not file.is_file():
        raise OptionError(f"{path}: there is no such file.")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None  # a .py file has a loader
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(file.parent))
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    return module


def public(module: ModuleType) -> list[Callable[..., Any]]:
    """Return the functions that a module defines, in its order, those with a leading ``_`` apart."""
    found = [
        value
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_")
    ]
    if not found:
        raise OptionError(
            f"{module.__file__}: there is no public function in it. Write `def f(x: int): ...`."
        )
    return list(dict.fromkeys(found))


def _fitting(module: ModuleType) -> list[Callable[..., Any]]:
    """Return the public functions that can be forms, and say of the others why not: nobody named them."""
    from nbfunc.hosts.in_process import check  # noqa: PLC0415 - `nbfunc --help` is quick without it

    fitting = []
    for function in public(module):
        try:
            check(function)
        except AuthorError as error:
            print(f"nbfunc leaves out {function.__name__}: {error}", file=sys.stderr)
        else:
            fitting.append(function)
    if not fitting:
        raise OptionError(f"{module.__file__}: none of its functions can be a form.")
    return fitting


def _named(module: ModuleType, name: str) -> Callable[..., Any]:
    function = getattr(module, name, None)
    if not callable(function):
        has = ", ".join(f.__name__ for f in _functions(module)) or "none"
        raise OptionError(f"{module.__file__}: there is no function {name!r} in it. It has: {has}.")
    return function  # type: ignore[no-any-return]  # callable, and form_of checks the rest


def _functions(module: ModuleType) -> list[Callable[..., Any]]:
    try:
        return public(module)
    except OptionError:
        return []


def _serve(functions: Any, given: argparse.Namespace, *, title: str | None = None) -> None:
    from nbfunc.web.server import run  # noqa: PLC0415 - `nbfunc --help` is quick without it

    run(
        functions,
        host=given.host,
        port=given.port,
        auth=_users(given.auth_file),
        title=given.title or title,
        root_path=given.root_path,
        css=given.css,
        template_dir=given.template_dir,
        uploads_dir=given.uploads_dir,
        returns_dir=given.returns_dir,
        max_upload_size=given.max_upload_size,
        max_concurrency=given.max_concurrency,
        allowed_hosts=given.allowed_host,
        allowed_origins=given.allowed_origin,
        proxy_headers=given.proxy_headers,
        ssl_certfile=given.ssl_certfile,
        ssl_keyfile=given.ssl_keyfile,
        open_browser=given.open,
        block=True,
    )


# What Jupyter has a setting of its own for; the rest of our options it has no place for.
SETTINGS = {
    "port": "ServerApp.port",
    "host": "ServerApp.ip",
    "root_path": "ServerApp.base_url",
    "ssl_certfile": "ServerApp.certfile",
    "ssl_keyfile": "ServerApp.keyfile",
    "proxy_headers": "ServerApp.trust_xheaders",
    "uploads_dir": "NbfuncApp.uploads_dir",
    "returns_dir": "NbfuncApp.returns_dir",
    "max_upload_size": "NbfuncApp.max_upload_size",
    "max_concurrency": "NbfuncApp.max_concurrency",
}
OURS = ("command", "target", "more", "open", "no_exec")


def _launch(notebooks: Sequence[str], given: argparse.Namespace) -> int:
    """Run notebooks in kernels of a Jupyter server, which serves what they expose, behind its login."""
    for notebook in notebooks:
        if not notebook.endswith(".ipynb"):
            raise OptionError(f"{notebook}: after a notebook there may be more notebooks, and nothing else.")
    usual = vars(_parser().parse_args(["run", "-"]))
    options = [f"--{SETTINGS[name]}={getattr(given, name)}" for name in ("port", "host")]
    for name, value in vars(given).items():
        if name in {"port", "host", *OURS} or value == usual[name]:
            continue
        if name not in SETTINGS:
            option = name.replace("_", "-")
            raise OptionError(
                f"--{option} is not for notebooks: a Jupyter server serves them, as it is set up."
            )
        options.append(f"--{SETTINGS[name]}={value}")
    if not given.open:
        options.append("--no-browser")
    if given.no_exec:
        options.append("--no-exec")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--allow-root")
    from nbfunc.web.extension import main as launch  # noqa: PLC0415 - a Jupyter server, only for this

    return launch([*notebooks, *options])


def _users(path: str | None) -> dict[str, str] | None:
    """Return the users in a file of lines ``name:password``."""
    if path is None:
        return None
    users: dict[str, str] = {}
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, colon, password = line.partition(":")
        if not colon or not name or not password:
            raise OptionError(f"{path}, line {number}: write name:password.")
        users[name] = password
    if not users:
        raise OptionError(f"{path} has no users in it: write a line name:password for each.")
    return users


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nbfunc",
        description="Type-hinted Python functions as forms on a web page, and as an API.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"nbfunc {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="run | demo")
    run = commands.add_parser(
        "run",
        help="serve functions of a Python file, or of notebooks",
        description="Serve functions of a Python file, or run notebooks and serve what they expose.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run.add_argument("target", metavar="FILE[:FUNCTION,…]", help="app.py, app.py:f, app.py:f,g, or app.ipynb")
    run.add_argument("more", nargs="*", metavar="MORE", help="more functions of that file; more notebooks")
    run.add_argument(
        "--no-exec", action="store_true", help="run no notebook: show the forms of one that is open already"
    )
    demo = commands.add_parser("demo", help="serve some functions that show what there is")
    for command in (run, demo):
        _add_options(command)
    return parser


def _add_options(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--port", type=int, default=8000, help="where to listen; 0: any free port (default: 8000)")
    add("--host", default="127.0.0.1", help="the address to listen on (default: 127.0.0.1, this machine)")
    add("--open", action="store_true", help="open the page in a browser")
    add("--title", help="of the index")
    add("--auth-file", metavar="FILE", help="ask for a login; a line name:password for each user")
    add("--root-path", default="", metavar="PREFIX", help="the prefix under which a proxy shows this server")
    add("--proxy-headers", action="store_true", help="believe X-Forwarded-*: only behind a proxy")
    add("--allowed-host", action="append", default=[], metavar="NAME", help="another name of this server")
    add("--allowed-origin", action="append", default=[], metavar="URL", help="a site that may start runs")
    add("--ssl-certfile", metavar="FILE", help="serve HTTPS with this certificate")
    add("--ssl-keyfile", metavar="FILE", help="the certificate's key")
    add("--css", metavar="FILE", help="a style sheet for all pages")
    add("--template-dir", metavar="DIR", help="holds index.html, form.html and login.html")
    add("--uploads-dir", default="./uploads", metavar="DIR", help="where uploads are kept (./uploads)")
    add(
        "--returns-dir",
        default="./returned_files",
        metavar="DIR",
        help="where results are (./returned_files)",
    )
    add("--max-upload-size", type=int, metavar="BYTES", help="of one file (default: no limit)")
    add("--max-concurrency", type=int, default=40, metavar="N", help="runs at once (default: 40)")
