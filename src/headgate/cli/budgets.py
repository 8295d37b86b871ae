"""`headgate budgets`: what is used of each limit and budget, straight from the database."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from headgate.cli.database import folder_option, open_database
from headgate.cli.examples import Command
from headgate.cli.output import Column, json_option, note, print_json, print_table
from headgate.config.environment import project_folder
from headgate.config.load import load_settings
from headgate.intake.http.allowances_api import AllowanceList, AllowanceView, allowance_list
from headgate.ledger.allowances.rule import rules_of


@click.command(
    cls=Command, examples=("headgate budgets", "headgate budgets --project support --json")
)
@click.option("--project", help="Only those that are this project's alone.")
@json_option
@folder_option
def budgets(*, project: str | None, as_json: bool, folder: Path | None) -> None:
    """Show what is used and left of limits and budgets."""
    settings = load_settings(project_folder(folder))
    rules = rules_of(settings.limits, settings.budgets)
    with open_database(folder) as opened:
        found = allowance_list(rules, opened.database, project)
    if as_json:
        print_json(found)
    elif not rules.rules:
        note("headgate.yaml sets no limits and no budgets.")
    else:
        _print(found)


def _print(found: AllowanceList) -> None:
    if not found.data:
        note("Nothing has been used in the present windows.")
        return
    print_table(
        [
            Column("limit or budget"),
            Column("of"),
            *(Column(title, "right") for title in ("limit", "spent", "left", "used")),
            Column("anew at"),
        ],
        [_row(one) for one in found.data],
    )
    if found.has_more:
        note("There are more; those of each rule that are used most are shown.")


def _row(one: AllowanceView) -> list[str]:
    sign = "$" if one.measure == "usd" else ""
    anew = ""
    if one.ends_at is not None:
        anew = datetime.fromtimestamp(one.ends_at, UTC).isoformat(timespec="minutes")
    return [
        one.rule,
        one.subject,
        f"{sign}{one.limit}" + (f" + {sign}{one.granted} granted" if float(one.granted) else ""),
        f"{sign}{one.spent}",
        f"{sign}{one.left}",
        f"{one.used_percent:g} %",
        anew,
    ]
