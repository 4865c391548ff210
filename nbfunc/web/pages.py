"""The pages: shells of HTML around the form element. Links in them are relative, since proxies move them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader, PackageLoader, PrefixLoader
from markupsafe import Markup

from nbfunc.hosts.base import FunctionInfo
from nbfunc.web.addresses import json_bytes
from nbfunc.web.built import Built
from nbfunc.web.early import early_fields

OWN_TEMPLATES = ("index.html", "form.html", "login.html")


@dataclass
class Group:
    """Functions that an index shows together.

    Attributes
    ----------
    name : str, optional
        Of the group, where they have one.
    notebook, state : str, optional
        The notebook that they are in, and how its kernel is.
    functions : list of (FunctionInfo, str)
        Each with its relative address.
    """

    name: str | None = None
    notebook: str | None = None
    state: str | None = None
    functions: list[tuple[FunctionInfo, str]] = field(default_factory=list)

    @property
    def heading(self) -> str:
        """What stands above them."""
        return " · ".join(part for part in (self.notebook, self.name) if part)


class Pages:
    """The pages of a site.

    Parameters
    ----------
    template_dir : str or os.PathLike, optional
        Holds ``index.html``, ``form.html`` and ``login.html`` to be used instead of ours, which they may
        extend: ``{% extends "nbfunc/form.html" %}``.
    css : str or os.PathLike, optional
        A style sheet for all pages.
    title : str, optional
        Of the index, and after the title of each form.
    login : bool
        Whether pages have a button to log out.

    Raises
    ------
    FileNotFoundError
        One of the paths, or of the three templates, is not there.
    """

    def __init__(
        self,
        *,
        template_dir: str | os.PathLike[str] | None = None,
        css: str | os.PathLike[str] | None = None,
        title: str | None = None,
        login: bool = False,
    ) -> None:
        ours = PackageLoader("nbfunc.web")
        loaders: list[BaseLoader] = [ours, PrefixLoader({"nbfunc": ours})]
        if template_dir is not None:
            loaders.insert(0, FileSystemLoader(_folder(Path(template_dir))))
        environment = Environment(
            loader=ChoiceLoader(loaders), autoescape=True, trim_blocks=True, lstrip_blocks=True
        )
        environment.globals.update(site_title=title or "", css=_style(css), can_log_out=login)
        self._environment = environment
        self.title = title
        self.built = Built()

    def _render(self, template: str, **context: Any) -> str:
        script = f"-/static/{self.built.entry('page.js')}"
        return self._environment.get_template(template).render(script=script, **context)

    def index(self, groups: Sequence[Group], *, notices: Sequence[str] = (), up: str) -> str:
        """Return the list of functions.

        Parameters
        ----------
        groups : sequence of Group
            In order.
        notices : sequence of str
            What else there is to say.
        up : str
            The relative address of the site's base.
        """
        title = self.title or "Functions"
        total = sum(len(group.functions) for group in groups)
        context = {"title": title, "groups": groups, "notices": notices, "total": total}
        return self._render("index.html", **context, up=up, shared=f"{up}-/")

    def form(
        self,
        info: FunctionInfo,
        schema: Mapping[str, Any] | None = None,
        *,
        kernel: str | None,
        up: str,
        several: bool,
        embed: bool,
    ) -> str:
        """Return the page of one function.

        Parameters
        ----------
        info : FunctionInfo
            The function.
        schema : mapping, optional
            Its form, where it is known by now, as far as the host has it without asking anybody. Where it is
            not, or options are to be asked for, the page asks.
        kernel : str, optional
            Where it is.
        up : str
            The relative address of the site's base.
        several : bool
            Whether there is an index to go back to.
        embed : bool
            The form alone, for a frame of another page.
        """
        below = up if kernel is None else f"{up}{quote(kernel, safe='')}/"
        url = below + quote(info.name, safe="")
        context = {"title": info.title, "description": info.description, "form": url, "index": below}
        # The author's code is asked once for a form, however long it takes: by the page.
        whole = None if schema is None or info.dynamic else _inert(schema)
        fields = None if schema is None else early_fields(schema)
        return self._render(
            "form.html",
            **context,
            schema=whole,
            fields=fields,
            shared=f"{up}-/",
            up=up,
            several=several,
            embed=embed,
        )

    def login(self, *, next: str, message: str | None, up: str) -> str:  # noqa: A002 - the field's name
        """Return the login page; `message` says why the last try failed."""
        return self._render("login.html", title="Log in", next=next, message=message, up=up, shared=f"{up}-/")

    def error(self, status: int, message: str, *, up: str, way_out: tuple[str, str] | None = None) -> str:
        """Return a page that says what is wrong; `way_out` is a link that mends it, text and address."""
        title = ERRORS.get(status, "Error")
        context = {"status": status, "message": message, "way_out": way_out}
        return self._render("error.html", title=title, up=up, **context)


ERRORS = {
    400: "That was not understood",
    401: "Not logged in",
    403: "Not allowed",
    404: "Not found",
    405: "That does not work here",
    409: "Conflict",
    410: "Expired",
    413: "Too large",
    422: "Some values do not fit",
    429: "Too many tries",
    500: "Something went wrong",
    503: "Not now",
    507: "The disk is full",
}


def _folder(path: Path) -> Path:
    if not path.is_dir():
        raise FileNotFoundError(f"template_dir={str(path)!r}: there is no such directory.")
    for name in OWN_TEMPLATES:
        if not (path / name).is_file():
            raise FileNotFoundError(
                f"template_dir={str(path)!r} has no {name}. "
                f'Write one that holds {{% extends "nbfunc/{name}" %}} to keep ours.'
            )
    return path


def _inert(value: Mapping[str, Any]) -> Markup:
    """Return JSON as a script element may hold it: no ``<`` in it can begin an end tag or a comment."""
    return Markup(json_bytes(value).decode().replace("<", "\\u003c"))


def _style(path: str | os.PathLike[str] | None) -> Markup:
    if path is None:
        return Markup()
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise FileNotFoundError(f"css={os.fspath(path)!r}: there is no such file.") from error
    # The author's own, and it cannot end the element that it stands in.
    return Markup(text.replace("</", "<\\/"))
