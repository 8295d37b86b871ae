"""`headgate runs`: what the workflows of a running server did, what they want done, cancelling."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_args
from urllib.parse import quote

import click

from headgate.cli.api_client import asked, url_option
from headgate.cli.examples import Group
from headgate.cli.output import (
    Column,
    json_option,
    note,
    print_json,
    print_page,
    print_table,
    printable,
)
from headgate.cli.shown.actions import json_lines, print_action_list
from headgate.cli.shown.steps import print_steps
from headgate.workflows.run import RunStatus
from headgate.workflows.tools.action import ActionState

_limit = click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True)


@click.group(
    cls=Group,
    examples=(
        "headgate runs list --status failed",
        "headgate runs show run_0660c4a0…",
        "headgate runs actions --state unknown",
        "headgate runs cancel run_0660c4a0…",
    ),
)
def runs() -> None:
    """See runs and what they want done, and cancel asynchronous ones.

    Asks a running server with the key in HEADGATE_API_KEY, or else HEADGATE_ADMIN_KEY.
    """


@runs.command("list", examples=("headgate runs list --workflow ticket-triage",))
@click.option("--status", type=click.Choice(get_args(RunStatus)), help="Only these.")
@click.option("--workflow", help="Only this workflow's.")
@click.option("--project", help="Only this project's.")
@_limit
@click.option("--after", metavar="RUN", help="The last one of the page before.")
@json_option
@url_option
def list_runs(*, as_json: bool, url: str, **wanted: Any) -> None:
    """List runs, newest first."""
    found = asked(url, "GET", "/api/runs", query=wanted)
    print_page(found, _print_runs, as_json=as_json)


def _print_runs(found: list[dict[str, Any]]) -> None:
    print_table(
        [Column("run"), Column("workflow"), Column("began, UTC"), Column("status"),
         Column("cost", "right")],
        [
            [
                run["id"], f"{run['workflow']} {run['version']}", _time(run["created_at"]),
                run["status"].replace("_", " "),
                "" if run["cost_usd"] is None else f"${run['cost_usd']}",
            ]
            for run in found
        ],
    )  # fmt: skip


@runs.command()
@click.argument("run")
@json_option
@url_option
def show(*, run: str, as_json: bool, url: str) -> None:
    """Show a run: its steps, its actions, and what was said to those who may see it."""
    found = asked(url, "GET", f"/api/runs/{quote(run, safe='')}")
    if as_json:
        print_json(found)
        return
    note(f"{found['workflow']} {found['version']}: {found['status'].replace('_', ' ')}")
    if found["status"] == "awaiting_review":
        note(f"waits for a person: headgate reviews show {found['review_id']}")
    if found["error"] is not None:
        note(printable(f"{found['error']['code']}: {found['error']['message']}"))
    print_steps(found)
    for part in ("input", "output"):
        if found[part] is not None:
            click.echo(f"{part}\n{json_lines(found[part])}\n")


@runs.command(examples=("headgate runs actions", "headgate runs actions --state requested --json"))
@click.option("--state", type=click.Choice(get_args(ActionState)), help="Only these.")
@click.option("--workflow", help="Only this workflow's.")
@click.option("--project", help="Only this project's.")
@click.option("--run", "run_id", metavar="RUN", help="Only of the run with this id.")
@_limit
@click.option("--after", metavar="ACTION", help="The last one of the page before.")
@json_option
@url_option
def actions(*, as_json: bool, url: str, **wanted: Any) -> None:
    """List what runs want done, or have done, newest first."""
    found = asked(url, "GET", "/api/actions", query=wanted)
    print_page(found, print_action_list, as_json=as_json)


@runs.command()
@click.argument("run")
@json_option
@url_option
def cancel(*, run: str, as_json: bool, url: str) -> None:
    """Cancel an asynchronous run that has not ended."""
    found = asked(url, "POST", f"/api/runs/{quote(run, safe='')}/cancel")
    if as_json:
        print_json(found)
    else:
        note(f"{found['id']}: {found['status']}")


def _time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"
