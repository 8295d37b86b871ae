"""Deciding on reviews in the console, without a script: the queue, an edit, conflicts, who may."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Iterator

import pytest

from consoles import PASSWORD, RunningConsole, Visitor


@pytest.fixture(autouse=True)
def empty_queue(console: RunningConsole) -> Iterator[None]:
    """Each test begins with no review."""
    console.reviews.reviews.clear()
    yield
    console.reviews.reviews.clear()


def _decide(visitor: Visitor, review_id: str, decision: str, **fields: str):
    page = visitor.get(f"/console/reviews/{review_id}").text
    revision = re.search(r'name="revision" value="(\d+)"', page)
    csrf = re.search(r'name="csrf" value="([^"]+)"', page)
    assert revision is not None
    assert csrf is not None
    return visitor.post(
        f"/console/reviews/{review_id}/decision",
        {"decision": decision, "revision": revision[1], **fields},
        csrf=csrf[1],
    )


def test_the_queue_has_the_most_urgent_first_and_tells_how_late_it_is(console: RunningConsole):
    now_us = time.time_ns() // 1000
    console.reviews.add("rev_later", due_at_us=now_us + 5 * 3600 * 1_000_000)
    console.reviews.add("rev_late", due_at_us=now_us - 90 * 60 * 1_000_000)
    console.reviews.add("rev_never", due_at_us=None)
    visitor = console.signed_in()
    text = visitor.get("/console/reviews").text
    assert re.findall(r'href="/console/reviews/(rev_\w+)"', text) == [
        "rev_late", "rev_later", "rev_never",
    ]  # fmt: skip
    assert "late by 1 h 30 min" in text
    assert "no deadline" in text
    assert visitor.get("/console/reviews/next").location == "/console/reviews/rev_late"
    assert "waiting: </span>3</span>" in text


def test_a_decision_shows_the_next_review_at_once_and_the_last_one_the_queue(
    console: RunningConsole,
):
    first, second = console.reviews.add("rev_a"), console.reviews.add("rev_b")
    visitor = console.signed_in()
    assert _decide(visitor, first.id, "approve").location == "/console/reviews/rev_b?said=approve"
    assert _decide(visitor, second.id, "reject", note="Wrong customer.").location == (
        "/console/reviews?said=reject"
    )
    assert console.reviews.reviews["rev_a"].output == first.draft
    rejected = console.reviews.reviews["rev_b"]
    assert (rejected.decision, rejected.note) == ("reject", "Wrong customer.")
    assert rejected.output is None
    assert "That was the last one" in visitor.get("/console/reviews?said=reject").text
    assert "Wrong customer." in visitor.get("/console/reviews/rev_b").text


def test_an_edit_that_passes_goes_out_and_one_that_does_not_is_kept_to_be_mended(
    console: RunningConsole,
):
    console.reviews.add("rev_edit")
    visitor = console.signed_in()
    for wrong, told in (
        ({"text.0": "no"}, "<code>reply</code>"),
        ({"output": '{"reply": "no"}'}, "<code>reply</code>"),
        ({"output": "{"}, "not valid JSON"),
        ({"output": "[]"}, "not a JSON object"),
    ):
        page = _decide(visitor, "rev_edit", "edit", **wrong)
        assert page.status == 400
        assert told in page.text
        (typed,) = wrong.values()
        assert f">\n{typed}</textarea>" in html.unescape(page.text)
        assert console.reviews.reviews["rev_edit"].status == "open"
    page = _decide(visitor, "rev_edit", "edit", **{"text.0": "We are on it.\nTruly"})
    assert page.status == 303
    decided = console.reviews.reviews["rev_edit"]
    assert decided.output == {"reply": "We are on it.\nTruly"}
    shown = visitor.get("/console/reviews/rev_edit").text
    assert "<ins>" in shown
    assert "<del>" in shown


def test_who_changed_the_draft_and_approves_is_asked_which_is_meant(console: RunningConsole):
    console.reviews.add("rev_which")
    visitor = console.signed_in()
    page = _decide(visitor, "rev_which", "approve", **{"text.0": "Something else entirely."})
    assert page.status == 400
    assert "You changed the draft" in page.text
    assert "Something else entirely." in page.text
    assert console.reviews.reviews["rev_which"].status == "open"


def test_an_edit_is_checked_and_compared_while_it_is_typed(console: RunningConsole):
    review = console.reviews.add("rev_type")
    visitor = console.signed_in()
    path = "/console/reviews/rev_type/check"
    draft = (review.draft or {})["reply"]
    assert "Nothing is changed yet" in visitor.post(path, {"text.0": draft}).text
    part = visitor.post(path, {"text.0": draft.replace("draft", "answer")}).text
    assert "<del>draft</del><ins>answer</ins>" in part
    assert "passes the schema" in part
    assert "Not yet" in visitor.post(path, {"text.0": ""}).text
    assert "Not yet" in visitor.post(path, {"output": "{}"}).text
    assert console.reviews.reviews["rev_type"].status == "open"


def test_to_reject_or_to_escalate_needs_a_note(console: RunningConsole):
    console.reviews.add("rev_why")
    visitor = console.signed_in()
    for decision in ("reject", "escalate"):
        page = _decide(visitor, "rev_why", decision, note="  ")
        assert page.status == 400
        assert "Write a note" in page.text
    assert _decide(visitor, "rev_why", "escalate", note="Needs a lead.").status == 303
    assert console.reviews.reviews["rev_why"].group == "leads"
    assert _decide(visitor, "rev_why", "burn").status == 400


def test_a_note_that_no_database_takes_is_refused(console: RunningConsole):
    console.reviews.add("rev_nul")
    page = _decide(console.signed_in(), "rev_nul", "reject", note="Not\0so.")
    assert page.status == 400
    assert "holds a NUL" in page.text


def test_a_draft_is_shown_to_its_last_character_before_it_goes_out(console: RunningConsole):
    letter = "x" * 25_000 + " and send us the money"
    console.reviews.add(
        "rev_whole", draft={"reply": letter, "to": [f"no. {n}" for n in range(150)]}
    )
    page = console.signed_in().get("/console/reviews/rev_whole").text
    draft = page[: page.index("<form", page.index(">Draft<"))]
    assert letter in draft
    assert "no. 149" in draft


def test_the_next_review_is_one_that_is_yours_to_decide_and_not_the_one_you_passed_on(
    console: RunningConsole,
):
    console.reviews.add("rev_1")
    console.reviews.add("rev_2", can_decide=False, why_not="It is for the leads.")
    console.reviews.add("rev_3")
    visitor = console.signed_in()
    for passed_on, after in (("rev_1", "rev_3"), ("rev_3", "rev_1")):
        page = _decide(visitor, passed_on, "escalate", note="Not mine.")
        assert page.location == f"/console/reviews/{after}?said=escalate"


def test_who_has_none_to_decide_is_not_asked_to_begin(console: RunningConsole):
    console.reviews.add("rev_theirs", can_decide=False)
    visitor = console.signed_in()
    assert 'href="/console/reviews/next"' not in visitor.get("/console/reviews").text
    console.reviews.add("rev_mine")
    assert 'href="/console/reviews/next"' in visitor.get("/console/reviews").text


def test_two_who_decide_at_once_are_one_who_decides_and_one_who_is_told(console: RunningConsole):
    console.reviews.add("rev_two")
    visitor = console.signed_in()
    page = visitor.get("/console/reviews/rev_two").text
    csrf = re.search(r'name="csrf" value="([^"]+)"', page)
    assert csrf is not None
    fields = {"decision": "approve", "revision": "1"}
    path = "/console/reviews/rev_two/decision"
    assert visitor.post(path, fields, csrf=csrf[1]).status == 303
    again = visitor.post(path, fields | {"decision": "reject", "note": "no"}, csrf=csrf[1])
    assert again.status == 409
    assert "Someone else has changed this review" in again.text
    assert console.reviews.reviews["rev_two"].decision == "approve"


def test_a_claimed_review_is_one_persons_until_it_is_given_back(console: RunningConsole):
    for name in ("anna", "ben"):
        if name not in [user.name for user in console.users.list()]:
            console.users.create(name, PASSWORD, role="reviewer", project="default")
    anna, ben = console.visitor(), console.visitor()
    anna.sign_in(name="anna", password=PASSWORD)
    ben.sign_in(name="ben", password=PASSWORD)
    console.reviews.add("rev_claim")
    path = "/console/reviews/rev_claim"
    assert anna.post(path + "/claim", {"revision": "1"}).location == path
    assert "anna works on it" in ben.get(path).text
    assert 'value="approve"' not in ben.get(path).text
    assert ben.post(path + "/claim", {"revision": "2"}).status == 409
    assert ben.get("/console/reviews/next").location == "/console/reviews"
    assert anna.get("/console/reviews/next").location == path
    assert anna.post(path + "/claim", {"revision": "2", "release": "yes"}).status == 303
    assert 'value="approve"' in ben.get(path).text


def test_a_review_of_another_project_is_not_there(console: RunningConsole):
    console.reviews.add("rev_other", project="elsewhere")
    reviewer = console.signed_in(console.new_key("reviewer"))
    assert reviewer.get("/console/reviews/rev_other").status == 404
    assert "rev_other" not in reviewer.get("/console/reviews").text
    assert console.signed_in().get("/console/reviews/rev_other").status == 200


def test_who_may_not_see_contents_sees_that_reviews_wait_and_not_what_they_say(
    console: RunningConsole,
):
    console.reviews.add("rev_secret")
    operator = console.signed_in(console.new_key("operator"))
    text = operator.get("/console/reviews").text
    assert "rev_secret" in text
    assert "/console/reviews/rev_secret" not in text
    assert operator.get("/console/reviews/rev_secret").status == 403


def test_a_review_that_is_a_question_has_no_draft_and_no_editor(console: RunningConsole):
    console.reviews.add("rev_money", draft=None, input=None, run_id=None, title="Budget of support")
    page = console.signed_in().get("/console/reviews/rev_money")
    assert page.status == 200
    assert "There is no draft" in page.text
    assert 'id="output"' not in page.text
    assert 'value="approve"' in page.text


def test_four_eyes_are_told(console: RunningConsole):
    console.reviews.add("rev_eyes", can_decide=False, why_not="Whoever asked may not decide.")
    page = console.signed_in().get("/console/reviews/rev_eyes").text
    assert "Whoever asked may not decide." in page
    assert 'value="approve"' not in page


def test_where_no_model_answered_the_output_is_written(console: RunningConsole):
    review = console.reviews.add("rev_empty", draft=None, unwritten=True)
    visitor = console.signed_in()
    page = visitor.get("/console/reviews/rev_empty").text
    assert "write the output, or reject" in page
    assert 'value="approve"' not in page
    refused = _decide(visitor, review.id, "edit", output="{}")
    assert refused.status == 400
    assert console.reviews.reviews[review.id].status == "open"
    written = '{"reply": "Dear customer, it is on its way."}'
    assert _decide(visitor, review.id, "edit", output=written).status == 303
    assert console.reviews.reviews[review.id].output == {
        "reply": "Dear customer, it is on its way."
    }
