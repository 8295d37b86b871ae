"""Actions on a real server, as an application, a reviewer, an operator and an auditor meet them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from acting_project import SETTINGS, letters_sent, write_acting_project
from servers import ADMIN_KEY, RunningServer, end_server, headgate, start_server, until

ENDED = ("completed", "rejected", "failed")


@pytest.fixture(scope="module")
def acting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server, answered by its simulator, whose model writes letters."""
    folder = tmp_path_factory.mktemp("acting") / "server"
    write_acting_project(folder)
    server = start_server(folder, settings=SETTINGS.replace("none", "all"))
    yield server
    end_server(server)


@pytest.fixture(scope="module")
def keys(acting: RunningServer) -> dict[str, str]:
    roles = ("app", "developer", "reviewer", "operator", "auditor")
    return {role: acting.new_key(role=role) for role in roles}


def waiting(server: RunningServer, key: str, customer: str = "C-1") -> dict[str, Any]:
    """A run that waits before it sends a letter."""
    given = {"customer": customer, "text": "My parcel never came to Berlin."}
    answer = server.post("/api/workflows/letters/runs", {"input": given}, key=key)
    assert answer.status == 202, answer.body
    assert answer.json()["status"] == "awaiting_review"
    return dict(answer.json())


def ended(server: RunningServer, run: dict[str, Any]) -> dict[str, Any]:
    """The run at its end, or when it waits for another review."""

    def look() -> dict[str, Any] | None:
        now = dict(server.get(f"/api/runs/{run['id']}").json())
        again = now["status"] == "awaiting_review" and now["review_id"] != run["review_id"]
        return now if again or now["status"] in ENDED else None

    found = until(look, 20)
    assert found, "the run did not go on"
    return dict(found)


def decide(server: RunningServer, run: dict[str, Any], key: str, **body: Any) -> Any:
    answer = server.post(f"/api/reviews/{run['review_id']}/decision", body, key=key)
    assert answer.status == 200, answer.body
    return answer.json()


def test_what_is_changed_is_seen_before_it_is_sent_and_is_what_is_sent(acting, keys):
    run = waiting(acting, keys["app"])
    review = acting.get(f"/api/reviews/{run['review_id']}", key=keys["reviewer"]).json()
    action = review["action"]
    assert (review["kind"], action["tool"], action["state"]) == (
        "action", "send_letter", "requested",
    )  # fmt: skip
    asked = review["draft"]
    assert action["sent"] == {
        "summary": "send_letter(…) of tools.py",
        "details": {"function": "send_letter", "arguments": asked},
    }
    assert action["sent_now"] is None
    changed = {**asked, "text": "It is on its way again."}
    path = f"/api/reviews/{run['review_id']}/check"
    checked = acting.post(path, {"output": changed}, key=keys["reviewer"]).json()
    assert checked["passes"]
    assert checked["sent"]["details"]["arguments"] == changed
    unfit = {**asked, "post": "by pigeon"}
    refused = acting.post(path, {"output": unfit}, key=keys["reviewer"]).json()
    assert (refused["passes"], refused["sent"]) == (False, None)
    assert refused["problems"][0]["path"] == "post"
    before = len(letters_sent(acting.folder))
    decided = decide(acting, run, keys["reviewer"], decision="edit", output=changed)
    assert decided["output"] == changed
    done = ended(acting, run)
    (action,) = done["actions"]
    assert (done["status"], action["state"], action["attempts"]) == ("completed", "done", 1)
    assert (action["arguments"], action["asked"]) == (changed, asked)
    assert action["result"]["letter"] == "L-1"
    assert letters_sent(acting.folder)[before:] == [changed]
    (tool,) = [step["tool"] for step in done["steps"] if step["kind"] == "tool"][-1:]
    assert tool == {
        "name": "send_letter", "effect": "write", "outcome": "done", "action_id": action["id"],
    }  # fmt: skip


def test_who_may_not_see_contents_sees_what_happened_and_not_what_was_said(acting, keys):
    run = waiting(acting, keys["app"])
    for role in ("operator", "auditor"):
        shown = acting.get(f"/api/runs/{run['id']}", key=keys[role]).json()
        (action,) = shown["actions"]
        assert (action["tool"], action["state"]) == ("send_letter", "requested")
        assert [action[name] for name in ("arguments", "asked", "result")] == [None] * 3
        review = acting.get(f"/api/reviews/{run['review_id']}", key=keys[role]).json()["action"]
        assert (review["tool"], review["state"], review["sent"]) == (
            "send_letter", "requested", None,
        )  # fmt: skip
    mine = acting.get(f"/api/runs/{run['id']}", key=keys["app"]).json()["actions"][0]
    assert mine["arguments"]["customer"] == "C-1"
    decide(acting, run, keys["reviewer"], decision="reject", note="a duplicate")
    (refused,) = ended(acting, run)["actions"]
    assert (refused["state"], refused["result"]) == ("refused", "a duplicate")


def test_actions_are_listed_page_by_page_to_those_who_may_see_their_runs(acting, keys):
    acting.post("/api/projects", {"name": "elsewhere"})
    other = acting.new_key(role="app", project="elsewhere")
    runs = [waiting(acting, keys["app"]) for _ in range(2)] + [waiting(acting, other)]
    theirs = runs[-1]["actions"][0]["id"]

    def listed(key: str, query: str = "") -> list[str]:
        answer = acting.get(f"/api/actions?limit=100{query}", key=key)
        assert answer.status == 200, answer.body
        assert all(one["arguments"] is None for one in answer.json()["data"])
        return [one["id"] for one in answer.json()["data"]]

    everything = listed(keys["auditor"])
    assert everything == sorted(everything, reverse=True)
    assert theirs in everything
    for role in ("app", "developer", "reviewer"):
        assert theirs not in listed(keys[role])
    assert listed(other) == [theirs]
    assert listed(keys["operator"], "&project=elsewhere") == [theirs]
    assert listed(keys["operator"], f"&run_id={runs[0]['id']}") == [runs[0]["actions"][0]["id"]]
    assert set(listed(keys["operator"], "&state=requested")) >= {theirs}
    assert listed(keys["operator"], "&workflow=nothing-there") == []
    assert acting.get("/api/actions?project=elsewhere", key=keys["developer"]).status == 403
    pages: list[str] = []
    after = ""
    while True:
        page = acting.get(f"/api/actions?limit=2{after}", key=keys["auditor"]).json()
        pages += [one["id"] for one in page["data"]]
        if not page["has_more"]:
            break
        after = f"&after={pages[-1]}"
    assert pages == everything
    wrong = acting.get("/api/actions?state=lost", key=keys["auditor"])
    assert wrong.status == 400
    assert "state" in wrong.error["message"]


def test_of_what_nobody_knows_a_person_says_what_came_of_it(acting, keys):
    (acting.folder / "broken").write_text("")
    try:
        run = waiting(acting, keys["app"])
        decide(acting, run, keys["reviewer"], decision="approve")
        unknown = ended(acting, run)
    finally:
        (acting.folder / "broken").unlink()
    assert unknown["status"] == "awaiting_review"
    review = acting.get(f"/api/reviews/{unknown['review_id']}", key=keys["reviewer"]).json()
    assert review["action"]["outcome_unknown"]
    assert review["reasons"][0]["text"] == "nobody knows whether it was done"
    shown = headgate(
        "reviews", "show", review["id"], "--url", acting.address,
        folder=acting.folder, HEADGATE_API_KEY=keys["reviewer"],
    ).stdout  # fmt: skip
    assert "was send_letter done?" in shown
    assert "edit --output FILE: it was done, and this came of it" in shown
    (acting.folder / "result.json").write_text('{"letter": "L-7"}')
    done = headgate(
        "reviews", "decide", review["id"], "edit", "--output", "result.json",
        "--url", acting.address, folder=acting.folder, HEADGATE_API_KEY=keys["reviewer"],
    )  # fmt: skip
    assert "send_letter was done" in done.stderr
    (action,) = ended(acting, unknown)["actions"]
    assert (action["state"], action["result"]) == ("done", {"letter": "L-7"})
    decided = acting.get(f"/api/reviews/{review['id']}", key=keys["reviewer"]).json()
    assert decided["output"] == {"letter": "L-7"}


def test_the_command_line_shows_all_that_would_be_sent_and_sends_what_is_changed(acting, keys):
    options: dict[str, Any] = {"folder": acting.folder, "HEADGATE_API_KEY": ADMIN_KEY}
    given = {"customer": "C-\u001b[2J-9", "text": "My parcel never came."}
    (acting.folder / "given.json").write_text(json.dumps(given))
    ran = headgate("run", "letters", "--input", "given.json", "--url", acting.address, **options)
    assert ran.returncode == 0, ran.stderr
    assert re.search(r"send_letter\s+write\s+requested\s+waits for a person", ran.stdout)
    review = re.search(r"headgate reviews show (rev_\w+)", ran.stderr)
    assert review
    listed = headgate("reviews", "list", "--kind", "action", "--url", acting.address, **options)
    assert review[1] in listed.stdout
    shown = headgate("reviews", "show", review[1], "--url", acting.address, **options).stdout
    assert "send send_letter? letters 1.0.0" in shown
    assert "what would be sent\nsend_letter(…) of tools.py\n" in shown
    assert "\x1b" not in shown
    assert "approve: send it; edit --output FILE" in shown
    changed = {"customer": "C-9", "text": "We are on it.", "post": "fast"}
    (acting.folder / "changed.json").write_text(json.dumps(changed))
    decided = headgate(
        "reviews", "decide", review[1], "edit", "--output", "changed.json",
        "--url", acting.address, **options,
    )  # fmt: skip
    assert "send_letter is sent as changed" in decided.stderr, decided.stderr
    assert until(lambda: changed in letters_sent(acting.folder), 10)


def test_runs_and_their_actions_are_listed_and_shown_on_the_command_line(acting, keys):
    run = waiting(acting, keys["app"])
    (action,) = run["actions"]

    def said(*arguments: str, key: str = keys["operator"]) -> tuple[int, str]:
        ran = headgate(
            "runs", *arguments, "--url", acting.address, folder=acting.folder, HEADGATE_API_KEY=key
        )
        return ran.returncode, ran.stdout + ran.stderr

    assert run["id"] in said("list", "--status", "awaiting_review")[1]
    assert "There are none." in said("list", "--workflow", "nothing-there")[1]
    listed = said("actions", "--state", "requested", "--run", run["id"])[1]
    assert action["id"] in listed
    assert "letters: send_letter" in listed
    shown = said("show", run["id"])[1]
    assert "waits for a person: headgate reviews show rev_" in shown
    assert re.search(r"send_letter\s+write\s+requested", shown)
    assert "parcel" not in shown
    assert "parcel" in said("show", run["id"], key=keys["reviewer"])[1]
    code, refused = said("cancel", run["id"])
    assert (code, "reject it there" in refused) == (1, True)
    as_json = json.loads(said("show", run["id"], "--json")[1])
    assert as_json["actions"][0]["id"] == action["id"]


def test_a_workflow_lists_its_tools_with_the_terms_that_hold(acting, keys):
    tools = acting.get("/api/workflows/letters", key=keys["auditor"]).json()["tools"]
    assert [tool["name"] for tool in tools] == ["send_letter", "look_up"]
    letter = tools[0]
    assert letter == {
        "name": "send_letter", "source": None, "delivers": False, "effect": "write",
        "approval": "always", "approval_rules": [], "reviewers": None, "four_eyes": False,
        "idempotent": False,
        "callers": [], "needs": "untrusted", "gives": "untrusted", "timeout_s": 10.0,
        "per_run": 10, "per_hour": 1000, "per_day": None, "filled_in": ["customer"],
    }  # fmt: skip
    checked = headgate("check", folder=acting.folder)
    assert checked.returncode == 0, checked.stdout
    acts, used = (line for line in checked.stdout.splitlines() if "letters: send_letter" in line)
    assert "each call, by reviewer, admin" in acts
    assert "10 a run, 1,000 an hour, 10 s each" in used
    summary = json.loads(headgate("check", "--json", folder=acting.folder).stdout)
    (letters,) = summary["workflows"]
    assert letters["tools"] == tools


def test_the_figures_count_actions_by_state_and_time_their_calls(acting, keys):
    run = waiting(acting, keys["app"])
    decide(acting, run, keys["reviewer"], decision="approve")
    ended(acting, run)
    told = acting.get("/metrics", key=None).body.decode()

    def count(state: str) -> float:
        labels = f'state="{state}",tool="send_letter",workflow="letters"'
        found = re.search(rf"headgate_actions_total{{{labels}}} (\S+)", told)
        return float(found[1]) if found else 0

    for state in ("requested", "approved", "started", "done"):
        assert count(state) >= 1, state
    assert re.search(
        r'headgate_tool_call_seconds_count{outcome="done",tool="send_letter",workflow="letters"} ',
        told,
    )


def test_nothing_of_what_is_said_is_logged(acting, keys):
    run = waiting(acting, keys["app"], customer="C-unheard-of")
    decide(acting, run, keys["reviewer"], decision="approve", note="an unheard-of note")
    ended(acting, run)
    assert "unheard-of" not in acting.stderr()
    assert "unheard-of" not in acting.get("/metrics", key=None).body.decode()


def test_an_operator_cancels_a_run_and_an_auditor_may_not(acting, keys):
    run = waiting(acting, keys["app"])
    path = f"/api/runs/{run['id']}/cancel"
    refused = acting.post(path, None, key=keys["auditor"])
    assert (refused.status, refused.error["code"]) == (403, "role_not_allowed")
    waits = acting.post(path, None, key=keys["operator"])
    assert waits.status == 409
    assert "reject it there" in waits.error["message"]
