"""Guards read the strings of JSON as an application will, and leave JSON what it was."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guards_at_a_call import guards_at
from headgate.checks.detection import Detector
from headgate.checks.guards.as_read import AsRead
from headgate.checks.guards.guarding import Guarding
from headgate.checks.parts.flow import ChatFlow
from headgate.checks.parts.json_strings import JsonStrings, unescaped
from headgate.config.detection import OwnPatternSettings
from headgate.config.guards import (
    CanarySettings,
    GuardSettings,
    InjectionSettings,
    LinksSettings,
    WordsSettings,
)
from headgate.errors import ContentBlockedError

NOTE = "(link removed)"
LINKS = GuardSettings(links=LinksSettings(hosts=("good.example",)))
WORDS = GuardSettings(words=WordsSettings(words=("Project Chimera", "M\u00fcller")))


class Held:
    """Gives everything out at the end, in capitals."""

    def __init__(self) -> None:
        self.text = ""

    def feed(self, text: str) -> str:
        self.text += text
        return ""

    def close(self) -> str:
        return self.text.upper()


class Shown(Held):
    """Gives everything out as it comes."""

    def feed(self, text: str) -> str:
        return text


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def rewritten(text: str, cuts: list[int], make: type[Held]) -> str:
    strings = JsonStrings(make)
    ends = [*cuts, len(text)]
    told = [strings.feed(text[at:end]) for at, end in zip([0, *cuts], ends, strict=True)]
    return "".join(told) + strings.close()


@settings(max_examples=200, deadline=None)
@given(VALUES, st.booleans(), st.data())
def test_what_is_not_touched_means_what_it_did_however_it_is_cut(
    value: Any, escaped: bool, data: st.DataObject
):
    text = json.dumps(value, ensure_ascii=escaped)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    assert json.loads(rewritten(text, cuts, Shown)) == value


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (r'{"a": ["b\u00e9\n\/", 12.5e3, true]}', '{"A": ["B\u00c9\\n/", 12.5e3, true]}'),
        (r'"\ud83d\ude00 \ud83d \"', '"\U0001f600 \\ud83d \\"'),
        (r'["a\u00', '["A\\u00'),
        (r'["a\x62"]', r'["A\X62"]'),
        ('["a\nb"]', '["A\nB"]'),
        ('no "json" at all', 'NO "JSON" AT ALL'),
    ],
)
def test_strings_are_read_and_written_again(written: str, told: str):
    for cut in range(len(written) + 1):
        assert rewritten(written, [cut], Held).replace("TRUE", "true").replace("E3", "e3") == told


def test_escapes_are_read_wherever_they_stand():
    assert unescaped(r"a\n\u00fc\\n \x \u12") == "a\n\u00fc\\n \\x \\u12"
    assert unescaped(r"\ud83d\ude00\ud83d") == "\U0001f600\\ud83d"


async def guarding(**guards: GuardSettings) -> Guarding:
    """Guards at a call whose answer is to be JSON."""
    guarding = guards_at("chat/completions", **guards)
    guarding.call.structured = True
    await guarding.request(
        {
            "model": "m",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "hello"},
            ],
        }
    )
    return guarding


async def whole(guarding: Guarding, content: str) -> str:
    body = {"choices": [{"index": 0, "message": {"role": "assistant", "content": content}}]}
    await guarding.reply(body)
    return str(body["choices"][0]["message"]["content"])  # type: ignore[index]


def streamed(guarding: Guarding, content: str) -> str:
    stream = guarding.streamed.rewriting(ChatFlow(structured=True))
    shown = ""
    for piece in [*content, None]:
        delta = {} if piece is None else {"content": piece}
        choice = {"index": 0, "delta": delta, "finish_reason": None if piece else "stop"}
        for event in stream.event({"choices": [choice]}):
            shown += event["choices"][0]["delta"].get("content") or ""
    return shown


WRITTEN = [
    (r'{"a":"see https://good.example\n\nthen"}', "see https://good.example\n\nthen"),
    (r'{"a":"[r]: \/\/evil.example/s"}', f"[r]: {NOTE}"),
    (r'{"a":"\u0068ttps://evil.example/s"}', NOTE),
    (r'{"a":"![x](\u002f\u002fevil.example)"}', f"![x] {NOTE}"),
    (r'{"a":"<img src=\"\/\/evil.example\"> is \"it\""}', f'{NOTE} is "it"'),
]


@pytest.mark.parametrize(("written", "read"), WRITTEN)
async def test_links_are_limited_as_they_read_and_json_stays_json(written: str, read: str):
    assert json.loads(await whole(await guarding(links=LINKS), written)) == {"a": read}
    assert json.loads(streamed(await guarding(links=LINKS), written)) == {"a": read}


@pytest.mark.parametrize(
    "text",
    [
        '"see ![x](//evil.example/a "t") more',
        '"see ![x](//evil.example/a ", "t")',
        '"![x](\\x//evil.example/a)"',
        '"![x](\n//evil.example/a)"',
    ],
)
async def test_what_is_no_json_after_all_is_limited_as_it_stands(text: str):
    for told in (
        await whole(await guarding(links=LINKS), text),
        streamed(await guarding(links=LINKS), text),
    ):
        assert "evil.example" not in told


@pytest.mark.parametrize(
    "content",
    [
        r'{"a":"Hello\nProject Chimera"}',
        r'{"a":"Project\u0020Chimera"}',
        r'{"a":"M\u00fcller"}',
        '{"a":"https://x.io/?q=Project%20Chimera"}',
        '{"a":"<b>M&uuml;ller</b>"}',
        r'{"a":"M\u0026uuml;ller"}',
    ],
)
async def test_words_are_found_as_they_read(content: str):
    with pytest.raises(ContentBlockedError):
        await whole(await guarding(words=WORDS), content)
    with pytest.raises(Exception, match="words"):
        streamed(await guarding(words=WORDS), content)
    # What an application sends is often JSON in a text, too: of a tool, say.
    message = {"role": "tool", "tool_call_id": "c", "content": content}
    with pytest.raises(ContentBlockedError):
        await guards_at("chat/completions", words=WORDS).request({"messages": [message]})


@pytest.mark.parametrize(
    "text", ["Project\n  Chimera", "Mu\u0308ller", "\u306f\u7528M\u00fcller\u9805"]
)
async def test_words_are_found_over_lines_and_however_a_letter_is_made(text: str):
    with pytest.raises(ContentBlockedError):
        await whole(await guarding(words=WORDS), json.dumps(text))
    with pytest.raises(Exception, match="words"):
        streamed(await guarding(words=WORDS), json.dumps(text, ensure_ascii=False))


def test_what_is_found_is_told_where_it_stands():
    words = OwnPatternSettings(name="words", words=("a b", "\u00fc"))
    engine = AsRead(Detector((), (), [words]))
    text = "\\u00fc a\\n\\tb a b u\u0308 \u00fc"
    assert [text[one.start : one.end] for one in engine.find(text)] == [
        "\\u00fc",
        "a\\n\\tb",
        "a b",
        "u\u0308",
        "\u00fc",
    ]


async def test_a_token_is_seen_as_it_reads():
    guarded = await guarding(canary=GuardSettings(canary=CanarySettings()))
    token = "".join(f"\\u{ord(letter):04x}" for letter in guarded.call.canaries[0])
    with pytest.raises(ContentBlockedError):
        await whole(guarded, f'{{"a":"{token}"}}')
    with pytest.raises(Exception, match="recited"):
        streamed(guarded, f'{{"a":"{token}"}}')


async def test_marks_that_a_model_took_over_are_taken_out_as_they_read():
    marking = GuardSettings(injection=InjectionSettings(spotlight="datamark"))
    for show in (whole, streamed):
        guarded = guards_at("chat/completions", trust="untrusted", marking=marking)
        guarded.call.structured = True
        await guarded.request({"messages": [{"role": "user", "content": "My order is late."}]})
        (mark,) = guarded.call.markers
        written = json.dumps({"a": f"late{mark}order"})
        told = show(guarded, written)
        told = told if isinstance(told, str) else await told
        assert json.loads(told) == {"a": "late order"}
