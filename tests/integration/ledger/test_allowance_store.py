"""The store's transactions: carried out once, told by the row, and cleared of what is long gone."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from allowance_processes import ignore, rules

from headgate.errors import DatabaseUnavailableError
from headgate.ledger.alerts.outbox import AlertOutbox
from headgate.ledger.allowances.report import states
from headgate.ledger.allowances.share import Share, Turn
from headgate.ledger.allowances.standing import Ask
from headgate.ledger.allowances.store import AllowanceStore
from headgate.ledger.allowances.window import period_at
from headgate.storage import Database
from headgate.storage.allowance_tables import alert_deliveries, allowance_holders, allowances

NOW_US = 1_795_000_000_000_000
BUDGETS = [{"per": "project", "usd": "0.000001", "window": "month"}]


def a_turn(ask: Ask, *, subject: str = "project=a") -> Turn:
    (rule,) = rules([], BUDGETS).rules
    period = period_at(rule.window, rule.zone, NOW_US)
    return Turn(Share(rule, subject), period, ask, current=True)


def taken(database: Database) -> int:
    with database.connect() as connection:
        return int(connection.execute(sa.select(sa.func.sum(allowances.c.taken))).scalar_one())


def test_a_transaction_whose_answer_was_lost_is_not_carried_out_twice(database: Database):
    store = AllowanceStore(database, "holder", ignore)
    turns = [a_turn(Ask(want=100, least=100, spent=7))]
    (first,) = store.exchange(turns).answers
    assert first is not None
    assert first.granted == 100
    # As if the connection had died after the commit was sent.
    store._doubtful = True
    assert store.exchange(turns).answers == (None,)
    assert taken(database) == 100
    (third,) = store.exchange([a_turn(Ask(give_back=100))]).answers
    assert third is not None
    assert (third.taken, third.spent, third.left) == (0, 7, 1000)


def test_a_transaction_that_failed_is_carried_out_when_it_is_tried_again(
    database: Database, monkeypatch
):
    store = AllowanceStore(database, "holder", ignore)
    turns = [a_turn(Ask(want=100, least=100))]

    def break_off(*_: object) -> None:
        raise DatabaseUnavailableError

    monkeypatch.setattr(store, "_write", break_off)
    with pytest.raises(DatabaseUnavailableError):
        store.exchange(turns)
    monkeypatch.undo()
    (answer,) = store.exchange(turns).answers
    assert answer is not None
    assert taken(database) == answer.granted == 100


def test_one_transaction_carries_many_allowances(database: Database):
    store = AllowanceStore(database, "holder", ignore)
    turns = [a_turn(Ask(want=1, least=1), subject=f"project=p{n}") for n in range(50)]
    assert all(answer and answer.granted == 1 for answer in store.exchange(turns).answers)
    assert taken(database) == 50


def test_what_was_used_long_ago_is_forgotten_but_a_budget_in_total_is_not(database: Database):
    store = AllowanceStore(database, "holder", ignore)
    old = {"taken": 5, "spent": 5, "detail": "{}", "touched_at_us": 1}
    rows = [
        {"rule": "requests/minute per key", "subject": "key=a", "period_us": 0, **old},
        {"rule": "concurrent per key", "subject": "key=a", "period_us": 0, **old},
        {"rule": "usd/day per key", "subject": "key=a", "period_us": 1, **old},
        {"rule": "usd/total per key", "subject": "key=a", "period_us": 0, **old},
    ]
    with database.begin() as connection:
        connection.execute(sa.insert(allowances), rows)
        connection.execute(
            sa.insert(allowance_holders), {"holder": "gone", "turn": 1, "seen_at_us": 1}
        )
    store.forget_old()
    with database.connect() as connection:
        left = connection.execute(sa.select(allowances.c.rule)).scalars().all()
        assert connection.execute(sa.select(allowance_holders)).all() == []
    assert left == ["usd/total per key"]


def test_each_threshold_is_told_once_by_whichever_process_comes_to_it(database: Database):
    outbox = AlertOutbox(database, ["log", "webhook:ops"])
    one, other = (AllowanceStore(database, name, outbox) for name in ("one", "other"))
    for store in (one, other, one, other):
        # To 20, 40, 60 and 80 percent.
        store.exchange([a_turn(Ask(debt=200, spent=200))])
    for store in (one, other):
        store.exchange([a_turn(Ask(refused=True))])
    with database.connect() as connection:
        rows = connection.execute(sa.select(alert_deliveries)).all()
    told = sorted((row.threshold, row.channel) for row in rows)
    assert told == [(t, channel) for t in (50, 75, 100) for channel in ("log", "webhook:ops")]
    assert len({row.id for row in rows}) == 3


def test_the_report_tells_what_is_used_and_left_in_the_present_window(database: Database):
    store = AllowanceStore(database, "holder", ignore)
    store.exchange([a_turn(Ask(debt=400, spent=300)), a_turn(Ask(debt=1), subject="project=ab")])
    known = rules([], BUDGETS)
    with database.connect() as connection:
        found, more = states(connection, known, NOW_US)
        mine, _ = states(connection, known, NOW_US, project="a")
        later, _ = states(connection, known, NOW_US + 40 * 86_400_000_000)
    assert [(s.subject, s.taken, s.spent, s.left) for s in found] == [
        ("project=a", 400, 300, 600),
        ("project=ab", 1, 0, 999),
    ]
    assert not more
    assert [state.subject for state in mine] == ["project=a"]
    assert later == []
