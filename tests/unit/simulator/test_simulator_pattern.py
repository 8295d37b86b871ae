"""Texts made for a regular expression match it, or are not made at all."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.simulator.schema.pattern import PatternNotSupportedError, matching_text


@pytest.mark.parametrize(
    "pattern",
    [
        "^abc$",
        "a|bc|d",
        "^(?:ab){2,4}c?$",
        "[a-f0-9]{8}",
        r"^\d+(\.\d{2})?$",
        r"^[^\s@]+@[^\s@]+\.[a-z]{2,}$",
        r"^\u0041\x42$",
        "^(?P<year>[0-9]{4})-(?<month>[0-9]{2})$",
        "^[-_.]+$",
        "^[]a]+$",
        r"\p{Lu}\p{Ll}+".replace(r"\p{Lu}", "[A-Z]").replace(r"\p{Ll}", "[a-z]"),
        "^a{0}b$",
        r"^\(\d{3}\) \d{3}-\d{4}$",
        "^.*$",
    ],
)
def test_the_text_matches(pattern: str):
    for extra in range(4):
        for pick in range(3):
            text = matching_text(pattern, extra=extra, pick=pick)
            assert re.search(pattern.replace("(?<", "(?P<").replace("(?P<P<", "(?P<"), text), text


def test_more_repetitions_make_longer_texts():
    assert len(matching_text("^[a-z]+$", extra=20)) > len(matching_text("^[a-z]+$", extra=0))


@pytest.mark.parametrize("pattern", ["(?=a)b", "(?<!a)b", r"(a)\1", "[b-a]", "(", "a{500}", "*"])
def test_what_it_does_not_know_it_refuses(pattern: str):
    with pytest.raises(PatternNotSupportedError):
        matching_text(pattern)


@given(st.text(alphabet="ab()[]{}|*+?^$\\.-,0123:<>=!dwP", max_size=14), st.integers(0, 3))
def test_no_pattern_makes_it_fail_otherwise(pattern: str, extra: int):
    try:
        text = matching_text(pattern, extra=extra)
    except PatternNotSupportedError:
        return
    assert len(text) < 10_000_000
