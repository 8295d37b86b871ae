"""Makes up a past: runs and calls as a busy month would have left them, the same each time."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator
from typing import Any, NamedTuple

import sqlalchemy as sa

from headgate.ledger.record import CallRecord
from headgate.ledger.rows import insert_calls
from headgate.storage import Database
from headgate.storage.identifiers import first_id
from headgate.storage.schema import run_contents, runs

WORKFLOWS = (
    ("ticket-triage", "1.0.0"),
    ("report-summary", "1.0.0"),
    ("renewal-brief", "0.4.2"),
    ("contract-clauses", "2.1.0"),
    ("lead-scoring", "1.3.0"),
    ("invoice-lines", "1.1.4"),
    ("reply-draft", "3.0.1"),
    ("spam-check", "1.0.7"),
)
MODELS = (
    ("gpt-4.1-mini", 400, 1600),
    ("gpt-4o-mini", 150, 600),
    ("gpt-4.1", 2000, 8000),
    ("o4-mini", 1100, 4400),
)
"""Name, and nano-dollars for a token in and out."""
PROJECTS = ("default", "support", "sales")
FEATURES = ("queue", "nightly", "inbox", "crm", None)
_DAY_US = 86_400_000_000
_DIGEST = "sha256:" + "5e" * 32
_BATCH = 5_000
_INPUT = json.dumps({"title": "The printer on floor 2 is on fire", "text": "Again. " * 20})
_OUTPUT = json.dumps({"category": "hardware", "priority": "high", "summary": "Fire on floor 2."})


class _Made(NamedTuple):
    call: CallRecord
    run: dict[str, Any]


def fill(database: Database, *, count: int, days: int, now_us: int) -> None:
    """Write `count` runs with a call each, over the `days` before `now_us`."""
    with database.begin() as connection:
        for name in PROJECTS:
            connection.execute(
                sa.text(
                    "INSERT INTO projects (name, description, created_at_us)"
                    " VALUES (:name, '', :now_us) ON CONFLICT (name) DO NOTHING"
                ),
                {"name": name, "now_us": now_us},
            )
    batch: list[_Made] = []
    for made in _made(count, days, now_us):
        batch.append(made)
        if len(batch) == _BATCH:
            _write(database, batch)
            batch = []
    _write(database, batch)


def _made(count: int, days: int, now_us: int) -> Iterator[_Made]:
    chance = random.Random(7)
    first_us = now_us - days * _DAY_US
    for number in range(count):
        at_us = first_us + int(number * days * _DAY_US / count)
        # More by day than by night.
        if chance.random() < 0.5 * (1 + math.cos(2 * math.pi * (at_us % _DAY_US) / _DAY_US)):
            at_us = min(now_us - 1_000_000, at_us + _DAY_US // 3)
        yield _one(number, at_us, chance)


def _one(number: int, at_us: int, chance: random.Random) -> _Made:
    workflow, version = WORKFLOWS[min(int(chance.expovariate(0.55)), len(WORKFLOWS) - 1)]
    if chance.random() < 0.3:
        version = version[:-1] + str((int(version[-1]) + 1) % 10)
    model, price_in, price_out = MODELS[min(int(chance.expovariate(1.1)), len(MODELS) - 1)]
    project, feature = chance.choice(PROJECTS), chance.choice(FEATURES)
    failed, limited = chance.random() < 0.012, chance.random() < 0.004
    tokens_in, tokens_out = chance.randint(200, 2400), chance.randint(30, 500)
    cached = chance.random() < 0.12
    cost = 0 if cached else tokens_in * price_in + tokens_out * price_out
    latency_us = 4_000 if cached else int(400_000 * chance.lognormvariate(0.6, 0.6))
    wrong = failed or limited
    run_id, call_id = (f"{first_id(kind, at_us)}{number:016x}" for kind in ("run", "call"))
    code = "rate_limit_exceeded" if limited else "upstream_failed" if failed else None
    status = 429 if limited else 502 if failed else 200
    call = CallRecord(
        id=call_id,
        started_at_us=at_us,
        project=project,
        key_id="key_of_the_benchmark",
        endpoint="chat/completions",
        feature=feature,
        workflow=workflow,
        run_id=run_id,
        route="triage",
        model_requested="triage",
        provider="openai",
        model_answered=None if wrong else model,
        status=status,
        error_class=code,
        attempts=1,
        cache="hit" if cached else "miss",
        input_tokens=None if wrong else tokens_in,
        output_tokens=None if wrong else tokens_out,
        cost_nanousd=None if wrong else cost,
        saved_nanousd=tokens_in * price_in if cached else None,
        latency_us=latency_us,
        trace_id=f"{number:032x}",
    )
    facts = {
        "id": call_id, "status": status, "latency_us": latency_us, "attempts": 1,
        "target": f"openai/{model}", "model": model, "input_tokens": tokens_in,
        "output_tokens": tokens_out, "cost_nanousd": cost,
    }  # fmt: skip
    verdict = "failed" if wrong else "passed"
    steps = [
        {"kind": "input", "started_at_us": at_us, "duration_us": 40},
        {"kind": "render", "started_at_us": at_us + 40, "duration_us": 90},
        {"kind": "call", "started_at_us": at_us + 130, "duration_us": latency_us,
         "verdict": verdict, "call": facts, **({"code": code} if code else {})},
    ]  # fmt: skip
    if not wrong:
        after_us = at_us + 130 + latency_us
        steps += [
            {"kind": name, "started_at_us": after_us + 50 * i, "duration_us": 45}
            for i, name in enumerate(("parse", "schema", "rules"))
        ]
    waits = not wrong and chance.random() < 0.001
    told = {"status": status, "message": "It failed.", "type": "upstream_error", "code": code}
    return _Made(
        call,
        {
            "id": run_id, "project": project, "key_id": "key_of_the_benchmark",
            "workflow": workflow, "version": version, "digest": _DIGEST,
            "status": "failed" if wrong else "awaiting_review" if waits else "completed",
            "fallback": False, "feature": feature, "user_hash": None, "created_at_us": at_us,
            "finished_at_us": None if waits else at_us + latency_us + 500,
            "steps": json.dumps(steps), "error": json.dumps(told) if wrong else None,
            "trace_id": f"{number:032x}",
        },
    )  # fmt: skip


def _write(database: Database, batch: list[_Made]) -> None:
    if not batch:
        return
    with database.begin() as connection:
        insert_calls(connection, [made.call for made in batch])
        connection.execute(runs.insert(), [made.run for made in batch])
        connection.execute(
            run_contents.insert(),
            [
                {"run_id": made.run["id"], "input": _INPUT, "output": _OUTPUT, "problems": None}
                for made in batch
            ],
        )
