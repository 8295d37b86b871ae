"""What `headgate check` shows of connectors: what they can be asked, and which workflow asks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headgate.cli.output import Column, print_table
from headgate.config.load import FILE_NAME
from headgate.config.settings import Settings
from headgate.workflows.folder import Workflow

if TYPE_CHECKING:
    from headgate.context.query_checks import Finding


def queries_said(settings: Settings, folder: Path | None) -> list[Finding]:
    """What databases that are files say of the declared queries; no server is asked."""
    if folder is None or not any(one.sql for one in settings.connectors.values()):
        return []
    # Most projects have no such connector.
    from headgate.context.query_checks import query_findings  # noqa: PLC0415

    return query_findings(settings.connectors, folder / FILE_NAME, ask_servers=False)


def print_connectors(policy: dict[str, Any]) -> None:
    """A line for each operation of each connector, with the fields that may leave it."""
    rows = []
    for name, connector in policy["connectors"].items():
        kind = "http" if connector["http"] is not None else "sql"
        settings = connector[kind]
        address = settings["base_url"] if kind == "http" else settings["url"]
        for operation, told in settings["operations"].items():
            many = told["many"]
            rows.append(
                [
                    f"{name}.{operation}", kind, address,
                    "one" if many is None else f"up to {many}",
                    f"{settings['timeout_s']:g} s", ", ".join(told["fields"]),
                ]
            )  # fmt: skip
    if rows:
        print_table(
            [
                Column("connector"), Column("kind"), Column("address"), Column("records"),
                Column("within", "right"), Column("fields"),
            ],
            rows,
        )  # fmt: skip


def print_context(workflows: Sequence[Workflow]) -> None:
    """A line for each part of each workflow's context."""
    rows = [
        [
            workflow.name, name, part.source, "required" if part.required else "optional",
            part.trust, _whose(part.roles, part.projects),
        ]
        for workflow in workflows
        for name, part in workflow.settings.context.items()
    ]  # fmt: skip
    if rows:
        print_table(
            [
                Column("context of"), Column("part"), Column("from"), Column("needed"),
                Column("trust"), Column("for runs of"),
            ],
            rows,
        )  # fmt: skip


def _whose(roles: Sequence[str] | None, projects: Sequence[str] | None) -> str:
    told = [*(roles or ()), *(f"project {name}" for name in projects or ())]
    return ", ".join(told) or "all"
