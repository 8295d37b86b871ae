"""What was hidden once is hidden wherever else it stands, also where nothing beside it tells it."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from guards_at_a_call import guards_at
from headgate.checks.redaction.known import Known
from headgate.config.detection import DetectionSettings, Kind
from headgate.config.guards import GuardSettings, RedactMode, RedactSettings

FIND = DetectionSettings(
    kinds=("secret", "person", "national_id", "payment_card", "phone"), languages=("en",)
)


def hiding(mode: RedactMode = "placeholder", **modes: RedactMode) -> GuardSettings:
    told: dict[Kind, RedactMode] = dict(modes)  # type: ignore[arg-type]
    return GuardSettings(redact=RedactSettings(find=FIND, mode=mode, modes=told))


async def sent(*said: Any, guard: GuardSettings | None = None) -> list[Any]:
    """What leaves of messages with these contents, or of these messages."""
    guarding = guards_at("chat/completions", hide=guard or hiding())
    messages = [one if isinstance(one, dict) else {"role": "user", "content": one} for one in said]
    await guarding.request({"messages": messages})
    return [one.get("content", one) for one in messages]


def called_with(arguments: str) -> dict[str, Any]:
    function = {"name": "f", "arguments": arguments}
    return {"role": "assistant", "tool_calls": [{"type": "function", "function": function}]}


def arguments_of(message: dict[str, Any]) -> Any:
    return json.loads(message["tool_calls"][0]["function"]["arguments"])


async def test_an_answer_that_comes_back_in_the_conversation_gives_nothing_away() -> None:
    told = await sent(
        "I noted hunter2secret9.", "My password is hunter2secret9", "Again: hunter2secret9, ok?"
    )
    assert told == ["I noted <SECRET_1>.", "My password is <SECRET_1>", "Again: <SECRET_1>, ok?"]


async def test_a_name_is_known_where_nothing_introduces_it() -> None:
    told = await sent("My name is Xaver Quorble.", "Let Xaver Quorble sign, not Xaver Quorbles.")
    assert told == ["My name is <PERSON_1>.", "Let <PERSON_1> sign, not Xaver Quorbles."]


@pytest.mark.parametrize(
    ("mode", "shown"), [("mask", "**********ret9"), ("drop", ""), ("hash", "[secret:")]
)
async def test_what_never_comes_back_is_hidden_again_in_its_mode(
    mode: RedactMode, shown: str
) -> None:
    told = await sent("The password: hunter2secret9", "hunter2secret9", guard=hiding(mode))
    assert told[1].startswith(shown)
    assert "hunter2" not in told[1]


async def test_what_was_hidden_earlier_in_the_conversation_is_known() -> None:
    first = guards_at("responses", hide=hiding())
    await first.request({"input": "My password is hunter2secret9"})
    second = guards_at("responses", hide=hiding())
    second.call.mapping = first.call.mapping
    fields = {"input": "Is hunter2secret9 strong?"}
    await second.request(fields)
    assert fields["input"] == "Is <SECRET_1> strong?"


async def test_the_name_of_a_field_tells_its_value_in_tool_arguments() -> None:
    (told,) = await sent(called_with('{"password": "hunter2secret9", "to": ["hunter2secret9"]}'))
    assert arguments_of(told) == {"password": "<SECRET_1>", "to": ["<SECRET_1>"]}


async def test_a_number_without_quotes_is_a_value_too() -> None:
    (told,) = await sent(
        called_with('{"card": 4242424242424242, "ssn": 536904399, "n": 3, "b": true}')
    )
    assert arguments_of(told) == {
        "card": "<PAYMENT_CARD_1>", "ssn": "<NATIONAL_ID_1>", "n": 3, "b": True,
    }  # fmt: skip


async def test_a_value_in_a_text_is_known_in_tool_arguments_as_it_is_escaped() -> None:
    told = await sent("My name is Zoé Quorble.", called_with('{"who": "Zo\\u00e9 Quorble"}'))
    assert arguments_of(told[1]) == {"who": "<PERSON_1>"}


async def test_arguments_with_nothing_to_hide_leave_as_they_came() -> None:
    written = '{"a":  1.10, "b": "x", "a": 2}'
    (told,) = await sent(called_with(written))
    assert told["tool_calls"][0]["function"]["arguments"] == written


async def test_a_kind_that_must_not_be_sent_blocks_in_arguments() -> None:
    with pytest.raises(Exception, match="does not let this request by"):
        await sent(called_with('{"password": "hunter2secret9"}'), guard=hiding(secret="block"))


async def test_placeholders_are_left_whole() -> None:
    told = await sent("My password is EMAIL_12, my SSN 536-90-4399 and card 4242 4242 4242 4242")
    assert "<NATIONAL_ID_1>" in told[0]
    assert "<PAYMENT_CARD_1>" in told[0]


async def test_a_placeholder_of_the_users_own_is_avoided_as_json_escapes_it() -> None:
    told = await sent(called_with('{"a": "\\u003cSECRET_1\\u003e"}'), "password: hunter2secret9")
    assert told[1] == "password: <SECRET_2>"


def test_short_values_are_not_looked_for_again() -> None:
    assert not Known({"May": "person", "1234": "secret"})


def test_many_values_take_little_longer_than_few() -> None:
    known = Known({f"Person Number{at}": "person" for at in range(20_000)})
    text = "Some words of a long conversation, and Person Number777 among them. " * 200
    known.find(text)
    began_s = time.process_time()
    found = known.find(text)
    assert time.process_time() - began_s < 1.0
    assert len(found) == 200
    assert "Person" not in repr(known)


RECORD = {"name": "Zoé Quorble", "password": "hunter2secret9", "to": "André"}


@pytest.mark.parametrize("in_ascii", [True, False])
@pytest.mark.parametrize("depth", [1, 2, 3])
async def test_what_tools_answer_in_json_is_hidden_however_it_is_escaped(
    in_ascii: bool, depth: int
) -> None:
    answered: Any = RECORD
    for _ in range(depth):
        answered = json.dumps(answered, ensure_ascii=in_ascii)
    guarding = guards_at("chat/completions", hide=hiding())
    messages = [
        {"role": "tool", "tool_call_id": "c", "content": answered},
        {"role": "user", "content": "Greet Zoé Quorble."},
    ]
    await guarding.request({"messages": messages})
    sent_back: Any = messages[0]["content"]
    for _ in range(depth):
        sent_back = json.loads(sent_back)
    assert sent_back == {"name": "<PERSON_1>", "password": "<SECRET_1>", "to": "André"}
    assert messages[1]["content"] == "Greet <PERSON_1>."
    reply = {"choices": [{"message": {"role": "assistant", "content": "Dear <PERSON_1>,"}}]}
    await guarding.reply(reply)
    assert reply["choices"][0]["message"]["content"] == "Dear Zoé Quorble,"


async def test_masks_leave_escaped_json_as_it_is() -> None:
    guarding = guards_at("chat/completions", hide=hiding("mask"))
    await guarding.request({"messages": []})
    said = json.dumps({"name": "Zoé Quorblé", "to": 'say "André"'})
    reply = {"choices": [{"message": {"role": "assistant", "content": said}}]}
    await guarding.reply(reply)
    told = reply["choices"][0]["message"]["content"]
    assert json.loads(told) == {"name": "*** ***rblé", "to": 'say "André"'}
    assert 'say \\"Andr\\u00e9\\"' in told
