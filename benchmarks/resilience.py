"""How many calls survive a bad upstream, and how late? With whose retries, and at what extra load.

All are asked by the same client, the official SDK. Direct, the SDK's own retries are all there is;
behind a gateway the SDK's are off, so that the gateway's are measured.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import openai
from openai import AsyncOpenAI

from benchmarks.cores import Cores
from benchmarks.failing import FailingStub
from benchmarks.figures import Figures, Sample
from benchmarks.payloads import MODEL, answer_text
from benchmarks.serving import serving
from benchmarks.systems import Direct, Headgate, LiteLLM, Running, System

FAILING_SHARE: Final = 0.20
WORKERS: Final = 16
ATTEMPTS: Final = 3
"""Of each: the SDK's default (two retries), and what the gateways are set to."""

ATTEMPT_S: Final = 1.0
"""How long one attempt may take, so that a stall is given up: the same for everyone."""

CALL_S: Final = 15.0
"""How long a gateway may take over a call, all attempts together."""

OUTAGE_CALLS_PER_S: Final = 20
IN_A_ROW: Final = 20
"""So many calls in a row must succeed, for an outage to be over for the client."""

RECOVERY_S: Final = 15.0
_MESSAGES: Final = [{"role": "user", "content": "Which queue does this ticket belong to?"}]

_ALONE: Final = f"""\
providers:
  first: &upstream
    base_url: {{upstream_url}}
    api_key: sk-stub
    timeouts: {{ attempt_s: {ATTEMPT_S}, idle_s: {ATTEMPT_S}, total_s: {CALL_S} }}
  second: *upstream
retries: {{ max_attempts: {ATTEMPTS} }}
"""
_LADDER: Final = f"""\
{_ALONE}
routes:
  {MODEL}:
    targets:
      - {{ provider: first, model: {MODEL} }}
      - {{ provider: second, model: {MODEL} }}
"""
_LITELLM: Final = """\
router_settings:
  num_retries: {retries}
  timeout: {attempt_s}
"""


@dataclass
class Seen:
    """What the client saw of one measurement."""

    succeeded: int = 0
    failed: int = 0
    latencies_s: list[float] = field(default_factory=list)
    """Of every call, however it ended."""
    problems: dict[str, int] = field(default_factory=dict)

    @property
    def calls(self) -> int:
        """How many there were."""
        return self.succeeded + self.failed

    def percentile_ms(self, percent: int) -> float:
        """The latency that so many of a hundred calls kept."""
        ordered = sorted(self.latencies_s) or [0.0]
        return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] * 1000


def contenders(work: Path) -> list[System]:
    """Who is measured; LiteLLM only where it is installed already."""
    gateways: list[System] = [
        Headgate(configuration=_ALONE, setup=("headgate-alone", "; one target, as the SDK has")),
        Headgate(configuration=_LADDER, setup=("headgate", "; a second target behind the first")),
    ]
    litellm = LiteLLM(_LITELLM.format(retries=ATTEMPTS - 1, attempt_s=ATTEMPT_S))
    if litellm.installed(work):
        gateways.insert(0, litellm)
    return [Direct("the official SDK's own retries, straight to the upstream"), *gateways]


async def measure(
    systems: Sequence[System], figures: Figures, cores: Cores, work: Path, *, seconds: float
) -> None:
    """Add each system's figures; one after the other, before the same faults."""
    for system in systems:
        why_not = await asyncio.to_thread(system.prepare, work)
        if why_not:
            figures.skipped[system.name] = why_not
            continue
        figures.titles[system.name] = system.title
        stub = FailingStub(0.0)
        await stub.start()
        folder = work / f"resilience-{system.name}"
        try:
            async with (
                serving(system, stub.url, folder, cores) as (running, _),
                _client(running, direct=system.name == "direct") as client,
            ):
                await _failing(client, stub, system.name, figures, seconds)
                await _outage(client, stub, system.name, figures, seconds / 2)
        finally:
            await stub.stop()


def _client(running: Running, *, direct: bool) -> AsyncOpenAI:
    return AsyncOpenAI(
        base_url=running.url.removesuffix("/chat/completions"),
        api_key=running.headers["Authorization"].removeprefix("Bearer "),
        max_retries=ATTEMPTS - 1 if direct else 0,
        timeout=ATTEMPT_S if direct else CALL_S,
    )


async def _failing(
    client: AsyncOpenAI, stub: FailingStub, name: str, figures: Figures, seconds: float
) -> None:
    await _call(client, Seen())
    stub.share, stub.calls, seen = FAILING_SHARE, 0, Seen()
    begun_s = time.perf_counter()

    async def work() -> None:
        while time.perf_counter() - begun_s < seconds:
            await _call(client, seen)

    # Those that are on their way when the time is up are judged, but no rate is made of their wait.
    in_time: list[int] = []
    asyncio.get_running_loop().call_later(seconds, lambda: in_time.append(seen.succeeded))
    await asyncio.gather(*(work() for _ in range(WORKERS)))
    in_time.append(seen.succeeded)
    stub.share = 0.0
    figures.add(name, "goodput_percent", Sample(100 * seen.succeeded / max(seen.calls, 1)))
    figures.add(name, "goodput_per_s", Sample(in_time[0] / seconds))
    for percent in (50, 99):
        figures.add(name, f"failing_p{percent}_ms", Sample(seen.percentile_ms(percent)))
    figures.add(name, "upstream_per_call", Sample(stub.calls / max(seen.calls, 1)))
    for problem, count in seen.problems.items():
        figures.notes.append(f"{name}, a fifth failing: {count} of {seen.calls} ended in {problem}")


async def _outage(
    client: AsyncOpenAI, stub: FailingStub, name: str, figures: Figures, seconds: float
) -> None:
    """Let everything fail for a while, and see how long after its end calls still do."""
    stub.outage, stub.calls = True, 0
    seen: list[tuple[float, bool]] = []
    during = 0
    ended_s = time.perf_counter() + seconds
    calls: list[asyncio.Task[None]] = []

    async def call(started_s: float) -> None:
        one = Seen()
        await _call(client, one)
        seen.append((started_s, one.succeeded == 1))

    while (now_s := time.perf_counter()) < ended_s + RECOVERY_S:
        if stub.outage and now_s >= ended_s:
            figures.add(name, "outage_upstream_per_call", Sample(stub.calls / max(during, 1)))
            stub.outage = False
        during += stub.outage
        calls.append(asyncio.create_task(call(now_s)))
        if not stub.outage and recovered_s(seen, ended_s) is not None:
            break
        await asyncio.sleep(1 / OUTAGE_CALLS_PER_S)
    await asyncio.gather(*calls)
    recovery_s = recovered_s(seen, ended_s)
    if recovery_s is None:
        figures.notes.append(f"{name} had not recovered {RECOVERY_S:.0f} s after the outage")
    else:
        figures.add(name, "recovery_s", Sample(recovery_s))


def recovered_s(seen: Sequence[tuple[float, bool]], ended_s: float) -> float | None:
    """How long after `ended_s` calls began to succeed `IN_A_ROW`; None where they did not yet.

    `seen` holds when each call began and whether it succeeded, in any order.
    """
    first_s, row = ended_s, 0
    for started_s, succeeded in sorted(seen):
        if started_s < ended_s:
            continue
        if not succeeded:
            row = 0
            continue
        first_s = started_s if row == 0 else first_s
        row += 1
        if row == IN_A_ROW:
            return first_s - ended_s
    return None


async def _call(client: AsyncOpenAI, seen: Seen) -> None:
    begun_s = time.perf_counter()
    try:
        answer = await client.chat.completions.create(model=MODEL, messages=_MESSAGES)  # type: ignore[arg-type]
        right = answer.choices[0].message.content == answer_text()
        problem = "another answer than the upstream's"
    except openai.OpenAIError as error:
        right, problem = False, _named(error)
    seen.latencies_s.append(time.perf_counter() - begun_s)
    if right:
        seen.succeeded += 1
    else:
        seen.failed += 1
        seen.problems[problem] = seen.problems.get(problem, 0) + 1


def _named(error: openai.OpenAIError) -> str:
    status = getattr(error, "status_code", None)
    return type(error).__name__ if status is None else f"{status} {getattr(error, 'code', '')}"
