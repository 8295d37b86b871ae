"""Has the guards that wait for finished texts see them: of a whole answer or of a stream."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from headgate.checks.contract.finished import Finished, FinishedReader, TooMuchError
from headgate.checks.guards.guard import BlockedError, Guard, Guarded
from headgate.checks.guards.report import GuardReport
from headgate.checks.guards.shielded import EXITS, failure_of, guard_failed
from headgate.checks.guards.verdict import PASS, Verdict
from headgate.config.guards import Direction
from headgate.telemetry.faults import log_fault

_TOO_MUCH = Verdict("block", reason="more text than can be kept until it is finished")


class Finishing:
    """The guards of one call that are `of_finished`."""

    def __init__(self, guards: Sequence[Guard], call: Guarded) -> None:
        self._guards = [guard for guard in guards if guard.of_finished]
        self._call = call
        self.said: dict[str, tuple[Verdict, int]] = {}
        """By guard, what it said so far, and how long that took, in nanoseconds."""

    def begin(self, fields: dict[str, Any]) -> None:
        """Show them a request before anyone rewrites it. Raises `GuardFailedError`."""
        for guard in self._guards:
            try:
                guard.begin(fields, self._call)
            except (Exception, *EXITS) as fault:  # noqa: BLE001 - whatever a guard raises, it has failed
                self._failed(guard, fault)

    def tell(self, report: GuardReport, direction: Direction) -> None:
        """Add to `report` what they have said, of a request as it came or of finished texts."""
        for name, (verdict, took_ns) in self.said.items():
            report.add(name, direction, verdict, took_ns // 1000)
        self.said.clear()

    def awaiting(self) -> list[Guard]:
        """Those that look at the answer of this call. Raises `GuardFailedError`."""
        return [
            guard for guard in self._guards if "output" in guard.directions and self._awaits(guard)
        ]

    def _awaits(self, guard: Guard) -> bool:
        try:
            return guard.awaits(self._call)
        except (Exception, *EXITS) as fault:  # noqa: BLE001 - as above
            self._failed(guard, fault)
            return False

    def watch(self, reader: FinishedReader) -> Callable[[dict[str, Any] | None], None] | None:
        """What sees each event of a stream, and None at its end; None: nobody waits for any.

        It raises `BlockedError` and `GuardFailedError`.
        """
        guards = self.awaiting()
        if not guards:
            return None

        def watch(event: dict[str, Any] | None) -> None:
            try:
                finished = reader.close() if event is None else reader.event(event)
            except TooMuchError:
                name = guards[0].name
                self.said[name] = _TOO_MUCH, self.said.get(name, (PASS, 0))[1]
                raise BlockedError(name, _TOO_MUCH) from None
            if finished:
                self.look_at(finished, guards)

        return watch

    def look_at(self, finished: Sequence[Finished], guards: Sequence[Guard]) -> None:
        """Have `guards` check what is finished. Raises `BlockedError` and `GuardFailedError`."""
        for guard in guards:
            began_ns = time.perf_counter_ns()
            verdict, took_ns = self.said.get(guard.name, (PASS, 0))
            fault: BaseException | None = None
            try:
                for one in finished:
                    verdict = verdict.joined(guard.check_finished(one, self._call))
                    if verdict.decision in ("block", "review", "failed"):
                        break
            except (Exception, *EXITS) as raised:  # noqa: BLE001 - as above
                fault = raised
            took_ns += time.perf_counter_ns() - began_ns
            self.said[guard.name] = verdict, took_ns
            if fault is not None:
                self._failed(guard, fault)
            # As for a whole answer: what a run was answered is its draft, and the run waits.
            drafted = self._call.workflow is not None
            if verdict.decision == "block" or (verdict.decision == "review" and not drafted):
                raise BlockedError(guard.name, verdict)
            if verdict.decision == "failed" and guard.on_error == "block":
                raise guard_failed(guard, "failed")

    def _failed(self, guard: Guard, fault: BaseException) -> None:
        log_fault(f"guard {guard.name} failed", fault)
        failure = failure_of(fault)
        verdict, took_ns = self.said.get(guard.name, (PASS, 0))
        self.said[guard.name] = verdict.joined(Verdict("failed", reason=failure)), took_ns
        if guard.on_error == "block":
            raise guard_failed(guard, failure) from None
