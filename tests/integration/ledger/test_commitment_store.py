"""What was begun is settled once, whoever sees its end; what it held outlives every process."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from allowance_processes import WHO, a_claim, allowances, rules, standing

from headgate.errors import BudgetExceededError
from headgate.ledger.allowances.held import Held
from headgate.ledger.commitments.commitment import Commitment
from headgate.ledger.commitments.store import CommitmentStore, Settled
from headgate.ledger.record import CallRecord
from headgate.storage import Database
from headgate.storage.allowance_tables import allowances as table
from headgate.storage.commitment_tables import commitments
from headgate.storage.schema import calls

DOLLAR = 1_000_000_000
HELD_RULE = "usd/total per project"
BUDGET = [{"per": "project", "usd": "1", "window": "total"}]


def a_commitment(object_id: str = "resp_1", **changes: Any) -> Commitment:
    return Commitment(
        **{
            "kind": "response",
            "object_id": object_id,
            "provider": "openai",
            "project": "support",
            "key_id": "key_1",
            "trace_id": "0" * 32,
        }
        | changes
    )


def a_record(call_id: str = "call_1", cost_nanousd: int = 5) -> CallRecord:
    return CallRecord(
        id=call_id, started_at_us=1, project="support", key_id="key_1", trace_id="0" * 32,
        endpoint="responses/usage", cost_nanousd=cost_nanousd,
    )  # fmt: skip


def a_store(database: Database, crossed: Any = None, budgets: Any = BUDGET) -> CommitmentStore:
    return CommitmentStore(database, rules([], budgets), crossed)


def take(database: Database, *, taken: int, spent: int) -> None:
    """Have the budget's row say so."""
    values = {"rule": HELD_RULE, "subject": "project=support", "period_us": 0}
    with database.begin() as connection:
        connection.execute(
            sa.insert(table).values(
                values | {"taken": taken, "spent": spent, "detail": "{}", "touched_at_us": 0}
            )
        )


async def held_by_a_process_that_ends(database: Database, nanousd: int) -> tuple[Held, ...]:
    """What a call of a process reserved and handed over, before the process ended."""
    counted = allowances(database, budgets=BUDGET)
    counted.start()
    applied = counted.applied(WHO)
    reservation = await counted.reserve(applied, a_claim(nanousd), "support", "normal")
    held = counted.hand_over(reservation)
    await counted.stop(5)
    return held


async def test_what_is_held_outlives_its_process_and_comes_back_when_it_is_settled(
    database: Database,
):
    held = await held_by_a_process_that_ends(database, DOLLAR * 6 // 10)
    assert [(one.measure, one.amount) for one in held] == [("nanousd", DOLLAR * 6 // 10)]
    assert standing(database) == (DOLLAR * 6 // 10, 0)
    store = a_store(database)
    store.make(a_commitment(held=held), 0.0)
    other = allowances(database, budgets=BUDGET)
    other.start()
    with pytest.raises(BudgetExceededError, match=r"\$0\.40 are left"):
        await other.reserve(other.applied(WHO), a_claim(DOLLAR // 2), "support", "normal")
    (found,) = store.going_on("response", "openai", ["resp_1", "resp_2"])
    assert found.held == held
    record = store.settle(
        found, "completed", lambda: Settled(a_record(), nanousd=DOLLAR // 10, tokens=9)
    )
    assert record is not None
    assert standing(database) == (DOLLAR // 10, DOLLAR // 10)
    await asyncio.sleep(0.15)
    await other.reserve(other.applied(WHO), a_claim(DOLLAR * 9 // 10), "support", "normal")
    with pytest.raises(BudgetExceededError):
        await other.reserve(other.applied(WHO), a_claim(1), "support", "normal")
    await other.stop(5)


async def test_a_limit_by_the_minute_counts_what_was_reserved_and_holds_nothing(
    database: Database,
):
    counted = allowances(
        database, limits=[{"per": "key", "tokens_per_minute": 1000, "concurrent": 1}]
    )
    counted.start()
    applied = counted.applied(WHO)
    reservation = await counted.reserve(applied, a_claim(tokens=700), "support", "normal")
    assert counted.hand_over(reservation) == ()
    again = await counted.reserve(applied, a_claim(tokens=300), "support", "normal")
    assert again.holds
    await counted.stop(5)


def test_many_processes_that_see_its_end_settle_it_once(database_url: str):
    database = Database(database_url)
    store = a_store(database)
    held = (Held(HELD_RULE, "project=support", 0, "nanousd", 50),)
    take(database, taken=70, spent=20)
    store.make(a_commitment(held=held), 0.0)
    store.make(a_commitment(held=held), 0.0)
    databases = [Database(database_url) for _ in range(4)]
    ready = threading.Barrier(4)

    def settle(number: int) -> CallRecord | None:
        ready.wait(20)
        record = a_record(f"call_{number}", 30)
        return a_store(databases[number]).settle(
            a_commitment(held=held), "completed", lambda: Settled(record, 30, 9)
        )

    with ThreadPoolExecutor(4) as pool:
        settled = [one for one in pool.map(settle, range(4)) if one is not None]
    assert len(settled) == 1
    assert standing(database) == (50, 50)
    with database.connect() as connection:
        assert connection.execute(sa.select(calls.c.id, calls.c.cost_nanousd)).all() == [
            (settled[0].id, 30)
        ]
        row = connection.execute(sa.select(commitments)).one()
    assert (row.ended, row.settled_at_us is None) == ("completed", False)
    for one in (database, *databases):
        one.close()


def test_what_cannot_be_settled_whole_is_not_settled_at_all(database: Database):
    store = a_store(database)
    store.make(a_commitment(), 0.0)

    def fails() -> Settled:
        raise RuntimeError("a fault of ours")

    with pytest.raises(RuntimeError):
        store.settle(a_commitment(), "completed", fails)
    assert store.going_on("response", "openai", ["resp_1"])
    assert store.settle(a_commitment(), "cancelled", lambda: Settled(None, 0, 0)) is None
    assert store.going_on("response", "openai", ["resp_1"]) == []


@pytest.mark.parametrize(
    ("unpriced", "spent"), [("refuse", 50), ("allow", 0)], ids=["kept", "allowed"]
)
def test_what_has_no_price_counts_as_its_worst_case_unless_that_is_allowed(
    database: Database, unpriced: str, spent: int
):
    held = (Held(HELD_RULE, "project=support", 0, "nanousd", 50),)
    take(database, taken=50, spent=0)
    store = a_store(database, budgets=[BUDGET[0] | {"unpriced": unpriced}])
    store.make(a_commitment(held=held), 0.0)
    store.settle(a_commitment(held=held), "completed", lambda: Settled(None, None, None))
    assert standing(database) == (spent, spent)


def test_what_it_cost_is_alerted_on(database: Database):
    told: list[int] = []
    store = a_store(database, lambda *about: told.append(about[3]))
    held = (Held(HELD_RULE, "project=support", 0, "nanousd", DOLLAR),)
    take(database, taken=DOLLAR, spent=0)
    store.make(a_commitment(held=held), 0.0)
    cost = DOLLAR * 8 // 10
    store.settle(a_commitment(held=held), "completed", lambda: Settled(None, cost, 1))
    assert told == [50, 75]


def test_each_is_asked_after_by_one_process_at_a_time(database_url: str, monkeypatch):
    database = Database(database_url)
    store = a_store(database)
    for number in range(12):
        store.make(a_commitment(f"resp_{number}"), 0.0)
    assert store.claim(0.0) == [], "nothing is due yet"
    with database.begin() as connection:
        connection.execute(sa.update(commitments).values(due_at_us=0))
    databases = [Database(database_url) for _ in range(4)]
    ready = threading.Barrier(4)

    def claim(one: Database) -> list[str]:
        ready.wait(20)
        return [due.commitment.object_id for due in a_store(one).claim(0.0)]

    with ThreadPoolExecutor(4) as pool:
        claimed = [name for names in pool.map(claim, databases) for name in names]
    assert len(claimed) == len(set(claimed))
    rest = [due.commitment.object_id for due in store.claim(0.0)]
    assert sorted(claimed + rest) == sorted(f"resp_{number}" for number in range(12))
    assert store.claim(0.0) == []
    for one in (database, *databases):
        one.close()


def test_one_that_goes_on_is_asked_after_again_later(database: Database):
    store = a_store(database)
    store.make(a_commitment(), 0.0)
    with database.begin() as connection:
        connection.execute(sa.update(commitments).values(due_at_us=0))
    (due,) = store.claim(0.0)
    assert due.looks == 1
    store.look_again(due, 0.0)
    with database.connect() as connection:
        row = connection.execute(sa.select(commitments)).one()
    assert row.looks == 1
    assert 0 < row.due_at_us - row.made_at_us < 10_000_000
