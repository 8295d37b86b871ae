"""Where does a system spend its time? Samples its stacks with py-spy while it is under load."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Final

from benchmarks import clients
from benchmarks.figures import STREAMS
from benchmarks.payloads import request_body
from benchmarks.processes import BenchmarkError, await_first_answer, stop
from benchmarks.rounds import Place
from benchmarks.systems import Running, System

PY_SPY: Final = "py-spy==0.4.1"
SAMPLES_PER_S: Final = 500
DURATION_S: Final = 10
TOP: Final = 30
_INSTALL_DEADLINE_S: Final = 300.0


async def profile(system: System, place: Place, *, streams: bool) -> str:
    """Load ``system`` for ten seconds and return its most costly functions as text.

    Raises BenchmarkError where py-spy is missing, or may not look into the server.
    """
    program = await asyncio.to_thread(_py_spy, place.work)
    upstream_url = place.stub.url if streams else place.plain_upstream_url
    folder = place.work / f"profile-{system.name}"
    running = system.start(upstream_url, folder, place.cores, streams=streams)
    if running.server is None:
        raise BenchmarkError(f"{system.name} has no process to look into")
    try:
        body = request_body(stream=False, model=running.model, numbered=running.caches)
        await asyncio.to_thread(
            await_first_answer, running.server, running.url, running.headers, body
        )
        load = asyncio.create_task(_load(running, place, streams=streams))
        await asyncio.sleep(1)
        stacks = await _record(program, running.server.pid, folder / "stacks.txt")
        await load
    finally:
        await asyncio.to_thread(stop, running.server)
    return summarise(stacks)


def summarise(stacks: str) -> str:
    """Return the functions that most samples end in, and those that most pass through.

    ``stacks`` has a stack a line, frames from the outermost in, parted by `;`, then its count.
    """
    own: Counter[str] = Counter()
    through: Counter[str] = Counter()
    total = 0
    for line in stacks.splitlines():
        stack, _, count = line.rpartition(" ")
        if not count.isdigit():
            continue
        frames = [
            frame for frame in stack.split(";") if not frame.startswith(("process ", "thread "))
        ]
        if not frames:
            continue
        samples = int(count)
        total += samples
        own[frames[-1]] += samples
        for frame in set(frames):
            through[frame] += samples
    if not total:
        raise BenchmarkError("the profile holds no samples")
    lines = [f"{total} samples"]
    for title, counter in (("in the function itself", own), ("in it and what it calls", through)):
        lines += ["", f"{title}:"]
        lines += [f"{count / total:7.1%}  {frame}" for frame, count in counter.most_common(TOP)]
    return "\n".join(lines) + "\n"


async def _load(running: Running, place: Place, *, streams: bool) -> None:
    request = clients.request_bytes(
        running.url,
        running.headers,
        request_body(stream=streams, model=running.model, numbered=running.caches),
    )
    seconds = DURATION_S + 2.0
    if streams:
        await clients.load_streams(
            running.url,
            request,
            place.stub.advance,
            connections=STREAMS,
            warmup_s=0.0,
            duration_s=seconds,
        )
    else:
        await clients.load_json(
            running.url, request, connections=32, warmup_s=0.0, duration_s=seconds
        )


async def _record(program: str, pid: int, path: Path) -> str:
    process = await asyncio.create_subprocess_exec(
        *(program, "record", "--pid", str(pid), "--subprocesses", "--nonblocking", "--function"),
        *("--rate", str(SAMPLES_PER_S), "--duration", str(DURATION_S)),
        *("--format", "raw", "--output", str(path)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), DURATION_S + 60)
    if process.returncode:
        said = output.decode(errors="replace").strip()[-400:]
        raise BenchmarkError(f"py-spy failed (it needs leave to trace, as root has): {said}")
    return await asyncio.to_thread(path.read_text)


def _py_spy(work: Path) -> str:
    found = shutil.which("py-spy")
    if found:
        return found
    environment = work / "py-spy"
    program = environment / "bin" / "py-spy"
    if not program.exists():
        pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet", PY_SPY]
        try:
            for command in ([sys.executable, "-m", "venv", "--clear", str(environment)], pip):
                subprocess.run(
                    command, check=True, timeout=_INSTALL_DEADLINE_S, capture_output=True
                )
        except subprocess.SubprocessError as error:
            raise BenchmarkError(
                "py-spy is neither installed nor installable (pip install py-spy)"
            ) from error
    return str(program)
