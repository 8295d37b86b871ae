"""What do more workers bring? Headgate with 1, 2 and 4 of them, on all cores of the machine.

Unlike elsewhere the workers and the load are not pinned: they share the cores, as they would on one
small machine. So these figures are compared with each other, not with those of one pinned worker.
"""

from __future__ import annotations

import asyncio
from typing import Final

from benchmarks.cores import resident_bytes
from benchmarks.figures import Figures, Sample
from benchmarks.processes import BenchmarkError
from benchmarks.rounds import SETTLE_S, Place, Plan, plain_load
from benchmarks.serving import serving
from benchmarks.systems import Headgate

COUNTS: Final = (1, 2, 4)
CONNECTIONS: Final = 64


async def measure(figures: Figures, place: Place, plan: Plan) -> None:
    """Add the figures of each number of workers. Raises BenchmarkError where one fails."""
    for count in COUNTS:
        system = Headgate(workers=count)
        if why_not := system.prepare(place.work):
            figures.skipped[system.name] = why_not
            return
        figures.titles[system.name] = system.title
        with place.cores.unpinned():
            folder = place.work / system.name
            async with serving(system, place.plain_upstream_url, folder, None) as (
                running,
                taken_s,
            ):
                if running.server is None or taken_s is None:
                    raise BenchmarkError("Headgate has no process")
                await plain_load(running, place, plan.generator, CONNECTIONS, plan.warmup_s)
                load = await plain_load(
                    running, place, plan.generator, CONNECTIONS, plan.duration_s
                )
                await asyncio.sleep(SETTLE_S)
                resident = resident_bytes(running.server.pid)
        figures.add(system.name, "workers_per_s", Sample(load.per_s))
        figures.add(system.name, "workers_p50_us", Sample(load.p50_us))
        figures.add(system.name, "workers_p99_us", Sample(load.p99_us))
        figures.add(system.name, "workers_mb", Sample(resident / 1e6))
        figures.add(system.name, "start_s", Sample(taken_s))
        figures.add(system.name, "errors", Sample(load.errors))
