"""A websocket to a provider: its handshake, its refusals, its end, and the way to it."""

import asyncio
import contextlib
import logging
import ssl

import pytest
from websockets.asyncio.server import serve as serve_websockets

from headgate.gateway.upstream import Origin, Proxy, UpstreamError
from headgate.gateway.upstream.websocket import HandshakeRefused, open_websocket

HEADERS = b"authorization: Bearer sk-1\r\ncontent-type: application/json\r\nx-via: here\r\n"


async def dial(origin, **more):
    options = {"proxy": None, "tls": None, "max_message_bytes": 1000, "max_waiting": 4}
    options |= {"connect_s": 2, "answer_s": 2, **more}
    return await open_websocket(origin, b"/v1/realtime?model=m", HEADERS, **options)


@pytest.fixture
async def echo():
    """A server that repeats what it is told; `asked` holds its handshakes."""
    asked = []

    async def session(connection):
        asked.append(connection.request)
        async for message in connection:
            await connection.send(message)

    @contextlib.asynccontextmanager
    async def start(**options):
        async with serve_websockets(session, "127.0.0.1", 0, **options) as server:
            yield server.sockets[0].getsockname()[1], asked

    return start


def origin_at(port, scheme="http", host="127.0.0.1"):
    return Origin.parse(f"{scheme}://{host}:{port}/v1")


async def test_messages_go_both_ways_and_the_headers_are_ours(echo):
    async with echo() as (port, asked):
        socket = await dial(origin_at(port))
        await socket.send('{"a":"ü"}'.encode())
        assert await socket.receive() == '{"a":"ü"}'.encode()
        assert socket.handshake.status == 101
        await socket.close()
    (request,) = asked
    assert request.path == "/v1/realtime?model=m"
    assert request.headers["authorization"] == "Bearer sk-1"
    assert request.headers["x-via"] == "here"
    assert "content-type" not in request.headers
    assert "user-agent" not in request.headers
    assert "sec-websocket-extensions" not in request.headers


async def test_a_refusal_comes_with_its_body(serve):
    async def script(peer):
        await peer.request()
        await peer.answer(b'{"error":1}', status=429, headers=b"Retry-After: 3\r\n")

    server = await serve(script)
    with pytest.raises(HandshakeRefused) as raised:
        await dial(server.origin())
    answer = raised.value.handshake
    assert (answer.status, answer.body) == (429, b'{"error":1}')
    assert answer.header(b"retry-after") == b"3"
    assert answer.header(b"x-other") is None


async def test_a_redirect_is_not_followed_so_the_key_goes_nowhere_else(serve, echo):
    async with echo() as (port, asked):

        async def script(peer):
            await peer.request()
            headers = b"Location: ws://127.0.0.1:%d/v1/realtime\r\n" % port
            await peer.answer(status=302, headers=headers)

        server = await serve(script)
        with pytest.raises(HandshakeRefused) as raised:
            await dial(server.origin())
        assert raised.value.handshake.status == 302
        assert asked == []
        assert len(server.peers) == 1


@pytest.mark.parametrize(
    ("answer", "kinds"),
    [
        (b"SSH-2.0-OpenSSH\r\n\r\n", ("protocol", "reset")),
        (b"", ("protocol", "reset")),
        (b"HTTP/1.1 101 Fine\r\nUpgrade: websocket\r\n\r\n", ("protocol",)),
    ],
)
async def test_what_is_no_handshake_is_a_failure_of_the_wire(serve, answer, kinds):
    async def script(peer):
        await peer.request()
        await peer.send(answer)

    server = await serve(script)
    with pytest.raises(UpstreamError) as raised:
        await dial(server.origin())
    assert raised.value.kind in kinds


async def test_a_handshake_has_a_deadline(serve, stopwatch):
    left = asyncio.Event()

    async def script(peer):
        await peer.gone()
        left.set()

    server = await serve(script)
    with stopwatch() as watch, pytest.raises(UpstreamError) as raised:
        await dial(server.origin(), answer_s=0.2)
    assert raised.value.kind == "first_byte_timeout"
    assert watch.elapsed_s < 2
    async with asyncio.timeout(2):
        await left.wait()


async def test_nobody_there_is_said_so():
    with pytest.raises(UpstreamError) as raised:
        await dial(origin_at(9))
    assert raised.value.kind == "connect"
    assert raised.value.safe_to_retry


async def test_a_message_that_is_too_large_ends_it(serve):
    async def session(connection):
        await connection.send("x" * 2000)
        await connection.wait_closed()

    async with serve_websockets(session, "127.0.0.1", 0) as server:
        socket = await dial(origin_at(server.sockets[0].getsockname()[1]))
        with pytest.raises(UpstreamError) as raised:
            await socket.receive()
        assert raised.value.kind == "too_large"
        await socket.close()


async def test_its_end_is_told_with_the_providers_code():
    async def session(connection):
        await connection.recv()
        await connection.close(1001, "enough")

    async with serve_websockets(session, "127.0.0.1", 0) as server:
        socket = await dial(origin_at(server.sockets[0].getsockname()[1]))
        assert socket.closed_by_provider is None
        await socket.send(b"end it")
        with pytest.raises(UpstreamError) as raised:
            await socket.receive()
        assert raised.value.kind == "cut"
        assert socket.closed_by_provider == 1001
        with pytest.raises(UpstreamError):
            await socket.send(b"late")
        await socket.close()


async def test_certificates_are_checked(echo, cert_file, key_file):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(cert_file, key_file)
    async with echo(ssl=tls) as (port, asked):
        origin = origin_at(port, "https", "localhost")
        with pytest.raises(UpstreamError) as raised:
            await dial(origin, tls=ssl.create_default_context())
        assert raised.value.kind == "tls"
        socket = await dial(origin, tls=ssl.create_default_context(cafile=cert_file))
        await socket.send(b"x")
        assert await socket.receive() == b"x"
        await socket.close()
    assert len(asked) == 1


async def test_a_proxy_is_asked_for_a_tunnel(serve, echo):
    heads = []
    async with echo() as (port, asked):

        async def script(peer):
            heads.append((await peer.reader.readuntil(b"\r\n\r\n"))[:-4])
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            await peer.send(b"HTTP/1.1 200 Connection Established\r\n\r\n")

            async def pump(source, sink):
                with contextlib.suppress(ConnectionError):
                    while data := await source.read(65536):
                        sink.write(data)
                sink.close()

            await asyncio.gather(pump(reader, peer.writer), pump(peer.reader, writer))

        server = await serve(script)
        proxy = Proxy.parse(f"http://user:secret@127.0.0.1:{server.port}")
        socket = await dial(Origin.parse("http://provider.example/v1"), proxy=proxy)
        await socket.send(b"x")
        assert await socket.receive() == b"x"
        await socket.close()
    assert heads[0].startswith(b"CONNECT provider.example:80 HTTP/1.1")
    assert b"Proxy-Authorization: Basic" in heads[0]
    assert asked[0].headers["host"] == "provider.example"


async def test_the_log_shows_neither_the_key_nor_what_is_said(echo, caplog):
    caplog.set_level("DEBUG")
    async with echo(logger=logging.getLogger("the-provider-of-this-test")) as (port, _):
        socket = await dial(origin_at(port))
        await socket.send(b'"a word in confidence"')
        await socket.receive()
        await socket.close()
    ours = [one for one in caplog.records if one.name != "the-provider-of-this-test"]
    told = " ".join(one.getMessage() for one in ours)
    assert "sk-1" not in told
    assert "confidence" not in told
    assert len(ours) < len(caplog.records), "the library tells all of it where it may"
