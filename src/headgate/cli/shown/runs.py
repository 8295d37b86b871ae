"""What `headgate check` shows of asynchronous runs: how many, who is told, what runs by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from headgate.cli.output import Column, print_table
from headgate.workflows.folder import Workflow


def runs_line(policy: dict[str, Any]) -> str:
    """The bounds of asynchronous runs, and the addresses that may be told of their end."""
    webhooks = policy["webhooks"]
    told = "no webhooks" if webhooks is None else f"webhooks to {', '.join(webhooks['allow'])}"
    return (
        f"{policy['per_worker']} asynchronous ones under way in each worker,"
        f" {policy['waiting_at_most']} in all; {told}"
    )


def print_runs(workflows: Sequence[Workflow]) -> None:
    """The workflows that bound their asynchronous runs, tell of them, or run by themselves."""
    rows = []
    for workflow in workflows:
        settings = workflow.settings
        limits, schedule = settings.limits, settings.schedule
        row = [
            "-" if limits.concurrency is None else str(limits.concurrency),
            "-" if limits.deadline_s is None else f"{limits.deadline_s:g} s",
            "-" if schedule is None else f"{schedule.cron} ({schedule.timezone})",
            # The rest of an address may be what lets somebody in.
            "-" if settings.webhook is None else urlsplit(settings.webhook).hostname or "-",
        ]
        if row != ["-"] * 4:
            rows.append([workflow.name, *row])
    if rows:
        print_table(
            [
                Column("runs of"), Column("at once", "right"), Column("deadline", "right"),
                Column("schedule"), Column("tells"),
            ],
            rows,
        )  # fmt: skip
