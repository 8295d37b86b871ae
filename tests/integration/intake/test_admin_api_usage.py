"""`/api/usage` as its users meet it, on both databases."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from headgate.intake.access.projects import wall_clock_us
from headgate.ledger.record import CallRecord
from headgate.ledger.rows import insert_calls
from headgate.storage.identifiers import new_id

DAY_US = 86_400_000_000


@pytest.fixture
def ledger(server):
    now_us = wall_clock_us()
    call = CallRecord(
        id="",
        started_at_us=now_us - 1,
        project="support",
        key_id="key_1",
        endpoint="chat/completions",
        model_requested="gpt-4o",
        status=200,
        input_tokens=100,
        output_tokens=10,
        cost_nanousd=1_500,
        price_version="v",
        latency_us=20_000,
        trace_id="0" * 32,
    )
    calls = [
        call,
        replace(call, feature="search", cost_nanousd=500),
        replace(call, project="sales", model_requested="local", cost_nanousd=None),
        replace(call, started_at_us=now_us - 40 * DAY_US, cost_nanousd=10**9),
    ]
    with server.database.begin() as connection:
        insert_calls(
            connection,
            [replace(c, id=f"call_{c.started_at_us:014x}{new_id('x')[-16:]}") for c in calls],
        )
    return calls


async def test_usage_is_summed_and_split(server, ledger):
    answer = (await server.call("GET", "/api/usage", query="group_by=model")).json()
    assert answer["object"] == "list"
    assert answer["group_by"] == ["model"]
    assert [(row["group"], row["calls"], row["cost_usd"]) for row in answer["data"]] == [
        ({"model": "gpt-4o"}, 2, "0.000002"),
        ({"model": "local"}, 1, None),
    ]
    assert answer["total"]["calls"] == 3
    assert answer["total"]["cost_nanousd"] == 2_000
    assert answer["total"]["unpriced_calls"] == 1
    assert answer["total"]["latency_ms_avg"] == 20.0


async def test_without_a_split_there_is_the_total(server, ledger):
    answer = (await server.call("GET", "/api/usage", query="since=90d")).json()
    assert answer["data"] == []
    assert answer["total"]["cost_usd"] == "1.000002"


async def test_a_developer_sees_its_own_projects_usage_only(server, ledger):
    developer = server.key("developer")
    answer = (
        await server.call("GET", "/api/usage", key=developer, query="group_by=project")
    ).json()
    assert [row["group"]["project"] for row in answer["data"]] == ["support"]
    assert answer["total"]["calls"] == 2
    other = await server.call("GET", "/api/usage", key=developer, query="project=sales")
    assert (other.status, other.error["param"]) == (403, "project")


async def test_an_auditor_sees_any_projects_usage(server, ledger):
    answer = await server.call(
        "GET", "/api/usage", key=server.key("auditor"), query="project=sales"
    )
    assert answer.json()["total"]["calls"] == 1


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("group_by=colour", "group_by"),
        ("since=yesterday", "since"),
        ("until=2026-02-30", "until"),
        ("form=day", "form"),
        ("project=salse", "project"),
        ("project=%27%20OR%201", "project"),
    ],
)
async def test_a_wrong_question_is_400_and_named(sqlite_server, query, param):
    answer = await sqlite_server.call("GET", "/api/usage", query=query)
    assert (answer.status, answer.error["param"]) == (400, param)
