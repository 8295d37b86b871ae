"""A field that is given twice is found, however the rest is written."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.gateway.objects.repeated_fields import repeats_field

# Characters of which strings are written with escapes, and some that are not.
texts = st.text(st.sampled_from('ab"\\/\n\u2028é{:,'), max_size=6)


def written(text: str, escaped: bool) -> str:
    if escaped:
        return '"' + "".join(f"\\u{ord(one):04x}" for one in text) + '"'
    return json.dumps(text, ensure_ascii=False)


strings = st.builds(written, texts, st.booleans())


def objects(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.lists(st.tuples(strings, values), max_size=4)
    return pairs.map(lambda some: "{" + ", ".join(f"{name}: {value}" for name, value in some) + "}")


def lists(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(values, max_size=3).map(lambda some: "[" + ",".join(some) + "]")


documents = st.recursive(
    strings | st.sampled_from(["1", "null", "true", "-0.5e3"]),
    lambda values: objects(values) | lists(values),
    max_leaves=12,
)


@given(documents)
def test_as_a_reader_that_looks_at_every_pair(document: str) -> None:
    seen: list[bool] = []
    json.loads(
        document,
        object_pairs_hook=lambda pairs: seen.append(len(dict(pairs)) != len(pairs)) or None,
    )
    raw = document.encode()
    assert repeats_field(raw, msgspec.json.decode(raw)) is any(seen)


@pytest.mark.parametrize(
    ("raw", "repeats"),
    [
        (b'{"model": "a", "model": "b"}', True),
        (b'{"model": "a", "mod\\u0065l": "b"}', True),
        (b'{"a": {"b": [{"c": 1, "c": 1}]}}', True),
        (b'{"a": "\\u0022", "b": "\\u005c"}', False),
        (b'{"a": "\\\\", "a": "\\\\"}', True),
        (b'{"a": {"c": 1}, "b": {"c": 1}}', False),
    ],
)
def test_what_repeats(raw: bytes, repeats: bool) -> None:
    assert repeats_field(raw, msgspec.json.decode(raw)) is repeats
