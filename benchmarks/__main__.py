"""What does `make bench` do? Reads the options, runs the rounds, tells and writes the figures."""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import json
import os
import platform
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import uvloop

from benchmarks import parts, report, wrk
from benchmarks.cores import Cores
from benchmarks.detection import measure as detection
from benchmarks.figures import Figures, Part, Sample
from benchmarks.guards import measure as guards
from benchmarks.guards import report as guards_report
from benchmarks.injection import measure as injection
from benchmarks.injection import report as injection_report
from benchmarks.payloads import CONTENT_CHUNKS, REQUEST_SIZE_BYTES, reply_body
from benchmarks.processes import BenchmarkError, stop
from benchmarks.profiler import profile
from benchmarks.rounds import Place, Plan, Round, quicker
from benchmarks.stub import Stub
from benchmarks.systems import ALL, System
from benchmarks.systems import nginx as nginx_system
from headgate.evals.packs import attacks, lookalikes

WORK: Final = Path(__file__).parent / ".work"
DOCS: Final = Path(__file__).parent.parent / "docs" / "benchmarks.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks; return 0, 1 where a system failed, 2 for wrong use."""
    options = _options(arguments)
    if options.injection:
        told = injection_report.markdown(injection.measure(attacks(), lookalikes()))
        print(told)
        if options.write_docs:
            _write_docs(f"{told}\n", report.INJECTION)
        return 0
    if not hasattr(os, "sched_setaffinity"):
        print("The benchmarks pin processes to cores and read /proc: they need Linux.")
        return 2
    names = [system.name for system in ALL]
    wanted = options.only.split(",") if options.only else names
    unknown = sorted(set(wanted) - set(names))
    if unknown:
        print(f"Unknown: {', '.join(unknown)}. There are: {', '.join(names)}.")
        return 2
    WORK.mkdir(exist_ok=True)
    try:
        with _alone():
            if options.detection:
                told = detection.measure(WORK)
                print(told)
                if options.write_docs:
                    _write_docs(f"{told}\n", report.DETECTION)
                return 0
            return uvloop.run(_run(options, wanted))
    except BenchmarkError as error:
        print(f"The benchmark could not run: {error}")
        return 1


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the lock of the machine's one benchmark. Raises BenchmarkError where another runs.

    Two at once would share cores and files, and both would tell figures that mean nothing.
    """
    with (WORK / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BenchmarkError("another one is running here; wait until it is done") from None
        yield


async def _run(options: argparse.Namespace, wanted: list[str]) -> int:
    cores = Cores.choose()
    cores.take_load()
    stub = Stub()
    await stub.start()
    plain_server = None
    plain_url = stub.url
    if nginx_system.installed():
        plain_server, plain_url = nginx_system.start_stub(WORK / "stub")
        await asyncio.sleep(0.3)
    place = Place(cores, stub, plain_url, WORK)
    try:
        if options.profile:
            return await _profile(options, place)
        if options.guards:
            return await _measure_guards(options, place)
        if chosen := [part for part in report.PARTS if getattr(options, part)]:
            return await _measure_parts(options, chosen, place)
        return await _measure(options, wanted, place)
    finally:
        await stub.stop()
        if plain_server is not None:
            stop(plain_server)


async def _profile(options: argparse.Namespace, place: Place) -> int:
    system = next((one for one in ALL if one.name == options.profile), None)
    if system is None:
        print(f"Unknown: {options.profile}.")
        return 2
    why_not = system.prepare(WORK)
    if why_not:
        print(f"{system.name} can't be profiled: {why_not}")
        return 1
    text = await profile(system, place, streams=options.streams)
    path = WORK / f"profile-{system.name}{'-streams' if options.streams else ''}.txt"
    path.write_text(text)
    print(f"{text}\nWritten to {path}")
    return 0


async def _measure(options: argparse.Namespace, wanted: list[str], place: Place) -> int:
    plan = _plan(options)
    rounds = options.rounds or (1 if options.quick else 3)
    figures = Figures(machine=_machine(place.cores, plan, rounds))
    if place.cores.shared:
        figures.notes.append("only one core is free: server and load share it")
    if plan.generator == "python":
        figures.notes.append(
            "wrk is not installed (Debian: apt-get install wrk): the Python generator bounds the "
            "fastest figures"
        )
    if not nginx_system.installed():
        figures.notes.append(
            "nginx is not installed: the Python stub answers plain replies, and bounds the fastest "
            "figures"
        )
    systems = await _prepared(wanted, figures)
    failed = False
    begun_s = time.monotonic()
    for number in range(1, rounds + 1):
        round_samples: dict[str, dict[str, Sample]] = {}
        for system in list(systems):
            turn = Round(system, plan, place)
            try:
                await turn.run()
            except BenchmarkError as error:
                failed = True
                figures.notes.append(f"{system.name} failed in round {number}: {error}")
                print(f"round {number}  {system.name:9} failed: {error}", flush=True)
                continue
            round_samples[system.name] = turn.samples
            _keep(figures, system, turn, number)
        figures.compare(round_samples)
    print(f"\nMeasured in {time.monotonic() - begun_s:.0f} s.\n\n{report.markdown(figures)}")
    written = report.write(figures, WORK)
    print(f"Written to {written[0]} and {written[1]}")
    if options.write_docs and figures.disturbed():
        print("Not written into the page: other programs were in the way of too much.")
    elif options.write_docs:
        _write_docs(report.markdown(figures), report.FIGURES)
    if not options.only:
        failed |= bool(await _measure_parts(options, list(report.PARTS), place))
        # A look only; `--guards` measures them for the page.
        failed |= bool(await _measure_guards(options, place, guards.QUICK))
    return int(failed)


def _write_docs(block: str, markers: report.Markers) -> None:
    DOCS.write_text(report.replace_block(DOCS.read_text(), block, markers))
    print(f"Written into {DOCS}")


async def _measure_guards(
    options: argparse.Namespace, place: Place, plan: guards.GuardPlan | None = None
) -> int:
    """Measure what guards cost, as `plan` says, or as the options do."""
    alone = plan is None
    plan = plan or (guards.QUICK if options.quick else guards.FULL)
    figures = Figures(machine=_guards_machine(place.cores, plan), parts=frozenset({"guards"}))
    begun_s = time.monotonic()
    try:
        await guards.measure(figures, place, plan)
    except BenchmarkError as error:
        print(f"The guards could not be measured: {error}")
        return 1
    told = guards_report.markdown(figures)
    print(f"\nGuards, measured in {time.monotonic() - begun_s:.0f} s.\n\n{told}")
    path = WORK / "figures-guards.json"
    path.write_text(json.dumps(figures.as_json(), indent=2) + "\n")
    print(f"Written to {path}")
    if alone and options.write_docs and figures.disturbed():
        print("Not written into the page: other programs were in the way of too much.")
    elif alone and options.write_docs:
        _write_docs(told, report.GUARDS)
    return 0


def _guards_machine(cores: Cores, plan: guards.GuardPlan) -> dict[str, str]:
    turns = " and ".join(f"{count} times about {size}" for size, count in plan.turns.items())
    return _where(cores) | {
        "asked": f"each route in turn over one connection, {turns}",
        "streams": f"{plan.streams} times {plan.stream_s:g} s each, in turn",
    }


async def _measure_parts(options: argparse.Namespace, wanted: list[Part], place: Place) -> int:
    """Measure each of the `wanted` parts once, and tell it apart from the rounds."""
    failed = False
    for part in wanted:
        plan, quick = _plan(options), options.quick
        # A quick look is no ground to judge by.
        judged: frozenset[Part] = frozenset() if quick else frozenset({part})
        machine = _where(place.cores) | parts.asked(part, plan, quick=quick)
        figures = Figures(machine=machine, parts=judged)
        begun_s = time.monotonic()
        try:
            await parts.measure(part, figures, place, plan, quick=quick)
        except BenchmarkError as error:
            failed = True
            print(f"{part} could not be measured: {error}")
            continue
        told = report.markdown(figures)
        print(f"\n{part}, measured in {time.monotonic() - begun_s:.0f} s.\n\n{told}")
        written = report.write(figures, WORK, f"figures-{part}")
        print(f"Written to {written[0]} and {written[1]}")
        if options.write_docs:
            _write_docs(told, report.PARTS[part])
    return int(failed)


async def _prepared(wanted: list[str], figures: Figures) -> list[System]:
    systems: list[System] = []
    for system in ALL:
        # Without the direct call nothing could be told about added latency.
        if system.name not in wanted and system.name != "direct":
            continue
        why_not = await asyncio.to_thread(system.prepare, WORK)
        if why_not:
            figures.skipped[system.name] = why_not
            print(f"{system.name} is left out: {why_not}", flush=True)
        else:
            figures.titles[system.name] = system.title
            systems.append(system)
    return systems


def _keep(figures: Figures, system: System, turn: Round, number: int) -> None:
    for metric, sample in turn.samples.items():
        figures.add(system.name, metric, sample)
    for start_s in turn.starts_s:
        figures.add(system.name, "start_s", start_s)
    figures.notes.extend(f"round {number}: {remark}" for remark in turn.remarks)
    if turn.disturbed:
        figures.notes.append(
            f"round {number}: {system.name}: other programs were in the way of"
            f" {turn.disturbed} of {turn.measurements} measurements"
        )
    told = {metric: sample.value for metric, sample in turn.samples.items()}
    streams = ""
    if "chunks_per_s_freely" in told:
        freely, in_step = told["chunks_per_s_freely"], told["chunks_per_s_in_step"]
        streams = f"; {freely:9,.0f} {in_step:9,.0f} chunks/s"
    if "cache_hits_per_s_32" in told:
        streams += f"; {told['cache_hits_per_s_32']:9,.0f} hits/s"
    print(
        f"round {number}  {system.name:12}"
        f" {told['requests_per_s_1']:9,.0f} {told['requests_per_s_32']:9,.0f}"
        f" {told['requests_per_s_128']:9,.0f} requests/s at 1, 32, 128;"
        f" p50 {told['p50_us_1']:8,.0f} µs at 1{streams}"
        f"{f'; {turn.disturbed} of {turn.measurements} disturbed' if turn.disturbed else ''}",
        flush=True,
    )


def _plan(options: argparse.Namespace) -> Plan:
    plan = Plan(
        duration_s=3.0,
        warmup_s=1.0,
        generator="wrk" if wrk.installed() else "python",
        repeats=2,
        patience_s=options.patience,
    )
    return quicker(plan) if options.quick else plan


def _where(cores: Cores) -> dict[str, str]:
    """When, on what and on which cores."""
    return {
        "measured": time.strftime("%Y-%m-%d", time.gmtime()),
        "machine": _hardware(),
        "Python": platform.python_version(),
        "pinned": f"server on core {cores.server}; load and upstream on core {cores.load}",
    }


def _hardware() -> str:
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release()}"


def _machine(cores: Cores, plan: Plan, rounds: int) -> dict[str, str]:
    generator = "wrk" if plan.generator == "wrk" else "Python on uvloop"
    upstream = "nginx" if nginx_system.installed() else "Python on uvloop"
    return _where(cores) | {
        "rounds": f"{rounds}, systems in turn, {plan.duration_s:.0f} s a measurement",
        "request, reply": f"{REQUEST_SIZE_BYTES} bytes, {len(reply_body())} bytes",
        "stream": f"{CONTENT_CHUNKS} content chunks",
        "plain load, upstream": f"{generator}, {upstream}",
        "stream load, upstream": "Python on uvloop, both in one process",
    }


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure Headgate beside nginx, LiteLLM's proxy and no gateway at all.",
    )
    parser.add_argument("--quick", action="store_true", help="one short round, for a look")
    parser.add_argument("--rounds", type=int, default=0, help="how many rounds (3)")
    parser.add_argument("--only", default="", help="systems to measure: headgate,nginx")
    parser.add_argument(
        "--write-docs", action="store_true", help="put the figures into docs/benchmarks.md"
    )
    parser.add_argument(
        "--patience",
        type=float,
        default=10.0,
        metavar="SECONDS",
        help="how long each turn may wait for a quiet machine (10)",
    )
    parser.add_argument(
        "--resilience",
        action="store_true",
        help="instead: a fifth of upstream calls failing, and an outage",
    )
    parser.add_argument("--soak", action="store_true", help="instead: memory after 300,000 calls")
    parser.add_argument("--workers", action="store_true", help="instead: 1, 2 and 4 workers")
    parser.add_argument("--runs", action="store_true", help="instead: runs of workflows, by kind")
    parser.add_argument(
        "--guards", action="store_true", help="instead: what each guard adds, streams, memory"
    )
    parser.add_argument(
        "--injection", action="store_true", help="instead: attacks on a gullible model"
    )
    parser.add_argument(
        "--detection",
        action="store_true",
        help="instead: personal data and secrets found in a labelled set, beside Presidio",
    )
    parser.add_argument("--profile", metavar="SYSTEM", help="sample a Python system under load")
    parser.add_argument("--streams", action="store_true", help="with --profile: load with streams")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
