"""The same of kernels behind a gateway, where no kernel manager of the server sees their states."""

from __future__ import annotations

from tests.gateway.gateway import needs_namespaces
from tests.jupyter.test_odd_answers import test_a_state_that_no_kernel_has_is_not_taken_over

__all__ = ["test_a_state_that_no_kernel_has_is_not_taken_over"]

pytestmark = needs_namespaces
