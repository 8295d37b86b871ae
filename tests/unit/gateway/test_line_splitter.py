"""Lines are the same wherever their bytes are cut, and none is longer than the bound."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.gateway.line_splitter import LineSplitter, LineTooLongError


@given(st.binary(max_size=200).map(lambda data: data.replace(b"a", b"\n")), st.integers(1, 50))
def test_it_does_not_matter_where_the_bytes_are_cut(data: bytes, cut: int):
    splitter = LineSplitter(1000)
    lines = [line for at in range(0, len(data), cut) for line in splitter.feed(data[at : at + cut])]
    assert b"\n".join([*lines, splitter.end()]) == data


@given(st.integers(1, 30))
def test_a_line_that_is_too_long_is_told_before_it_is_whole(cut: int):
    splitter = LineSplitter(10)
    data = b"1234567890\n\n" + b"x" * 11
    with pytest.raises(LineTooLongError) as told:  # noqa: PT012 - in which of them depends
        for at in range(0, len(data), cut):
            splitter.feed(data[at : at + cut])
    assert told.value.number == 3
