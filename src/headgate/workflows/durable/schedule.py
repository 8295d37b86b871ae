"""When a workflow runs by itself: the ticks of a cron expression on a place's clock. No I/O.

An hour that the clock has twice has its ticks twice; ticks in one that it leaves out come at its
end.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import croniter
from croniter.croniter import CroniterBadDateError

from headgate.config.workflow import ScheduleSettings

GRACE_S = 600.0
"""A tick that no server was there for is made up for so long, and then left out."""

_FIELD = r"(?:[0-9*,/?#L-]|[A-Za-z]{3})+"
_FIELDS = re.compile(rf"{_FIELD}(?: +{_FIELD}){{4}}")


class Schedule:
    """The ticks of one workflow."""

    def __init__(self, settings: ScheduleSettings) -> None:
        """Raises `ValueError` that says what is wrong with the expression or the time zone."""
        # More fields, names such as @daily and random ones are croniter's own.
        if not _FIELDS.fullmatch(settings.cron.strip()) or not croniter.is_valid(settings.cron):
            raise ValueError(
                "cron: write minute, hour, day of the month, month and day of the week, such as"
                " `0 7 * * mon-fri`"
            )
        try:
            self._zone = ZoneInfo(settings.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(
                "timezone: there is none of this name; write one such as `Europe/Berlin`"
            ) from None
        self._cron = settings.cron.strip()
        if self.latest(datetime.now(UTC)) is None:
            raise ValueError("cron: no day is ever like this")

    def latest(self, now: datetime) -> datetime | None:
        """The newest tick that is not after `now`, in UTC; None where there was never one."""
        # croniter looks before the moment it is given, and counts in seconds.
        from_here = now.astimezone(self._zone).replace(microsecond=0)
        after = (from_here.astimezone(UTC) + timedelta(seconds=1)).astimezone(self._zone)
        try:
            tick: datetime = croniter(self._cron, after).get_prev(datetime)
        except CroniterBadDateError:
            return None
        return tick.astimezone(UTC)


def is_due(tick: datetime, last: datetime, now: datetime) -> bool:
    """Whether `tick` is to be begun, where `last` is the newest that was."""
    return tick > last and (now - tick).total_seconds() <= GRACE_S
