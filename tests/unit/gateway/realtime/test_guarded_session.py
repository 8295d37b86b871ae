"""The guards of a session: what comes out is the same wherever it is cut; what grows is bound."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guards_at_a_call import guards_at
from headgate.config.detection import DetectionSettings
from headgate.config.guards import (
    CanarySettings,
    GuardSettings,
    RedactSettings,
    ToolsSettings,
    Unreadable,
    WordsSettings,
)
from headgate.errors import ContentBlockedError
from headgate.gateway.call import Call
from headgate.gateway.caller import Caller
from headgate.gateway.realtime.events import read_client_event, read_server_event
from headgate.gateway.realtime.guarded_session import GuardedSession
from realtime_provider import SOUND, begun, ended, said

MAIL = "anne@example.com"
PII = GuardSettings(redact=RedactSettings(find=DetectionSettings(kinds=("email",))))
TEXT = "Dear <EMAIL_1>, < email 1> and <EMAIL_2> <EMA"
SHOWN = f"Dear {MAIL}, {MAIL} and <EMAIL_2> <EMA"


def session(**guards: GuardSettings) -> GuardedSession:
    return GuardedSession(guards_at("realtime", **guards))


def a_call() -> Call:
    return Call(Caller("key_1", "default", "app"), "realtime", trace_id="0" * 32)


async def take(guards: GuardedSession, **event: Any) -> dict[str, Any]:
    read = read_client_event(json.dumps(event))
    await guards.take(read)
    return dict(json.loads(read.written()))


async def tell(guards: GuardedSession, *events: dict[str, Any]) -> list[dict[str, Any]]:
    told = []
    for event in events:
        message = json.dumps(event).encode()
        read = read_server_event(message)
        if event["type"] == "response.created":
            call = a_call()
            guards.attend(call)
            guards.begin(event["response"]["id"], call)
        told += [json.loads(one) for one in await guards.tell(read, message)]
    return told


def item(text: str, role: str = "user") -> dict[str, Any]:
    content = [{"type": "input_text", "text": text}]
    return {"type": "message", "role": role, "content": content}


@given(data=st.data(), aloud=st.booleans())
async def test_what_comes_out_is_the_same_wherever_it_is_cut(
    data: st.DataObject, aloud: bool
) -> None:
    guards = session(pii=PII)
    sent = await take(guards, type="conversation.item.create", item=item(f"I am {MAIL}"))
    assert sent["item"]["content"][0]["text"] == "I am <EMAIL_1>"
    answers = []
    for name in ("one", "two"):
        places = sorted(data.draw(st.sets(st.integers(1, len(TEXT) - 1), max_size=10)))
        ends = zip([0, *places], [*places, len(TEXT)], strict=True)
        answers.append(said(name, *(TEXT[a:b] for a, b in ends), aloud=aloud))
    # Two responses at a time, their events in any order between them.
    told = []
    while any(answers):
        answer = data.draw(st.sampled_from([one for one in answers if one]))
        told += await tell(guards, answer.pop(0))
    for name in ("one", "two"):
        its = [event for event in told if event.get("response_id") == name]
        deltas = [e["delta"] for e in its if e["type"].endswith(("text.delta", "transcript.delta"))]
        assert "".join(deltas) == SHOWN
        whole = next(e for e in its if e["type"].endswith(("text.done", "transcript.done")))
        assert (whole.get("text") or whole.get("transcript")) == SHOWN
        sounds = [event for event in its if event.get("delta") == SOUND]
        assert bool(sounds) == aloud
    done = [event for event in told if event["type"] == "response.done"]
    for event in done:
        (part,) = event["response"]["output"][0]["content"]
        assert (part.get("text") or part.get("transcript")) == SHOWN


async def test_where_nothing_is_hidden_and_nothing_watches_messages_pass_as_they_came() -> None:
    guards = session(pii=GuardSettings(redact=PII.redact, directions=("input",)))
    message = json.dumps(said("one", "Water")[3]).encode()
    (told,) = await guards.tell(read_server_event(message), message)
    assert told is message


async def test_a_long_session_has_few_canaries_and_its_newest_instructions_are_watched() -> None:
    guards = session(bait=GuardSettings(canary=CanarySettings()))
    for number in range(30):
        sent = await take(
            guards, type="session.update", session={"instructions": f"Version {number}."}
        )
    instructions = sent["session"]["instructions"]
    shown = await tell(guards, {"type": "session.updated", "session": sent["session"]})
    assert shown[0]["session"]["instructions"] == "Version 29."
    assert len(guards.leave().call.canaries) <= 8
    with pytest.raises(ContentBlockedError):
        await tell(guards, *said("one", instructions))


async def test_events_that_belong_to_no_response_leave_nothing_behind() -> None:
    guards = session(pii=PII, house=GuardSettings(words=WordsSettings(words=("secret",))))
    await take(guards, type="conversation.item.create", item=item(MAIL))
    told = {"type": "conversation.item.added", "item": {"id": "i", **item("<EMAIL_1>")}}
    for _ in range(200):
        (shown,) = await tell(guards, told)
        assert shown["item"]["content"][0]["text"] == MAIL
    assert len(guards.leave().report.records) <= 4


@pytest.mark.parametrize("unreadable", ["allow", "block"])
async def test_sound_goes_in_only_where_that_is_said(unreadable: Unreadable) -> None:
    words = WordsSettings(words=("secret",))
    guards = session(house=GuardSettings(words=words, unreadable=unreadable))
    if unreadable == "allow":
        guards.check_sound()
        return
    with pytest.raises(ContentBlockedError, match="`house`"):
        guards.check_sound()


@pytest.mark.parametrize("unreadable", ["allow", "block"])
async def test_sound_goes_out_only_beside_its_transcript(unreadable: Unreadable) -> None:
    words = WordsSettings(words=("secret",))
    guards = session(house=GuardSettings(words=words, unreadable=unreadable))
    sound = {"type": "response.output_audio.delta", "response_id": "one", "delta": SOUND}
    written = {**sound, "type": "response.output_audio_transcript.delta", "delta": "Water"}
    await tell(guards, begun("one"))
    waits = unreadable == "block"
    assert len(await tell(guards, sound, sound)) == (0 if waits else 2)
    assert len(await tell(guards, written)) == (3 if waits else 1)
    assert len(await tell(guards, sound)) == 1
    await tell(guards, begun("two"))
    silent = [{**sound, "response_id": "two"}] * 65
    if waits:
        with pytest.raises(ContentBlockedError, match="output_modalities"):
            await tell(guards, *silent)
    else:
        assert len(await tell(guards, *silent)) == 65


async def test_a_guard_that_reads_no_request_needs_no_text() -> None:
    session(bait=GuardSettings(canary=CanarySettings())).check_sound()


async def test_an_answer_that_is_blocked_ends_as_a_filtered_one() -> None:
    guards = session(house=GuardSettings(words=WordsSettings(words=("secret",))))
    last = ended("one", output=[{"id": "i", "type": "message", "content": []}])
    await tell(guards, begun("one"))
    delta = {"type": "response.output_text.done", "response_id": "one", "text": "a secret"}
    with pytest.raises(ContentBlockedError):
        await tell(guards, delta)
    assert await tell(guards, delta) == []
    (done,) = await tell(guards, last)
    assert done["response"]["status"] == "incomplete"
    assert done["response"]["output"] == []
    assert done["response"]["usage"] == last["response"]["usage"]


@pytest.mark.parametrize(
    "said_before",
    [
        item("a secret"),
        item("a secret", "system"),
        {"type": "function_call_output", "call_id": "c", "output": "a secret"},
    ],
)
async def test_what_a_client_said_is_no_answer(said_before: dict[str, Any]) -> None:
    """A guard of answers alone has nothing against it, also where the provider repeats it."""
    words = WordsSettings(words=("secret",))
    guards = session(house=GuardSettings(words=words, directions=("output",)))
    await take(guards, type="conversation.item.create", item=said_before)
    told = {"type": "conversation.item.added", "item": {"id": "i", **said_before}}
    assert await tell(guards, told) == [told]
    made = {"type": "conversation.item.added", "item": {"id": "j", **item("a secret", "assistant")}}
    with pytest.raises(ContentBlockedError):
        await tell(guards, made)


async def test_what_a_provider_s_tool_answers_takes_tools_away() -> None:
    tools = [{"type": "function", "name": "refund"}]
    guards = session(rights=GuardSettings(tools=ToolsSettings()))
    await take(guards, type="session.update", session={"tools": tools})
    assert "tools" not in (await take(guards, type="response.create"))["response"]
    called = {"id": "i", "type": "mcp_call", "name": "search", "arguments": "{}", "output": "x"}
    await tell(guards, {"type": "conversation.item.done", "item": called})
    assert (await take(guards, type="response.create"))["response"]["tools"] == []
