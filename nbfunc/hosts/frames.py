"""Kernel messages on a websocket, as Jupyter's servers and gateways take them.

Two ways are spoken there (jupyter_server's "WebSocket kernel wire protocols"): `V1`, a binary frame of the
message's own parts, and where the other end does not know that subprotocol the older one: JSON text, or with
buffers a binary frame of it and them. Neither is signed: the other end does that for the kernel.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

V1 = "v1.kernel.websocket.jupyter.org"


@dataclass(frozen=True, kw_only=True)
class Message:
    """What arrived, as far as it is of use here.

    Attributes
    ----------
    channel : str
        Of the kernel: ``"control"``, ``"iopub"``, …
    kind : str
        Its type.
    asked : str
        The id of the request that it belongs to, or nothing.
    content : dict
        The message's.
    buffers : sequence of memoryview
        What came along.
    """

    channel: str
    kind: str
    asked: str
    content: dict[str, Any]
    buffers: Sequence[memoryview] = field(default=())


def written_v1(header: Mapping[str, Any], content: Mapping[str, Any], buffers: Sequence[Any]) -> bytes:
    """Return a request for the control channel."""
    parts = [b"control", _json(header), b"{}", b"{}", _json(content), *buffers]
    ends = [8 * (len(parts) + 2)]
    for part in parts:
        ends.append(ends[-1] + len(part))
    return b"".join([struct.pack(f"<{len(ends) + 1}Q", len(ends), *ends), *parts])


def written_old(header: Mapping[str, Any], content: Mapping[str, Any], buffers: Sequence[Any]) -> bytes | str:
    """Return the same for who does not speak `V1`."""
    message = {
        "channel": "control",
        "header": header,
        "parent_header": {},
        "metadata": {},
        "content": content,
    }
    if not buffers:
        return json.dumps(message)
    parts = [_json(message), *buffers]
    starts = [4 * (len(parts) + 1)]
    for part in parts[:-1]:
        starts.append(starts[-1] + len(part))
    return b"".join([struct.pack(f"!{len(parts) + 1}I", len(parts), *starts), *parts])


def read_v1(frame: bytes, wanted: Sequence[bytes]) -> Message | None:
    """Return a message; None if its type is none of those wanted, which is seen before it is parsed.

    Raises
    ------
    ValueError
        It is no message.
    """
    try:
        (count,) = struct.unpack_from("<Q", frame)
        ends = struct.unpack_from(f"<{count}Q", frame, 8)
        view = memoryview(frame)
        channel, header, parent, _, content, *buffers = (view[start:stop] for start, stop in pairwise(ends))
    except struct.error as error:
        raise ValueError(f"a frame that is cut short: {error}") from None
    name = str(channel, "ascii")
    head = bytes(header)
    if not any(kind in head for kind in wanted):
        return None
    return _message(name, json.loads(head), json.loads(bytes(parent)), json.loads(bytes(content)), buffers)


def read_old(frame: bytes | str, wanted: Sequence[bytes]) -> Message | None:
    """Return a message of who does not speak `V1`; the rest as `read_v1`."""
    buffers: list[memoryview] = []
    text: bytes | str = frame
    if isinstance(frame, bytes):
        try:
            (count,) = struct.unpack_from("!I", frame)
            starts = (*struct.unpack_from(f"!{count}I", frame, 4), len(frame))
        except struct.error as error:
            raise ValueError(f"a frame that is cut short: {error}") from None
        if not count:
            raise ValueError("a frame of no parts")
        view = memoryview(frame)
        parts = [view[start:stop] for start, stop in pairwise(starts)]
        text, buffers = bytes(parts[0]), parts[1:]
    found = (kind in text if isinstance(text, bytes) else kind.decode() in text for kind in wanted)
    if not any(found):
        return None
    said = json.loads(text)
    if not isinstance(said, dict):
        raise ValueError("a frame that is no object")
    return _message(
        said.get("channel"), said.get("header"), said.get("parent_header"), said.get("content"), buffers
    )


def _message(channel: Any, header: Any, parent: Any, content: Any, buffers: Sequence[memoryview]) -> Message:
    if not isinstance(header, dict) or not isinstance(content, dict):
        raise ValueError("a message without a header, or without content")
    asked = parent.get("msg_id") if isinstance(parent, dict) else None
    return Message(
        channel=str(channel),
        kind=str(header.get("msg_type")),
        asked=str(asked or ""),
        content=content,
        buffers=buffers,
    )


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value).encode()
