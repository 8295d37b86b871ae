"""What uvicorn runs for a connection that becomes a websocket; loaded when the first one does.

Most servers never see a websocket, and the library takes 20 ms and 4 MB.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final, cast

from uvicorn.config import Config
from uvicorn.server import ServerState

STOP: Final = "headgate.stop"
"""The type of the message, none of ASGI's, that tells an open socket of the server's stop."""


def socket_protocol(
    config: Config,
    server_state: ServerState,
    app_state: dict[str, Any],
    _loop: asyncio.AbstractEventLoop | None = None,
) -> asyncio.Protocol:
    """A protocol for one connection; uvicorn calls it in place of a class."""
    from uvicorn.protocols.websockets.websockets_sansio_impl import (  # noqa: PLC0415 - see above
        WebSocketsSansIOProtocol,
    )

    class _Protocol(WebSocketsSansIOProtocol):
        def shutdown(self) -> None:
            # uvicorn would close at once; a response that is under way is finished first, as over
            # HTTP, for as long as the server's grace lasts.
            if self.handshake_complete and not (self.close_sent or self.disconnected):
                self.queue.put_nowait(cast("Any", {"type": STOP}))
            else:
                super().shutdown()

        async def send(self, message: Any) -> None:
            await super().send(message)
            if message["type"] == "websocket.http.response.body":
                # A refusal completes the handshake too; uvicorn would log that none was.
                self.handshake_complete = True

    return _Protocol(config, server_state, app_state, _loop)
