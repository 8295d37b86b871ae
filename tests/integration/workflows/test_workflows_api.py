"""Workflows and runs over HTTP: what is answered, and to whom."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from headgate.checks.problem import Problem
from headgate.intake.http.endpoint import Endpoint
from headgate.intake.http.runs_api import runs_endpoints
from headgate.intake.http.workflows_api import workflows_endpoints
from headgate.ledger.record import CallRecord
from headgate.ledger.rows import insert_calls
from headgate.storage import Database
from headgate.workflows.catalogue import Catalogue
from headgate.workflows.durable.carrier import DurableRuns
from headgate.workflows.durable.leases import LeaseStore, Whereabouts
from headgate.workflows.durable.webhook_rule import WebhookRule
from headgate.workflows.repository import RunRepository
from headgate.workflows.runner import Runner
from scripted_workflows import GOOD, ScriptedModel, failure, write_project

sys.path.append(str(Path(__file__).parent.parent / "intake"))
from admin_server import AdminServer, Answer

RUNS = "/api/workflows/labels/runs"
BAD = {"label": "a-secret-of-anns", "score": 1}


class WorkflowServer(AdminServer):
    """The administrative application with the workflows of a project."""

    def __init__(self, database: Database, project: Path) -> None:
        self.model = ScriptedModel(GOOD)
        self.runner = Runner(
            Catalogue.load(project), self.model, RunRepository(database), lambda user: f"#{user}"
        )
        self.durable = DurableRuns(
            self.runner,
            database,
            LeaseStore(database, "executor_1", Whereabouts.mine()),
            per_worker=4,
            waiting_at_most=100,
            webhooks=WebhookRule(()),
        )
        super().__init__(database)

    def _more(self) -> tuple[Endpoint, ...]:
        return (
            *workflows_endpoints(self.runner, self.durable),
            *runs_endpoints(self.runner, self.durable),
        )

    async def run(self, key: Any, text: str = "hello", **options: Any) -> Answer:
        return await self.call("POST", RUNS, key=key, json={"input": {"text": text}}, **options)


@pytest_asyncio.fixture
async def server(database: Database, tmp_path: Path) -> AsyncIterator[WorkflowServer]:
    labels = write_project(tmp_path / "project")
    second = labels.with_name("others")
    second.mkdir()
    for file in labels.iterdir():
        (second / file.name).write_bytes(file.read_bytes())
    server = WorkflowServer(database, tmp_path / "project")
    await server.start()
    yield server
    await server.stop()


async def test_a_run_is_answered_whole_and_found_again(server):
    key = server.key()
    answer = await server.run(key, headers={"x-headgate-feature": "queue 7"})
    assert answer.status == 200
    run = answer.json()
    assert (run["object"], run["status"], run["fallback"]) == ("run", "completed", False)
    assert (run["input"], run["output"]) == ({"text": "hello"}, GOOD)
    assert (run["workflow"], run["version"], run["feature"]) == ("labels", "1.2.3", "queue 7")
    assert run["cost_usd"] == "0.000001"
    assert run["error"] is None
    assert [step["kind"] for step in run["steps"]] == ["input", "render", "call", "parse", "schema"]
    (call,) = run["calls"]
    assert call["target"] == "openai/small-model"
    assert (call["input_tokens"], call["output_tokens"], call["latency_ms"]) == (100, 20, 1.5)
    assert answer.headers["x-headgate-run-id"] == run["id"]
    assert answer.headers["x-headgate-cost-usd"] == "0.000001"
    assert answer.headers["x-request-id"].startswith("req_")
    assert (await server.call("GET", f"/api/runs/{run['id']}", key=key)).json() == run


async def test_the_ledgers_word_on_a_call_counts_when_it_is_there(server, database):
    key = server.key()
    run = (await server.run(key)).json()
    record = CallRecord(
        id="call_1", started_at_us=1, project="support", key_id=key.key.id,
        endpoint="chat/completions", run_id=run["id"], trace_id="0" * 32, status=200, attempts=2,
        input_tokens=111, output_tokens=22, cost_nanousd=5_000, latency_us=9_000, provider="openai",
    )  # fmt: skip
    with database.begin() as connection:
        insert_calls(connection, [record])
    shown = (await server.call("GET", f"/api/runs/{run['id']}", key=key)).json()
    (call,) = shown["calls"]
    assert (call["input_tokens"], call["attempts"]) == (111, 2)
    assert call["target"] == "openai/small-model"
    assert shown["cost_usd"] == "0.000005"


async def test_an_idempotency_key_gives_the_same_run_and_says_so(server):
    key = server.key()
    headers = {"Idempotency-Key": "order-7"}
    first = await server.run(key, headers=headers)
    second = await server.run(key, headers=headers)
    assert first.json()["id"] == second.json()["id"]
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    other = await server.run(key, "another", headers=headers)
    assert other.status == 409
    assert other.error["code"] == "idempotency_key_reused"
    assert other.headers["x-should-retry"] == "false"


async def test_a_failed_run_is_its_error_and_can_be_looked_at(server):
    key = server.key()
    server.model.answers = [failure(504, "upstream_timeout", "Too slow.")]
    answer = await server.run(key)
    assert answer.status == 504
    assert answer.error == {
        "message": "Too slow.", "type": "upstream_error", "param": None, "code": "upstream_timeout",
    }  # fmt: skip
    run_id = answer.headers["x-headgate-run-id"]
    run = (await server.call("GET", f"/api/runs/{run_id}", key=key)).json()
    assert (run["status"], run["output"]) == ("failed", None)
    assert run["error"]["code"] == "upstream_timeout"


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        (b"", 400, None),
        (b"{", 400, None),
        (b'{"input": {"text": "x"}, "inptu": 1}', 400, "inptu"),
        (b'{"input": "text"}', 400, "input"),
        (b"{}", 400, "input"),
        (b'{"input": {}}', 400, "input.text"),
        (b'{"input": {"text": 1}}', 400, "input.text"),
        (b'{"input": {"text": "x", "colour": 1}}', 400, "input.colour"),
    ],
)
async def test_a_bad_body_is_named_and_makes_no_run(server, body, status, param):
    answer = await server.call("POST", RUNS, key=server.key(), body=body)
    assert answer.status == status
    assert answer.error["param"] == param
    assert (await server.call("GET", "/api/runs")).json()["data"] == []


@pytest.mark.parametrize(
    "headers", [{"x-headgate-feature": "a\x01b"}, {"Idempotency-Key": "x" * 300}]
)
async def test_a_bad_header_is_named(server, headers):
    answer = await server.run(server.key(), headers=headers)
    assert answer.status == 400
    assert answer.error["param"].lower() == next(iter(headers)).lower()


async def test_an_unknown_workflow_and_a_forbidden_one_are_told_apart_from_each_other(server):
    unknown = await server.call("POST", "/api/workflows/nope/runs", json={"input": {}})
    assert (unknown.status, unknown.error["code"]) == (404, "workflow_not_found")
    limited = server.key(workflows=("oth*",))
    assert (await server.run(limited)).status == 403
    listed = (await server.call("GET", "/api/workflows", key=limited)).json()["data"]
    assert [workflow["name"] for workflow in listed] == ["others"]
    assert (await server.call("GET", "/api/workflows/labels", key=limited)).status == 403


async def test_a_workflow_is_shown_with_its_schemas_but_not_its_prompt(server):
    shown = (await server.call("GET", "/api/workflows/labels", key=server.key())).json()
    assert (shown["owner"], shown["version"], shown["route"]) == ("tests", "1.2.3", "small-model")
    assert shown["digest"].startswith("sha256:")
    assert shown["input_schema"]["required"] == ["text"]
    assert shown["output_schema"]["required"] == ["label", "score"]
    assert "Label the text" not in str(shown)


async def test_each_role_sees_the_runs_it_may_and_no_others(server):
    mine, colleague = server.key("app"), server.key("app")
    run_id = (await server.run(mine)).json()["id"]
    path = f"/api/runs/{run_id}"
    for role, project, status in (
        ("app", "support", 404),
        ("developer", "support", 200),
        ("reviewer", "support", 200),
        ("developer", "sales", 404),
        ("reviewer", "sales", 404),
        ("auditor", "sales", 200),
        ("operator", "sales", 200),
        ("admin", "sales", 200),
    ):
        key = server.key(role, project=project)
        assert (await server.call("GET", path, key=key)).status == status, (role, project)
        listed = (await server.call("GET", "/api/runs", key=key)).json()["data"]
        assert len(listed) == (1 if status == 200 else 0), (role, project)
    assert (await server.call("GET", path, key=colleague)).status == 404
    assert (await server.call("GET", path, key=mine)).status == 200
    assert (await server.call("GET", path, key=None)).status == 401


async def test_a_key_that_was_rotated_has_the_runs_that_it_began(server):
    old, colleague = server.key("app"), server.key("app")
    headers = {"Idempotency-Key": "order-7"}
    begun = (await server.run(old, headers=headers)).json()["id"]
    new = server.keys.rotate(old.key.id, overlap_s=60, created_by="test", expires_at_us=None)
    await server.authenticator.refresh()
    again = await server.run(new, headers=headers)
    assert (again.json()["id"], again.headers["idempotency-replayed"]) == (begun, "true")
    for key in (new, old):
        assert (await server.call("GET", f"/api/runs/{begun}", key=key)).status == 200
        listed = (await server.call("GET", "/api/runs", key=key)).json()["data"]
        assert [run["id"] for run in listed] == [begun]
    assert (await server.call("GET", f"/api/runs/{begun}", key=colleague)).status == 404
    other = await server.run(colleague, headers=headers)
    assert other.json()["id"] != begun


async def test_auditors_and_operators_see_what_happened_but_not_what_was_said(server):
    server.model.answers = [BAD, GOOD]
    run_id = (await server.run(server.key(), "a-secret-of-anns")).json()["id"]
    for role in ("auditor", "operator"):
        answer = await server.call("GET", f"/api/runs/{run_id}", key=server.key(role))
        shown = answer.json()
        assert (shown["input"], shown["output"]) == (None, None)
        assert "secret" not in answer.body.decode()
        problems = [p for step in shown["steps"] for p in step["problems"]]
        assert problems == [{"path": "label", "check": "enum"}]
    shown = (await server.call("GET", f"/api/runs/{run_id}", key=server.key("reviewer"))).json()
    problems = [p for step in shown["steps"] for p in step["problems"]]
    assert problems[0]["message"] == "must be one of good, bad"
    assert Problem("label", "enum", problems[0]["message"])


async def test_auditors_and_reviewers_run_nothing(server):
    for role in ("auditor", "reviewer", "operator"):
        assert (await server.run(server.key(role))).status == 403
    assert server.model.requests == []


async def test_runs_are_listed_in_pages(server):
    key = server.key("developer")
    made = [(await server.run(key)).json()["id"] for _ in range(3)]
    page = (await server.call("GET", "/api/runs", key=key, query="limit=2&workflow=labels")).json()
    assert [run["id"] for run in page["data"]] == made[:0:-1]
    assert page["has_more"] is True
    assert all(run["input"] is None for run in page["data"])
    rest = (await server.call("GET", "/api/runs", key=key, query=f"limit=2&after={made[1]}")).json()
    assert [run["id"] for run in rest["data"]] == made[:1]
    assert rest["has_more"] is False
    none = await server.call("GET", "/api/runs", key=key, query="workflow=others")
    assert none.json()["data"] == []
    assert (await server.call("GET", "/api/runs", key=key, query="limit=0")).error[
        "param"
    ] == "limit"
    assert (await server.call("GET", "/api/runs", key=key, query="project=sales")).status == 403


async def test_hints_for_the_simulator_reach_the_call(server):
    await server.run(server.key(), headers={"x-simulator-fault": "429 first"})
    assert server.model.requests[0].headers == ((b"x-simulator-fault", b"429 first"),)
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    await server.run(server.key(), headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    assert server.model.requests[1].trace_id == trace


async def test_the_endpoints_stand_in_the_reference(server):
    document = (await server.call("GET", "/openapi.json")).json()
    assert "post" in document["paths"]["/api/workflows/{name}/runs"]
    assert "get" in document["paths"]["/api/runs/{id}"]
