"""Guards are asked in order and in their time; what they can't check does not go out."""

import asyncio
import copy
import time
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from headgate.checks.guards.building import Means, build_policies
from headgate.checks.guards.guard import BlockedError, Guard, Guarded
from headgate.checks.guards.guarding import Guarding
from headgate.checks.guards.moderation import Judgement, ModerationGuard
from headgate.checks.guards.policy import Standing
from headgate.checks.guards.report import GuardReport
from headgate.checks.guards.verdict import Verdict
from headgate.checks.parts import Part, request_parts
from headgate.checks.parts.flow import ChatFlow, ResponseFlow
from headgate.config.detection import DetectionSettings
from headgate.config.guards import (
    CanarySettings,
    GuardPolicySettings,
    GuardSettings,
    InjectionSettings,
    LinksSettings,
    ModerationSettings,
    RedactMode,
    RedactSettings,
    ToolsSettings,
    WordsSettings,
)
from headgate.config.workflow import Trust
from headgate.errors import ContentBlockedError, GuardFailedError
from headgate.gateway.guarded_stream import GuardedStream

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
    blind = GuardSettings(words=WordsSettings(words=("x",)))
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
    stream = guards.streamed.rewriting(ResponseFlow())
    place = {"item_id": "msg_1", "content_index": 0}
    for piece in ("Water ", "flows."):
        stream.event({"type": "response.output_text.delta", **place, "delta": piece})
    for _ in range(3):
        stream.event({"type": "response.output_text.done", **place, "text": "So it flows."})
    await guards.streamed.settle()
    assert sorted(judge.asked) == ["So it flows.", "Water flows."]


async def test_a_header_tells_that_a_guard_failed_before_how_much_it_found() -> None:
    class HalfBroken(Guard):
        async def check_input(self, parts: Sequence[Part], call: Guarded) -> Verdict:
            return Verdict("change", counts={"email": 2})

        async def check_output(self, parts: Sequence[Part], call: Guarded) -> Verdict:
            raise RuntimeError

    guards = standing(HalfBroken("mine", on_error="allow"))
    await guards.request(chat("hello"))
    assert guards.report.header() == "mine=2"
    await guards.reply({"choices": []})
    assert guards.report.header() == "mine=failed"


async def test_a_guard_that_never_waits_is_late_all_the_same() -> None:
    class Stuck(Guard):
        async def check_input(self, parts: Sequence[Part], call: Guarded) -> Verdict:
            time.sleep(0.05)
            return Verdict()

    with pytest.raises(GuardFailedError, match=r"took longer than 0.01 s"):
        await standing(Stuck("mine", timeout_s=0.01)).request(chat("hello"))


async def test_instructions_that_a_provider_repeats_in_a_stream_are_no_leak() -> None:
    guards = guarding(bait=GuardSettings(canary=CanarySettings()))
    request: dict[str, Any] = {"instructions": "Speak of rivers.", "input": "hello"}
    await guards.request(request)
    rewriting = guards.streamed.rewriting(ResponseFlow())
    echo = {"object": "response", "instructions": request["instructions"], "output": []}
    rewriting.event({"type": "response.created", "response": echo})
    recited = {"type": "response.output_text.done", "text": request["instructions"]}
    with pytest.raises(BlockedError):
        rewriting.event(recited)
    guards.streamed.end()
    assert guards.report.records[-1].decision == "block"


async def test_a_session_that_says_the_same_all_day_has_few_records() -> None:
    guards = guarding(pii=redact())
    for _ in range(300):
        message = chat(f"mail {MAIL}")
        await guards.piece(request_parts(message), message)
        guards.report.fold()
    assert len(guards.report.records) <= 65
    (whole,) = guards.report.taken()
    assert whole.counts == {"email": 300}
    assert not guards.report.records


IMAGE = {"messages": [{"role": "user", "content": [{"image_url": {"url": "https://a.b/c.png"}}]}]}


@pytest.mark.parametrize(
    ("guard", "input_is_read", "output_is_read"),
    [
        (redact(), True, False),
        (redact("mask"), True, True),
        (GuardSettings(words=WordsSettings(words=("x",))), True, True),
        (GuardSettings(words=WordsSettings(words=("x",)), unreadable="allow"), False, False),
        (GuardSettings(words=WordsSettings(words=("x",)), directions=("output",)), False, True),
        (GuardSettings(words=WordsSettings(words=("x",)), directions=("input",)), True, False),
        (GuardSettings(injection=InjectionSettings()), False, False),
        (GuardSettings(links=LinksSettings()), False, False),
        (GuardSettings(tools=ToolsSettings()), False, False),
        (GuardSettings(canary=CanarySettings()), False, False),
    ],
)
async def test_a_guard_refuses_what_it_would_have_to_read_and_can_not(
    guard: GuardSettings, input_is_read: bool, output_is_read: bool
) -> None:
    for asking, answer, refused in (
        (IMAGE, None, input_is_read),
        (chat("y"), "image", output_is_read),
    ):
        guards = guarding(guard=guard)
        if not refused:
            await guards.request(copy.deepcopy(asking), answer=answer)  # type: ignore[arg-type]
            read = [one.reason for one in guards.report.records if one.reason]
            assert read == (
                ["image not read"] if guard.unreadable == "allow" and not answer else []
            )
            continue
        with pytest.raises(ContentBlockedError, match=r"can't see into image; .*`unreadable`"):
            await guards.request(copy.deepcopy(asking), answer=answer)  # type: ignore[arg-type]
        assert [one.decision for one in guards.report.records] == ["block"]


async def test_a_picture_of_a_stranger_is_doubtful() -> None:
    guard = GuardSettings(injection=InjectionSettings())
    with pytest.raises(ContentBlockedError, match="can't see into image"):
        await guarding(a_call("untrusted"), guard=guard).request(copy.deepcopy(IMAGE))


async def test_sound_is_refused_in_a_stream_that_no_guard_filters() -> None:
    class OfWholes(Guard):
        async def check_output(self, parts: Sequence[Part], call: Guarded) -> Verdict:
            return Verdict()

    sound = {"choices": [{"index": 0, "delta": {"audio": {"data": "UklGRg=="}}}]}
    stream = GuardedStream(standing(OfWholes("mine")), ChatFlow())
    with pytest.raises(ContentBlockedError, match="into audio"):
        stream.feed(b"data: " + msgspec.json.encode(sound) + b"\n\n")


async def test_names_that_are_no_apis_are_seen() -> None:
    blind = msgspec.structs.replace(redact(), unreadable="allow")
    for request in (
        {MAIL: 1},
        {"messages": [{"role": "user", "content": "x", MAIL: "y"}]},
        {"image_url": {"url": "https://a.b/c.png", MAIL: 1}},
    ):
        with pytest.raises(ContentBlockedError, match="email in a name"):
            await guarding(pii=blind).request(request)


async def test_a_field_of_a_form_is_rewritten_under_its_own_name() -> None:
    request = {"svg[prompt]": f"Write {MAIL}", "tags[]": [MAIL, "x"]}
    assert await guarding(pii=redact()).request(request) == {"svg[prompt]", "tags[]"}
    assert request == {"svg[prompt]": "Write <EMAIL_1>", "tags[]": ["<EMAIL_1>", "x"]}


async def test_what_is_kept_as_data_gets_nothing_planted_and_no_tool_taken() -> None:
    request = chat("x") | {"tools": [{"function": {"name": "refund"}}]}
    request["messages"].insert(0, {"role": "system", "content": "Be kind."})
    before = copy.deepcopy(request)
    call = a_call("untrusted", kept_as_data=True)
    await guarding(
        call,
        canary=GuardSettings(canary=CanarySettings()),
        tools=GuardSettings(tools=ToolsSettings()),
        injection=GuardSettings(injection=InjectionSettings()),
    ).request(request)
    assert request == before


def test_the_verdicts_of_many_lines_are_few_and_none_hides_another() -> None:
    whole = GuardReport({})
    lines: list[Verdict] = [
        Verdict(),
        Verdict("change", counts={"email": 2}),
        Verdict("failed", reason="failed (RuntimeError)"),
        Verdict("change", score=50, counts={"email": 1}),
        Verdict("block", reason="email"),
        Verdict("change", score=40),
    ]
    for verdict in lines * 100:
        one = GuardReport({"pii": "all"})
        one.add("pii", "input", verdict, 10)
        one.add("pii", "output", Verdict(), 1)
        whole.join(one)
    told = {(one.direction, one.decision): one for one in whole.records}
    assert len(whole.records) == len(told) == 5
    changed = told["input", "change"]
    assert (changed.counts, changed.score, changed.took_us) == ({"email": 300}, 50, 3000)
    assert told["input", "failed"].reason == "failed (RuntimeError)"
    assert told["input", "block"].reason == "email"
    assert {one.policy for one in whole.records} == {"all"}
    assert whole.header() == "pii=block"


async def test_media_that_a_stream_shows_are_refused_unless_it_only_repeats_them() -> None:
    house = GuardSettings(words=WordsSettings(words=("x",)))
    guards = guarding(house=house)
    rewriting = guards.streamed.rewriting(ResponseFlow())
    sound: dict[str, Any] = {"type": "input_audio", "audio": "UklGRg=="}
    mine = {"type": "message", "role": "user", "content": [sound]}
    rewriting.event({"type": "conversation.item.added", "item": mine})
    with pytest.raises(BlockedError, match="into audio"):
        rewriting.event({"type": "x", "item": {**mine, "role": "assistant"}})
    lenient = guarding(house=msgspec.structs.replace(house, unreadable="allow"))
    rewriting = lenient.streamed.rewriting(ResponseFlow())
    for _ in range(3):
        rewriting.event({"type": "response.output_audio.delta", "delta": "UklGRg=="})
    assert [one.reason for one in lenient.report.records] == ["audio not read"]
