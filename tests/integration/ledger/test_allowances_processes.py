"""Four processes, five hundred calls each at once, one budget: never more, and nearly all of it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from allowance_processes import CALL_NANOUSD, WHO, a_claim, allowances, one_call, standing

from headgate.errors import BudgetExceededError, HeadgateError, LimitExceededError
from headgate.ledger.allowances.allowances import Allowances
from headgate.ledger.allowances.claim import NOTHING, Used
from headgate.ledger.allowances.share import Turn
from headgate.ledger.allowances.store import Exchanged
from headgate.storage import Database
from headgate.storage.allowance_tables import allowance_holders
from headgate.storage.allowance_tables import allowances as table

SCRIPT = Path(__file__).with_name("allowance_processes.py")

BUDGET = [{"per": "project", "usd": "0.8", "window": "total"}]
FITTING = 800
"""Calls that the budget is for."""


def started(url: str, *, calls: int, lasts_s: float = 0.01) -> subprocess.Popen[str]:
    """A process that makes so many calls at once, as soon as it is told to."""
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), url, str(calls), json.dumps(BUDGET), str(lasts_s)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def ready(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"


def ended(process: subprocess.Popen[str], tell: str | None = "\n") -> dict[str, int]:
    return dict(json.loads(process.communicate(tell, timeout=60)[0]))


def test_four_processes_with_500_calls_each_spend_a_budget_exactly(database_url: str):
    processes = [started(database_url, calls=500) for _ in range(4)]
    for process in processes:
        ready(process)
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    counts = [ended(process, None) for process in processes]
    made = sum(one.get("made", 0) for one in counts)
    assert set().union(*counts) <= {"made", "budget_exceeded"}
    assert 0.95 * FITTING <= made <= FITTING
    database = Database(database_url)
    taken, spent = standing(database)
    assert taken == spent == made * CALL_NANOUSD
    with database.connect() as connection:
        assert connection.execute(sa.select(allowance_holders)).all() == []
    database.close()


def test_a_process_that_is_killed_never_leads_to_an_overspend(database_url: str):
    killed = started(database_url, calls=100, lasts_s=60)
    ready(killed)
    assert killed.stdin is not None
    killed.stdin.write("\n")
    killed.stdin.flush()
    database = Database(database_url)
    until_s = time.monotonic() + 20
    # Its calls are in flight, and what they might cost is reserved.
    while not (held := reserved(database)):
        assert time.monotonic() < until_s
        time.sleep(0.05)
    killed.kill()
    killed.communicate()
    other = started(database_url, calls=FITTING + 50)
    ready(other)
    made = ended(other)["made"]
    taken, spent = standing(database)
    assert spent == made * CALL_NANOUSD
    assert spent + held <= taken <= FITTING * CALL_NANOUSD
    assert made >= FITTING - 100 - FITTING // 10, "no more is lost than it might have used"
    database.close()


def reserved(database: Database) -> int:
    with database.connect() as connection:
        found = connection.execute(sa.select(table.c.taken)).scalar()
    return found if found is not None and found >= 100 * CALL_NANOUSD else 0


async def test_a_call_is_admitted_from_memory(database: Database):
    counted = allowances(database, budgets=[{"per": "project", "usd": "10", "window": "day"}])
    counted.start()
    for _ in range(50):
        assert await one_call(counted, lasts_s=0) == "made"
    with database.connect() as connection:
        turns = connection.execute(sa.select(allowance_holders.c.turn)).scalar_one()
    assert await asyncio.gather(*(one_call(counted) for _ in range(500))) == ["made"] * 500
    with database.connect() as connection:
        after = connection.execute(sa.select(allowance_holders.c.turn)).scalar_one()
    assert after - turns < 100
    await counted.stop(5)


async def test_what_one_process_does_not_use_another_gets(database: Database):
    budgets = [{"per": "project", "usd": "0.02", "window": "total"}]
    one, other = (allowances(database, budgets=budgets) for _ in range(2))
    one.start()
    other.start()
    reservations = [
        await one.reserve(one.applied(WHO), a_claim(), "support", "normal") for _ in range(10)
    ]
    for reservation in reservations:
        one.settle(reservation, NOTHING)
    began_s = time.monotonic()
    while standing(database)[0]:
        assert time.monotonic() < began_s + 5, "what is not used goes back soon"
        await asyncio.sleep(0.05)
    made = [await one_call(other, lasts_s=0) for _ in range(21)]
    assert made == ["made"] * 20 + ["budget_exceeded"]
    await one.stop(5)
    await other.stop(5)
    assert standing(database) == (20 * CALL_NANOUSD, 20 * CALL_NANOUSD)


async def test_a_refusal_says_which_rule_how_much_is_left_and_until_when(database: Database):
    counted = allowances(
        database,
        limits=[{"per": "key", "requests_per_minute": 2}],
        budgets=[{"per": "project", "usd": "1", "window": "month", "time_zone": "Europe/Berlin"}],
    )
    counted.start()
    applied = counted.applied(WHO)
    with pytest.raises(BudgetExceededError, match=r"usd/month per project.*\$1\.00.*support"):
        await counted.reserve(applied, a_claim(nanousd=2_000_000_000), "support", "normal")
    for _ in range(2):
        await counted.reserve(applied, a_claim(), "support", "normal")
    with pytest.raises(LimitExceededError, match=r"requests/minute per key.*0 are left") as caught:
        await counted.reserve(applied, a_claim(), "support", "normal")
    assert caught.value.retry_after_s is not None
    assert 50 < caught.value.retry_after_s < 65
    assert counted.refusals == {"usd/month per project": 1, "requests/minute per key": 1}
    await counted.stop(5)


async def test_tokens_that_were_reserved_and_not_used_come_back(database: Database):
    counted = allowances(database, limits=[{"per": "key", "tokens_per_minute": 1000}])
    counted.start()
    applied = counted.applied(WHO)
    for _ in range(5):
        held = await counted.reserve(applied, a_claim(tokens=700), "support", "normal")
        counted.settle(held, Used(requests=1, tokens=50, nanousd=0))
    with pytest.raises(LimitExceededError):
        await counted.reserve(applied, a_claim(tokens=800), "support", "normal")
    await counted.reserve(applied, a_claim(tokens=700), "support", "normal")
    await counted.stop(5)


async def test_a_call_that_would_never_fit_is_not_to_be_tried_again(database: Database):
    counted = allowances(database, limits=[{"per": "key", "tokens_per_minute": 1000, "wait_s": 60}])
    counted.start()
    with pytest.raises(LimitExceededError, match="more than the whole limit") as caught:
        await counted.reserve(counted.applied(WHO), a_claim(tokens=1001), "support", "normal")
    assert caught.value.retryable is False
    await counted.stop(5)


async def test_calls_wait_in_line_in_fair_order(database: Database):
    counted = allowances(database, limits=[{"per": "organisation", "concurrent": 1, "wait_s": 10}])
    counted.start()
    order: list[str] = []

    async def call(project: str, priority: str) -> None:
        who = WHO._replace(project=project)
        held = await counted.reserve(counted.applied(who), a_claim(), project, priority)
        order.append(f"{project}:{priority}")
        await asyncio.sleep(0.01)
        counted.settle(held, Used(requests=1, tokens=10, nanousd=0))

    first = await counted.reserve(counted.applied(WHO), a_claim(), "support", "normal")
    tasks = []
    for project, priority in (
        ("busy", "normal"), ("busy", "bulk"), ("busy", "normal"), ("busy", "normal"),
        ("quiet", "normal"), ("quiet", "interactive"),
    ):  # fmt: skip
        tasks.append(asyncio.create_task(call(project, priority)))
        while counted.waiting < len(tasks):
            await asyncio.sleep(0.005)
    counted.settle(first, NOTHING)
    await asyncio.gather(*tasks)
    assert order == [
        "quiet:interactive", "busy:normal", "quiet:normal", "busy:normal", "busy:normal",
        "busy:bulk",
    ]  # fmt: skip
    assert counted.waiting == 0
    await counted.stop(5)


@pytest.mark.parametrize("places", [1, 2])
async def test_no_line_of_one_process_starves_that_of_another(database: Database, places: int):
    limits = [{"per": "organisation", "concurrent": places, "wait_s": 10}]
    busy, quiet = (allowances(database, limits=limits) for _ in range(2))
    busy.start()
    quiet.start()
    ended: list[str] = []

    async def call(counted: Allowances, name: str) -> None:
        held = await counted.reserve(counted.applied(WHO), a_claim(), "support", "normal")
        await asyncio.sleep(0.1)
        counted.settle(held, Used(requests=1, tokens=10, nanousd=0))
        ended.append(name)

    tasks = [asyncio.create_task(call(busy, "busy")) for _ in range(30)]
    while not ended:
        await asyncio.sleep(0.01)
    tasks.append(asyncio.create_task(call(quiet, "quiet")))
    await asyncio.gather(*tasks)
    # Else it would be the last.
    assert ended.index("quiet") < 25
    await busy.stop(5)
    await quiet.stop(5)


async def test_a_line_is_bounded_and_says_so(database: Database):
    counted = allowances(
        database, limits=[{"per": "key", "concurrent": 1, "wait_s": 1}], queue_calls=1
    )
    counted.start()
    held = await counted.reserve(counted.applied(WHO), a_claim(), "support", "normal")
    ended = await asyncio.gather(*(one_call(counted, lasts_s=0) for _ in range(2)))
    assert sorted(ended) == ["queue_full", "rate_limit_exceeded"]
    counted.settle(held, Used(requests=1, tokens=10, nanousd=0))
    assert await one_call(counted, lasts_s=0) == "made"
    await counted.stop(5)


async def test_who_gives_up_in_line_leaves_nothing_reserved(database: Database):
    counted = allowances(database, limits=[{"per": "key", "concurrent": 1, "wait_s": 10}])
    counted.start()
    first = asyncio.create_task(one_call(counted, lasts_s=0.2))
    await asyncio.sleep(0.1)
    second = asyncio.create_task(one_call(counted))
    await asyncio.sleep(0.05)
    second.cancel()
    assert await first == "made"
    assert await one_call(counted, lasts_s=0) == "made"
    assert counted.waiting == 0
    await counted.stop(5)


async def test_without_its_database_a_server_refuses_or_spends_what_it_leased(
    database: Database, monkeypatch
):
    budgets = [{"per": "project", "usd": "100", "window": "day"}]
    strict = allowances(database, budgets=budgets)
    lenient = allowances(database, budgets=budgets, when_store_is_away="spend_leased")
    for counted in (strict, lenient):
        counted.start()
        # Enough at once that some of a share is left.
        made = await asyncio.gather(*(one_call(counted, lasts_s=0.3) for _ in range(30)))
        assert made == ["made"] * 30

    def unreachable(*_: object) -> object:
        from headgate.errors import DatabaseUnavailableError

        raise DatabaseUnavailableError

    for counted in (strict, lenient):
        held = await counted.reserve(counted.applied(WHO), a_claim(), "support", "normal")
        monkeypatch.setattr(counted._exchange._store, "exchange", unreachable)
        counted.settle(held, NOTHING)
    began_s = time.monotonic()
    while not (strict._exchange.failed and lenient._exchange.failed):
        assert time.monotonic() < began_s + 5
        for counted in (strict, lenient):
            counted._exchange._wake.set()
            for share in counted.share_states():
                counted._exchange.active[share] = None
                share.refused = True
        await asyncio.sleep(0.02)
    with pytest.raises(HeadgateError) as caught:
        await strict.reserve(strict.applied(WHO), a_claim(), "support", "normal")
    assert caught.value.code == "allowances_unavailable"
    (share,) = lenient.share_states()
    leased = share.available // CALL_NANOUSD
    ended = [await one_call(lenient, lasts_s=0) for _ in range(leased + 1)]
    assert ended == ["made"] * leased + ["allowances_unavailable"]
    monkeypatch.undo()
    await strict.stop(5)
    await lenient.stop(5)
    taken, spent = standing(database)
    assert taken == spent == (60 + leased) * CALL_NANOUSD


async def test_a_database_that_hangs_is_away_too(database: Database, monkeypatch):
    counted = allowances(database, budgets=[{"per": "project", "usd": "100", "window": "day"}])
    counted.start()
    assert await asyncio.gather(*(one_call(counted, lasts_s=0.3) for _ in range(9))) == ["made"] * 9
    held = await counted.reserve(counted.applied(WHO), a_claim(), "support", "normal")
    store = counted._exchange._store
    exchange, goes_on = store.exchange, threading.Event()

    def hangs(turns: list[Turn]) -> Exchanged:
        goes_on.wait()
        return exchange(turns)

    monkeypatch.setattr("headgate.ledger.allowances.exchange._HANGING_S", 0.1)
    monkeypatch.setattr(store, "exchange", hangs)
    (share,) = counted.share_states()
    share.refused = True
    counted._exchange.nudge(share)
    await asyncio.sleep(0.3)
    counted.settle(held, NOTHING)
    assert share.available >= CALL_NANOUSD, "its process has leased enough"
    assert await one_call(counted, lasts_s=0) == "allowances_unavailable"
    goes_on.set()
    began_s = time.monotonic()
    while await one_call(counted, lasts_s=0) != "made":
        assert time.monotonic() < began_s + 6
        await asyncio.sleep(0.02)
    await counted.stop(5)


async def test_what_is_just_going_back_is_not_taken_for_used_up(database: Database):
    counted = allowances(database, budgets=[{"per": "key", "usd": "0.01", "window": "day"}])
    counted.start()
    applied = counted.applied(WHO)
    for pause_s in (0.45, 0.5, 0.52, 0.55, 0.6):
        held = await counted.reserve(applied, a_claim(10 * CALL_NANOUSD), "support", "normal")
        counted.settle(held, NOTHING)
        # About now the idle share is on its way back to the store.
        await asyncio.sleep(pause_s)
    await counted.stop(5)


async def test_an_allowance_that_can_not_be_counted_holds_up_no_other(database: Database, caplog):
    budgets = [{"per": "user", "usd": "1", "window": "day"}]
    first = allowances(database, budgets=budgets)
    first.start()
    users = [WHO._replace(user=f"user-{number}") for number in range(20)]
    assert {await one_call(first, who=who, lasts_s=0) for who in users} == {"made"}
    await first.stop(5)
    broken = table.c.subject == "user=user-7"
    with database.begin() as connection:
        connection.execute(sa.update(table).where(broken).values(detail="{no JSON"))
    counted = allowances(database, budgets=budgets)
    counted.start()
    ended = await asyncio.gather(*(one_call(counted, who=who, lasts_s=0) for who in users))
    assert [number for number, how in enumerate(ended) if how != "made"] == [7]
    assert ended[7] == "allowances_unavailable"
    assert await one_call(counted, who=users[8], lasts_s=0) == "made"
    assert counted._exchange.broken == 1
    assert [line.subject for line in caplog.records if "can't be counted" in line.message] == [
        "user=user-7"
    ]
    with database.begin() as connection:
        connection.execute(sa.update(table).where(broken).values(detail="{}"))
    for share in counted.share_states():
        share.broken_until_us = 0
    assert await one_call(counted, who=users[7], lasts_s=0) == "made"
    await counted.stop(5)
    with database.connect() as connection:
        spent = connection.execute(sa.select(sa.func.sum(table.c.spent))).scalar()
    assert spent == (20 + 19 + 1 + 1) * CALL_NANOUSD


async def test_a_store_that_carries_out_nothing_breaks_no_allowance(database: Database):
    counted = allowances(database, budgets=[{"per": "user", "usd": "1", "window": "day"}])
    counted.start()
    with database.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE allowances RENAME TO allowances_away")
    assert await one_call(counted, lasts_s=0) == "allowances_unavailable"
    with database.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE allowances_away RENAME TO allowances")
    until_s = time.monotonic() + 10
    while await one_call(counted, lasts_s=0) != "made":
        assert time.monotonic() < until_s
        await asyncio.sleep(0.1)
    assert counted._exchange.broken == 0
    await counted.stop(5)
