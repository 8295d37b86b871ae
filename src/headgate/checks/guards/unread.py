"""What a guard would have to read and can't: images, sound, files; and what that means. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from headgate.checks.guards.guard import Guard, Guarded
from headgate.checks.guards.verdict import Verdict
from headgate.checks.parts import Kind, Part
from headgate.config.guards import Direction


def answer_of(kind: Kind) -> Part:
    """Stands for an answer of which no more is known than that it is a `kind`."""
    return Part({"answer": ""}, "answer", path="answer", role="model", kind=kind)


def unread_kinds(guard: Guard, direction: Direction, parts: Sequence[Part], call: Guarded) -> str:
    """What `guard` would have to read and can't; "" where it can read all that it must."""
    kinds = {
        part.kind
        for part in parts
        if part.kind not in ("text", "name") and guard.must_see(part, direction, call)
    }
    return " or ".join(sorted(kinds))


def verdict_unseen(guard: Guard, unread: str) -> Verdict | None:
    """The verdict of a guard that lets nothing by unread; None where it does, or could read all."""
    if not unread or guard.unreadable == "allow":
        return None
    return Verdict("block", reason=f"it can't see into {unread}; see its setting `unreadable`")
