"""What somebody typed is still there, to its last character, when it could not be sent."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pytest

from consoles import ADMIN_KEY, RunningConsole
from headgate.storage.console_tables import sessions

JOINED = "👩\u200d👩\u200d👧 می\u200cشود"
"""Characters that can't be seen hold an emoji and a Persian word together."""

_AREA = re.compile(r"<textarea[^>]*>\n(.*?)</textarea>", re.DOTALL)


@pytest.fixture(autouse=True)
def empty_queue(console: RunningConsole) -> Iterator[None]:
    """Each test begins with no review."""
    console.reviews.reviews.clear()
    yield
    console.reviews.reviews.clear()


def _in_the_form(page: str) -> list[str]:
    """What stands in the text areas of a page."""
    return [html.unescape(text) for text in _AREA.findall(page)]


def test_characters_that_can_not_be_seen_stay_in_an_edit_that_was_refused(
    console: RunningConsole,
):
    address = f"/console/reviews/{console.reviews.add('rev_joined').id}/decision"
    typed = {"text.0": f"Dear {JOINED}", "note": JOINED, "revision": "1"}
    visitor = console.signed_in()
    refused = visitor.post(address, typed | {"decision": "approve"})
    assert refused.status == 400
    reply, note = _in_the_form(refused.text)
    assert (reply, note) == (typed["text.0"], JOINED)
    assert visitor.post(address, typed | {"decision": "edit", "text.0": reply}).status == 303
    assert console.reviews.reviews["rev_joined"].output == {"reply": f"Dear {JOINED}"}


def test_characters_that_can_not_be_seen_stay_in_an_input_that_does_not_fit(
    console: RunningConsole,
):
    typed = f'{{"subject": "{JOINED}"}}'
    refused = console.signed_in().post(
        "/console/workflows/ticket-triage/runs", {"input": typed, "nonce": "joined"}
    )
    assert refused.status == 400
    assert _in_the_form(refused.text) == [typed]


def _end_sessions(console: RunningConsole) -> None:
    with console.database.begin() as connection:
        connection.execute(sessions.delete())


@pytest.mark.parametrize(
    ("address", "typed"),
    [
        ("/console/reviews/rev_kept/decision", {"text.0": f"Dear {JOINED}", "decision": "edit"}),
        ("/console/workflows/ticket-triage/runs", {"input": f'{{"subject": "{JOINED}"}}'}),
    ],
)
def test_what_was_written_outlives_the_session_and_is_shown_before_anything_is_done(
    console: RunningConsole, address: str, typed: dict[str, str]
):
    console.reviews.add("rev_kept")
    visitor = console.signed_in().with_headers(sec_fetch_site="same-origin")
    _end_sessions(console)
    typed |= {"revision": "1"}
    ended = visitor.post(address, typed, csrf="of the session that has ended")
    assert "Your session has ended" in ended.text
    kept = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', ended.text)
    assert {name: html.unescape(value) for name, value in kept} == typed
    assert visitor.sign_in(key=ADMIN_KEY).status == 303
    shown = visitor.post(address, typed, csrf="")
    assert shown.status == 403
    assert "from an earlier session" in shown.text
    assert _in_the_form(shown.text)[0] in typed.values()
    assert console.reviews.reviews["rev_kept"].status == "open"


def test_a_check_of_what_is_typed_never_puts_a_whole_page_into_the_editor(
    console: RunningConsole,
):
    console.reviews.add("rev_part")
    visitor = console.signed_in().with_headers(hx_request="true")
    address, typed = "/console/reviews/rev_part/check", {"text.0": JOINED}
    stale = visitor.post(address, typed, csrf="of an earlier session")
    assert (stale.status, "from an earlier session" in stale.text) == (403, True)
    _end_sessions(console)
    ended = visitor.post(address, typed, csrf="")
    assert (ended.status, "session has ended" in ended.text) == (200, True)
    assert "hx-redirect" not in ended.headers
    assert "<html" not in stale.text + ended.text
    renewed = visitor.get("/console/reviews?status=open")
    assert renewed.headers["hx-redirect"] == (
        "/console/sign-in?next=%2Fconsole%2Freviews%3Fstatus%3Dopen"
    )


def test_what_another_site_sends_is_neither_kept_nor_shown(console: RunningConsole):
    console.reviews.add("rev_foreign")
    address, typed = "/console/reviews/rev_foreign/decision", {"text.0": "Send them all our money."}
    for site in ("cross-site", "same-site", "none"):
        visitor = console.signed_in().with_headers(sec_fetch_site=site)
        assert typed["text.0"] not in visitor.post(address, typed, csrf="").text
        _end_sessions(console)
        assert visitor.post(address, typed, csrf="").location == "/console/sign-in"


def test_who_was_not_quick_enough_still_has_what_they_wrote(console: RunningConsole):
    visitor = console.signed_in()
    typed = {"text.0": f"Dear {JOINED}", "note": JOINED, "revision": "1", "decision": "edit"}
    for meanwhile in ({"status": "decided"}, {"status": "claimed", "claimed_by": "Bo"}):
        console.reviews.add("rev_late", revision=2, **meanwhile)
        late = visitor.post("/console/reviews/rev_late/decision", typed)
        assert late.status == 409
        assert _in_the_form(late.text) == [typed["text.0"], JOINED]


def test_who_claims_a_review_keeps_what_they_wrote(console: RunningConsole):
    console.reviews.add("rev_claimed")
    typed = {"text.0": "Dear customer, we are on it.", "note": "Almost.", "revision": "1"}
    claimed = console.signed_in().post("/console/reviews/rev_claimed/claim", typed)
    assert console.reviews.reviews["rev_claimed"].status == "claimed"
    assert _in_the_form(claimed.text) == [typed["text.0"], typed["note"]]


def test_a_draft_with_more_fields_than_a_form_takes_is_edited_as_one_and_decided(
    console: RunningConsole,
):
    console.reviews.add("rev_wide", draft={f"field {number}": "x" for number in range(250)})
    visitor = console.signed_in()
    page = visitor.get("/console/reviews/rev_wide").text
    assert page.count("<textarea") == 2
    decided = visitor.post(
        "/console/reviews/rev_wide/decision",
        {"decision": "approve", "revision": "1", "output": _in_the_form(page)[0]},
    )
    assert decided.status == 303
    assert console.reviews.reviews["rev_wide"].status == "decided"


@pytest.mark.parametrize(
    ("sent_to", "page"),
    [
        ("/console/", "/console"),
        ("/console/reviews/rev_x/decision", "/console/reviews/rev_x"),
        ("/console/reviews/rev_x/decision?as=json", "/console/reviews/rev_x?as=json"),
        ("/console/reviews/rev_x/claim", "/console/reviews/rev_x"),
        ("/console/workflows/ticket-triage/runs", "/console/workflows/ticket-triage"),
        ("/console/runs/run_x/cancel", "/console/runs/run_x"),
        ("/console/keys/key_x/revoke", "/console/keys"),
    ],
)
def test_where_a_form_is_sent_leads_back_to_its_page(
    console: RunningConsole, sent_to: str, page: str
):
    assert console.signed_in().get(sent_to).location == page
