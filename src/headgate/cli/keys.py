"""`headgate keys`: create, list, show, rotate and revoke keys, straight on the database."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import click

from headgate.cli.database import folder_option, open_database
from headgate.cli.duration import Duration
from headgate.cli.examples import Group
from headgate.cli.output import Column, json_option, note, print_json, print_table, when
from headgate.gateway.caller import Role
from headgate.intake.access.key import Key, KeyStatus, NewKey
from headgate.intake.access.keys import CreatedKey
from headgate.intake.access.projects import DEFAULT_PROJECT, wall_clock_us
from headgate.intake.http.keys_api import created_key_view, key_view

_CREATED_BY = "command_line"
_PAGE = 1000
_SECOND_US = 1_000_000


@click.group(
    cls=Group,
    examples=(
        "headgate keys create ticket-queue --project support --model 'gpt-4.1*'",
        "export OPENAI_API_KEY=$(headgate keys create laptop)",
        "headgate keys rotate key_0660c4a0… --overlap 7d",
    ),
)
def keys() -> None:
    """Create, list, rotate and revoke keys.

    Works on the database itself, so it needs no key; a running server sees each change within two
    seconds.
    """


@keys.command(
    examples=(
        "headgate keys create ticket-queue --project support",
        "headgate keys create nightly-report --workflow report-summary --expires-in 90d",
        "headgate keys create platform-team --role operator --network 10.0.0.0/8",
    )
)
@click.argument("name")
@click.option("--project", default=DEFAULT_PROJECT, show_default=True, help="Whose key it is.")
@click.option(
    "--role", type=click.Choice(get_args(Role)), default="app", show_default=True,
    help="What it may do; docs/reference/roles.md has the table.",
)  # fmt: skip
@click.option(
    "--model", "models", multiple=True, metavar="PATTERN",
    help="A model or route it may ask for, `*` for anything; repeatable; none allows all.",
)  # fmt: skip
@click.option(
    "--workflow", "workflows", multiple=True, metavar="PATTERN",
    help="A workflow it may run; repeatable; none allows all.",
)  # fmt: skip
@click.option(
    "--network", "networks", multiple=True, metavar="CIDR",
    help="Where it may be used from, such as 10.0.0.0/8; repeatable; none allows all.",
)  # fmt: skip
@click.option("--expires-in", type=Duration(), help="When it ends, such as 90d; else never.")
@json_option
@folder_option
def create(
    *,
    name: str,
    project: str,
    role: Role,
    models: tuple[str, ...],
    workflows: tuple[str, ...],
    networks: tuple[str, ...],
    expires_in: int | None,
    as_json: bool,
    folder: Path | None,
) -> None:
    """Create a key called NAME and print its secret, this once."""
    wanted = NewKey(
        project=project,
        name=name,
        role=role,
        models=models,
        workflows=workflows,
        networks=networks,
        expires_at_us=_from_now(expires_in),
    )
    with open_database(folder, create=True) as opened:
        _print_created(opened.keys.create(wanted, created_by=_CREATED_BY), as_json=as_json)


@keys.command(
    "list",
    examples=(
        "headgate keys list --project support --status live",
        "headgate keys list --json",
    ),
)
@click.option("--project", help="Only this project's.")
@click.option("--status", type=click.Choice(get_args(KeyStatus)), help="Only those.")
@json_option
@folder_option
def list_keys(
    *, project: str | None, status: KeyStatus | None, as_json: bool, folder: Path | None
) -> None:
    """List keys; never their secrets."""
    found: list[Key] = []
    with open_database(folder) as opened:
        while True:
            page = opened.keys.list(
                project=project, status=status, limit=_PAGE, after=found[-1].id if found else ""
            )
            found += page
            if len(page) < _PAGE:
                break
    if as_json:
        print_json([key_view(key) for key in found])
    elif found:
        _print_keys(found)
    else:
        note("No such keys. `headgate keys create NAME` makes one.")


@keys.command()
@click.argument("key_id", metavar="KEY_ID")
@json_option
@folder_option
def show(*, key_id: str, as_json: bool, folder: Path | None) -> None:
    """Show one key and what it is limited to."""
    with open_database(folder) as opened:
        key = opened.keys.get(key_id)
    if as_json:
        print_json(key_view(key))
        return
    print_table(
        [Column("key"), Column(key.id)],
        [
            ["name", key.name],
            ["project", key.project],
            ["role", key.role],
            ["status", key.status_at(wall_clock_us())],
            ["secret ends in", key.hint],
            ["models", ", ".join(key.models) or "all"],
            ["workflows", ", ".join(key.workflows) or "all"],
            ["networks", ", ".join(key.networks) or "all"],
            ["created", f"{when(key.created_at_us)} by {key.created_by}"],
            ["expires", when(key.expires_at_us) or "never"],
            ["revoked", when(key.revoked_at_us) or "no"],
            ["replaced by", key.replaced_by or "none"],
        ],
    )


@keys.command()
@click.argument("key_ids", metavar="KEY_ID...", nargs=-1, required=True)
@json_option
@folder_option
def revoke(*, key_ids: tuple[str, ...], as_json: bool, folder: Path | None) -> None:
    """End keys now; every server process sees it within two seconds."""
    with open_database(folder) as opened:
        for key_id in key_ids:
            opened.keys.get(key_id)
        revoked = [opened.keys.revoke(key_id) for key_id in key_ids]
    if as_json:
        print_json([key_view(key) for key in revoked])
    else:
        for key in revoked:
            note(f"Revoked {key.id} ({key.name}, project {key.project}).")


@keys.command(
    examples=(
        "headgate keys rotate key_0660c4a0… --overlap 7d",
        "headgate keys rotate key_0660c4a0… --overlap 0s --expires-in 90d",
    )
)
@click.argument("key_id", metavar="KEY_ID")
@click.option(
    "--overlap", type=Duration(), default="24h", show_default=True,
    help="How long the old key goes on working.",
)  # fmt: skip
@click.option(
    "--expires-in", type=Duration(), help="When the new key ends; else when the old would have."
)
@json_option
@folder_option
def rotate(
    *, key_id: str, overlap: int, expires_in: int | None, as_json: bool, folder: Path | None
) -> None:
    """Replace a key by a new one with the same rights, and print its secret."""
    with open_database(folder) as opened:
        old = opened.keys.get(key_id)
        created = opened.keys.rotate(
            key_id,
            overlap_s=overlap,
            created_by=_CREATED_BY,
            expires_at_us=old.expires_at_us if expires_in is None else _from_now(expires_in),
        )
        old = opened.keys.get(key_id)
    _print_created(created, as_json=as_json)
    if not as_json:
        note(f"The old key {old.id} works until {when(old.expires_at_us)} UTC.")


def _print_created(created: CreatedKey, *, as_json: bool) -> None:
    if as_json:
        print_json(created_key_view(created))
        return
    key = created.key
    # Only the secret goes to standard output, so that `$(headgate keys create …)` is it.
    note(f"Key {key.id} ({key.name}), role {key.role}, project {key.project}.")
    note("Its secret is shown this once; only its hash is kept:")
    click.echo(created.plaintext)


def _print_keys(found: list[Key]) -> None:
    now_us = wall_clock_us()
    print_table(
        [
            Column("id"), Column("name"), Column("project"), Column("role"), Column("status"),
            Column("ends in"), Column("created"), Column("expires"), Column("limits"),
        ],
        [
            [
                key.id, key.name, key.project, key.role, key.status_at(now_us),
                key.hint, when(key.created_at_us), when(key.expires_at_us), _limits(key),
            ]
            for key in found
        ],
    )  # fmt: skip


def _limits(key: Key) -> str:
    parts = {"models": key.models, "workflows": key.workflows, "networks": key.networks}
    return "; ".join(f"{name} {', '.join(values)}" for name, values in parts.items() if values)


def _from_now(seconds: int | None) -> int | None:
    return None if seconds is None else wall_clock_us() + seconds * _SECOND_US
