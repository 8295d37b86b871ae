"""The guard `schema` lets by what the request asked for, and nothing else, whole and streamed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.checks.contract.finished import ChatFinished, ResponseFinished, finished_in
from headgate.checks.guards.building import Means, build_policies
from headgate.checks.guards.guard import BlockedError, Guarded
from headgate.checks.guards.guarding import Guarding
from headgate.checks.parts.flow import ChatFlow, ResponseFlow
from headgate.config.guards import (
    GuardPolicySettings,
    GuardSettings,
    RedactSettings,
    SchemaSettings,
)
from headgate.errors import ContentBlockedError

SCHEMA = {
    "type": "object",
    "properties": {"to": {"type": "string", "format": "email"}, "n": {"type": "integer"}},
    "required": ["to"],
    "additionalProperties": False,
}
GOOD = '{"to": "anne@example.com"}'
BAD = '{"to": "a secret", "n": 1}'
FORMAT = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}
TOOL = {"type": "function", "function": {"name": "send", "parameters": SCHEMA}}
CHAT = {"messages": [], "response_format": FORMAT, "tools": [TOOL]}
ANY_JSON = {"response_format": {"type": "json_object"}}
RESPONSES = {
    "input": "x",
    "text": {"format": {"type": "json_schema", "name": "x", "schema": SCHEMA}},
    "tools": [{"type": "function", "name": "send", "parameters": SCHEMA}],
}


def guarding(*, on_hit: Any = "block", redacts: bool = False, **call: Any) -> Guarding:
    guards = {"shape": GuardSettings(schema=SchemaSettings(on_hit=on_hit))}
    if redacts:
        guards = {"hide": GuardSettings(redact=RedactSettings()), **guards}
    stands = {"all": GuardPolicySettings(guards=tuple(guards))}
    policies = build_policies(guards, stands, Means(b"k" * 32))
    assert policies is not None
    about = {"endpoint": "chat/completions"} | call
    guarded = Guarded(project="p", key_id="k", trust="trusted", **about)
    standing = policies.standing(guarded)
    assert standing is not None
    return Guarding(standing, guarded)


def message(**fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "message": {"role": "assistant", **fields}}]}


def chat_call(arguments: str, name: str = "send") -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return message(content=None, tool_calls=[{"id": "c", "type": "function", "function": function}])


def response_of(*items: dict[str, Any]) -> dict[str, Any]:
    return {"object": "response", "status": "completed", "output": list(items)}


def text_item(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "assistant",
            "content": [{"type": "output_text", "text": text}]}  # fmt: skip


def call_item(arguments: str, name: str = "send") -> dict[str, Any]:
    return {"type": "function_call", "call_id": "c", "arguments": arguments, "name": name}


FITS = [
    (CHAT, message(content=GOOD)),
    (CHAT, message(content=None, refusal="No.")),
    (CHAT, message(content="", refusal="No.")),
    (CHAT, chat_call(GOOD)),
    (CHAT, message(content=None, tool_calls=[{"type": "custom", "custom": {"input": "x"}}])),
    ({"messages": []}, message(content="any text")),
    (ANY_JSON, message(content='{"a": 1}')),
    ({"tools": [{"type": "function", "function": {"name": "now"}}]}, chat_call("{}", "now")),
    (RESPONSES, response_of(text_item(GOOD), call_item(GOOD))),
    (RESPONSES, response_of({"type": "message", "content": [{"type": "refusal", "refusal": "x"}]})),
    (RESPONSES, response_of({"type": "mcp_call", "name": "send", "arguments": "{"})),
]  # fmt: skip
BREAKS = [
    (CHAT, message(content=BAD), "choices[0].message.content: to", "the text: format"),
    (CHAT, message(content=GOOD[:-3]), "choices[0].message.content", "the text: json"),
    (CHAT, message(content=""), "choices[0].message.content", "the text: json"),
    (CHAT, message(content=[{"type": "text", "text": GOOD}]), "content", "the text: json"),
    (CHAT, chat_call("{}"), "tool_calls[0].arguments: to", "a tool's arguments: required"),
    (CHAT, chat_call(""), "tool_calls[0].arguments", "a tool's arguments: json"),
    (CHAT, chat_call(GOOD, "drop"), "[0].arguments", "a tool's arguments: unknown tool"),
    (ANY_JSON, message(content="[1]"), "content", "the text: type"),
    (RESPONSES, response_of(text_item(BAD)), "output[0].content[0].text: to", "the text: format"),
    (RESPONSES, response_of(call_item(BAD)), "arguments: to", "a tool's arguments: format"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "body"), FITS)
async def test_what_fits_goes_by(fields: dict[str, Any], body: dict[str, Any]):
    guards = guarding()
    await guards.request(json.loads(json.dumps(fields)))
    await guards.reply(body)
    assert {one.decision for one in guards.report.records} <= {"pass"}
    assert not guards.call.unfit


@pytest.mark.parametrize(("fields", "body", "path", "reason"), BREAKS)
async def test_what_does_not_is_blocked_with_path_and_keyword(
    fields: dict[str, Any], body: dict[str, Any], path: str, reason: str
):
    guards = guarding()
    await guards.request(json.loads(json.dumps(fields)))
    with pytest.raises(ContentBlockedError) as blocked:
        await guards.reply(body)
    assert f"{path}`" in blocked.value.message
    assert "secret" not in blocked.value.message
    last = guards.report.records[-1]
    assert (last.decision, last.reason, last.direction) == ("block", reason, "output")
    assert last.took_us >= 0
    assert guards.call.unfit


async def test_it_may_only_flag():
    guards = guarding(on_hit="flag")
    await guards.request(json.loads(json.dumps(CHAT)))
    await guards.reply(message(content=BAD))
    assert guards.report.records[-1].decision == "flag"
    assert not guards.call.unfit


async def test_a_request_with_a_hostile_schema_is_refused_before_a_model_is_asked():
    wanted = {"type": "json_schema", "json_schema": {"schema": {"$ref": "http://x/"}}}
    with pytest.raises(ContentBlockedError, match=r"response_format\.json_schema"):
        await guarding().request({"response_format": wanted})
    tool = {"type": "function", "name": "a", "parameters": {"type": "thing"}}
    with pytest.raises(ContentBlockedError, match=r"tools\[0\]\.parameters"):
        await guarding().request({"tools": [tool]})
    flags = guarding(on_hit="flag")
    await flags.request({"tools": [tool]})
    assert flags.report.records[-1].decision == "flag"


async def test_what_was_hidden_is_back_when_it_is_looked_at():
    schema = {"type": "object", "properties": {"to": {"const": "anne@example.com"}}}
    wanted = {"type": "json_schema", "json_schema": {"schema": schema}}
    guards = guarding(redacts=True)
    fields = {"messages": [{"role": "user", "content": "anne@example.com"}],
              "response_format": wanted}  # fmt: skip
    await guards.request(fields)
    assert "anne" not in json.dumps(fields)
    body = message(content='{"to": "<EMAIL_1>"}')
    await guards.reply(body)
    assert body["choices"][0]["message"]["content"] == '{"to": "anne@example.com"}'


async def test_a_runs_output_is_left_to_the_run():
    guards = guarding(workflow="labels")
    await guards.request({"response_format": FORMAT})
    await guards.reply(message(content=BAD))
    assert not guards.call.unfit


async def test_a_guard_that_breaks_blocks(monkeypatch: pytest.MonkeyPatch):
    guards = guarding()
    await guards.request(json.loads(json.dumps(CHAT)))

    def broken(*_: object) -> None:
        raise KeyError("a secret")

    monkeypatch.setattr("headgate.checks.contract.contract.Contract.fault", broken)
    with pytest.raises(Exception, match=r"failed \(KeyError\)") as failed:
        await guards.reply(message(content=GOOD))
    assert "secret" not in str(failed.value)
    assert guards.report.records[-1].decision == "failed"


def chat_chunks(body: dict[str, Any], sizes: list[int]) -> list[dict[str, Any]]:
    """The events of a chat that says what `body` does, in pieces of these sizes."""
    said = body["choices"][0]["message"]
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    content = said.get("content")
    if isinstance(content, str):
        deltas += [{"content": piece} for piece in pieces(content, sizes)]
    if said.get("refusal"):
        deltas += [{"refusal": piece} for piece in pieces(said["refusal"], sizes)]
    for number, call in enumerate(said.get("tool_calls", ())):
        inner = {name: value for name, value in call.items() if name != "function"}
        if "function" in call:
            name = {"name": call["function"]["name"], "arguments": ""}
            deltas.append({"tool_calls": [{"index": number, **inner, "function": name}]})
            deltas += [
                {"tool_calls": [{"index": number, "function": {"arguments": piece}}]}
                for piece in pieces(call["function"]["arguments"], sizes)
            ]
        else:
            deltas.append({"tool_calls": [{"index": number, **inner}]})
    events = [{"choices": [{"index": 0, "delta": one, "finish_reason": None}]} for one in deltas]
    return [*events, {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}]


def pieces(text: str, sizes: list[int]) -> list[str]:
    found, at = [], 0
    while at < len(text):
        size = sizes[len(found) % len(sizes)]
        found.append(text[at : at + size])
        at += size
    return found


def response_events(body: dict[str, Any], sizes: list[int]) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    for place, item in enumerate(body["output"]):
        where = {"output_index": place, "item_id": f"i{place}"}
        bare = {**item, "content": [], "arguments": ""}
        events.append({"type": "response.output_item.added", "output_index": place, "item": bare})
        if item["type"] == "function_call":
            kind = "response.function_call_arguments"
            events += [
                {"type": f"{kind}.delta", **where, "delta": piece}
                for piece in pieces(item["arguments"], sizes)
            ]
            events.append({"type": f"{kind}.done", **where, "arguments": item["arguments"]})
        for number, part in enumerate(item.get("content", ())):
            if part["type"] == "output_text":
                at = {**where, "content_index": number}
                events += [
                    {"type": "response.output_text.delta", **at, "delta": piece}
                    for piece in pieces(part["text"], sizes)
                ]
                events.append({"type": "response.output_text.done", **at, "text": part["text"]})
                events.append({"type": "response.content_part.done", **at, "part": part})
        events.append({"type": "response.output_item.done", "output_index": place, "item": item})
    return [*events, {"type": "response.completed", "response": body}]


async def streamed(fields: dict[str, Any], events: list[dict[str, Any]]) -> int | None:
    """Which event a stream is stopped at; None where it is not."""
    guards = guarding()
    await guards.request(json.loads(json.dumps(fields)))
    flow = ChatFlow() if "choices" in events[0] else ResponseFlow()
    rewriting = guards.streamed.rewriting(flow)
    for number, event in enumerate(events):
        try:
            rewriting.event(json.loads(json.dumps(event)))
        except BlockedError:
            guards.streamed.end()
            assert guards.report.records[-1].decision == "block"
            return number
    rewriting.close()
    guards.streamed.end()
    return None


def events_of(body: dict[str, Any], sizes: list[int]) -> list[dict[str, Any]]:
    return chat_chunks(body, sizes) if "choices" in body else response_events(body, sizes)


SIZES = st.lists(st.integers(1, 7), min_size=1, max_size=5)


@settings(deadline=None)
@given(case=st.sampled_from(FITS), sizes=SIZES)
async def test_a_stream_that_fits_goes_by_however_it_is_cut(
    case: tuple[dict[str, Any], dict[str, Any]], sizes: list[int]
):
    fields, body = case
    if body.get("output", [{}])[0].get("type") == "mcp_call":
        body = response_of()
    assert await streamed(fields, events_of(body, sizes)) is None


STREAMABLE = [case for case in BREAKS if not isinstance(
    case[1].get("choices", [{}])[0].get("message", {}).get("content"), list)]  # fmt: skip


@settings(deadline=None)
@given(case=st.sampled_from(STREAMABLE), sizes=SIZES)
async def test_one_that_does_not_is_stopped_before_its_end_is_told(
    case: tuple[dict[str, Any], dict[str, Any], str, str], sizes: list[int]
):
    fields, body, _, _ = case
    events = events_of(body, sizes)
    stopped = await streamed(fields, events)
    assert stopped is not None
    last = events[stopped]
    ends = [choice["finish_reason"] for choice in last.get("choices", ())]
    # Before anyone is told that the text or the tool call is whole.
    assert ends == ["stop"] or last["type"].endswith(("_text.done", "_arguments.done"))


async def test_a_stream_that_never_says_that_a_text_is_done_is_checked_at_its_end():
    events = chat_chunks(message(content=BAD), [3])[:-1]
    guards = guarding()
    await guards.request(json.loads(json.dumps(CHAT)))
    rewriting = guards.streamed.rewriting(ChatFlow())
    for event in events:
        rewriting.event(event)
    with pytest.raises(BlockedError):
        rewriting.close()
    pieces_only = [
        e for e in response_events(response_of(call_item(BAD)), [4]) if "done" not in e["type"]
    ]
    last = {"type": "response.completed", "response": {**response_of()}}
    assert await streamed(RESPONSES, [*pieces_only[:-1], last]) == len(pieces_only) - 1


@settings(deadline=None)
@given(body=st.sampled_from([case[1] for case in (*FITS, *BREAKS)]), sizes=SIZES)
def test_a_stream_holds_what_the_whole_answer_holds(body: dict[str, Any], sizes: list[int]):
    if isinstance(body.get("choices", [{}])[0].get("message", {}).get("content"), list):
        return
    whole = {(one.kind, one.tool, one.text) for one in finished_in(body)}
    reader = ChatFinished() if "choices" in body else ResponseFinished()
    found = [one for event in events_of(body, sizes) for one in reader.event(event)]
    found += reader.close()
    assert {(one.kind, one.tool, one.text) for one in found} == whole


async def test_what_has_no_schema_goes_by_unread():
    guards = guarding()
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    await guards.request(CHAT | {"messages": [{"role": "user", "content": [image]}]})
    sound = {"choices": [{"message": {"audio": {"data": "AAAA", "transcript": "x"}}}]}
    await guards.reply(sound)
    guards = guarding()
    await guards.request({"input": "to be said"}, answer="audio")
    assert {record.decision for record in guards.report.records} == {"pass"}


async def test_lines_of_batches_are_not_held_to_schemas_that_their_results_come_without():
    refers_out = {"$ref": "https://example.com/schema.json"}
    request = {"messages": [], "tools": [{"function": {"name": "f", "parameters": refers_out}}]}
    with pytest.raises(ContentBlockedError):
        await guarding().request(dict(request))
    guards = guarding(endpoint="batches/lines")
    await guards.request(dict(request))
    assert not guards.rewrites_replies
    assert not guards.looks_at_answers
