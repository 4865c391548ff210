"""Who may ask a standalone server for what: hosts against DNS rebinding, origins against forgery, logins."""

from __future__ import annotations

import base64
import functools
import ipaddress
import re
import socket
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from tornado.httputil import HTTPServerRequest
from tornado.web import Finish, RequestHandler

from nbfunc.errors import Forbidden, ForeignOrigin, Unauthorized
from nbfunc.web.addresses import Addresses
from nbfunc.web.sessions import COOKIE_DAYS, Sessions, Token

SAFE = {"GET", "HEAD", "OPTIONS"}
DEFAULT_PORTS = {"http": 80, "https": 443}
WILDCARDS = {"", "*", "0.0.0.0", "::"}
TOKEN_FIELD = "-token"


@dataclass(frozen=True)
class Asked:
    """Where a request came from, and to which name of ours."""

    scheme: str
    host: str
    address: str

    @property
    def origin(self) -> str:
        return origin_of(f"{self.scheme}://{self.host}")


def asked(request: HTTPServerRequest, *, proxy_headers: bool) -> Asked:
    """Return where a request came from; what a proxy adds counts only if there is one."""
    headers: Mapping[str, str] = request.headers if proxy_headers else {}
    scheme = headers.get("X-Forwarded-Proto", request.protocol).split(",")[-1].strip().lower()
    host = headers.get("X-Forwarded-Host", request.host).split(",")[-1].strip()
    # The last one is what our own proxy saw; those before it are anybody's claim.
    address = headers.get("X-Forwarded-For", str(request.remote_ip)).split(",")[-1].strip()
    return Asked(scheme if scheme in DEFAULT_PORTS else "http", host.lower(), address)


def origin_of(url: str) -> str:
    """Return scheme, host and port of a URL in one way of writing; of what is none, itself."""
    try:
        parts = urlsplit(url)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return url
    return f"{parts.scheme}://{parts.hostname}:{port}" if parts.hostname else url


@functools.lru_cache(maxsize=256)
def hostname(host: str) -> str:
    """Return a ``Host`` without its port."""
    name = host if is_address(host) else re.sub(r":\d*\Z", "", host).strip("[]")
    return name.rstrip(".").lower()


@functools.lru_cache(maxsize=256)
def is_loopback(name: str) -> bool:
    """Whether a host name or address leads to this machine and no other."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def is_address(name: str) -> bool:
    """Whether a host is written as an IP address, which no DNS answer can bend."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def local_path(given: str, otherwise: str) -> str:
    """Return where to go after a login: a path of this site and nothing else.

    Browsers read ``\\`` as ``/`` and skip control characters, so that ``/\\evil`` and ``/<tab>/evil`` lead
    away as well as ``//evil`` does (WHATWG URL, 4.4).
    """
    if given.startswith("/") and not re.search(r"[\\\x00-\x20\x7f]", given) and not given.startswith("//"):
        return given
    return otherwise


class StandaloneGuard:
    """The guard of a server of its own.

    Parameters
    ----------
    addresses : Addresses
        Of the site.
    sessions : Sessions, optional
        Users; without them and without a token everybody may ask who has the right host.
    token : Token, optional
        What a link carries, in a notebook without users.
    host : str
        What the server is bound to.
    allowed_hosts, allowed_origins : collection of str
        More names of the server; origins from which requests may change something.
    proxy_headers : bool
        A proxy of ours says who asks.
    port : int, optional
        In the cookie's name, since browsers send a host's cookies to all its ports.
    """

    def __init__(
        self,
        addresses: Addresses,
        *,
        sessions: Sessions | None = None,
        token: Token | None = None,
        host: str = "127.0.0.1",
        allowed_hosts: Collection[str] = (),
        allowed_origins: Collection[str] = (),
        proxy_headers: bool = False,
        port: int | None = None,
    ) -> None:
        self.sessions = sessions
        self.token = token
        self.port = port
        self._addresses = addresses
        self._everywhere = host in WILDCARDS
        self._hosts = {hostname(name) for name in (host, *allowed_hosts)}
        if self._everywhere:
            self._hosts.add(socket.gethostname().lower())
        self._origins = {origin_of(origin) for origin in allowed_origins}
        self._proxy_headers = proxy_headers

    def asked(self, handler: RequestHandler) -> Asked:
        """Return where a request came from."""
        return asked(handler.request, proxy_headers=self._proxy_headers)

    def admit(self, handler: RequestHandler, *, public: bool) -> str | None:
        """Return who asks; raise if they may not."""
        here = self.asked(handler)
        if self.sessions is None:
            self._check_host(here)
        if handler.request.method not in SAFE:
            self._check_origin(handler.request, here)
        if public:
            return None
        if self.sessions is not None:
            return self._user(handler, here, self.sessions)
        if self.token is not None:
            self._check_token(handler, self.token)
        return None

    def readmit(self, handler: RequestHandler) -> None:
        """Raise if the session of who asks has ended; names, passwords and links stay what they are."""
        if self.sessions is None or basic(handler.request.headers.get("Authorization", "")) is not None:
            return
        cookie = self.cookie_name(handler)
        if self.sessions.user(cookie, handler.get_cookie(cookie)) is None:
            raise Unauthorized("Log in first.")

    def login(self, handler: RequestHandler) -> str | None:
        """Return where a browser logs in; None where there is only the link's token."""
        if self.sessions is None:
            return None
        base = self._addresses.base
        uri = str(handler.request.uri)
        path = uri if uri.startswith(base) else base + uri.lstrip("/")
        return f"{self._addresses.shared('login')}?next={quote(path, safe='')}"

    def sees_all_runs(self, handler: RequestHandler) -> bool:  # noqa: ARG002 - all are equal here
        """Say yes: who may use this server may use all of it."""
        return True

    def cookie_name(self, handler: RequestHandler) -> str:
        """Return the cookie's name, which holds the port."""
        port = self.port or urlsplit(self.asked(handler).origin).port
        return f"nbfunc-{port}"

    def set_cookie(self, handler: RequestHandler, value: bytes) -> None:
        """Set the cookie of a session."""
        handler.set_cookie(
            self.cookie_name(handler),
            value.decode(),
            expires_days=COOKIE_DAYS,
            path="/",
            httponly=True,
            samesite="Lax",
            secure=self.asked(handler).scheme == "https",
        )

    def _check_host(self, here: Asked) -> None:
        name = hostname(here.host)
        if is_loopback(name) or name in self._hosts or (self._everywhere and is_address(name)):
            return
        raise Forbidden(f"This server does not answer as {name!r}: pass allowed_hosts=[{name!r}], or auth=.")

    def _check_origin(self, request: HTTPServerRequest, here: Asked) -> None:
        origin = request.headers.get("Origin")
        site = request.headers.get("Sec-Fetch-Site")
        if origin is not None and origin_of(origin) in self._origins:
            return
        if site is not None:
            own = site in {"same-origin", "none"}
        else:
            own = origin is None or origin_of(origin) == here.origin
        if not own:
            raise ForeignOrigin(
                "Another site made this request: it may change nothing here (allowed_origins=)."
            )

    def _user(self, handler: RequestHandler, here: Asked, sessions: Sessions) -> str:
        cookie = self.cookie_name(handler)
        user = sessions.user(cookie, handler.get_cookie(cookie))
        if user is not None:
            return user
        given = basic(handler.request.headers.get("Authorization", ""))
        user = None if given is None else sessions.login(*given, here.address)
        if user is None:
            raise Unauthorized("Log in first." if given is None else "Wrong name or password.")
        return user

    def _check_token(self, handler: RequestHandler, token: Token) -> None:
        cookie = self.cookie_name(handler)
        if token.knows(cookie, handler.get_cookie(cookie)):
            return
        scheme, _, given = handler.request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token.fits(given.strip()):
            return
        given = handler.get_query_argument(TOKEN_FIELD, "")
        if not token.fits(given):
            raise Unauthorized("This link needs its token: open the one that the notebook shows.")
        self.set_cookie(handler, token.cookie(cookie))
        if handler.request.method == "GET":
            # The token leaves the address, and with it the history and what is copied from there.
            handler.redirect(without_token(str(handler.request.uri)))
            raise Finish


def without_token(uri: str) -> str:
    """Return a path and query without the token; relative, since a proxy may have moved it."""
    path, _, query = uri.partition("?")
    rest = "&".join(part for part in query.split("&") if part.partition("=")[0] != TOKEN_FIELD)
    last = path.rpartition("/")[2]
    return f"./{last}" + (f"?{rest}" if rest else "")


def basic(header: str) -> tuple[str, str] | None:
    """Return name and password of HTTP Basic (RFC 7617): UTF-8, or Latin-1 as some clients have it."""
    scheme, _, given = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        said = base64.b64decode(given.strip(), validate=True)
    except ValueError:
        return None
    try:
        text = said.decode()
    except UnicodeDecodeError:
        text = said.decode("latin-1")
    name, _, password = text.partition(":")
    return name, password
