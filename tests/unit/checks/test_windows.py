"""What guards find in a flowing text does not depend on what flowed before, or on how it is cut."""

from __future__ import annotations

import pytest

from guards_at_a_call import guards_at
from headgate.checks.detection import Finding
from headgate.checks.guards.guarding import Guarding
from headgate.checks.guards.window import Window
from headgate.checks.parts.flow import ChatFlow
from headgate.config.detection import DetectionSettings
from headgate.config.guards import GuardSettings, RedactSettings, WordsSettings
from headgate.errors import ContentBlockedError
from headgate.gateway.guarded_stream import GuardedStream, data_of, events_of

SAID = " The password: hunter2secret9, she said, and her SSN is 078051121."
MASKED = " The password: **********ret9, she said, and her SSN is *****1121."
AFTER = " And so it went on for a good while." * 20


async def flowing(guarding: Guarding, text: str, size: int) -> str:
    """What a client sees of an answer that says `text` in pieces."""
    await guarding.request({"messages": [{"role": "user", "content": "hi"}]})
    stream = GuardedStream(guarding, ChatFlow())
    told = b""
    for at in range(0, len(text), size):
        piece = text[at : at + size].encode()
        told += stream.feed(b'data: {"choices":[{"delta":{"content":"%b"}}]}\n\n' % piece)
    told += stream.feed(b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n', ended=True)
    return b"".join(data_of(one).partition(b'"content":"')[2].partition(b'"')[0]
                    for one in events_of(told)).decode()  # fmt: skip


@pytest.mark.parametrize("size", [1, 7, 300, 10_000])
async def test_the_words_that_tell_a_value_may_have_been_shown_already(size: int) -> None:
    find = DetectionSettings(kinds=("secret", "national_id"), languages=("en",))
    for before in range(150, 270, 7):
        text = "x" * before + SAID + AFTER
        guarding = guards_at(
            "chat/completions", hide=GuardSettings(redact=RedactSettings(find=find, mode="mask"))
        )
        told = await flowing(guarding, text, size)
        expected = SAID.replace("hunter2secret9", "**********ret9").replace(
            "078051121", "*****1121"
        )
        assert told == "x" * before + expected + AFTER, before


@pytest.mark.parametrize("size", [1, 300])
async def test_the_end_of_a_longer_word_is_none_of_the_operators(size: int) -> None:
    words = GuardSettings(words=WordsSettings(words=("mera",)))
    for before in range(245, 262):
        text = "x" * before + " chimera" + AFTER
        assert await flowing(guards_at("chat/completions", house=words), text, size) == text


async def test_a_word_longer_than_what_is_held_back_is_not_shown_in_part() -> None:
    words = GuardSettings(words=WordsSettings(patterns=("begin[a-z ]{600}",)))
    guarding = guards_at("chat/completions", house=words)
    with pytest.raises(ContentBlockedError):
        await flowing(guarding, "x " * 200 + "begin" + "a b " * 300, 10)


def test_what_is_still_growing_is_not_read_at_each_piece() -> None:
    looked = []

    def find(text: str) -> list[Finding]:
        looked.append(text)
        return [Finding("all", 0, len(text), 99)]

    window = Window(find)
    shown = "".join(window.feed("letters ")[0] for _ in range(1_000))
    assert not shown
    assert len(looked) < 40
    assert window.close()[0] == "letters " * 1_000
