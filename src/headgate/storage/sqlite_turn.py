"""How a process gets its turn to write to an SQLite file that other processes write to as well.

SQLite lets one connection write at a time and has no line: whoever finds the file locked asks
again. Its own waiting asks ever less often, up to ten times a second, so that on a busy file
whoever has waited longest is the least likely to be next. Here it is the other way round.
"""

from __future__ import annotations

import random
import sqlite3
import time

_LONGEST_PAUSE_S = 0.004
_SHORTEST_PAUSE_S = 0.0005
_PATIENT_S = 0.1
"""After so long a wait the pauses have halved."""


def pause_s(waited_s: float, jitter: float) -> float:
    """How long to wait before asking again, `jitter` in [0, 1): the shorter the longer it has been.

    At random, so that two who ask at the same time do not go on doing so.
    """
    longest = _LONGEST_PAUSE_S * _PATIENT_S / (_PATIENT_S + max(0.0, waited_s))
    return max(_SHORTEST_PAUSE_S, longest * (0.5 + jitter))


def begin_to_write(connection: sqlite3.Connection, patience_s: float) -> None:
    """Begin a transaction that may write; `sqlite3.OperationalError` after `patience_s`."""
    connection.execute("PRAGMA busy_timeout=0")
    try:
        _ask_again(connection, "BEGIN IMMEDIATE", patience_s)
    finally:
        connection.execute(f"PRAGMA busy_timeout={int(patience_s * 1000)}")


def keep_a_log(connection: sqlite3.Connection, patience_s: float) -> None:
    """Have the file written through a log ahead of it (WAL), as it stays from then on.

    Of several processes that open a new file only one can begin that, and SQLite's own waiting
    does not reach this: the others are told at once that the file is busy.
    """
    _ask_again(connection, "PRAGMA journal_mode=WAL", patience_s)


def _ask_again(connection: sqlite3.Connection, statement: str, patience_s: float) -> None:
    began_s = time.monotonic()
    while True:
        try:
            connection.execute(statement).close()
        except sqlite3.OperationalError as error:
            waited_s = time.monotonic() - began_s
            if not _is_busy(error) or waited_s >= patience_s:
                raise
            time.sleep(pause_s(waited_s, random.random()))  # noqa: S311 - spreads requests
        else:
            return


def _is_busy(error: sqlite3.OperationalError) -> bool:
    return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
