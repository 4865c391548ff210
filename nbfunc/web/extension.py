"""The Jupyter server extension: the kernels' functions as forms behind the server's own login."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jupyter_core.paths import jupyter_data_dir
from jupyter_server.extension.application import ExtensionApp
from tornado.ioloop import PeriodicCallback
from traitlets import Bool, Int, Unicode, default

from nbfunc._version import __version__
from nbfunc.errors import NotFound, OptionError
from nbfunc.hosts.protocol import ENVIRONMENT
from nbfunc.web.addresses import Addresses
from nbfunc.web.audit import JupyterAudit
from nbfunc.web.command import ALIASES, DESCRIPTION, EXAMPLES, FLAGS, launched_with
from nbfunc.web.handlers import routes
from nbfunc.web.jupyter import JupyterGuard, mounted
from nbfunc.web.kernels import Kernels
from nbfunc.web.launched import Launches
from nbfunc.web.pages import Pages
from nbfunc.web.places import Place, name_of_server
from nbfunc.web.resource import Missing, Resource
from nbfunc.web.runlog import RunLog
from nbfunc.web.runs import RUN_LOG_SIZE, Runs
from nbfunc.web.site import Changes, Limits, Site

SWEEP_SECONDS = 3600.0
# How often what runs counts as activity; sooner where kernels are culled sooner.
ACTIVE_SECONDS = 30.0
# Where each application opens a notebook; a server has those in its settings that it runs.
TREES = {"lab": "lab/tree/", "notebook": "notebooks/"}
# Where a server's settings have the notebooks that it runs.
LAUNCHES = "nbfunc_launches"
HUB_SERVER = "JUPYTERHUB_SERVICE_PREFIX"
KERNEL = "(?P<kernel>[A-Za-z0-9][^/]*)/"


class NotOpen(NotFound):
    """No kernel runs this notebook, or it does not expose this function."""


class OpenResource(Resource):
    """``S open/<notebook path>/<function>``: a link that outlives the kernel."""

    async def get(self, path: str, function: str) -> None:
        if self.site.refresh is not None:
            await self.site.refresh()
        for source in self.site.sources():
            if source.notebook == path and any(f.name == function for f in source.host.functions()):
                self.redirect(self.site.addresses.function(function, source.kernel) + self.query())
                return
        launches = self.settings.get(LAUNCHES)
        if launches is not None:
            launches.check(path)
        raise NotOpen(
            f"The function {function} is in the notebook {path}, which does not expose it now. "
            "Open the notebook, run its cells, then follow this link again."
        )

    def way_out(self, error: BaseException) -> tuple[str, str] | None:
        path = self.path_kwargs["path"]
        for application, tree in TREES.items():
            if isinstance(error, NotOpen) and application in self.settings:
                return f"Open {path}", f"{self.up()}../{tree}{quote(path)}"
        return None


class SlashResource(Resource):
    """An address that lacks its last slash."""

    async def get(self) -> None:
        self.redirect(self.request.path + "/")


class NbfuncApp(ExtensionApp):
    """Functions of notebooks as forms: ``%load_ext nbfunc``, then ``%func_to_web f``."""

    name = "nbfunc"
    description = DESCRIPTION
    examples = EXAMPLES
    version = __version__
    flags = {**FLAGS, **ExtensionApp.flags}  # noqa: RUF012 - as traitlets has it
    aliases = {**ALIASES, **ExtensionApp.aliases}  # noqa: RUF012 - the same
    extension_url = "/nbfunc/"
    load_other_extensions = True

    returns_dir = Unicode(
        help="""Parent of the directories of returned files, one a server.
        By default <Jupyter data directory>/nbfunc."""
    ).tag(config=True)
    uploads_dir = Unicode(
        help="""Parent of the directories of uploads, one a server. By default beside the returned files."""
    ).tag(config=True)
    max_upload_size = Int(
        None, allow_none=True, help="""Bytes that one uploaded file may have. No limit by default."""
    ).tag(config=True)
    max_returns_size = Int(
        None,
        allow_none=True,
        help="""Bytes that all returned files together may have. No limit by default.""",
    ).tag(config=True)
    min_free_space = Int(
        1 << 30, help="""Bytes that returned files leave free on their disk; 1 GiB by default."""
    ).tag(config=True)
    max_concurrency = Int(
        40,
        allow_none=True,
        help="""How many functions run at once, of all kernels; the rest wait in order.""",
    ).tag(config=True)
    run_log_size = Int(
        RUN_LOG_SIZE, help="""Bytes of events that are kept of all runs, for pages that come back."""
    ).tag(config=True)
    show_tracebacks = Bool(
        True, help="""Show a failed function's traceback on its page; the server's log has it anyhow."""
    ).tag(config=True)

    _site: Site | None = None
    _launch: Sequence[str] = ()
    _launches: Launches | None = None
    _audit: JupyterAudit
    _kernels: Kernels
    _place: Place
    _sweeping: PeriodicCallback | None = None
    _keeping: PeriodicCallback | None = None

    @default("returns_dir")
    def _returns_dir(self) -> str:
        return str(Path(jupyter_data_dir()) / "nbfunc")

    @default("uploads_dir")
    def _uploads_dir(self) -> str:
        return self.returns_dir

    def initialize_settings(self) -> None:
        """Let the kernels of this server know that there is nbfunc."""
        os.environ[ENVIRONMENT] = "1"
        serverapp = self.serverapp
        assert serverapp is not None
        if serverapp.starter_app is self and serverapp.file_to_run:
            # `jupyter nbfunc notebook.ipynb`: not to be opened, but run; the browser opens the forms.
            named = [serverapp.file_to_run, *serverapp.extra_args[1:]]
            root = Path(serverapp.root_dir).resolve()
            self._launch = [Path(os.path.relpath(Path(path).resolve(), root)).as_posix() for path in named]
            serverapp.file_to_run = ""

    def initialize_handlers(self) -> None:
        """Mount the same resources as the standalone server has, behind Jupyter's login."""
        found = routes(prefix="/nbfunc/", kernel=KERNEL)
        found.append(("/nbfunc/-/open/(?P<path>.+)/(?P<function>[^/]+)", OpenResource))
        found += [("/nbfunc", SlashResource), ("/nbfunc/(?!-/)[^/]+", SlashResource), ("/nbfunc/.*", Missing)]
        self.handlers.extend(
            (pattern, mounted(resource), {"site_of": self.site}) for pattern, resource in found
        )

    def site(self) -> Site:
        """Return what the handlers share; made at the first need, since only then the port is known."""
        if self._site is None:
            self._site = self._made()
        return self._site

    def _made(self) -> Site:
        serverapp = self.serverapp
        assert serverapp is not None
        addresses = Addresses(f"{serverapp.base_url}nbfunc/")
        changes = Changes()
        place = self._place = Place(
            Path(self.returns_dir),
            Path(self.uploads_dir),
            # A hub gives a server another port at each start; there the base URL says whose it is.
            name_of_server(0 if HUB_SERVER in os.environ else serverapp.port, serverapp.base_url),
            max_size=self.max_upload_size,
            max_returns_size=self.max_returns_size,
            min_free_space=self.min_free_space,
        )
        audit = self._audit = JupyterAudit(serverapp.event_logger)
        kernels = self._kernels = Kernels(
            manager=serverapp.kernel_manager,
            sessions=serverapp.session_manager,
            events=serverapp.event_logger,
            addresses=addresses,
            changes=changes,
            exposed=audit.function,
            returns=place.returns,
            uploads=place.uploads,
            max_concurrency=self.max_concurrency,
        )
        launches = None
        if self._launch:
            launches = self._launches = Launches(
                self._launch,
                contents=serverapp.contents_manager,
                sessions=serverapp.session_manager,
                kernels=serverapp.kernel_manager,
                events=serverapp.event_logger,
                exposing=kernels.exposing,
                log=self.log,
            )
            serverapp.web_app.settings[LAUNCHES] = launches
        return Site(
            notices=launches.notices if launches else tuple,
            check=launches.check if launches else lambda: None,
            sources=kernels.sources,
            source_of=kernels.source_of,
            addresses=addresses,
            returns=place.returns,
            uploads=place.uploads,
            runs=Runs(
                addresses,
                limit=self.run_log_size,
                tracebacks=self.show_tracebacks,
                started=self._started,
                ended=audit.ended,
            ),
            audit=audit,
            guard=JupyterGuard(),
            pages=Pages(title="nbfunc"),
            limits=Limits(upload=self.max_upload_size),
            changes=changes,
            served=self._start,
            refresh=kernels.refresh,
        )

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:  # noqa: ARG002 - its way
        self.site()
        self._start()
        if self._launches is not None:
            self.site().later(self._launched(self._launches))

    async def _launched(self, launches: Launches) -> None:
        """Execute the notebooks that the command line names, and say where their forms are."""
        assert self.serverapp is not None
        self.log.info("The forms of %s: %s", ", ".join(self._launch), self._address("nbfunc/"))
        if "lab" in self.serverapp.web_app.settings:
            self.log.info("The same in JupyterLab: %s", self._address(f"lab/tree/{quote(self._launch[0])}"))
        await launches.run()

    def _address(self, path: str) -> str:
        """Return an address to open, with the token where the server made one up itself."""
        serverapp = self.serverapp
        assert serverapp is not None
        provider = serverapp.identity_provider
        token = f"?token={provider.token}" if provider.token_generated else ""
        return f"{serverapp.connection_url}{path}{token}"

    def _start(self) -> None:
        """Follow the kernels, sweep now and every hour, and keep awake what runs."""
        if self._sweeping is not None:
            return
        self._kernels.watch()
        self._sweeping = PeriodicCallback(self._sweep, SWEEP_SECONDS * 1000)
        self._sweeping.start()
        self._keeping = PeriodicCallback(self._keep_awake, self._active_seconds() * 1000)
        self._keeping.start()
        self.site().later(self._sweep())

    async def _sweep(self) -> None:
        site = self.site()
        site.runs.forget_old()
        await site.in_thread(self._place.sweep)

    def _active_seconds(self) -> float:
        assert self.serverapp is not None
        culled = getattr(self.serverapp.kernel_manager, "cull_idle_timeout", 0)
        return min(ACTIVE_SECONDS, culled / 3) if culled > 0 else ACTIVE_SECONDS

    def _started(self, log: RunLog) -> None:
        self._audit.started(log)
        self._keep_awake()

    def _keep_awake(self) -> None:
        """A run that prints nothing, and a file on its way, are activity too: nobody may think this idle."""
        if self._kernels.keep_awake() or self.site().moving:
            assert self.serverapp is not None
            self.serverapp.web_app.settings["nbfunc_last_activity"] = datetime.now(timezone.utc)

    async def stop_extension(self) -> None:
        """Cancel what runs, and let go of kernels, threads and timers."""
        for periodic in (self._sweeping, self._keeping):
            if periodic is not None:
                periodic.stop()
        if self._site is not None:
            await self._site.close()
            self._kernels.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Start a Jupyter server with this extension: ``jupyter nbfunc notebook.ipynb``.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the process by default.

    Returns
    -------
    int
        The exit status.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        options = launched_with(given)
    except OptionError as error:
        print(f"nbfunc: {error}", file=sys.stderr)
        return 2
    if options is not None:
        NbfuncApp.launch_instance(options)  # type: ignore[no-untyped-call]  # jupyter_server's
    return 0
