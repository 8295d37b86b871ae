"""A filter that breaks ends its stream, or hands on the rest of its text without a hole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.checks.guards.guard import BlockedError, Guard, OutputFilter
from headgate.checks.guards.shielded import ShieldedFilter
from headgate.checks.guards.verdict import Verdict
from headgate.config.guards import OnError
from headgate.errors import GuardFailedError


class Breaks(OutputFilter):
    """Holds back some letters, and breaks at a piece; it may also rewrite what it lets go."""

    def __init__(self, at: int, *, holds: int = 0, rewrites: bool = False) -> None:
        self._left = at
        self._holds = holds
        self._rewrites = rewrites
        self._held = ""

    def feed(self, text: str) -> str:
        if self._left == 0:
            raise RuntimeError
        self._left -= 1
        self._held += text
        end = max(0, len(self._held) - self._holds)
        told, self._held = self._held[:end], self._held[end:]
        return told.upper() if self._rewrites else told

    def close(self) -> str:
        if self._left == 0:
            raise RuntimeError
        return self._held


def shielded(inner: OutputFilter, on_error: OnError = "allow") -> ShieldedFilter:
    return ShieldedFilter(Guard("mine", on_error=on_error), inner)


@given(
    pieces=st.lists(st.text(max_size=8), max_size=12),
    at=st.integers(0, 14),
    holds=st.integers(0, 20),
)
def test_a_text_is_whole_wherever_its_filter_breaks(pieces: list[str], at: int, holds: int) -> None:
    one = shielded(Breaks(at, holds=holds))
    told = "".join([*(one.feed(piece) for piece in pieces), one.close()])
    assert told == "".join(pieces)
    assert one.verdict().decision == ("failed" if at <= len(pieces) else "pass")


def test_one_that_must_not_break_ends_the_stream() -> None:
    one = shielded(Breaks(1), "block")
    assert one.feed("a") == "a"
    with pytest.raises(GuardFailedError, match=r"`mine` failed \(RuntimeError\)"):
        one.feed("b")
    assert one.verdict() == Verdict("failed", reason="failed (RuntimeError)")


def test_one_that_breaks_with_a_text_that_it_rewrote_ends_the_stream_all_the_same() -> None:
    one = shielded(Breaks(1, rewrites=True))
    assert one.feed("a") == "A"
    with pytest.raises(GuardFailedError, match="with a part of the text"):
        one.feed("b")


def test_what_stops_a_stream_is_the_guard_s_verdict() -> None:
    class Stops(OutputFilter):
        def feed(self, text: str) -> str:
            raise BlockedError("mine", Verdict("block", reason="because"))

    one = shielded(Stops())
    with pytest.raises(BlockedError):
        one.feed("a")
    assert one.verdict().reason == "because"


def test_what_is_held_back_is_not_lost_where_looking_at_it_fails() -> None:
    class BadLook(Breaks):
        def look(self, text: str) -> None:
            raise RuntimeError

    one = shielded(BadLook(9, holds=3))
    told = one.feed("abcdef")
    assert one.ahead("") == "def"
    told += one.feed("ghi") + one.close()
    assert told == "abcdefghi"
    assert one.verdict().decision == "failed"
    with pytest.raises(GuardFailedError):
        shielded(BadLook(9), "block").ahead("")
