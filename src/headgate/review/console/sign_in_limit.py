"""How often someone may try to sign in: counted in the database, for all processes together.

An attempt is noted before it is judged and forgotten when it succeeds, so no crowd of attempts at
once gets further than the same number one after the other.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable

import sqlalchemy as sa

from headgate.errors import LimitExceededError
from headgate.storage import Database
from headgate.storage.console_tables import sign_in_attempts
from headgate.storage.identifiers import new_id

WINDOW_S = 900
_KEPT_S = 3600
_NAME_TAKES = 5
"""How many times an address's attempts a name takes, so that one stranger can't lock out another's
name, and a crowd of them still can't try its passwords."""

_LOCK = 0x7369676E_696E
_SECOND_US = 1_000_000


class SignInLimit:
    """At most `attempts` in 15 minutes from an address, five times that for a name.

    Every method blocks.
    """

    def __init__(
        self,
        database: Database,
        *,
        attempts: int,
        clock_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self._database = database
        self._attempts = attempts
        self._clock_us = clock_us

    def begin(self, address: str | None, name: str | None) -> tuple[str, ...]:
        """Note an attempt; `LimitExceededError` (429) where there were too many.

        Returns what `succeeded` takes.
        """
        now_us = self._clock_us()
        subjects = {f"address {address or ''}": self._attempts}
        if name is not None:
            subjects[f"name {name}"] = self._attempts * _NAME_TAKES
        noted: list[str] = []
        refused = False
        with self._database.begin() as connection:
            if not self._database.is_sqlite:
                # One after the other, as SQLite writes: two that count at once would count too few.
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            connection.execute(
                sign_in_attempts.delete().where(
                    sign_in_attempts.c.at_us < now_us - _KEPT_S * _SECOND_US
                )
            )
            for written, at_most in subjects.items():
                subject = _digest(written)
                count = connection.execute(
                    sa.select(sa.func.count())
                    .select_from(sign_in_attempts)
                    .where(
                        sign_in_attempts.c.subject == subject,
                        sign_in_attempts.c.at_us > now_us - WINDOW_S * _SECOND_US,
                    )
                ).scalar_one()
                refused = refused or count >= at_most
                if not refused:
                    noted.append(new_id("try"))
                    connection.execute(
                        sign_in_attempts.insert().values(
                            id=noted[-1], subject=subject, at_us=now_us
                        )
                    )
        if refused:
            raise LimitExceededError(
                f"Too many attempts to sign in have failed; wait {WINDOW_S // 60} minutes and try"
                " again.",
                code="too_many_sign_in_attempts",
                retry_after_s=WINDOW_S,
            )
        return tuple(noted)

    def succeeded(self, noted: tuple[str, ...]) -> None:
        """Forget an attempt that was a success."""
        with self._database.begin() as connection:
            connection.execute(sign_in_attempts.delete().where(sign_in_attempts.c.id.in_(noted)))


def _digest(subject: str) -> str:
    return hashlib.sha256(subject.encode("utf-8", "surrogatepass")).hexdigest()[:48]
