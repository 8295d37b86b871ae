"""What is hidden is put back in streams: per choice, per tool call, on chat and Responses alike."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from headgate.checks.parts.flow import ChatFlow, FlowReader, ResponseFlow
from headgate.checks.parts.part import Part
from headgate.checks.parts.rewriting import Rewriting
from headgate.checks.redaction.mapping import Mapping
from headgate.checks.redaction.restorer import Restorer, restored

MAPPING = Mapping()
MAPPING.placeholder_for("PERSON", 'Bob "B"')
MAPPING.placeholder_for("EMAIL", "bob@example.com")

TEXT = "Dear <PERSON_1>, <person 1> <PERSON_2> wrote from <EMAIL_1> <EMA"
ARGUMENTS = '{"to": "\\u003cEMAIL_1\\u003e", "name": "<PERSON_1>"}'


def put_back(part: Part) -> None:
    part.text = restored(part.text, MAPPING, in_json=part.in_json)


def rewriting(reader: FlowReader) -> Rewriting:
    return Rewriting(reader, lambda part: Restorer(MAPPING, in_json=part.in_json), put_back)


def cut(text: str, data: st.DataObject) -> list[str]:
    places = sorted(data.draw(st.sets(st.integers(1, len(text) - 1), max_size=12)))
    return [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]


def chunk(number: int, delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    choice = {"index": number, "delta": delta, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "choices": [choice]}


@given(data=st.data(), finishes=st.booleans())
def test_a_chat_is_the_same_wherever_it_is_cut(data: st.DataObject, finishes: bool) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "send", "arguments": ""}}
    events = [chunk(0, {"role": "assistant", "content": ""})]
    events += [chunk(0, {"content": piece}) for piece in cut(TEXT, data)]
    events += [chunk(1, {"content": piece}) for piece in cut(TEXT, data)]
    events += [chunk(0, {"tool_calls": [{"index": 0, **call}]})]
    events += [
        chunk(0, {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})
        for piece in cut(ARGUMENTS, data)
    ]
    if finishes:
        events += [chunk(0, {}, "tool_calls"), chunk(1, {}, "stop")]
    rewriter = rewriting(ChatFlow())
    told = [one for event in events for one in rewriter.event(event)] + rewriter.close()
    texts, arguments, done = {0: "", 1: ""}, "", set()
    for one in told:
        for choice in one["choices"]:
            number, delta = choice["index"], choice["delta"]
            assert number not in done
            texts[number] += delta.get("content") or ""
            for told_call in delta.get("tool_calls", ()):
                arguments += told_call["function"].get("arguments", "")
            if choice["finish_reason"]:
                done.add(number)
    assert texts[0] == texts[1] == restored(TEXT, MAPPING)
    assert json.loads(arguments) == {"to": "bob@example.com", "name": 'Bob "B"'}


@given(data=st.data())
def test_a_response_is_the_same_wherever_it_is_cut(data: st.DataObject) -> None:
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    kinds = [("response.output_text", TEXT, place)]
    kinds.append(("response.function_call_arguments", ARGUMENTS, {"item_id": "fc_1"}))
    events: list[dict[str, Any]] = [{"type": "response.created", "response": {"id": "r"}}]
    for stem, text, where in kinds:
        field = "text" if stem.endswith("text") else "arguments"
        events += [{"type": f"{stem}.delta", **where, "delta": one} for one in cut(text, data)]
        events.append({"type": f"{stem}.done", **where, field: text})
    content = [{"type": "output_text", "text": TEXT}]
    output = [{"type": "message", "role": "assistant", "content": content}]
    events.append({"type": "response.completed", "response": {"id": "r", "output": output}})
    for number, event in enumerate(events):
        event["sequence_number"] = number
    rewriter = rewriting(ResponseFlow())
    told = [one for event in events for one in rewriter.event(event)] + rewriter.close()
    assert [one["sequence_number"] for one in told] == list(range(len(told)))

    def whole(stem: str) -> str:
        return "".join(one["delta"] for one in told if one["type"] == f"{stem}.delta")

    assert whole("response.output_text") == restored(TEXT, MAPPING)
    arguments = whole("response.function_call_arguments")
    assert json.loads(arguments)["name"] == 'Bob "B"'
    done = next(one for one in told if one["type"] == "response.output_text.done")
    assert done["text"] == restored(TEXT, MAPPING)
    final = told[-1]["response"]["output"][0]["content"][0]["text"]
    assert final == restored(TEXT, MAPPING)


def test_structured_content_stays_json() -> None:
    rewriter = rewriting(ChatFlow(structured=True))
    text = '{"customer": "<PERSON_1>"}'
    told = [one for piece in text for one in rewriter.event(chunk(0, {"content": piece}))]
    content = "".join(one["choices"][0]["delta"]["content"] for one in told)
    assert json.loads(content) == {"customer": 'Bob "B"'}


def test_a_chunk_without_choices_goes_by() -> None:
    usage = {"id": "c", "choices": [], "usage": {"prompt_tokens": 1}}
    assert rewriting(ChatFlow()).event(dict(usage)) == [usage]
