"""A process that makes calls under limits, as a worker does, without any model: for tests."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import msgspec
import sqlalchemy as sa

from headgate.config.allowances import AllowanceSettings, BudgetSettings, UsageLimitSettings
from headgate.errors import HeadgateError
from headgate.ledger.allowances.allowances import Allowances
from headgate.ledger.allowances.claim import Claim, Used
from headgate.ledger.allowances.rule import Rules, Who, rules_of
from headgate.ledger.allowances.store import AllowanceStore
from headgate.storage import Database
from headgate.storage.allowance_tables import allowances as stored
from headgate.storage.identifiers import new_id

CALL_NANOUSD = 1_000_000
"""What each call may cost at worst, and costs."""

WHO = Who("support", "key_1")


def ignore(*_: object) -> None:
    """Takes the place of the outbox of alerts."""


def a_claim(nanousd: int = CALL_NANOUSD, tokens: int = 10) -> Claim:
    return Claim(
        model="m", input_tokens=tokens, output_tokens=0, output_stated=True, nanousd=nanousd
    )


def allowances(
    database: Database,
    *,
    limits: list[dict[str, Any]] | None = None,
    budgets: list[dict[str, Any]] | None = None,
    **settings: Any,
) -> Allowances:
    """The allowances of one process, not yet started."""
    return Allowances(
        rules(limits or [], budgets or []),
        msgspec.convert(settings, AllowanceSettings),
        AllowanceStore(database, new_id("holder"), ignore),
    )


def standing(database: Database) -> tuple[int, int]:
    """What the only allowance has taken and spent."""
    with database.connect() as connection:
        row = connection.execute(sa.select(stored.c.taken, stored.c.spent)).one()
    return row.taken, row.spent


def rules(limits: list[dict[str, Any]], budgets: list[dict[str, Any]]) -> Rules:
    return rules_of(
        msgspec.convert(limits, tuple[UsageLimitSettings, ...]),
        msgspec.convert(budgets, tuple[BudgetSettings, ...]),
    )


async def one_call(counted: Allowances, *, lasts_s: float = 0.01, who: Who = WHO) -> str:
    """Make one call; return how it ended: `made`, or the code of the error."""
    try:
        reservation = await counted.reserve(counted.applied(who), a_claim(), who.project, "normal")
    except HeadgateError as error:
        return str(error.code)
    await asyncio.sleep(lasts_s)
    counted.settle(reservation, Used(requests=1, tokens=10, nanousd=CALL_NANOUSD))
    return "made"


async def many_calls(
    url: str, calls: int, budgets: list[dict[str, Any]], lasts_s: float
) -> dict[str, int]:
    database = Database(url)
    counted = allowances(database, budgets=budgets)
    counted.start()
    ended = await asyncio.gather(*(one_call(counted, lasts_s=lasts_s) for _ in range(calls)))
    await counted.stop(5)
    database.close()
    return {how: ended.count(how) for how in set(ended)}


if __name__ == "__main__":
    url_, calls_, budgets_, lasts_ = sys.argv[1:]
    print("ready", flush=True)
    sys.stdin.readline()
    made_ = asyncio.run(many_calls(url_, int(calls_), json.loads(budgets_), float(lasts_)))
    print(json.dumps(made_))
