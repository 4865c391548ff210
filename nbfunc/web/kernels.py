"""The kernels of a Jupyter server: a host for each, as they come, change and go."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Literal, get_args

from nbfunc.errors import KernelDied, KernelRestarted, NotFound
from nbfunc.files.returns import ReturnsDir
from nbfunc.files.uploads import UploadsDir
from nbfunc.hosts.belongings import Claims
from nbfunc.hosts.channels import Channel, ZmqChannel
from nbfunc.hosts.kernel import KernelHost, Peer, State
from nbfunc.hosts.line import Line
from nbfunc.web.addresses import Addresses
from nbfunc.web.gateway import channel_to, is_behind_gateway, life_of
from nbfunc.web.site import Changes, Source

logger = logging.getLogger("nbfunc")

ACTIONS = "https://events.jupyter.org/jupyter_server/kernel_actions/v1"
# Transfers wait for kernels: they must not keep the threads that answer for the disk.
TRANSFER_THREADS = 64
READY_SECONDS = 10.0


@dataclass(eq=False)
class _Kernel:
    host: KernelHost
    manager: Any
    notebook: str | None = None
    forget: Callable[[], None] = lambda: None


class Kernels:
    """Hosts by kernel id.

    Parameters
    ----------
    manager : jupyter_server.services.kernels.kernelmanager.MappingKernelManager
        Of this server.
    sessions : jupyter_server.services.sessions.sessionmanager.SessionManager
        Tell which notebook a kernel runs.
    events : jupyter_events.EventLogger
        Tells of kernels that start, restart and stop.
    addresses : Addresses
        Of the site.
    changes : Changes
        Where the pages hear of it.
    exposed : callable
        Called with ``"exposed"`` or ``"removed"``, a function's name and its kernel.
    returns, uploads : ReturnsDir, UploadsDir
        Of this server.
    max_concurrency : int, optional
        How many runs of all kernels go at once; the rest wait in order.
    """

    def __init__(
        self,
        *,
        manager: Any,
        sessions: Any,
        events: Any,
        addresses: Addresses,
        changes: Changes,
        exposed: Callable[[str, str, str], None],
        returns: ReturnsDir,
        uploads: UploadsDir,
        max_concurrency: int | None,
    ) -> None:
        self._manager = manager
        self._sessions = sessions
        self._events = events
        self._addresses = addresses
        self._changes = changes
        self._tell_exposed = exposed
        self._returns = returns
        self._uploads = uploads
        self._line = Line(max_concurrency)
        self._claims = Claims()
        self._threads = ThreadPoolExecutor(TRANSFER_THREADS, thread_name_prefix="nbfunc-kernel")
        self._kernels: dict[str, _Kernel] = {}
        self._watching = False

    def watch(self) -> None:
        """Follow the kernels from now on, those that run already too."""
        if self._watching:
            return
        self._watching = True
        self._events.add_listener(schema_id=ACTIONS, listener=self._acted)
        for kernel in self._manager.list_kernel_ids():
            self._add(kernel)

    def sources(self) -> list[Source]:
        """Return the kernels that expose something, in the order of their starts."""
        return [self._source(kernel) for kernel in self._kernels if self._kernels[kernel].host.functions()]

    def exposing(self, kernel: str) -> bool:
        """Say whether a kernel exposes a function."""
        known = self._kernels.get(kernel)
        return known is not None and bool(known.host.functions())

    def source_of(self, kernel: str | None) -> Source:
        """Return a kernel's host.

        Raises
        ------
        NotFound
            There is no such kernel, or it exposes nothing.
        KernelDied, KernelRestarted
            What it exposed is gone.
        """
        if kernel is None or kernel not in self._manager:
            raise NotFound(f"There is no kernel {kernel!r} on this server (any more).")
        if kernel not in self._kernels:
            self._add(kernel)
        host = self._kernels[kernel].host
        host.check()
        if not host.functions():
            raise NotFound(
                "This kernel exposes no function. Run in its notebook: %load_ext nbfunc, then %func_to_web f"
            )
        return self._source(kernel)

    def _source(self, kernel: str) -> Source:
        known = self._kernels[kernel]
        return Source(host=known.host, kernel=kernel, notebook=known.notebook, state=known.host.state)

    async def refresh(self) -> None:
        """Ask which notebooks the kernels run: one may have been renamed or moved."""
        for session in await self._listed():
            # A gateway's kernel that is gone leaves a session without one.
            known = self._kernels.get(session["kernel"]["id"]) if session["kernel"] else None
            if known is not None and session["type"] == "notebook":
                known.notebook = session["path"]
        for kernel in [kernel for kernel in self._kernels if kernel not in self._manager]:
            self._remove(kernel)  # culled by its gateway, which tells nobody

    async def _listed(self) -> list[dict[str, Any]]:
        try:
            sessions: list[dict[str, Any]] = await self._sessions.list_sessions()
        except Exception as error:  # noqa: BLE001 - a gateway is asked, which answers what it likes
            logger.warning("Which notebooks run which kernels is not known: %s", error)
            return []  # what was known stands
        return sessions

    def keep_awake(self) -> bool:
        """Let no kernel in which a run goes on count as idle; say whether there is one."""
        running = [known for known in self._kernels.values() if known.host.running]
        for known in running:
            if is_behind_gateway(known.manager):
                known.host.stir()  # there somebody else culls
            known.manager.last_activity = self._manager.last_kernel_activity = datetime.now(timezone.utc)
        return bool(running)

    def close(self) -> None:
        """Let go of all kernels."""
        if self._watching:
            self._events.remove_listener(schema_id=ACTIONS, listener=self._acted)
        for kernel in list(self._kernels):
            self._remove(kernel)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _add(self, kernel: str) -> None:
        if kernel in self._kernels:
            return
        manager = self._manager.get_kernel(kernel)

        async def notebook() -> str | None:
            await self.refresh()
            known = self._kernels.get(kernel)
            return None if known is None else known.notebook

        async def life() -> Literal["alive", "dead", "stopping"]:
            # Who restarts it or shuts it down says so, when that is done.
            if manager.shutting_down:
                return "stopping"
            if is_behind_gateway(manager):
                return await life_of(manager)
            return "alive" if await manager.is_alive() else "dead"

        said: set[str] = set()

        def told(kind: str, function: str) -> None:
            if kind == "removed":
                said.discard(function)
                self._tell_exposed(kind, function, kernel)
            elif function not in said:
                said.add(function)
                self._tell_exposed("exposed", function, kernel)
            self._changes.tell(kind, url=self._addresses.function(function, kernel))

        channel: Channel
        if is_behind_gateway(manager):
            channel = channel_to(manager, lambda state: self._said(kernel, state))
        else:
            channel = ZmqChannel(
                lambda name: getattr(manager, f"connect_{name}")(),
                key=manager.session.key,
                signature_scheme=manager.session.signature_scheme,
            )
        host = KernelHost(
            channel,
            Peer(
                base=self._addresses.base,
                kernel=kernel,
                notebook=notebook,
                life=life,
            ),
            returns=self._returns,
            uploads=self._uploads,
            claims=self._claims,
            line=self._line,
            threads=self._threads,
            told=told,
        )
        known = self._kernels[kernel] = _Kernel(host, manager)
        known.forget = self._follow(kernel, known)

    def _follow(self, kernel: str, known: _Kernel) -> Callable[[], None]:
        """Follow one kernel's state; return what ends that."""

        def state(_: object = None) -> None:
            said: Any = known.manager.execution_state
            said = "starting" if said is None else said
            if said in get_args(State) and said != known.host.state:  # others are the kernel's own word
                known.host.state = said
                if known.host.functions():
                    self._changes.tell("kernel", id=kernel, state=said)

        def restarted_by_itself() -> None:
            known.host.lost(KernelDied)
            state()

        def died() -> None:
            known.host.lost(KernelDied)
            known.host.state = "dead"
            self._changes.tell("kernel", id=kernel, state="dead")

        known.manager.observe(state, "execution_state")
        self._manager.add_restart_callback(kernel, restarted_by_itself, "restart")
        self._manager.add_restart_callback(kernel, died, "dead")
        state()

        def forget() -> None:
            known.manager.unobserve(state, "execution_state")
            if kernel in self._manager:
                self._manager.remove_restart_callback(kernel, restarted_by_itself, "restart")
                self._manager.remove_restart_callback(kernel, died, "dead")

        return forget

    def _said(self, kernel: str, state: str) -> None:
        """Take a kernel's, or its gateway's, own word of its state: no kernel manager here sees it."""
        known = self._kernels[kernel]
        if state not in get_args(State):
            return  # its page shows it
        match state:
            case "starting":
                known.host.begun_anew()
            case "restarting" | "dead":
                known.host.lost(KernelDied)
        known.manager.execution_state = state

    def _remove(self, kernel: str) -> None:
        known = self._kernels.pop(kernel, None)
        if known is not None:
            known.forget()
            known.host.close()
            self._changes.tell("kernel", id=kernel, state="dead")

    async def _acted(self, logger: Any, schema_id: str, data: dict[str, Any]) -> None:  # noqa: ARG002 - its way
        kernel = data.get("kernel_id")
        if kernel is None or data.get("status") != "success":
            return
        known = self._kernels.get(kernel)
        match data["action"]:
            case "start":
                await self._started(kernel)
            case "restart" if known is not None:
                known.host.lost(KernelRestarted)
            case "shutdown":
                self._remove(kernel)

    async def _started(self, kernel: str) -> None:
        # The event comes a moment before the manager knows the kernel.
        for _ in range(int(READY_SECONDS / 0.01)):
            if kernel in self._manager:
                self._add(kernel)
                return
            await asyncio.sleep(0.01)
