"""Kernels behind a gateway: how jupyter_server's own settings say to reach them, and whether they live."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Literal

from jupyter_server.gateway.gateway_client import GatewayClient
from jupyter_server.gateway.managers import GatewayKernelManager
from jupyter_server.utils import url_path_join
from tornado.escape import url_escape
from tornado.httpclient import HTTPRequest

from nbfunc.hosts.websocket import WebsocketChannel

logger = logging.getLogger("nbfunc")


def is_behind_gateway(manager: Any) -> bool:
    """Whether this kernel manager only asks a gateway (`jupyter server --gateway-url`)."""
    return isinstance(manager, GatewayKernelManager)


def channel_to(manager: Any, state: Callable[[str], None]) -> WebsocketChannel:
    """Return the way to a gateway's kernel; `state` as `WebsocketChannel` has it."""

    def request(session: str) -> HTTPRequest:
        client = GatewayClient.instance()
        url = url_path_join(
            client.ws_url or "", client.kernels_endpoint, url_escape(manager.kernel_id), "channels"
        )
        # Anew for each connection: tokens are renewed, cookies change.
        settings: dict[str, Any] = client.load_connection_args()  # type: ignore[no-untyped-call]  # jupyter_server's
        return HTTPRequest(f"{url}?session_id={session}", **settings)

    return WebsocketChannel(request, state=state)


async def life_of(manager: Any) -> Literal["alive", "dead"]:
    """Ask the gateway; a kernel of one that does not answer is taken for alive."""
    try:
        model = await manager.refresh_model()
    except Exception as error:  # noqa: BLE001 - whatever a gateway answers
        logger.info("The gateway does not say whether kernel %s lives: %s", manager.kernel_id, error)
        return "alive"
    return "alive" if model else "dead"
