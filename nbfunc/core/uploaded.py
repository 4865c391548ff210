"""The field of a file: a client names it by the token of its upload."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from nbfunc.core.fields import LEFT_OUT, Field, Inputs, Loc, Offers, one_text, wrong
from nbfunc.errors import AskerError


@dataclass(frozen=True, kw_only=True)
class FileField(Field):
    """An uploaded file."""

    kind: ClassVar[str] = "file"
    extensions: tuple[str, ...] = ()
    max_size: int | None = None
    as_path: bool = False

    def shape(self, offers: Offers) -> dict[str, Any]:  # noqa: ARG002 - only dropdowns have offers
        return {"type": "object", "properties": {"upload": {"type": "string"}}, "required": ["upload"]}

    def hints(self) -> dict[str, Any]:
        size = {} if self.max_size is None else {"max_size": self.max_size}
        return {"extensions": list(self.extensions), **size}

    def is_private(self, default: Any) -> bool:  # noqa: ARG002 - as in Field
        return True  # where the author's files lie is nobody's business

    def prefilled(self, default: Any) -> dict[str, Any]:
        return {"x-nbfunc": {"default_name": Path(default).name}}

    def decode(self, raw: Any, loc: Loc, inputs: Inputs) -> Any:
        token = raw.get("upload") if isinstance(raw, dict) and len(raw) == 1 else None
        if not isinstance(token, str):
            raise wrong(loc, 'Must be an uploaded file: {"upload": "<token>"}.')
        try:
            path = inputs.upload(token)
        except AskerError as error:
            raise wrong(loc, str(error)) from error
        if problem := self._problem(path):
            raise wrong(loc, problem)
        return path if self.as_path else str(path)

    def encode(self, value: Any) -> Any:
        if not isinstance(value, (str, Path)):
            raise TypeError(f"{value!r} is not the path of a file")
        path = Path(value)
        # One that is not there may be by the time it is used.
        problem = self._problem(path) if path.is_file() else self._wrong_kind(path)
        if problem:
            raise ValueError(problem.rstrip("."))
        return {"upload": str(value)}

    def _problem(self, path: Path) -> str:
        """Say what is wrong with a file, if something is."""
        if self.max_size is not None and path.stat().st_size > self.max_size:
            return f"{path.name}: must be at most {self.max_size:,} bytes."
        return self._wrong_kind(path)

    def _wrong_kind(self, path: Path) -> str:
        if self.extensions and not path.name.lower().endswith(self.extensions):
            return f"{path.name}: must be a file of type {', '.join(self.extensions)}."
        return ""

    def read_texts(self, texts: Sequence[str], loc: Loc) -> Any:
        # A browser's empty file input arrives as empty text; any other text names no upload.
        if any(texts):
            raise wrong(loc, "Must be a file, not text.")
        return LEFT_OUT

    def read_uploads(self, tokens: Sequence[str], loc: Loc) -> Any:
        return {"upload": one_text(tokens, loc)}
