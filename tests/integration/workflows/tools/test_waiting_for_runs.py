"""Waiting for a run's end: told of it at once, and patient where it goes on elsewhere."""

from __future__ import annotations

import asyncio

from headgate.workflows.durable.carrier import DurableRuns
from headgate.workflows.durable.webhook_rule import WebhookRule
from scripted_tools import ASKED, NEVER
from scripted_workflows import GOOD


async def test_who_waits_for_a_run_that_was_let_go_of_does_not_ask_without_a_pause(works_with):
    works = works_with(ASKED, GOOD, settings=NEVER)
    durable = DurableRuns(
        works.runner,
        works.reviews.database,
        works.leases,
        per_worker=1,
        waiting_at_most=1,
        webhooks=WebhookRule(()),
    )
    looked, get = [], works.runs.get

    def counted(run_id: str):
        looked.append(run_id)
        return get(run_id)

    works.runs.get = counted
    run = await works.begun()
    waiting = asyncio.create_task(durable.ended(run, 1.2))
    while not looked:
        await asyncio.sleep(0.01)
    await durable._carry(run.id, 7)  # a leg that is not the run's: it is let go of, and tells
    assert (await waiting).status == "queued"
    assert len(looked) <= 8
