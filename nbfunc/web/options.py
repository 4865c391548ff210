"""The options of a server, checked before anything starts: each error names the option and the way out."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Collection, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import quote

from nbfunc.core.options import check_executor
from nbfunc.errors import OptionError

_FUNCTIONS = "pass the functions first: run(f), run([f, g]) or run({'Group': [f, g]})"
_FASTAPI = (
    "there is no FastAPI here; title=, css= and template_dir= change the pages, and "
    "nbfunc.application() returns the tornado.web.Application for all else"
)
_KEPT = "a returned file is kept for one hour, always"
_PRINTS = "what a run prints always streams into its page"
_FOLDERS = "nbfunc.application() returns a tornado.web.Application: serve them by its add_handlers()"

# What func-to-web's run() took, or handed on to uvicorn, and what stands for it here.
REPLACED = {
    "func_or_list": _FUNCTIONS,
    "func": _FUNCTIONS,
    "fns": _FUNCTIONS,
    "fastapi_config": _FASTAPI,
    "fastapi_kwargs": _FASTAPI,
    "app_title": "use title=",
    "css_vars": "set them in a style sheet, css='my.css'",
    "favicon": "name one in pages of your own, template_dir=",
    "theme": "who looks at a page chooses light, dark or the system's; css= changes the colours",
    "max_file_size": "use max_upload_size=, in bytes",
    "max_upload_bytes": "use max_upload_size=, in bytes",
    "keep_uploads": "use auto_delete_uploads=False",
    "pending_ttl": "an upload that no run took is kept for one hour, always",
    "returns_lifetime": _KEPT,
    "returns_ttl": _KEPT,
    "stream_prints": _PRINTS,
    "capture_prints": _PRINTS,
    "front_dir": _FOLDERS,
    "assets_dir": _FOLDERS,
    "uvicorn_kwargs": "there is no uvicorn here; host=, port= and ssl_certfile= are arguments of run()",
    "workers": "one process serves them all; max_concurrency= says how many functions run at once",
    "reload": "run the program again; in a notebook run the cell again, it takes the earlier one's place",
    "log_level": "use logging.getLogger('nbfunc').setLevel()",
    "log_config": "use logging.config for the loggers 'nbfunc' and 'tornado'",
    "access_log": "use logging.getLogger('nbfunc.access').setLevel(logging.INFO)",
    "forwarded_allow_ips": "use proxy_headers=True, with allowed_hosts= for the proxy's names",
    "ssl_keyfile_password": "decrypt the key: openssl rsa -in key.pem -out plain.pem",
    "limit_concurrency": "use max_concurrency=",
    "timeout_keep_alive": "connections are kept while they are used",
    "uds": "use host= and port=",
    "fd": "use host= and port=",
}


@dataclass(frozen=True, kw_only=True)
class Options:
    """What `nbfunc.application` takes; `nbfunc.run` says what each means."""

    host: str = "127.0.0.1"
    auth: Mapping[str, str] | None = None
    secret_key: str | None = None
    uploads_dir: str | os.PathLike[str] = "./uploads"
    returns_dir: str | os.PathLike[str] = "./returned_files"
    auto_delete_uploads: bool = True
    max_upload_size: int | None = None
    template_dir: str | os.PathLike[str] | None = None
    css: str | os.PathLike[str] | None = None
    root_path: str = ""
    title: str | None = None
    max_concurrency: int | None = 40
    executor: Executor | None = None
    allowed_hosts: Collection[str] = ()
    allowed_origins: Collection[str] = ()
    proxy_headers: bool = False
    frame_ancestors: Collection[str] = ()

    def __post_init__(self) -> None:
        _check_auth(self.auth)
        _check_count("max_concurrency", self.max_concurrency, least=1)
        _check_count("max_upload_size", self.max_upload_size, least=0)
        if self.executor is not None:
            check_executor(self.executor)
        for name in ("title", "secret_key", "root_path", "host"):
            text = getattr(self, name)
            if text is not None and not isinstance(text, str):
                way_out = " secrets.token_hex() makes one." if name == "secret_key" else ""
                raise OptionError(f"{name}={text!r}: must be text.{way_out}")
        for name in ("allowed_hosts", "allowed_origins", "frame_ancestors"):
            if isinstance(getattr(self, name), str):
                raise OptionError(f"{name}={getattr(self, name)!r}: pass a list of them.")
        for origin in self.allowed_origins:
            if not re.fullmatch(r"https?://[^/\s?#]+", origin):
                raise OptionError(f"allowed_origins: {origin!r} is no origin, write https://example.com.")
        for source in self.frame_ancestors:
            if not re.fullmatch(r"[^\s;,]+", source):
                raise OptionError(f"frame_ancestors: {source!r} is no source, write https://example.com.")

    @property
    def base(self) -> str:
        """Where the site begins: `root_path` with both slashes."""
        root = self.root_path.strip("/")
        return f"/{quote(root)}/" if root else "/"

    @property
    def headers(self) -> dict[str, str]:
        """What is sent with every answer."""
        ancestors = " ".join(("'self'", *self.frame_ancestors))
        headers = {
            "Content-Security-Policy": f"frame-ancestors {ancestors}",
            "Referrer-Policy": "same-origin",
        }
        return headers if self.frame_ancestors else {**headers, "X-Frame-Options": "SAMEORIGIN"}


def checked(function: str, given: Mapping[str, Any], also: Collection[str] = ()) -> None:
    """Raise `OptionError` for the first argument that a function does not have.

    Parameters
    ----------
    function : str
        Its name.
    given : mapping
        Arguments by name.
    also : collection of str
        The names that it has beside those of `Options`.
    """
    names = [field.name for field in fields(Options)] + list(also)
    for name in given:
        if name in names:
            continue
        if name in REPLACED:
            raise OptionError(f"{function}() takes no {name}=: {REPLACED[name]}.")
        raise OptionError(f"{function}() takes no {name}=. It takes {', '.join(sorted(names))}.")


def tls(
    certfile: str | os.PathLike[str] | None, keyfile: str | os.PathLike[str] | None
) -> ssl.SSLContext | None:
    """Return the context of a certificate, None without one.

    Raises
    ------
    FileNotFoundError
        One of the files is not there.
    OptionError
        A key without a certificate, or files that do not fit.
    """
    if certfile is None:
        if keyfile is not None:
            raise OptionError("ssl_keyfile= goes with ssl_certfile=, the certificate.")
        return None
    for name, path in (("ssl_certfile", certfile), ("ssl_keyfile", keyfile)):
        if path is not None and not Path(path).is_file():
            raise FileNotFoundError(f"{name}={os.fspath(path)!r}: there is no such file.")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certfile, keyfile)
    except ssl.SSLError as error:
        raise OptionError(f"ssl_certfile= and ssl_keyfile= do not fit: {error}.") from error
    return context


def _check_auth(auth: Mapping[str, str] | None) -> None:
    if auth is None:
        return
    if not isinstance(auth, Mapping) or not auth:
        raise OptionError('auth= takes passwords by name, {"ada": "secret"}; leave it out for no login.')
    for name, password in auth.items():
        if not (isinstance(name, str) and isinstance(password, str) and name and password):
            raise OptionError(f"auth=: the name and password of {name!r} must be text, and not empty.")
        if ":" in name:
            raise OptionError(f"auth=: the name {name!r} has a colon, which HTTP Basic cannot carry.")


def _check_count(name: str, value: int | None, *, least: int) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < least):
        raise OptionError(f"{name}={value!r}: must be a whole number from {least} on, or None for no limit.")
