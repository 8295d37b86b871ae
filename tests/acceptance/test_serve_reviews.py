"""Runs that wait for people, on a real server, as a reviewer and an application meet them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from openai import OpenAI, UnprocessableEntityError

from consoles import Visitor
from scripted_workflows import FILES
from servers import ADMIN_KEY, Reply, RunningServer, end_server, headgate, start_server, until
from upstreams import Upstream, completion, reply

DRAFT = {"label": "good", "score": 3}
MENDED = {"label": "bad", "score": 4}

WORKFLOWS = {
    "always": "review: {always: true}",
    "four-eyes": "review: {always: true, four_eyes: true}",
    "leads": "review: {always: true, reviewers: leads}",
    "quick": "review: {always: true, deadline: {within_hours: 0.0003, then: reject}}",
    "signalled": "review: {always: true}",
    "by-score": "review: {fields: [{field: score, above: 8}]}",
    "by-rules": """
checks:
  rules:
    - {field: score, range: {at_most: 2}, on_fail: hold, message: is unusually high}
    - {field: score, range: {at_least: 1}}
""",
    "by-rules-py": "",
}

RULES_PY = """
from headgate.checks.ruling import hold


def check(output, input):
    return hold("score: three is odd") if output["score"] == 3 else []
"""


def write_workflows(folder: Path, workflows: dict[str, str], model: str) -> None:
    """Workflows in `folder` that ask for `model`."""
    for name, lines in workflows.items():
        of = folder / "workflows" / name
        of.mkdir(parents=True)
        for file, text in FILES.items():
            (of / file).write_text(text)
        (of / "workflow.yaml").write_text(
            f"version: 1.0.0\nowner: tests\nroute: {model}\n{lines}\n"
        )


@pytest.fixture(scope="module")
def reviewed(
    upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """A server whose workflows' runs wait for people."""
    folder = tmp_path_factory.mktemp("reviewed") / "server"
    write_workflows(folder, WORKFLOWS, "reviewed-model")
    write_workflows(folder, {"no-answer": "fallback: review"}, "reviewed-silent")
    (folder / "workflows" / "by-rules-py" / "rules.py").write_text(RULES_PY)
    upstream.answers("reviewed-silent", reply({"error": {"message": "No."}}, status=400))
    upstream.answers("reviewed-model", reply(completion("reviewed-model", json.dumps(DRAFT))))
    server = start_server(
        folder,
        settings="reviews: {groups: {leads: {roles: [developer]}}}\n",
        upstream=upstream,
    )
    yield server
    end_server(server)


@pytest.fixture(scope="module")
def app_key(reviewed: RunningServer) -> str:
    return reviewed.new_key(role="app")


@pytest.fixture(scope="module")
def ann(reviewed: RunningServer) -> str:
    return reviewed.new_key(role="reviewer", name="ann")


def run(server: RunningServer, workflow: str, key: str, **options: Any) -> Reply:
    body = {"input": {"text": "judge me"}}
    return server.post(f"/api/workflows/{workflow}/runs", body, key=key, **options)


def held(server: RunningServer, workflow: str, key: str) -> tuple[str, str]:
    """The ids of a run that waits and of its review."""
    answer = run(server, workflow, key)
    assert answer.status == 202, answer.body
    shown = answer.json()
    assert answer.headers["location"] == f"/api/runs/{shown['id']}"
    assert answer.headers["x-headgate-review-id"] == shown["review_id"]
    return shown["id"], shown["review_id"]


def decide(server: RunningServer, review: str, key: str, **body: Any) -> Reply:
    return server.post(f"/api/reviews/{review}/decision", body, key=key)


def test_a_draft_waits_is_edited_by_a_reviewer_and_only_then_goes_out(reviewed, app_key, ann):
    run_id, review_id = held(reviewed, "always", app_key)
    waiting = reviewed.get(f"/api/runs/{run_id}", key=app_key).json()
    assert (waiting["status"], waiting["output"]) == ("awaiting_review", None)
    listed = reviewed.get("/api/reviews?workflow=always", key=ann).json()["data"]
    assert review_id in [one["id"] for one in listed]
    shown = reviewed.get(f"/api/reviews/{review_id}", key=ann).json()
    assert (shown["draft"], shown["input"]) == (DRAFT, {"text": "judge me"})
    assert shown["reasons"][0]["code"] == "always"
    assert shown["may_decide"]["you"] is True
    assert (shown["workflow_version"], shown["status"]) == ("1.0.0", "open")
    claimed = reviewed.post(f"/api/reviews/{review_id}/claim", {"version": 1}, key=ann).json()
    assert (claimed["status"], claimed["version"]) == ("claimed", 2)
    mine = reviewed.get("/api/reviews?mine=true", key=ann).json()["data"]
    assert [one["id"] for one in mine] == [review_id]
    check = f"/api/reviews/{review_id}/check"
    assert reviewed.post(check, {"output": MENDED}, key=ann).json()["passes"] is True
    found = reviewed.post(check, {"output": {"label": "so-so"}}, key=ann).json()
    assert {one["path"] for one in found["problems"]} == {"label", "score"}
    wrong = decide(reviewed, review_id, ann, decision="edit", output={"label": "so-so"}, version=2)
    assert (wrong.status, wrong.error["code"]) == (400, "edited_output_refused")
    assert "score: is missing" in wrong.error["message"]
    ended = decide(
        reviewed, review_id, ann, decision="edit", output=MENDED, note="too kind", version=2
    )
    assert ended.status == 200, ended.body
    assert (ended.json()["decision"], ended.json()["edit_distance"]) == ("edited", 2)
    done = reviewed.get(f"/api/runs/{run_id}", key=app_key).json()
    assert (done["status"], done["output"]) == ("completed", MENDED)
    assert [event["what"] for event in ended.json()["events"]] == ["opened", "claimed", "edited"]


def test_who_comes_second_is_told_and_overwrites_nothing(reviewed, app_key, ann):
    bob = reviewed.new_key(role="reviewer", name="bob")
    run_id, review_id = held(reviewed, "always", app_key)
    reviewed.post(f"/api/reviews/{review_id}/claim", {}, key=ann)
    refused = decide(reviewed, review_id, bob, decision="reject")
    assert (refused.status, refused.error["code"]) == (409, "review_claimed")
    reviewed.post(f"/api/reviews/{review_id}/release", {}, key=ann)
    outdated = decide(reviewed, review_id, bob, decision="reject", version=1)
    assert (outdated.status, outdated.error["code"]) == (409, "review_changed")
    assert decide(reviewed, review_id, bob, decision="reject", note="no", version=3).status == 200
    late = decide(reviewed, review_id, ann, decision="approve")
    assert (late.status, late.error["code"]) == (409, "review_decided")
    done = reviewed.get(f"/api/runs/{run_id}", key=app_key).json()
    assert (done["status"], done["error"]["code"]) == ("rejected", "review_rejected")


def test_whoever_asked_does_not_decide_where_four_eyes_must_see(reviewed):
    maker = reviewed.new_key_object(role="admin", name="maker")
    _, review_id = held(reviewed, "four-eyes", maker["key"])
    shown = reviewed.get(f"/api/reviews/{review_id}", key=maker["key"]).json()
    assert shown["may_decide"]["you"] is False
    assert shown["requested_by"] == maker["id"]
    refused = decide(reviewed, review_id, maker["key"], decision="approve")
    assert (refused.status, refused.error["code"]) == (403, "review_four_eyes")
    rotated = reviewed.post(f"/api/keys/{maker['id']}/rotate", {}, key=maker["key"]).json()
    for same in (rotated["key"], maker["key"]):
        refused = decide(reviewed, review_id, same, decision="approve")
        assert (refused.status, refused.error["code"]) == (403, "review_four_eyes")
        shown = reviewed.get(f"/api/reviews/{review_id}", key=same).json()
        assert shown["may_decide"]["you"] is False
    other = reviewed.new_key(role="reviewer")
    assert decide(reviewed, review_id, other, decision="approve").status == 200


def test_a_named_group_decides_and_others_do_not(reviewed, app_key, ann):
    _, review_id = held(reviewed, "leads", app_key)
    refused = decide(reviewed, review_id, ann, decision="approve")
    assert (refused.status, refused.error["code"]) == (403, "review_not_yours")
    assert reviewed.get("/api/reviews?group=leads", key=ann).json()["data"][0]["id"] == review_id
    lead = reviewed.new_key(role="developer")
    assert decide(reviewed, review_id, lead, decision="approve").status == 200


def test_a_review_is_nobody_elses_business(reviewed, app_key, ann):
    _, review_id = held(reviewed, "always", app_key)
    reviewed.post("/api/projects", {"name": "another"})
    stranger = reviewed.new_key(role="reviewer", project="another")
    assert reviewed.get(f"/api/reviews/{review_id}", key=stranger).status == 404
    assert decide(reviewed, review_id, stranger, decision="approve").status == 404
    assert reviewed.get("/api/reviews", key=stranger).json()["data"] == []
    assert reviewed.get("/api/reviews", key=app_key).status == 403
    auditor = reviewed.new_key(role="auditor")
    shown = reviewed.get(f"/api/reviews/{review_id}", key=auditor).json()
    assert (shown["draft"], shown["input"], shown["reasons"][0]["text"]) == (None, None, None)
    assert decide(reviewed, review_id, auditor, decision="approve").status == 403
    nul = decide(reviewed, review_id, ann, decision="reject", note="a\0b")
    assert (nul.status, nul.error["param"]) == (400, "note")
    unknown = decide(reviewed, review_id, ann, decision="approve", vresion=1)
    assert (unknown.status, unknown.error["param"]) == (400, "vresion")


def test_when_nobody_looks_in_time_what_was_declared_happens(reviewed, app_key):
    run_id, review_id = held(reviewed, "quick", app_key)

    def ended() -> bool:
        return bool(reviewed.get(f"/api/runs/{run_id}").json()["status"] == "rejected")

    assert until(ended, 15)
    review = reviewed.get(f"/api/reviews/{review_id}").json()
    assert (review["decision"], review["decided_by"]) == ("rejected", "deadline")
    metrics = reviewed.get("/metrics").body.decode()
    assert 'headgate_reviews_decided_total{by="deadline",decision="rejected"' in metrics


def test_decisions_are_signals_and_can_become_evaluation_cases(reviewed, app_key, ann):
    _, approved = held(reviewed, "signalled", app_key)
    _, edited = held(reviewed, "signalled", app_key)
    _, rejected = held(reviewed, "signalled", app_key)
    early = reviewed.post(f"/api/reviews/{approved}/case", None, key=ann)
    assert (early.status, early.error["code"]) == (409, "review_makes_no_case")
    decide(reviewed, approved, ann, decision="approve")
    decide(reviewed, edited, ann, decision="edit", output={"label": "good", "score": 4})
    decide(reviewed, rejected, ann, decision="reject")
    (signals,) = reviewed.get("/api/reviews/signals?workflow=signalled", key=ann).json()["data"]
    assert (signals["workflow"], signals["version"], signals["decisions"]) == (
        "signalled", "1.0.0", 3,
    )  # fmt: skip
    assert signals["acceptance_rate"] == signals["edit_rate"] == 0.3333
    assert signals["overridden"] == 2, "rejected, and one half written anew"
    assert signals["mean_edit_share"] == 0.25
    assert signals["median_seconds_to_decision"] >= 0
    for review, expected, refused in (
        (approved, DRAFT, None),
        (edited, {"label": "good", "score": 4}, DRAFT),
        (rejected, None, DRAFT),
    ):
        made = reviewed.post(f"/api/reviews/{review}/case", None, key=ann).json()
        case = made["case"]
        assert (case["input"], case.get("expected")) == ({"text": "judge me"}, expected)
        assert case.get("rejected") == refused
        assert yaml.safe_load(made["yaml"]) == [case]


def test_an_output_that_no_rule_holds_goes_out_at_once(reviewed, app_key):
    assert run(reviewed, "by-score", app_key).json()["output"] == DRAFT


@pytest.mark.parametrize(
    ("workflow", "why"),
    [("by-rules", "score: is unusually high"), ("by-rules-py", "score: three is odd")],
)
def test_what_a_rule_holds_waits_and_goes_out_once_it_is_approved(
    reviewed, app_key, ann, workflow: str, why: str
):
    run_id, review_id = held(reviewed, workflow, app_key)
    waiting = reviewed.get(f"/api/runs/{run_id}", key=app_key).json()
    assert (waiting["status"], waiting["output"]) == ("awaiting_review", None)
    assert [s["verdict"] for s in waiting["steps"] if s["kind"] == "rules"] == ["held"]
    shown = reviewed.get(f"/api/reviews/{review_id}", key=ann).json()
    assert shown["draft"] == DRAFT
    assert [(reason["code"], reason["text"]) for reason in shown["reasons"]] == [("rule", why)]
    assert decide(reviewed, review_id, ann, decision="approve").status == 200
    done = reviewed.get(f"/api/runs/{run_id}", key=app_key).json()
    assert (done["status"], done["output"]) == ("completed", DRAFT)


def test_what_a_person_writes_is_held_to_the_declared_rules_but_not_held_again(
    reviewed, app_key, ann
):
    run_id, review_id = held(reviewed, "by-rules", app_key)
    none = {"label": "bad", "score": 0}
    refused = decide(reviewed, review_id, ann, decision="edit", output=none)
    assert (refused.status, refused.error["code"]) == (400, "edited_output_refused")
    assert decide(reviewed, review_id, ann, decision="edit", output=MENDED).status == 200
    done = reviewed.get(f"/api/runs/{run_id}", key=app_key).json()
    assert (done["status"], done["output"]) == ("completed", MENDED)


def test_as_a_model_a_run_that_waits_is_an_error_that_is_not_tried_again(
    reviewed, app_key, upstream
):
    before = len(upstream.requests("reviewed-model"))
    with (
        OpenAI(base_url=reviewed.base_url, api_key=app_key, max_retries=3) as client,
        pytest.raises(UnprocessableEntityError) as caught,
    ):
        client.chat.completions.create(
            model="workflow:always",
            messages=[{"role": "user", "content": json.dumps({"text": "judge me"})}],
        )
    assert caught.value.code == "awaiting_review"
    run_id = caught.value.response.headers["x-headgate-run-id"]
    assert run_id in caught.value.message
    assert reviewed.get(f"/api/runs/{run_id}", key=app_key).json()["status"] == "awaiting_review"
    assert len(upstream.requests("reviewed-model")) == before + 1


def test_where_no_model_answers_a_person_writes_the_answer(reviewed, app_key, ann):
    run_id, review_id = held(reviewed, "no-answer", app_key)
    shown = reviewed.get(f"/api/reviews/{review_id}", key=ann).json()
    assert (shown["draft"], shown["has_draft"]) == (None, False)
    assert [reason["code"] for reason in shown["reasons"]] == ["no_answer"]
    assert decide(reviewed, review_id, ann, decision="approve").error["code"] == "no_draft"
    assert decide(reviewed, review_id, ann, decision="edit", output=MENDED).status == 200
    assert reviewed.get(f"/api/runs/{run_id}", key=app_key).json()["output"] == MENDED


def test_a_run_that_waits_outlives_a_kill_and_is_decided_by_command_line(upstream, tmp_path):
    folder = tmp_path / "server"
    write_workflows(folder, {"durable": "review: {always: true}"}, "reviews-killed-model")
    upstream.answers(
        "reviews-killed-model", reply(completion("reviews-killed-model", json.dumps(DRAFT)))
    )
    server = start_server(folder, settings="", upstream=upstream)
    run_id, review_id = held(server, "durable", server.new_key(role="app"))
    server.kill()
    server = start_server(folder, settings="", upstream=upstream)
    try:
        ann = server.new_key(role="reviewer")

        def reviews(*arguments: str) -> Any:
            variables = {"HEADGATE_API_KEY": ann, "HEADGATE_URL": server.address}
            return headgate("reviews", *arguments, folder=folder, **variables)

        listed = reviews("list")
        assert listed.returncode == 0, listed.stderr
        assert review_id in listed.stdout
        assert '"label": "good"' in reviews("show", review_id).stdout
        assert reviews("claim", review_id, "--version", "1").returncode == 0
        (tmp_path / "mended.json").write_text(json.dumps(MENDED))
        assert reviews("decide", review_id, "edit").returncode == 2
        done = reviews(
            "decide", review_id, "edit", "--output", str(tmp_path / "mended.json"), "--json"
        )
        assert json.loads(done.stdout)["decision"] == "edited"
        server.kill()
        server = start_server(folder, settings="", upstream=upstream)
        again = reviews("decide", review_id, "approve")
        assert (again.returncode, "is edited already" in again.stderr) == (1, True)
        finished = server.get(f"/api/runs/{run_id}").json()
        assert (finished["status"], finished["output"]) == ("completed", MENDED)
        (case,) = yaml.safe_load(reviews("case", review_id).stdout)
        assert (case["expected"], case["rejected"]) == (MENDED, DRAFT)
        assert "durable" in reviews("signals").stdout
        assert "Nothing waits" in reviews("list").stderr
        nobody = reviews("decide", review_id, "escalate", "--to", "nobody")
        assert (nobody.returncode, "no group `nobody`" in nobody.stderr) == (1, True)
        assert reviews("show", "rev_0").returncode == 1
    finally:
        end_server(server)


def test_a_group_that_is_not_there_keeps_a_server_from_starting(tmp_path):
    write_workflows(tmp_path, {"lost": "review: {always: true, reviewers: nobody}"}, "gpt-4.1")
    told = "workflow.yaml:4: review.reviewers: there is no group `nobody`"
    checked = headgate("check", str(tmp_path), folder=tmp_path)
    assert (checked.returncode, told in checked.stdout) == (1, True), checked.stdout
    served = headgate("serve", str(tmp_path), "--port", "0", folder=tmp_path)
    assert (served.returncode, told in served.stderr) == (1, True), served.stderr


def test_a_reviewer_decides_in_the_console(reviewed: RunningServer, app_key: str):
    run_id, review_id = held(reviewed, "always", app_key)
    ann = Visitor(reviewed.address)
    assert ann.sign_in(key=reviewed.new_key(role="reviewer", name="console-ann")).status == 303
    assert review_id in ann.get("/console/reviews").text
    page = f"/console/reviews/{review_id}"
    shown = ann.get(page).text
    assert "judge me" in shown
    (revision,) = re.findall(r'name="revision" value="(\d+)"', shown)[:1]
    sent = {"decision": "edit", "revision": revision, "output": json.dumps(MENDED)}
    refused = ann.post(f"{page}/decision", sent | {"output": "{}"}, csrf=ann.csrf(page))
    assert refused.status == 400
    assert ann.post(f"{page}/decision", sent, csrf=ann.csrf(page)).status == 303
    ended = reviewed.get(f"/api/runs/{run_id}", key=app_key).json()
    assert (ended["status"], ended["output"]) == ("completed", MENDED)


def test_in_the_console_a_person_writes_what_no_model_answered(
    reviewed: RunningServer, app_key: str
):
    run_id, review_id = held(reviewed, "no-answer", app_key)
    admin = Visitor(reviewed.address)
    assert admin.sign_in(key=ADMIN_KEY).status == 303
    page = f"/console/reviews/{review_id}"
    (revision,) = re.findall(r'name="revision" value="(\d+)"', admin.get(page).text)[:1]
    sent = {"decision": "edit", "revision": revision, "output": json.dumps(MENDED)}
    assert admin.post(f"{page}/decision", sent, csrf=admin.csrf(page)).status == 303
    ended = reviewed.get(f"/api/runs/{run_id}", key=app_key).json()
    assert (ended["status"], ended["output"]) == ("completed", MENDED)
