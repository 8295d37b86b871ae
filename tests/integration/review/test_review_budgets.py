"""A budget that asks: one question over all processes, and a grant that counts in all of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
import pytest_asyncio
import sqlalchemy as sa

from headgate.config.allowances import AllowanceSettings, BudgetSettings
from headgate.errors import BudgetExceededError
from headgate.ledger.alerts.outbox import AlertOutbox
from headgate.ledger.allowances.allowances import Allowances
from headgate.ledger.allowances.claim import Claim, Used
from headgate.ledger.allowances.report import states
from headgate.ledger.allowances.rule import Who, rules_of
from headgate.ledger.allowances.store import AllowanceStore
from headgate.review import budgets
from headgate.review.board import Board
from headgate.review.budgets import BudgetAsking
from headgate.review.choice import Choice
from headgate.review.repository import ReviewRepository, Wanted
from headgate.storage import Database
from headgate.storage.allowance_tables import alert_deliveries
from headgate.storage.identifiers import new_id
from headgate.storage.threads import StorageThreads
from headgate.workflows.catalogue import Catalogue
from headgate.workflows.repository import RunRepository
from review_people import GROUPS, person

CALL_NANOUSD = 1_000_000
BUDGETS: list[dict[str, Any]] = [
    {"per": "project", "usd": "0.005", "window": "month", "at_limit": "ask"}
]
"""Five calls."""

RULES = rules_of((), msgspec.convert(BUDGETS, tuple[BudgetSettings, ...]))
WHO = Who("support", "key_1")
BOSS = person("key_boss", "admin")


class Office:
    """Several processes' allowances on one database, and the board of whoever is asked."""

    def __init__(self, database: Database, processes: int) -> None:
        self.database = database
        self.threads = StorageThreads("test")
        self.outbox = AlertOutbox(database, ["log"])
        self.repository = ReviewRepository(database)
        self.processes = [
            Allowances(
                RULES,
                AllowanceSettings(),
                AllowanceStore(database, new_id("holder"), self.outbox),
                asking=BudgetAsking(self.repository, self.threads, self.outbox.note_review),
            )
            for _ in range(processes)
        ]
        runs = RunRepository(database)
        self.board = Board(self.repository, runs, Catalogue({}), self.threads, GROUPS, lease_s=60)

    async def call(self, process: int, nanousd: int = CALL_NANOUSD, who: Who = WHO) -> str:
        """Make a call that costs what it may; return `made` or the error's code."""
        counted = self.processes[process]
        claim = Claim(
            model="m", input_tokens=1, output_tokens=0, output_stated=True, nanousd=nanousd
        )
        try:
            held = await counted.reserve(counted.applied(who), claim, who.project, "normal")
        except BudgetExceededError as error:
            return str(error.code)
        counted.settle(held, Used(requests=1, tokens=1, nanousd=nanousd))
        return "made"

    async def used_up(self) -> str:
        """Spend it all; the id of the review that follows."""
        for _ in range(5):
            assert await self.call(0) == "made"
        assert await self.call(0) == "budget_review_pending"
        (review,) = await self.board.list(Wanted(kind="budget"))
        return review.id


@pytest_asyncio.fixture
async def office(database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Office]:
    # A decision is seen at once, so that no test waits.
    monkeypatch.setattr(budgets, "_BELIEVED_S", 0.0)
    office = Office(database, 3)
    for process in office.processes:
        process.start()
    yield office
    for process in office.processes:
        await process.stop(5)
    office.threads.close()


async def test_many_calls_in_many_processes_ask_one_person_once(office: Office):
    for _ in range(5):
        assert await office.call(0) == "made"
    said = await asyncio.gather(*(office.call(number % 3) for number in range(90)))
    assert set(said) == {"budget_review_pending"}
    (review,) = await office.board.list(Wanted(kind="budget"))
    assert (review.project, review.facts.limit_nanousd) == ("support", 5 * CALL_NANOUSD)
    assert (review.facts.subject, review.facts.needed_nanousd) == ("project=support", CALL_NANOUSD)
    assert review.due_at_us == review.facts.window_ends_us
    with office.database.connect() as connection:
        told = connection.execute(
            sa.select(alert_deliveries.c.threshold).where(alert_deliveries.c.rule == "review")
        ).all()
    assert len(told) == 1


async def test_what_is_granted_can_be_spent_in_any_process_and_not_more(office: Office):
    review_id = await office.used_up()
    approve = Choice(decision="approve", usd="0.003")
    ended = await office.board.decide(review_id, BOSS, approve)
    assert ended.facts.granted_nanousd == 3 * CALL_NANOUSD
    said = await asyncio.gather(*(office.call(number % 3) for number in range(30)))
    assert said.count("made") == 3
    assert set(said) == {"made", "budget_review_pending"}
    (second,) = await office.board.list(Wanted(kind="budget"))
    assert (second.id != review_id, second.facts.extra_nanousd) == (True, 3 * CALL_NANOUSD)
    with office.database.connect() as connection:
        ((state,), _) = states(connection, RULES, ended.decided_at_us or 0)
    assert (state.taken, state.extra, state.left) == (8 * CALL_NANOUSD, 3 * CALL_NANOUSD, 0)


async def test_who_says_no_is_not_asked_again_in_this_window(office: Office):
    review_id = await office.used_up()
    await office.board.decide(review_id, BOSS, Choice(decision="reject", note="wait"))
    said = await asyncio.gather(*(office.call(number % 3) for number in range(12)))
    assert set(said) == {"budget_exceeded"}
    assert await office.board.list(Wanted(kind="budget")) == []


async def test_a_call_that_is_dearer_than_the_whole_budget_uses_up_no_question(office: Office):
    assert await office.call(0, 7 * CALL_NANOUSD) == "budget_exceeded"
    assert await office.board.list(Wanted(kind="budget")) == []
    review_id = await office.used_up()
    await office.board.decide(review_id, BOSS, Choice(decision="approve", usd="0.009"))
    assert await office.call(1, 7 * CALL_NANOUSD) == "made", "what is granted makes it larger"
    assert await office.call(2, 4 * CALL_NANOUSD) == "budget_review_pending"


async def test_of_two_who_grant_at_once_one_does(office: Office):
    review_id = await office.used_up()
    grants = (
        office.board.decide(review_id, person(f"key_{n}", "admin"), Choice(decision="approve"))
        for n in range(6)
    )
    ended = await asyncio.gather(*grants, return_exceptions=True)
    assert sum(not isinstance(one, Exception) for one in ended) == 1
    said = await asyncio.gather(*(office.call(number % 3) for number in range(30)))
    assert said.count("made") == 5


@pytest.mark.parametrize("usd", ["0", "-1", "1e3", "many", "1.0000000001"])
async def test_an_amount_that_is_none_is_refused_and_grants_nothing(office: Office, usd: str):
    review_id = await office.used_up()
    with pytest.raises(Exception, match="US dollars as text"):
        await office.board.decide(review_id, BOSS, Choice(decision="approve", usd=usd))
    assert (await office.board.get(review_id)).decision is None
