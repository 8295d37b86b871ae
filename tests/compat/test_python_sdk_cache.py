"""The official Python SDK before a cache: the same answer, whole or streamed, paid for once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from openai import OpenAI
from openai.types.chat import ChatCompletionMessage
from pydantic import BaseModel

from servers import ADMIN_KEY, RunningServer, start_server
from servers import end_server as ended

SETTINGS = "cache: {when: deterministic}\n"

ASKED: dict[str, Any] = {"model": "gpt-4.1-mini", "temperature": 0}

WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
        "strict": True,
    },
}


class Label(BaseModel):
    """What a text is about."""

    topic: str
    urgent: bool


@pytest.fixture(scope="module")
def caching(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that answers deterministic calls from its cache, in front of the simulator."""
    server = start_server(tmp_path_factory.mktemp("caching") / "server", settings=SETTINGS)
    yield server
    ended(server)


@pytest.fixture
def asking(caching: RunningServer) -> Iterator[OpenAI]:
    with OpenAI(base_url=caching.base_url, api_key=ADMIN_KEY, max_retries=0) as made:
        yield made


def messages(text: str) -> Any:
    return [{"role": "user", "content": text}]


def streamed(client: OpenAI, **asked: Any) -> tuple[Any, ChatCompletionMessage]:
    """The completion that the SDK's stream helper puts together, and its message."""
    with client.chat.completions.stream(**ASKED, **asked) as stream:
        for _ in stream:
            pass
        found = stream.get_final_completion()
    return found, found.choices[0].message


def plain(message: ChatCompletionMessage) -> dict[str, Any]:
    """A message without what the SDK's helpers add."""
    found = message.model_dump(warnings=False)
    for call in found.get("tool_calls") or ():
        call["function"].pop("parsed_arguments", None)
        call.pop("index", None)
    return {n: v for n, v in found.items() if n != "parsed" and v not in (None, [], "")}


@pytest.mark.parametrize("first", ["whole", "streamed"])
@pytest.mark.parametrize("kind", ["text", "tools", "structured"])
def test_a_chat_is_answered_again_whole_and_streamed(
    asking: OpenAI, caching: RunningServer, first: str, kind: str
):
    asked: dict[str, Any] = {"messages": messages(f"What is the weather in Oslo? {first} {kind}")}
    if kind == "tools":
        asked["tools"] = [WEATHER]
        asked["tool_choice"] = "required"
    ways = [
        lambda: asking.chat.completions.create(**ASKED, **asked),
        lambda: streamed(asking, **asked)[0],
    ]
    if kind == "structured":
        ways = [
            lambda: asking.chat.completions.parse(**ASKED, **asked, response_format=Label),
            lambda: streamed(asking, **asked, response_format=Label)[0],
        ]
    if first == "streamed":
        ways.reverse()
    one, other = ways[0](), ways[1]()
    assert plain(other.choices[0].message) == plain(one.choices[0].message)
    assert other.choices[0].finish_reason == one.choices[0].finish_reason
    assert (other.id, other.model) == (one.id, one.model)
    if kind == "tools":
        assert one.choices[0].message.tool_calls
    if kind == "structured":
        assert one.choices[0].message.parsed == other.choices[0].message.parsed


def test_usage_in_a_replayed_stream_is_told_where_it_is_asked_for(asking: OpenAI):
    asked: Any = {**ASKED, "messages": messages("Say something about rivers.")}
    whole = asking.chat.completions.create(**asked)
    without = list(asking.chat.completions.create(**asked, stream=True))
    assert all(chunk.usage is None and chunk.choices for chunk in without)
    told = list(
        asking.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True})
    )
    assert told[-1].usage == whole.usage
    assert told[-1].choices == []


def test_a_hit_says_so_costs_nothing_and_keeps_the_tokens(asking: OpenAI, caching: RunningServer):
    asked: Any = {**ASKED, "messages": messages("Name three rivers, briefly.")}
    first = asking.chat.completions.with_raw_response.create(**asked, user="ada")
    second = asking.chat.completions.with_raw_response.create(**asked, user="grace")
    assert [r.headers["x-headgate-cache"] for r in (first, second)] == ["miss", "hit"]
    assert second.parse() == first.parse()
    assert second.headers["x-headgate-cost-usd"] == "0"
    assert second.headers["x-headgate-target"] == first.headers["x-headgate-target"]
    assert second.headers["x-headgate-attempts"] == "0"
    paid = caching.record(id=first.headers["x-headgate-call-id"])
    saved = caching.record(id=second.headers["x-headgate-call-id"])
    assert (saved["cache"], saved["cost_nanousd"], saved["attempts"]) == ("hit", 0, 0)
    assert saved["saved_nanousd"] == paid["cost_nanousd"] > 0
    assert (paid["cache"], paid["saved_nanousd"]) == ("miss", None)
    for name in ("input_tokens", "output_tokens", "model_answered", "simulated"):
        assert saved[name] == paid[name]


def test_no_store_neither_recalls_nor_keeps(asking: OpenAI):
    asked: Any = {**ASKED, "messages": messages("Name a lake.")}
    create = asking.chat.completions.with_raw_response.create
    aside = {"x-headgate-cache": "no-store"}
    said = [create(**asked, extra_headers=aside), create(**asked), create(**asked)]
    said.append(create(**asked, extra_headers=aside))
    assert [r.headers["x-headgate-cache"] for r in said] == ["off", "miss", "hit", "off"]


def test_calls_that_are_not_known_to_be_the_same_each_time_are_not_kept(asking: OpenAI):
    for _ in range(2):
        raw = asking.chat.completions.with_raw_response.create(
            model="gpt-4.1-mini", messages=messages("Surprise me.")
        )
        assert raw.headers["x-headgate-cache"] == "off"


@pytest.mark.parametrize("first", ["whole", "streamed"])
def test_a_response_is_answered_again_whole_and_streamed(asking: OpenAI, first: str):
    asked: Any = {**ASKED, "input": f"Say something about canals ({first})."}

    def told() -> Any:
        with asking.responses.stream(**asked) as stream:
            kinds = [event.type for event in stream]
            assert kinds[0] == "response.created"
            assert kinds[-1] == "response.completed"
            return stream.get_final_response()

    ways = [lambda: asking.responses.create(**asked), told]
    if first == "streamed":
        ways.reverse()
    one, other = ways[0](), ways[1]()
    assert (other.id, other.output_text, other.usage) == (one.id, one.output_text, one.usage)
    assert one.output_text


def test_a_response_with_a_tool_call_is_told_as_a_stream(asking: OpenAI):
    tool: Any = {"type": "function", **WEATHER["function"]}
    asked: Any = {**ASKED, "input": "Weather in Rome?", "tools": [tool], "tool_choice": "required"}
    whole = asking.responses.create(**asked)
    with asking.responses.stream(**asked) as stream:
        for _ in stream:
            pass
        final = stream.get_final_response()
    (call,) = [item for item in whole.output if item.type == "function_call"]
    (again,) = [item for item in final.output if item.type == "function_call"]
    assert (again.name, again.arguments, again.call_id) == (
        call.name, call.arguments, call.call_id,
    )  # fmt: skip


def test_a_response_that_was_answered_from_the_cache_can_still_be_built_on(asking: OpenAI):
    asked: Any = {**ASKED, "input": "Remember the word sluice."}
    asking.responses.create(**asked)
    again = asking.responses.with_raw_response.create(**asked)
    assert again.headers["x-headgate-cache"] == "hit"
    raw = asking.responses.with_raw_response.create(
        **ASKED, input="And now?", previous_response_id=again.parse().id
    )
    assert raw.headers["x-headgate-cache"] == "off"
    assert raw.parse().output_text


@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_a_batch_of_embeddings_pays_only_for_what_is_new(
    asking: OpenAI, caching: RunningServer, encoding: Any
):
    model = "text-embedding-3-small"
    texts = [f"{encoding} {text}" for text in ("weir", "sluice", "lock")]
    create = asking.embeddings.with_raw_response.create
    first = create(model=model, input=texts[:2], encoding_format=encoding)
    mixed = create(model=model, input=[texts[2], texts[1], texts[0]], encoding_format=encoding)
    again = create(model=model, input=texts, encoding_format=encoding)
    one = create(model=model, input=texts[1], encoding_format=encoding)
    said = [r.headers["x-headgate-cache"] for r in (first, mixed, again, one)]
    assert said == ["miss", "miss", "hit", "hit"]
    known = dict(zip(texts, (item.embedding for item in again.parse().data), strict=True))
    assert [item.embedding for item in first.parse().data] == [known[t] for t in texts[:2]]
    assert [item.embedding for item in mixed.parse().data] == [known[t] for t in texts[::-1]]
    assert [item.index for item in mixed.parse().data] == [0, 1, 2]
    assert one.parse().data[0].embedding == known[texts[1]]
    direct = create(
        model=model, input=texts, encoding_format=encoding,
        extra_headers={"x-headgate-cache": "no-store"},
    )  # fmt: skip
    assert [item.embedding for item in direct.parse().data] == [known[t] for t in texts]
    assert direct.parse().usage == again.parse().usage
    paid, part, none = (
        caching.record(id=r.headers["x-headgate-call-id"]) for r in (first, mixed, again)
    )
    assert part["saved_nanousd"] == paid["cost_nanousd"]
    assert none["saved_nanousd"] == paid["cost_nanousd"] + part["cost_nanousd"]
    assert none["cost_nanousd"] == 0


def test_token_lists_and_dimensions_are_kept_apart(asking: OpenAI):
    create = asking.embeddings.with_raw_response.create
    model = "text-embedding-3-small"
    for asked in (
        {"input": [1, 2, 3]},
        {"input": [[1, 2, 3]], "dimensions": 64},
        {"input": [[1, 2], [3]]},
    ):
        assert create(model=model, **asked).headers["x-headgate-cache"] == "miss"
        assert create(model=model, **asked).headers["x-headgate-cache"] == "hit"


def test_moderations_are_answered_again(asking: OpenAI):
    create = asking.moderations.with_raw_response.create
    first, second = create(input="Good morning!"), create(input="Good morning!")
    assert second.headers["x-headgate-cache"] == "hit"
    assert first.parse() == second.parse()
