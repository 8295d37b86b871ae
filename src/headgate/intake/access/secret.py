"""The installation's secret: what keys its hashes, where it comes from, and that it stays the same.

Keys and end users are stored only as HMACs under it, so a stolen database alone tells neither.
"""

from __future__ import annotations

import hashlib
import secrets

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headgate.errors import ConfigError
from headgate.storage import Database
from headgate.storage.schema import installation

MIN_SECRET_CHARACTERS = 32

_STORED = "secret_key"
_FINGERPRINT = "secret_fingerprint"
_BLOCK_BYTES = 64
_USER_HASH_HEX_DIGITS = 32


class KeyedHash:
    """HMAC-SHA256 under one key, its two key blocks hashed beforehand.

    `hmac.digest` takes 1.5 µs a call here, most of it to set up the key; this takes 0.6.
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        if len(key) > _BLOCK_BYTES:
            key = hashlib.sha256(key).digest()
        block = key.ljust(_BLOCK_BYTES, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def digest(self, message: bytes) -> bytes:
        """The 32 bytes of `message`'s HMAC."""
        inner = self._inner.copy()
        inner.update(message)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()


class Secret:
    """The installation's secret, usable but not readable."""

    __slots__ = ("_clients", "_tokens", "_users", "fingerprint", "token_digest")

    def __init__(self, secret: bytes) -> None:
        self._tokens = KeyedHash(secret)
        self.token_digest = self._tokens.digest
        """The 32 bytes under which a key is stored and found; each call asks for its key's."""
        # Each use has its own key, so that no hash of one kind can stand for one of another.
        self._users = KeyedHash(self._tokens.digest(b"headgate: end users"))
        self._clients = KeyedHash(self._tokens.digest(b"headgate: client secrets"))
        self.fingerprint = self._tokens.digest(b"headgate: fingerprint").hex()
        """Tells whether two secrets are the same without telling what they are."""

    def derived(self, purpose: bytes) -> bytes:
        """32 bytes that are a secret of their own, for one `purpose` alone."""
        return self._tokens.digest(b"headgate: " + purpose)

    def client_digest(self, contents: bytes) -> bytes:
        """The 32 bytes that show that a client secret's `contents` were written here."""
        return self._clients.digest(contents)

    def user_digest(self, user: bytes) -> bytes:
        """The 32 bytes that stand for an end user."""
        return self._users.digest(user)


def user_hash(secret: Secret, user: str) -> str:
    """32 hex digits that stand for an end user in the ledger; the same user, the same digits."""
    return secret.user_digest(user.encode("utf-8", "surrogatepass")).hex()[:_USER_HASH_HEX_DIGITS]


def load_secret(database: Database, from_environment: str | None) -> Secret:
    """The secret of this installation: HEADGATE_SECRET_KEY, or one made once and stored.

    Raises `ConfigError` where the environment's is too short, or is not the one that the
    database's keys were hashed with.
    """
    with database.begin() as connection:
        if from_environment:
            if len(from_environment) < MIN_SECRET_CHARACTERS:
                raise ConfigError(
                    f"HEADGATE_SECRET_KEY has {len(from_environment)} characters; give it at least"
                    f" {MIN_SECRET_CHARACTERS}, for example from `openssl rand -hex 32`"
                )
            secret = Secret(from_environment.encode())
            if _once(connection, _FINGERPRINT, secret.fingerprint) != secret.fingerprint:
                raise ConfigError(_changed(connection))
            return secret
        known = _value(connection, _FINGERPRINT)
        if known is not None and _value(connection, _STORED) is None:
            raise ConfigError(
                "this database's keys were hashed with a HEADGATE_SECRET_KEY that is not set now;"
                " set it to the same value"
            )
        secret = Secret(_once(connection, _STORED, secrets.token_hex(32)).encode())
        _once(connection, _FINGERPRINT, secret.fingerprint)
        return secret


def _changed(connection: Connection) -> str:
    if _value(connection, _STORED) is not None:
        remedy = "unset it, for this database keeps the secret it made itself"
    else:
        remedy = "set it back to the earlier value, or start with another database"
    return (
        "HEADGATE_SECRET_KEY is not the secret that this database's keys were hashed with, so none"
        f" of them would be found: {remedy}"
    )


def _value(connection: Connection, name: str) -> str | None:
    return connection.execute(
        sa.select(installation.c.value).where(installation.c.name == name)
    ).scalar()


def _once(connection: Connection, name: str, value: str) -> str:
    """Store `value` under `name` unless something stands there; what stands there then."""
    connection.execute(
        sa.text(
            "INSERT INTO installation (name, value) VALUES (:name, :value)"
            " ON CONFLICT (name) DO NOTHING"
        ),
        {"name": name, "value": value},
    )
    stored = _value(connection, name)
    return value if stored is None else stored
