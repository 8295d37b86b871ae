"""A server that speaks raw bytes, so that a test can say exactly what the upstream does."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable

from headgate.gateway.upstream import Origin


class Peer:
    """The server's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def request(self) -> tuple[bytes, bytes]:
        """The next request: its head (without the blank line) and its body."""
        head = (await self.reader.readuntil(b"\r\n\r\n"))[:-4]
        size_bytes = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                size_bytes = int(value)
        return head, await self.reader.readexactly(size_bytes)

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, body: bytes = b"ok", *, headers: bytes = b"", status: int = 200) -> None:
        head = b"HTTP/1.1 %d Fine\r\n%bContent-Length: %d\r\n\r\n" % (status, headers, len(body))
        await self.send(head + body)

    async def gone(self) -> None:
        """Returns when the client has closed the connection."""
        try:
            while await self.reader.read(65536):
                pass
        except ConnectionError:
            return

    def reset(self) -> None:
        """Tear the connection down with a TCP RST."""
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    def close(self) -> None:
        self.writer.close()


Script = Callable[[Peer], Awaitable[None]]


class RawServer:
    """Runs a script for every connection it accepts; closes the connection when that ends."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.peers: list[Peer] = []
        self.failures: list[BaseException] = []
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self, host: str, tls: ssl.SSLContext | None) -> None:
        self._server = await asyncio.start_server(self._accept, host, 0, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for peer in self.peers:
            # CPython 3.11's selector transport has lost its loop when it closed with data to write.
            with contextlib.suppress(AttributeError):
                peer.writer.transport.abort()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures[0]

    def stop_listening(self) -> None:
        self._server.close()

    def origin(self, scheme: str = "http", host: str = "127.0.0.1", **more) -> Origin:
        return Origin.parse(f"{scheme}://{host}:{self.port}/v1", **more)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._run(Peer(reader, writer)))
        self._tasks.add(task)

    async def _run(self, peer: Peer) -> None:
        self.peers.append(peer)
        try:
            await self.script(peer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        except Exception as exc:  # noqa: BLE001 - kept, and raised when the server stops
            self.failures.append(exc)
        finally:
            peer.writer.close()
