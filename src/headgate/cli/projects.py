"""`headgate projects`: create, list and archive projects, straight on the database."""

from __future__ import annotations

from pathlib import Path

import click

from headgate.cli.database import folder_option, open_database
from headgate.cli.examples import Group
from headgate.cli.output import Column, json_option, note, print_json, print_table, when
from headgate.intake.access.projects import Project
from headgate.intake.http.projects_api import project_view

_PAGE = 1000


@click.group(
    cls=Group,
    examples=(
        'headgate projects create support --description "Customer support"',
        "headgate projects list",
    ),
)
def projects() -> None:
    """Create, list and archive projects.

    A project is a team's boundary: its keys, workflows, usage and cost.
    """


@projects.command()
@click.argument("name")
@click.option("--description", default="", help="What it is for.")
@json_option
@folder_option
def create(*, name: str, description: str, as_json: bool, folder: Path | None) -> None:
    """Create the project NAME."""
    with open_database(folder, create=True) as opened:
        project = opened.projects.create(name, description)
    if as_json:
        print_json(project_view(project))
    else:
        note(f"Project {name} is there; give it a key: headgate keys create APP --project {name}")


@projects.command("list")
@json_option
@folder_option
def list_projects(*, as_json: bool, folder: Path | None) -> None:
    """List projects, archived ones too."""
    found: list[Project] = []
    with open_database(folder) as opened:
        while True:
            page = opened.projects.list(limit=_PAGE, after=found[-1].name if found else "")
            found += page
            if len(page) < _PAGE:
                break
    if as_json:
        print_json([project_view(project) for project in found])
        return
    print_table(
        [Column("name"), Column("description"), Column("created"), Column("archived")],
        [[p.name, p.description, when(p.created_at_us), when(p.archived_at_us)] for p in found],
    )


@projects.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@folder_option
def archive(*, name: str, yes: bool, as_json: bool, folder: Path | None) -> None:
    """Archive the project NAME: its keys open nothing from then on, its records stay."""
    with open_database(folder) as opened:
        opened.projects.get(name)
        if not yes:
            click.confirm(f"Archive {name}? Its keys stop working, for good.", abort=True, err=True)
        project = opened.projects.archive(name)
    if as_json:
        print_json(project_view(project))
    else:
        note(f"Project {name} is archived.")
