"""uvicorn's HTTP protocol, with the head and the first piece of a reply in one system call.

ASGI sends a reply's head and its body apart, and uvicorn writes each at once. The second `send`
costs as much as everything that Headgate does between the two.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_INFORMATIONAL = b"HTTP/1.1 1"
_HEAD = b"HTTP/1.1 "


class ServerProtocol(HttpToolsProtocol):
    """What uvicorn runs for each connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See `asyncio.Protocol`."""
        super().connection_made(JoiningTransport(transport))

    def on_response_complete(self) -> None:
        """See uvicorn; a reply to HEAD, a 204 and a 304 have no body for their head to wait for."""
        self.transport.release()  # type: ignore[attr-defined]
        super().on_response_complete()


class JoiningTransport(asyncio.Transport):
    """A transport that keeps a reply's head back until the first write after it."""

    __slots__ = ("_held", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._held = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write `data`, with the head before it if one is held."""
        if self._held:
            data = self._held + data
            self._held = b""
        elif data[:9] == _HEAD and data[:10] != _INFORMATIONAL and data[-4:] == b"\r\n\r\n":
            self._held = bytes(data)
            return
        if data:
            self._transport.write(data)

    def release(self) -> None:
        """Write the head, if one is held."""
        if self._held:
            self._transport.write(self._held)
            self._held = b""

    def close(self) -> None:
        """Close when everything is written."""
        self.release()
        self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._held = b""
        self._transport.abort()

    def is_closing(self) -> bool:
        """Whether it is closed or about to be."""
        return self._transport.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """What the transport beneath knows."""
        return self._transport.get_extra_info(name, default)

    def pause_reading(self) -> None:
        """Take in nothing for now."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Take in data again."""
        self._transport.resume_reading()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Where `pause_writing` and `resume_writing` are called."""
        self._transport.set_write_buffer_limits(high, low)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Hand the connection to another protocol."""
        self.release()
        self._transport.set_protocol(protocol)
