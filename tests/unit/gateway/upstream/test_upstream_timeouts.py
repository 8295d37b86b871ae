"""Each limit fires when it should, near the time it says, and never for somebody else's fault."""

import asyncio
import socket
import threading
import time

import pytest

from headgate.gateway.upstream import Origin, Timeouts, UpstreamError

LATE_S = 2.0
"""How late a timeout may be seen here: the sweep promises 0.1 s, a busy machine adds to it.

Without the limit that is tried, each of these would wait for 30 s or more.
"""

EARLY_S = 0.002
"""uvloop counts its timers in whole milliseconds."""

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"


def test_the_defaults_are_those_of_the_documentation():
    limits = Timeouts()
    assert (limits.connect_s, limits.first_byte_s, limits.idle_s, limits.total_s) == (
        5,
        30,
        30,
        600,
    )


@pytest.fixture
async def mute(serve):
    """A server that sends `server.response` and then nothing; knows when the client has gone."""

    async def script(peer):
        await peer.request()
        if server.response:
            await peer.send(server.response)
        await peer.gone()
        server.gone.set()

    server = await serve(script)
    server.response = b""
    server.gone = asyncio.Event()
    return server


@pytest.mark.parametrize("limit_s", [0.05, 0.2])
@pytest.mark.parametrize("response", [b"", b"HTTP/1.1 200 OK\r\nConte", b"HTTP/1.1 100 C\r\n\r\n"])
async def test_a_missing_head_is_a_first_byte_timeout(
    client, mute, post, stopwatch, limit_s, response
):
    mute.response = response
    with stopwatch() as watch, pytest.raises(UpstreamError) as caught:
        await post(client, mute.origin(), first_byte_s=limit_s)
    assert caught.value.kind == "first_byte_timeout"
    assert not caught.value.safe_to_retry
    assert limit_s <= watch.elapsed_s < limit_s + LATE_S
    async with asyncio.timeout(1):
        await mute.gone.wait()


@pytest.mark.parametrize("limit_s", [0.05, 0.2])
@pytest.mark.parametrize("how", ["read", "next_chunk"])
async def test_a_body_that_stands_still_is_an_idle_timeout(
    client, mute, post, stopwatch, limit_s, how
):
    mute.response = HEAD
    reply = await post(client, mute.origin(), idle_s=limit_s)
    with stopwatch() as watch, pytest.raises(UpstreamError) as caught:
        await (reply.read(2_000_000) if how == "read" else reply.next_chunk())
    assert caught.value.kind == "idle_timeout"
    assert limit_s * 0.9 <= watch.elapsed_s < limit_s + LATE_S
    async with asyncio.timeout(1):
        await mute.gone.wait()


async def test_a_slow_but_steady_body_is_not_idle(client, serve, post):
    async def script(peer):
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n")
        for _ in range(8):
            await asyncio.sleep(0.05)
            await peer.send(b"x")

    server = await serve(script)
    reply = await post(client, server.origin(), idle_s=0.2)
    assert await reply.read(10) == b"x" * 8


async def test_a_slow_consumer_is_not_an_idle_upstream(client, serve, post):
    async def script(peer):
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
        await asyncio.sleep(0.35)
        await peer.send(b"cd")

    server = await serve(script)
    reply = await post(client, server.origin(), idle_s=0.1)
    assert await reply.next_chunk() == b"ab"
    await asyncio.sleep(0.3)
    assert await reply.next_chunk() == b"cd"


async def test_the_total_limit_holds_for_a_body_that_keeps_coming(client, serve, post, stopwatch):
    async def script(peer):
        await peer.request()
        await peer.send(HEAD)
        while True:
            await peer.send(b"x")
            await asyncio.sleep(0.01)

    server = await serve(script)

    async def read_on(reply):
        while await reply.next_chunk():
            pass

    with stopwatch() as watch:
        reply = await post(client, server.origin(), total_s=0.3)
        with pytest.raises(UpstreamError) as caught:
            await read_on(reply)
    assert caught.value.kind == "total_timeout"
    assert 0.3 <= watch.elapsed_s < 0.3 + LATE_S


async def test_the_total_limit_frees_a_reply_that_nobody_reads(client, mute, post):
    mute.response = HEAD + b"x" * 900_000
    reply = await post(client, mute.origin(), total_s=0.1)
    async with asyncio.timeout(1):
        await mute.gone.wait()
    with pytest.raises(UpstreamError) as caught:
        await reply.read(2_000_000)
    assert caught.value.kind == "total_timeout"


async def test_the_total_limit_counts_from_the_call_even_while_waiting_for_a_connection(
    make_client, mute, post, stopwatch
):
    client = make_client(max_connections_per_origin=1)
    first = asyncio.create_task(post(client, mute.origin()))
    await asyncio.sleep(0.02)
    with stopwatch() as watch, pytest.raises(UpstreamError) as caught:
        await post(client, mute.origin(), total_s=0.1)
    assert caught.value.kind == "total_timeout"
    assert caught.value.safe_to_retry
    assert watch.elapsed_s < 0.1 + LATE_S
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)


@pytest.fixture
def deaf():
    """A port whose accept queue is full: connecting to it hangs, as behind a dropping firewall."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
            fillers.append(filler)
        yield listener.getsockname()[1]
        for filler in fillers:
            filler.close()


async def test_an_unanswered_connect_is_a_connect_timeout(client, post, stopwatch, deaf):
    with stopwatch() as watch, pytest.raises(UpstreamError) as caught:
        await post(client, Origin.parse(f"http://127.0.0.1:{deaf}"), connect_s=0.15)
    assert caught.value.kind == "connect_timeout"
    assert caught.value.safe_to_retry
    assert 0.15 - EARLY_S <= watch.elapsed_s < 0.15 + LATE_S


async def test_a_deaf_address_does_not_hold_up_a_good_one(
    client, serve, post, stopwatch, deaf, monkeypatch
):
    async def script(peer):
        await peer.request()
        await peer.answer()

    server = await serve(script)

    async def resolve(loop, host, port):
        return [(socket.AF_INET, ("127.0.0.1", at)) for at in (deaf, server.port)]

    monkeypatch.setattr("headgate.gateway.upstream.dialing._resolve", resolve)
    with stopwatch() as watch:
        reply = await post(client, Origin.parse("http://two-addresses.test"))
    assert await reply.read(10) == b"ok"
    assert 0.2 < watch.elapsed_s < 0.25 + LATE_S


async def test_a_refusing_address_hands_over_at_once(client, serve, post, stopwatch, monkeypatch):
    async def script(peer):
        await peer.request()
        await peer.answer()

    server = await serve(script)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        refusing = unused.getsockname()[1]

        async def resolve(loop, host, port):
            return [(socket.AF_INET, ("127.0.0.1", at)) for at in (refusing, server.port)]

        monkeypatch.setattr("headgate.gateway.upstream.dialing._resolve", resolve)
        monkeypatch.setattr("headgate.gateway.upstream.dialing._STAGGER_S", 4.0)
        with stopwatch() as watch:
            reply = await post(client, Origin.parse("http://two-addresses.test"))
        assert await reply.read(10) == b"ok"
        assert watch.elapsed_s < 3


async def test_all_addresses_refusing_is_a_connect_error(client, post, monkeypatch):
    with socket.socket() as one, socket.socket() as other:
        ports = []
        for unused in (one, other):
            unused.bind(("127.0.0.1", 0))
            ports.append(unused.getsockname()[1])

        async def resolve(loop, host, port):
            return [(socket.AF_INET, ("127.0.0.1", at)) for at in ports]

        monkeypatch.setattr("headgate.gateway.upstream.dialing._resolve", resolve)
        with pytest.raises(UpstreamError) as caught:
            await post(client, Origin.parse("http://two-addresses.test"))
        assert caught.value.kind == "connect"


async def test_a_slow_upload_is_not_a_late_answer(client, serve, post):
    async def script(peer):
        await peer.reader.readuntil(b"\r\n\r\n")
        left = 16 * 1024 * 1024
        while left:
            received = await peer.reader.read(min(left, 512 * 1024))
            left -= len(received)
            await asyncio.sleep(0.01)
        await peer.answer(b"all")

    server = await serve(script)
    reply = await post(client, server.origin(), b"x" * (16 * 1024 * 1024), first_byte_s=0.15)
    assert await reply.read(10) == b"all"


async def test_an_upload_that_stands_still_is_given_up(client, serve, post, stopwatch):
    async def script(peer):
        await asyncio.sleep(5)

    server = await serve(script)
    body = b"x" * (32 * 1024 * 1024)
    with stopwatch() as watch, pytest.raises(UpstreamError) as caught:
        await post(client, server.origin(), body, first_byte_s=0.1, idle_s=0.1)
    assert caught.value.kind == "first_byte_timeout"
    assert watch.elapsed_s < 3


@pytest.fixture
def punctual():
    """A server in its own thread that answers after 50 ms, whatever our loop does."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run():
            listener.settimeout(5)
            accepted, _ = listener.accept()
            with accepted:
                accepted.settimeout(5)
                accepted.recv(65536)
                time.sleep(0.05)
                accepted.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

        thread = threading.Thread(target=run)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


async def test_a_loop_that_was_held_up_does_not_blame_the_upstream(make_client, punctual, post):
    client = make_client()
    origin = Origin.parse(f"http://127.0.0.1:{punctual}")
    task = asyncio.create_task(post(client, origin, first_byte_s=0.2))
    await asyncio.sleep(0.02)
    # From a socket's callback: what uvloop runs next are the timers, and only then the sockets.
    near, far = socket.socketpair()
    loop = asyncio.get_running_loop()

    def hold_up():
        loop.remove_reader(near)
        time.sleep(0.5)

    loop.add_reader(near, hold_up)
    far.send(b"!")
    assert await (await task).read(10) == b"ok"
    near.close()
    far.close()
