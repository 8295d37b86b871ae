"""Which ideas, standing together, are a sign of which family, and how strong a one.

Weights are percentages: how likely a text with this sign alone is an attack, as judged on the
development half of the pack (see docs/decisions/0036-prompt-injection.md). Signs of different
families are combined as independent ones.
"""

from __future__ import annotations

from typing import Final

import msgspec

from headgate.checks.injection.concepts import Concept
from headgate.checks.injection.families import Family


class Rule(msgspec.Struct, frozen=True):
    """All of `needs` within a few words of each other."""

    family: Family
    weight: int
    needs: tuple[frozenset[Concept], ...]
    """Of each set one."""
    across_sentences: bool = True
    """Whether neighbouring sentences count as together, at less weight."""
    times: int = 1
    """How many different places must meet the first need."""
    hidden: bool = False
    """Whether it holds only in text that people don't see."""


def _rule(
    family: Family,
    weight: int,
    *needs: str,
    across: bool = True,
    times: int = 1,
    hidden: bool = False,
) -> Rule:
    """A rule; a need such as `tool|action` is met by either."""
    sets = tuple(frozenset[Concept](need.split("|")) for need in needs)  # type: ignore[arg-type]
    return Rule(family, weight, sets, across, times, hidden)


RULES: Final[tuple[Rule, ...]] = (
    _rule("override", 74, "drop", "orders", "earlier|prompt|given", across=False),
    _rule("override", 58, "drop", "orders", "all|yours", across=False),
    _rule("override", 62, "drop", "prompt", across=False),
    _rule("override", 58, "drop|replaced", "said|given", across=False),
    _rule("override", 26, "drop", "orders", across=False),
    _rule("override", 60, "replaced", "orders|prompt", "given|yours|prompt|model", across=False),
    _rule("override", 26, "replaced", "orders", "earlier", across=False),
    _rule("override", 55, "replaced|drop", "orders", "only"),
    _rule("override", 22, "new_orders"),
    _rule("override", 44, "new_orders", "model|drop|reader|become|machine"),
    _rule("extraction", 62, "reveal|verbatim", "prompt", across=False),
    _rule("extraction", 56, "verbatim", "said", across=False),
    _rule("extraction", 26, "reveal", "said", across=False),
    _rule("extraction", 60, "reveal|verbatim", "given", "orders|prompt", across=False),
    _rule("extraction", 30, "reveal|verbatim", "yours", "orders", across=False),
    _rule("persona", 66, "become", "unbound"),
    _rule("persona", 32, "unbound"),
    _rule("persona", 34, "become", "model", across=False),
    _rule("persona", 30, "become", "only"),
    _rule("persona", 10, "become"),
    _rule("refusal_suppression", 46, "unrefusing"),
    _rule("refusal_suppression", 62, "unrefusing", times=2),
    _rule("refusal_suppression", 60, "unrefusing", "only|unbound|reveal|drop|action|become"),
    _rule("indirect", 52, "reader"),
    _rule(
        "indirect",
        70,
        "reader",
        "only|send|tool|drop|silently|new_orders|action|become|obey|unrefusing|say|function_name",
    ),
    _rule("indirect", 46, "reader_any", "model|machine|tool|function_name|silently"),
    _rule(
        "indirect", 44, "model|machine", "only|silently|new_orders|regardless|action", "must|say"
    ),
    _rule("indirect", 40, "model|machine", "must", "say|send", across=False),
    _rule("indirect", 30, "model|machine", "only|silently|new_orders|send|action", across=False),
    _rule("output_hijack", 20, "only"),
    _rule("output_hijack", 50, "only", "drop|silently|regardless|replaced"),
    _rule("output_hijack", 50, "regardless", "say", "must|model|machine|only"),
    _rule("output_hijack", 30, "regardless", "say", across=False),
    _rule("exfiltration", 52, "send", "secrets", "address", across=False),
    _rule("exfiltration", 15, "send", "secrets", across=False),
    _rule("exfiltration", 55, "send", "secrets", "silently"),
    _rule("concealment", 28, "silently"),
    _rule("concealment", 54, "silently", "action|tool|function_name|address"),
    _rule("tool_abuse", 54, "tool", "function_name", across=False),
    _rule("tool_abuse", 50, "tool", "action", across=False),
    _rule("tool_abuse", 34, "send|model|machine|must", "function_name", across=False),
    _rule("tool_abuse", 58, "tool", "action|function_name", "silently|model|drop|authority"),
    _rule("authority", 20, "authority"),
    _rule(
        "authority",
        54,
        "authority",
        "drop|unbound|reveal|tool|replaced",
        "orders|prompt|unbound|action|given",
    ),
    _rule("authority", 50, "authority", "model|silently|unrefusing|prompt|action|only"),
    _rule("encoding", 50, "decode", "obey"),
    _rule("payload_splitting", 54, "combine", "obey"),
    _rule(
        "hidden_text",
        52,
        "say|only|send|tool|model|machine|silently|action|reveal|function_name",
        across=False,
        hidden=True,
    ),
)
