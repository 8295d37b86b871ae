"""Values that are written with other digits, dashes, spaces or unseen characters are found too."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.checks.detection import Detector
from headgate.checks.detection.plain_text import PlainText, spelled_out, undisguised

DETECTOR = Detector(["payment_card", "email", "national_id", "phone", "iban"])
CARD = "4242 4242 4242 4242"


@pytest.mark.parametrize(
    "disguised",
    [
        "４２４２ ４２４２ ４２４２ ４２４２",
        "4242\u00a04242\u00a04242\u00a04242",
        "4242\u20114242\u20134242\u20144242",
        "4242\u2009 4242\u202f4242\u30004242",
        "42\u200b42 4242 42\u200d42 4242",
        "\u0664\u0662\u0664\u0662 4242 4242 4242",
        "𝟒𝟐𝟒𝟐 𝟒𝟐𝟒𝟐 𝟒𝟐𝟒𝟐 𝟒𝟐𝟒𝟐",
    ],
)
def test_a_disguised_card_is_found_whole(disguised):
    text = f"é card {disguised} was charged"
    (found,) = DETECTOR.find(text)
    assert (found.kind, text[found.start : found.end]) == ("payment_card", disguised)


def test_places_are_told_in_characters_of_the_text_as_it_came():
    text = "🙂\u200b日本 jane\u200b.roe@example.com\u200b, 078\u201305\u20131121"
    assert [text[one.start : one.end] for one in DETECTOR.find(text)] == [
        "jane\u200b.roe@example.com",
        "078\u201305\u20131121",
    ]


def test_half_a_surrogate_pair_moves_nothing():
    text = "\ud83d jane@example.com \udc00"
    (found,) = DETECTOR.find(text)
    assert text[found.start : found.end] == "jane@example.com"


LETTER = (
    'The card:\n4242 4242 4242 4242\njane@example.com\n\tDE89370400440532013000\r\nTel. "078"\n'
    "+49 30 901820\nmüller@exämple.de"
)


@pytest.mark.parametrize("in_ascii", [True, False])
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_what_stands_in_json_is_found_as_it_reads(in_ascii: bool, depth: int):
    written = LETTER
    for _ in range(depth):
        written = json.dumps({"body": written}, ensure_ascii=in_ascii)
    text = f"See {written}"
    assert [(one.kind, spelled_out(text[one.start : one.end])) for one in DETECTOR.find(text)] == [
        (one.kind, LETTER[one.start : one.end]) for one in DETECTOR.find(LETTER)
    ]


def test_a_path_is_no_row_of_lines():
    text = r"C:\new\4242 4242 4242 4242\table"
    assert [text[one.start : one.end] for one in DETECTOR.find(text)] == [CARD]
    assert not DETECTOR.find(r"C:\n4242 4242 4242 4242")


UNSEEN = st.sampled_from(["\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u202e"])


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, len(CARD) - 1), UNSEEN), max_size=8), st.text(max_size=20))
def test_unseen_characters_anywhere_inside_hide_nothing(places, before):
    card = CARD
    for at, sign in sorted(places, reverse=True):
        card = card[:at] + sign + card[at:]
    text = f"{before} ; {card} ;"
    assert (text.index(card), text.index(card) + len(card)) in [
        (one.start, one.end) for one in DETECTOR.find(text) if one.kind == "payment_card"
    ]


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60), st.data())
def test_any_place_in_plain_text_is_found_again_in_the_text(text, data):
    plain = PlainText(text)
    seen = plain.data.decode()
    start = data.draw(st.integers(0, len(seen)))
    end = data.draw(st.integers(start, len(seen)))
    if start == end:
        return
    edges = (len(seen[:start].encode()), len(seen[:end].encode()))
    ((first, last),) = plain.spans([edges])
    assert undisguised(text[first:last]) == seen[start:end]
