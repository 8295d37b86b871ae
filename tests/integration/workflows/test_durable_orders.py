"""Runs that outlive their process, as the database keeps them; on each kind of database."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from headgate.storage import Database
from headgate.storage.durable_tables import run_executors, run_webhooks
from headgate.workflows.claims import Claim
from headgate.workflows.durable.carrier import CANCELLED
from headgate.workflows.durable.leases import LEASE_S, LeaseStore, Whereabouts
from headgate.workflows.durable.ordered import ordered, terms_of
from headgate.workflows.durable.orders import OrderStore, Terms
from headgate.workflows.durable.webhooks import WebhookOutbox
from headgate.workflows.idempotency import INTERRUPTED
from headgate.workflows.repository import RunRepository
from headgate.workflows.run import Run
from headgate.workflows.steps import Step
from scripted_workflows import order, stored_run

HERE = Whereabouts("a place", "")


@pytest.fixture
def stored(database: Database) -> RunRepository:
    return RunRepository(database)


@pytest.fixture
def orders(database: Database) -> OrderStore:
    return OrderStore(database)


def a_run(**changes: object) -> Run:
    return stored_run(**{"status": "queued", "input": {"text": "hello"}, **changes})


TERMS = Terms(body="{}", priority=2, webhook="https://example.com/")


def test_an_order_goes_with_its_run_s_end_and_leaves_word(stored, orders, database):
    run = a_run()
    assert not orders.any_under_way()
    stored.begin(run, None, TERMS)
    assert orders.any_under_way()
    assert (orders.count(), orders.get(run.id)) == (1, TERMS)
    begun = Step(kind="render", started_at_us=run.created_at_us)
    assert stored.progress(run, [begun])
    shown = stored.get(run.id)
    assert (shown.status, [step.kind for step in shown.steps]) == ("running", ["render"])
    ended = a_run(id=run.id, status="completed", output={"n": 1}, finished_at_us=1)
    assert stored.finish(ended, None, leg=0)
    assert not orders.any_under_way()
    assert orders.get(run.id) is None
    (telling,) = WebhookOutbox(database).claim()
    assert (telling.run_id, telling.url) == (run.id, "https://example.com/")
    # It ends once: neither this one nor another process can end it, or go on with it, again.
    assert not stored.finish(ended, None, leg=0)
    assert not stored.progress(run, [])
    assert not stored.end_early(run.id, CANCELLED)
    assert len(WebhookOutbox(database).claim()) == 0


def test_one_that_waits_for_a_person_is_not_over(stored, orders):
    run = a_run()
    stored.begin(run, None, TERMS)
    assert stored.finish(a_run(id=run.id, status="awaiting_review"), None, leg=0)
    assert not orders.any_under_way()
    assert orders.get(run.id) == TERMS
    assert orders.page("", 10, time.time_ns()) == []


def test_a_run_that_is_ended_early_lets_go_of_its_key(stored, orders):
    claim = Claim("default", "labels", "key_1 k", "hash")
    first = a_run()
    assert stored.begin(first, claim, TERMS) is None
    assert stored.begin(a_run(), claim, TERMS) == first.id
    assert stored.end_early(first.id, CANCELLED)
    assert stored.get(first.id).error.code == "run_cancelled"
    assert stored.begin(a_run(), claim, TERMS) is None
    assert orders.gone([first.id, "run_x"]) == {first.id, "run_x"}


def test_who_is_late_is_found_while_it_waits(stored, orders):
    late = a_run()
    stored.begin(late, None, Terms(body="{}", priority=2, deadline_at_us=5))
    stored.begin(a_run(), None, Terms(body="{}", priority=2, deadline_at_us=50))
    stored.begin(a_run(), None, TERMS)
    assert orders.overdue(6, 10) == [late.id]
    stored.progress(late, [])
    assert orders.overdue(6, 10) == []


def test_lost_synchronous_runs_are_given_up_and_no_others(stored):
    lost, kept = a_run(status="running", created_at_us=5), a_run(created_at_us=5)
    stored.begin(lost, None)
    stored.begin(kept, None, TERMS)
    stored.progress(kept, [])
    assert stored.give_up(INTERRUPTED, begun_before_us=10) == 1
    assert (stored.get(lost.id).status, stored.get(kept.id).status) == ("failed", "running")


def test_an_order_keeps_who_asked_and_not_what_was_said():
    asked = order("a customer's words", user="ann", headers=((b"x-simulator-fault", b"500"),))
    claim = Claim("default", "labels", "key_1 k", "hash")
    terms = terms_of(asked, claim, priority="bulk", deadline_at_us=7, webhook=None)
    assert "words" not in terms.body
    assert "ann" not in terms.body
    given = ordered(terms)
    assert given.claim == claim
    again = given.of_run(a_run(user_hash="#ann"))
    assert (again.caller, again.headers) == (asked.caller, asked.headers)
    assert (again.input, again.user_hash) == ({"text": "hello"}, "#ann")


def test_a_webhook_is_claimed_by_one_until_it_is_told(stored, database):
    for _ in range(3):
        run = a_run()
        stored.begin(run, None, TERMS)
        stored.end_early(run.id, CANCELLED)
    outbox, other = WebhookOutbox(database), WebhookOutbox(database)
    first, second, third = outbox.claim()
    assert other.claim() == []
    outbox.sent(first)
    outbox.failed(second, again_in_s=0)
    outbox.failed(third, again_in_s=None)
    (again,) = other.claim()
    assert (again.id, again.attempts, again.body) == (second.id, 2, second.body)
    with database.connect() as connection:
        states = connection.execute(sa.select(run_webhooks.c.state)).scalars().all()
    assert sorted(states) == ["dead", "sent", "waiting"]


def test_of_addresses_that_are_slow_each_is_told_one_thing_at_a_time(stored, database):
    for name in ("slow", "slow", "slower", "quick", "quick"):
        run = a_run()
        stored.begin(run, None, msgspec.structs.replace(TERMS, webhook=f"https://{name}/"))
        stored.end_early(run.id, CANCELLED)
    outbox, slow = WebhookOutbox(database), ["https://slow/", "https://slower/"]
    assert [one.url for one in outbox.claim_others(5, slow)] == ["https://quick/"] * 2
    first = outbox.claim_one_each(5, slow)
    assert sorted(one.url for one in first) == slow
    assert [one.url for one in outbox.claim_one_each(5, slow)] == ["https://slow/"]
    assert outbox.claim_one_each(5, []) == outbox.claim() == []


def test_who_does_not_say_that_it_lives_is_dead(database, tmp_path: Path):
    mine, other = (LeaseStore(database, name, HERE) for name in ("executor_1", "executor_2"))
    mine.enter()
    other.enter()
    assert mine.dead(lease_counts=True) == []
    assert mine.beat()
    with database.begin() as connection:
        connection.execute(
            sa.update(run_executors)
            .where(run_executors.c.id == "executor_2")
            .values(seen_at_us=run_executors.c.seen_at_us - int((LEASE_S + 1) * 1e6))
        )
    assert mine.dead(lease_counts=True) == ["executor_2"]
    assert mine.dead(lease_counts=False) == [], "after an outage nobody is judged by it"
    mine.leave("executor_2")
    assert not other.beat(), "it learns that it was taken for dead"
    assert mine.dead(lease_counts=True) == []
