"""How many replies or chunks reach the clients? Closed-loop clients on raw sockets.

Each connection sends its next request when it has the whole reply to the one before; a request that
holds `payloads.NUMBER` gets another number each time. The JSON
clients stand in for wrk where it is not installed; the stream clients are always these.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol, cast
from urllib.parse import urlsplit

from benchmarks.payloads import CONTENT_CHUNKS, MARKER, NUMBER, SLOT_DIGITS, numbered_from_now

MAX_REPLY_BYTES: Final = 1024 * 1024

_LENGTH: Final = re.compile(rb"content-length:[ \t]*(\d+)", re.IGNORECASE)
_END: Final = b"0\r\n\r\n"
_TAIL_BYTES: Final = 64
_FRAME: Final = re.compile(rb"\r\n[0-9a-fA-F]+\r\n")
"""What parts the chunks of HTTP: a proxy may cut an event in two and put this in between."""


@dataclass
class Tally:
    """What the connections of one measurement have seen."""

    counting: bool = False
    replies: int = 0
    chunks: int = 0
    reads: int = 0
    errors: int = 0
    first_error: str = ""
    latencies_ns: list[int] = field(default_factory=list)
    number: int = field(default_factory=numbered_from_now)
    """The last that a numbered request got."""

    def failed(self, what: str) -> None:
        """Count an error; the first is kept in words."""
        self.errors += 1
        self.first_error = self.first_error or what


class Advance(Protocol):
    """Called with a stub's slot and how many more of its chunks a client has."""

    def __call__(self, slot: int, received: int) -> None:
        """Take note of the progress."""


def request_bytes(url: str, headers: dict[str, str], body: bytes) -> bytes:
    """Return a whole HTTP/1.1 POST of ``body`` to ``url``."""
    parts = urlsplit(url)
    fields = {
        "host": parts.netloc,
        "content-type": "application/json",
        "content-length": str(len(body)),
        **headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"POST {parts.path} HTTP/1.1\r\n{head}\r\n".encode() + body


async def load_json(
    url: str, request: bytes, *, connections: int, warmup_s: float, duration_s: float
) -> tuple[Tally, float]:
    """Ask for replies that are not streamed; return the tally and the seconds it covers."""
    tally = Tally()
    return await _load(
        url,
        lambda: _JsonClient(request, tally),
        tally,
        connections=connections,
        warmup_s=warmup_s,
        duration_s=duration_s,
    )


async def load_streams(
    url: str,
    request: bytes,
    advance: Advance,
    *,
    connections: int,
    warmup_s: float,
    duration_s: float,
) -> tuple[Tally, float]:
    """Ask for streams; return the tally of content chunks and the seconds it covers."""
    tally = Tally()
    return await _load(
        url,
        lambda: _StreamClient(request, tally, advance),
        tally,
        connections=connections,
        warmup_s=warmup_s,
        duration_s=duration_s,
    )


async def _load(
    url: str,
    client: Callable[[], _Client],
    tally: Tally,
    *,
    connections: int,
    warmup_s: float,
    duration_s: float,
) -> tuple[Tally, float]:
    loop = asyncio.get_running_loop()
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    clients = [client() for _ in range(connections)]
    for one in clients:
        await loop.create_connection(lambda one=one: one, host, port)  # type: ignore[misc]
    await asyncio.sleep(warmup_s)
    tally.counting = True
    start = time.perf_counter()
    await asyncio.sleep(duration_s)
    elapsed_s = time.perf_counter() - start
    tally.counting = False
    for one in clients:
        one.close()
    await asyncio.sleep(0)
    return tally, elapsed_s


class _Client(asyncio.Protocol):
    def __init__(self, request: bytes, tally: Tally) -> None:
        self._before, self._number, self._after = request.partition(NUMBER.encode())
        self._tally = tally
        self._closed = False
        self._failed = False
        self._transport: asyncio.Transport | None = None
        self._dialling: asyncio.Task[object] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._failed = False
        if self._closed:
            self._transport.abort()
        else:
            self.ask()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if not self._closed:
            if not self._failed and not self.between():
                self._tally.failed("the connection was closed within a reply")
            self._dialling = asyncio.get_running_loop().create_task(self._dial())

    async def _dial(self) -> None:
        # A server may close a connection that it could keep: that costs it a new one, here too.
        if self._transport is not None and not self._closed:
            host, port = self._transport.get_extra_info("peername")[:2]
            try:
                await asyncio.get_running_loop().create_connection(lambda: self, host, port)
            except OSError as error:
                self._tally.failed(f"could not connect again: {error}")

    def close(self) -> None:
        self._closed = True
        if self._dialling is not None:
            self._dialling.cancel()
        if self._transport is not None:
            self._transport.abort()

    def ask(self) -> None:
        """Send the request."""
        if self._transport is not None and not self._closed:
            self._tally.number += bool(self._number)
            number = b"%0*d" % (len(self._number), self._tally.number) if self._number else b""
            self._transport.write(self._before + number + self._after)

    def between(self) -> bool:
        """Tell whether no reply is under way."""
        raise NotImplementedError

    def fail(self, what: str) -> None:
        """Count an error and give the connection up; a new one is made."""
        self._failed = True
        self._tally.failed(what)
        if self._transport is not None:
            self._transport.abort()


class _JsonClient(_Client):
    def __init__(self, request: bytes, tally: Tally) -> None:
        super().__init__(request, tally)
        self._received = b""
        self._expected = 0
        self._asked_ns = 0

    def ask(self) -> None:
        self._received = b""
        self._expected = 0
        self._asked_ns = time.perf_counter_ns()
        super().ask()

    def between(self) -> bool:
        return not self._received

    def data_received(self, data: bytes) -> None:
        data = self._received + data if self._received else data
        self._received = data
        if not self._expected:
            end = data.find(b"\r\n\r\n")
            if end < 0:
                return
            if not data.startswith(b"HTTP/1.1 200 "):
                self.fail(data[:200].decode(errors="replace"))
                return
            length = _LENGTH.search(data, 0, end)
            self._expected = end + 4 + int(length.group(1)) if length else -1
        whole = data.endswith(_END) if self._expected < 0 else len(data) >= self._expected
        if whole:
            if self._tally.counting:
                self._tally.replies += 1
                self._tally.latencies_ns.append(time.perf_counter_ns() - self._asked_ns)
            self.ask()
        elif len(data) > MAX_REPLY_BYTES:
            self.fail("a reply is larger than 1 MiB")


class _StreamClient(_Client):
    def __init__(self, request: bytes, tally: Tally, advance: Advance) -> None:
        super().__init__(request, tally)
        self._advance = advance
        self._tail = b""
        self._chunks = 0
        self._slot = -1
        self._started = False
        self._done = False

    def ask(self) -> None:
        self._tail = b""
        self._chunks = 0
        self._slot = -1
        self._started = False
        self._done = False
        super().ask()

    def between(self) -> bool:
        return not self._started or self._done

    def data_received(self, data: bytes) -> None:
        if not self._started:
            self._started = True
            if not data.startswith(b"HTTP/1.1 200 "):
                self.fail(data[:200].decode(errors="replace"))
                return
        found = data.count(MARKER)
        if found:
            self._chunks += found
            if self._tally.counting:
                self._tally.chunks += found
                self._tally.reads += 1
            if self._slot < 0:
                at = data.find(MARKER) + 1
                digits = data[at : at + SLOT_DIGITS]
                self._slot = int(digits) if digits.isdigit() else -1
            self._advance(self._slot, found)
        tail = data if len(data) >= _TAIL_BYTES else self._tail + data
        self._tail = tail[-_TAIL_BYTES:]
        # A head may end in "0" and an empty line as well: but no chunk has come by then.
        if self._chunks and self._tail.endswith(_END):
            self._finish()

    def _finish(self) -> None:
        self._done = b"data: [DONE]" in _FRAME.sub(b"", self._tail)
        if self._chunks != CONTENT_CHUNKS:
            self.fail(f"a stream had {self._chunks} content chunks of {CONTENT_CHUNKS}")
        elif not self._done:
            self.fail("a stream ended without [DONE]")
        else:
            if self._tally.counting:
                self._tally.replies += 1
            self.ask()
