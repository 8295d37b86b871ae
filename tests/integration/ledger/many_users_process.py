"""A process that makes calls of many end users under several rules at once, as a worker does."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections import Counter
from typing import Any

from allowance_processes import CALL_NANOUSD, a_claim, allowances

from headgate.config.settings import LedgerSettings
from headgate.errors import HeadgateError
from headgate.ledger.allowances.claim import Used
from headgate.ledger.allowances.rule import Who
from headgate.ledger.record import CallRecord
from headgate.ledger.writer import LedgerWriter
from headgate.storage import Database
from headgate.storage.identifiers import new_id

AT_ONCE = 20
LASTS_S = 0.02


async def calls_of_users(
    url: str, users: int, each: int, limits: list[dict[str, Any]], budgets: list[dict[str, Any]]
) -> dict[str, Any]:
    """`each` calls of each of `users`, in an order of the process's own, `AT_ONCE` at a time."""
    database = Database(url)
    writer = LedgerWriter(database, LedgerSettings(), lambda _: None)
    writer.start()
    counted = allowances(database, limits=limits, budgets=budgets)
    counted.start()
    order = [f"user-{number}" for number in range(users)] * each
    random.shuffle(order)
    ends: Counter[str] = Counter()
    longest_s = 0.0

    async def work() -> None:
        nonlocal longest_s
        while order:
            who = Who("support", "key_1", None, order.pop())
            began_s = time.monotonic()
            try:
                held = await counted.reserve(counted.applied(who), a_claim(), "support", "normal")
            except HeadgateError as error:
                ends[str(error.code)] += 1
                continue
            finally:
                longest_s = max(longest_s, time.monotonic() - began_s)
            await asyncio.sleep(LASTS_S)
            counted.settle(held, Used(requests=1, tokens=10, nanousd=CALL_NANOUSD))
            writer.append(
                CallRecord(
                    id=new_id("call"), started_at_us=time.time_ns() // 1000, project="support",
                    key_id="key_1", endpoint="chat/completions", trace_id="0" * 32,
                    cost_nanousd=CALL_NANOUSD,
                )
            )  # fmt: skip
            ends["made"] += 1

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    await counted.stop(10)
    await asyncio.to_thread(writer.close, 10)
    database.close()
    return {"ends": ends, "longest_s": longest_s}


if __name__ == "__main__":
    url_, users_, each_, rules_ = sys.argv[1:]
    limits_, budgets_ = json.loads(rules_)
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(asyncio.run(calls_of_users(url_, int(users_), int(each_), limits_, budgets_))))
