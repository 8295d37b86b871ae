"""Many asynchronous runs whose servers are killed while they are under way, and what must hold."""

from __future__ import annotations

import http.client
import itertools
import os
import random
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from scripted_workflows import FILES, GOOD
from servers import RunningServer, until
from upstreams import Upstream, completion, reply

RUNS = int(os.environ.get("HEADGATE_TEST_DURABLE_RUNS", "30"))
"""How many; more of them by hand."""

KILLS = int(os.environ.get("HEADGATE_TEST_DURABLE_KILLS", "2"))
"""How often the server is killed meanwhile."""

_CLIENTS = 6
_KEPT_WITHIN_S = 0.5
"""An answer that the provider sent this long before a kill is kept."""


def write_workflow(folder: Path, name: str, route: str, *lines: str) -> None:
    """The workflow `name` in the project `folder`, with more `lines` of its workflow.yaml."""
    place = folder / "workflows" / name
    place.mkdir(parents=True)
    for file, text in FILES.items():
        (place / file).write_text(text)
    settings = FILES["workflow.yaml"].replace("small-model", route)
    (place / "workflow.yaml").write_text(settings + "".join(f"{line}\n" for line in lines))


def answers_well(upstream: Upstream, model: str, *, after_s: float) -> None:
    """Let `model` give what the workflow takes."""
    text = '{"label": "good", "score": 3}'
    upstream.answers(model, [after_s, *reply(completion(model, text))])


class Crowd:
    """Clients that want `count` runs taken, whichever server is there."""

    def __init__(self, workflow: str, count: int) -> None:
        self.servers: list[RunningServer] = []
        self.killed_s: list[tuple[float, float]] = []
        """Between which moments each kill came."""
        self.taken: dict[int, str] = {}
        """Which run was acknowledged to which client's number."""
        self._path = f"/api/workflows/{workflow}/runs"
        self._left = iter(range(count))
        self._drawing = threading.Lock()
        self._threads = [
            threading.Thread(target=self._client, daemon=True) for _ in range(_CLIENTS)
        ]

    def start(self) -> None:
        """Begin to ask."""
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait until all is acknowledged."""
        for thread in self._threads:
            thread.join(90)
            assert not thread.is_alive()

    def kill(self, server: RunningServer) -> None:
        """`kill -9` one server."""
        self.servers.remove(server)
        began_s = time.monotonic()
        server.kill()
        self.killed_s.append((began_s, time.monotonic()))

    def _client(self) -> None:
        while True:
            with self._drawing:
                number = next(self._left, None)
            if number is None:
                return
            while number not in self.taken:
                try:
                    self._ask(number)
                except (OSError, http.client.HTTPException, IndexError):
                    time.sleep(0.05)  # there is no server at the moment

    def _ask(self, number: int) -> None:
        answer = random.choice(self.servers).post(
            self._path,
            {"input": {"text": f"number {number}"}},
            headers={"prefer": "respond-async", "idempotency-key": f"n{number}"},
        )
        assert answer.status in (202, 409), answer.body
        if answer.status == 202:
            self.taken[number] = answer.json()["id"]


def all_ended(server: RunningServer, count: int, timeout_s: float) -> list[dict[str, Any]]:
    """Every run of the server, once `count` have ended; each `completed` as it should be."""

    def look() -> list[dict[str, Any]] | None:
        runs = every_run(server)
        ended = [run for run in runs if run["status"] not in ("queued", "running")]
        return runs if len(ended) >= count else None

    runs = until(look, timeout_s, every_s=0.5)
    assert runs, [run["status"] for run in every_run(server)]
    return list(runs)


def every_run(server: RunningServer) -> list[dict[str, Any]]:
    """All runs that the server knows, newest first, without contents."""
    runs: list[dict[str, Any]] = []
    while True:
        after = f"&after={runs[-1]['id']}" if runs else ""
        page = server.get(f"/api/runs?limit=100{after}").json()
        runs += page["data"]
        if not page["has_more"]:
            return runs


def hold_to_promises(
    server: RunningServer, upstream: Upstream, model: str, crowd: Crowd, count: int
) -> None:
    """Nothing acknowledged is lost or done twice, and no call that had finished is paid again."""
    runs = all_ended(server, count, timeout_s=60 + count / 10)
    assert {run["status"] for run in runs} == {"completed"}
    assert len(runs) == count, "an Idempotency-Key stands for one run"
    assert set(crowd.taken.values()) == {run["id"] for run in runs}
    some = server.get(f"/api/runs/{runs[0]['id']}").json()
    assert some["output"] == GOOD
    assert [step["kind"] for step in some["steps"]] == [
        "input",
        "render",
        "call",
        "parse",
        "schema",
    ]
    repeated = repeated_with_need(upstream, model, crowd, {f"{run['id']}-call-1" for run in runs})
    print(f"{count} runs, {len(crowd.killed_s)} kills, {repeated} calls interrupted and made again")


def repeated_with_need(upstream: Upstream, model: str, crowd: Crowd, keys: set[str]) -> int:
    """How many calls were made again: only those under way at a kill may be. `keys` are of all."""
    asked = defaultdict(list)
    for request in upstream.requests(model):
        asked[request.header("idempotency-key")].append(request)
    assert set(asked) == keys
    for key, requests in asked.items():
        for one, again in itertools.pairwise(sorted(requests, key=lambda r: r.arrived_s)):
            done_s = one.done_s or one.arrived_s
            excused = any(
                one.arrived_s <= gone_s and began_s <= done_s + _KEPT_WITHIN_S
                for began_s, gone_s in crowd.killed_s
            )
            assert excused, (
                f"{key} was asked again without need: answered at {done_s:.3f} s, again at"
                f" {again.arrived_s:.3f} s, kills at {crowd.killed_s}"
            )
    return sum(len(requests) - 1 for requests in asked.values())
