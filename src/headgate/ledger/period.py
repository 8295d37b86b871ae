"""From when to when: reads what people write for a moment, such as `7d` or `2026-11-01`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from headgate.errors import InvalidRequestError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_AGO = re.compile(r"([0-9]{1,6})([smhdw])")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}.*", re.DOTALL)
_SHOWN_CHARACTERS = 64


def moment_us(text: str, *, now_us: int, param: str = "since") -> int:
    """Microseconds since 1970 of the moment that `text` names; never before 1970.

    A number and `s`, `m`, `h`, `d` or `w` mean so long before `now_us`; else it is an ISO date
    or time, in UTC where it names no offset. Raises `InvalidRequestError`, which names `param`.
    """
    text = text.strip()
    if ago := _AGO.fullmatch(text):
        return max(0, now_us - int(ago[1]) * _UNITS_S[ago[2]] * 1_000_000)
    if _DATE.fullmatch(text):
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            # A date that does not exist, such as 2026-02-30, is told like any other.
            moment = None
        if moment is not None:
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=UTC)
            return max(0, (moment - _EPOCH) // _MICROSECOND)
    raise InvalidRequestError(
        f"`{param}` is `{text[:_SHOWN_CHARACTERS]}`; write how long ago, such as 24h or 7d"
        " (s, m, h, d, w), or a date or time in UTC, such as 2026-11-01 or 2026-11-01T08:30:00Z",
        param=param,
    )


def day_of(day: int) -> str:
    """The date, such as `2026-11-01`, of a number of days since 1970 in UTC."""
    return (_EPOCH + timedelta(days=day)).date().isoformat()
