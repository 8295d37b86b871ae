"""`headgate usage`: what was used and what it cost, straight from the database."""

from __future__ import annotations

from pathlib import Path

import click

from headgate.cli.database import folder_option, open_database
from headgate.cli.examples import Command
from headgate.cli.output import Column, json_option, note, print_json, print_table
from headgate.intake.http.usage_api import (
    DEFAULT_SINCE,
    UsageList,
    UsageQuery,
    UsageView,
    usage_list,
)
from headgate.ledger.money import shown_usd


@click.command(
    cls=Command,
    examples=(
        "headgate usage",
        "headgate usage --group-by model,day --since 7d",
        "headgate usage --group-by feature --project support --since 2026-11-01",
    ),
)
@click.option(
    "--group-by", default="model", show_default=True,
    help="Any of model, project, feature, user, workflow, day, key, endpoint, provider, route,"
    " status, with commas between.",
)  # fmt: skip
@click.option(
    "--since", default=DEFAULT_SINCE, show_default=True,
    help="How long ago, such as 24h or 7d, or a date or time in UTC.",
)  # fmt: skip
@click.option("--until", help="The same; by default now.")
@click.option("--project", help="Only this project's.")
@json_option
@folder_option
def usage(
    *,
    group_by: str,
    since: str,
    until: str | None,
    project: str | None,
    as_json: bool,
    folder: Path | None,
) -> None:
    """Show what was used and what it cost, from the ledger."""
    query = UsageQuery(group_by=group_by, since=since, until=until, project=project)
    with open_database(folder) as opened:
        found = usage_list(opened.database, query, project)
    if as_json:
        print_json(found)
    else:
        _print(found)


def _print(found: UsageList) -> None:
    # Most ledgers have none, and the table is wide as it is.
    estimated = found.total.estimated_calls > 0
    rows = [
        [*(_named(row.group[name]) for name in found.group_by), *_figures(row, estimated=estimated)]
        for row in found.data
    ]
    # The total stands under the rows, where a sum is looked for.
    label = ["total", *[""] * (len(found.group_by) - 1)] if found.group_by else []
    rows.append([*label, *_figures(found.total, estimated=estimated)])
    titles = ["calls", "errors", "input", "cached", "output", "cost", "avg ms"]
    if estimated:
        titles.insert(2, "estimated")
    print_table(
        [
            *(Column(name) for name in found.group_by),
            *(Column(title, "right") for title in titles),
        ],
        rows,
    )
    if found.total.unpriced_calls:
        note(
            f"{found.total.unpriced_calls} calls have no known price and are not in the cost;"
            " `prices` in headgate.yaml can name one."
        )
    if estimated:
        note(
            f"{found.total.estimated_calls} calls have tokens that no provider told: they are"
            " estimated, and so is the cost."
        )
    if found.total.simulated_calls:
        note(f"{found.total.simulated_calls} calls were answered by the simulator, at no charge.")
    if found.total.cache_hits:
        note(
            f"{found.total.cache_hits} calls were answered from the cache, which saved"
            f" {shown_usd(found.total.saved_nanousd)}."
        )
    if found.has_more:
        note("There are more rows; ask for a shorter period or fewer things to split by.")


def _named(value: str | int | None) -> str:
    return "(none)" if value is None else str(value)


def _figures(row: UsageView, *, estimated: bool) -> list[str]:
    return [
        f"{row.calls:,}",
        f"{row.errors:,}",
        *([f"{row.estimated_calls:,}"] if estimated else []),
        f"{row.input_tokens:,}",
        f"{row.cached_tokens:,}",
        f"{row.output_tokens:,}",
        shown_usd(row.cost_nanousd) if row.calls else "",
        f"{row.latency_ms_avg:,.0f}" if row.calls else "",
    ]
