"""How much a person changed: nothing for nothing, never more than all, and quickly."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.review.edit import _distance_within, edit_between, word_distance

WORDS = st.lists(st.sampled_from("abcd"), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(("a b", "a c d", "")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from("pqr"), VALUES)


def test_words_that_were_changed_are_counted_field_by_field():
    draft = {"reply": "We are very sorry for that", "tags": ["late", "parcel"], "refund": 10}
    output = {"reply": "We are truly sorry for that", "tags": ["late"], "refund": 12}
    edit = edit_between(draft, output)
    assert edit.distance == 3
    assert edit.share == 3 / 9
    assert edit_between(None, output).share == 1.0


@given(WORDS, WORDS, WORDS)
def test_the_distance_is_one(one, other, third):
    distance = word_distance(one, other)
    assert distance == word_distance(other, one)
    assert (distance == 0) == (one == other)
    assert abs(len(one) - len(other)) <= distance <= max(len(one), len(other))
    assert distance <= word_distance(one, third) + word_distance(third, other)


@given(WORDS, WORDS, st.integers(2, 200))
def test_looking_near_by_first_finds_the_same_or_takes_all(one, other, steps):
    distance = word_distance(one, other)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("headgate.review.edit._STEPS_AT_MOST", steps)
        assert word_distance(one, other) >= distance
    most = max(len(one), len(other))
    for within in range(abs(len(one) - len(other)), most + 1):
        found = _distance_within(one, other, within)
        assert (found == distance) if distance <= within else (found > within)


def test_a_long_text_that_is_mended_at_both_ends_is_not_written_anew():
    words = [f"w{n}" for n in range(2_000)]
    draft = {"letter": " ".join(words)}
    output = {"letter": " ".join(["Dear", *words[1:-1], "Yours"])}
    assert edit_between(draft, output).distance == 2


def test_an_item_that_is_taken_out_is_what_it_holds_and_nothing_more():
    risks = [{"level": "high", "text": f"the risk number {n} is here"} for n in range(5)]
    edit = edit_between({"risks": risks}, {"risks": risks[1:]})
    assert (edit.distance, edit.share) == (7, 7 / 35)


def test_one_character_of_a_script_without_spaces_is_no_rewriting():
    edit = edit_between(
        {"t": "ご返金の手続きを開始しました。"}, {"t": "ご返金の手続きを完了しました。"}
    )
    assert (edit.distance, edit.share) == (2, 2 / 15)
    assert edit_between({"t": "สวัสดีครับ"}, {"t": "สวัสดีค่ะ"}).share < 0.5


@given(OBJECTS, OBJECTS)
def test_a_share_is_a_share(draft, output):
    edit = edit_between(draft, output)
    assert 0.0 <= edit.share <= 1.0
    assert edit_between(draft, draft) == edit_between(output, output)
    assert edit_between(draft, draft).distance == 0


def test_long_texts_that_have_nothing_in_common_take_no_time():
    draft = {"text": " ".join(f"a{n}" for n in range(100_000))}
    output = {"text": " ".join(f"b{n}" for n in range(100_000))}
    began_s = time.process_time()
    assert edit_between(draft, output).share == 1.0
    assert time.process_time() - began_s < 1.0
