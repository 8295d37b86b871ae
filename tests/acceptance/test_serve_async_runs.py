"""Asynchronous runs as their callers see them: taken, followed, cancelled, late, in turn."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import http.server
import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from crowd import answers_well, write_workflow
from scripted_workflows import GOOD
from servers import ADMIN_KEY, Reply, RunningServer, end_server, start_server, until
from upstreams import Upstream, completion, reply

_TEXT = json.dumps(GOOD)


_SECRET = "a-secret-of-the-tests-0123"


class Receiver(http.server.ThreadingHTTPServer):
    """Takes webhooks, and answers as it is told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Taking)
        self.statuses: list[int] = []
        self.came: list[tuple[str, dict[str, str], bytes]] = []
        self.answers = threading.Event()
        """What comes to `/hooks/slow…` is answered once it is set."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Taking(http.server.BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.came.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        if self.path.startswith("/hooks/slow"):
            self.server.answers.wait(20)
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 204)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        thread = threading.Thread(target=receiver.serve_forever)
        thread.start()
        yield receiver
        receiver.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def server(
    upstream: Upstream, receiver: Receiver, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """One with a workflow for each test, whose model is `async-NAME`."""
    folder = tmp_path_factory.mktemp("async-runs") / "server"
    for name in ("plain", "waited", "followed", "cancelled", "late", "twice", "quick"):
        write_workflow(folder, name, f"async-{name}")
    write_workflow(folder, "one-by-one", "async-one-by-one", "limits: {concurrency: 1}")
    write_workflow(folder, "overdue", "async-overdue", "limits: {concurrency: 1, deadline_s: 0.6}")
    write_workflow(folder, "telling", "async-telling", f"webhook: {receiver.address}/hooks/telling")
    settings = f"""
runs:
  per_worker: 8
  webhooks: {{allow: ["{receiver.address}/hooks/"], secret: {_SECRET}}}
"""
    server = start_server(folder, settings=settings, upstream=upstream)
    yield server
    end_server(server)


def take(server: RunningServer, workflow: str, text: str = "hello", **options: Any) -> Reply:
    headers = {"prefer": options.pop("prefer", "respond-async")}
    if "idempotency_key" in options:
        headers["idempotency-key"] = options.pop("idempotency_key")
    return server.post(
        f"/api/workflows/{workflow}/runs", {"input": {"text": text}, **options}, headers=headers
    )


def ended(server: RunningServer, run_id: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        run = server.get(f"/api/runs/{run_id}").json()
        return None if run["status"] in ("queued", "running") else run

    run = until(look, 10)
    assert run, server.get(f"/api/runs/{run_id}").body
    return dict(run)


def held(upstream: Upstream, model: str) -> threading.Event:
    """Lets `model` answer, once the event is set."""
    gate = threading.Event()
    upstream.answers(model, [gate, *reply(completion(model, _TEXT))])
    return gate


def test_a_run_is_taken_at_once_and_found_when_it_has_ended(server, upstream):
    gate = held(upstream, "async-plain")
    answer = take(server, "plain")
    assert answer.status == 202
    run = answer.json()
    assert (run["status"], run["input"], run["output"]) == ("queued", {"text": "hello"}, None)
    assert answer.headers["location"] == f"/api/runs/{run['id']}"
    assert answer.headers["preference-applied"] == "respond-async"
    request = upstream.wait_for("async-plain")
    assert request.header("idempotency-key") == f"{run['id']}-call-1"
    shown = server.get(f"/api/runs/{run['id']}").json()
    assert shown["status"] == "running"
    assert [step["kind"] for step in shown["steps"]] == ["input", "render"]
    assert [one["id"] for one in server.get("/api/runs?status=running").json()["data"]] == [
        run["id"]
    ]
    assert until(lambda: "headgate_runs_carried 1.0" in server.get("/metrics").body.decode(), 5)
    gate.set()
    run = ended(server, run["id"])
    assert (run["status"], run["output"]) == ("completed", GOOD)
    assert len(run["calls"]) == 1
    assert server.record(run_id=run["id"])["status"] == 200


def test_who_prefers_to_wait_gets_the_run_if_it_ends_in_time(server, upstream):
    gate = held(upstream, "async-waited")
    late = take(server, "waited", prefer="respond-async, wait=0")
    assert late.status == 202
    gate.set()
    answer = take(server, "waited", prefer="respond-async, wait=10")
    assert (answer.status, answer.json()["output"]) == (200, GOOD)
    assert "preference-applied" not in answer.headers
    refused = take(server, "waited", prefer="respond-async, wait=soon")
    assert (refused.status, refused.error["param"]) == (400, "Prefer")


def test_the_same_idempotency_key_is_the_same_run(server, upstream):
    answers_well(upstream, "async-twice", after_s=0.0)
    first, second = (take(server, "twice", idempotency_key="k") for _ in range(2))
    assert first.json()["id"] == second.json()["id"]
    assert second.headers["idempotency-replayed"] == "true"
    ended(server, first.json()["id"])
    third = take(server, "twice", idempotency_key="k", prefer="respond-async, wait=5")
    assert (third.status, third.json()["output"]) == (200, GOOD)
    other = take(server, "twice", "another input", idempotency_key="k")
    assert (other.status, other.error["code"]) == (409, "idempotency_key_reused")
    assert len(upstream.requests("async-twice")) == 1


def test_an_input_that_does_not_fit_is_refused_before_it_is_a_run(server):
    answer = server.post(
        "/api/workflows/plain/runs", {"input": {}}, headers={"prefer": "respond-async"}
    )
    assert answer.status == 400
    answer = server.post("/api/workflows/quick/runs", {"input": {"text": "t"}, "priority": "bulk"})
    assert (answer.status, answer.error["param"]) == (400, "priority")
    answer = take(server, "quick", webhook="https://example.com/")
    assert (answer.status, answer.error["param"]) == (400, "webhook")


def events(server: RunningServer, run_id: str, last: str | None = None) -> list[dict[str, Any]]:
    """All events until the stream ends."""
    connection = http.client.HTTPConnection(server.host, server.port, timeout=15)
    headers = {"authorization": f"Bearer {ADMIN_KEY}"}
    if last is not None:
        headers["last-event-id"] = last
    with closing(connection):
        connection.request("GET", f"/api/runs/{run_id}/events", headers=headers)
        response = connection.getresponse()
        assert response.status == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        text = response.read().decode()
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
        if "event" in fields:
            found.append({**fields, "data": json.loads(fields["data"])})
    return found


def test_a_run_is_followed_as_it_happens_and_again_from_where_one_was(server, upstream):
    gate = held(upstream, "async-followed")
    run_id = take(server, "followed").json()["id"]
    heard: list[dict[str, Any]] = []
    watcher = threading.Thread(target=lambda: heard.extend(events(server, run_id)))
    watcher.start()
    upstream.wait_for("async-followed")
    gate.set()
    watcher.join(10)
    names = [event["event"] for event in heard]
    assert names[-1] == "run.completed"
    assert heard[-1]["data"]["output"] == GOOD
    kinds = [event["data"]["kind"] for event in heard if event["event"] == "step"]
    assert kinds == ["input", "render", "call", "parse", "schema"]
    last_step = next(event for event in heard if event["data"].get("kind") == "call")
    rest = events(server, run_id, last_step["id"])
    assert [event["data"].get("kind") for event in rest] == ["parse", "schema", None]
    over = server.get(f"/api/runs/{run_id}/events", headers={"last-event-id": heard[-1]["id"]})
    assert (over.status, over.body) == (204, b"")
    refused = server.get(f"/api/runs/{run_id}/events", headers={"last-event-id": "x"})
    assert (refused.status, refused.error["param"]) == (400, "Last-Event-ID")
    assert server.get("/api/runs/run_none/events").status == 404


def test_a_run_is_cancelled_and_its_call_is_dropped(server, upstream):
    held(upstream, "async-cancelled")
    run_id = take(server, "cancelled").json()["id"]
    request = upstream.wait_for("async-cancelled")
    answer = server.post(f"/api/runs/{run_id}/cancel", None)
    assert (answer.status, answer.json()["status"]) == (200, "failed")
    assert answer.json()["error"]["code"] == "run_cancelled"
    assert request.left.wait(5), "the provider was not told"
    again = server.post(f"/api/runs/{run_id}/cancel", None)
    assert (again.status, "failed" in again.error["message"]) == (409, True)
    assert ended(server, run_id)["error"]["code"] == "run_cancelled"


def test_a_synchronous_run_cannot_be_cancelled(server, upstream):
    answers_well(upstream, "async-quick", after_s=0.0)
    run_id = server.post("/api/workflows/quick/runs", {"input": {"text": "t"}}).json()["id"]
    assert server.post(f"/api/runs/{run_id}/cancel", None).status == 409


def test_a_run_that_has_not_ended_by_its_deadline_has_failed(server, upstream):
    held(upstream, "async-late")
    run = ended(server, take(server, "late", deadline_s=0.5).json()["id"])
    assert (run["status"], run["error"]["code"]) == ("failed", "run_deadline")
    # And one that has not even begun.
    gate = held(upstream, "async-overdue")
    first, second = (take(server, "overdue").json()["id"] for _ in range(2))
    assert {ended(server, one)["error"]["code"] for one in (first, second)} == {"run_deadline"}
    assert len(upstream.requests("async-overdue")) == 1
    gate.set()


def test_a_workflow_has_no_more_runs_under_way_than_it_allows(server, upstream):
    gate = held(upstream, "async-one-by-one")
    runs = [take(server, "one-by-one").json()["id"]]
    upstream.wait_for("async-one-by-one")
    runs += [take(server, "one-by-one", f"number {n}").json()["id"] for n in range(2)]
    hurried = take(server, "one-by-one", "hurried", priority="interactive").json()["id"]
    assert len(upstream.requests("async-one-by-one")) == 1
    gate.set()
    found = {run_id: ended(server, run_id) for run_id in (*runs, hurried)}
    calls = sorted(run["steps"][2]["started_at"] for run in found.values())
    # The first had begun; then the one in a hurry, though it came last.
    assert found[hurried]["steps"][2]["started_at"] == calls[1]
    spans = sorted(
        (s["started_at"], s["started_at"] + s["duration_ms"] / 1e3)
        for s in (run["steps"][2] for run in found.values())
    )
    assert all(one[1] <= other[0] + 0.001 for one, other in itertools.pairwise(spans))


def test_a_webhook_tells_of_the_end_until_it_has_arrived(server, upstream, receiver):
    answers_well(upstream, "async-telling", after_s=0.0)
    receiver.statuses[:] = [500]
    run_id = take(server, "telling").json()["id"]
    assert until(lambda: len(receiver.came) >= 2, 10)
    (_, first, body), (path, second, again) = receiver.came
    assert (path, body) == ("/hooks/telling", again)
    assert first["x-headgate-event-id"] == second["x-headgate-event-id"] == json.loads(body)["id"]
    told = json.loads(body)
    assert (told["type"], told["run"]["id"]) == ("run.completed", run_id)
    assert "good" not in body.decode(), "what a model wrote is not sent along"
    signed = second["x-headgate-timestamp"].encode() + b"." + again
    mac = hmac.new(_SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert second["x-headgate-signature"] == f"v1={mac}"
    # A request may name another address that is allowed, and a synchronous run tells as well.
    receiver.came.clear()
    take(server, "telling", webhook=f"{receiver.address}/hooks/of-a-request")
    server.post("/api/workflows/telling/runs", {"input": {"text": "t"}})
    assert until(lambda: len(receiver.came) >= 2, 10)
    assert {path for path, *_ in receiver.came} == {"/hooks/of-a-request", "/hooks/telling"}
    for url in (f"{receiver.address}/hooks/../admin", f"{receiver.address}.example.com/hooks/"):
        refused = take(server, "telling", webhook=url)
        assert (refused.status, refused.error["param"]) == (400, "webhook")


def test_addresses_that_do_not_answer_keep_no_other_waiting(server, upstream, receiver):
    answers_well(upstream, "async-telling", after_s=0.0)
    receiver.came.clear()
    receiver.answers.clear()
    # More of them than are told at once, and one is to be told more than once.
    slow = [f"/hooks/slow-{number}" for number in (1, 1, *range(1, 13))]
    for path in slow:
        take(server, "telling", webhook=f"{receiver.address}{path}")
    assert until(lambda: {path for path, *_ in receiver.came} == set(slow), 10)
    take(server, "telling")
    told = until(lambda: "/hooks/telling" in [path for path, *_ in receiver.came], 5)
    receiver.answers.set()
    assert told
    assert until(lambda: len(receiver.came) == len(slow) + 1, 10)
