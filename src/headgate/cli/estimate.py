"""`headgate estimate`: what a month of work would cost on each model that could do it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from headgate.cli.candidates import Candidates
from headgate.cli.database import folder_option
from headgate.cli.examples import Command
from headgate.cli.output import (
    Column,
    json_option,
    note,
    print_json,
    print_table,
    printable,
)
from headgate.cli.workload import DEFAULT_DAYS, DEFAULT_SINCE, Split, Workload, past, planned
from headgate.config import environment
from headgate.config.load import load_settings
from headgate.ledger.estimate import Estimate, Option, Plan, Work
from headgate.ledger.estimate import estimate as reckon
from headgate.ledger.money import header_usd, shown_usd


@click.command(
    cls=Command,
    examples=(
        "headgate estimate workload.yaml",
        "headgate estimate workload.yaml --model gpt-4o-mini --model gpt-5-mini",
        "headgate estimate --since 7d --group-by workflow --model gpt-5-mini",
    ),
)
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--model", "models", multiple=True,
    help="A model, PROVIDER/MODEL or route to compare with.",
)  # fmt: skip
@click.option(
    "--since", help=f"The ledger's calls from then on; without FILE by default {DEFAULT_SINCE}."
)
@click.option("--until", help="The ledger's calls before then; by default now.")
@click.option(
    "--group-by", type=click.Choice(["model", "workflow", "project"]),
    help="How the ledger's calls are split; by default by model.",
)  # fmt: skip
@click.option("--project", help="Only this project's calls of the ledger.")
@click.option(
    "--days", type=click.IntRange(1, 31), default=None,
    help=f"Days of a month; by default what FILE says, else {DEFAULT_DAYS}.",
)  # fmt: skip
@json_option
@folder_option
def estimate(
    *,
    file: Path | None,
    models: tuple[str, ...],
    since: str | None,
    until: str | None,
    group_by: Split | None,
    project: str | None,
    days: int | None,
    as_json: bool,
    folder: Path | None,
) -> None:
    """Estimate a month's cost of the workload in FILE, or else of what the ledger holds.

    Each piece of work is reckoned on every target of its route and on each --model, at the prices
    of now. Models without a known price are shown as unpriced, never as free.
    """
    named = environment.project_folder(folder)
    settings = load_settings(named)
    candidates = Candidates(settings, environment.providers(settings))
    if file is not None:
        if since or until or group_by or project:
            raise click.UsageError(
                "--since, --until, --group-by and --project are for the ledger; leave FILE out"
            )
        workload = planned(file, days, candidates)
    else:
        workload = past(
            folder, candidates, since=since or DEFAULT_SINCE, until=until,
            group_by=group_by or "model", project=project, days=days or DEFAULT_DAYS,
        )  # fmt: skip
    asked = {one.name: one for name in models for one in candidates.behind(name)}
    found = reckon(workload.work, tuple(asked.values()), candidates.price_of)
    assumptions = (*workload.assumptions, *_price_assumptions(found))
    if as_json:
        print_json(_as_object(workload, found, assumptions))
    else:
        _print(workload, found, assumptions)


def _price_assumptions(found: Estimate) -> list[str]:
    versions = sorted({version for option in found.options for version in option.price_versions})
    unpriced: dict[str, dict[str, None]] = {}
    for option in found.options:
        for tier in option.unpriced:
            unpriced.setdefault(option.candidate, {})[tier] = None
    today = datetime.now(UTC).date().isoformat()
    return [
        (
            f"Prices are those of {today}: {', '.join(versions) or 'none is known'} (`config` means"
            " `prices` in headgate.yaml). No discounts, taxes or fees."
        ),
        *(
            f"No {' or '.join(tiers)} price is known of {candidate}; `prices` in headgate.yaml can"
            " name one."
            for candidate, tiers in unpriced.items()
        ),
    ]


def _as_object(
    workload: Workload, found: Estimate, assumptions: Sequence[str]
) -> dict[str, object]:
    def money(value: int | None) -> str | None:
        return None if value is None else header_usd(value)

    return {
        "object": "estimate",
        "days_per_month": workload.days,
        "work": [
            {
                "name": work.name,
                "asks_for": work.asks_for,
                "standard": work.standard,
                "batch": work.batch,
                "answered_calls": work.answered_calls,
                "movable": work.movable,
                "recorded_nanousd": work.recorded_nanousd,
                "options": [
                    {
                        "candidate": option.candidate,
                        "standing": option.standing,
                        "month_nanousd": option.month_nanousd,
                        "month_usd": money(option.month_nanousd),
                        "call_nanousd": option.call_nanousd,
                        "unpriced": option.unpriced,
                        "price_versions": option.price_versions,
                    }
                    for option in found.options
                    if option.work == work.name
                ],
            }
            for work in workload.work
        ],
        "plans": [
            {
                "name": plan.name,
                "month_nanousd": plan.month_nanousd,
                "month_usd": money(plan.month_nanousd),
                "unpriced_work": plan.unpriced_work,
                "kept_work": plan.kept_work,
            }
            for plan in found.plans
        ],
        "assumptions": list(assumptions),
    }


def _print(workload: Workload, found: Estimate, assumptions: Sequence[str]) -> None:
    recorded = any(work.recorded_nanousd is not None for work in workload.work)
    print_table(
        [
            Column("work"), Column("asks for"), Column("calls a month", "right"),
            Column("input tokens", "right"), Column("cached", "right"), Column("output", "right"),
            Column("in batches", "right"), Column("from cache", "right"),
            *([Column("on record", "right")] if recorded else []),
        ],
        [[*_volumes(work), *([shown_usd(work.recorded_nanousd)] if recorded else [])]
         for work in workload.work],
    )  # fmt: skip
    today = {option.work: option for option in found.options if option.standing == "in use"}
    print_table(
        [
            Column("work"), Column("on"), Column(""), Column("a call", "right"),
            Column("a month", "right"), Column("against in use", "right"),
        ],
        [
            [
                option.work, option.candidate, option.standing,
                shown_usd(option.call_nanousd) if option.call_nanousd is not None else "",
                _month(option),
                _against(option.month_nanousd, today[option.work].month_nanousd),
            ]
            for option in found.options
        ],
    )  # fmt: skip
    print_table(
        [Column("all of it"), Column("a month", "right"), Column("against today", "right")],
        [_plan_row(plan, found.plans[0]) for plan in found.plans],
    )
    click.echo("Assumed:")
    for assumption in assumptions:
        click.echo(f"- {printable(assumption)}")
    if any(plan.unpriced_work for plan in found.plans):
        note("Sums marked with + lack the work that has no known price.")


def _volumes(work: Work) -> list[str]:
    both = (work.standard, work.batch)
    return [
        work.name,
        work.asks_for,
        f"{sum(volume.calls for volume in both) + work.answered_calls:,}",
        f"{sum(volume.input_tokens for volume in both):,}",
        f"{sum(volume.cached_tokens for volume in both):,}",
        f"{sum(volume.output_tokens for volume in both):,}",
        f"{work.batch.calls:,}",
        f"{work.answered_calls:,}",
    ]


def _month(option: Option) -> str:
    if option.unpriced == ("batch",):
        return "unpriced (batch)"
    return shown_usd(option.month_nanousd)


def _against(month_nanousd: int | None, today_nanousd: int | None) -> str:
    if month_nanousd is None or not today_nanousd or month_nanousd == today_nanousd:
        return ""
    return f"{(month_nanousd - today_nanousd) / today_nanousd:+.0%}"


def _plan_row(plan: Plan, today: Plan) -> list[str]:
    comparable = not plan.unpriced_work and not today.unpriced_work
    return [
        plan.name + (f" (but {', '.join(plan.kept_work)})" if plan.kept_work else ""),
        shown_usd(plan.month_nanousd)
        + (f" + {', '.join(plan.unpriced_work)}" if plan.unpriced_work else ""),
        _against(plan.month_nanousd, today.month_nanousd) if comparable else "",
    ]
