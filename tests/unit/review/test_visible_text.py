"""Text that hides or turns something is spelled out; JSON that is escaped stays the same JSON."""

from __future__ import annotations

import json
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from headgate.review.console.shown import pretty
from headgate.review.console.visible import escaped, shortened, visible

_ANY = st.text(st.characters(exclude_categories=()))
_NAMED = ("Cc", "Cf", "Cs", "Zl", "Zp")


@given(_ANY)
def test_nothing_that_controls_or_hides_is_left(text: str):
    for character in visible(text):
        if unicodedata.category(character) in _NAMED and character not in "\t\n":
            # The rest of Cf joins or numbers letters of scripts that need it.
            assert unicodedata.bidirectional(character) not in ("RLE", "LRE", "RLO", "LRO", "PDF")
            assert unicodedata.bidirectional(character) not in ("RLI", "LRI", "FSI", "PDI")
            assert unicodedata.category(character) == "Cf"


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs"))))
def test_what_can_be_seen_stays_as_it_is(text: str):
    assert visible(text) == text


@given(st.dictionaries(_ANY, st.one_of(_ANY, st.lists(_ANY))))
def test_pretty_json_is_the_same_json_and_all_of_it_can_be_seen(value: dict[str, object]):
    written = pretty(value)
    assert json.loads(written) == value
    assert visible(written) == written
    assert escaped(written) == written


def test_a_terminal_code_and_a_turned_line_are_spelled_out():
    assert visible("\x1b[2J\u202eevil") == "⟦U+001B⟧[2J⟦U+202E⟧evil"
    assert visible("a\r\nb\tc") == "a\nb\tc"
    assert visible("\U000e0041") == "⟦U+E0041⟧"


def test_long_text_tells_what_is_left_out():
    assert shortened("abcdef", 4) == ("abcd", 2)
    assert shortened("abc", 4) == ("abc", 0)
