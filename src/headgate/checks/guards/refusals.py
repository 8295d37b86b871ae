"""What a caller is told of a call that a guard does not let by."""

from __future__ import annotations

from headgate.checks.guards.guard import BlockedError
from headgate.checks.guards.verdict import Verdict
from headgate.config.guards import Direction
from headgate.errors import ContentBlockedError, ReviewNeededError


def blocked(guard: str, direction: Direction, verdict: Verdict) -> ContentBlockedError:
    """What a caller is told of a call that a guard blocked."""
    what = "request" if direction == "input" else "reply"
    reason = f" ({verdict.reason})" if verdict.reason else ""
    if verdict.decision == "review":
        return ReviewNeededError(
            verdict.message
            or f"The guard `{guard}` wants a person to look at this {what}{reason}; it does not go"
            " on by itself."
        )
    return ContentBlockedError(
        verdict.message or f"The guard `{guard}` does not let this {what} by{reason}."
    )


def blocked_in_stream(error: BlockedError) -> ContentBlockedError:
    """The same of a stream."""
    return blocked(error.guard, "output", error.verdict)
