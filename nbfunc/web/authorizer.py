"""For a server that is shared: its owner may do all, everyone else only use nbfunc's forms."""

from __future__ import annotations

import os
from typing import Any

from jupyter_server.auth import Authorizer
from traitlets import Unicode, default

RESOURCE = "nbfunc"


class FormsOnly(Authorizer):
    """Let who has access to the server use nbfunc's forms, files and their own runs, and nothing else.

    ``c.ServerApp.authorizer_class = "nbfunc.FormsOnly"``. The owner may do all; on a JupyterHub that is whose
    server it is. Where nobody is named the owner, whoever has the server's token is, as without this.
    """

    owner = Unicode(help="""Who may do all. By default the user whose JupyterHub started this server.""").tag(
        config=True
    )

    @default("owner")
    def _owner(self) -> str:
        return os.environ.get("JUPYTERHUB_USER", "")

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:  # noqa: ARG002 - its way
        """Say whether a user may do this."""
        return not self.is_guest(user) or resource == RESOURCE

    def is_guest(self, user: Any) -> bool:
        """Say whether a user is not the owner, and sees no runs but their own."""
        return bool(self.owner) and user.username != self.owner
