"""The pieces of a difference put together are both texts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headgate.review.console.differences import differences

_TEXT = st.text(st.sampled_from("ab ,\n\"'é"), max_size=80)


@given(_TEXT, _TEXT)
def test_without_what_was_added_it_is_the_old_text_and_without_what_was_removed_the_new(
    before: str, after: str
):
    pieces = differences(before, after)
    assert "".join(p.text for p in pieces if p.kind != "added") == before
    assert "".join(p.text for p in pieces if p.kind != "removed") == after


def test_one_changed_word_is_one_word():
    pieces = differences("We refund $50 today.", "We refund $20 today.")
    assert [(p.kind, p.text) for p in pieces if p.kind != "same"] == [
        ("removed", "50"),
        ("added", "20"),
    ]


def test_very_long_texts_are_compared_by_lines_and_not_for_ever():
    before = "\n".join(f"line {n} of a long text" for n in range(4000))
    after = before.replace("line 2000 ", "line two thousand ")
    changed = [p for p in differences(before, after) if p.kind != "same"]
    assert [p.kind for p in changed] == ["removed", "added"]
