"""Classes of packages that are not imported for it: a value of pandas exists only where pandas does."""

from __future__ import annotations

import sys
from typing import Any


def class_of(module: str, name: str) -> Any:
    """Return a class of an optional package, or `Nothing` where it is not imported.

    Parameters
    ----------
    module : str
        Its full name.
    name : str
        The class's.
    """
    return getattr(sys.modules.get(module), name, Nothing)


class Nothing:
    """Has no instances."""

    def __new__(cls) -> Any:
        raise TypeError("nothing is one")
