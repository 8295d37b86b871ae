"""How a guard that only knows whole answers sees streams: text by text, when each is whole."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from headgate.checks.guards.guard import BlockedError, Guard, Guarded, OutputFilter
from headgate.checks.guards.verdict import PASS, Verdict
from headgate.checks.parts.part import Part

_CHARACTERS_AT_MOST = 8_000_000
"""Of one text; a stream with a longer one is stopped."""

_TOO_LONG = Verdict("block", reason="a text too long to be held back")


class NoFilterError(Exception):
    """A guard waits in `check_output` and has no `output_filter`, so it can't follow a stream."""


class ToldFailedError(Exception):
    """A guard says by itself that it could not tell."""


def filter_of(guard: Guard, part: Part, call: Guarded) -> OutputFilter | None:
    """The guard's filter for the text that begins with `part`; None where it needs none."""
    kind = type(guard)
    if kind.output_filter is not Guard.output_filter or kind.check_output is Guard.check_output:
        return guard.output_filter(part, call)
    return HeldBack(guard, part, call)


class HeldBack(OutputFilter):
    """Holds one text back, and has `check_output` see it when it is whole."""

    def __init__(self, guard: Guard, part: Part, call: Guarded) -> None:
        self._guard = guard
        self._like = part
        self._call = call
        self._pieces: list[str] = []
        self._characters = 0
        self._verdict = PASS

    def feed(self, text: str) -> str:
        """See `TextFilter`."""
        self._pieces.append(text)
        self._characters += len(text)
        if self._characters > _CHARACTERS_AT_MOST:
            raise BlockedError(self._guard.name, _TOO_LONG)
        return ""

    def close(self) -> str:
        """See `TextFilter`.

        Raises `NoFilterError` where the guard waits for something, `TimeoutError` where it is late.
        """
        part, self._verdict = self._judged("".join(self._pieces))
        return part.text

    def look(self, text: str) -> None:
        """See `OutputFilter`: what is heard can't wait for the rest of its text."""
        if self._guard.unreadable == "allow":
            return
        part, verdict = self._judged(text)
        if part.changed:
            raise BlockedError(self._guard.name, msgspec.structs.replace(verdict, decision="block"))

    def verdict(self) -> Verdict:
        """See `OutputFilter`."""
        return self._verdict

    def _judged(self, text: str) -> tuple[Part, Verdict]:
        like = self._like
        part = Part(
            {"text": text}, "text", path=like.path, role=like.role, in_json=like.in_json,
            spoken=like.spoken,
        )  # fmt: skip
        began_s = time.monotonic()
        verdict = _at_once(self._guard.check_output([part], self._call))
        if time.monotonic() - began_s > self._guard.timeout_s:
            # It could not be stopped; its verdict comes too late all the same.
            raise TimeoutError
        if verdict.decision in ("block", "review"):
            raise BlockedError(self._guard.name, verdict)
        if verdict.decision == "failed":
            raise ToldFailedError
        return part, verdict


def _at_once(work: Any) -> Verdict:
    """What a coroutine that waits for nothing returns."""
    try:
        work.send(None)
    except StopIteration as ended:
        verdict: Verdict = ended.value
        return verdict
    work.close()
    raise NoFilterError
