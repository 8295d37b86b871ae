"""Actions in the console, without a script: seen whole, changed, refused, said to be done."""

from __future__ import annotations

import html
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from acting_project import SETTINGS, letters_sent, write_acting_project
from consoles import Page, RunningConsole, Visitor, running_console
from databases import PostgresDatabases, SqliteFiles, drop, postgres_url
from headgate.review.repository import ReviewRepository
from headgate.review.review import Contents, Facts, Reason, Review
from headgate.storage.identifiers import new_id
from headgate.storage.review_tables import review_contents
from headgate.storage.schema import runs
from headgate.workflows.durable.carrier import CANCELLED
from headgate.workflows.durable.orders import Terms
from headgate.workflows.repository import RunRepository
from scripted_workflows import stored_run

HOSTILE = "<script>alert(1)</script>\u202eover\x1b[2J</textarea><img src=x onerror=alert(1)>"
_WITHIN_S = 20.0


class Office:
    """A console over the board, and the project that its model acts in."""

    def __init__(self, console: RunningConsole, project: Path) -> None:
        self.console = console
        self.project = project
        self.visitor = console.signed_in()
        self.runs = RunRepository(console.database)

    def waiting(self, text: str = "My parcel never came.", customer: str = "C-1") -> Any:
        """A run that waits before it sends a letter."""
        given = json.dumps({"customer": customer, "text": text})
        page = self.visitor.post("/console/workflows/letters/runs", {"input": given})
        assert page.status == 303, page.text
        run = self.runs.get(page.location.rpartition("/")[2])
        assert run is not None
        assert run.status == "awaiting_review"
        return run

    def decided(self, review_id: str, decision: str, **fields: str) -> Page:
        """What comes of a decision, by the form of the review's page."""
        return decide(self.visitor, review_id, decision, **fields)

    def ended(self, run: Any) -> Any:
        """The run at its end, or when it waits for another review."""
        deadline_s = time.monotonic() + _WITHIN_S
        while time.monotonic() < deadline_s:
            now = self.runs.get(run.id)
            assert now is not None
            again = now.status == "awaiting_review" and now.review_id != run.review_id
            if again or now.status in ("completed", "rejected", "failed"):
                return now
            time.sleep(0.05)
        pytest.fail("the run did not go on")

    def unknown(self) -> Any:
        """A run that waits since nobody knows whether its letter was sent."""
        run = self.waiting()
        (self.project / "broken").write_text("")
        try:
            self.decided(run.review_id, "approve")
            return self.ended(run)
        finally:
            (self.project / "broken").unlink()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def office(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Office]:
    """A console on each kind of database."""
    folder = tmp_path_factory.mktemp("office")
    workflows = write_acting_project(folder)
    name = ""
    if request.param == "sqlite":
        files: SqliteFiles = request.getfixturevalue("sqlite_files")
        url = files.copy_to(folder)
    else:
        databases: PostgresDatabases = request.getfixturevalue("postgres_databases")
        name = databases.make(migrated=True)
        url = postgres_url(name)
    with running_console(
        folder / "p", url, settings=SETTINGS, workflows=workflows, board=True
    ) as console:
        yield Office(console, folder)
    if name:
        drop(name)


def decide(visitor: Visitor, review_id: str, decision: str, **fields: str) -> Page:
    page = visitor.get(f"/console/reviews/{review_id}").text
    revision = re.search(r'name="revision" value="(\d+)"', page)
    csrf = re.search(r'name="csrf" value="([^"]+)"', page)
    assert revision, page
    assert csrf
    seen = re.search(r'name="seen" value="(\w+)"', page)
    sent = {"decision": decision, "revision": revision[1], **fields}
    if seen and "seen" not in sent:
        sent["seen"] = seen[1]
    return visitor.post(f"/console/reviews/{review_id}/decision", sent, csrf=csrf[1])


def test_what_would_be_sent_is_shown_whole_and_sent_as_shown(office: Office):
    long = "It never came. " * 2000
    run = office.waiting(customer=long)
    queue = office.visitor.get("/console/reviews").text
    assert 'Send send_letter?</a> <span class="tag">action</span>' in queue
    page = office.visitor.get(f"/console/reviews/{run.review_id}").text
    assert "What will be sent" in page
    shown = html.unescape(page)
    assert "send_letter(…) of tools.py" in shown
    assert long.strip() in re.search(r'class="panel sent".*?</div>\s*<form', shown, re.DOTALL)[0]
    for label in ("Send <kbd>a", "Change it <kbd>e", "Don't send <kbd>r", "Escalate <kbd>x"):
        assert label in shown, label
    before = len(letters_sent(office.project))
    assert office.decided(run.review_id, "approve").status == 303
    ended = office.ended(run)
    assert ended.status == "completed"
    (letter,) = letters_sent(office.project)[before:]
    assert letter["customer"] == long
    (action,) = office.runs.actions(run.id)
    story = html.unescape(office.visitor.get(f"/console/runs/{run.id}").text)
    assert re.search(r"Model asked for</strong> <code>send_letter</code>", story)
    assert story.count(action.id) == 1
    assert "status-done" in story
    assert "<b>on its way</b>" in story
    decided = office.visitor.get(f"/console/reviews/{run.review_id}").text
    assert "What came of it" in decided
    assert "L-1" in decided


def test_changed_arguments_are_judged_shown_and_sent(office: Office):
    run = office.waiting()
    check = f"/console/reviews/{run.review_id}/check"
    path = f"/console/reviews/{run.review_id}"
    labelled = r'<label for="field-\d+">(\w+)</label>\s*<textarea id="field-\d+" name="([\w.]+)"'
    fields = dict(re.findall(labelled, office.visitor.get(path).text))
    assert set(fields) == {"text", "post", "customer"}
    wrong = office.visitor.post(check, {fields["post"]: "by pigeon"}).text
    assert "Not yet" in wrong
    assert "What would be sent then" not in wrong
    right = office.visitor.post(check, {fields["text"]: "We send it again."}).text
    assert "The arguments fit the tool." in right
    assert "We send it again." in right[right.index("What would be sent then") :]
    both = office.decided(run.review_id, "approve", **{fields["text"]: "We send it again."})
    assert both.status == 400
    assert "send them changed, or undo the change" in both.text
    before = len(letters_sent(office.project))
    office.decided(run.review_id, "edit", **{fields["text"]: "We send it again."})
    office.ended(run)
    assert [one["text"] for one in letters_sent(office.project)[before:]] == ["We send it again."]
    story = office.visitor.get(f"/console/runs/{run.id}").text
    assert "Sent, as a person changed it" in story
    assert "What the model had asked for" in story


def test_of_what_nobody_knows_one_says_whether_it_was_done(office: Office):
    run = office.unknown()
    page = html.unescape(office.visitor.get(f"/console/reviews/{run.review_id}").text)
    assert "Was send_letter done?" in page
    assert '<h2 id="sent">What was sent</h2>' in page
    for label in ("Send again <kbd>a", "It was done <kbd>e", "It was not done <kbd>r"):
        assert label in page, label
    before = len(letters_sent(office.project))
    said = office.decided(run.review_id, "edit", output='{"letter": "L-9"}')
    assert said.status == 303, said.text
    assert office.ended(run).status == "completed"
    (action,) = office.runs.actions(run.id)
    assert (action.state, action.result) == ("done", {"letter": "L-9"})
    assert letters_sent(office.project)[before:] == []


def test_what_was_not_done_may_be_sent_again_or_left(office: Office):
    again, left = office.unknown(), office.unknown()
    before = len(letters_sent(office.project))
    assert office.decided(again.review_id, "approve").status == 303
    office.ended(again)
    assert len(letters_sent(office.project)) == before + 1
    needs = office.decided(left.review_id, "reject")
    assert needs.status == 400
    office.decided(left.review_id, "reject", note="The office had no such letter.")
    office.ended(left)
    (action,) = office.runs.actions(left.id)
    assert (action.state, action.code) == ("failed", "not_done")
    assert len(letters_sent(office.project)) == before + 1


def test_of_a_run_that_is_over_one_says_what_came_of_it_and_sends_nothing(office: Office):
    run = office.unknown()
    assert office.runs.end_early(run.id, CANCELLED, only=("awaiting_review",))
    page = html.unescape(office.visitor.get(f"/console/reviews/{run.review_id}").text)
    assert "It was sent for a run that is over" in page
    assert "Send again" not in page
    before = len(letters_sent(office.project))
    said = office.decided(run.review_id, "edit", output='{"letter": "L-3"}')
    assert said.status == 303, said.text
    (action,) = office.runs.actions(run.id)
    assert (action.state, action.result) == ("done", {"letter": "L-3"})
    assert len(letters_sent(office.project)) == before


def test_what_would_be_sent_by_now_is_shown_where_the_tool_has_changed(office: Office):
    run = office.waiting()
    repository = ReviewRepository(office.console.database)
    earlier = {"summary": "send_letter(…) of another tools.py", "details": {}}
    with office.console.database.begin() as connection:
        connection.execute(
            review_contents.update()
            .where(review_contents.c.review_id == run.review_id)
            .values(sent=json.dumps(earlier))
        )
    assert repository.contents(run.review_id).sent == earlier
    page = office.visitor.get(f"/console/reviews/{run.review_id}").text
    assert "The tool has changed since this was asked." in page
    assert "of another tools.py" in page
    assert "send_letter(…) of tools.py" in page
    # Who has looked at the earlier one has not seen what would be sent.
    refused = office.decided(run.review_id, "approve", seen="0" * 32)
    assert refused.status == 409
    assert "has changed since you looked" in refused.text
    office.decided(run.review_id, "reject", note="ask anew")
    office.ended(run)


def test_hostile_text_in_actions_is_shown_as_text(office: Office):
    run = office.waiting(customer=HOSTILE)
    pages = [
        office.visitor.get(f"/console/reviews/{run.review_id}").text,
        office.visitor.get("/console/reviews").text,
    ]
    csrf = re.search(r'name="csrf" value="([^"]+)"', pages[0])
    assert csrf
    path = f"/console/reviews/{run.review_id}/check"
    whole = json.dumps({"customer": HOSTILE, "text": HOSTILE, "post": "fast"})
    pages.append(office.visitor.post(path, {"output": whole}, csrf=csrf[1]).text)
    assert "What would be sent then" in pages[-1]
    office.decided(run.review_id, "reject", note=HOSTILE)
    office.ended(run)
    pages.append(office.visitor.get(f"/console/runs/{run.id}").text)
    pages.append(office.visitor.get(f"/console/reviews/{run.review_id}").text)
    for page in pages:
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "\u202e" not in page
        assert "\x1b" not in page
    assert "⟦U+202E⟧" in pages[0]
    assert "&lt;script&gt;" in pages[0]


def test_who_may_not_see_contents_sees_neither_arguments_nor_result(office: Office):
    run = office.waiting(customer="C-SECRET")
    operator = office.console.signed_in(office.console.new_key("operator"))
    page = operator.get(f"/console/runs/{run.id}").text
    assert "send_letter" in page
    assert "C-SECRET" not in page
    for method, path in (
        ("GET", ""), ("POST", "/check"), ("POST", "/decision"), ("POST", "/claim"),
    ):  # fmt: skip
        where = f"/console/reviews/{run.review_id}{path}"
        fields = {"decision": "approve", "revision": "99", "output": "{}"}
        answer = operator.get(where) if method == "GET" else operator.post(where, fields)
        assert answer.status == 403, path
        assert "C-SECRET" not in answer.text
    office.decided(run.review_id, "reject", note="enough")
    office.ended(run)


def test_the_overview_counts_actions_and_the_workflow_says_what_its_model_may_do(office: Office):
    run = office.waiting()
    assert re.search(r"<small>\d+ actions?</small>", office.visitor.get("/console").text)
    page = html.unescape(office.visitor.get("/console/workflows/letters").text)
    tools = page[page.index("Tools its model may ask for") :]
    for told in ("send_letter", "writes", "each call", "1,000 an hour", "look_up", "reads"):
        assert told in tools, told
    office.decided(run.review_id, "reject", note="enough")
    office.ended(run)


def test_an_operator_grants_as_much_more_money_as_they_write(office: Office):
    now_us = time.time_ns() // 1000
    review = Review(
        id=new_id("rev"), kind="budget", once=f"budget {now_us}", requested_by="gateway",
        created_at_us=now_us, project="default", reasons=(Reason("budget", "usd/day"),),
        facts=Facts(
            rule="usd/day", subject="project=default", window="day", window_began_us=now_us,
            window_ends_us=now_us + 1, limit_nanousd=5_000_000_000,
        ),
    )  # fmt: skip
    repository = ReviewRepository(office.console.database)
    with office.console.database.begin() as connection:
        repository.open(connection, review, Contents())
    operator = office.console.signed_in(office.console.new_key("operator"))
    assert f'href="/console/reviews/{review.id}"' in operator.get("/console/reviews").text
    assert "How much more, in US dollars" in operator.get(f"/console/reviews/{review.id}").text
    wrong = decide(operator, review.id, "approve", usd="a lot")
    assert wrong.status == 400
    assert 'value="a lot"' in wrong.text
    assert decide(operator, review.id, "approve", usd=" 2.50 ").status == 303
    found = repository.get(review.id)
    assert found is not None
    assert found.facts.granted_nanousd == 2_500_000_000


def test_an_operator_cancels_a_run_that_nobody_carries(office: Office):
    run = stored_run(status="queued", workflow="letters")
    office.runs.begin(run, None, Terms(body="{}", priority=2))
    path = f"/console/runs/{run.id}"
    auditor = office.console.signed_in(office.console.new_key("auditor"))
    assert "Cancel this run" not in auditor.get(path).text
    assert auditor.post(f"{path}/cancel", {}).status == 403
    operator = office.console.signed_in(office.console.new_key("operator"))
    assert "Cancel this run" in operator.get(path).text
    assert operator.post(f"{path}/cancel", {}).location == path
    found = office.runs.get(run.id)
    assert found is not None
    assert found.error is not None
    assert (found.status, found.error.code) == ("failed", "run_cancelled")
    again = operator.post(f"{path}/cancel", {})
    assert again.status == 409
    assert "has ended already" in again.text


def test_a_tool_that_is_not_there_is_named_to_those_who_may_see_contents(office: Office):
    step = {
        "kind": "tool", "started_at_us": 1, "verdict": "failed", "code": "no_such_tool",
        "tool": {"name": "call_anna_on_5551234"},
    }  # fmt: skip
    run = stored_run(workflow="letters")
    office.runs.begin(run, None)
    with office.console.database.begin() as connection:
        connection.execute(
            runs.update()
            .where(runs.c.id == run.id)
            .values(steps=json.dumps([step]), status="completed", finished_at_us=2)
        )
    path = f"/console/runs/{run.id}"
    assert "call_anna" in office.visitor.get(path).text
    auditor = office.console.signed_in(office.console.new_key("auditor")).get(path).text
    assert "call_anna" not in auditor
    assert "a tool that is not there" in auditor
