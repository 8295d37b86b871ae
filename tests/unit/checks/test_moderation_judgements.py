"""What a moderation endpoint says is taken at its word, and what it doesn't say is not made up."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from guards_at_a_call import guards_at
from headgate.checks.guards.guard import BlockedError, Guarded
from headgate.checks.guards.guarding import Guarding
from headgate.checks.guards.moderation import Judgement
from headgate.checks.parts.flow import ChatFlow
from headgate.config.guards import GuardSettings, ModerationSettings
from headgate.errors import ContentBlockedError, GuardFailedError

GOOD = Judgement(flagged=False, scores={"violence": 0.0, "hate": 0.0})


class Scripted:
    """Gives these judgements, the last one for all that follows; an exception is raised."""

    def __init__(self, *judgements: Judgement | Exception) -> None:
        self.judgements = list(judgements)
        self.asked: list[str] = []

    async def judge(self, texts: Sequence[str], model: str, call: Guarded) -> list[Judgement]:
        self.asked += texts
        judgements = self.judgements
        judgement = judgements.pop(0) if len(judgements) > 1 else judgements[0]
        if isinstance(judgement, Exception):
            raise judgement
        return [judgement] * len(texts)


def judged_by(moderator: Scripted, **settings: Any) -> Guarding:
    harm = GuardSettings(moderation=ModerationSettings(**settings))
    return guards_at("chat/completions", moderator=moderator, harm=harm)


async def asked(judgement: Judgement, **settings: Any) -> None:
    guarding = judged_by(Scripted(judgement), **settings)
    await guarding.request({"messages": [{"role": "user", "content": "hello"}]})


async def test_a_threshold_of_one_category_leaves_the_others_to_the_provider():
    both = Judgement(
        flagged=True,
        scores={"violence": 0.9, "hate": 0.6},
        categories=frozenset({"violence", "hate"}),
    )
    with pytest.raises(ContentBlockedError, match="hate"):
        await asked(both, thresholds={"violence": 0.95})
    with pytest.raises(ContentBlockedError, match="violence"):
        await asked(both, thresholds={"violence": 0.9})
    await asked(both, thresholds={"violence": 0.95, "hate": 0.7})


async def test_where_an_endpoint_names_no_category_its_highest_score_counts():
    with pytest.raises(ContentBlockedError, match="hate"):
        await asked(Judgement(flagged=True, scores={"violence": 0.1, "hate": 0.6}))


async def test_what_is_flagged_without_any_score_is_harmful():
    with pytest.raises(ContentBlockedError, match="flagged"):
        await asked(Judgement(flagged=True, scores={}))


async def test_a_category_that_got_no_score_was_not_judged():
    with pytest.raises(GuardFailedError, match="UnscoredCategory"):
        await asked(GOOD, thresholds={"voilence": 0.5})


async def streamed(guarding: Guarding, *pieces: str) -> str:
    """What is shown of an answer whose pieces come one by one."""
    stream, shown = guarding.streamed.rewriting(ChatFlow()), ""
    for piece in pieces:
        event = {"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]}
        for told in stream.event(event):
            shown += told["choices"][0]["delta"]["content"]
        for _ in range(10):
            await asyncio.sleep(0)
    for told in stream.close():
        shown += told["choices"][0]["delta"].get("content", "")
    await guarding.streamed.settle()
    return shown


async def test_a_stream_is_cut_as_soon_as_nobody_judges_it():
    moderator = Scripted(GOOD, OSError())
    guarding = judged_by(moderator, window_characters=100)
    with pytest.raises(GuardFailedError, match="OSError"):
        await streamed(guarding, "a" * 100, "b" * 100, "c" * 100, "d" * 100)
    assert not any("d" in text for text in moderator.asked)


async def test_what_is_said_over_the_seam_of_two_windows_is_judged_as_one():
    moderator = Scripted(GOOD)
    text = "word " * 39 + "a harmful sentence of some words " + "word " * 30
    pieces = [text[at : at + 7] for at in range(0, len(text), 7)]
    assert await streamed(judged_by(moderator, window_characters=200), *pieces) == text
    assert any("a harmful sentence of some words" in one for one in moderator.asked)


async def test_a_harmful_window_cuts_the_stream():
    bad = Judgement(flagged=True, scores={"violence": 0.9}, categories=frozenset({"violence"}))
    with pytest.raises(BlockedError, match="violence"):
        await streamed(judged_by(Scripted(GOOD, bad), window_characters=100), *["a" * 100] * 3)
