"""Why a database can't be reached, in words of our own: a driver's may quote parts of the URL."""

from __future__ import annotations

import re

import sqlalchemy as sa

_SAID = (
    (r"password authentication failed", "it refuses the user or the password"),
    (r"no password supplied", "it wants a password"),
    (r'role ".*" does not exist', "it has no such user"),
    (r'database ".*" does not exist', "the server has no such database; CREATE DATABASE makes it"),
    (r"no pg_hba\.conf entry", "its pg_hba.conf lets in no such user from this address"),
    (r"permission denied for database", "the user may not open that database"),
    (r"server does not support SSL", "it has no TLS, which `sslmode` asks for"),
    (r"certificate|invalid sslmode|SSL", "TLS with it fails; see `sslmode` and `sslrootcert`"),
    (r"Name or service not known|failed to resolve|could not translate", "no such host is known"),
    (r"[Cc]onnection refused", "nothing listens at that host and port"),
    (r"No such file or directory", "there is no such socket"),
    (r"remaining connection slots|too many (clients|connections)",
     "all its connections are taken; raise its max_connections"),
    (r"the database system is (starting up|shutting down)", "it is starting or stopping"),
    (r"[Tt]imeout|timed out", "it does not answer in time"),
)  # fmt: skip
"""What stands in a driver's text, and what it comes to; the first that is found counts."""


def reason_of(error: sa.exc.DBAPIError) -> str:
    """The database's own code for what went wrong; where it has none, the name of the error."""
    for name in ("sqlite_errorname", "sqlstate"):
        if reason := getattr(error.orig, name, None):
            return str(reason)
    return type(error.orig).__name__


def outage_of(error: sa.exc.DBAPIError) -> str:
    """Why the database was not reached, as far as it is known; never anything that it quotes."""
    reason = reason_of(error)
    if reason != type(error.orig).__name__:
        return reason
    text = str(error.orig)
    return next((told for said, told in _SAID if re.search(said, text)), reason)
