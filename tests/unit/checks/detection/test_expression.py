"""RE2's inner matcher and its public wrapper give the same places."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.checks.detection.expression import Expression, Gates

PATTERNS = [r"\bab+", r"(a)|(b)c?", "x*", r"é(\d*)", r"(?i)[a-z]{2}\b"]
TEXTS = st.text(alphabet="abcxé1 A日", max_size=30)


@given(st.sampled_from(PATTERNS), TEXTS, st.integers(0, 40), st.integers(0, 40))
def test_a_release_without_the_inner_matcher_finds_the_same(pattern, text, start, length):
    fast, plain = Expression(pattern), Expression(pattern)
    plain._match = None
    assert fast._match is not None, "google-re2 has changed inside: it works, but slowly"
    data = text.encode()
    start = min(start, len(data))
    end = min(start + length, len(data))
    assert fast.first(data, start, end) == plain.first(data, start, end)
    assert fast.is_whole(data) == plain.is_whole(data)


@pytest.mark.parametrize("text", ["", "ab", "éé1", "zz"])
def test_gates_open_for_what_matches_somewhere(text):
    data = text.encode()
    expected = [
        number
        for number, pattern in enumerate(PATTERNS)
        if Expression(pattern).first(data, 0, len(data)) is not None
    ]
    assert Gates([("one", pattern) for pattern in PATTERNS]).open_for(data) == expected
    families = [("odd" if number % 2 else "even", p) for number, p in enumerate(PATTERNS)]
    assert Gates(families).open_for(data) == expected
