"""Many clients that read slowly, as a process of its own: ``python -m bench.slow PORT PATH COUNT``.

It says "reading" when each has its first bytes, goes on until its input ends, and says how much came.
"""

from __future__ import annotations

import selectors
import socket
import sys
import time

HOST = "127.0.0.1"
PIECE = 16 << 10
# Each client reads one piece in so many seconds: 64 KB/s.
PAUSE_SECONDS = 0.25


def main() -> None:
    """Read until the end of the input."""
    port, path, count = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    request = f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
    clients = [connected(port, request) for _ in range(count)]
    first = [client.recv(PIECE) for client in clients]
    wrong = next((head for head in first if b" 200 " not in head[:20]), None)
    if wrong is not None:
        raise SystemExit(f"GET {path}: {wrong[:200]!r}")
    print("reading", flush=True)
    came = sum(map(len, first))
    for client in clients:
        client.setblocking(False)
    with selectors.DefaultSelector() as told:
        told.register(sys.stdin, selectors.EVENT_READ)
        begin = time.monotonic()
        for turn in range(1, 1 << 62):
            for n, client in enumerate(clients):
                # Spread over the pause, so that it is no beat of a drum.
                if n % 50 == 0:
                    due = begin + (turn + n / count) * PAUSE_SECONDS
                    if told.select(max(0.0, due - time.monotonic())):
                        print(came)
                        return
                try:
                    piece = client.recv(PIECE)
                except BlockingIOError:
                    continue
                if not piece:
                    raise SystemExit("a connection was closed before its end")
                came += len(piece)


def connected(port: int, request: bytes) -> socket.socket:
    """Return a client that has asked, and whose system takes little that it does not read."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, PIECE)
    client.settimeout(120)
    client.connect((HOST, port))
    client.sendall(request)
    return client


if __name__ == "__main__":
    main()
