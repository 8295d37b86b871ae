"""What a websocket remembers of responses that nobody stores."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from headgate.gateway.responses_chain import ResponsesChain


def fields(**values: Any) -> dict[str, msgspec.Raw]:
    return {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in values.items()}


def ending(response_id: str, *output: Any) -> bytes:
    response = {"id": response_id, "output": list(output)}
    return msgspec.json.encode({"type": "response.completed", "response": response})


def plain(given_fields: dict[str, msgspec.Raw]) -> dict[str, Any]:
    return {name: json.loads(bytes(raw)) for name, raw in given_fields.items()}


SAID = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "A"}]}


def test_the_whole_conversation_goes_along_where_nobody_stored_it():
    chain = ResponsesChain()
    chain.resume(fields(input="one", store=False))
    chain.note(ending("resp_1", SAID))
    second = fields(input=[{"role": "user", "content": "two"}], store=False)
    second |= fields(previous_response_id="resp_1")
    chain.resume(second)
    assert plain(second) == {
        "store": False,
        "input": [
            {"type": "message", "role": "user", "content": "one"},
            SAID,
            {"role": "user", "content": "two"},
        ],
    }


def test_what_a_provider_stores_is_left_to_it():
    chain = ResponsesChain()
    chain.resume(fields(input="one"))
    chain.note(ending("resp_1", SAID))
    second = fields(input="two", previous_response_id="resp_1")
    chain.resume(second)
    assert plain(second) == {"input": "two", "previous_response_id": "resp_1"}


def test_an_unstored_response_may_go_on_from_a_stored_one():
    chain = ResponsesChain()
    chain.resume(fields(input="two", store=False, previous_response_id="resp_stored"))
    chain.note(ending("resp_2", SAID))
    third = fields(input="three", store=False, previous_response_id="resp_2")
    chain.resume(third)
    assert plain(third)["previous_response_id"] == "resp_stored"
    assert [item["content"] for item in plain(third)["input"]] == ["two", SAID["content"], "three"]


def test_only_the_newest_is_remembered():
    chain = ResponsesChain()
    for number in (1, 2):
        chain.resume(fields(input=str(number), store=False))
        chain.note(ending(f"resp_{number}", SAID))
    old = fields(input="x", store=False, previous_response_id="resp_1")
    chain.resume(old)
    assert plain(old)["previous_response_id"] == "resp_1"


def test_thoughts_go_along_only_where_they_are_encrypted():
    chain = ResponsesChain()
    chain.resume(fields(input="one", store=False))
    bare = {"type": "reasoning", "id": "rs_1", "summary": []}
    sealed = {**bare, "id": "rs_2", "encrypted_content": "gAAA"}
    chain.note(ending("resp_1", bare, sealed, SAID))
    second = fields(input="two", store=False, previous_response_id="resp_1")
    chain.resume(second)
    assert [item.get("id") for item in plain(second)["input"]] == [None, "rs_2", None, None]


def test_a_warm_up_is_gone_on_from():
    chain = ResponsesChain()
    chain.warm_up("resp_warm", fields(input="one"))
    second = fields(input="two", previous_response_id="resp_warm")
    chain.resume(second)
    assert [item["content"] for item in plain(second)["input"]] == ["one", "two"]


def test_what_is_remembered_is_bounded():
    chain = ResponsesChain(most_kept_bytes=50)
    chain.resume(fields(input="x" * 60, store=False))
    chain.note(ending("resp_1", SAID))
    second = fields(input="two", store=False, previous_response_id="resp_1")
    chain.resume(second)
    assert plain(second)["previous_response_id"] == "resp_1"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(JSON, JSON, JSON)
def test_nothing_that_comes_makes_it_fail(given_input: Any, previous: Any, event: Any):
    chain = ResponsesChain()
    for _ in range(2):
        asked = fields(input=given_input, previous_response_id=previous, store=False)
        chain.resume(asked)
        chain.note(msgspec.json.encode(event))
        chain.note(msgspec.json.encode({"response": event}))
        chain.warm_up("resp_w", fields(input=given_input))
        chain.resume(again := fields(input=given_input, previous_response_id="resp_w"))
        json.loads(bytes(again["input"])) if "input" in again else None
