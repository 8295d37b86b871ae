"""Usage is summed the same on both databases, by whatever one asks for, and never hides a gap."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from call_records import a_call
from headgate.errors import InvalidRequestError
from headgate.ledger.record import CallRecord
from headgate.ledger.rows import insert_calls
from headgate.ledger.usage import GroupBy, UsageRow, calls_of_run, parse_group_by, usage
from headgate.storage import Database


def at(day: int, hour: int = 0) -> int:
    return int(datetime(2026, 11, day, hour, tzinfo=UTC).timestamp()) * 1_000_000


def keep(database: Database, *records: CallRecord) -> None:
    with database.begin() as connection:
        insert_calls(connection, records)


def used(database: Database, *group_by: GroupBy, **period: object) -> list[UsageRow]:
    with database.connect() as connection:
        return usage(connection, group_by=group_by, **period)


def test_an_empty_ledger_has_one_total_and_no_groups(database: Database):
    (total,) = used(database)
    assert (total.calls, total.cost_nanousd, total.latency_us_avg) == (0, None, 0)
    assert used(database, "model") == []


def test_everything_is_summed(database: Database):
    keep(
        database,
        a_call(input_tokens=10, cached_tokens=4, output_tokens=5, reasoning_tokens=2, latency_us=9),
        a_call(input_tokens=20, cost_nanousd=2**61, latency_us=12),
        a_call(input_tokens=30, cost_nanousd=2**61, simulated=True, latency_us=12),
        a_call(status=504, error_class="upstream_timeout", input_tokens=None, cost_nanousd=0),
    )
    (total,) = used(database)
    assert total == UsageRow(
        group={},
        calls=4,
        errors=1,
        unpriced_calls=0,
        simulated_calls=1,
        input_tokens=60,
        cached_tokens=4,
        output_tokens=155,
        reasoning_tokens=2,
        cost_nanousd=2**62 + 52_500,
        latency_us_avg=(9 + 12 + 12 + 12_345) // 4,
    )


def test_calls_whose_tokens_no_provider_told_are_counted(database: Database):
    keep(
        database,
        a_call(model_answered="told"),
        a_call(model_answered="guessed", tokens_estimated=True),
        a_call(model_answered="guessed"),
    )
    found = {row.group["model"]: row.estimated_calls for row in used(database, "model")}
    assert found == {"told": 0, "guessed": 1}


def test_what_the_cache_answered_is_told_apart_whichever_way_it_did(database: Database):
    keep(database, *(a_call(cache=state) for state in ("hit", "similar", "stale", "miss", "off")))
    assert [row.calls for row in used(database, from_cache=True)] == [3]
    assert [row.calls for row in used(database, from_cache=False)] == [2]


def test_a_call_without_a_price_is_counted_and_never_taken_for_free(database: Database):
    keep(
        database,
        a_call(model_answered="known", cost_nanousd=5),
        a_call(model_answered="known", cost_nanousd=None),
        a_call(model_answered="unknown", cost_nanousd=None),
        a_call(
            model_answered="refused",
            error_class="model_not_found",
            input_tokens=None,
            cost_nanousd=None,
        ),
        a_call(model_answered="cut", error_class="upstream_failed", cost_nanousd=None),
    )
    found = {row.group["model"]: row for row in used(database, "model")}
    assert {name: (row.cost_nanousd, row.unpriced_calls) for name, row in found.items()} == {
        "known": (5, 1),
        "unknown": (None, 1),
        "refused": (None, 0),
        "cut": (None, 1),
    }


@pytest.mark.parametrize(
    ("group_by", "field"),
    [
        ("project", "project"),
        ("feature", "feature"),
        ("user", "user_hash"),
        ("workflow", "workflow"),
        ("key", "key_id"),
        ("endpoint", "endpoint"),
        ("provider", "provider"),
        ("route", "route"),
    ],
)
def test_usage_is_split_by_each_thing(database: Database, group_by: GroupBy, field: str):
    nullable = field not in {"project", "key_id", "endpoint"}
    keep(
        database,
        a_call(cost_nanousd=3, **{field: "one"}),
        a_call(cost_nanousd=3, **{field: "two"}),
        a_call(cost_nanousd=3, **{field: "two"}),
        a_call(cost_nanousd=1, **{field: None if nullable else "three"}),
    )
    rows = used(database, group_by)
    assert [(row.group, row.calls) for row in rows] == [
        ({group_by: "two"}, 2),
        ({group_by: "one"}, 1),
        ({group_by: None if nullable else "three"}, 1),
    ]


def test_the_model_is_the_one_that_answered_or_else_the_one_asked_for(database: Database):
    keep(
        database,
        a_call(model_requested="fast", model_answered="gpt-5-mini", cost_nanousd=2),
        a_call(model_requested="fast", model_answered=None, cost_nanousd=1),
    )
    assert [row.group["model"] for row in used(database, "model")] == ["gpt-5-mini", "fast"]


def test_status_is_a_number(database: Database):
    keep(database, a_call(cost_nanousd=9), a_call(status=429, error_class="rate_limited"))
    assert {row.group["status"] for row in used(database, "status")} == {200, 429}


def test_days_are_in_utc_and_in_order_whatever_they_cost(database: Database):
    keep(
        database,
        a_call(started_at_us=at(2) - 1, cost_nanousd=1),
        a_call(started_at_us=at(2), cost_nanousd=9),
        a_call(started_at_us=at(3) - 1, cost_nanousd=5),
        a_call(started_at_us=at(5, 12), cost_nanousd=7, project="other"),
    )
    assert [(row.group["day"], row.cost_nanousd) for row in used(database, "day")] == [
        ("2026-11-01", 1),
        ("2026-11-02", 14),
        ("2026-11-05", 7),
    ]
    assert [row.group for row in used(database, "project", "day")] == [
        {"project": "default", "day": "2026-11-01"},
        {"project": "default", "day": "2026-11-02"},
        {"project": "other", "day": "2026-11-05"},
    ]


def test_a_period_holds_its_beginning_and_not_its_end(database: Database):
    keep(database, *(a_call(started_at_us=at(day)) for day in (1, 2, 3, 4)))
    assert used(database, since_us=at(2))[0].calls == 3
    assert used(database, until_us=at(2))[0].calls == 1
    assert used(database, since_us=at(2), until_us=at(4))[0].calls == 2
    assert used(database, since_us=0)[0].calls == 4


def test_a_period_is_found_by_the_primary_key_and_not_by_reading_every_call(database: Database):
    keep(database, *(a_call(started_at_us=at(1) + number) for number in range(500)))
    with database.begin() as connection:
        connection.exec_driver_sql("ANALYZE")
        if not database.is_sqlite:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        explain = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
        plan = connection.exec_driver_sql(
            f"{explain} SELECT count(*) FROM calls"
            " WHERE started_at_us >= 5 AND id >= 'call_06' AND id < 'call_07'"
        ).all()
    text = str(plan)
    assert "PRIMARY KEY (id>? AND id<?)" in text or "Index Cond" in text


def test_a_project_sees_its_own(database: Database):
    keep(database, a_call(project="one"), a_call(project="two"), a_call(project="two"))
    assert used(database, project="two")[0].calls == 2
    assert used(database, project="three")[0].calls == 0


def test_rows_are_bounded(database: Database):
    keep(database, *(a_call(user_hash=f"{number:032x}") for number in range(30)))
    assert len(used(database, "user", limit=7)) == 7


def test_what_to_split_by_is_read_from_text():
    assert parse_group_by("") == ()
    assert parse_group_by("model, day") == ("model", "day")
    with pytest.raises(InvalidRequestError, match="`modl`; use model, project, feature"):
        parse_group_by("modl")
    with pytest.raises(InvalidRequestError, match="`day` twice"):
        parse_group_by("day,day")


def test_the_calls_of_a_run_come_in_order_and_whole(database: Database):
    first, second = a_call(run_id="run_1", simulated=True), a_call(run_id="run_1", attempts=2)
    keep(database, second, a_call(run_id="run_2"), a_call(), first)
    with database.connect() as connection:
        assert calls_of_run(connection, "run_1") == [first, second]
        assert calls_of_run(connection, "run_3") == []
