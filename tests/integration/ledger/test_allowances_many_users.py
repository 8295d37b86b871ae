"""Four processes, many end users, several rules each: nobody starves, nothing is overspent."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from allowance_processes import CALL_NANOUSD

from headgate.storage import Database
from headgate.storage.allowance_tables import allowances as table
from headgate.storage.schema import calls

SCRIPT = Path(__file__).with_name("many_users_process.py")
PROCESSES = 4

PLENTY = [
    {"per": ["project", "user"], "requests_per_minute": 10_000, "tokens_per_minute": 10**6},
    {"per": "project", "requests_per_minute": 10**6},
]


def made_by_four(
    url: str, *, users: int, each: int, budgets: list[dict[str, Any]]
) -> tuple[Counter[str], list[float], list[int]]:
    """How calls ended, the longest that each process had one wait, and how many each made."""
    rules = json.dumps([PLENTY, budgets])
    processes = [
        subprocess.Popen(
            [sys.executable, str(SCRIPT), url, str(users), str(each), rules],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(PROCESSES)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    told = [json.loads(process.communicate(timeout=90)[0]) for process in processes]
    ends: Counter[str] = Counter()
    for one in told:
        ends.update(one["ends"])
    return ends, [one["longest_s"] for one in told], [one["ends"]["made"] for one in told]


def test_no_call_of_many_users_is_refused_what_there_is_plenty_of(database_url: str):
    budgets = [
        {"per": ["project", "user"], "usd": "100", "window": "day"},
        {"per": "project", "usd": "100000", "window": "month"},
    ]
    ends, longest_s, _ = made_by_four(database_url, users=150, each=2, budgets=budgets)
    assert ends == {"made": PROCESSES * 150 * 2}
    # Where a process could lose its shares while it waited for others, some waited 10 s and were
    # refused; this has room for a machine that has other things to do.
    assert max(longest_s) < 8
    database = Database(database_url)
    with database.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(calls)).scalar() == 1200
    database.close()


def test_the_budgets_of_many_users_are_spent_exactly(database_url: str):
    budgets = [{"per": ["project", "user"], "usd": "0.005", "window": "total"}]
    ends, _, made = made_by_four(database_url, users=60, each=3, budgets=budgets)
    assert set(ends) == {"made", "budget_exceeded"}
    assert 0.95 * 60 * 5 <= ends["made"] <= 60 * 5
    assert min(made) > 0
    database = Database(database_url)
    with database.connect() as connection:
        rows = connection.execute(sa.select(table).where(table.c.rule.like("usd/%"))).all()
    database.close()
    assert len(rows) == 60
    assert max(row.taken for row in rows) <= 5 * CALL_NANOUSD
    assert sum(row.spent for row in rows) == ends["made"] * CALL_NANOUSD
