"""A reply goes out in few writes, in the form its client can read, and ends with its connection."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, cast

import pytest
import uvicorn

from headgate.intake.http.reply import REPLY, Reply
from headgate.intake.http.server_protocol import ServerProtocol

Application = Callable[[Reply, Any], Awaitable[None]]


@asynccontextmanager
async def serving(answer: Application, *, keep_alive_s: int = 5) -> AsyncIterator[tuple[str, int]]:
    """A real server, each of whose requests `answer` answers."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        del send
        await answer(scope["extensions"][REPLY], receive)

    async with running(application, keep_alive_s=keep_alive_s) as address:
        yield address


@asynccontextmanager
async def running(
    application: Any,
    *,
    keep_alive_s: int = 5,
    client_idle_s: float = 60.0,
    connections: list[set[Any]] | None = None,
) -> AsyncIterator[tuple[str, int]]:
    """A real server of `application`; `connections` gets the set of those that it has."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        application,
        http=cast("Any", partial(ServerProtocol, client_idle_s=client_idle_s)),
        ws="none",
        lifespan="off",
        log_config=None,
        timeout_keep_alive=keep_alive_s,
    )
    server = uvicorn.Server(config)
    if connections is not None:
        connections.append(server.server_state.connections)
    serve = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield listener.getsockname()[:2]
    finally:
        server.should_exit = True
        await serve
        listener.close()


async def exchange(address: tuple[str, int], request: bytes) -> bytes:
    """All that comes back until the server closes the connection."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(request)
    received = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    return received


def request(version: str = "1.1", *, close: bool = True) -> bytes:
    connection = "Connection: close\r\n" if close else ""
    return f"GET / HTTP/{version}\r\nHost: x\r\n{connection}\r\n".encode()


async def whole(reply: Reply, _receive: Any) -> None:
    await reply.whole(201, [(b"x-one", b"1")], b"body")


async def streamed(reply: Reply, _receive: Any) -> None:
    reply.begin(200, [(b"x-one", b"1")])
    for piece in (b"first", b"", b"second"):
        await reply.piece(piece)
    await reply.end(b"last")


async def test_a_whole_reply_has_its_length_and_the_date():
    async with serving(whole) as address:
        head, body = (await exchange(address, request())).split(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 201 Created"
    assert {b"x-one: 1", b"content-length: 4", b"connection: close"} <= set(lines)
    assert any(line.startswith(b"date: ") for line in lines)
    assert body == b"body"


async def test_a_stream_comes_in_chunks_and_ends():
    async with serving(streamed) as address:
        head, _, body = (await exchange(address, request())).partition(b"\r\n\r\n")
    assert b"transfer-encoding: chunked" in head
    assert body == b"5\r\nfirst\r\n6\r\nsecond\r\n4\r\nlast\r\n0\r\n\r\n"


async def test_http_1_0_gets_a_stream_without_chunks():
    async with serving(streamed) as address:
        head, _, body = (await exchange(address, request("1.0"))).partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head
    assert body == b"firstsecondlast"


async def test_a_stream_with_nothing_but_its_end_is_a_reply():
    async def empty(reply: Reply, _receive: Any) -> None:
        reply.begin(200, [])
        await reply.end(b"")

    async with serving(empty) as address:
        received = await exchange(address, request())
    assert received.startswith(b"HTTP/1.1 200 OK")
    assert received.endswith(b"\r\n\r\n0\r\n\r\n")


async def test_requests_in_a_pipeline_are_answered_in_order():
    count = 0

    async def counting(reply: Reply, _receive: Any) -> None:
        nonlocal count
        count += 1
        mine = count
        await asyncio.sleep(0.05 / mine)
        await reply.whole(200, [], b"%d" % mine)

    async with serving(counting) as address:
        sent = request(close=False) + request(close=False) + request()
        received = await exchange(address, sent)
    assert [part.partition(b"\r\n\r\n")[2][:1] for part in received.split(b"HTTP/1.1 ")[1:]] == [
        b"1",
        b"2",
        b"3",
    ]


async def test_a_client_that_leaves_is_noticed_at_once():
    noticed = asyncio.Event()

    async def waiting(reply: Reply, _receive: Any) -> None:
        gone = asyncio.Event()
        reply.on_gone = gone.set
        await asyncio.wait_for(gone.wait(), 5)
        assert reply.gone
        await reply.whole(200, [], b"nobody reads this")
        noticed.set()

    async with serving(waiting) as address:
        _, writer = await asyncio.open_connection(*address)
        writer.write(request(close=False))
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.close()
        await asyncio.wait_for(noticed.wait(), 5)


async def test_a_slow_reader_holds_the_writer_back():
    written = 0

    async def plenty(reply: Reply, _receive: Any) -> None:
        nonlocal written
        reply.begin(200, [])
        for _ in range(200):
            await reply.piece(b"x" * 1_000_000)
            written += 1
        await reply.end(b"")

    async with serving(plenty) as address:
        reader, writer = await asyncio.open_connection(*address, limit=1024)
        writer.write(request())
        await asyncio.sleep(0.5)
        assert written < 100
        writer.transport.abort()
        del reader


@pytest.mark.parametrize("value", [b"a\r\nx-injected: 1", b"a\nb", b"a\rb"])
async def test_a_line_end_in_a_header_is_refused(value: bytes, caplog: pytest.LogCaptureFixture):
    async def injecting(reply: Reply, _receive: Any) -> None:
        with pytest.raises(ValueError, match="line end"):
            await reply.whole(200, [(b"x-one", value)], b"")
        await reply.whole(500, [], b"refused")

    async with serving(injecting) as address:
        received = await exchange(address, request())
    assert received.endswith(b"refused")
    assert b"injected" not in received


def posting(*, expect: bool = False, target: str = "/") -> bytes:
    asks = "Expect: 100-continue\r\n" if expect else ""
    return f"POST {target} HTTP/1.1\r\nHost: x\r\n{asks}Content-Length: 6\r\n\r\n".encode()


async def echoing(reply: Reply, receive: Any) -> None:
    at_hand = reply.body_at_hand()
    parts = [b"at hand: " + at_hand] if at_hand is not None else []
    while at_hand is None:
        message = await receive()
        parts.append(message["body"])
        if not message["more_body"]:
            break
    await reply.whole(200, [], b"".join(parts))


async def test_a_body_that_came_with_its_head_is_at_hand():
    async with serving(echoing) as address:
        reader, writer = await asyncio.open_connection(*address)
        for _ in range(2):
            writer.write(posting() + b"abcdef")
            await asyncio.wait_for(reader.readuntil(b"at hand: abcdef"), 5)
        writer.close()


async def test_a_body_that_comes_in_pieces_is_received():
    async with serving(echoing) as address:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(posting() + b"ab")
        await asyncio.sleep(0.05)
        writer.write(b"cdef")
        received = await asyncio.wait_for(reader.readuntil(b"abcdef"), 5)
        assert b"at hand" not in received
        writer.close()


async def test_who_waits_to_be_told_to_go_on_is_told():
    async with serving(echoing) as address:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(posting(expect=True))
        told = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        assert told.startswith(b"HTTP/1.1 100 ")
        writer.write(b"abcdef")
        await asyncio.wait_for(reader.readuntil(b"abcdef"), 5)
        writer.close()


async def test_each_request_of_a_connection_has_its_own_address():
    seen: list[Any] = []

    async def application(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append((scope["method"], scope["path"], scope["raw_path"], scope["query_string"]))
        await scope["extensions"][REPLY].whole(200, [], b"seen")

    async with running(application) as address:
        reader, writer = await asyncio.open_connection(*address)
        for target in ("/a%20b?c=d", "/e", "/e", "/a%20b"):
            writer.write(posting(target=target) + b"abcdef")
            await asyncio.wait_for(reader.readuntil(b"seen"), 5)
        writer.close()
    assert seen == [
        ("POST", "/a b", b"/a%20b", b"c=d"),
        ("POST", "/e", b"/e", b""),
        ("POST", "/e", b"/e", b""),
        ("POST", "/a b", b"/a%20b", b""),
    ]


async def test_a_connection_is_closed_when_it_has_been_idle_since_its_last_request():
    async with serving(whole, keep_alive_s=1) as address:
        reader, writer = await asyncio.open_connection(*address)
        loop = asyncio.get_running_loop()
        for pause_s in (0.3, 0.0):
            asked_at_s = loop.time()
            writer.write(request(close=False))
            await asyncio.wait_for(reader.readuntil(b"body"), 5)
            await asyncio.sleep(pause_s)
        assert await asyncio.wait_for(reader.read(), 5) == b""
        assert loop.time() - asked_at_s > 0.9
        writer.close()


async def test_a_request_that_takes_longer_than_a_connection_may_be_idle_is_answered():
    async def slow(reply: Reply, _receive: Any) -> None:
        await asyncio.sleep(1.3)
        await reply.whole(200, [], b"body")

    async with serving(slow, keep_alive_s=1) as address:
        reader, writer = await asyncio.open_connection(*address)
        for _ in range(2):
            writer.write(request(close=False))
            await asyncio.wait_for(reader.readuntil(b"body"), 5)
        writer.close()


@pytest.mark.parametrize("close", [False, True])
async def test_an_answer_that_nobody_takes_is_not_kept_for_ever(close: bool):
    async def answer(scope: Any, _receive: Any, _send: Any) -> None:
        await scope["extensions"][REPLY].whole(200, [], bytes(32 * 1024 * 1024))

    connections: list[set[Any]] = []
    async with running(answer, client_idle_s=0.2, connections=connections) as address:
        with socket.create_connection(address) as client:
            client.sendall(request(close=close))
            async with asyncio.timeout(10):
                while not connections[0]:
                    await asyncio.sleep(0.01)
                while connections[0]:
                    await asyncio.sleep(0.01)
