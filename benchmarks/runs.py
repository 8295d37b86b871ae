"""What does a run cost, of each kind? From a call alone to a durable run whose action is approved.

The upstream and the tools' service answer at once, in the harness's own loop, and whoever is asked
approves at once, so what is left is Headgate's own part.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import shutil
import statistics
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from benchmarks.figures import Figures, Sample
from benchmarks.processes import BenchmarkError, stop
from benchmarks.rounds import Place
from benchmarks.run_kinds import CONFIGURATION, KINDS, answer, write_workflows
from benchmarks.systems import Headgate, Running

ALONE: Final = 60
"""Asked one after the other, for the latency of each kind."""

CONNECTIONS: Final = 16
DURATION_S: Final = 4.0
_START_DEADLINE_S: Final = 30.0
_CALL_DEADLINE_S: Final = 60.0


async def measure(figures: Figures, place: Place) -> None:
    """Add the figures of each kind. Raises BenchmarkError where one fails."""
    system = Headgate(configuration=CONFIGURATION, setup=("headgate-runs", "; runs of a workflow"))
    if why_not := system.prepare(place.work):
        figures.skipped[system.name] = why_not
        return
    figures.titles[system.name] = system.title
    folder = place.work / system.name
    shutil.rmtree(folder, ignore_errors=True)
    write_workflows(folder)
    upstream = await asyncio.start_server(answer, "127.0.0.1", 0)
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
    for kind in KINDS:
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
    wanted = KINDS[kind]
    client = _Client(running, wanted.headers)
    taken: list[float] = []
    try:
        while not until() and (count is None or len(taken) < count):
            began_s = time.perf_counter()
            if wanted.decided:
                client.ask_and_approve(wanted.path, wanted.body)
            else:
                client.ask(wanted.path, wanted.body)
            taken.append(time.perf_counter() - began_s)
    finally:
        client.connection.close()
    return taken


class _Client:
    """One connection."""

    def __init__(self, running: Running, headers: dict[str, str]) -> None:
        place = urlsplit(running.url).netloc
        self.connection = http.client.HTTPConnection(place, timeout=_CALL_DEADLINE_S)
        self._headers = {"content-type": "application/json", **running.headers, **headers}

    def ask(
        self, path: str, body: dict[str, Any], *, status: int = 200, key: str | None = None
    ) -> dict[str, Any]:
        """POST, with `key` as its Idempotency-Key."""
        headers = self._headers if key is None else {**self._headers, "idempotency-key": key}
        self.connection.request("POST", path, json.dumps(body), headers)
        response = self.connection.getresponse()
        content = response.read()
        if response.status != status:
            raise BenchmarkError(f"{path} was answered {response.status}: {content[:200]!r}")
        return dict(json.loads(content))

    def ask_and_approve(self, path: str, body: dict[str, Any]) -> None:
        """Have a run wait for a person, approve at once, and come back when it has ended."""
        key = uuid.uuid4().hex
        run = self.ask(path, body, status=202, key=key)
        self.ask(f"/api/reviews/{run['review_id']}/decision", {"decision": "approve"})
        # The same request again is answered by the same run, as soon as that is at its end.
        self.ask(path, body, key=key)


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
