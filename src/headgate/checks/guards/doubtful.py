"""Whose text it is, as the defences against injected instructions see it. Pure."""

from __future__ import annotations

from headgate.checks.guards.guard import Guarded
from headgate.checks.injection.rights import Trust
from headgate.checks.parts.part import Part

_ROLES: dict[str, Trust] = {"retrieved": "retrieved", "tool": "tool"}


def trust_of(part: Part, call: Guarded) -> Trust | None:
    """Where the part comes from; None for what the model wrote itself, or a mere name."""
    if part.role in _ROLES:
        return _ROLES[part.role]
    if part.role == "user":
        return "untrusted" if call.trust == "untrusted" and not call.users_vouched else "user"
    return "operator" if part.role == "operator" else None


def is_doubtful(part: Part, call: Guarded) -> bool:
    """Whether it is a text that an attacker may have written."""
    return part.kind == "text" and may_be_an_attackers(part, call)


def may_be_an_attackers(part: Part, call: Guarded) -> bool:
    """Whether an attacker may have written the part, be it text or not."""
    return trust_of(part, call) in ("untrusted", "retrieved", "tool")
