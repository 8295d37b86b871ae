"""Certificates are checked, names are sent, and TLS failures say so."""

import asyncio
import ssl

import pytest

from headgate.gateway.upstream import UpstreamError


@pytest.fixture
def server_tls(cert_file, key_file):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert_file, key_file)
    return context


@pytest.fixture
def trusting(cert_file):
    return ssl.create_default_context(cafile=cert_file)


async def echoing(peer):
    while True:
        _, body = await peer.request()
        await peer.answer(body)


async def test_a_trusted_server_is_spoken_to_and_kept(
    make_client, serve, post, server_tls, trusting
):
    names = []
    server_tls.sni_callback = lambda connection, name, context: names.append(name)
    server = await serve(echoing, tls=server_tls)
    client = make_client(ssl_context=trusting)
    origin = server.origin("https", "localhost")
    for body in (b"small", b"large" * 200_000, b"again"):
        assert await (await post(client, origin, body)).read(2_000_000) == body
    assert len(server.peers) == 1
    assert names == ["localhost"]


async def test_an_origins_own_trust_goes_before_the_clients(
    client, serve, post, server_tls, trusting
):
    server = await serve(echoing, tls=server_tls)
    origin = server.origin("https", "localhost", ssl_context=trusting)
    assert await (await post(client, origin, b"hi")).read(10) == b"hi"


async def test_ssl_cert_file_is_honoured(client, serve, post, server_tls, cert_file, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(cert_file))
    server = await serve(echoing, tls=server_tls)
    reply = await post(client, server.origin("https", "localhost"), b"hi")
    assert await reply.read(10) == b"hi"


async def test_an_unknown_certificate_is_refused(client, serve, post, server_tls):
    server = await serve(echoing, tls=server_tls)
    with pytest.raises(UpstreamError) as caught:
        await post(client, server.origin("https", "localhost"))
    assert caught.value.kind == "tls"
    assert caught.value.safe_to_retry
    assert "certificate" in str(caught.value).lower()


async def test_another_servers_certificate_is_refused(
    make_client, serve, post, server_tls, trusting
):
    server = await serve(echoing, tls=server_tls)
    client = make_client(ssl_context=trusting)
    with pytest.raises(UpstreamError) as caught:
        await post(client, server.origin("https", "127.0.0.1"))
    assert caught.value.kind == "tls"


async def test_a_server_without_tls_is_a_tls_error(client, serve, post):
    async def script(peer):
        await peer.reader.read(100)
        await peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    server = await serve(script)
    with pytest.raises(UpstreamError) as caught:
        await post(client, server.origin("https", "localhost"))
    assert caught.value.kind == "tls"
    assert caught.value.safe_to_retry


async def test_a_handshake_that_hangs_is_a_connect_timeout(client, serve, post):
    gone = asyncio.Event()

    async def script(peer):
        await peer.gone()
        gone.set()

    server = await serve(script)
    with pytest.raises(UpstreamError) as caught:
        await post(client, server.origin("https", "localhost"), connect_s=0.5)
    assert caught.value.kind == "connect_timeout"
    async with asyncio.timeout(10):
        await gone.wait()


async def test_a_cut_and_a_cancel_work_through_tls(make_client, serve, post, server_tls, trusting):
    gone = asyncio.Event()

    async def script(peer):
        _, body = await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        if body == b"stall":
            await peer.gone()
            gone.set()

    server = await serve(script, tls=server_tls)
    client = make_client(ssl_context=trusting)
    origin = server.origin("https", "localhost")
    reply = await post(client, origin, b"cut")
    with pytest.raises(UpstreamError) as caught:
        await reply.read(100)
    assert caught.value.kind == "cut"
    reply = await post(client, origin, b"stall")
    assert await reply.next_chunk() == b"half"
    reply.abort()
    async with asyncio.timeout(1):
        await gone.wait()


async def test_back_pressure_works_through_tls(make_client, serve, post, server_tls, trusting):
    sent = []

    async def script(peer):
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (512 * 65536))
        for _ in range(512):
            await peer.send(b"x" * 65536)
            sent.append(65536)

    server = await serve(script, tls=server_tls)
    client = make_client(ssl_context=trusting)
    reply = await post(client, server.origin("https", "localhost"))
    received = len(await reply.next_chunk())
    await asyncio.sleep(0.3)
    assert sum(sent) < 24 * 1024 * 1024
    while chunk := await reply.next_chunk():
        received += len(chunk)
    assert received == 512 * 65536
