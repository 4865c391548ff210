"""The login page, and the way out."""

from __future__ import annotations

from urllib.parse import parse_qs

from nbfunc.errors import TooManyTries, UnsupportedBody
from nbfunc.web.resource import Resource
from nbfunc.web.safety import StandaloneGuard, local_path
from nbfunc.web.sessions import Sessions
from nbfunc.web.site import Site

FORM = "application/x-www-form-urlencoded"


class LoginResource(Resource):
    """``S login``."""

    public = True

    def initialize(self, site: Site, guard: StandaloneGuard, sessions: Sessions) -> None:  # type: ignore[override]  # more
        super().initialize(site)
        self._guard = guard
        self._sessions = sessions

    async def get(self) -> None:
        self._show(self.get_query_argument("next", ""))

    async def head(self) -> None:
        await self.get()

    async def post(self) -> None:
        kind = self.request.headers.get("Content-Type", FORM)
        if kind.partition(";")[0].strip().lower() != FORM:
            raise UnsupportedBody(f"The login takes {FORM}; programs may send their password by HTTP Basic.")
        said = parse_qs(self.body.decode("utf-8", "replace"), keep_blank_values=True)
        name, password, after = (said.get(field, [""])[0] for field in ("username", "password", "next"))
        try:
            user = self._sessions.login(name, password, self._guard.asked(self).address)
        except TooManyTries as error:
            if not self.accepts("text/html"):
                raise
            self.set_header("Retry-After", str(error.retry_after))
            self._show(after, status=error.status, message=str(error))
            return
        if user is None:
            self._show(after, status=401, message="Wrong name or password.")
            return
        cookie = self._guard.cookie_name(self)
        self._guard.set_cookie(self, self._sessions.cookie(cookie, user))
        self.redirect(local_path(after, self.site.addresses.base), status=303)

    def _show(self, after: str, *, status: int = 200, message: str | None = None) -> None:
        self.set_status(status)
        if message is not None and not self.accepts("text/html"):
            self.write_json({"message": message, "reason": "unauthorized"})
            return
        after = local_path(after, self.site.addresses.base)
        self.write_page(self.site.pages.login(next=after, message=message, up=self.up()))


class LogoutResource(Resource):
    """``S logout``. Public: who has no session any more may leave as well."""

    public = True

    def initialize(self, site: Site, guard: StandaloneGuard, sessions: Sessions) -> None:  # type: ignore[override]  # more
        super().initialize(site)
        self._guard = guard
        self._sessions = sessions

    async def post(self) -> None:
        cookie = self._guard.cookie_name(self)
        self._sessions.end(cookie, self.get_cookie(cookie))
        self.clear_cookie(cookie, path="/")
        self.redirect(self.site.addresses.shared("login"), status=303)
