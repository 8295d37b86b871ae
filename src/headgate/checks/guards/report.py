"""What the guards of one call have said, for its record, its reply's headers and the metrics."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from headgate.checks.guards.verdict import Decision, Verdict
from headgate.config.guards import Direction


class GuardRecord(msgspec.Struct, frozen=True):
    """One verdict; it holds nothing of the text that it is about."""

    guard: str
    policy: str
    """The policy that had it stand at the call."""
    direction: Direction
    decision: Decision
    reason: str | None
    score: int | None
    counts: dict[str, int]
    took_us: int


class GuardReport:
    """The verdicts of one call, in the order in which they were given."""

    __slots__ = ("_policies", "records")

    def __init__(self, policies: Mapping[str, str]) -> None:
        """`policies`: by guard, the one that had it stand there."""
        self._policies = policies
        self.records: list[GuardRecord] = []

    def add(self, guard: str, direction: Direction, verdict: Verdict, took_us: int) -> None:
        """Note a verdict."""
        self.records.append(
            GuardRecord(
                guard,
                self._policies.get(guard, ""),
                direction,
                verdict.decision,
                verdict.reason,
                verdict.score,
                verdict.counts,
                took_us,
            )
        )

    def header(self) -> str:
        """What `x-headgate-guards` says: by guard, how much it found, or its decision."""
        told: dict[str, str] = {}
        for record in self.records:
            count = sum(record.counts.values())
            word = str(count) if record.decision == "change" and count else record.decision
            if told.get(record.guard, "pass") == "pass":
                told[record.guard] = word
        return ", ".join(f"{guard}={word}" for guard, word in told.items())
