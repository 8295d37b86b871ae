"""An edit that changes nothing changes nothing; one that does is told key by key."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headgate.review.console.editing import changes, edited, fields_of

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_DRAFTS = st.dictionaries(st.text(), _JSON, max_size=5)


@given(_DRAFTS)
def test_what_the_editor_shows_sent_back_is_the_draft(draft: dict[str, object]):
    form = {field.name: field.text for field in fields_of(draft, {})}
    assert edited(draft, form) == (draft, ())
    assert edited(draft, {}) == (draft, ())
    assert changes(draft, draft) == []


@given(_DRAFTS, _DRAFTS)
def test_changes_name_exactly_the_keys_that_differ(
    before: dict[str, object], after: dict[str, object]
):
    told = {change.key for change in changes(before, after)}
    missing = object()
    assert told == {
        key
        for key in {*before, *after}
        if repr(before.get(key, missing)) != repr(after.get(key, missing))
    }
    assert changes({"a": True}, {"a": 1}) != []


def test_a_text_is_edited_as_text_and_the_rest_as_json():
    draft = {"reply": "Dear\nyou", "amount": 5, "hidden": "a\u202eb"}
    assert [(f.kind, f.text) for f in fields_of(draft, {})] == [
        ("text", "Dear\nyou"),
        ("json", "5"),
        ("json", '"a\\u202eb"'),
    ]
    assert edited(draft, {"text.0": '"{', "json.1": "7"}) == (
        {"reply": '"{', "amount": 7, "hidden": "a\u202eb"},
        (),
    )


def test_what_can_not_be_read_names_its_field():
    output, problems = edited({"amount": 5, "tags": []}, {"json.0": "five", "json.1": "["})
    assert output is None
    assert [problem.path for problem in problems] == ["amount", "tags"]
