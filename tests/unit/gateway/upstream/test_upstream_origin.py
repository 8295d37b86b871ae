"""What a base URL may be, and what it becomes."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.gateway.upstream import Origin


@pytest.mark.parametrize(
    ("url", "scheme", "host", "port", "path", "authority"),
    [
        ("https://api.openai.com/v1", "https", "api.openai.com", 443, b"/v1", b"api.openai.com"),
        ("https://api.openai.com/v1/", "https", "api.openai.com", 443, b"/v1", b"api.openai.com"),
        ("http://LOCALHOST:8080", "http", "localhost", 8080, b"", b"localhost:8080"),
        ("http://h:80/a/b", "http", "h", 80, b"/a/b", b"h"),
        ("https://h:80", "https", "h", 80, b"", b"h:80"),
        ("http://[::1]:9000/v1", "http", "::1", 9000, b"/v1", b"[::1]:9000"),
        ("https://bücher.example/v1", "https", "xn--bcher-kva.example", 443, b"/v1", None),
    ],
)
def test_a_base_url_is_taken_apart(url, scheme, host, port, path, authority):
    origin = Origin.parse(url)
    assert (origin.scheme, origin.host, origin.port, origin.path) == (scheme, host, port, path)
    assert origin.authority == (authority or host.encode())
    assert origin.target("/chat/completions") == path + b"/chat/completions"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.openai.com/v1",
        "ftp://api.openai.com",
        "https://",
        "https://user:secret@api.openai.com/v1",
        "https://api.openai.com/v1?key=secret",
        "https://api.openai.com/v1#part",
        "https://api.openai.com:0/v1",
        "https://api.openai.com:99999/v1",
        "https://api.openai.com:x/v1",
        "https://api.openai.com/v 1",
        "https://api.openai.com/v1\r\nX: y",
        "https://api.openai.com\n/v1",
        "https://api.openai.com/ü",
        "https://fe80::1%eth0/v1",
        "https://[fe80::1%25eth0]/v1",
    ],
)
def test_a_base_url_that_cannot_be_meant_is_refused(url):
    with pytest.raises(ValueError) as caught:
        Origin.parse(url)
    assert "secret" not in str(caught.value)


@given(st.text(max_size=40))
def test_no_target_breaks_out_of_the_request_line(suffix):
    origin = Origin.parse("http://h/v1")
    try:
        target = origin.target("/" + suffix)
    except ValueError:
        assert any(not "!" <= letter <= "~" for letter in suffix)
    else:
        assert all(0x21 <= byte <= 0x7E for byte in target)


def test_a_target_begins_with_a_slash():
    with pytest.raises(ValueError, match="begins with"):
        Origin.parse("http://h/v1").target("chat")


def test_equal_origins_share_a_pool_key():
    one, other = Origin.parse("https://h/v1"), Origin.parse("https://h/v1/")
    assert one == other
    assert hash(one) == hash(other)
    assert one != Origin.parse("http://h/v1")
    assert one != Origin.parse("https://h:444/v1")


@pytest.mark.skipif(not socket.has_ipv6, reason="this Python knows no IPv6")
async def test_ipv6_origins_work(client, serve, post):
    async def script(peer):
        head, _ = await peer.request()
        await peer.answer(head.split(b"\r\n")[1])

    try:
        server = await serve(script, host="::1")
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    reply = await post(client, server.origin(host="[::1]"))
    assert await reply.read(100) == b"Host: [::1]:%d" % server.port
