"""What time does to reviews, once, however many processes look: the clock is the test's."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from headgate.errors import ConflictError
from headgate.ledger.alerts.outbox import AlertOutbox
from headgate.review.choice import Choice
from headgate.review.sweeper import Sweeper
from headgate.storage import Database
from headgate.storage.allowance_tables import alert_deliveries
from headgate.workflows.catalogue import Catalogue
from review_people import person
from scripted_workflows import GOOD

HOUR_US = 3_600_000_000
FALLBACK = {"label": "bad", "score": 0}


class Swept:
    """A desk with several processes that look after it."""

    def __init__(self, desk: Any, database: Database) -> None:
        self.desk = desk
        self.database = database
        outbox = AlertOutbox(database, ["log"])
        self.sweepers = [
            Sweeper(
                desk.repository,
                desk.runs,
                desk.runner.catalogue,
                desk.runner.threads,
                outbox.note_review,
                clock_us=desk.clock,
            )
            for _ in range(4)
        ]

    async def after(self, hours: float) -> int:
        """Let so many hours pass, and all processes look at once; how much was done."""
        self.desk.clock.now_us += int(hours * HOUR_US)
        return sum(await asyncio.gather(*(sweeper.look() for sweeper in self.sweepers)))

    def told(self) -> list[tuple[int, str]]:
        """What alerts there are: their numbers, and what they are about."""
        with self.database.connect() as connection:
            rows = connection.execute(sa.select(alert_deliveries)).all()
        return sorted((row.threshold, row.subject) for row in rows)

    def events(self, review_id: str) -> list[tuple[str, str | None]]:
        found = self.desk.repository.events(review_id)
        return [(event.what, event.detail) for event in found]


@pytest.fixture
def swept_with(desk_with, database: Database):
    def make(deadline: str, *, more: str = "") -> Swept:
        desk = desk_with(f"{more}\nreview: {{always: true, deadline: {{{deadline}}}}}")
        return Swept(desk, database)

    return make


async def test_people_are_reminded_once_whoever_looks(swept_with):
    swept = swept_with("within_hours: 10, remind_at: [50, 90]")
    _, review_id = await swept.desk.held()
    assert await swept.after(4.9) == 0
    assert await swept.after(0.2) == 1
    assert await swept.after(0) == 0
    assert await swept.after(4) == 1
    assert await swept.after(1) == 1
    assert await swept.after(1_000) == 0
    assert swept.told() == [(50, review_id), (90, review_id), (100, review_id)]
    assert swept.events(review_id)[1:] == [
        ("reminded", "50 %"),
        ("reminded", "90 %"),
        ("overdue", None),
    ]
    await swept.desk.board.decide(review_id, person(), Choice(decision="approve"))
    assert await swept.after(1_000) == 0


@pytest.mark.parametrize(
    ("then", "decision", "status", "output"),
    [
        ("approve", "approved", "completed", GOOD),
        ("reject", "rejected", "rejected", None),
        ("fall_back", "fell_back", "completed", FALLBACK),
    ],
)
async def test_when_the_time_is_up_the_run_ends_as_declared(
    swept_with, then, decision, status, output
):
    swept = swept_with(
        f"within_hours: 1, remind_at: [], then: {then}",
        more="fallback: {output: {label: bad, score: 0}}",
    )
    run_id, review_id = await swept.desk.held()
    assert await swept.after(1) == 1
    review = await swept.desk.board.get(review_id)
    assert (review.decision, review.decided_by) == (decision, "deadline")
    run = swept.desk.runs.get(run_id)
    assert (run.status, run.output) == (status, output)
    assert run.fallback is (then == "fall_back")
    if status == "rejected":
        assert run.error.code == "review_deadline_passed"
    with pytest.raises(ConflictError):
        await swept.desk.board.decide(review_id, person(), Choice(decision="approve"))


async def test_a_fallback_that_is_not_what_was_promised_does_not_go_out(swept_with):
    swept = swept_with(
        "within_hours: 1, remind_at: [], then: fall_back",
        more="fallback: {output: {label: bad, score: 0}}",
    )
    run_id, _ = await swept.desk.held()
    old = swept.desk.runner.catalogue.get("labels")
    fallback = msgspec.structs.replace(old.settings.fallback, output={"n": 1})
    settings = msgspec.structs.replace(old.settings, fallback=fallback)
    newer = Catalogue({"labels": msgspec.structs.replace(old, settings=settings)})
    swept.desk.runner.catalogue = newer
    assert await Swept(swept.desk, swept.database).after(1) == 1
    run = swept.desk.runs.get(run_id)
    assert (run.status, run.error.code) == ("rejected", "review_deadline_passed")


async def test_an_escalated_review_goes_to_the_other_group_and_its_time_begins_anew(swept_with):
    swept = swept_with(
        "within_hours: 2, remind_at: [50], then: escalate, escalate_to: leads,"
        " after_escalation: reject"
    )
    run_id, review_id = await swept.desk.held()
    await swept.desk.board.claim(review_id, person())
    assert await swept.after(2) == 1
    review = await swept.desk.board.get(review_id)
    assert (review.reviewers, review.claimed_by, review.decision) == ("leads", None, None)
    assert await swept.after(1) == 1
    assert await swept.after(1) == 1
    assert swept.desk.runs.get(run_id).status == "rejected"
    assert swept.told() == [(101, review_id), (1050, review_id)]
    assert [what for what, _ in swept.events(review_id)] == [
        "opened", "claimed", "escalated", "reminded", "rejected",
    ]  # fmt: skip


async def test_a_person_and_the_deadline_at_once_are_one_decision(swept_with):
    swept = swept_with("within_hours: 1, remind_at: [], then: reject")
    for _ in range(6):
        run_id, review_id = await swept.desk.held()
        swept.desk.clock.now_us += HOUR_US
        choice = Choice(decision="approve")
        decided, *swept_by = await asyncio.gather(
            swept.desk.board.decide(review_id, person(), choice),
            *(sweeper.look() for sweeper in swept.sweepers),
            return_exceptions=True,
        )
        late = isinstance(decided, ConflictError)
        assert sum(swept_by) == late
        status = swept.desk.runs.get(run_id).status
        assert status == ("rejected" if late else "completed")


async def test_a_reminder_puts_nobodys_decision_out_of_date(swept_with):
    swept = swept_with("within_hours: 10, remind_at: [50]")
    _, review_id = await swept.desk.held()
    seen = (await swept.desk.board.get(review_id)).version
    assert await swept.after(5) == 1
    choice = Choice(decision="approve", version=seen)
    assert (await swept.desk.board.decide(review_id, person(), choice)).decision == "approved"
