"""What a Jupyter server and the agent in a kernel say to each other, over the kernel's control channel.

The server asks, the kernel answers the asker alone; the kernel by itself only says that something changed.
Messages are those of the Jupyter messaging protocol, with types of our own:

=================== ========= ========================================================================
``nbfunc_request``  control   server to kernel: ``{"op": …}``, see the table of `nbfunc.notebook.agent`
``nbfunc_reply``    control   its answer: what the op returns, or ``{"error": {"type", "message"}}``
``nbfunc_events``   control   kernel to server: ``{"run", "batch", "over"}``, the events as JSON in a buffer
``nbfunc_changed``  iopub     kernel to everybody, on a topic of its own: ask me what I expose
``nbfunc_awake``    iopub     kernel to everybody: a run goes on here, so do not cull me
=================== ========= ========================================================================

Nothing is sent without bound: ZMQ keeps what is not read in memory, and past 1,000 messages it drops them
without a word. Events go in batches, of which `WINDOW` may be unacknowledged; files are asked for in blocks.

Where a connection may break and the kernel live, as a gateway's websocket, the kernel keeps what is not
acknowledged. With a new connection the server says again what was not answered, which does the same as once,
and asks to ``resume``: what did not arrive of its runs' events comes again.
"""

from __future__ import annotations

from typing import Any

# A server and a kernel of another major cannot talk; of another minor they can.
PROTOCOL = (1, 0)

REQUEST = "nbfunc_request"
REPLY = "nbfunc_reply"
EVENTS = "nbfunc_events"
CHANGED = "nbfunc_changed"
AWAKE = "nbfunc_awake"
# With this the frames of an iopub message begin, and nothing else's does.
TOPIC = b"nbfunc"

# The server sets it in its own environment, kernels inherit it: so they know of it before any message. By the
# beginning of its name a gateway's kernels get it too.
ENVIRONMENT = "KERNEL_NBFUNC_SERVER"

# Bytes of a file in one message, at most.
BLOCK = 8 << 20
# Blocks of one file that are asked for at once.
BLOCKS_ASKED = 3
# Batches of one run's events that the server has not read yet.
WINDOW = 8
# Bytes of events in a batch, about; a single larger event goes alone.
BATCH = 256 << 10
# Bytes of one event: what a browser could still show.
MOST_EVENT = 48 << 20
# A server that reaches a kernel through a gateway names the runs that it waits for, twice a minute at least.
# One that was not named for so long is given up: its server is gone, or has given it up before. As long as
# files are kept, so that a laptop that sleeps for a while finds its runs again.
SILENT_SECONDS = 3600.0
# Bytes of a request in one message to a gateway, where those of 10 MiB close the connection.
PART = 4 << 20
# Bytes of one message; a kernel that sends more loses its connection.
MOST_MESSAGE = 64 << 20


def mismatch(server: Any, server_version: str, kernel: Any, kernel_version: str) -> str:
    """Return why a server and a kernel cannot talk, and what to do about it; empty if they can.

    Parameters
    ----------
    server, kernel : sequence of int
        Their protocols; the other side's as it came.
    server_version, kernel_version : str
        Of their nbfunc.
    """
    if _major(server) is not None and _major(server) == _major(kernel):
        return ""
    return (
        f"The kernel has nbfunc {kernel_version}, the Jupyter server nbfunc {server_version}: they do not "
        f"understand each other. In the kernel's environment: pip install nbfunc=={server_version} (and "
        f"restart the kernel), or in the server's: pip install nbfunc=={kernel_version} (and restart the "
        "server)."
    )


def _major(protocol: Any) -> int | None:
    return protocol[0] if isinstance(protocol, (list, tuple)) and protocol else None
