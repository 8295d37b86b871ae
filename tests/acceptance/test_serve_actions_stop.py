"""Runs that act, as callers see them: servers stop, runs are cancelled, requests repeat."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from desk import Desk
from headgate.storage import Database
from headgate.workflows.tools.action import Action
from headgate.workflows.tools.action_store import ActionStore
from servers import Reply, RunningServer, StartServer, until
from upstreams import Upstream, reply

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

OPENS_AT_ONCE, ASKS_A_PERSON, RINGS = 0, 1, 2
"""Numbers whose model wants that: see `desk.wanted`."""


@pytest.fixture
def desk(upstream: Upstream, model: str) -> Desk:
    return Desk(upstream, model)


@pytest.fixture
def start(server_with: StartServer, desk: Desk, upstream: Upstream, tmp_path: Path):
    """Starts the desk's server, the second time with what the first has left."""
    folder = tmp_path / "installation"
    desk.write(folder)
    settings = desk.settings(per_worker=4)
    return lambda: server_with(folder=folder, settings=settings, upstream=upstream)


def asked(server: RunningServer, number: int, **headers: str) -> Reply:
    path, body = "/api/workflows/desk/runs", {"input": {"text": f"number {number}"}}
    return server.post(path, body, headers=headers)


def taken(server: RunningServer, number: int) -> str:
    """The id of a run that nobody waits for."""
    return str(asked(server, number, prefer="respond-async").json()["id"])


def status_of(server: RunningServer, run_id: str) -> str:
    return str(server.get(f"/api/runs/{run_id}").json()["status"])


def action_of(server: RunningServer, run_id: str) -> Action:
    database = Database(server.database_url)
    try:
        (action,) = ActionStore(database, "test").of_run(run_id)
    finally:
        database.close()
    return action


def test_a_server_that_is_stopped_waits_for_what_is_on_its_way(start, desk, upstream):
    upstream.answers(f"/{desk.model}/ring", [2.0, *reply({"id": "b"})])
    server = start()
    run_id = taken(server, RINGS)
    upstream.wait_for(f"/{desk.model}/ring")
    assert server.stop() == 0
    assert action_of(server, run_id).state == "done"
    again = start()
    assert until(lambda: status_of(again, run_id) == "completed", 20)
    assert len(upstream.requests(f"/{desk.model}/ring")) == 1


def test_what_is_on_its_way_for_longer_than_a_server_waits_comes_to_a_person(start, desk, upstream):
    never = threading.Event()
    upstream.answers(f"/{desk.model}/ring", [never])
    server = start()
    run_id = taken(server, RINGS)
    sent = upstream.wait_for(f"/{desk.model}/ring")
    assert server.stop() == 0
    assert sent.left.wait(5), "who stops lets go of it before others may take it over"
    again = start()
    assert until(lambda: status_of(again, run_id) == "awaiting_review", 20)
    (review,) = again.get(f"/api/reviews?run={run_id}").json()["data"]
    assert review["reasons"][0]["code"] == "unknown"
    decision = {"decision": "edit", "output": {"id": "it rang"}}
    assert again.post(f"/api/reviews/{review['id']}/decision", decision).status == 200
    assert until(lambda: status_of(again, run_id) == "completed", 20)
    assert len(upstream.requests(f"/{desk.model}/ring")) == 1


def test_a_cancelled_run_does_nothing_more_and_what_was_on_its_way_is_known(start, desk, upstream):
    gate = threading.Event()
    upstream.answers(f"/{desk.model}/ring", [gate, *reply({"id": "b"})])
    server = start()
    run_id = taken(server, RINGS)
    upstream.wait_for(f"/{desk.model}/ring")
    assert server.post(f"/api/runs/{run_id}/cancel", {}).status == 200
    gate.set()
    assert until(lambda: action_of(server, run_id).state == "done", 10)
    run = server.get(f"/api/runs/{run_id}").json()
    assert (run["status"], run["error"]["code"]) == ("failed", "run_cancelled")
    assert len(upstream.requests(desk.model)) == 1, "the model is not asked again"


def test_a_request_that_is_repeated_while_its_run_waits_is_the_same_run(start, desk, upstream):
    server = start()
    first = asked(server, ASKS_A_PERSON, **{"idempotency-key": "once"})
    assert (first.status, first.json()["status"]) == (202, "awaiting_review")
    again = asked(server, ASKS_A_PERSON, **{"idempotency-key": "once"})
    assert (again.status, again.json()["id"]) == (202, first.json()["id"])
    other = asked(server, RINGS, **{"idempotency-key": "once"})
    assert (other.status, other.error["code"]) == (409, "idempotency_key_reused")
    run_id, review_id = first.json()["id"], first.json()["review_id"]
    decided = server.post(f"/api/reviews/{review_id}/decision", {"decision": "approve"})
    assert decided.status == 200
    ended = asked(server, ASKS_A_PERSON, **{"idempotency-key": "once"})
    assert (ended.status, ended.json()["status"], ended.json()["id"]) == (200, "completed", run_id)
    assert [len(came) for came in desk.came("open").values()] == [1]
    assert len(upstream.requests(desk.model)) == 2


def test_a_caller_who_leaves_takes_no_action_along(start, desk, upstream):
    gate = threading.Event()
    upstream.answers(f"/{desk.model}/open", [gate, *reply({"id": "t"})])
    server = start()
    body = {"input": {"text": f"number {OPENS_AT_ONCE}"}}
    with pytest.raises(TimeoutError):
        server.post("/api/workflows/desk/runs", body, timeout_s=2)
    upstream.wait_for(f"/{desk.model}/open")
    gate.set()

    def ended() -> bool:
        runs = server.get("/api/runs").json()["data"]
        return [run["status"] for run in runs] == ["completed"]

    assert until(ended, 20)
    assert [len(came) for came in desk.came("open").values()] == [1]
