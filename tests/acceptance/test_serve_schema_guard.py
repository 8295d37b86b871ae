"""The guard `schema` of a running server, as the official SDK meets it, and guards in runs."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openai import APIError, BadRequestError, OpenAI
from pydantic import BaseModel

from scripted_workflows import FILES
from servers import ADMIN_KEY, RunningServer, end_server, headgate, start_server, until
from socket_events import opened
from upstreams import (
    DONE,
    Upstream,
    chat_event,
    chat_usage,
    chat_words,
    completion,
    reply,
    response_deltas,
    response_event,
    response_object,
    stream,
)

GUARDED = """
cache: { when: deterministic }
guards:
  shape: { schema: {} }
  personal: { redact: { find: { kinds: [email], languages: [en] } } }
  house: { words: { words: [Project Chimera], on_hit: flag } }
guard_policies:
  everyone: { guards: [personal, shape] }
  runs: { guards: [house], of: { workflow: "guarded-*" } }
"""


class Order(BaseModel):
    to: str
    count: int


GOOD = '{"to": "<EMAIL_1>", "count": 2}'
BAD = '{"to": "Zebulon", "count": "two"}'
TOOL: Any = {
    "type": "function",
    "function": {"name": "send", "parameters": Order.model_json_schema()},
}
USAGE = {"input_tokens": 9, "output_tokens": 3, "total_tokens": 12}
WANTED: Any = {
    "type": "json_schema",
    "json_schema": {"name": "order", "schema": Order.model_json_schema()},
}


@pytest.fixture(scope="module")
def guarded(
    upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("schema-guard") / "server"
    for workflow in ("guarded-labels", "guarded-holding"):
        labels = folder / "workflows" / workflow
        labels.mkdir(parents=True)
        for name, text in FILES.items():
            (labels / name).write_text(text.replace("small-model", f"{workflow}-model"))
    with (labels / "workflow.yaml").open("a") as file:
        file.write("checks: {rules: [{field: score, range: {at_most: 5}, on_fail: hold}]}\n")
    server = start_server(folder, settings=GUARDED, upstream=upstream)
    yield server
    end_server(server)


@pytest.fixture(scope="module")
def client(guarded: RunningServer) -> Iterator[OpenAI]:
    with OpenAI(base_url=guarded.base_url, api_key=ADMIN_KEY, max_retries=0) as made:
        yield made


ASKED: Any = [{"role": "user", "content": "Order two for anne@example.com"}]


def tool_call(arguments: str) -> dict[str, Any]:
    return {"id": "call_1", "type": "function",
            "function": {"name": "send", "arguments": arguments}}  # fmt: skip


def test_structured_output_that_fits_reaches_the_sdk_with_its_values(
    client: OpenAI, upstream: Upstream, model: str
):
    upstream.answers(model, reply(completion(model, GOOD)))
    told = client.chat.completions.parse(model=model, messages=ASKED, response_format=Order)
    assert told.choices[0].message.parsed == Order(to="anne@example.com", count=2)


def test_one_that_does_not_fit_is_an_error_that_names_path_and_keyword(
    client: OpenAI, guarded: RunningServer, upstream: Upstream, model: str
):
    upstream.answers(model, reply(completion(model, BAD)))
    with pytest.raises(BadRequestError) as refused:
        client.chat.completions.create(model=model, messages=ASKED, response_format=WANTED)
    assert refused.value.code == "content_blocked"
    assert "`choices[0].message.content: count`" in refused.value.message
    assert "`type`" in refused.value.message
    assert "Zebulon" not in refused.value.message
    record = guarded.record(model_requested=model)
    assert record["error_class"] == "content_blocked"
    shown = guarded.get(f"/api/calls/{record['id']}").json()["guards"]
    (blocked,) = [one for one in shown if one["decision"] == "block"]
    assert (blocked["guard"], blocked["reason"]) == ("shape", "the text: type")


def test_an_answer_that_does_not_fit_is_not_given_again(
    client: OpenAI, upstream: Upstream, model: str
):
    upstream.answers(model, reply(completion(model, BAD)), reply(completion(model, GOOD)))
    with pytest.raises(BadRequestError):
        client.chat.completions.create(
            model=model, messages=ASKED, response_format=WANTED, temperature=0
        )
    again = client.chat.completions.create(
        model=model, messages=ASKED, response_format=WANTED, temperature=0
    )
    assert json.loads(again.choices[0].message.content or "")["count"] == 2
    assert len(upstream.requests(model)) == 2


def test_tool_arguments_are_checked(client: OpenAI, upstream: Upstream, model: str):
    answered = completion(model)
    answered["choices"][0]["message"] |= {"content": None, "tool_calls": [tool_call('{"to": 1}')]}
    upstream.answers(model, reply(answered))
    with pytest.raises(BadRequestError, match=r"tool_calls\[0\]\.arguments: "):
        client.chat.completions.create(model=model, messages=ASKED, tools=[TOOL])


def finish(model: str, reason: str = "stop") -> bytes:
    event = chat_event(model, {})
    return event.replace(b'"finish_reason":null', f'"finish_reason":"{reason}"'.encode())


def test_a_streamed_text_that_fits_ends_well(client: OpenAI, upstream: Upstream, model: str):
    words = [GOOD[at : at + 5] for at in range(0, len(GOOD), 5)]
    upstream.answers(
        model, stream(*chat_words(model, *words), finish(model), chat_usage(model), DONE)
    )
    with client.chat.completions.stream(
        model=model, messages=ASKED, response_format=Order
    ) as flowing:
        told = flowing.get_final_completion()
    assert told.choices[0].message.parsed == Order(to="anne@example.com", count=2)


@pytest.mark.parametrize("reason", ["stop", "length"])
def test_one_that_does_not_ends_in_an_error_of_the_sdk(
    client: OpenAI, upstream: Upstream, model: str, reason: str
):
    text, seen_so_far = BAD if reason == "stop" else GOOD[:-6], threading.Event()
    ending = (finish(model, reason), chat_usage(model), DONE)
    upstream.answers(model, stream(*chat_words(model, text), seen_so_far, *ending))
    flowing = client.chat.completions.create(
        model=model, messages=ASKED, response_format=WANTED, stream=True
    )
    seen = [next(flowing).choices[0], next(flowing).choices[0]]
    seen_so_far.set()
    with pytest.raises(APIError) as refused:
        seen.extend(chunk.choices[0] for chunk in flowing)
    assert refused.value.code == "content_blocked"
    assert [choice.finish_reason for choice in seen] == [None] * len(seen)
    assert "".join(choice.delta.content or "" for choice in seen), "it flowed until its end"


def test_a_streamed_tool_call_is_checked_before_it_is_told_whole(
    client: OpenAI, upstream: Upstream, model: str
):
    arguments, seen_so_far = '{"to": "x"}', threading.Event()
    bare = {"id": "fc_1", "type": "function_call", "call_id": "c1", "name": "send",
            "arguments": "", "status": "in_progress"}  # fmt: skip
    item = {**bare, "arguments": arguments, "status": "completed"}
    place = {"item_id": "fc_1", "output_index": 0}
    kind = "response.function_call_arguments"
    done = response_object(model, "completed", output=[item], usage=USAGE)
    upstream.answers(
        model,
        stream(
            response_event("response.created", 0, response=response_object(model)),
            response_event("response.output_item.added", 1, output_index=0, item=bare),
            response_event(f"{kind}.delta", 2, **place, delta=arguments),
            seen_so_far,
            response_event(f"{kind}.done", 3, **place, name="send", arguments=arguments),
            response_event("response.output_item.done", 4, output_index=0, item=item),
            response_event("response.completed", 5, response=done),
        ),
    )
    function = TOOL["function"]
    flowing = client.responses.create(
        model=model, input="Order", stream=True, store=False,
        tools=[{"type": "function", "strict": True, **function}],
    )  # fmt: skip
    seen = [next(flowing).type for _ in range(3)]
    seen_so_far.set()
    with pytest.raises(APIError) as refused:
        seen.extend(event.type for event in flowing)
    assert refused.value.code == "content_blocked"
    assert seen[-1] == f"{kind}.delta"


def test_responses_are_checked_whole_and_streamed(client: OpenAI, upstream: Upstream, model: str):
    item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed",
            "content": [{"type": "output_text", "text": BAD, "annotations": []}]}  # fmt: skip
    done = response_object(model, "completed", output=[item], usage=USAGE)
    upstream.answers(
        model,
        reply(done),
        stream(
            *response_deltas(model, BAD),
            response_event("response.output_item.done", 4, output_index=0, item=item),
            response_event("response.completed", 5, response=done),
        ),
    )
    wanted: Any = {"format": {"type": "json_schema", "name": "order",
                              "schema": Order.model_json_schema()}}  # fmt: skip
    with pytest.raises(BadRequestError, match=r"output\[0\]\.content\[0\]\.text: count"):
        client.responses.create(model=model, input="Order", text=wanted, store=False)
    flowing = client.responses.create(
        model=model, input="Order", text=wanted, store=False, stream=True
    )
    with pytest.raises(APIError, match=r"output\[0\]\.content\[0\]\.text: count"):
        list(flowing)


def test_nothing_of_an_answer_that_does_not_fit_is_anywhere(
    client: OpenAI, guarded: RunningServer, upstream: Upstream, model: str
):
    named: Any = {"type": "json_schema", "json_schema": {"name": "x", "schema": {
        "type": "object", "additionalProperties": {"type": "integer"}}}}  # fmt: skip
    told = '{"Quist Zebulon": "Zebulon lives here"}'
    upstream.answers(
        model,
        reply(completion(model, told)),
        stream(*chat_words(model, told), finish(model), DONE),
    )
    with pytest.raises(BadRequestError) as refused:
        client.chat.completions.create(model=model, messages=ASKED, response_format=named)
    assert "`choices[0].message.content: *`" in refused.value.message
    flowing = client.chat.completions.create(
        model=model, messages=ASKED, response_format=named, stream=True
    )
    with pytest.raises(APIError):
        list(flowing)
    until(lambda: guarded.records(model_requested=model)[1:], 5)
    metrics = guarded.get("/metrics", key=ADMIN_KEY).body.decode()
    assert 'headgate_guard_verdicts_total{decision="block",direction="output",guard="shape"' in (
        metrics
    )
    assert "Zebulon" not in metrics + guarded.stderr() + guarded.stdout()
    for name in Path(guarded.folder).rglob("*.db*"):
        assert b"Zebulon" not in name.read_bytes(), name


async def test_responses_over_a_websocket_are_checked_too(
    guarded: RunningServer, upstream: Upstream, model: str
):
    item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed",
            "content": [{"type": "output_text", "text": BAD, "annotations": []}]}  # fmt: skip
    done = response_object(model, "completed", output=[item], usage=USAGE)
    ending = [
        response_event("response.output_item.done", 4, output_index=0, item=item),
        response_event("response.completed", 5, response=done),
    ]
    upstream.answers(model, stream(*response_deltas(model, BAD), *ending))
    wanted = {"format": {"type": "json_schema", "name": "order",
                         "schema": Order.model_json_schema()}}  # fmt: skip
    async with opened(guarded, ADMIN_KEY) as events:
        await events.send(
            {"type": "response.create", "model": model, "input": "Order", "text": wanted}
        )
        refused = await events.until("error")
    assert refused["error"]["code"] == "content_blocked"
    assert "content[0].text: count" in refused["error"]["message"]


def test_a_hostile_schema_never_reaches_a_model(client: OpenAI, upstream: Upstream, model: str):
    hostile: Any = {"type": "json_schema", "json_schema": {
        "name": "x", "schema": {"$ref": "http://127.0.0.1:1/schema.json"}}}  # fmt: skip
    with pytest.raises(BadRequestError, match=r"response_format\.json_schema\.schema"):
        client.chat.completions.create(model=model, messages=ASKED, response_format=hostile)
    assert upstream.requests(model) == []


def test_a_runs_record_shows_what_guards_said_of_its_calls(
    guarded: RunningServer, upstream: Upstream, tmp_path: Path
):
    upstream.answers(
        "guarded-labels-model",
        reply(completion("guarded-labels-model", '{"label": "worse", "score": 1}')),
        reply(completion("guarded-labels-model", '{"label": "good", "score": 1}')),
    )
    (tmp_path / "input.json").write_text('{"text": "Project Chimera by anne@example.com"}')
    shown = headgate(
        "run", "guarded-labels", "--input", "input.json",
        folder=tmp_path, HEADGATE_URL=f"http://{guarded.host}:{guarded.port}",
        HEADGATE_API_KEY=ADMIN_KEY,
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    lines = [line.split()[:6] for line in shown.stdout.splitlines()]
    assert ["1", "personal", "input", "change", "1"] in [line[:5] for line in lines]
    assert ["2", "house", "input", "flag", "words", "1"] in lines
    (run,) = guarded.get("/api/runs?workflow=guarded-labels").json()["data"]
    told = guarded.get(f"/api/runs/{run['id']}").json()
    # What was wrong with the first answer is for the run to mend, not for the guard to block.
    assert [step["verdict"] for step in told["steps"] if step["kind"] == "schema"] == [
        "failed",
        "passed",
    ]
    first, second = told["calls"]
    assert [(one["guard"], one["direction"], one["decision"]) for one in first["guards"]] == [
        ("personal", "input", "change"),
        ("shape", "input", "pass"),
        ("house", "input", "flag"),
        ("personal", "output", "pass"),
        ("house", "output", "pass"),
    ]
    assert first["guards"][0]["counts"] == {"email": 1}
    assert all(one["took_us"] > 0 for one in second["guards"] if one["guard"] == "personal")
    assert "anne" not in json.dumps(told["calls"])


def test_headgate_run_shows_why_an_output_is_held(
    guarded: RunningServer, upstream: Upstream, tmp_path: Path
):
    answer = completion("guarded-holding-model", '{"label": "good", "score": 9}')
    upstream.answers("guarded-holding-model", reply(answer))
    (tmp_path / "input.json").write_text('{"text": "x"}')
    shown = headgate(
        "run", "guarded-holding", "--input", "input.json",
        folder=tmp_path, HEADGATE_URL=f"http://{guarded.host}:{guarded.port}",
        HEADGATE_API_KEY=ADMIN_KEY,
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    assert "waits for a person: headgate reviews show rev_" in shown.stderr
    rows = [" ".join(line.split()) for line in shown.stdout.splitlines()]
    assert any(re.fullmatch(r"rules 1 held [\d.]+ score: must be at most 5", row) for row in rows)
    assert "good" not in shown.stdout, "what is held goes nowhere"
