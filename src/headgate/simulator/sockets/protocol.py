"""What the simulator's server runs for a websocket; loaded when the first one comes."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.config import Config
from uvicorn.server import ServerState

from headgate.simulator.wire.delivery import TRANSPORT


def socket_protocol(
    config: Config,
    server_state: ServerState,
    app_state: dict[str, Any],
    _loop: asyncio.AbstractEventLoop | None = None,
) -> asyncio.Protocol:
    """A protocol for one connection, which hands over its transport as the one for HTTP does."""
    from uvicorn.protocols.websockets.websockets_sansio_impl import (  # noqa: PLC0415 - see above
        WebSocketsSansIOProtocol,
    )

    class _Protocol(WebSocketsSansIOProtocol):
        async def run_asgi(self) -> None:
            extensions: Any = self.scope["extensions"]
            extensions[TRANSPORT] = self.transport
            await super().run_asgi()

        async def send(self, message: Any) -> None:
            await super().send(message)
            if message["type"] == "websocket.http.response.body":
                # A refusal completes the handshake too; uvicorn would log that none was.
                self.handshake_complete = True

    return _Protocol(config, server_state, app_state, _loop)
