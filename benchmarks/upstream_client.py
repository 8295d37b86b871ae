"""The CPU cost of a call through the upstream client, beside the same call through aiohttp.

Run `python benchmarks/upstream_client.py`. A raw server in a second process answers 1 KiB to a
600-byte request, on loopback; the figure is CPU time of the client's process per call. aiohttp is
measured where it is installed. Bounded: about fifteen seconds.
"""

import asyncio
import importlib.util
import resource
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from typing import cast

import uvloop

from headgate.gateway.upstream import Origin, Timeouts, UpstreamClient

CALLS = 10_000
ROUNDS = 4
CONNECTIONS = (1, 32, 128)
BODY = b"x" * 600
REPLY = (
    b"HTTP/1.1 200 OK\r\nDate: Mon, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: application/json\r\n"
    b"Content-Length: 1024\r\nX-Request-Id: req_0123456789abcdef\r\nOpenAI-Processing-Ms: 12\r\n"
    b"X-RateLimit-Limit-Requests: 10000\r\nX-RateLimit-Remaining-Requests: 9999\r\n"
    b"Server: raw\r\n\r\n" + b"y" * 1024
)

Call = Callable[[], Awaitable[None]]


class RawServer(asyncio.Protocol):
    """Answers every read with one reply; requests are small enough to arrive in one piece."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write."""
        self.transport = cast(asyncio.WriteTransport, transport)

    def data_received(self, _: bytes) -> None:
        """Answer."""
        self.transport.write(REPLY)


async def serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(RawServer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        # The parent's end of the pipe closes when it ends, however it ends.
        await loop.run_in_executor(None, sys.stdin.read)


async def cost_us(call: Call, connections: int) -> tuple[float, float]:
    """CPU microseconds per call (the best round) and calls per second in that round."""

    async def work(count: int) -> None:
        for _ in range(count):
            await call()

    await asyncio.gather(*(work(20) for _ in range(connections)))
    best = (float("inf"), 0.0)
    for _ in range(ROUNDS):
        before, began_s = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        await asyncio.gather(*(work(CALLS // connections) for _ in range(connections)))
        elapsed_s, after = time.perf_counter() - began_s, resource.getrusage(resource.RUSAGE_SELF)
        calls = CALLS // connections * connections
        cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        best = min(best, (cpu_s / calls * 1e6, calls / elapsed_s))
    return best


async def measure_headgate(port: int, connections: int) -> tuple[float, float]:
    client = UpstreamClient(trust_env=False)
    origin = Origin.parse(f"http://127.0.0.1:{port}/v1")
    target = origin.target("/chat/completions")
    headers = b"authorization: Bearer x\r\ncontent-type: application/json\r\n"
    limits = Timeouts()

    async def call() -> None:
        reply = await client.send(origin, b"POST", target, headers, BODY, limits)
        if len(await reply.read(1 << 20)) != 1024:
            raise RuntimeError("not the reply")

    try:
        return await cost_us(call, connections)
    finally:
        await client.close()


async def measure_aiohttp(port: int, connections: int) -> tuple[float, float]:
    import aiohttp  # noqa: PLC0415 - optional, only for this comparison

    url = f"http://127.0.0.1:{port}/v1/chat/completions"
    headers = {"authorization": "Bearer x", "content-type": "application/json"}
    connector = aiohttp.TCPConnector(limit=connections)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def call() -> None:
            async with session.post(url, data=BODY, headers=headers) as reply:
                if len(await reply.read()) != 1024:
                    raise RuntimeError("not the reply")

        return await cost_us(call, connections)


def main() -> None:
    command = [sys.executable, __file__, "serve"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        if server.stdin is None or server.stdout is None:
            raise RuntimeError("the server has no pipes")
        port = int(server.stdout.readline())
        compared = importlib.util.find_spec("aiohttp") is not None
        for connections in CONNECTIONS:
            ours_us, per_s = uvloop.run(measure_headgate(port, connections))
            line = f"{connections:4} connections: {ours_us:6.1f} µs a call, {per_s:8,.0f} calls/s"
            if compared:
                theirs_us, _ = uvloop.run(measure_aiohttp(port, connections))
                line += f"; aiohttp {theirs_us:6.1f} µs, {theirs_us / ours_us:.1f} times as much"
            print(line)
        server.stdin.close()


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        uvloop.run(serve())
    else:
        main()
