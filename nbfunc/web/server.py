"""The standalone server: ``run(f)``, and the function is on the web.

What it serves with is imported when it is called: a notebook that imports `run` need not wait for it.
"""

# ruff: noqa: PLC0415 - so that this module itself is light

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from nbfunc.hosts.in_process import Functions
    from nbfunc.web.serving import Server


def run(
    functions: Functions,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    auth: Mapping[str, str] | None = None,
    secret_key: str | None = None,
    uploads_dir: str | os.PathLike[str] = "./uploads",
    returns_dir: str | os.PathLike[str] = "./returned_files",
    auto_delete_uploads: bool = True,
    max_upload_size: int | None = None,
    template_dir: str | os.PathLike[str] | None = None,
    css: str | os.PathLike[str] | None = None,
    root_path: str = "",
    title: str | None = None,
    max_concurrency: int | None = 40,
    executor: Executor | None = None,
    block: bool | None = None,
    open_browser: bool = False,
    ssl_certfile: str | os.PathLike[str] | None = None,
    ssl_keyfile: str | os.PathLike[str] | None = None,
    allowed_hosts: Collection[str] = (),
    allowed_origins: Collection[str] = (),
    proxy_headers: bool = False,
    frame_ancestors: Collection[str] = (),
    **unknown: Any,
) -> Server | None:
    """Serve functions as web pages and as an API.

    A script blocks here until Ctrl-C. In a notebook the server starts in the background, and takes the place
    of this kernel's earlier one on that port.

    Parameters
    ----------
    functions : callable, list of callables, or dict of lists
        One function, several, or several by group.
    host : str
        The address to listen on; ``"0.0.0.0"`` is every network that this machine is in.
    port : int
        0 takes any free one.
    auth : dict of str to str, optional
        Passwords by name. Without it everybody who reaches the server may use it.
    secret_key : str, optional
        Signs the sessions' cookies; without one a restart ends them.
    uploads_dir, returns_dir : str or os.PathLike
        Where uploaded and returned files are kept. Both are made if missing.
    auto_delete_uploads : bool
        Delete an upload when the run that used it ends.
    max_upload_size : int, optional
        In bytes, for each file.
    template_dir : str or os.PathLike, optional
        Holds ``index.html``, ``form.html`` and ``login.html`` to be used instead of ours.
    css : str or os.PathLike, optional
        A style sheet for all pages.
    root_path : str
        The prefix under which a proxy shows this server.
    title : str, optional
        Of the index.
    max_concurrency : int, optional
        How many runs go at once; the rest wait in order. None for all.
    executor : concurrent.futures.Executor, optional
        Where to call plain functions, such as a pool of processes or a cluster's.
    block : bool, optional
        Wait here until the server ends. By default in scripts, and not in notebooks.
    open_browser : bool
        Open the page in a browser.
    ssl_certfile, ssl_keyfile : str or os.PathLike, optional
        Serve HTTPS.
    allowed_hosts : collection of str
        Other names under which this server may be asked, when there is no `auth`.
    allowed_origins : collection of str
        Other sites, such as ``https://example.com``, whose pages may start runs here.
    proxy_headers : bool
        Believe the ``X-Forwarded-*`` headers: only behind a proxy that sets them.
    frame_ancestors : collection of str
        Other sites that may show these pages in a frame.

    Returns
    -------
    Server or None
        With `url` and `stop()`, where it runs in the background.

    Raises
    ------
    FormError
        A function cannot be a form.
    OptionError
        An option does not exist, or does not fit.
    FileNotFoundError
        A path that was given is not there.
    OSError
        The port is taken.
    """
    import secrets
    import threading
    import warnings

    from nbfunc.web.application import FunctionsApplication
    from nbfunc.web.options import Options, checked, tls
    from nbfunc.web.safety import hostname, is_loopback
    from nbfunc.web.serving import (
        check_free_thread,
        in_notebook,
        listen,
        serve_here,
        serve_in_background,
        serve_nested,
    )

    checked("run", unknown, also=("port", "block", "open_browser", "ssl_certfile", "ssl_keyfile"))
    options = Options(
        host=host,
        auth=auth,
        secret_key=secret_key,
        uploads_dir=uploads_dir,
        returns_dir=returns_dir,
        auto_delete_uploads=auto_delete_uploads,
        max_upload_size=max_upload_size,
        template_dir=template_dir,
        css=css,
        root_path=root_path,
        title=title,
        max_concurrency=max_concurrency,
        executor=executor,
        allowed_hosts=allowed_hosts,
        allowed_origins=allowed_origins,
        proxy_headers=proxy_headers,
        frame_ancestors=frame_ancestors,
    )
    context = tls(ssl_certfile, ssl_keyfile)
    notebook = in_notebook()
    blocking = not notebook if block is None else block
    if blocking and not notebook:
        check_free_thread()
    # Loopback is shared with every account of the machine, and a notebook's kernel may well be elsewhere.
    token = secrets.token_urlsafe(24) if notebook and auth is None else None
    if auth is None and token is None and not is_loopback(hostname(host)):
        warnings.warn(
            f"Everybody who reaches {host} can run these functions: pass auth={{'name': 'password'}}.",
            stacklevel=2,
        )
    if not notebook:
        draw_without_windows()
    app = FunctionsApplication(functions, options, token=token)
    server = listen(app, host, port, context, base=options.base, query=f"?-token={token}" if token else "")
    app.guard.port = server.port
    if open_browser:
        import webbrowser

        threading.Thread(target=webbrowser.open, args=(server.url,), daemon=True).start()
    if not blocking:
        return serve_in_background(server)
    count = len(app.site.sources()[0].host.functions())
    said = f"nbfunc serves {count} function{'s' * (count != 1)} at {server.url} (Ctrl-C stops it)"
    if notebook:
        serve_nested(server, said)
    else:
        serve_here(server, said)
    return None


def draw_without_windows() -> None:
    """Let matplotlib draw into files: a window of another thread than the main one would crash it."""
    os.environ.setdefault("MPLBACKEND", "agg")
    matplotlib = sys.modules.get("matplotlib")
    if matplotlib is not None:
        matplotlib.use(os.environ["MPLBACKEND"], force=False)
