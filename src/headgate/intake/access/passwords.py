"""Passwords of people: hashed with Argon2id, verified in the same time whoever asks.

One hash takes 19 MiB and about 30 ms; they are made one after the other, so that a crowd at the
sign-in page costs time and not memory.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import TYPE_CHECKING

from headgate.errors import InvalidRequestError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

MIN_CHARACTERS = 12
MAX_CHARACTERS = 256

_MEMORY_KIB = 19_456
_TIME_COST = 2
_LANES = 1
_NOBODYS = "the password that nobody has"

_one_at_a_time = threading.Lock()


def hashed(password: str) -> str:
    """The encoded hash; `InvalidRequestError` where the password is too short or too long."""
    if not MIN_CHARACTERS <= len(password) <= MAX_CHARACTERS:
        raise InvalidRequestError(
            f"`password`: give {MIN_CHARACTERS} to {MAX_CHARACTERS} characters.", param="password"
        )
    with _one_at_a_time:
        return _hasher().hash(password.encode())


def matches(encoded: str | None, password: str) -> bool:
    """Whether `password` is that of the hash; None is nobody's, and takes as long."""
    from argon2.exceptions import InvalidHashError, VerificationError  # noqa: PLC0415 - see _hasher

    if len(password) > MAX_CHARACTERS:
        return False
    with _one_at_a_time:
        try:
            _hasher().verify(encoded or _nobodys_hash(), password.encode("utf-8", "surrogatepass"))
        except (VerificationError, InvalidHashError):
            return False
    return encoded is not None


@cache
def _hasher() -> PasswordHasher:
    # Only who signs in with a password needs it.
    from argon2 import PasswordHasher  # noqa: PLC0415

    return PasswordHasher(time_cost=_TIME_COST, memory_cost=_MEMORY_KIB, parallelism=_LANES)


@cache
def _nobodys_hash() -> str:
    return _hasher().hash(_NOBODYS)
