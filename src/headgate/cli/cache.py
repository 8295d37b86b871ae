"""`headgate cache`: what the cache of a running server holds and saves, and clearing it."""

from __future__ import annotations

from typing import Any

import click

from headgate.cli.api_client import asked, url_option
from headgate.cli.examples import Command
from headgate.cli.output import Column, json_option, note, print_json, print_table
from headgate.ledger.money import shown_usd


@click.group()
def cache() -> None:
    """See and clear the answers that a running server keeps to give again."""


@cache.command(
    cls=Command,
    examples=("headgate cache show", "headgate cache show --since 24h --project support"),
)
@click.option("--since", default="30d", show_default=True, help="How long ago, or a date in UTC.")
@click.option("--project", help="Only this project's calls.")
@json_option
@url_option
def show(*, since: str, project: str | None, as_json: bool, url: str) -> None:
    """Show what the cache holds, how often it had the answer and what that saved."""
    found = asked(url, "GET", "/api/cache", query={"since": since, "project": project})
    if as_json:
        print_json(found)
        return
    if found["memory"] is None:
        note("There is no cache: nothing in headgate.yaml or in a workflow.yaml asks for one.")
    else:
        memory, shared = found["memory"], found["shared"]
        click.echo(f"Answers  {found['when']}")
        click.echo(
            f"Memory   {memory['entries']:,} answers, {_mib(memory['size_bytes'])} of"
            f" {_mib(memory['max_bytes'])}, in the process that was asked"
        )
        if shared is not None:
            click.echo(f"Shared   {_shared(shared)}")
    calls = found["hits"] + found["misses"]
    rate = "" if found["hit_rate"] is None else f", {found['hit_rate']:.1%}"
    click.echo(f"Hits     {found['hits']:,} of {calls:,} calls{rate}")
    click.echo(f"Saved    {shown_usd(found['saved_nanousd'])}")


@cache.command(
    cls=Command,
    examples=(
        "headgate cache clear --workflow ticket-triage",
        "headgate cache clear --prefix gpt-5 --project support",
        "headgate cache clear --all",
    ),
)
@click.option("--workflow", help="Only of calls that this workflow's runs made.")
@click.option("--prefix", help="Only of calls for models and routes whose names begin so.")
@click.option("--tag", help="Only of calls with this tag.")
@click.option("--project", help="Only of this project.")
@click.option("--all", "everything", is_flag=True, help="All answers that the key reaches.")
@json_option
@url_option
def clear(
    *,
    workflow: str | None,
    prefix: str | None,
    tag: str | None,
    project: str | None,
    everything: bool,
    as_json: bool,
    url: str,
) -> None:
    """Forget answers that fit everything that is named, in every process."""
    query = {"workflow": workflow, "prefix": prefix, "tag": tag, "project": project}
    named = any(value is not None for value in query.values())
    if named is everything:
        raise click.UsageError(
            "name what to clear with --workflow, --prefix, --tag or --project, or say --all"
        )
    found = asked(url, "DELETE", "/api/cache", query=query)
    if as_json:
        print_json(found)
    elif found["cleared"] is None:
        note("The shared store did not say how many answers it forgot.")
    else:
        count = found["cleared"]
        click.echo(f"Cleared {count:,} answer{'' if count == 1 else 's'}.")


@cache.command(
    "near-misses",
    cls=Command,
    examples=(
        "headgate cache near-misses",
        "headgate cache near-misses --workflow ticket-faq --since 7d",
    ),
)
@click.option("--workflow", help="Only this workflow's.")
@click.option("--since", default="30d", show_default=True, help="How long ago, or a date in UTC.")
@click.option("--project", help="Only this project's.")
@json_option
@url_option
def near_misses(
    *, workflow: str | None, since: str, project: str | None, as_json: bool, url: str
) -> None:
    """Show how inputs that were nearly enough alike were answered, to choose a threshold by."""
    query = {"workflow": workflow, "since": since, "project": project}
    found = asked(url, "GET", "/api/cache/near-misses", query=query)
    if as_json:
        print_json(found)
    elif not found["bands"]:
        note("There were none: no two inputs of a workflow of cache.semantic were so much alike.")
    else:
        print_table(
            [
                Column("workflow"), Column("similarity", "right"), Column("near misses", "right"),
                Column("answered the same", "right"),
            ],
            [
                [
                    band["workflow"],
                    f"{band['from_percent'] / 100:.2f}",
                    f"{band['misses']:,}",
                    f"{band['same']:,} ({band['same'] / band['misses']:.0%})",
                ]
                for band in found["bands"]
            ],
        )  # fmt: skip


def _shared(shared: dict[str, Any]) -> str:
    parts = [str(shared["kind"])]
    if shared["entries"] is not None:
        parts.append(f"{shared['entries']:,} answers")
    if shared["size_bytes"] is not None:
        parts.append(_mib(shared["size_bytes"]))
    if not shared["healthy"]:
        parts.append("DOES NOT ANSWER; calls go on without it")
    return ", ".join(parts)


def _mib(size_bytes: int) -> str:
    return f"{size_bytes / 1024 / 1024:,.1f} MiB"
