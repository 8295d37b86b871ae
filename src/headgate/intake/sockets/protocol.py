"""What uvicorn runs for a connection that becomes a websocket; loaded when the first one does.

Most servers never see a websocket, and the library takes 20 ms and 4 MB.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final, cast

from uvicorn.config import Config
from uvicorn.server import ServerState

STOP: Final = "headgate.stop"
"""The type of the message, none of ASGI's, that tells an open socket of the server's stop."""

_BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"

_quiet = logging.getLogger("uvicorn.websockets")
_quiet.setLevel(logging.CRITICAL)


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
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            # It would log a traceback for each client that sends what is no text.
            self.logger = _quiet

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if not self.handshake_initiated and self.conn.handshake_exc is not None:
                # uvicorn would leave the connection open, without an answer.
                self.transport.write(_BAD_REQUEST)
                self.transport.close()

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
