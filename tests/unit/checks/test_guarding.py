"""Guards are asked in order and in their time; what they can't check does not go out."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from headgate.checks.guards.building import Means, build_policies
from headgate.checks.guards.guard import Guard, Guarded
from headgate.checks.guards.guarding import Guarding
from headgate.checks.guards.moderation import Judgement, ModerationGuard
from headgate.checks.guards.policy import Standing
from headgate.checks.guards.verdict import Verdict
from headgate.checks.parts import Part
from headgate.checks.parts.flow import ResponseFlow
from headgate.config.detection import DetectionSettings
from headgate.config.guards import (
    GuardPolicySettings,
    GuardSettings,
    ModerationSettings,
    RedactMode,
    RedactSettings,
    WordsSettings,
)
from headgate.config.workflow import Trust
from headgate.errors import ContentBlockedError, GuardFailedError

CARD = "4111 1111 1111 1111"
MAIL = "anne.miller@example.com"


def a_call(trust: Trust = "trusted", **more: Any) -> Guarded:
    fixed = {"project": "support", "key_id": "key_1", "endpoint": "chat/completions"}
    return Guarded(**fixed, trust=trust, **more)


def redact(mode: RedactMode = "placeholder", **modes: RedactMode) -> GuardSettings:
    find = DetectionSettings(kinds=("email", "payment_card", "phone"), languages=("en",))
    return GuardSettings(redact=RedactSettings(find=find, mode=mode, modes=dict(modes)))


def guarding(call: Guarded | None = None, **guards: GuardSettings) -> Guarding:
    policies = build_policies(
        guards, {"all": GuardPolicySettings(guards=tuple(guards))}, Means(b"k" * 32)
    )
    assert policies is not None
    call = call or a_call()
    standing = policies.standing(call)
    assert standing is not None
    return Guarding(standing, call)


def chat(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}


async def test_what_is_hidden_comes_back() -> None:
    guards = guarding(pii=redact())
    request = chat(f"Write to {MAIL}, and again to {MAIL}.")
    assert await guards.request(request) == {"messages"}
    assert request == chat("Write to <EMAIL_1>, and again to <EMAIL_1>.")
    reply = {"choices": [{"message": {"role": "assistant", "content": "Wrote to <email 1>."}}]}
    await guards.reply(reply)
    assert reply["choices"][0]["message"]["content"] == f"Wrote to {MAIL}."  # type: ignore[index]
    assert guards.report.header() == "pii=2"


async def test_hidden_values_in_earlier_tool_arguments_stay_json() -> None:
    guards = guarding(pii=redact())
    call = {"function": {"name": "send", "arguments": f'{{"to": "{MAIL}", "n": "\\u0041"}}'}}
    request = {"messages": [{"role": "assistant", "tool_calls": [call]}]}
    await guards.request(request)
    assert call["function"]["arguments"] == '{"to": "<EMAIL_1>", "n": "A"}'


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        ("mask", "card **** **** **** 1111 ok"),
        ("drop", "card  ok"),
    ],
)
async def test_each_mode_hides_in_its_way(mode: RedactMode, told: str) -> None:
    guards = guarding(pii=redact(mode))
    request = chat(f"card {CARD} ok")
    await guards.request(request)
    assert request == chat(told)


async def test_a_hash_is_the_same_for_the_same_value_and_tells_nothing() -> None:
    request = chat(f"{MAIL} {MAIL} ok")
    await guarding(pii=redact("hash")).request(request)
    first, second, _ = request["messages"][0]["content"].split()
    assert first == second
    assert first.startswith("[email:")
    assert "anne" not in first


async def test_a_stand_in_looks_like_the_value_and_comes_back() -> None:
    guards = guarding(pii=redact("stand_in"))
    request = chat(f"card {CARD} ok")
    await guards.request(request)
    told = request["messages"][0]["content"]
    assert CARD not in told
    reply = {"choices": [{"message": {"role": "assistant", "content": f"Paid: {told}"}}]}
    await guards.reply(reply)
    assert reply["choices"][0]["message"]["content"] == f"Paid: card {CARD} ok"  # type: ignore[index]


async def test_a_kind_that_must_not_be_sent_blocks() -> None:
    guards = guarding(pii=redact(payment_card="block"))
    with pytest.raises(ContentBlockedError, match=r"`pii` does not let this request by \(payment_"):
        await guards.request(chat(f"card {CARD}"))
    assert [record.decision for record in guards.report.records] == ["block"]


async def test_what_a_model_writes_by_itself_is_masked_too() -> None:
    guards = guarding(pii=redact(payment_card="mask"))
    await guards.request(chat("hello"))
    reply = {"choices": [{"message": {"role": "assistant", "content": f"It is {CARD}."}}]}
    await guards.reply(reply)
    assert reply["choices"][0]["message"]["content"] == "It is **** **** **** 1111."  # type: ignore[index]


async def test_words_of_the_operators_block_with_the_operators_message() -> None:
    guards = guarding(
        house=GuardSettings(words=WordsSettings(words=("Project Chimera",), message="Not here."))
    )
    with pytest.raises(ContentBlockedError, match=r"^Not here\.$"):
        await guards.request(chat("what is project  chimera?".replace("  ", " ")))


async def test_flagged_calls_go_on_and_say_so() -> None:
    guards = guarding(house=GuardSettings(words=WordsSettings(words=("refund",), on_hit="flag")))
    await guards.request(chat("I want a refund"))
    assert guards.report.header() == "house=flag"


class Broken(Guard):
    """Fails, or never ends."""

    def __init__(self, *, hangs: bool = False, **common: Any) -> None:
        super().__init__("broken", **common)
        self._hangs = hangs

    async def check_input(self, parts: Sequence[Part], call: Guarded) -> Verdict:
        if self._hangs:
            await asyncio.sleep(60)
        raise RuntimeError(parts[0].text)


def standing(guard: Guard) -> Guarding:
    return Guarding(Standing((guard,), "v", {}), a_call())


async def test_a_guard_that_fails_blocks_and_tells_nothing_of_the_text() -> None:
    with pytest.raises(GuardFailedError, match="`broken` failed") as told:
        await standing(Broken()).request(chat("my secret"))
    assert "my secret" not in str(told.value)
    assert told.value.status == 503


async def test_a_guard_that_takes_too_long_blocks() -> None:
    with pytest.raises(GuardFailedError, match=r"took longer than 0\.01 s"):
        await standing(Broken(hangs=True, timeout_s=0.01)).request(chat("x"))


async def test_a_guard_that_may_fail_lets_by_and_says_so() -> None:
    guards = standing(Broken(on_error="allow"))
    await guards.request(chat("x"))
    assert guards.report.header() == "broken=failed"


async def test_a_guard_that_must_read_everything_blocks_what_it_cannot_read() -> None:
    blind = GuardSettings(words=WordsSettings(words=("x",)), unreadable="block")
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}
    with pytest.raises(ContentBlockedError, match="can't see into image"):
        await guarding(house=blind).request({"messages": [{"role": "user", "content": [image]}]})
    with pytest.raises(ContentBlockedError, match="can't see into tokens"):
        await guarding(house=blind).request({"input": [1, 2, 3]})


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (a_call(), {"a"}),
        (a_call("untrusted"), {"a", "b"}),
        (a_call(workflow="triage"), {"a", "c"}),
        (a_call("untrusted", workflow="triage"), {"a", "b", "c"}),
        (a_call(route="chat-large"), {"a", "d"}),
    ],
)
def test_all_policies_that_apply_add_up(call: Guarded, names: set[str]) -> None:
    guards = {name: GuardSettings(words=WordsSettings(words=(name,))) for name in "abcd"}
    policies = build_policies(
        guards,
        {
            "everyone": GuardPolicySettings(guards=("a",)),
            "outside": GuardPolicySettings(guards=("b", "a"), of={"trust": "untrusted"}),
            "triage": GuardPolicySettings(guards=("c",), of={"workflow": "tri*"}),
            "route": GuardPolicySettings(guards=("d",), of={"route": "chat-*"}),
        },
        Means(b""),
    )
    assert policies is not None
    found = policies.standing(call)
    assert found is not None
    assert {guard.name for guard in found.guards} == names


def test_where_no_policy_applies_there_are_no_guards() -> None:
    guards = {"a": GuardSettings(words=WordsSettings(words=("a",)))}
    policies = build_policies(
        guards, {"one": GuardPolicySettings(guards=("a",), of={"project": "other"})}, Means(b"")
    )
    assert policies is not None
    assert policies.standing(a_call()) is None


def test_another_setting_is_another_version() -> None:
    def version(word: str) -> str:
        return guarding(a=GuardSettings(words=WordsSettings(words=(word,)))).version

    assert version("x") == version("x")
    assert version("x") != version("y")


class Judge:
    """A moderator that remembers what it was asked, and finds nothing."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def judge(self, texts: Sequence[str], model: str, call: Guarded) -> list[Judgement]:
        self.asked += texts
        return [Judgement(flagged=False, scores={}) for _ in texts]


async def test_a_text_that_a_stream_tells_again_and_again_is_judged_once_more() -> None:
    judge = Judge()
    guards = Guarding(
        Standing((ModerationGuard("harm", judge, ModerationSettings()),), "v", {}), a_call()
    )
    stream = guards.stream(ResponseFlow())
    place = {"item_id": "msg_1", "content_index": 0}
    for piece in ("Water ", "flows."):
        stream.event({"type": "response.output_text.delta", **place, "delta": piece})
    for _ in range(3):
        stream.event({"type": "response.output_text.done", **place, "text": "So it flows."})
    await guards.settle_stream()
    assert sorted(judge.asked) == ["So it flows.", "Water flows."]
