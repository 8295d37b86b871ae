"""Rolled-up usage is what the ledger adds up to, whenever and by however many it is rolled up."""

from __future__ import annotations

import random
import threading
from typing import Any

import sqlalchemy as sa

from headgate.ledger.record import CallRecord
from headgate.ledger.rollups.figures import Figures, Wanted, figures
from headgate.ledger.rollups.roller import (
    DAY_S,
    GRACE_S,
    HOUR_S,
    KEPT_S,
    SECOND_PASS_AFTER_S,
    SLOT_S,
    Roller,
)
from headgate.ledger.rows import insert_calls
from headgate.ledger.usage import usage
from headgate.storage import Database
from headgate.storage.identifiers import first_id
from headgate.storage.rollup_tables import usage_rollups
from headgate.storage.schema import calls

NOW_S = 1_790_000_000 // DAY_S * DAY_S + 15 * HOUR_S + 25 * 60
_WORKFLOWS = ("triage", "summary", None)
_MODELS = ("gpt-4.1", "gpt-4o-mini", None)


def _call(number: int, at_s: float, chance: random.Random, **values: Any) -> CallRecord:
    failed = chance.random() < 0.2
    at_us = int(at_s * 1e6)
    return CallRecord(
        **{
            "id": f"{first_id('call', at_us)}{number:016x}", "started_at_us": at_us,
            "project": chance.choice(("a", "b")), "key_id": "key_1",
            "endpoint": "chat/completions", "workflow": chance.choice(_WORKFLOWS),
            "feature": chance.choice(("x", None)), "model_requested": chance.choice(_MODELS),
            "model_answered": None if failed else chance.choice(_MODELS),
            "status": chance.choice((429, 500)) if failed else 200,
            "error_class": "failed" if failed else None,
            "input_tokens": None if failed else chance.randint(1, 900),
            "output_tokens": None if failed else chance.randint(1, 90),
            "cached_tokens": None if failed else chance.randint(0, 5),
            "cost_nanousd": None if failed or chance.random() < 0.1 else chance.randint(0, 10**6),
            "saved_nanousd": chance.choice((None, 7)),
            "cache": chance.choice(("hit", "miss", "off")),
            "latency_us": chance.randint(1000, 9_000_000), "trace_id": f"{number:032x}",
            "simulated": chance.random() < 0.5,
        }
        | values
    )  # fmt: skip


def _past(count: int, seed: int, *, days: float = 12) -> list[CallRecord]:
    """Calls of the days before now: in bursts, with long nights between."""
    chance = random.Random(seed)
    starts = [NOW_S - chance.random() * days * DAY_S for _ in range(12)]
    return [
        _call(number, min(NOW_S - 1, chance.choice(starts) + chance.random() * 7000), chance)
        for number in range(count)
    ]


def _insert(database: Database, records: list[CallRecord]) -> None:
    with database.begin() as connection:
        insert_calls(connection, records)


def _roll(database: Database, now_s: int = NOW_S) -> None:
    roller = Roller(database)
    for _ in range(1000):
        if not roller.turn(now_s):
            return
    raise AssertionError("rolling up does not end")


def _figures(database: Database, **wanted: Any) -> Figures:
    since_s = (NOW_S // DAY_S - 15) * DAY_S
    with database.connect() as connection:
        return figures(
            connection,
            Wanted(**{"since_s": since_s, "until_s": NOW_S, "point_s": DAY_S} | wanted),
        )


def _agree(database: Database, **wanted: Any) -> None:
    """The figures are the ledger's own."""
    found = _figures(database, **wanted)
    by = wanted.get("by")
    since_us = wanted.get("since_s", (NOW_S // DAY_S - 15) * DAY_S) * 1_000_000
    with database.connect() as connection:
        rows = usage(
            connection, group_by=(by,) if by else (), since_us=since_us, until_us=NOW_S * 1_000_000,
            project=wanted.get("project"),
        )  # fmt: skip
    told = {(row.group[by] or "") if by else "": row for row in rows if row.calls}
    assert set(found.by_value) == set(told)
    for value, sums in found.by_value.items():
        row = told[value]
        for name, known in (
            ("calls", row.calls), ("errors", row.errors), ("input_tokens", row.input_tokens),
            ("output_tokens", row.output_tokens), ("cached_tokens", row.cached_tokens),
            ("cost_nanousd", row.cost_nanousd or 0), ("unpriced", row.unpriced_calls),
            ("simulated", row.simulated_calls), ("cache_hits", row.cache_hits),
            ("cache_misses", row.cache_misses), ("saved_nanousd", row.saved_nanousd),
        ):  # fmt: skip
            assert sums[name] == known, (value, name)
        assert sum(sums.values[-28:]) == row.calls
    total = found.total
    assert total["calls"] == sum(sums["calls"] for sums in found.by_point.values())


def test_rolled_up_figures_are_the_ledgers_own(database: Database):
    _insert(database, _past(3000, seed=1))
    _roll(database)
    for by in (None, "project", "workflow", "model", "feature"):
        _agree(database, by=by)
        _agree(database, by=by, project="a")
    for point_s, back_s in ((SLOT_S, HOUR_S), (3 * SLOT_S, DAY_S), (2 * HOUR_S, 7 * DAY_S)):
        since_s = (NOW_S // point_s - back_s // point_s) * point_s
        _agree(database, by="workflow", point_s=point_s, since_s=since_s)


def test_figures_of_one_workflow_by_model_are_those_of_its_calls(database: Database):
    records = _past(2000, seed=2)
    _insert(database, records)
    _roll(database)
    found = _figures(database, by="model", workflow="triage", project="b")
    mine = [r for r in records if r.workflow == "triage" and r.project == "b"]
    assert found.total["calls"] == len(mine)
    for value, sums in found.by_value.items():
        its = [r for r in mine if (r.model_answered or r.model_requested or "") == value]
        assert sums["calls"] == len(its)
        assert sums["cost_nanousd"] == sum(r.cost_nanousd or 0 for r in its)
        assert sums["limited"] == sum(r.status == 429 for r in its)


def test_a_call_is_in_the_figures_at_once_and_not_twice_when_it_is_rolled_up(database: Database):
    chance = random.Random(3)
    _roll(database)
    _insert(database, [_call(1, NOW_S - 30, chance), _call(2, NOW_S - 200, chance)])
    assert _figures(database).total["calls"] == 2
    for later_s in range(0, 2 * HOUR_S, SLOT_S):
        _roll(database, NOW_S + later_s)
        assert _figures(database).total["calls"] == 2, later_s


def test_rolling_up_little_by_little_is_rolling_up_at_once(database: Database):
    records = sorted(_past(600, seed=4, days=3), key=lambda record: record.id)
    for step in range(0, 3 * DAY_S, 5 * HOUR_S + 7 * 60):
        now_s = NOW_S - 3 * DAY_S + step
        due = [r for r in records if r.started_at_us < now_s * 1_000_000]
        records = records[len(due) :]
        _insert(database, due)
        _roll(database, now_s)
    _insert(database, records)
    _roll(database)
    _agree(database, by="model")
    _agree(database, by="workflow", point_s=HOUR_S, since_s=NOW_S // HOUR_S * HOUR_S - 2 * DAY_S)


def test_a_call_that_ended_long_after_its_slot_is_counted_a_day_later(database: Database):
    chance = random.Random(5)
    _insert(database, [_call(n, NOW_S - 5 * HOUR_S + n, chance) for n in range(10)])
    _roll(database)
    _insert(database, [_call(99, NOW_S - 4 * HOUR_S, chance)])
    _roll(database, NOW_S + GRACE_S)
    assert _figures(database).total["calls"] == 10
    for later_s in range(0, SECOND_PASS_AFTER_S + 2 * DAY_S, 6 * HOUR_S):
        _roll(database, NOW_S + later_s)
    assert _figures(database).total["calls"] == 11


def test_two_that_roll_up_at_once_are_as_one(database: Database):
    _insert(database, _past(2000, seed=6))
    threads = [threading.Thread(target=_roll, args=(database,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    _agree(database, by="workflow")


def test_short_slots_are_forgotten_when_they_are_old_and_long_ones_kept(database: Database):
    _insert(database, _past(500, seed=7, days=60))
    _insert(database, _past(100, seed=9, days=1))
    _roll(database)
    with database.connect() as connection:
        oldest_s = {
            span_s: connection.execute(
                sa.select(sa.func.min(usage_rollups.c.start_s)).where(
                    usage_rollups.c.span_s == span_s
                )
            ).scalar_one()
            for span_s in (SLOT_S, HOUR_S, DAY_S)
        }
        first_us = connection.execute(sa.select(sa.func.min(calls.c.started_at_us))).scalar_one()
    assert oldest_s[SLOT_S] >= NOW_S - KEPT_S[SLOT_S]
    assert oldest_s[HOUR_S] >= NOW_S - KEPT_S[HOUR_S]
    assert oldest_s[DAY_S] == first_us // 1_000_000 // DAY_S * DAY_S
    _agree(database, by="model", since_s=(NOW_S // DAY_S - 70) * DAY_S)


def test_before_the_past_is_rolled_up_the_figures_say_so(database: Database):
    _insert(database, _past(50, seed=8))
    assert not _figures(database).complete
    _roll(database)
    assert _figures(database).complete
