"""`headgate users`: who may sign in to the console with a password, straight on the database."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import get_args

import click

from headgate.cli.database import folder_option, open_database
from headgate.cli.examples import Group
from headgate.cli.output import Column, json_option, note, print_json, print_table, when
from headgate.gateway.caller import Role
from headgate.intake.access.projects import DEFAULT_PROJECT
from headgate.intake.access.users import User, UserStore, may_sign_in

_ROLES = tuple(role for role in get_args(Role) if may_sign_in(role))

_stdin_option = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input, one line."
)


@click.group(
    cls=Group,
    examples=(
        "headgate users create maria --role reviewer --project support",
        "headgate users list",
        "headgate users disable maria",
    ),
)
def users() -> None:
    """Create, list and disable people who sign in to the console.

    Works on the database itself, so it needs no key. Passwords are asked for, never given as an
    argument, and only their Argon2id hash is stored.
    """


@users.command()
@click.argument("name")
@click.option("--project", default=DEFAULT_PROJECT, show_default=True, help="Whose work they see.")
@click.option(
    "--role", type=click.Choice(_ROLES), default="reviewer", show_default=True,
    help="What they may do; docs/reference/roles.md has the table.",
)  # fmt: skip
@_stdin_option
@json_option
@folder_option
def create(
    *,
    name: str,
    project: str,
    role: Role,
    password_stdin: bool,
    as_json: bool,
    folder: Path | None,
) -> None:
    """Create the user NAME; their password is asked for."""
    password = _password(from_stdin=password_stdin)
    with open_database(folder, create=True) as opened:
        user = UserStore(opened.database).create(name, password, role=role, project=project)
    if as_json:
        print_json(user)
    else:
        note(f"User {name} ({role}, project {project}) may sign in at /console.")


@users.command("list")
@json_option
@folder_option
def list_users(*, as_json: bool, folder: Path | None) -> None:
    """List users, disabled ones too."""
    with open_database(folder) as opened:
        found = UserStore(opened.database).list()
    if as_json:
        print_json(found)
    elif found:
        print_table(
            [Column(t) for t in ("name", "role", "project", "created", "disabled")],
            [_row(user) for user in found],
        )
    else:
        note("No users. `headgate users create NAME` makes one.")


@users.command()
@click.argument("name")
@json_option
@folder_option
def disable(*, name: str, as_json: bool, folder: Path | None) -> None:
    """Sign the user NAME out everywhere, and let them in no more until they get a new password."""
    with open_database(folder) as opened:
        user = UserStore(opened.database).disable(name)
    if as_json:
        print_json(user)
    else:
        note(f"User {name} is disabled and signed out everywhere.")


@users.command()
@click.argument("name")
@_stdin_option
@json_option
@folder_option
def password(*, name: str, password_stdin: bool, as_json: bool, folder: Path | None) -> None:
    """Give the user NAME a new password, which is asked for; it signs them out everywhere."""
    chosen = _password(from_stdin=password_stdin)
    with open_database(folder) as opened:
        user = UserStore(opened.database).set_password(name, chosen)
    if as_json:
        print_json(user)
    else:
        note(f"User {name} has a new password and is signed out everywhere.")


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise click.UsageError("there is no terminal to ask at; use --password-stdin")
    chosen: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return chosen


def _row(user: User) -> list[str]:
    return [user.name, user.role, user.project, when(user.created_at_us), when(user.disabled_at_us)]
