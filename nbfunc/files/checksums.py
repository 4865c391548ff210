"""What a client says its bytes add up to, and whether they do (tus 1.0, checksum)."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

ALGORITHMS = ("sha1", "sha256", "sha512", "md5")


class Checksum:
    """A sum that grows with the bytes that come.

    Parameters
    ----------
    algorithm : str
        One of `ALGORITHMS`.
    expected : bytes
        What the sum has to be in the end.
    """

    def __init__(self, algorithm: str, expected: bytes) -> None:
        self._sum = hashlib.new(algorithm, usedforsecurity=False)
        self._expected = expected

    def add(self, data: Any) -> None:
        """Add bytes."""
        self._sum.update(data)

    @property
    def holds(self) -> bool:
        """Whether the bytes so far are all that was meant."""
        return hmac.compare_digest(self._sum.digest(), self._expected)
