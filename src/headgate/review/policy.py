"""Whether a person must look at what came of a run, and why.

Pure: a run's outcome goes in, reasons come out. Two processes, and two tries, come to the same.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from headgate.checks.field_rule import why_it_fits
from headgate.config.reviews import ReviewSettings
from headgate.review.review import Reason

_TEXT_CHARACTERS_AT_MOST = 500


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a run, as far as it matters here."""

    run_id: str
    output: dict[str, Any] | None
    """None where there is none: an error stands in its place."""
    fallback: bool = False
    held: tuple[str, ...] = ()
    """Why the workflow's own rules hold it."""
    guards: tuple[str, ...] = ()
    """Guards that ask for a person."""
    flagged: tuple[str, ...] = ()
    """Guards that flagged something."""
    unanswered: str | None = None
    """Why there is no answer, where a person shall write it."""


class Explained(msgspec.Struct, frozen=True):
    """A reason, and the same in words, which may quote contents."""

    reason: Reason
    text: str


def reasons_for_review(settings: ReviewSettings | None, result: Result) -> tuple[Explained, ...]:
    """Why a person must look, the weightiest first; empty where nobody must."""
    found: list[Explained] = []
    if result.unanswered is not None:
        found.append(Explained(Reason("no_answer"), _short(result.unanswered)))
    found += [
        Explained(Reason("guard", name), f"the guard `{name}` asks for a person")
        for name in result.guards
    ]
    found += [Explained(Reason("rule", "rules"), _short(text)) for text in result.held]
    if settings is None or result.output is None:
        return tuple(found)
    for rule in settings.fields:
        if (text := why_it_fits(rule, result.output)) is not None:
            found.append(Explained(Reason("field", rule.field), text))
    if settings.on_flag:
        found += [
            Explained(Reason("flag", name), f"the guard `{name}` flagged something")
            for name in result.flagged
        ]
    if settings.on_fallback and result.fallback:
        text = "no model gave an answer that passes; this is the declared fallback"
        found.append(Explained(Reason("fallback"), text))
    if settings.always:
        found.append(Explained(Reason("always"), "a person looks at each run of this workflow"))
    elif not found and drawn(result.run_id, settings.sample):
        found.append(Explained(Reason("sampled"), "drawn as one of a share of all runs"))
    return tuple(found)


def drawn(run_id: str, share: float) -> bool:
    """Whether a run belongs to the share that is looked at; the same for the same run."""
    digest = hashlib.sha256(run_id.encode()).digest()
    return int.from_bytes(digest[:8]) < share * 2**64


def _short(text: str) -> str:
    return text[:_TEXT_CHARACTERS_AT_MOST]
