"""Objects that show themselves: the MIME bundle that a cell asks for (IPython's display protocol)."""

from __future__ import annotations

import logging
from typing import Any

from nbfunc.core.optional import class_of

log = logging.getLogger("nbfunc")

MOST_PLAIN = 1 << 20

_BUNDLE = "_repr_mimebundle_"
_REPRESENTATIONS = (
    ("_repr_html_", "text/html"),
    ("_repr_markdown_", "text/markdown"),
    ("_repr_svg_", "image/svg+xml"),
    ("_repr_png_", "image/png"),
    ("_repr_jpeg_", "image/jpeg"),
    ("_repr_latex_", "text/latex"),
    ("_repr_json_", "application/json"),
    ("_repr_javascript_", "application/javascript"),
    ("_repr_pdf_", "application/pdf"),
)
_METHODS = (_BUNDLE, *(method for method, _ in _REPRESENTATIONS))


def is_rich(value: Any) -> bool:
    """Whether an object may show itself in a notebook as more than its text; it is not asked to do so yet."""
    return not isinstance(value, type) and any(_has(value, method) for method in _METHODS)


def bundle(value: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the MIME bundle of a rich object and its metadata, as a notebook cell shows it; or nothing."""
    if isinstance(value, class_of("plotly.basedatatypes", "BaseFigure")):
        # Its own bundle asks for a renderer, and its HTML loads the script from elsewhere.
        return {"text/html": value.to_html(include_plotlyjs=True), "text/plain": "Plotly figure"}, {}
    data, metadata = _pair(_ask(value, _BUNDLE))
    if not data:
        data = {}
        for method, mime in _REPRESENTATIONS:
            content, about = _pair(_ask(value, method))
            if content is not None:
                data[mime] = content
                if about:
                    metadata[mime] = about
    if data and "text/plain" not in data:
        data = {**data, "text/plain": repr(value)[:MOST_PLAIN]}
    return data, metadata


def _has(value: Any, method: str) -> bool:
    # On the class too, as IPython looks: an object that answers to every name has no representation.
    return callable(getattr(type(value), method, None))


def _ask(value: Any, method: str) -> Any:
    if not _has(value, method):
        return None
    try:
        return getattr(value, method)()
    except NotImplementedError:  # as IPython has it: this value has no such representation
        return None
    except Exception:
        # As a notebook does: the value is shown in its next best way, and the error told beside it.
        log.warning("%s.%s() raised.", type(value).__name__, method, exc_info=True)
        return None


def _pair(answer: Any) -> tuple[Any, dict[str, Any]]:
    if isinstance(answer, tuple) and len(answer) == 2:
        return answer[0], dict(answer[1] or {})
    return answer, {}
