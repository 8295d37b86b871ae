import asyncio
import time
from pathlib import Path
from typing import Self

import pytest
import uvloop
from raw_server import RawServer

from headgate.gateway.upstream import Timeouts, UpstreamClient

HERE = Path(__file__).parent


def pytest_asyncio_loop_factories(config, item):
    """Every test runs on both loops: the server uses one, a user's script may use the other."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
async def serve():
    servers = []

    async def start(script, *, host="127.0.0.1", tls=None):
        server = RawServer(script)
        await server.start(host, tls)
        servers.append(server)
        return server

    yield start
    for server in servers:
        await server.stop()


@pytest.fixture
async def make_client():
    clients = []

    def make(**settings):
        client = UpstreamClient(**{"trust_env": False, **settings})
        clients.append(client)
        return client

    yield make
    for client in clients:
        await client.close()


@pytest.fixture
def client(make_client):
    return make_client()


@pytest.fixture
def post():
    """`await post(client, origin)`: one request with a small body."""

    async def send(client, origin, body=b"{}", headers=b"x-test: 1\r\n", **limits):
        timeouts = Timeouts(**{"connect_s": 5, "first_byte_s": 5, "idle_s": 5, **limits})
        return await client.send(origin, b"POST", origin.target("/x"), headers, body, timeouts)

    return send


class Stopwatch:
    def __enter__(self) -> Self:
        self.began_s = time.monotonic()
        return self

    def __exit__(self, *_) -> None:
        self.elapsed_s = time.monotonic() - self.began_s


@pytest.fixture
def stopwatch():
    return Stopwatch


@pytest.fixture
def cert_file():
    """A certificate for localhost and upstream.test that no one trusts by itself."""
    return HERE / "localhost-test-only.cert.pem"


@pytest.fixture
def key_file():
    return HERE / "localhost-test-only.key.pem"
