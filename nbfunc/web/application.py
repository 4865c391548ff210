"""Functions, directories and options put together: a Tornado application that needs only a port."""

from __future__ import annotations

import logging
import re
from typing import Any

from tornado.ioloop import PeriodicCallback
from tornado.web import Application, RequestHandler

from nbfunc.errors import FormError, NotFound
from nbfunc.files.returns import ReturnsDir
from nbfunc.files.uploads import UploadsDir
from nbfunc.hosts.in_process import Exposed, Functions, InProcessHost
from nbfunc.web.addresses import Addresses
from nbfunc.web.handlers import UnslashedResource, routes, unslashed
from nbfunc.web.logins import LoginResource, LogoutResource
from nbfunc.web.options import Options, checked
from nbfunc.web.pages import Pages
from nbfunc.web.resource import Missing
from nbfunc.web.runs import Runs
from nbfunc.web.safety import StandaloneGuard
from nbfunc.web.sessions import Sessions, Token
from nbfunc.web.site import Limits, Site, Source

logger = logging.getLogger(__name__)
access = logging.getLogger("nbfunc.access")

SWEEP_SECONDS = 3600.0


class FunctionsApplication(Application):
    """What `application` returns: a Tornado application that keeps its directories swept.

    Attributes
    ----------
    site : Site
        What its handlers share.
    """

    def __init__(self, functions: Functions, options: Options, *, token: str | None = None) -> None:
        addresses = Addresses(options.base)
        returns = ReturnsDir(options.returns_dir)
        uploads = UploadsDir(
            options.uploads_dir, max_size=options.max_upload_size, auto_delete=options.auto_delete_uploads
        )
        self._host = InProcessHost(
            functions,
            store=returns,
            uploads=uploads,
            max_concurrency=options.max_concurrency,
            executor=options.executor,
        )
        if not self._host.functions():
            raise FormError("There is no function to make a form of: pass one, a list, or a dict of lists.")
        sessions = Sessions(options.auth, options.secret_key) if options.auth else None
        self.guard = StandaloneGuard(
            addresses,
            sessions=sessions,
            token=Token(token) if token else None,
            host=options.host,
            allowed_hosts=options.allowed_hosts,
            allowed_origins=options.allowed_origins,
            proxy_headers=options.proxy_headers,
        )
        self._sweeps = (returns.sweep, uploads.sweep)
        self._sweeping: PeriodicCallback | None = None
        source = Source(host=self._host)

        def source_of(kernel: str | None) -> Source:
            if kernel is not None:
                raise NotFound(f"There is no kernel {kernel!r} here.")
            return source

        self.site = Site(
            sources=lambda: [source],
            source_of=source_of,
            addresses=addresses,
            returns=returns,
            uploads=uploads,
            runs=Runs(addresses),
            guard=self.guard,
            pages=Pages(
                template_dir=options.template_dir,
                css=options.css,
                title=options.title,
                login=sessions is not None,
            ),
            limits=Limits(upload=options.max_upload_size),
            headers=options.headers,
            served=self.start_sweeping,
        )
        # With root_path the server answers with the prefix and without: some proxies strip it, some do not.
        prefix = f"(?:{re.escape(options.base[:-1])})?/"
        handlers: list[Any] = [
            (pattern, resource, {"site": self.site}) for pattern, resource in routes(prefix=prefix)
        ]
        if options.base != "/":
            handlers.insert(0, (unslashed(options.base), UnslashedResource, {"site": self.site}))
        if sessions is not None:
            login = {"site": self.site, "guard": self.guard, "sessions": sessions}
            handlers.insert(0, (f"{prefix}-/login", LoginResource, login))
            handlers.insert(0, (f"{prefix}-/logout", LogoutResource, login))
        super().__init__(
            handlers,
            default_handler_class=Missing,
            default_handler_args={"site": self.site},
            log_function=log_request,
        )

    def start_sweeping(self) -> None:
        """Sweep both directories now and every hour, on the running loop; the first request does it too."""
        if self._sweeping is None:
            self._sweeping = PeriodicCallback(self._sweep, SWEEP_SECONDS * 1000)
            self._sweeping.start()
            self.site.later(self._sweep())

    async def _sweep(self) -> None:
        self.site.runs.forget_old()
        for sweep in self._sweeps:
            try:
                await self.site.in_thread(sweep)
            except Exception:
                logger.exception("A directory could not be swept.")

    def expose(self, exposed: list[Exposed]) -> None:
        """Serve these too, in the place of those of their names; on the loop that serves."""
        for each in exposed:
            self._host.put(each)
            self._tell("changed", each.form.name)

    def remove(self, names: list[str]) -> None:
        """Serve these no more; on the loop that serves."""
        for name in names:
            self._host.remove(name)
            self._tell("removed", name)

    def _tell(self, kind: str, name: str) -> None:
        self.site.changes.tell(kind, url=self.site.addresses.function(name))

    async def close(self) -> None:
        """Cancel what runs, and let go of threads and timers."""
        if self._sweeping is not None:
            self._sweeping.stop()
        await self.site.close()
        self._host.close()


def log_request(handler: RequestHandler) -> None:
    """Log a request, for who wants it: ``logging.getLogger("nbfunc.access").setLevel("INFO")``."""
    if access.isEnabledFor(logging.INFO):
        request = handler.request
        took = 1000 * request.request_time()
        access.info("%d %s %s %.1f ms", handler.get_status(), request.method, request.path, took)


def application(functions: Functions, **options: Any) -> FunctionsApplication:
    """Return functions as a `tornado.web.Application`, to mount or to test.

    Parameters
    ----------
    functions : callable, list, or dict of lists
        As for `run`.
    **options
        Those of `run`, without the ones of listening (`port`, `block`, `open_browser`, `ssl_certfile`,
        `ssl_keyfile`).

    Returns
    -------
    tornado.web.Application
        It sweeps its directories when first served and every hour from then on.

    Raises
    ------
    OptionError
        An option that does not exist, or a value that does not fit.
    FormError
        A function that cannot be a form.

    Examples
    --------
    >>> from nbfunc import application
    >>> application(make_files).listen(8000)  # doctest: +SKIP
    """
    checked("application", options)
    return FunctionsApplication(functions, Options(**options))
