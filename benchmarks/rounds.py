"""How is a system measured? One round: started for plain replies, then anew for streams.

The systems take turns, round by round, so that what else the machine does in the meantime falls on
all of them.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from benchmarks import clients, wrk
from benchmarks.cores import Cores, Use, Watch, resident_bytes
from benchmarks.figures import CONNECTIONS, STREAMS, Sample
from benchmarks.payloads import request_body
from benchmarks.serving import serving
from benchmarks.stub import Flow, Stub
from benchmarks.systems import Running, System

Generator = Literal["wrk", "python"]

FOREIGN_SHARE: Final = 0.10
"""Where others took more than this of one core, a measurement counts as disturbed."""

LOOK_S: Final = 0.5
SETTLE_S: Final = 0.5


@dataclass(frozen=True)
class Plan:
    """How long and with what to measure."""

    duration_s: float
    warmup_s: float
    generator: Generator
    repeats: int
    """How many times a disturbed measurement may be taken again in one round of one system."""

    patience_s: float
    """How long a system's turn may wait, in all, for others to leave the cores alone."""


@dataclass(frozen=True)
class Place:
    """Where the measuring happens: the cores, both upstreams, and a folder for what is written."""

    cores: Cores
    stub: Stub
    plain_upstream_url: str
    work: Path


@dataclass(frozen=True)
class Load:
    """What one measurement of plain replies or of streams gave."""

    per_s: float
    p50_us: float
    p99_us: float
    errors: int
    problem: str
    nudges: int
    use: Use
    chunks_per_read: float = 0.0
    replies: int = 0

    @property
    def disturbed(self) -> bool:
        """Tell whether other programs were in the way."""
        return self.use.foreign > FOREIGN_SHARE

    @property
    def server_cost_us(self) -> float:
        """The time of the server's core that one reply or chunk took."""
        return self.use.server_core_busy / self.per_s * 1e6 if self.per_s else 0.0


class Round:
    """One system's turn in one round; `samples` holds what was measured so far."""

    def __init__(self, system: System, plan: Plan, place: Place) -> None:
        self.samples: dict[str, Sample] = {}
        self.starts_s: list[Sample] = []
        self.remarks: list[str] = []
        self.measurements = 0
        self.disturbed = 0
        self._errors = 0
        self._system = system
        self._plan = plan
        self._place = place
        self._repeats_left = plan.repeats
        self._patience_s = plan.patience_s
        self._answered = 0

    async def run(self) -> None:
        """Measure everything. Raises BenchmarkError where the system fails."""
        async with self._started(self._place.plain_upstream_url, streams=False) as running:
            await self._plain(running)
            if running.caches:
                await self._hits(running)
        if self._system.streams:
            async with self._started(self._place.stub.url, streams=True) as running:
                await self._streams(running)
        self.samples["errors"] = Sample(self._errors)

    @asynccontextmanager
    async def _started(self, upstream_url: str, *, streams: bool) -> AsyncIterator[Running]:
        folder, cores = self._place.work / self._system.name, self._place.cores
        await self._quiet()
        watch = Watch(cores)
        async with serving(self._system, upstream_url, folder, cores, streams=streams) as (
            running,
            taken_s,
        ):
            if taken_s is not None:
                self.starts_s.append(Sample(taken_s, watch.use().foreign > FOREIGN_SHARE))
                await asyncio.sleep(SETTLE_S)
            yield running

    async def _plain(self, running: Running) -> None:
        self._memory("idle_mb", running)
        await self._replies(running, connections=32, duration_s=self._plan.warmup_s)
        for count in CONNECTIONS:
            load = await self._undisturbed(lambda count=count: self._replies(running, count))  # type: ignore[misc]
            self._sample(f"requests_per_s_{count}", load.per_s, load)
            self._sample(f"p50_us_{count}", load.p50_us, load)
            self._sample(f"p99_us_{count}", load.p99_us, load)
            self._note(f"{count} connections", load)
            if count == 32:
                self._busy("32", load)
        self._memory("loaded_mb", running)
        if running.recorded is not None:
            await asyncio.sleep(SETTLE_S)
            recorded = await asyncio.to_thread(running.recorded)
            # More are on record than were counted: the first call, and those cut off at the end.
            share = min(recorded / max(self._answered, 1), 1.0)
            self.samples["recorded"] = Sample(share * 100)

    async def _hits(self, running: Running) -> None:
        """The same request again and again: all but the first are answered from the cache."""
        load = await self._undisturbed(lambda: self._replies(running, 32, again=True))
        self._sample("cache_hits_per_s_32", load.per_s, load)
        self._sample("cache_hit_p50_us_32", load.p50_us, load)
        self._note("the same again", load)

    async def _streams(self, running: Running) -> None:
        flows: tuple[Flow, ...] = ("freely", "in_step")
        for flow in flows:
            load = await self._undisturbed(lambda flow=flow: self._flow(running, flow))  # type: ignore[misc]
            self._sample(f"chunks_per_s_{flow}", load.per_s, load)
            self._sample(f"chunks_per_read_{flow}", load.chunks_per_read, load)
            self._note(f"streams, {flow}", load)
            self._busy(flow, load)
        self._memory("streamed_mb", running)

    async def _undisturbed(self, measure: Callable[[], Awaitable[Load]]) -> Load:
        await self._quiet()
        best = await measure()
        while best.disturbed and self._repeats_left:
            self._repeats_left -= 1
            await self._quiet()
            again = await measure()
            if again.use.foreign < best.use.foreign:
                best = again
        return best

    async def _quiet(self) -> None:
        """Wait until others leave the cores alone, as long as this turn's patience lasts."""
        while self._patience_s > 0:
            watch = Watch(self._place.cores)
            await asyncio.sleep(LOOK_S)
            self._patience_s -= LOOK_S
            if watch.use().foreign <= FOREIGN_SHARE:
                return

    async def _replies(
        self,
        running: Running,
        connections: int,
        duration_s: float | None = None,
        *,
        again: bool = False,
    ) -> Load:
        seconds = duration_s or self._plan.duration_s
        generator = self._plan.generator
        load = await plain_load(running, self._place, generator, connections, seconds, again=again)
        self._answered += load.replies
        return load

    async def _flow(self, running: Running, flow: Flow) -> Load:
        stub = self._place.stub
        stub.flow, stub.nudges = flow, 0
        request = clients.request_bytes(
            running.url, running.headers, request_body(stream=True, model=running.model)
        )
        with _no_collection():
            watch = Watch(self._place.cores)
            tally, elapsed_s = await clients.load_streams(
                running.url,
                request,
                stub.advance,
                connections=STREAMS,
                warmup_s=self._plan.warmup_s / 2,
                duration_s=self._plan.duration_s,
            )
        use, nudges = watch.use(), stub.nudges
        # What a system still holds of the streams that were cut off is drained before the next.
        stub.flow = "freely"
        await asyncio.sleep(SETTLE_S)
        per_s = tally.chunks / elapsed_s
        return Load(
            per_s,
            0.0,
            0.0,
            tally.errors,
            tally.first_error,
            nudges,
            use,
            tally.chunks / max(tally.reads, 1),
        )

    def _memory(self, metric: str, running: Running) -> None:
        if running.server is not None:
            self.samples[metric] = Sample(resident_bytes(running.server.pid) / 1e6)

    def _sample(self, metric: str, value: float, load: Load) -> None:
        self.samples[metric] = Sample(value, load.disturbed)

    def _busy(self, name: str, load: Load) -> None:
        self._sample(f"load_busy_{name}", load.use.load_core_busy * 100, load)
        if self._system.name != "direct":
            self._sample(f"server_busy_{name}", load.use.server_core_busy * 100, load)
            self._sample(f"server_cost_us_{name}", load.server_cost_us, load)

    def _note(self, what: str, load: Load) -> None:
        self._errors += load.errors
        self.measurements += 1
        self.disturbed += load.disturbed
        name = self._system.name
        if load.errors:
            self.remarks.append(f"{name}, {what}: {load.errors} failed; {load.problem or 'by wrk'}")
        if load.nudges:
            self.remarks.append(
                f"{name}, {what}: {load.nudges} chunks were sent because a stream stood still"
            )


async def plain_load(
    running: Running,
    place: Place,
    generator: Generator,
    connections: int,
    seconds: float,
    *,
    again: bool = False,
) -> Load:
    """Ask for plain replies for so long. Raises BenchmarkError where the generator fails.

    A system that caches is asked something new each time, or, with `again`, always the same.
    """
    body = request_body(stream=False, model=running.model, numbered=running.caches and not again)
    if generator == "wrk":
        watch = Watch(place.cores)
        seen = await wrk.load(
            running.url,
            running.headers,
            body,
            connections=connections,
            duration_s=seconds,
            folder=place.work,
        )
        per_s = seen.replies / (seen.duration_us / 1e6)
        return Load(
            per_s,
            seen.p50_us,
            seen.p99_us,
            seen.errors,
            "",
            0,
            watch.use(),
            replies=seen.replies,
        )
    request = clients.request_bytes(running.url, running.headers, body)
    with _no_collection():
        watch = Watch(place.cores)
        tally, elapsed_s = await clients.load_json(
            running.url, request, connections=connections, warmup_s=0.0, duration_s=seconds
        )
    latencies_us = sorted(one / 1e3 for one in tally.latencies_ns) or [0.0]
    return Load(
        tally.replies / elapsed_s,
        latencies_us[len(latencies_us) // 2],
        latencies_us[len(latencies_us) * 99 // 100],
        tally.errors,
        tally.first_error,
        0,
        watch.use(),
        replies=tally.replies,
    )


def quicker(plan: Plan) -> Plan:
    """Return a plan of about a quarter of the time, for a look rather than for figures."""
    return replace(plan, duration_s=1.0, warmup_s=1.0, repeats=0)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep Python's collector out of the time that is measured."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
