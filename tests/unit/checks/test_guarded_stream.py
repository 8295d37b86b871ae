"""Events that nothing can change in go by unread, and what comes out is the same all the same."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.checks.guards.building import Means, build_policies
from headgate.checks.guards.guard import Guarded
from headgate.checks.guards.guarding import Guarding
from headgate.checks.guards.policy import GuardPolicies
from headgate.checks.parts.flow import ChatFlow, FlowReader, ResponseFlow
from headgate.config.detection import DetectionSettings
from headgate.config.guards import (
    CanarySettings,
    GuardPolicySettings,
    GuardSettings,
    LinksSettings,
    RedactSettings,
    ToolsSettings,
)
from headgate.gateway.guarded_stream import GuardedStream

MAIL = "anne@example.com"


def policies_of(**guards: GuardSettings) -> GuardPolicies:
    made = build_policies(
        guards, {"all": GuardPolicySettings(guards=tuple(guards))}, Means(b"k" * 32)
    )
    assert made is not None
    return made


HIDING = GuardSettings(redact=RedactSettings(find=DetectionSettings(kinds=("email",))))
RESTORING = policies_of(hide=HIDING)


async def guarded(policies: GuardPolicies, text: str = f"I am {MAIL}") -> Guarding:
    call = Guarded(project="p", key_id="k", endpoint="chat/completions", trust="untrusted")
    standing = policies.standing(call)
    assert standing is not None
    guarding = Guarding(standing, call)
    fields: dict[str, Any] = {
        "messages": [{"role": "system", "content": "Hi"}, {"role": "user", "content": text}]
    }
    await guarding.request(fields)
    return guarding


def chat_event(number: int, delta: dict[str, Any]) -> dict[str, Any]:
    return {"id": "c", "choices": [{"index": number, "delta": delta, "finish_reason": None}]}


def response_event(number: int, delta: dict[str, Any]) -> dict[str, Any]:
    if "tool_calls" in delta:
        told, kind = delta["tool_calls"][0]["function"]["arguments"], "function_call_arguments"
    else:
        told, kind = delta["content"], "output_text"
    return {"type": f"response.{kind}.delta", "output_index": number, "delta": told}


def texts_of(blocks: list[bytes]) -> dict[tuple[Any, str], str]:
    """What each text of a stream comes to."""
    found: dict[tuple[Any, str], str] = {}
    for line in b"".join(blocks).decode().splitlines():
        if not line.startswith("data: {"):
            continue
        event = json.loads(line[6:])
        if "type" in event:
            key = event["output_index"], event["type"]
            found[key] = found.get(key, "") + event["delta"]
        for choice in event.get("choices", ()):
            for name, value in choice["delta"].items():
                told = value if isinstance(value, str) else value[0]["function"]["arguments"]
                key = choice["index"], name
                found[key] = found.get(key, "") + told
    return found


PIECES = st.sampled_from(
    ["<EMAIL_1>", "<", "EMAIL", "_1", ">", "a ", "\\", "\\u003c", "\\\\", "u003cEMAIL_1>", "\n",
     "<email 1>", "word ", "é", "<EMA", "IL_1>", '"']
)  # fmt: skip
DELTAS = st.tuples(
    st.integers(0, 1),
    st.one_of(
        PIECES.map(lambda text: {"content": text}),
        PIECES.map(lambda text: {"tool_calls": [{"index": 0, "function": {"arguments": text}}]}),
    ),
)


async def told(
    deltas: list[tuple[int, dict[str, Any]]], at_once: int, *, responses: bool, unread: bool
) -> dict[tuple[Any, str], str]:
    flow: FlowReader = ResponseFlow() if responses else ChatFlow()
    stream = GuardedStream(await guarded(RESTORING), flow)
    assert stream._only_restores
    stream._only_restores = unread
    made = response_event if responses else chat_event
    events = [
        b"data: " + json.dumps(made(*delta), ensure_ascii=False).encode() + b"\n\n"
        for delta in deltas
    ]
    blocks = [b"".join(events[at : at + at_once]) for at in range(0, len(events), at_once)]
    return texts_of([*(stream.feed(block) for block in blocks), stream.feed(b"", ended=True)])


@settings(max_examples=300, deadline=None)
@given(st.lists(DELTAS, max_size=14), st.integers(1, 4), st.booleans())
async def test_what_goes_by_unread_would_have_come_out_the_same(
    deltas: list[tuple[int, dict[str, Any]]], at_once: int, responses: bool
) -> None:
    read, unread = [
        await told(deltas, at_once, responses=responses, unread=unread) for unread in (False, True)
    ]
    assert unread == read


async def test_an_event_without_a_placeholder_is_not_written_anew() -> None:
    stream = GuardedStream(await guarded(RESTORING), ChatFlow())
    event = b'data:  {"choices": [{"index": 0, "delta": {"content": "hi"}}] , "odd": 1.50}\n\n'
    assert stream.feed(event) == event


async def test_where_a_guard_reads_streams_every_event_is_read() -> None:
    links = GuardSettings(links=LinksSettings(hosts=("example.com",)))
    for other, reads in (
        (links, True),
        (GuardSettings(canary=CanarySettings()), True),
        (GuardSettings(redact=RedactSettings(mode="mask")), True),
        (GuardSettings(tools=ToolsSettings()), False),
    ):
        guarding = await guarded(policies_of(hide=HIDING, other=other))
        assert guarding.streamed.only_restores is not reads
