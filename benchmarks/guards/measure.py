"""What do guards add to a call, to a stream, to the server's memory? Side by side in one server.

Each guard stands at a route of its own. The routes are asked in turn over one connection, each turn
in another order, so that what the machine does besides falls on all of them alike.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import statistics
import time
import urllib.request
from dataclasses import dataclass
from typing import Final

from benchmarks import clients
from benchmarks.cores import Cores, Watch, resident_bytes
from benchmarks.figures import STREAMS, Figures, Sample
from benchmarks.guards.setups import JUDGE, NONE, RESTORING, SETUPS, configuration
from benchmarks.guards.texts import ADDRESS, MODERATED, SIZES_BYTES, asked, asked_to_stream
from benchmarks.payloads import answer_text, completion
from benchmarks.processes import BenchmarkError
from benchmarks.rounds import FOREIGN_SHARE, LOOK_S, SETTLE_S, Place
from benchmarks.serving import serving
from benchmarks.stub import Flow, Stub
from benchmarks.systems import Headgate, Running

_LENGTH: Final = re.compile(rb"content-length:[ \t]*(\d+)", re.IGNORECASE)
_REPLY_DEADLINE_S: Final = 30.0


@dataclass(frozen=True)
class GuardPlan:
    """How much is measured."""

    turns: dict[str, int]
    """By size, how often each route is asked."""
    streams: int
    """How often each kind of stream is measured."""
    stream_s: float
    patience_s: float
    """How long all of it may wait for others to leave the cores alone."""


FULL: Final = GuardPlan({"1 KB": 400, "50 KB": 100}, streams=5, stream_s=2.0, patience_s=30.0)
QUICK: Final = GuardPlan({"1 KB": 60, "50 KB": 12}, streams=2, stream_s=1.0, patience_s=0.0)
_GUARDS_AT: Final = {setup.name: setup.guards for setup in SETUPS}
_WARM_TURNS: Final = 5
"""RE2 makes its tables while it reads, and pools fill: not what a server does all day."""


async def measure(figures: Figures, place: Place, plan: GuardPlan) -> None:
    """Add everything. Raises BenchmarkError where the server fails."""
    stub = Stub(
        # Values come back in one word of eight, as in an answer that speaks to people by name.
        says=" ".join(
            "<EMAIL_1>" if place_ % 8 == 7 else word
            for place_, word in enumerate(answer_text().split())
        ),
        special={
            b"/moderations ": MODERATED,
            f'"{JUDGE}"'.encode(): completion('{"injection": 2}'),
        },
    )
    await stub.start()
    quiet = _Quiet(place.cores, plan.patience_s)
    try:
        with_guards = Headgate(
            configuration=configuration(), setup=("headgate-guards", ", guards by route")
        )
        without = Headgate(setup=("headgate-plain", ", no guards"))
        for system in (without, with_guards):
            if why_not := system.prepare(place.work):
                raise BenchmarkError(why_not)
        async with serving(without, stub.url, place.work / "guards-none", place.cores) as (
            plain,
            _,
        ):
            await _memory(figures, NONE, "idle_mb", plain)
            for size in SIZES_BYTES:
                await _latencies(
                    figures, plain, place, size, plan, quiet, routes=(plain.model,), keep=False
                )
            await _memory(figures, NONE, "loaded_mb", plain)
        async with serving(with_guards, stub.url, place.work / "guards", place.cores) as (
            running,
            _,
        ):
            await _memory(figures, "all-local", "idle_mb", running)
            routes = tuple(setup.name for setup in SETUPS)
            for size in SIZES_BYTES:
                await _latencies(
                    figures, running, place, size, plan, quiet, routes=routes, keep=True
                )
            await _streams(figures, running, place, stub, plan, quiet)
            await _memory(figures, "all-local", "loaded_mb", running)
    finally:
        await stub.stop()


async def _latencies(
    figures: Figures,
    running: Running,
    place: Place,
    size: str,
    plan: GuardPlan,
    quiet: _Quiet,
    *,
    routes: tuple[str, ...],
    keep: bool,
) -> None:
    """Ask each of `routes` in turn about texts of this size."""
    await quiet.wait()
    connection = await _Connection.open(running)
    numbers = itertools.count()
    seen_us: dict[str, list[float]] = {route: [] for route in routes}
    try:
        for _ in range(_WARM_TURNS):
            for route in routes:
                body = asked(route, SIZES_BYTES[size], next(numbers))
                await connection.ask(body, _GUARDS_AT.get(route, ()))
        watch = Watch(place.cores)
        for turn in range(plan.turns[size]):
            first = turn % len(routes)
            for route in routes[first:] + routes[:first]:
                body = asked(route, SIZES_BYTES[size], next(numbers))
                seen_us[route].append(await connection.ask(body))
        disturbed = watch.use().foreign > FOREIGN_SHARE
    finally:
        connection.close()
    if not keep:
        return
    for route, latencies_us in seen_us.items():
        # By turn, since what slows the machine down lasts longer than one.
        added = [ours - none for ours, none in zip(latencies_us, seen_us[NONE], strict=True)]
        figures.add(route, f"added_p50_us {size}", Sample(statistics.median(added), disturbed))
        ordered = sorted(latencies_us)
        for point, share in (("p50", 0.50), ("p99", 0.99)):
            value = ordered[min(len(ordered) - 1, int(len(ordered) * share))]
            figures.add(route, f"{point}_us {size}", Sample(value, disturbed))


async def _streams(
    figures: Figures, running: Running, place: Place, stub: Stub, plan: GuardPlan, quiet: _Quiet
) -> None:
    await asyncio.to_thread(_check_restored, running)
    flows: tuple[Flow, ...] = ("freely", "in_step")
    for _ in range(plan.streams):
        for flow in flows:
            for route in (NONE, RESTORING):
                request = clients.request_bytes(
                    running.url, running.headers, asked_to_stream(route)
                )
                await quiet.wait()
                stub.flow = flow
                watch = Watch(place.cores)
                tally, elapsed_s = await clients.load_streams(
                    running.url,
                    request,
                    stub.advance,
                    connections=STREAMS,
                    warmup_s=plan.stream_s / 4,
                    duration_s=plan.stream_s,
                )
                use = watch.use()
                stub.flow = "freely"
                await asyncio.sleep(SETTLE_S)
                if tally.errors:
                    raise BenchmarkError(f"{tally.errors} streams failed; {tally.first_error}")
                sample = Sample(tally.chunks / elapsed_s, use.foreign > FOREIGN_SHARE)
                figures.add(route, f"chunks_per_s_{flow}", sample)
                cost_us = use.server_core_busy / max(sample.value, 1) * 1e6
                figures.add(route, f"chunk_us_{flow}", Sample(cost_us, sample.disturbed))


def _check_restored(running: Running) -> None:
    """Raise BenchmarkError where streams are not what they are measured as."""
    for route, shown in ((NONE, b"<EMAIL_1>"), (RESTORING, ADDRESS.encode())):
        request = urllib.request.Request(
            running.url,
            asked_to_stream(route),
            running.headers | {"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=_REPLY_DEADLINE_S) as response:
            if shown not in response.read():
                raise BenchmarkError(f"the stream of {route} does not show {shown.decode()}")


class _Quiet:
    """Waits for others to leave the cores alone, as long as there is patience left."""

    def __init__(self, cores: Cores, patience_s: float) -> None:
        self._cores = cores
        self._patience_s = patience_s

    async def wait(self) -> None:
        """Wait."""
        while self._patience_s > 0:
            watch = Watch(self._cores)
            await asyncio.sleep(LOOK_S)
            self._patience_s -= LOOK_S
            if watch.use().foreign <= FOREIGN_SHARE:
                return


async def _memory(figures: Figures, name: str, metric: str, running: Running) -> None:
    await asyncio.sleep(SETTLE_S)
    if running.server is not None:
        figures.add(name, metric, Sample(resident_bytes(running.server.pid) / 1e6))


class _Connection:
    """One connection, on which one request is under way at a time."""

    def __init__(
        self,
        url: str,
        headers: dict[str, str],
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self._url = url
        # What customers write is what the guards are there for.
        self._headers = headers | {"x-headgate-trust": "untrusted"}
        self._reader, self._writer = streams

    @classmethod
    async def open(cls, running: Running) -> _Connection:
        """Connect to a server."""
        host, _, port = running.url.split("/")[2].partition(":")
        streams = await asyncio.open_connection(host, int(port), limit=1 << 20)
        return cls(running.url, running.headers, streams)

    async def ask(self, body: bytes, guards: tuple[str, ...] = ()) -> float:
        """Microseconds to the whole reply.

        Raises BenchmarkError where it isn't the right one, or does not name `guards`.
        """
        request = clients.request_bytes(self._url, self._headers, body)
        began_ns = time.perf_counter_ns()
        self._writer.write(request)
        try:
            async with asyncio.timeout(_REPLY_DEADLINE_S):
                head = await self._reader.readuntil(b"\r\n\r\n")
                length = _LENGTH.search(head)
                reply = await self._reader.readexactly(int(length[1]) if length else 0)
        except (TimeoutError, asyncio.IncompleteReadError) as error:
            raise BenchmarkError(f"the server gave no reply ({type(error).__name__})") from error
        took_us = (time.perf_counter_ns() - began_ns) / 1e3
        if not head.startswith(b"HTTP/1.1 200 ") or b"Summary: handheld" not in reply:
            raise BenchmarkError(f"not the reply: {(head[:40] + reply[:300])!r}")
        if not all(f"{guard}=".encode() in head for guard in guards):
            raise BenchmarkError(f"a guard of {guards} did not look")
        return took_us

    def close(self) -> None:
        """Close it."""
        self._writer.close()
