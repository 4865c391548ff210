"""Gateway, kernel and server are killed at any moment: what is offered is whole, and nothing hangs."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.gateway import Server, behind_gateway, needs_namespaces
from tests.jupyter.server import Kernel
from tests.jupyter.test_soak import CODE, age, check, kept

pytestmark = needs_namespaces

VICTIMS = ("kernel", "server", "gateway")
USERS = 3
# How runs end whose kernel, or the way to it, was killed.
CUT_SHORT = {"KernelDied", "KernelRestarted", "KernelUnreachable"}
# Nothing that is asked hangs: each answer has its minute, and a user asks for some, one after another.
HANGS_SECONDS = 240


class Soak:
    """Users of one kernel, whose gateway, process or server is killed and started again."""

    def __init__(self, server: Server, chance: random.Random) -> None:
        self.server = server
        self.chance = chance
        self.promised: list[str] = []
        self.cut_short = 0
        self._kernel = self._exposed(server.kernel())
        self._killed = threading.Event()
        self._again = threading.Event()

    def kill(self, victim: str) -> None:
        """Kill it while users run and transfer, start it again, and see that all works."""
        self._killed.clear()
        self._again.clear()
        before = len(self.promised)
        with ThreadPoolExecutor(USERS) as threads:
            seeds = [self.chance.random() for _ in range(USERS)]
            users = [threads.submit(self._use, random.Random(seed), victim) for seed in seeds]
            try:
                time.sleep(self.chance.random() * 1.5)  # at any moment
                self._killed.set()
                self._kill(victim)
            finally:
                self._again.set()
            for user in users:
                user.result(HANGS_SECONDS)
        self._recover(victim)
        for url in self.promised[before:]:
            self.download(url)
        self._run_once(self.chance)
        for path in self.server.returned():
            if path.suffix == ".bin":
                check(path.name, path.read_bytes())

    def _kill(self, victim: str) -> None:
        """Kill it, and start it again where nobody else does."""
        match victim:
            case "kernel":
                os.kill(self._pid, signal.SIGKILL)  # its gateway starts it again
            case "server":
                self.server.process.kill()
                self.server.process.wait()
                self.server.start()
            case "gateway":
                self.server.gateway.kill()
                self.server.gateway.start()

    def _recover(self, victim: str) -> None:
        """Do what a person does: run the cells again, in a new kernel where the old one is gone."""
        kernel = self._kernel
        match victim:
            case "kernel":
                kernel.wait_until_ready()
            case "server":
                self._leave(kernel)
                model = {"path": kernel.notebook, "name": kernel.notebook, "type": "notebook"}
                answer = self.server.post("api/sessions", model | {"kernel": {"id": kernel.id}})
                assert answer.status == 201, answer.text
                kernel = Kernel(self.server, kernel.id, kernel.notebook)
                self.server.kernels.append(kernel)
            case "gateway":
                self._leave(kernel)
                kernel = self.server.kernel()
        self._kernel = self._exposed(kernel)

    def _leave(self, kernel: Kernel) -> None:
        kernel.client.stop_channels()
        self.server.kernels.remove(kernel)

    def _exposed(self, kernel: Kernel) -> Kernel:
        kernel.expose(CODE)
        self._pid = kernel.pid
        return kernel

    def _use(self, chance: random.Random, victim: str) -> None:
        """Run and transfer, until something is killed and started again."""
        while not self._again.is_set():
            try:
                if not self._run_once(chance):
                    return
            except TimeoutError:  # nothing may hang, whoever died
                raise
            except (OSError, HTTPException):
                if victim != "server" or not self._killed.is_set():
                    raise
                return

    def _run_once(self, chance: random.Random) -> bool:
        """Send a file, run, and fetch what comes back; say whether nothing was in the way."""
        content = chance.randbytes(chance.randrange(1 << chance.randint(1, 23)))
        upload = {"upload": self.server.upload("sent.bin", content)}
        arguments = {"file": upload, "how": chance.choice(["path", "data", "chunks"])}
        answer = self.server.post(self._kernel.url("copied"), arguments, Prefer="respond-async")
        if answer.status != 202:
            assert self._killed.is_set(), answer.text
            assert answer.status in {404, 503}, answer.text
            return False
        events: list[dict[str, Any]] = []
        with self.server.stream(f"nbfunc/-/runs/{answer.json['run']}") as stream:
            events.extend(stream)
        urls = [event["output"]["url"] for event in events if event["kind"] == "output"]
        for url in urls:
            self.download(url)
        self.promised += urls
        if events and events[-1]["kind"] == "finished":
            assert len(urls) == 1
            return True
        assert self._killed.is_set(), events
        self.cut_short += 1
        if events and events[-1]["kind"] == "failed":
            assert events[-1]["type"] in CUT_SHORT, events
        else:
            # The stream ended in the middle: so did who told it.
            raise ConnectionError(f"the stream ended after {events[-1:]}")
        return False

    def download(self, url: str) -> None:
        """Fetch a file that was named: it is kept for its hour, whoever dies."""
        answer = self.server.get(url)
        assert answer.status == 200, answer.text
        check(url, answer.content)


# A few whenever the tests run; `make soak` for the rest.
@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(3, marks=pytest.mark.timeout(600)),
        pytest.param(200, marks=[pytest.mark.soak, pytest.mark.timeout(4 * 3600)]),
    ],
)
def test_gateway_kernel_and_server_are_killed_at_any_moment(kills: int, tmp_path: Path) -> None:
    kills = int(os.environ.get("NBFUNC_KILLS", kills))
    seed = os.environ.get("NBFUNC_SEED") or f"{time.time_ns()}"
    print(f"To choose the same again, as far as the machine allows: NBFUNC_SEED={seed}")
    chance = random.Random(seed)
    began = time.monotonic()
    # A gateway gives a kernel up that dies five times within seconds; here it may.
    with behind_gateway(tmp_path, "--KernelRestarter.restart_limit=1000") as server:
        soak = Soak(server, chance)
        # Each as often, in any order.
        victims = [VICTIMS[number % len(VICTIMS)] for number in range(kills)]
        chance.shuffle(victims)
        for number, victim in enumerate(victims):
            print(f"{time.monotonic() - began:.0f} s: kill {number}, the {victim}", flush=True)
            soak.kill(victim)
        for url in soak.promised:
            soak.download(url)
        # What was cut short is left until its time is over, and then it is swept.
        server.stop()
        age(kept(server))
        server.start()
        server.until(lambda: not kept(server))
    print(f"{kills} kills cut {soak.cut_short} runs short; {len(soak.promised)} files are whole")
