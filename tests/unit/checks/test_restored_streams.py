"""Values come back in every text of a stream that has many, wherever its texts are cut."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from guards_at_a_call import guards_at
from headgate.checks.parts.flow import ChatFlow
from headgate.config.detection import DetectionSettings
from headgate.config.guards import GuardSettings, RedactMode, RedactSettings
from headgate.gateway.guarded_stream import GuardedStream

SAID = (
    "mail anne@example.com and bert@example.org, card 4242 4242 4242 4242, call +49 30 901820."
    " My name is Jörg Müller. Born 12.03.1980"
)
KINDS = ("email", "payment_card", "phone", "person", "date_of_birth")

Text = tuple[int, str | int]
"""A choice's content, or one of its tool calls' arguments."""


def pieces(texts: dict[Text, str], chance: random.Random) -> Iterator[dict[str, Any]]:
    """The events of a stream that tells `texts`, in turns and in small pieces."""
    left = dict(texts)
    while left:
        choice, name = at = chance.choice(list(left))
        size = chance.choice([1, 1, 2, 3, 9])
        piece, left[at] = left[at][:size], left[at][size:]
        delta: dict[str, Any] = {"content": piece}
        if isinstance(name, int):
            delta = {"tool_calls": [{"index": name, "function": {"arguments": piece}}]}
        if not left[at]:
            del left[at]
        yield {"choices": [{"index": choice, "delta": delta}]}
    for choice in {choice for choice, _ in texts}:
        yield {"choices": [{"index": choice, "delta": {}, "finish_reason": "stop"}]}


def texts_of(stream: bytes) -> dict[Text, str]:
    found: dict[Text, str] = {}
    for line in stream.splitlines():
        for choice in json.loads(line[6:])["choices"] if line.startswith(b"data: {") else ():
            delta, number = choice["delta"], choice["index"]
            told: list[tuple[Text, str]] = [
                ((number, call["index"]), call["function"]["arguments"])
                for call in delta.get("tool_calls", ())
            ]
            if "content" in delta:
                told.append(((number, "content"), delta["content"]))
            for at, piece in told:
                found[at] = found.get(at, "") + piece
    return found


@pytest.mark.parametrize("mode", ["placeholder", "stand_in"])
@pytest.mark.parametrize("seed", range(12))
async def test_each_text_has_its_values(mode: RedactMode, seed: int) -> None:
    find = DetectionSettings(kinds=KINDS, languages=("en", "de"))
    hiding = GuardSettings(redact=RedactSettings(find=find, mode=mode))
    guarding = guards_at("chat/completions", hide=hiding)
    await guarding.request({"messages": [{"role": "user", "content": SAID}]})
    values = {told: one.value for told, one in guarding.call.mapping.standing()}
    assert len(values) == 6

    chance = random.Random(seed)
    written: dict[Text, str] = {}
    meant: dict[Text, str] = {}
    for choice in range(3):
        said = chance.choices([*values, "hello ", "<b>", "ünï ", "<EMAIL_9>", '"', "\\"], k=4)
        written[choice, "content"] = "".join(said)
        meant[choice, "content"] = "".join(values.get(one, one) for one in said)
        for call in range(2):
            said = chance.choices([*values, "x<", '\\"', "\\\\", "\\u003c"], k=4)
            written[choice, call] = f'{{"a":"{"".join(said)}"}}'
            meant[choice, call] = f'{{"a":"{"".join(values.get(one, one) for one in said)}"}}'
    stream = GuardedStream(guarding, ChatFlow())
    told = b"".join(
        stream.feed(b"data: %b\n\n" % json.dumps(event, ensure_ascii=seed % 2 == 0).encode())
        for event in pieces(written, chance)
    )
    assert texts_of(told + stream.feed(b"data: [DONE]\n\n", ended=True)) == meant


async def test_a_stand_in_comes_back_in_a_stream_of_plain_letters() -> None:
    find = DetectionSettings(kinds=("email",), languages=("en",))
    hiding = GuardSettings(redact=RedactSettings(find=find, mode="stand_in"))
    guarding = guards_at("chat/completions", hide=hiding)
    await guarding.request({"messages": [{"role": "user", "content": "I am anne@example.com"}]})
    ((stand_in, _),) = guarding.call.mapping.standing()
    stream = GuardedStream(guarding, ChatFlow())
    events = pieces({(0, "content"): f"To {stand_in}."}, random.Random(1))
    told = b"".join(stream.feed(b"data: %b\n\n" % json.dumps(one).encode()) for one in events)
    assert texts_of(told) == {(0, "content"): "To anne@example.com."}
