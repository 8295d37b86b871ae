"""What does a run cost, of each kind? A call alone, a run that is waited for, one that is durable.

The upstream answers at once, in the harness's own loop, so what is left is Headgate's own part.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import shutil
import statistics
import threading
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from benchmarks.figures import Figures, Sample
from benchmarks.processes import BenchmarkError, stop
from benchmarks.rounds import Place
from benchmarks.systems import Headgate, Running

ALONE: Final = 60
"""Asked one after the other, for the latency of each kind."""

CONNECTIONS: Final = 16
DURATION_S: Final = 4.0
_START_DEADLINE_S: Final = 30.0
_CALL_DEADLINE_S: Final = 60.0
_MODEL: Final = "benchmark-model"

_SCHEMA: Final = {
    "type": "object",
    "properties": {"text": {"type": "string"}},
    "required": ["text"],
    "additionalProperties": False,
}
_FILES: Final = {
    "workflow.yaml": f"version: 1.0.0\nowner: benchmark\nroute: {_MODEL}\n",
    "input.schema.json": json.dumps(_SCHEMA),
    "output.schema.json": json.dumps(_SCHEMA),
    "prompt.md": "# system\n\nRepeat the text.\n\n# user\n\n{{ input.text }}\n",
}
_RUN: Final = {"input": {"text": "Where is my parcel?"}}
_CALL: Final = {"model": _MODEL, "messages": [{"role": "user", "content": "Where is my parcel?"}]}
_RUNS_PATH: Final = "/api/workflows/repeat/runs"
_KINDS: Final[dict[str, tuple[str, dict[str, Any], dict[str, str]]]] = {
    "call": ("/v1/chat/completions", _CALL, {}),
    "sync": (_RUNS_PATH, _RUN, {}),
    "async": (_RUNS_PATH, _RUN, {"prefer": "respond-async, wait=60"}),
}


async def measure(figures: Figures, place: Place) -> None:
    """Add the figures of each kind. Raises BenchmarkError where one fails."""
    system = Headgate(setup=("headgate-runs", "; runs of a workflow"))
    if why_not := system.prepare(place.work):
        figures.skipped[system.name] = why_not
        return
    figures.titles[system.name] = system.title
    folder = place.work / system.name
    shutil.rmtree(folder, ignore_errors=True)
    workflow = folder / "workflows" / "repeat"
    workflow.mkdir(parents=True)
    for name, text in _FILES.items():
        (workflow / name).write_text(text)
    upstream = await asyncio.start_server(_answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{upstream.sockets[0].getsockname()[1]}/v1"
    running = system.start(url, folder, place.cores, streams=False)
    try:
        for name, value in (await asyncio.to_thread(_measured, running)).items():
            figures.add(system.name, name, Sample(value))
    finally:
        if running.server is not None:
            await asyncio.to_thread(stop, running.server)
        upstream.close()


def _measured(running: Running) -> dict[str, float]:
    _until_ready(running)
    found: dict[str, float] = {}
    for kind in _KINDS:
        # The first of a kind loads what only that kind needs.
        _asked(running, kind, count=5)
        found[f"run_{kind}_p50_ms"] = 1e3 * statistics.median(_asked(running, kind, count=ALONE))
        found[f"run_{kind}_per_s"] = _rate(running, kind)
    return found


def _rate(running: Running, kind: str) -> float:
    done: list[int] = []
    end_s = time.perf_counter() + DURATION_S

    def client() -> None:
        done.append(len(_asked(running, kind, until=lambda: time.perf_counter() > end_s)))

    threads = [threading.Thread(target=client) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(done) < CONNECTIONS:
        raise BenchmarkError(f"a client of {kind} failed")
    return sum(done) / DURATION_S


def _asked(
    running: Running,
    kind: str,
    *,
    count: int | None = None,
    until: Callable[[], bool] = lambda: False,
) -> list[float]:
    """How many seconds each took, on one connection."""
    path, body, headers = _KINDS[kind]
    connection = http.client.HTTPConnection(urlsplit(running.url).netloc, timeout=_CALL_DEADLINE_S)
    sent = {"content-type": "application/json", **running.headers, **headers}
    taken: list[float] = []
    try:
        while not until() and (count is None or len(taken) < count):
            began_s = time.perf_counter()
            connection.request("POST", path, json.dumps(body), sent)
            response = connection.getresponse()
            content = response.read()
            taken.append(time.perf_counter() - began_s)
            if response.status != 200:
                raise BenchmarkError(f"{kind} was answered {response.status}: {content[:200]!r}")
    finally:
        connection.close()
    return taken


def _until_ready(running: Running) -> None:
    deadline_s = time.perf_counter() + _START_DEADLINE_S
    while time.perf_counter() < deadline_s:
        try:
            _asked(running, "call", count=1)
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
        else:
            return
    raise BenchmarkError("it does not answer")


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer every request with the same completion."""
    message = {"role": "assistant", "content": '{"text": "Where is my parcel?"}', "refusal": None}
    reply = {
        "id": "chatcmpl-benchmark",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": _MODEL,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 20, "completion_tokens": 10, "total_tokens": 30},
    }
    body = json.dumps(reply).encode()
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    try:
        while True:
            request = await reader.readuntil(b"\r\n\r\n")
            length = next(
                (
                    int(line.partition(b":")[2])
                    for line in request.split(b"\r\n")
                    if line.lower().startswith(b"content-length:")
                ),
                0,
            )
            await reader.readexactly(length)
            writer.write(head % len(body) + body)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()
