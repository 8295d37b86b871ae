"""What is measured once, apart from the rounds: runs, a failing upstream, workers, a long soak."""

from __future__ import annotations

from benchmarks import resilience, runs, soak, workers
from benchmarks.figures import Figures, Part
from benchmarks.rounds import Place, Plan

_FAILING_S = 20.0
_QUICK_FAILING_S = 5.0


def asked(part: Part, plan: Plan, *, quick: bool) -> dict[str, str]:
    """What is asked in a part, in a few words, as rows beside those of the machine."""
    seconds = _QUICK_FAILING_S if quick else _FAILING_S
    match part:
        case "resilience":
            told = f"{resilience.WORKERS} calls at a time by the official SDK, {seconds:.0f} s"
        case "soak":
            calls = soak.QUICK_CALLS if quick else soak.CALLS
            told = f"at least {calls:,} calls over {soak.CONNECTIONS} connections"
        case "workers":
            return {
                "pinned": "nothing; workers and load share all cores",
                "asked": f"{workers.CONNECTIONS} connections, {plan.duration_s:.0f} s",
            }
        case _:
            told = f"{runs.ALONE} of each kind alone, then {runs.CONNECTIONS} connections"
    return {"asked": told}


async def measure(part: Part, figures: Figures, place: Place, plan: Plan, *, quick: bool) -> None:
    """Add the figures of a part. Raises BenchmarkError where a system fails."""
    match part:
        case "resilience":
            systems = resilience.contenders(place.work)
            if all(system.name != "litellm" for system in systems):
                figures.skipped["litellm"] = "not installed; a run of all figures installs it"
            seconds = _QUICK_FAILING_S if quick else _FAILING_S
            await resilience.measure(systems, figures, place.cores, place.work, seconds=seconds)
        case "soak":
            calls = soak.QUICK_CALLS if quick else soak.CALLS
            await soak.measure(figures, place, plan.generator, calls=calls)
        case "workers":
            await workers.measure(figures, place, plan)
        case _:
            await runs.measure(figures, place)
