"""An HTTP proxy is used when the environment says so, and only then."""

import asyncio
import ssl

import pytest

from headgate.gateway.upstream import Origin, Proxy, UpstreamError
from headgate.gateway.upstream.proxy import ProxyRules


@pytest.fixture
async def proxy(serve):
    """A tiny proxy: tunnels everything to `server.destination`, or answers requests by itself."""

    async def script(peer):
        head = (await peer.reader.readuntil(b"\r\n\r\n"))[:-4]
        server.heads.append(head)
        if not head.startswith(b"CONNECT "):
            await peer.answer(b"by the proxy")
            return
        if server.answer is not None:
            await peer.send(server.answer)
            if server.stays:
                await peer.gone()
            return
        reader, writer = await asyncio.open_connection("127.0.0.1", server.destination)
        await peer.send(b"HTTP/1.1 200 Connection Established\r\nVia: test\r\n\r\n")

        async def pump(source, sink):
            try:
                while data := await source.read(65536):
                    sink.write(data)
                    await sink.drain()
            except ConnectionError:
                pass
            finally:
                sink.close()

        await asyncio.gather(pump(reader, peer.writer), pump(peer.reader, writer))

    server = await serve(script)
    server.heads = []
    server.answer = None
    server.stays = True
    server.destination = 0
    server.url = f"http://user:p%40ss@127.0.0.1:{server.port}"
    return server


@pytest.fixture
async def secure(serve, cert_file, key_file):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert_file, key_file)

    async def script(peer):
        while True:
            _, body = await peer.request()
            await peer.answer(body)

    return await serve(script, tls=context)


@pytest.fixture
def trusting(cert_file):
    return ssl.create_default_context(cafile=cert_file)


async def test_https_goes_through_a_tunnel(make_client, post, proxy, secure, trusting, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    proxy.destination = secure.port
    client = make_client(trust_env=True, ssl_context=trusting)
    origin = Origin.parse("https://upstream.test/v1")
    for _ in range(2):
        assert await (await post(client, origin, b"hello")).read(10) == b"hello"
    assert len(proxy.heads) == 1
    assert proxy.heads[0].split(b"\r\n") == [
        b"CONNECT upstream.test:443 HTTP/1.1",
        b"Host: upstream.test:443",
        b"Proxy-Authorization: Basic dXNlcjpwQHNz",
    ]


async def test_http_asks_the_proxy_for_the_whole_url(make_client, post, proxy, monkeypatch):
    monkeypatch.setenv("http_proxy", proxy.url)
    client = make_client(trust_env=True)
    reply = await post(client, Origin.parse("http://upstream.test:8080/v1"), b"")
    assert await reply.read(100) == b"by the proxy"
    lines = proxy.heads[0].split(b"\r\n")
    assert lines[0] == b"POST http://upstream.test:8080/v1/x HTTP/1.1"
    assert b"Host: upstream.test:8080" in lines
    assert b"Proxy-Authorization: Basic dXNlcjpwQHNz" in lines


async def test_an_origins_own_proxy_needs_no_environment(client, post, proxy):
    origin = Origin.parse("http://upstream.test/v1", proxy=Proxy.parse(proxy.url))
    assert await (await post(client, origin, b"")).read(100) == b"by the proxy"


async def test_the_environment_is_ignored_unless_trusted(make_client, post, proxy, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    client = make_client(trust_env=False)
    with pytest.raises(UpstreamError) as caught:
        await post(client, Origin.parse("http://upstream.invalid/v1"), b"")
    assert caught.value.kind == "dns"
    assert not proxy.heads


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 502 Bad Gateway\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nalready talking",
        b"HTTP/1.1 200 OK\r\n\r\nalready talking\r\n\r\n",
        b"HTTP/1.1 20",
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 4000,
    ],
)
async def test_a_proxy_that_opens_no_tunnel_is_a_connect_error(
    client, post, proxy, trusting, answer
):
    proxy.answer = answer
    proxy.stays = b"\r\n\r\n" in answer
    origin = Origin.parse(
        "https://upstream.test/v1", proxy=Proxy.parse(proxy.url), ssl_context=trusting
    )
    with pytest.raises(UpstreamError) as caught:
        await post(client, origin)
    assert caught.value.kind == "connect"
    assert caught.value.safe_to_retry
    assert "p@ss" not in str(caught.value)


async def test_a_proxy_that_never_answers_is_a_connect_timeout(client, post, proxy, trusting):
    proxy.answer = b"HTTP/1.1 200"
    origin = Origin.parse(
        "https://upstream.test/v1", proxy=Proxy.parse(proxy.url), ssl_context=trusting
    )
    with pytest.raises(UpstreamError) as caught:
        await post(client, origin, connect_s=0.15)
    assert caught.value.kind == "connect_timeout"


@pytest.mark.parametrize(
    ("no_proxy", "host", "port", "proxied"),
    [
        ("", "api.openai.com", 443, True),
        ("", "localhost", 443, False),
        ("", "127.0.0.9", 443, False),
        ("", "::1", 443, False),
        ("*", "api.openai.com", 443, False),
        ("openai.com", "api.openai.com", 443, False),
        (".openai.com", "api.openai.com", 443, False),
        ("*.openai.com", "api.openai.com", 443, False),
        ("openai.com", "notopenai.com", 443, True),
        ("other.com, API.OpenAI.com ", "api.openai.com", 443, False),
        ("api.openai.com:443", "api.openai.com", 443, False),
        ("api.openai.com:8443", "api.openai.com", 443, True),
        ("10.0.0.0/8", "10.1.2.3", 443, False),
        ("10.0.0.0/8", "11.1.2.3", 443, True),
        ("10.1.2.3", "10.1.2.3", 443, False),
        ("fd00::/8", "fd00::5", 443, False),
        ("fd00::5", "fd00:0::5", 443, False),
        ("[fd00::5]:443", "fd00::5", 443, False),
        ("[fd00::5]:80", "fd00::5", 443, True),
        ("10.0.0.0/8", "ten.example", 443, True),
        ("not/a/network", "api.openai.com", 443, True),
    ],
)
def test_no_proxy_names_exceptions(no_proxy, host, port, proxied):
    rules = ProxyRules({"HTTPS_PROXY": "proxy.corp:3128", "NO_PROXY": no_proxy})
    found = rules.proxy_for("https", host, port)
    assert found == (Proxy("proxy.corp", 3128) if proxied else None)
    assert rules.proxy_for("http", host, port) is None


def test_lower_case_names_go_first():
    rules = ProxyRules({"https_proxy": "http://small:1", "HTTPS_PROXY": "http://big:2"})
    assert rules.proxy_for("https", "a.test", 443) == Proxy("small", 1)
    rules = ProxyRules({"https_proxy": "", "HTTPS_PROXY": "http://big:2"})
    assert rules.proxy_for("https", "a.test", 443) is None


def test_a_cgi_request_cannot_choose_the_proxy():
    rules = ProxyRules({"HTTP_PROXY": "http://evil:1", "REQUEST_METHOD": "GET"})
    assert rules.proxy_for("http", "a.test", 80) is None


@pytest.mark.parametrize("url", ["socks5://p:1080", "https://p:443", "http://"])
def test_a_proxy_we_cannot_speak_to_is_refused_when_the_client_is_made(
    make_client, monkeypatch, url
):
    monkeypatch.setenv("HTTPS_PROXY", url)
    with pytest.raises(ValueError, match="prox"):
        make_client(trust_env=True)


def test_a_proxys_password_is_not_shown():
    assert "Basic" not in repr(Proxy.parse("http://user:secret@proxy:1"))
    assert "secret" not in repr(Proxy.parse("http://user:secret@proxy:1"))
