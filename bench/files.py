"""Files of any size: down, up, to many at once and to slow ones, beside servers that people know for it."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from bench import client, sending
from bench.peers import PEERS, Peer, available
from bench.products import PROJECT

MIB = 1 << 20
MEGABYTES = 2048
CLIENTS = 8
SLOW = 1000
ROUNDS = 3
DOWNLOADS = 7
DOWNLOAD_SECONDS = 10.0
BESIDE = 1000

Figures = dict[str, float]


@dataclass(frozen=True)
class Line:
    """A line of the table.

    Attributes
    ----------
    wanted : str
        What nbfunc has to reach.
    """

    title: str
    unit: str
    wanted: str = ""
    more_is_better: bool = False


LINES = (
    Line("download, 1 client", "MiB/s", "1.5 x nginx, 5 x f2w", more_is_better=True),
    Line("  memory over idle", "MiB"),
    Line("download, 8 clients", "MiB/s", "1.0 x nginx", more_is_better=True),
    Line("  memory over idle, 8", "MiB", "48"),
    Line("  loop held", "ms", "15"),
    Line("upload and run", "MiB/s", "1.0 x f2w", more_is_better=True),
    Line("  memory over idle, up", "MiB"),
    Line("  loop held, up", "ms"),
    Line("slow clients: memory", "MiB", "100"),
    Line("slow clients: others, p99", "ms", "50"),
)


def lines(megabytes: int = MEGABYTES, rounds: int = ROUNDS, slow: int = SLOW) -> list[str]:
    """Measure, and return the lines of a table."""
    names = available()
    taken: dict[tuple[str, str], list[float]] = defaultdict(list)
    # In turn, so that what disturbs the machine for a while disturbs all of them.
    for _ in range(rounds):
        for name in names:
            print(f"files: {name}", file=sys.stderr)
            with PEERS[name](megabytes) as peer:
                _settle(megabytes)
                for title, value in _measured(peer, megabytes, slow).items():
                    taken[title, name].append(value)
    figures = {key: statistics.median(values) for key, values in taken.items()}
    head = f"Files: {megabytes} MiB on loopback, median of {rounds}; {slow} slow clients"
    titles = "".join(f"{name:>19}" for name in names)
    return ["", head, f"{'':32}{titles}  wanted", *(_line(line, names, figures) for line in LINES)]


def _measured(peer: Peer, megabytes: int, slow: int) -> Figures:
    # What is loaded at the first request of a kind is none of these figures.
    client.latencies(peer.port, peer.small, 20)
    figures: Figures = {}
    measures: tuple[Callable[[], Figures], ...] = (
        lambda: _down(peer, megabytes, 1),
        lambda: _down(peer, megabytes, CLIENTS),
        lambda: _up(peer, megabytes),
        lambda: _slow(peer, slow),
    )
    for measure in measures:
        try:
            figures.update(measure())
        except (client.AnswerError, OSError) as error:
            if peer.send is sending.by_tus:
                raise  # a peer's failure is a dash in the table, our own is none
            print(f"note: no figures: {error}", file=sys.stderr)
    return figures


def _down(peer: Peer, megabytes: int, clients: int) -> Figures:
    """Download it some times, if that is soon done: a second alone says more of the machine's moods."""
    idle = _fresh(peer)
    begin = time.perf_counter()
    speeds: list[float] = []
    gaps: list[float] = []
    while len(speeds) < DOWNLOADS and time.perf_counter() - begin < DOWNLOAD_SECONDS:
        if peer.gap is not None:
            peer.gap.seconds = 0.0
        start = time.perf_counter()
        size = client.downloads(peer.port, peer.path, clients)
        speeds.append(size / MIB / (time.perf_counter() - start))
        if size != clients * megabytes * MIB:
            raise client.AnswerError(f"GET {peer.path}: {size} bytes came")
        if peer.gap is not None:
            gaps.append(peer.gap.seconds * 1000)
    speed, memory = statistics.median(speeds), max(0, peer.peak() - idle) / MIB
    if clients == 1:
        return {"download, 1 client": speed, "  memory over idle": memory}
    figures = {"download, 8 clients": speed, "  memory over idle, 8": memory}
    return figures | ({"  loop held": statistics.median(gaps)} if gaps else {})


def _up(peer: Peer, megabytes: int) -> Figures:
    if peer.send is None:
        return {}
    peer.send(peer.port, MIB)
    _settle(megabytes)
    idle = _fresh(peer)
    begin = time.perf_counter()
    peer.send(peer.port, megabytes * MIB)
    figures = {"upload and run": megabytes / (time.perf_counter() - begin)}
    figures["  memory over idle, up"] = max(0, peer.peak() - idle) / MIB
    return figures | _held(peer, "  loop held, up")


def _slow(peer: Peer, slow: int) -> Figures:
    idle = _fresh(peer)
    waiting = sorted(_beside_slow_clients(peer, slow))
    return {
        "slow clients: memory": max(0, peer.peak() - idle) / MIB,
        "slow clients: others, p99": waiting[int(len(waiting) * 0.99)] * 1000,
    }


def _held(peer: Peer, title: str) -> Figures:
    return {} if peer.gap is None else {title: peer.gap.seconds * 1000}


def _beside_slow_clients(peer: Peer, slow: int) -> list[float]:
    command = [sys.executable, "-m", "bench.slow", str(peer.port), peer.path, str(slow)]
    with subprocess.Popen(
        command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as readers:
        assert readers.stdout is not None
        said = readers.stdout.readline().strip()
        if said != "reading":
            raise client.AnswerError(f"{slow} slow clients were not all served")
        latencies = client.latencies(peer.port, peer.small, BESIDE)
        readers.communicate()
        if readers.returncode:
            raise client.AnswerError(f"the {slow} slow clients did not read to the end")
    return latencies


def _fresh(peer: Peer) -> int:
    if peer.gap is not None:
        peer.gap.seconds = 0.0
    return peer.forget_peak()


def _settle(megabytes: int) -> None:
    """Leave no work of before to the disk, nor to the host of a virtual machine (see `rows`)."""
    os.sync()
    touched = b"x" * (2 * megabytes * MIB)
    del touched


def _line(line: Line, names: list[str], figures: dict[tuple[str, str], float]) -> str:
    ours = figures.get((line.title, "nbfunc"), 0.0)
    cells = ""
    for name in names:
        value = figures.get((line.title, name))
        said = "-" if value is None else _number(value)
        if value and ours and name != "nbfunc":
            said += f" ({ours / value if line.more_is_better else value / ours:6.2f}x)"
        cells += f"{said:>19}"
    return f"{line.title + ', ' + line.unit:32}{cells}  {line.wanted}".rstrip()


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"
