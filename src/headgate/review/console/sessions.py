"""Who is signed in: sessions in the database, of which only the browser knows the token.

A token is 32 random bytes; stored is its SHA-256. A session ends at a fixed time, or after a while
without a page, whichever is first.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable

import msgspec
import sqlalchemy as sa

from headgate.review.console.access import HolderKind
from headgate.storage import Database
from headgate.storage.console_tables import sessions

_TOKEN_BYTES = 32
_SEEN_EVERY_US = 60_000_000
"""How exactly the last page is noted, so that not each one writes."""
_SECOND_US = 1_000_000
_MOST_PER_HOLDER = 50
"""Sessions that one key or user has at once; the oldest end first."""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A session that is open, with the token that its browser sent."""

    token: str
    kind: HolderKind
    holder: str

    @property
    def csrf(self) -> str:
        """What each form of this session carries; nobody without the cookie can make it."""
        return csrf_token(self.token)

    def sealed(self, text: str) -> str:
        """`text` with a seal, so that a form brings back what its page wrote and nothing else."""
        seal = hmac.digest(
            self.token.encode(), b"headgate console, sealed: " + text.encode(), "sha256"
        )
        return f"{text}.{seal[:24].hex()}"

    def unsealed(self, sealed: str) -> str | None:
        """The text; None where this session has not sealed it."""
        text = sealed.rpartition(".")[0]
        given = sealed.encode("utf-8", "surrogatepass")
        return text if hmac.compare_digest(given, self.sealed(text).encode()) else None


def csrf_token(token: str) -> str:
    """The forms' token of a session, or of a browser that is about to sign in."""
    digest = hmac.digest(token.encode(), b"headgate console: forms", "sha256")
    return base64.urlsafe_b64encode(digest[:24]).decode()


def new_token() -> str:
    """A token that nobody guesses."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


class SessionStore:
    """The sessions of one database. Every method blocks: call it in a thread."""

    def __init__(
        self,
        database: Database,
        *,
        lasts_s: int,
        idle_s: int,
        clock_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self._database = database
        self._lasts_us = lasts_s * _SECOND_US
        self._idle_us = idle_s * _SECOND_US
        self._clock_us = clock_us

    def open(self, kind: HolderKind, holder: str, *, instead_of: str | None) -> Session:
        """A new session with a new token; the one that the browser had before ends."""
        token, now_us = new_token(), self._clock_us()
        with self._database.begin() as connection:
            ended = sessions.c.ends_at_us <= now_us
            if instead_of is not None:
                ended |= sessions.c.digest == _digest(instead_of)
            ended |= sessions.c.seen_at_us <= now_us - self._idle_us
            connection.execute(sessions.delete().where(ended))
            kept = (
                sa.select(sessions.c.digest)
                .where(sessions.c.holder == holder)
                .order_by(sessions.c.created_at_us.desc())
                .limit(_MOST_PER_HOLDER - 1)
            )
            connection.execute(
                sessions.delete().where(sessions.c.holder == holder, sessions.c.digest.not_in(kept))
            )
            connection.execute(
                sessions.insert().values(
                    digest=_digest(token),
                    kind=kind,
                    holder=holder,
                    created_at_us=now_us,
                    seen_at_us=now_us,
                    ends_at_us=now_us + self._lasts_us,
                )
            )
        return Session(token=token, kind=kind, holder=holder)

    def find(self, token: str, *, seen: bool = True) -> Session | None:
        """The open session of `token`; None where there is none.

        It is noted as seen unless it was no person that asked, but a page that renews itself.
        """
        now_us, digest = self._clock_us(), _digest(token)
        with self._database.connect() as connection:
            row = connection.execute(
                sessions.select().where(sessions.c.digest == digest)
            ).one_or_none()
        if row is None or row.ends_at_us <= now_us or row.seen_at_us <= now_us - self._idle_us:
            return None
        if seen and row.seen_at_us <= now_us - _SEEN_EVERY_US:
            with self._database.begin() as connection:
                connection.execute(
                    sessions.update().where(sessions.c.digest == digest).values(seen_at_us=now_us)
                )
        return Session(token=token, kind=row.kind, holder=row.holder)

    def close(self, token: str) -> None:
        """End the session of `token`, if there is one."""
        with self._database.begin() as connection:
            connection.execute(sessions.delete().where(sessions.c.digest == _digest(token)))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
