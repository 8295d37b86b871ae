"""A guard of one's own fails closed in streams, too, and what it said and took is on record."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import pytest

from headgate.checks.guards import PASS, BlockedError, Guard, Guarded, OutputFilter, Part, Verdict
from headgate.checks.guards import Finished as FinishedText
from headgate.checks.guards.guarding import Guarding
from headgate.checks.guards.policy import Standing
from headgate.checks.parts.flow import ChatFlow, ResponseFlow
from headgate.errors import (
    ContentBlockedError,
    GuardFailedError,
    HeadgateError,
    ReviewNeededError,
)
from headgate.gateway.guarded_stream import GuardedStream


class Acting(OutputFilter):
    """Does to each piece what a test says."""

    def __init__(self, act: Any) -> None:
        self._act = act

    def feed(self, text: str) -> str:
        return str(self._act(text))

    def close(self) -> str:
        return ""


class Mine(Guard):
    def __init__(self, act: Any, **common: Any) -> None:
        super().__init__("mine", **common)
        self._act = act

    def output_filter(self, part: Part, call: Guarded) -> OutputFilter:
        return Acting(self._act)


def guarded_by(guard: Guard) -> tuple[Guarding, GuardedStream]:
    call = Guarded(project="p", key_id="k", endpoint="chat/completions", trust="trusted")
    guarding = Guarding(Standing((guard,), "1", {"mine": "all"}), call)
    return guarding, GuardedStream(guarding, ChatFlow())


def stream_through(act: Any, **common: Any) -> tuple[Guarding, GuardedStream]:
    return guarded_by(Mine(act, **common))


def words(*said: str) -> bytes:
    return b"".join(
        b'data: {"choices":[{"index":0,"delta":{"content":"%b"}}]}\n\n' % word.encode()
        for word in said
    )


def fails_at(word: str, *, holding: bool = False) -> Any:
    """Raises at `word`; until then it shows all, or what came before the newest piece."""
    held = [""]

    def act(text: str) -> str:
        if text == word:
            raise KeyError("a secret")
        if not holding:
            return text
        told, held[0] = held[0], text
        return told

    return act


def test_a_filter_that_raises_ends_the_stream_under_its_guards_name():
    guarding, stream = stream_through(fails_at("two"))
    assert b"one" in stream.feed(words("one"))
    with pytest.raises(GuardFailedError, match=r"`mine` failed \(KeyError\)") as failed:
        stream.feed(words("two"))
    assert "secret" not in failed.value.message
    stream.end()
    (record,) = guarding.report.records
    assert (record.decision, record.reason) == ("failed", "failed (KeyError)")


@pytest.mark.parametrize("holding", [False, True])
def test_where_failures_are_let_by_nothing_of_the_text_goes_missing(holding: bool):
    act = fails_at("three", holding=holding)
    guarding, stream = stream_through(act, on_error="allow")
    told = stream.feed(words("one", "two", "three", "four"), ended=True)
    shown = b"".join(piece.partition(b'"}')[0] for piece in told.split(b'"content":"')[1:])
    assert shown == b"onetwothreefour"
    stream.end()
    assert guarding.report.records[0].decision == "failed"


def test_one_that_has_rewritten_what_it_holds_back_stops_the_stream_all_the_same():
    pieces = iter(["", "other", None])

    def act(text: str) -> str:
        said = next(pieces)
        if said is None:
            raise ValueError
        return said

    _, stream = stream_through(act, on_error="allow")
    stream.feed(words("one", "two"))
    with pytest.raises(GuardFailedError):
        stream.feed(words("three"))


def test_a_guard_that_stops_a_stream_is_on_record_as_having_done_so():
    def act(text: str) -> str:
        raise BlockedError("mine", Verdict("block", reason="shouting", score=90))

    guarding, stream = stream_through(act)
    with pytest.raises(Exception, match="shouting"):
        stream.feed(words("ONE"))
    stream.end()
    (record,) = guarding.report.records
    assert (record.decision, record.reason, record.score) == ("block", "shouting", 90)


def test_the_time_that_filters_take_is_on_record():
    def act(text: str) -> str:
        until = time.perf_counter() + 0.002
        while time.perf_counter() < until:
            pass
        return text

    guarding, stream = stream_through(act)
    stream.feed(words("one", "two", "three"))
    stream.end()
    assert guarding.report.records[0].took_us >= 6000


class WithoutFilter(Mine):
    def output_filter(self, part: Part, call: Guarded) -> OutputFilter:
        raise KeyError("a secret")


@pytest.mark.parametrize("on_error", ["block", "allow"])
def test_a_guard_that_can_make_no_filter_fails_like_any(on_error: Any):
    guard = WithoutFilter(str, on_error=on_error)
    call = Guarded(project="p", key_id="k", endpoint="chat/completions", trust="trusted")
    guarding = Guarding(Standing((guard,), "1", {"mine": "all"}), call)
    stream = GuardedStream(guarding, ChatFlow())
    if on_error == "block":
        with pytest.raises(GuardFailedError, match="`mine`"):
            stream.feed(words("one"))
    else:
        assert b"one" in stream.feed(words("one"))
        stream.end()
        assert guarding.report.records[0].decision == "failed"


class Speechless(Guard):
    async def check_input(self, parts: Any, call: Guarded) -> Any:
        return None


async def test_a_guard_that_returns_no_verdict_has_failed():
    call = Guarded(project="p", key_id="k", endpoint="chat/completions", trust="trusted")
    guarding = Guarding(Standing((Speechless("mine"),), "1", {"mine": "all"}), call)
    with pytest.raises(GuardFailedError, match="`mine` returned no verdict"):
        await guarding.request({"input": "x"})
    assert guarding.report.records[0].decision == "failed"


class Flagging(Guard):
    async def check_output(self, parts: Any, call: Guarded) -> Verdict:
        return Verdict("flag", counts={"texts": len(parts)})


def test_what_is_said_of_texts_that_are_told_whole_only_is_on_record():
    call = Guarded(project="p", key_id="k", endpoint="responses", trust="trusted")
    guarding = Guarding(Standing((Flagging("mine"),), "1", {"mine": "all"}), call)
    stream = GuardedStream(guarding, ResponseFlow())
    stream.feed(b'data: {"type":"response.output_text.done","output_index":0,"text":"hi"}\n\n')
    stream.end()
    (record,) = guarding.report.records
    assert (record.decision, record.counts) == ("flag", {"texts": 1})


class Whole(Guard):
    """Judges whole answers, as a test says, and knows of no streams."""

    def __init__(self, *verdicts: Verdict, **common: Any) -> None:
        super().__init__("mine", **common)
        self._verdicts = list(verdicts)

    async def check_output(self, parts: Sequence[Part], call: Guarded) -> Verdict:
        return self._verdicts.pop(0)


@pytest.mark.parametrize(
    ("verdict", "refused"),
    [
        (Verdict("block"), ContentBlockedError),
        (Verdict("review"), ReviewNeededError),
        (Verdict("failed"), GuardFailedError),
    ],
)
def test_what_a_guard_without_a_filter_says_of_the_whole_text_stops_the_stream(
    verdict: Verdict, refused: type[HeadgateError]
):
    guarding, stream = guarded_by(Whole(verdict))
    assert b"one" not in stream.feed(words("one"))
    with pytest.raises(refused):
        stream.feed(words("two"), ended=True)
    stream.end()
    (record,) = guarding.report.records
    assert record.decision == verdict.decision


def test_a_guard_without_a_filter_that_is_late_has_failed():
    class Stuck(Guard):
        async def check_output(self, parts: Sequence[Part], call: Guarded) -> Verdict:
            time.sleep(0.02)
            return PASS

    guarding, stream = guarded_by(Stuck("mine", timeout_s=0.01))
    with pytest.raises(GuardFailedError):
        stream.feed(words("one"), ended=True)
    stream.end()
    assert guarding.report.records[0].decision == "failed"


class Finished(Guard):
    of_finished = True

    def __init__(self, verdict: Verdict, **common: Any) -> None:
        super().__init__("mine", **common)
        self._verdict = verdict

    def check_finished(self, one: FinishedText, call: Guarded) -> Verdict:
        return self._verdict


@pytest.mark.parametrize(
    ("verdict", "refused"),
    [
        (Verdict("block"), ContentBlockedError),
        (Verdict("review"), ReviewNeededError),
        (Verdict("failed"), GuardFailedError),
    ],
)
async def test_what_a_guard_says_of_a_finished_text_holds_whole_and_streamed(
    verdict: Verdict, refused: type[HeadgateError]
):
    guarding, stream = guarded_by(Finished(verdict))
    with pytest.raises(refused):
        stream.feed(words("one"), ended=True)
    stream.end()
    assert [record.decision for record in guarding.report.records] == [verdict.decision]
    guarding, _ = guarded_by(Finished(verdict))
    with pytest.raises(refused):
        await guarding.reply({"choices": [{"message": {"content": "one"}}]})
    assert [record.decision for record in guarding.report.records] == [verdict.decision]


def test_a_finished_text_is_looked_at_in_events_that_nothing_else_would_read():
    guarding, stream = guarded_by(Finished(Verdict("flag")))
    assert not guarding.streamed.only_restores
    stream.feed(words("plain"), ended=True)
    stream.end()
    assert [record.decision for record in guarding.report.records] == ["flag"]


def spoken(guard: Guard, *said: str) -> Any:
    """Feeds a transcript that is heard as it comes."""
    guarding, _ = guarded_by(guard)
    whole = Part({"t": ""}, "t", path="t", role="model", spoken=True)
    text_filter = guarding.streamed.filter_for(whole)
    return [text_filter.feed(one) for one in said]


def test_what_is_heard_is_judged_as_it_comes_though_its_text_waits():
    with pytest.raises(BlockedError):
        spoken(Whole(PASS, Verdict("block")), "one", "two")
    assert spoken(Whole(PASS, PASS), "one", "two") == ["", ""]
    assert spoken(Whole(unreadable="allow"), "one", "two") == ["", ""]


def test_what_is_heard_and_would_be_rewritten_is_stopped():
    class Masking(Guard):
        async def check_output(self, parts: Sequence[Part], call: Guarded) -> Verdict:
            parts[0].text = "***"
            return Verdict("change")

    with pytest.raises(BlockedError) as stop:
        spoken(Masking("mine"), "one")
    assert stop.value.verdict.decision == "block"
