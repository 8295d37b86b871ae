"""What uvicorn runs for a connection that becomes a websocket; loaded when the first one does.

Most servers never see a websocket, and the library takes 20 ms and 4 MB.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.config import Config
from uvicorn.server import ServerState


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

    return WebSocketsSansIOProtocol(config, server_state, app_state, _loop)
