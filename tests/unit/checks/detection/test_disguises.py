"""Values that are written with other digits, dashes, spaces or unseen characters are found too."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.checks.detection import Detector
from headgate.checks.detection.plain_text import PlainText, read, spelled_out

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


@pytest.mark.parametrize(
    ("text", "kind", "written"),
    [
        ("mailto:anna%40example.com?subject=a", "email", "anna%40example.com"),
        ("<b>anna&#64;example.com</b>", "email", "anna&#64;example.com"),
        ("<b>anna&#x40;example&period;com</b>", "email", "anna&#x40;example&period;com"),
        ("?card=4242%204242%204242%204242&x", "payment_card", "4242%204242%204242%204242"),
        ("?tel=%2B4915112345678", "phone", "%2B4915112345678"),
        ("?iban=DE89%203704%200044%200532%200130%2000", "iban",
         "DE89%203704%200044%200532%200130%2000"),
    ],
)  # fmt: skip
def test_what_stands_in_an_address_or_in_html_is_found_as_it_reads(text, kind, written):
    (found,) = DETECTOR.find(text)
    assert (found.kind, text[found.start : found.end]) == (kind, written)


def test_what_only_looks_escaped_stays_as_it_is():
    text = "100%25 of &nosuch; %zz &#0; &#xFFFFF; %C3 %ff, 50%, R&D; &amp; jane@example.com"
    assert [text[one.start : one.end] for one in DETECTOR.find(text)] == ["jane@example.com"]
    assert read("%C3 &nosuch; %zz 50%, R&D;") == "%C3 &nosuch; %zz 50%, R&D;"


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


WRITTEN = st.sampled_from(
    [
        "%40",
        "%20",
        "%C3%B6",
        "%e4%b8%ad",
        "&#64;",
        "&#x40;",
        "&ouml;",
        "%2541",
        "%",
        "&",
        "%zz",
        "&;",
    ]
)
PLAIN = st.text(alphabet=st.characters(codec="utf-8", exclude_characters='"\\'), max_size=8)


@given(st.lists(WRITTEN | PLAIN, max_size=12).map("".join), st.data())
def test_any_place_in_plain_text_is_found_again_in_the_text(text, data):
    plain = PlainText(text)
    seen = plain.data.decode()
    start = data.draw(st.integers(0, len(seen)))
    end = data.draw(st.integers(start, len(seen)))
    if start == end:
        return
    edges = (len(seen[:start].encode()), len(seen[:end].encode()))
    ((first, last),) = plain.spans([edges])
    assert read(text[first:last]) == seen[start:end]
