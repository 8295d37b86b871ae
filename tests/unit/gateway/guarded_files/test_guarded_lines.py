"""A file's lines go out and come back the same, wherever their bytes are cut."""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.checks.guards.building import Means, build_policies
from headgate.checks.guards.policy import GuardPolicies
from headgate.checks.redaction.mapping import Mapping
from headgate.config.detection import DetectionSettings
from headgate.config.guards import (
    GuardPolicySettings,
    GuardSettings,
    RedactSettings,
    WordsSettings,
)
from headgate.errors import ContentBlockedError
from headgate.gateway.call import Call
from headgate.gateway.caller import Caller
from headgate.gateway.guarded_files.line_notes import LineNote, LineNotes
from headgate.gateway.guarded_files.lines import GuardedLines
from headgate.gateway.guarded_files.results import GuardedResults
from headgate.gateway.hidden_values import HiddenValues


class NotesAtHand:
    """As `LineNotes`, without a database."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str, str], LineNote] = {}

    async def keep_lines(self, project: str, token: str, notes: list[tuple[str, LineNote]]) -> None:
        for custom_id, note in notes:
            assert (project, token, custom_id) not in self.kept
            self.kept[project, token, custom_id] = note

    async def lines(self, project: str, token: str, ids: list[str]) -> dict[str, LineNote]:
        found = {one: self.kept.get((project, token, one)) for one in ids}
        return {one: note for one, note in found.items() if note is not None}


class Nothing:
    async def find(self, project: str, conversation: str) -> Mapping:
        return Mapping()


def guard_policies() -> GuardPolicies:
    find = DetectionSettings(kinds=("email",), languages=("en",))
    guards = {
        "personal": GuardSettings(redact=RedactSettings(find=find)),
        "house": GuardSettings(words=WordsSettings(words=("chimera",))),
    }
    built = build_policies(
        guards, {"all": GuardPolicySettings(guards=tuple(guards))}, Means(b"k" * 32)
    )
    assert built is not None
    return built


POLICIES = guard_policies()


def a_call() -> Call:
    return Call(Caller("key_1", "north", "app"), "files", trace_id="0" * 32)


def lines_of(notes: NotesAtHand, *, of_batch: bool = True) -> GuardedLines:
    return GuardedLines(
        POLICIES,
        cast(HiddenValues, Nothing()),
        cast(LineNotes, notes),
        a_call(),
        of_batch=of_batch,
        max_line_bytes=10_000,
    )


async def through(pipe: GuardedLines | GuardedResults, data: bytes, cut: int) -> bytes:
    told = [await pipe.feed(data[at : at + cut]) for at in range(0, len(data), cut)]
    return b"".join([*told, await pipe.end()])


def a_line(number: int, text: str) -> str:
    body = {"model": f"m{number % 2}", "messages": [{"role": "user", "content": text}]}
    return json.dumps({"custom_id": f"r{number}", "method": "POST", "url": "/v1/x", "body": body})


def answered(line: dict[str, Any]) -> dict[str, Any]:
    said = line["body"]["messages"][0]["content"]
    message = {"role": "assistant", "content": said}
    response = {"status_code": 200, "body": {"choices": [{"message": message}]}}
    return {"custom_id": line["custom_id"], "response": response, "error": None}


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from(["a@example.com", "b@example.com", "x", "Zoë", ""]), max_size=40),
    st.integers(1, 4000),
    st.integers(1, 4000),
    st.booleans(),
)
def test_what_a_line_hides_comes_back_in_its_result(
    texts: list[str], cut: int, other: int, ended: bool
):
    async def there_and_back() -> None:
        notes = NotesAtHand()
        lines = lines_of(notes)
        asked = "".join(f"{a_line(n, text)}\n" for n, text in enumerate(texts))
        sent = await through(lines, asked.encode() if ended else asked.rstrip().encode(), cut)
        assert b"@" not in sent
        assert sent.endswith(b"\n") == (ended and bool(texts))
        told = [json.dumps(answered(json.loads(one))) for one in sent.splitlines()]
        results = GuardedResults(POLICIES, cast(LineNotes, notes), a_call(), lines.note())
        shown = await through(results, "\n".join(reversed(told)).encode(), other)
        found = [json.loads(one) for one in shown.splitlines()]
        assert {one["custom_id"]: one for one in found} == {
            f"r{n}": answered(json.loads(a_line(n, text))) for n, text in enumerate(texts)
        }
        said = [(one.guard, one.direction, one.decision) for one in lines.report.records]
        assert len(said) == len(set(said)), "one verdict for each guard and decision"
        assert len({guard for guard, _, _ in said}) == (2 if texts else 0)

    asyncio.run(there_and_back())


@pytest.mark.parametrize("cut", [1, 7, 10_000])
async def test_nothing_is_given_out_behind_a_line_that_is_blocked(cut: int):
    lines = lines_of(NotesAtHand())
    data = "\n".join([a_line(1, "x"), a_line(2, "chimera"), a_line(3, "y")]).encode()
    with pytest.raises(ContentBlockedError, match=r"Line 2 of the file: .*`house`"):
        await through(lines, data, cut)


async def test_numbers_and_unknown_fields_stay_as_they_are():
    line = b'{"messages":[{"content":"x"}],"weight":1.10,"n":12345678901234567890123}'
    assert await through(lines_of(NotesAtHand(), of_batch=False), line, 10) == line
