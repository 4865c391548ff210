"""The resources as Jupyter's own handlers: behind its login, its authorizer and its XSRF check."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, ClassVar

from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import JupyterHandler
from tornado.web import HTTPError, RequestHandler, authenticated

from nbfunc.errors import AskerError, Forbidden
from nbfunc.web.authorizer import RESOURCE, FormsOnly
from nbfunc.web.downloads import Download
from nbfunc.web.resource import VERBS, Resource
from nbfunc.web.site import Site
from nbfunc.web.tus import UploadResource

SAFE = {"GET", "HEAD", "OPTIONS"}


class NoLogin(AskerError):
    """Not logged in to Jupyter."""

    reason = "unauthorized"
    status = 403


class JupyterGuard:
    """Who may ask: who is logged in to the Jupyter server, and its authorizer lets."""

    async def admit(self, handler: RequestHandler, *, public: bool) -> str | None:  # noqa: ARG002 - none is
        """Return the name of who asks; before a body is read.

        Raises
        ------
        NoLogin, Forbidden
            They may not.
        """
        assert isinstance(handler, JupyterHandler)
        user = handler.current_user
        if user is None:
            handler.get_login_url()  # raises for programs; a browser is sent there by its verb
            return None
        action = action_of(str(handler.request.method))
        if not await ensure_async(handler.authorizer.is_authorized(handler, user, action, RESOURCE)):
            raise Forbidden(f"{user.username} may not {action} nbfunc's forms on this server.")
        return str(user.username)

    async def readmit(self, handler: RequestHandler) -> None:
        """Ask again who this is, and whether they may: a hub may have taken a share back.

        Raises
        ------
        NoLogin, Forbidden
            Not any more. A hub that does not answer is no reason.
        """
        assert isinstance(handler, _Mounted)
        provider = handler.identity_provider
        if type(provider).__module__.startswith("jupyter_server.") and (
            not provider.auth_enabled or handler.token_authenticated
        ):
            return  # good for as long as the server lives, and each look would be a line in its log
        asking = handler.once_more()
        try:
            user = await ensure_async(provider.get_user(asking))
            asking.current_user = user
            action = action_of(str(handler.request.method))
            if user is None:
                raise NoLogin("Log in to Jupyter first, or send its token.")
            if not await ensure_async(handler.authorizer.is_authorized(asking, user, action, RESOURCE)):
                raise Forbidden(f"{user.username} may not {action} nbfunc's forms on this server.")
        except HTTPError as error:
            if error.status_code < 500:
                raise Forbidden("This server is not shared with you any more.") from error

    def login(self, handler: RequestHandler) -> str | None:  # noqa: ARG002 - Jupyter redirects by itself
        """Return None: Jupyter's handlers send a browser to its login themselves."""
        return None

    def sees_all_runs(self, handler: RequestHandler) -> bool:
        """Say whether who asks may know of others' runs: guests of a server that is shared may not."""
        assert isinstance(handler, JupyterHandler)
        authorizer = handler.authorizer
        return not (isinstance(authorizer, FormsOnly) and authorizer.is_guest(handler.current_user))


def action_of(method: str) -> str:
    """Return what a request does, as authorizers have it: who reads a form reads, who runs one executes."""
    return "read" if method in SAFE else "execute"


class _Nowhere:
    """A connection that nothing is sent to."""

    def set_close_callback(self, callback: Callable[[], None] | None) -> None:
        """Do nothing: it does not close."""


class _Mounted(Resource, JupyterHandler):  # type: ignore[misc]  # prepare() takes what Tornado's takes
    """What a resource gets of Jupyter."""

    auth_resource: ClassVar[str] = RESOURCE

    def initialize(self, site_of: Callable[[], Site]) -> None:  # type: ignore[override]  # known when first asked
        super().initialize(site_of())

    def get_login_url(self) -> str:
        if self.request.method in SAFE and self.accepts("text/html"):
            return str(super().get_login_url())
        raise NoLogin("Log in to Jupyter first, or send its token.")

    def check_xsrf_cookie(self) -> None:
        if self.public and self.request.method in SAFE:
            # JupyterHub wants the token of reading requests too, and a module script cannot send it.
            return
        if getattr(self, "_jupyter_current_user", True) is None:
            raise NoLogin("Log in to Jupyter first, or send its token.")  # which a missing cookie only hides
        super().check_xsrf_cookie()

    def set_cors_headers(self) -> None:
        # Jupyter lets every origin read what a token has asked for, unless it was told of one.
        if self.allow_origin or self.allow_origin_pat:
            super().set_cors_headers()

    def once_more(self) -> _Mounted:
        """Return a handler of the same request that remembers nothing, and answers nobody.

        Who asks is kept on the handler, by each identity provider in a place of its own.
        """
        request = copy.copy(self.request)
        request.connection = _Nowhere()  # type: ignore[assignment]  # or closing would be told to the copy
        return type(self)(self.application, request, site_of=lambda: self.site)

    async def admitted(self) -> None:
        if self.request.method == "GET" and self.accepts("text/html"):
            # Its page's scripts send this back with whatever changes something.
            self.xsrf_token  # noqa: B018 - reading it sets the cookie
        await super().admitted()
        if isinstance(self, (Download, UploadResource)):
            self.site.moving.add(self)

    def _log(self) -> None:
        if "Refresh" not in self._headers:  # or a page that waits would fill the server's log
            super()._log()

    def on_finish(self) -> None:
        self.site.moving.discard(self)
        super().on_finish()

    def on_connection_close(self) -> None:
        self.site.moving.discard(self)
        super().on_connection_close()


def mounted(resource: type[Resource]) -> type[Resource]:
    """Return a resource as one of Jupyter's handlers.

    Each verb is wrapped here and not where it is written: the decorators live in jupyter_server, and
    `authorized` remembers the first resource that it saw, so that no two handlers may share a wrapped verb.
    """
    verbs: dict[str, Any] = {}
    for name, missing in VERBS.items():
        verb = getattr(resource, name)
        if verb is not missing:
            action = action_of(name.upper())
            verbs[name] = authenticated(authorized(action=action, resource=RESOURCE)(verb))
    return type(f"Jupyter{resource.__name__}", (_Mounted, resource), verbs)
