"""A file name from outside becomes one path part: cleaned, and no longer than a file system takes."""

from __future__ import annotations

import hashlib
import re

MOST_BYTES = 255

# Separators of every system, and what a terminal, a header or a listing would act on:
# the C0 and C1 controls, line and paragraph separators, and the bidirectional overrides.
_NOT_IN_NAMES = re.compile("[/\\\\\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

# Up to two endings, for `.tar.gz`; of a length that a program might know.
_ENDINGS = re.compile(r"(?:\.[^.\s]{1,16}){1,2}\Z")


def clean_filename(name: str) -> str:
    """Return a file name that is one path part, with what does not belong in one as ``_``.

    Parameters
    ----------
    name : str
        As the author or a client wrote it.

    Returns
    -------
    str
        Never empty, ``.`` or ``..``; cleaning it again changes nothing.

    Raises
    ------
    ValueError
        Nothing is left to name a file with.
    """
    cleaned = _NOT_IN_NAMES.sub("_", name).strip()
    if not cleaned.strip("._ "):
        raise ValueError(
            f"filename={name!r} leaves nothing to name a file with: give it a letter or a digit."
        )
    return cleaned


def shortened(name: str, most: int = MOST_BYTES) -> str:
    """Return `name` in at most `most` bytes of UTF-8, the same for the same name, its extension kept.

    A name that is cut carries a digest of the whole, so that two long ones do not meet.

    Parameters
    ----------
    name : str
        A clean file name.
    most : int
        In bytes; at least 32.

    Examples
    --------
    >>> shortened("report.pdf")
    'report.pdf'
    >>> shortened("a" * 300 + ".tar.gz", 40)
    'aaaaaaaaaaaaaaaa~09f1d1a1a6d7d9f5.tar.gz'
    """
    whole = name.encode()
    if len(whole) <= most:
        return name
    mark = "~" + hashlib.blake2b(whole, digest_size=8).hexdigest()
    found = _ENDINGS.search(name)
    ending = found.group() if found else ""
    if len(ending.encode()) > (most - len(mark)) // 2:
        ending = ""
    room = most - len(mark) - len(ending.encode())
    return whole[:room].decode(errors="ignore") + mark + ending
