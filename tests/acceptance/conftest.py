"""The running servers that these tests use."""

from __future__ import annotations

from servers import gateway, model, server_with, shared_with, simulated, upstream

__all__ = ["gateway", "model", "server_with", "shared_with", "simulated", "upstream"]
