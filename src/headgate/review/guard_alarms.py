"""Has people say whether guards were right to hold direct calls: only metadata is kept.

Whoever sends calls decides how many are held, so what waits is bounded for each project.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from headgate.gateway.alarms import GuardAlarm
from headgate.review.repository import ReviewRepository
from headgate.review.review import Contents, Facts, Reason, Review
from headgate.storage.identifiers import new_id
from headgate.storage.threads import StorageThreads
from headgate.telemetry.faults import log_fault

_log = logging.getLogger(__name__)

_LEFT_ALONE_S = 10.0
"""How long a project whose bound was reached is left alone, so that its calls cost no question."""

_PROJECTS_AT_MOST = 1_000
"""Projects that are remembered for that; when full all are forgotten."""


class GuardAlarms:
    """See `gateway.alarms.Alarms`."""

    def __init__(
        self,
        repository: ReviewRepository,
        threads: StorageThreads,
        *,
        open_at_most: int,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._repository = repository
        self._threads = threads
        self._open_at_most = open_at_most
        self._clock_s = clock_s
        self._full_until_s: dict[str, float] = {}

    async def raised(self, alarm: GuardAlarm) -> None:
        """See `Alarms`."""
        if self._clock_s() < self._full_until_s.get(alarm.project, 0.0):
            return
        try:
            opened = await self._threads.begin(self._open, alarm)
        except Exception as fault:  # noqa: BLE001 - the call is refused all the same
            log_fault("a guard's alarm could not be kept", fault, call_id=alarm.call_id)
            return
        if not opened:
            if len(self._full_until_s) >= _PROJECTS_AT_MOST:
                self._full_until_s.clear()
            self._full_until_s[alarm.project] = self._clock_s() + _LEFT_ALONE_S
            _log.warning(
                "as many guards' alarms wait as may; calls are held and nobody is asked",
                extra={"project": alarm.project, "open": self._open_at_most},
            )

    def _open(self, alarm: GuardAlarm) -> bool:
        now_us = time.time_ns() // 1000
        review = Review(
            id=new_id("rev"),
            kind="guard",
            once=f"guard {alarm.call_id} {alarm.guard}",
            project=alarm.project,
            requested_by=alarm.key_id,
            reasons=(Reason("guard", alarm.guard),),
            facts=Facts(
                call_id=alarm.call_id,
                guard=alarm.guard,
                direction=alarm.direction,
                reason=alarm.reason,
                score=alarm.score,
            ),
            created_at_us=now_us,
            since_us=now_us,
        )
        with self._repository.database.begin() as connection:
            waiting = self._repository.open_count(connection, "guard", alarm.project)
            if waiting >= self._open_at_most:
                return False
            self._repository.open(connection, review, Contents())
        return True
