"""One hub for all tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.conftest import chromium
from tests.hub.hub import Hub, jupyterhub

__all__ = ["chromium", "hub"]

# What takes minutes takes seconds: asking the hub whether somebody may still come in, or
# stay, telling it what runs.
CONFIG = """
import nbfunc.web.extension, nbfunc.web.resource, nbfunc.web.streams
nbfunc.web.extension.ACTIVE_SECONDS = 1
nbfunc.web.resource.READMIT_SECONDS = nbfunc.web.streams.COMMENT_SECONDS = 1
c.HubOAuth.cache_max_age = 1
"""


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with jupyterhub(tmp_path_factory.mktemp("hub"), CONFIG) as hub:
        hub.start("alice")
        yield hub
