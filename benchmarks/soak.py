"""Does memory stay where it is? The resident memory of Headgate, before and after many calls."""

from __future__ import annotations

import asyncio
from typing import Final

from benchmarks.cores import resident_bytes
from benchmarks.figures import Figures, Sample
from benchmarks.processes import BenchmarkError
from benchmarks.rounds import SETTLE_S, Generator, Place, plain_load
from benchmarks.serving import serving
from benchmarks.systems import Headgate, Running

CALLS: Final = 300_000
QUICK_CALLS: Final = 20_000
WARM_SHARE: Final = 0.05
"""What is grown once, such as pools and caches, is grown within so many of the calls."""

CONNECTIONS: Final = 32
_TURN_S: Final = 2.0
_LONGEST_S: Final = 900.0


async def measure(figures: Figures, place: Place, generator: Generator, *, calls: int) -> None:
    """Add the growth over `calls` calls. Raises BenchmarkError where the server fails."""
    system = Headgate()
    if why_not := system.prepare(place.work):
        figures.skipped[system.name] = why_not
        return
    figures.titles[system.name] = system.title
    folder = place.work / "soak"
    async with serving(system, place.plain_upstream_url, folder, place.cores) as (running, _):
        warm = await _until(running, place, generator, int(calls * WARM_SHARE))
        before = await _resident(running)
        done = warm + await _until(running, place, generator, calls - warm)
        after = await _resident(running)
    figures.add(system.name, "soak_calls", Sample(done))
    figures.add(system.name, "soak_before_mb", Sample(before / 1e6))
    figures.add(system.name, "soak_after_mb", Sample(after / 1e6))
    figures.add(system.name, "soak_growth_percent", Sample(100 * (after - before) / before))


async def _until(running: Running, place: Place, generator: Generator, calls: int) -> int:
    done, spent_s = 0, 0.0
    while done < calls:
        if spent_s > _LONGEST_S:
            raise BenchmarkError(f"only {done} of {calls} calls in {spent_s:.0f} s")
        load = await plain_load(running, place, generator, CONNECTIONS, _TURN_S)
        if load.errors or not load.replies:
            raise BenchmarkError(f"{load.errors} calls failed, {load.replies} were answered")
        done += load.replies
        spent_s += _TURN_S
    return done


async def _resident(running: Running) -> int:
    # What waits for the ledger's writer is not what is asked about.
    await asyncio.sleep(SETTLE_S * 2)
    return resident_bytes(running.server.pid) if running.server is not None else 0
