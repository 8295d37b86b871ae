"""When is a system ready to be measured? Started, asked until it answers, stopped in the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.cores import Cores
from benchmarks.payloads import request_body
from benchmarks.processes import await_first_answer, stop
from benchmarks.systems import Running, System


@asynccontextmanager
async def serving(
    system: System, upstream_url: str, folder: Path, cores: Cores | None, *, streams: bool = False
) -> AsyncIterator[tuple[Running, float | None]]:
    """Give the running system, and how long it took to its first right answer, if it has a server.

    Raises BenchmarkError where it never answers.
    """
    running = system.start(upstream_url, folder, cores, streams=streams)
    if running.server is None:
        yield running, None
        return
    try:
        # In a thread, because the stub may have to answer in this loop meanwhile.
        taken_s = await asyncio.to_thread(
            await_first_answer,
            running.server,
            running.url,
            running.headers,
            request_body(stream=False, model=running.model),
        )
        yield running, taken_s
    finally:
        await asyncio.to_thread(stop, running.server)
