"""`model: "workflow:NAME"` looks to OpenAI's SDK like any model, whole and streamed."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from headgate.errors import InvalidRequestError, NotFoundError, PermissionDeniedError
from headgate.gateway.caller import Caller
from headgate.workflows.openai.surface import WorkflowAnswer, answer_workflow
from scripted_workflows import CALLER, GOOD, failure

EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
BAD = {"label": "ugly", "score": 1}


async def ask(runner: Any, endpoint: str, caller: Caller = CALLER, **fields: Any) -> WorkflowAnswer:
    body = {"model": "workflow:labels", **fields}
    return await answer_workflow(
        runner,
        runner.run,
        name="labels",
        endpoint=endpoint,
        body=msgspec.json.encode(body),
        caller=caller,
        trace_id="0" * 32,
        idempotency_key=None,
    )


async def chat(runner: Any, content: Any = "hello", **fields: Any) -> WorkflowAnswer:
    messages = [{"role": "system", "content": "ignored"}, {"role": "user", "content": content}]
    return await ask(runner, "chat/completions", messages=messages, **fields)


def given_to(runner: Any) -> str:
    return runner.model.bodies[0]["messages"][-1]["content"]


def strictly(kind: Any, data: bytes) -> Any:
    """`data` as the type that the SDK has from the specification: nothing lacks, nothing is new."""
    parsed = kind.model_validate_json(data, strict=True)
    assert not parsed.model_extra
    return parsed


def sent(answer: WorkflowAnswer) -> list[bytes]:
    assert all(event.endswith(b"\n\n") for event in answer.events)
    return [event.split(b"data: ", 1)[1].strip() for event in answer.events]


async def test_a_whole_chat_completion_is_one_to_the_sdk(runner_with):
    runner = runner_with(BAD, GOOD)
    answer = await chat(runner)
    assert answer.status == 200
    reply = strictly(ChatCompletion, answer.body)
    assert msgspec.json.decode(reply.choices[0].message.content) == GOOD
    assert reply.model == "workflow:labels"
    assert reply.system_fingerprint == runner.catalogue.get("labels").fingerprint
    assert reply.usage.prompt_tokens == 200
    assert reply.usage.completion_tokens == 40
    assert reply.usage.total_tokens == 240
    assert reply.usage.prompt_tokens_details.cached_tokens == 80
    assert reply.usage.completion_tokens_details.reasoning_tokens == 10
    headers = dict(answer.headers)
    assert headers[b"x-headgate-cost-usd"] == b"0.000002"
    assert headers[b"x-headgate-run-id"] == b"run_" + reply.id.removeprefix("chatcmpl-").encode()


@pytest.mark.parametrize("include_usage", [True, False])
async def test_a_streamed_chat_completion_adds_up_to_the_whole(runner_with, include_usage):
    options = {"stream_options": {"include_usage": True}} if include_usage else {}
    answer = await chat(runner_with(GOOD), stream=True, **options)
    *chunks, done = sent(answer)
    assert done == b"[DONE]"
    parsed = [strictly(ChatCompletionChunk, chunk) for chunk in chunks]
    choices = [chunk.choices[0] for chunk in parsed if chunk.choices]
    assert choices[0].delta.role == "assistant"
    assert msgspec.json.decode("".join(c.delta.content or "" for c in choices)) == GOOD
    assert [c.finish_reason for c in choices] == [None] * (len(choices) - 1) + ["stop"]
    assert len({chunk.id for chunk in parsed}) == 1
    if include_usage:
        assert parsed[-1].choices == []
        assert parsed[-1].usage.total_tokens == 120
        assert all(b'"usage":null' in chunk for chunk in chunks[:-1])
    else:
        assert all(b'"usage"' not in chunk for chunk in chunks)


async def test_a_whole_response_is_one_to_the_sdk(runner_with):
    answer = await ask(
        runner_with(GOOD), "responses", input="hello", metadata={"ticket": "7"}, temperature=0.5
    )
    reply = strictly(Response, answer.body)
    assert msgspec.json.decode(reply.output_text) == GOOD
    assert (reply.status, reply.metadata) == ("completed", {"ticket": "7"})
    assert reply.usage.input_tokens_details.cached_tokens == 40
    assert reply.usage.total_tokens == 120


async def test_a_streamed_response_has_its_events_in_order(runner_with):
    answer = await ask(runner_with(GOOD), "responses", input="hello", stream=True)
    events = [EVENT.validate_json(data, strict=True) for data in sent(answer)]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    kinds = [event.type for event in events]
    assert kinds[:4] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
    ]
    assert kinds[-4:] == [
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    text = "".join(e.delta for e in events if e.type == "response.output_text.delta")
    assert text == events[-1].response.output_text
    assert events[0].response.status == "in_progress"
    for event, raw in zip(events, answer.events, strict=True):
        assert raw.startswith(b"event: %b\n" % event.type.encode())


async def test_a_long_answer_comes_in_several_pieces(runner_with, labels):
    schema = (labels / "output.schema.json").read_text()
    (labels / "output.schema.json").write_text(
        schema.replace('"score"', '"text": {"type": "string"}, "score"', 1).replace(
            '["label", "score"]', '["label", "text", "score"]'
        )
    )
    long = GOOD | {"text": "ä€😀" * 500}
    *chunks, _ = sent(await chat(runner_with(long), stream=True))
    content = "".join(
        msgspec.json.decode(chunk)["choices"][0]["delta"].get("content", "") for chunk in chunks
    )
    assert msgspec.json.decode(content) == long
    assert len(chunks) > 5


@pytest.mark.parametrize("endpoint", ["chat/completions", "responses"])
@pytest.mark.parametrize("stream", [True, False])
async def test_a_failed_run_is_its_error_whole_even_when_streamed(runner_with, endpoint, stream):
    field = "messages" if endpoint == "chat/completions" else "input"
    answer = await ask(
        runner_with(failure(504, "upstream_timeout")),
        endpoint,
        **{field: [{"role": "user", "content": "x"}]},
        stream=stream,
    )
    assert answer.status == 504
    assert answer.events == ()
    error = msgspec.json.decode(answer.body)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["code"] == "upstream_timeout"
    assert dict(answer.headers)[b"content-type"] == b"application/json"


async def test_checks_that_failed_twice_tell_the_sdk_not_to_retry(runner_with):
    answer = await chat(runner_with(BAD))
    assert answer.status == 502
    assert dict(answer.headers)[b"x-should-retry"] == b"false"


async def test_a_fallback_is_marked(runner_with, labels):
    with (labels / "workflow.yaml").open("a") as file:
        file.write("fallback:\n  output: {label: bad, score: 0}\n")
    answer = await chat(runner_with(BAD))
    assert answer.status == 200
    assert dict(answer.headers)[b"x-headgate-fallback"] == b"true"


async def test_text_goes_into_the_only_field_there_is_for_it(runner_with):
    runner = runner_with(GOOD)
    await chat(runner, "just words")
    assert given_to(runner) == "Text: just words"


async def test_an_object_in_the_message_is_the_input(runner_with):
    runner = runner_with(GOOD)
    await chat(runner, '{"text": "hi", "tone": "calm"}')
    assert given_to(runner) == "Text: hi\nTone: calm"


async def test_json_that_does_not_fit_is_text_where_text_is_expected(runner_with):
    runner = runner_with(GOOD)
    await chat(runner, '{"some": "log line"}')
    assert given_to(runner) == 'Text: {"some": "log line"}'


async def test_parts_of_text_are_joined(runner_with):
    runner = runner_with(GOOD)
    await chat(runner, [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}])
    assert given_to(runner) == "Text: a\nb"
    runner = runner_with(GOOD)
    said = [
        {"role": "user", "content": "first"},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "last"}]},
    ]
    await ask(runner, "responses", input=said)
    assert given_to(runner) == "Text: last"


async def test_a_workflow_of_several_fields_says_what_to_send(runner_with, labels):
    schema = (labels / "input.schema.json").read_text()
    (labels / "input.schema.json").write_text(schema.replace('["text"]', '["text", "tone"]'))
    with pytest.raises(InvalidRequestError) as caught:
        await chat(runner_with(GOOD), "words")
    assert '{"text":"text","tone":"text"}' in caught.value.message


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"n": 2}, "n"),
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"background": True}, "background"),
        ({"messages": []}, "messages"),
        ({"messages": "x"}, "messages"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages"),
        ({"stream": "yes"}, "stream"),
        ({"metadata": {"a": 1}}, "metadata[...]"),
    ],
)
async def test_what_a_workflow_cannot_do_is_named(runner_with, fields, param):
    runner = runner_with(GOOD)
    with pytest.raises(InvalidRequestError) as caught:
        await ask(
            runner, "chat/completions", **{"messages": [{"role": "user", "content": "x"}], **fields}
        )
    assert caught.value.param == param
    assert runner.model.requests == []


async def test_sampling_and_formats_of_the_callers_are_the_workflows_to_decide(runner_with):
    runner = runner_with(GOOD)
    answer = await chat(
        runner, temperature=2, n=1, tools=[], response_format={"type": "text"}, max_tokens=1
    )
    assert answer.status == 200
    assert "temperature" not in runner.model.bodies[0]


async def test_a_workflow_that_is_not_there_or_not_allowed_is_refused(runner_with):
    limited = Caller(key_id="k", project="p", role="app", workflows=("others",))
    with pytest.raises(PermissionDeniedError):
        await ask(runner_with(GOOD), "responses", limited, input="x")
    runner = runner_with(GOOD)
    with pytest.raises(NotFoundError):
        await answer_workflow(
            runner,
            runner.run,
            name="nope",
            endpoint="responses",
            body=b"{}",
            caller=CALLER,
            trace_id="0" * 32,
        )
