"""What the guards of one call have said, for its record, its reply's headers and the metrics."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from headgate.checks.guards.verdict import WEIGHT, Decision, Verdict
from headgate.config.guards import Direction

_MOST_UNFOLDED = 64


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


_records = msgspec.json.Decoder(tuple[GuardRecord, ...])


def guards_said(recorded: str | None) -> tuple[GuardRecord, ...]:
    """The verdicts in a call's record; none where no guard stood at it."""
    return _records.decode(recorded) if recorded else ()


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

    def join(self, other: GuardReport) -> None:
        """Add what `other` says; equal records together as one.

        So what has a hundred thousand lines has few more verdicts than guards.
        """
        self.records = folded([*self.records, *other.records])

    def header(self) -> str:
        """What `x-headgate-guards` says: by guard, how much it found, or its decision."""
        told: dict[str, tuple[int, str]] = {}
        for record in self.records:
            count = sum(record.counts.values())
            word = str(count) if record.decision == "change" and count else record.decision
            weight = WEIGHT[record.decision]
            # Of two directions the weightier is told: that a guard failed must not go unsaid.
            if record.guard not in told or weight > told[record.guard][0]:
                told[record.guard] = weight, word
        return ", ".join(f"{guard}={word}" for guard, (_, word) in told.items())

    def taken(self) -> list[GuardRecord]:
        """All of them, which are none of this report's from then on; equal ones joined."""
        records, self.records = self.records, []
        return folded(records)

    def fold(self) -> None:
        """Join equal records where they have become many: a session says the same all day."""
        if len(self.records) > _MOST_UNFOLDED:
            self.records = folded(self.records)


def folded(records: list[GuardRecord]) -> list[GuardRecord]:
    """One record for each guard, policy, direction and decision, with all counts and all the time.

    So none hides another: that a guard failed somewhere stays to be seen where it blocked too.
    """
    joined: dict[tuple[str, str, str, str], GuardRecord] = {}
    for record in records:
        key = record.guard, record.policy, record.direction, record.decision
        known = joined.get(key)
        joined[key] = record if known is None else _of_both(known, record)
    return list(joined.values())


def _of_both(known: GuardRecord, more: GuardRecord) -> GuardRecord:
    counts = dict(known.counts)
    for kind, count in more.counts.items():
        counts[kind] = counts.get(kind, 0) + count
    return msgspec.structs.replace(
        known,
        reason=known.reason or more.reason,
        score=max((one.score for one in (known, more) if one.score is not None), default=None),
        counts=counts,
        took_us=known.took_us + more.took_us,
    )
