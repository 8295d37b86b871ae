"""What somebody typed is still there, to its last character, when it could not be sent."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pytest

from consoles import RunningConsole

JOINED = "👩\u200d👩\u200d👧 می\u200cخواهم"
"""Characters that can't be seen hold an emoji and a Persian word together."""


@pytest.fixture(autouse=True)
def empty_queue(console: RunningConsole) -> Iterator[None]:
    """Each test begins with no review."""
    console.reviews.reviews.clear()
    yield
    console.reviews.reviews.clear()


def _in_the_form(page: str) -> list[str]:
    """What stands in the text areas of a page."""
    return [html.unescape(text) for text in re.findall(r"<textarea[^>]*>\n(.*?)</textarea>", page)]


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
