"""What uvicorn runs for a connection that becomes a websocket; loaded when the first one does.

Most servers never see a websocket, and the library takes 20 ms and 4 MB.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final, cast

from uvicorn.config import Config
from uvicorn.server import ServerState

from headgate.intake.http.client_patience import ClientPatience, Seen

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
    *,
    client_idle_s: float = 60.0,
) -> asyncio.Protocol:
    """A protocol for one connection; uvicorn calls it in place of a class.

    `client_idle_s` is how long a client may read nothing of what it is sent.
    """
    from uvicorn.protocols.websockets.websockets_sansio_impl import (  # noqa: PLC0415 - see above
        WebSocketsSansIOProtocol,
    )

    class _Protocol(WebSocketsSansIOProtocol):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            # It would log a traceback for each client that sends what is no text.
            self.logger = _quiet
            self._patience = ClientPatience(client_idle_s)
            self._hold_ups = 0
            self._look_timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._look()

        def connection_lost(self, exc: Exception | None) -> None:
            if self._look_timer is not None:
                self._look_timer.cancel()
            super().connection_lost(exc)

        def pause_writing(self) -> None:
            self._hold_ups += 1
            super().pause_writing()

        def _look(self) -> None:
            # Whoever reads nothing keeps open also what was closed: its farewell is not taken.
            seen = Seen(
                requests=1,
                in_head=False,
                answering=not self.transport.is_closing(),
                unsent_bytes=self.transport.get_write_buffer_size(),
                held_up=not self.writable.is_set(),
                hold_ups=self._hold_ups,
            )
            if self._patience.is_over(seen, self.loop.time()):
                self.transport.abort()
            else:
                self._look_timer = self.loop.call_later(client_idle_s / 2, self._look)

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
