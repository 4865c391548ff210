"""Frames that a gateway should not send are refused as what they are."""

from __future__ import annotations

import struct

import pytest

from nbfunc.hosts.frames import read_old, read_v1

WANTED = (b'"nbfunc_reply"',)
HEADER = b'{"msg_type": "nbfunc_reply"}'


def v1(*parts: bytes) -> bytes:
    ends = [8 * (len(parts) + 2)]
    for part in parts:
        ends.append(ends[-1] + len(part))
    return b"".join([struct.pack(f"<{len(ends) + 1}Q", len(ends), *ends), *parts])


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\0",
        bytes(8),
        b"\xff" * 8,
        b"\xff" * 400,
        b"<html>Please log in</html>",
        v1(b"control", HEADER),
        v1(b"control", HEADER, b"{}", b"{}", b"[]"),
        v1(b"control", HEADER, b"{}", b"{}", b'{"n": NaN'),
        v1(b"\xff", HEADER, b"{}", b"{}", b"{}"),
        v1(b"control", b'["nbfunc_reply"]', b"{}", b"{}", b"{}"),
    ],
)
def test_what_is_no_message_is_refused(frame: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of any kind
        read_v1(frame, WANTED)


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        bytes(4),
        b"\xff" * 4,
        b"\xff" * 400,
        struct.pack("!2I", 1, 8) + b"\xff" + HEADER,
        '["nbfunc_reply"]',
        '"nbfunc_reply"',
        '{"header": {"msg_type": "nbfunc_reply"}}',
        '{"header": "nbfunc_reply", "content": {}, "x": "nbfunc_reply"}',
    ],
)
def test_what_is_no_message_of_the_older_kind_is_refused(frame: bytes | str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of any kind
        read_old(frame, WANTED)
