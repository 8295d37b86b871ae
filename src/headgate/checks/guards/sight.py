"""What the guards of one call would have to read and can't, and what becomes of the call then."""

from __future__ import annotations

from collections.abc import Sequence

from headgate.checks.guards.guard import BlockedError, Guard, Guarded
from headgate.checks.guards.report import GuardReport
from headgate.checks.guards.shielded import EXITS, failure_of, guard_failed
from headgate.checks.guards.unread import unread_kinds, verdict_unseen
from headgate.checks.guards.verdict import Verdict
from headgate.checks.parts import Part
from headgate.config.guards import Direction
from headgate.telemetry.faults import log_fault


class Sight:
    """How far the guards of one call see."""

    def __init__(self, guards: Sequence[Guard], call: Guarded, report: GuardReport) -> None:
        self.report = report
        self._guards = guards
        self._call = call

    def must_see(self, part: Part, direction: Direction) -> tuple[Guard, Verdict] | None:
        """The first guard that would have to read `part` and can't, and what it says of it."""
        for guard in self._guards:
            if direction in guard.directions:
                verdict = verdict_unseen(guard, self.unread(guard, direction, [part]))
                if verdict is not None:
                    return guard, verdict
        return None

    def let_by(self, part: Part, direction: Direction) -> None:
        """Note which guards would have to read `part`, can't, and let it by all the same."""
        for guard in self._guards:
            if direction in guard.directions:
                unread = self.unread(guard, direction, [part])
                if unread:
                    verdict = Verdict(reason=f"{unread} not read")
                    self.report.add(guard.name, direction, verdict, 0)

    def unread(self, guard: Guard, direction: Direction, parts: Sequence[Part]) -> str:
        """As `unread_kinds`. Raises `GuardFailedError` where the guard fails and must not."""
        try:
            return unread_kinds(guard, direction, parts, self._call)
        except (Exception, *EXITS) as fault:  # noqa: BLE001 - it has failed
            self.failed(guard, direction, fault)
            return ""

    def unseen_answer(self, part: Part) -> BlockedError | None:
        """Why a part of an answer must not be shown, noted, where a guard would have to read it."""
        unseen = self.must_see(part, "output")
        if unseen is None:
            return None
        guard, verdict = unseen
        self.report.add(guard.name, "output", verdict, 0)
        return BlockedError(guard.name, verdict)

    def failed(self, guard: Guard, direction: Direction, fault: BaseException) -> None:
        """Note that `guard` failed. Raises `GuardFailedError` where it must not."""
        log_fault(f"guard {guard.name} failed", fault)
        failure = failure_of(fault)
        self.report.add(guard.name, direction, Verdict("failed", reason=failure), 0)
        if guard.on_error == "block":
            raise guard_failed(guard, failure)
