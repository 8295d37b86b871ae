"""A value is the same one in a text, in an address (`%40`) and in HTML (`&#64;`)."""

from __future__ import annotations

from guards_at_a_call import guards_at
from headgate.config.detection import DetectionSettings
from headgate.config.guards import GuardSettings, RedactMode, RedactSettings

FIND = DetectionSettings(kinds=("secret", "email"), languages=("en",))


def hiding(mode: RedactMode = "placeholder") -> GuardSettings:
    return GuardSettings(redact=RedactSettings(find=FIND, mode=mode))


async def sent(*said: str, guard: GuardSettings | None = None) -> list[str]:
    """What leaves of messages with these contents."""
    guarding = guards_at("chat/completions", hide=guard or hiding())
    messages = [{"role": "user", "content": one} for one in said]
    await guarding.request({"messages": messages})
    return [one["content"] for one in messages]


async def test_what_was_found_in_an_address_is_known_where_it_is_written_plainly() -> None:
    told = await sent(
        "See https://x.io/?a=1&password=hunter2%21secret9 or <p>jane.roe&#64;example.com</p>",
        "Is hunter2!secret9 strong? It is hunter2%21secret9!",
    )
    assert "hunter2" not in "".join(told)
    assert "jane" not in told[0]
    assert told[1] == "Is <SECRET_1> strong? It is <SECRET_1>!"


async def test_a_value_has_one_hash_however_it_is_written() -> None:
    (told,) = await sent(
        "jane@example.com jane%40example.com jane&#64;example.com", guard=hiding("hash")
    )
    assert len(set(told.split())) == 1


async def test_what_was_hidden_in_an_address_comes_back_as_it_was_written() -> None:
    guarding = guards_at("responses", hide=hiding())
    fields = {"input": "mailto:jane%40example.com?subject=hi"}
    await guarding.request(fields)
    assert fields["input"] == "mailto:<EMAIL_1>?subject=hi"
    assert guarding.call.mapping.value_of("EMAIL", "1") == "jane%40example.com"
