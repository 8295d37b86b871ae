"""A desk whose model acts: it opens tickets and rings bells, some of it only if a person agrees.

`open` is idempotent and waits for a person where the priority is high; `ring` is neither. Who rings
twice is heard twice. The service counts what it was asked for by idempotency key.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import re
import signal
import threading
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from crowd import Crowd, every_run, repeated_with_need, write_workflow
from headgate.storage import Database
from headgate.storage.review_tables import review_events, reviews
from headgate.workflows.tools.action import Action
from headgate.workflows.tools.action_store import ActionStore
from scripted_workflows import GOOD
from servers import RunningServer, until
from upstreams import Received, Script, Upstream, completion, reply

_RINGS_S = 0.4
"""How long the bell takes: so many are under way when a server is killed."""

_OPENS_S = 0.1
_SEEN_OF_A_RUN = 3
"""Requests of model and service that each makes, about."""

_REVIEWERS = 3
_PARAMETERS = (
    "{type: object, additionalProperties: false, required: [title, priority], properties: {title:"
    " {type: string}, priority: {type: string, enum: [low, high]}}}"
)
_SETTINGS = """\
logs: {calls: none}
runs: {per_worker: %(per_worker)d}
tools:
  desk:
    kind: http
    base_url: http://127.0.0.1:%(port)d
    tools:
      open:
        description: Opens a ticket.
        path: /%(model)s/open
        effect: write
        idempotent: true
        needs: untrusted
        approval: {when: [{field: priority, one_of: [high]}]}
        parameters: %(parameters)s
      ring:
        description: Rings the bell.
        path: /%(model)s/ring
        effect: write
        approval: never
        needs: untrusted
        parameters: %(parameters)s
"""
_LOW, _HIGH, _BELL = ("open", "low"), ("open", "high"), ("ring", "low")
_WANTED = ((_LOW,), (_HIGH,), (_BELL,), (_LOW, _HIGH, _BELL))
"""What the model wants done for each client's number, in turn, as tool and priority."""


class Desk:
    """The model and the service of one test."""

    def __init__(self, upstream: Upstream, model: str) -> None:
        self.upstream = upstream
        self.model = model
        upstream.answers(model, self._asked)
        upstream.answers(f"/{model}/open", [_OPENS_S, *reply({"id": "t"}, status=201)])
        upstream.answers(f"/{model}/ring", [_RINGS_S, *reply({"id": "b"}, status=201)])

    def settings(self, *, per_worker: int) -> str:
        """The headgate.yaml of its servers."""
        return _SETTINGS % {
            "per_worker": per_worker,
            "port": self.upstream.port,
            "model": self.model,
            "parameters": _PARAMETERS,
        }

    def write(self, folder: Path) -> None:
        """Its workflow, in a server's folder."""
        tools = "tools: {open: {source: desk/open}, ring: {source: desk/ring}}"
        write_workflow(folder, "desk", self.model, tools, "limits: {timeout_s: 60}")

    def wait_for_some(self, count: int, kills: int) -> None:
        """Until it is in the midst of its work; so many such waits pass while `count` runs do."""
        now = self._seen()
        more = random.uniform(0.3, 1.0) * _SEEN_OF_A_RUN * count / (kills + 1)
        assert until(lambda: self._seen() > now + more, 60 + count / 5), self._seen()
        time.sleep(random.uniform(0.0, _RINGS_S))

    def _seen(self) -> int:
        paths = self.model, f"/{self.model}/open", f"/{self.model}/ring"
        return sum(len(self.upstream.requests(path)) for path in paths)

    def came(self, tool: str) -> dict[str, list[Received]]:
        """What reached the service, by idempotency key."""
        found = defaultdict(list)
        for request in self.upstream.requests(f"/{self.model}/{tool}"):
            found[request.header("idempotency-key") or ""].append(request)
        return found

    def rang_for(self, title: str) -> bool:
        """Whether somebody who goes and looks finds that it was done."""
        rung = self.upstream.requests(f"/{self.model}/ring")
        return any(request.json()["title"] == title for request in rung)

    def _asked(self, request: Received) -> Script:
        body = request.json()
        if body["messages"][-1]["role"] == "tool":
            return [0.05, *reply(completion(self.model, json.dumps(GOOD)))]
        number = int(re.findall(r"number (\d+)", json.dumps(body["messages"]))[0])
        calls = [
            {
                "id": f"ask_{place}",
                "type": "function",
                "function": {
                    "name": tool,
                    "arguments": json.dumps({"title": f"{number}-{place}", "priority": priority}),
                },
            }
            for place, (tool, priority) in enumerate(wanted(number))
        ]
        answer = completion(self.model)
        answer["choices"][0]["message"] |= {"content": None, "tool_calls": calls}
        return [0.05, *reply(answer)]


def wanted(number: int) -> tuple[tuple[str, str], ...]:
    """What the model wants done for the client's `number`."""
    return _WANTED[number % len(_WANTED)]


class Callers(Crowd):
    """Clients, every third of which waits for its run, and asks again until it is told of it."""

    def __init__(self, count: int) -> None:
        super().__init__("desk", count)

    def _ask(self, number: int) -> None:
        waits = {} if number % 3 == 0 else {"prefer": "respond-async"}
        answer = random.choice(self.servers).post(
            "/api/workflows/desk/runs",
            {"input": {"text": f"number {number}"}},
            headers={**waits, "idempotency-key": f"n{number}"},
        )
        assert answer.status in (200, 202, 409, 503), answer.body
        if answer.status in (200, 202):
            self.taken[number] = answer.json()["id"]


class Reviewers:
    """People who decide whatever waits, several at once about the same; and what they were told."""

    def __init__(self, desk: Desk, callers: Callers) -> None:
        self.agreed: dict[str, dict[str, Any]] = {}
        """By review: the decision that was answered with 200."""
        self._desk, self._callers = desk, callers
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._work) for _ in range(_REVIEWERS)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let them go home."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(30)

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                server = random.choice(self._callers.servers)
                waiting = server.get("/api/reviews?kind=action&limit=100", timeout_s=5).json()
                for one in random.sample(waiting["data"], min(5, len(waiting["data"]))):
                    self._decide(server, one["id"])
            except (OSError, http.client.HTTPException, IndexError, ValueError, KeyError):
                pass  # there is no server at the moment
            self._stopping.wait(0.1)

    def _decide(self, server: RunningServer, review_id: str) -> None:
        shown = server.get(f"/api/reviews/{review_id}", timeout_s=5).json()
        if shown["reasons"][0]["code"] == "unknown":
            there = self._desk.rang_for(shown["draft"]["title"])
            choice = {"decision": "edit", "output": {"seen": True}} if there else {}
        else:
            changed = {**shown["draft"], "priority": "low"}
            choice = random.choice(
                [{}, {"decision": "edit", "output": changed}, {"decision": "reject"}]
            )
        choice = {"decision": "approve", **choice}
        answer = server.post(f"/api/reviews/{review_id}/decision", choice, timeout_s=5)
        assert answer.status in (200, 409, 503), answer.body
        if answer.status == 200:
            assert review_id not in self.agreed, "it was decided before"
            self.agreed[review_id] = choice


def hold_to_promises(
    server: RunningServer, desk: Desk, callers: Callers, reviewers: Reviewers, count: int
) -> None:
    """All ends; what was approved was done once, what was refused never; nothing is paid twice."""

    def ended() -> list[dict[str, Any]] | None:
        runs = every_run(server)
        return runs if [run["status"] for run in runs].count("completed") >= count else None

    runs = until(ended, 90 + count / 5, every_s=0.5)
    reviewers.stop()
    assert runs, Counter((run["status"], run["error_code"]) for run in every_run(server))
    assert len(runs) == count, "an Idempotency-Key stands for one run"
    numbers = {run_id: number for number, run_id in callers.taken.items()}
    assert set(numbers) == {run["id"] for run in runs}
    keys = {f"{run_id}-call-{number}" for run_id in numbers for number in (1, 2)}
    again = repeated_with_need(desk.upstream, desk.model, callers, keys)
    database = Database(server.database_url)
    try:
        store = ActionStore(database, "test")
        acts = {run_id: store.of_run(run_id) for run_id in numbers}
        with database.connect() as connection:
            asked = {row.id: row for row in connection.execute(sa.select(reviews))}
            closing = review_events.c.what.in_(("approved", "edited", "rejected"))
            closed = Counter(
                connection.execute(sa.select(review_events.c.review_id).where(closing)).scalars()
            )
    finally:
        database.close()
    for run_id, number in numbers.items():
        assert [one.tool for one in acts[run_id]] == [tool for tool, _ in wanted(number)]
    actions = [one for of_run in acts.values() for one in of_run]
    _decided_once(asked, closed, reviewers, {one.id: one for one in actions})
    opened, rung = desk.came("open"), desk.came("ring")
    assert {one.id for one in actions if one.state == "done"} == opened.keys() | rung.keys()
    assert {one.state for one in actions} <= {"done", "refused"}
    for one in actions:
        for request in opened.get(one.id, []):
            assert request.json() == one.arguments, "what goes out again is the same"
    assert all(len(requests) == 1 for requests in rung.values()), "nothing rings twice"
    unknown = [row for row in asked.values() if '"outcome_unknown":true' in row.facts]
    adopted = sum(one.attempts > 1 for one in actions if one.tool == "open")
    print(
        f"{count} runs, {len(actions)} actions, {len(callers.killed_s)} kills:"
        f" {again} calls and {adopted} tickets under way made again,"
        f" {len(unknown)} bells that a person was asked about,"
        f" {sum(one.state == 'refused' for one in actions)} refused,"
        f" {len(reviewers.agreed)} of {len(asked)} decisions acknowledged"
    )


def _decided_once(
    asked: dict[str, Any], closed: Counter[str], reviewers: Reviewers, actions: dict[str, Action]
) -> None:
    """Each review ended once, as whoever decided was told, and its action is as it says."""
    assert set(closed) == set(asked)
    assert set(closed.values()) <= {1}, "no review is decided twice"
    verbs = {"approve": "approved", "edit": "edited", "reject": "rejected"}
    for review_id, choice in reviewers.agreed.items():
        assert asked[review_id].decision == verbs[choice["decision"]]
    about = {}
    for review in asked.values():
        facts = json.loads(review.facts)
        action = actions[facts["action_id"]]
        about.setdefault(action.id, []).append(facts.get("outcome_unknown", False))
        if not facts.get("outcome_unknown"):
            assert action.state == ("refused" if review.decision == "rejected" else "done")
            assert action.tool == "open"
        if review.decision == "edited" and not facts.get("outcome_unknown"):
            assert action.arguments["priority"] == "low"
    for one in actions.values():
        if one.tool == "ring" and one.result != {"id": "b"}:
            assert any(about.get(one.id, [])), "whose answer is lost, a person is asked about"


def paused(server: RunningServer, callers: Callers, seconds: float) -> None:
    """Let a server stand still for so long, and go on."""
    callers.servers.remove(server)
    began_s = time.monotonic()
    os.killpg(server.process.pid, signal.SIGSTOP)
    time.sleep(seconds)
    os.killpg(server.process.pid, signal.SIGCONT)
    callers.killed_s.append((began_s, time.monotonic()))
    callers.servers.append(server)
