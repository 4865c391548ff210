"""``%func_to_web f``: a function of this notebook becomes a form."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_cell_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring
from IPython.display import display

import nbfunc
from nbfunc.errors import AuthorError, FormError, OptionError
from nbfunc.hosts.protocol import ENVIRONMENT
from nbfunc.notebook.agent import agent_of
from nbfunc.notebook.below import awaited, awaits, run, run_awaiting
from nbfunc.notebook.card import Card
from nbfunc.notebook.exposing import Exposures

# A server that told its kernels of itself answers within milliseconds, unless it is busy; whether one that
# did not is there (a gateway's) only its answer tells.
KNOWN_SECONDS = 10.0
UNKNOWN_SECONDS = 1.0

USAGE = """Nothing is exposed yet. Write a function with type hints, then

    %func_to_web make_report            its form, in the side panel and on a page
    %func_to_web --inline make_report   the form below the cell
    %%func_to_web                       above a cell: each function that it defines

More: %func_to_web?"""


@dataclass(frozen=True)
class _Served:
    """What ``--serve`` started: a server of this kernel's own, and the names that it serves."""

    server: Any
    exposures: Exposures


@magics_class
class FuncToWeb(Magics):
    """The magic, and what it needs of the kernel it is in.

    Parameters
    ----------
    shell : IPython.core.interactiveshell.InteractiveShell
        The notebook's.

    Attributes
    ----------
    agent : Agent, optional
        What the server asks; None in a kernel that cannot answer while a cell runs.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self._shell = shell
        self.agent = agent_of(shell)
        self._exposures = None if self.agent is None else Exposures(self.agent, shell.user_ns)
        self._served: list[_Served] = []
        self._awaited = awaited(shell, "func_to_web")

    def start(self) -> None:
        """Follow the names from now on, and complete them."""
        self._shell.events.register("post_run_cell", self._after_cell)
        self._shell.set_hook("complete_command", self._complete, re_key=r"^%{1,2}func_to_web\b")
        self._shell.input_transformers_cleanup.append(self._awaited)

    def stop(self) -> None:
        """Expose nothing, and leave the kernel as it was."""
        self._shell.events.unregister("post_run_cell", self._after_cell)
        self._shell.input_transformers_cleanup.remove(self._awaited)
        for served in self._served:
            served.server.stop()
        if self.agent is not None:
            self.agent.clear()

    @magic_arguments()
    @argument("functions", nargs="*", help="names of functions of this notebook; none: what is exposed")
    @argument("--inline", action="store_true", help="show the form below this cell, as widgets")
    @argument("--remove", action="store_true", help="expose these functions no more")
    @argument("--main", action="store_true", help="run them on the notebook's main thread, between cells")
    @argument("--group", help="where they stand in the list of functions")
    @argument("--serve", action="store_true", help="serve them from this kernel, on a port of its own")
    @argument("--port", type=int, help="the port of --serve; by default any free one")
    @argument("-h", "--help", action="store_true", help="say all this")
    @line_cell_magic
    def func_to_web(self, line: str, cell: str | None = None) -> Coroutine[Any, Any, None] | None:
        """Make forms of this notebook's functions: in JupyterLab's side panel, on a page, as an API.

        Type hints give the fields; what a function returns is shown, files can be downloaded.

        Examples
        --------
        ::

            %func_to_web make_report clean_table
            %func_to_web --inline make_report
            %func_to_web                          what is exposed
            %func_to_web --remove make_report
            %func_to_web --main query             runs between cells, on the notebook's own thread

        As ``%%func_to_web`` above a cell it runs the cell, and exposes each function that the cell defines,
        but those whose names start with ``_``.
        """
        with _without_traceback():
            arguments = _checked(parse_argstring(self.func_to_web, line))
        if cell is not None and awaits(self._shell, cell):
            return self._expose_awaiting(cell, arguments)
        if arguments.help:
            print(self.func_to_web.__doc__)
        elif cell is None:
            with _without_traceback():
                names = _names(arguments)
                self._act(names, arguments, defined=False) if names else self._list(arguments)
        else:
            run(self._shell, cell)
            self._expose_cell(cell, arguments)
        return None

    async def _expose_awaiting(self, cell: str, arguments: Any) -> None:
        if arguments.help:
            print(self.func_to_web.__doc__)
        else:
            await run_awaiting(self._shell, cell)
            self._expose_cell(cell, arguments)

    def _expose_cell(self, cell: str, arguments: Any) -> None:
        """Expose the functions that a cell has defined."""
        defined = ast.parse(self._shell.transform_cell(cell)).body
        functions = (node for node in defined if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))
        named = [node.name for node in functions if not node.name.startswith("_")]
        if not named:
            print("nbfunc: this cell defines no function, so nothing is exposed.", file=sys.stderr)
        names = list(dict.fromkeys(_names(arguments) + named))
        if names:
            with _without_traceback():
                self._act(names, arguments, defined=True)

    def _act(self, names: list[str], arguments: Any, *, defined: bool) -> None:
        if arguments.remove:
            self._remove(names)
        elif arguments.serve:
            self._serve(names, arguments.port or 0)
        elif arguments.inline or self.agent is None:
            self._show_inline(names, main=arguments.main)
        elif not defined:
            self._need().expose(names, group=arguments.group, main=arguments.main)
            self._show(names, main=arguments.main)
        elif exposed := [name for name in names if self._exposed(name, arguments)]:
            self._show(exposed, main=arguments.main)

    def _remove(self, names: list[str]) -> None:
        """Expose these no more, wherever they are exposed."""
        left = list(names)
        for served in self._served:
            mine = [name for name in names if name in served.exposures.names()]
            served.exposures.remove(mine)
            left = [name for name in left if name not in mine]
        self._forget_empty()
        exposed = [] if self._exposures is None else self._exposures.names()
        wanted = [name for name in names if name in exposed or name in left]
        if wanted:
            self._need().remove(wanted)

    def _exposed(self, name: str, arguments: Any) -> bool:
        """Expose one function of a cell, or say why it is not."""
        try:
            self._need().expose([name], group=arguments.group, main=arguments.main)
        except AuthorError as error:
            print(f"nbfunc: {error}", file=sys.stderr)
            return False
        return True

    # What is shown is displayed and not returned: of a cell's values only the last would be seen.

    def _show(self, names: list[str], *, main: bool = False) -> None:
        """Show a card, or where no server asks, the form itself and the reason."""
        assert self.agent is not None
        known = ENVIRONMENT in os.environ
        server = self.agent.wait_for_server(KNOWN_SECONDS if known else UNKNOWN_SECONDS)
        if server is not None:
            display(Card(self._infos(names), server))
            return
        print(self.agent.trouble or (SILENT if known else MISSING), file=sys.stderr)
        self._show_inline(names, main=main)

    def _infos(self, names: list[str]) -> list[Any]:
        assert self.agent is not None
        forms = self._need().forms(names)
        return [info for info in self.agent.functions() if info.name in forms]

    def _list(self, arguments: Any) -> None:
        """Show what is exposed, or teach."""
        asked = ("inline", "remove", "main", "group", "serve")
        wanted = [f"--{name}" for name in asked if vars(arguments)[name]]
        if wanted:
            raise OptionError(f"{' '.join(wanted)} of which functions? Write their names too.")
        for served in self._served:
            print(f"{', '.join(served.exposures.names())}: {served.server.url}")
        if self.agent is not None and self._need().names():
            self._show(self._need().names())
        elif not self._served:
            print(USAGE)

    def _show_inline(self, names: list[str], *, main: bool) -> None:
        from nbfunc.notebook.panel import panel_of  # noqa: PLC0415 - ipywidgets, which only this needs

        functions = [self._find(name) for name in names]
        display(panel_of(functions[0] if len(functions) == 1 else functions, main=main))

    def _serve(self, names: list[str], port: int) -> None:
        # By its public name, at the first need: the server's half is nothing that a kernel loads otherwise.
        server: Any = nbfunc.run([self._find(name) for name in names], port=port, block=False)
        exposures = Exposures(server, self._shell.user_ns)
        exposures.expose(names)
        # One on the same port has taken the place of the earlier one.
        self._served = [each for each in self._served if each.server.port != server.port]
        self._served.append(_Served(server, exposures))
        display(server)

    def _find(self, name: str) -> Any:
        if self._exposures is not None:
            return self._exposures.find(name)
        try:
            return self._shell.user_ns[name]
        except KeyError:
            raise FormError(f"There is no {name!r} in this notebook: run its cell first.") from None

    def _need(self) -> Exposures:
        if self._exposures is None:
            raise FormError(
                "This kernel cannot answer while a cell runs, so it exposes nothing: "
                "use --inline, or --serve."
            )
        return self._exposures

    def _after_cell(self, *_: Any) -> None:
        if self._exposures is not None:
            self._exposures.follow()
        for served in self._served:
            served.exposures.follow()
        self._forget_empty()

    def _forget_empty(self) -> None:
        """Stop the servers that have nothing left to serve."""
        for served in [each for each in self._served if not each.exposures.names()]:
            served.server.stop()
            self._served.remove(served)

    def _complete(self, _: Any, event: Any) -> list[str]:
        """Complete the options, and the names of functions."""
        options = ["--inline", "--remove", "--main", "--group", "--serve", "--port", "--help"]
        if event.symbol.startswith("-"):
            return options
        named = self._shell.user_ns.items()
        return [
            name
            for name, value in named
            if callable(value) and not isinstance(value, type) and not name.startswith("_")
        ]


@contextmanager
def _without_traceback() -> Iterator[None]:
    """Say in a line what was wrong with the magic's line, or with its functions."""
    try:
        yield
    except (AuthorError, ValueError) as error:  # of a quotation without end
        raise UsageError(str(error)) from None


def _names(arguments: Any) -> list[str]:
    """Return the names that stand in the magic's line, each once; some write commas between them."""
    names = (name.rstrip(",;") for name in arguments.functions)
    return list(dict.fromkeys(name for name in names if name))


def _checked(arguments: Any) -> Any:
    """Return the arguments of the magic, those that go together.

    Raises
    ------
    OptionError
        They do not.
    """
    acts = [f"--{name}" for name in ("inline", "remove", "serve") if vars(arguments)[name]]
    if len(acts) > 1:
        raise OptionError(f"{' and '.join(acts)} are different things: give one of them.")
    if arguments.main and arguments.serve:
        raise OptionError(
            "--main is the notebook's own thread, which a server of --serve cannot use: give one of them."
        )
    if arguments.port is not None and not arguments.serve:
        raise OptionError("--port is the port of --serve: give both, or neither.")
    if arguments.group is not None and arguments.group[:1] in {"'", '"'}:
        arguments.group = arguments.group[1:-1]  # IPython leaves the quotes on
    return arguments


MISSING = (
    "The Jupyter server has no nbfunc, so here is the form itself. For forms in the side panel and on pages: "
    "pip install nbfunc in the server's environment, then restart the server."
)
SILENT = "The Jupyter server does not answer now, so here is the form itself."


def load(shell: Any) -> None:
    """``%load_ext nbfunc``."""
    magics = FuncToWeb(shell)
    shell.register_magics(magics)
    magics.start()


def unload(shell: Any) -> None:
    """``%unload_ext nbfunc``."""
    magics = shell.magics_manager.registry.pop("FuncToWeb", None)
    if magics is not None:
        magics.stop()
    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop("func_to_web", None)
