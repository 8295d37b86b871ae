"""Which processes carry runs, and which of them have died: each says again and again that it lives.

A process whose word is older than the lease is taken for dead. One of the same machine that is gone
is known to be dead at once, so that a server that is started again goes on without a wait.
"""

from __future__ import annotations

import math
import os
import socket
import time
from pathlib import Path

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headgate.storage import Database
from headgate.storage.durable_tables import run_executors

LEASE_S = 15.0
"""How long a process is believed without another word of it."""

BEAT_S = 2.0
"""How often it says so."""

_POSTGRES_NOW = sa.text("SELECT (extract(epoch from clock_timestamp()) * 1000000)::bigint")


class Whereabouts(msgspec.Struct, frozen=True):
    """Where a process runs and which it is there; empty where that can't be told."""

    place: str
    process: str

    @classmethod
    def mine(cls) -> Whereabouts:
        """Those of the process that asks."""
        return cls(_place(), _process(os.getpid()) or "")


class Executor(msgspec.Struct, frozen=True):
    """A process that carries runs, as its row says."""

    id: str
    whereabouts: Whereabouts
    seen_at_us: int


class Steadiness:
    """Whether this process may judge others by their leases: not after an outage or a pause.

    When a database comes back, all words are old; whoever looked first would hold all others for
    dead. So who judges must have been heard itself for a whole lease without a gap.
    """

    def __init__(self) -> None:
        self._since_s = self._last_s = -math.inf

    def beaten(self, now_s: float) -> None:
        """Note that it has said that it lives; `now_s` is of a steady clock."""
        if now_s - self._last_s > LEASE_S / 2:
            self._since_s = now_s
        self._last_s = now_s

    def is_steady(self, now_s: float) -> bool:
        """Whether it was heard without a gap for as long as a lease lasts."""
        return now_s - self._last_s <= LEASE_S / 2 and now_s - self._since_s > LEASE_S


def is_dead(
    executor: Executor, now_us: int, here: str, running: str | None, *, lease_counts: bool = True
) -> bool:
    """Whether `executor` has died.

    `here` is this process's place, `running` what runs now under the number that `executor` had.
    """
    if lease_counts and now_us - executor.seen_at_us > int(LEASE_S * 1_000_000):
        return True
    there = executor.whereabouts
    return bool(here and there.process) and there.place == here and there.process != running


class LeaseStore:
    """The executors of one database; all of it blocks."""

    def __init__(self, database: Database, executor_id: str, whereabouts: Whereabouts) -> None:
        self._database = database
        self.executor_id = executor_id
        self._whereabouts = whereabouts

    def enter(self) -> None:
        """Say for the first time that this process carries runs."""
        with self._database.begin() as connection:
            # A start that failed may have left it.
            connection.execute(
                sa.delete(run_executors).where(run_executors.c.id == self.executor_id)
            )
            connection.execute(
                sa.insert(run_executors).values(
                    id=self.executor_id,
                    place=self._whereabouts.place,
                    process=self._whereabouts.process,
                    seen_at_us=_now_us(connection),
                )
            )

    def beat(self) -> bool:
        """Say that this process lives; False where another has held it for dead meanwhile."""
        with self._database.begin() as connection:
            changed = connection.execute(
                sa.update(run_executors)
                .where(run_executors.c.id == self.executor_id)
                .values(seen_at_us=_now_us(connection))
            )
        return changed.rowcount == 1

    def dead(self, *, lease_counts: bool) -> list[str]:
        """The executors that have died; this process is never one of them."""
        with self._database.connect() as connection:
            now_us = _now_us(connection)
            rows = connection.execute(
                sa.select(run_executors).where(run_executors.c.id != self.executor_id)
            ).all()
        found = [
            Executor(row.id, Whereabouts(row.place, row.process), row.seen_at_us) for row in rows
        ]
        here = self._whereabouts.place
        return [
            one.id
            for one in found
            if is_dead(one, now_us, here, _now(one), lease_counts=lease_counts)
        ]

    def strangers(self, executor_ids: set[str]) -> set[str]:
        """Those of `executor_ids` that have left, or were taken for dead."""
        with self._database.connect() as connection:
            known = connection.execute(sa.select(run_executors.c.id)).scalars()
            return executor_ids - set(known) - {self.executor_id}

    def leave(self, executor_id: str) -> None:
        """Forget an executor whose runs are in other hands."""
        with self._database.begin() as connection:
            connection.execute(sa.delete(run_executors).where(run_executors.c.id == executor_id))


def _now_us(connection: Connection) -> int:
    """By a clock that all processes of this database share."""
    if connection.dialect.name == "postgresql":
        return int(connection.execute(_POSTGRES_NOW).scalar_one())
    return time.time_ns() // 1000


def _now(executor: Executor) -> str | None:
    number = executor.whereabouts.process.partition(" ")[0]
    return _process(int(number)) if number else None


def _place() -> str:
    """The machine, since when it is up, and the namespace of process numbers; else empty."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = Path("/proc/self/ns/pid").readlink()
    except OSError:
        return ""
    return f"{socket.gethostname()[:40]} {boot} {namespace}"[:128]


def _process(number: int) -> str | None:
    """A process's number and when it began: numbers are given again; None where there is none."""
    try:
        # The name, in parentheses, may hold anything; the fields after it are of fixed order.
        fields = Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace")
        state, *_, began = fields.rpartition(")")[2].split()[:20]
    except (OSError, ValueError):
        return None
    return None if state in "ZX" else f"{number} {began}"
