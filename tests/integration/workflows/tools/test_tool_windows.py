"""Limits of tools in a window: counted exactly, and forgotten once they are over."""

from __future__ import annotations

import asyncio

import sqlalchemy as sa

from headgate.storage.action_tables import tool_windows
from headgate.workflows.tools.action_store import ActionStore
from headgate.workflows.tools.terms import Terms

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
NOW_US = 20_000 * DAY_US
TERMS = Terms(
    effect="read",
    approvals=(),
    idempotent=False,
    needs="untrusted",
    gives="trusted",
    timeout_s=1.0,
    per_run=10,
    per_hour=3,
    per_day=5,
)


def windows(database, tool="labels/look"):
    """When each window of the tool began, in hours from `NOW_US`, and how often it was used."""
    wanted = sa.select(tool_windows).where(tool_windows.c.tool == tool)
    with database.connect() as connection:
        return sorted(
            (row.window, (row.began_s * 1_000_000 - NOW_US) // HOUR_US, row.used)
            for row in connection.execute(wanted)
        )


def test_windows_that_are_long_over_are_forgotten(database):
    store = ActionStore(database, "test")
    for hour in range(0, 24 * 10, 5):
        assert store.take("labels/look", TERMS, NOW_US + hour * HOUR_US)
    kept = windows(database)
    assert min(began for _, began, _ in kept) >= 235 - 48
    assert ("hour", 235, 1) in kept
    assert ("day", 216, 4) in kept, "the day so far, whole"


def test_what_is_forgotten_is_the_tools_own(database):
    store = ActionStore(database, "test")
    assert store.take("labels/rare", TERMS, NOW_US)
    assert store.take("labels/look", TERMS, NOW_US + 10 * DAY_US)
    assert windows(database, "labels/rare") == [("day", 0, 1), ("hour", 0, 1)]


async def test_the_present_count_stays_exact_while_old_windows_go(database):
    stores = [ActionStore(database, f"test{number}") for number in range(4)]
    for day in range(3):
        assert stores[0].take("labels/look", TERMS, NOW_US + day * DAY_US)
    now_us = NOW_US + 9 * DAY_US
    taken = await asyncio.gather(
        *(asyncio.to_thread(store.take, "labels/look", TERMS, now_us) for store in stores * 3)
    )
    assert sum(taken) == 3
    assert windows(database) == [("day", 216, 3), ("hour", 216, 3)]
    assert [stores[1].take("labels/look", TERMS, now_us + HOUR_US) for _ in range(3)] == [
        True, True, False,
    ]  # fmt: skip
