"""A machine's clock that leaps ahead and is put back locks nobody out and opens nothing twice."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace

import pytest
from allowance_processes import CALL_NANOUSD, WHO, a_claim, allowances

from headgate.errors import HeadgateError
from headgate.ledger.allowances.allowances import Allowances
from headgate.ledger.allowances.claim import Used
from headgate.ledger.allowances.rule import Who
from headgate.storage import Database

YEARS_NS = 50 * 365 * 86_400 * 1_000_000_000
DAILY = {"budgets": [{"per": "project", "usd": "0.003", "window": "day"}]}
A_MINUTE = {"limits": [{"per": "project", "requests_per_minute": 3}]}


OTHER = Who("other", "key_2")


async def let_in(counted: Allowances, calls: int, who: Who = WHO) -> int:
    """How many of so many calls are let in; each ends at once."""
    made = 0
    for _ in range(calls):
        try:
            held = await counted.reserve(counted.applied(who), a_claim(), who.project, "normal")
        except HeadgateError:
            await asyncio.sleep(0.02)
            continue
        counted.settle(held, Used(requests=1, tokens=1, nanousd=CALL_NANOUSD))
        made += 1
    return made


@pytest.mark.parametrize("declared", [DAILY, A_MINUTE], ids=["a day's budget", "a minute's limit"])
async def test_what_was_used_up_in_a_time_to_come_is_free_when_the_clock_is_put_back(
    sqlite_url: str, monkeypatch, declared
):
    ahead_ns = YEARS_NS
    shifted = SimpleNamespace(time_ns=lambda: time.time_ns() + ahead_ns)
    monkeypatch.setattr("headgate.ledger.allowances.store.time", shifted)
    database = Database(sqlite_url)
    counted = allowances(database, **declared)
    counted.start()
    try:
        for who in (WHO, OTHER):
            assert await let_in(counted, 5, who) == 3
        ahead_ns = 0
        # What was on its way to the process when the time changed may count as used for a minute.
        for who in (OTHER, WHO):
            assert 2 <= await let_in(counted, 20, who) <= 3
    finally:
        await counted.stop(5)
        database.close()
