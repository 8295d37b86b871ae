"""`headgate doctor`: what keeps a server from working here, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from headgate.cli.api_client import url_option
from headgate.cli.check import Checked, check_project
from headgate.cli.diagnosis.database import look_at_database
from headgate.cli.diagnosis.finding import Finding, State
from headgate.cli.diagnosis.machine import look_at_machine
from headgate.cli.diagnosis.providers import look_at_providers
from headgate.cli.diagnosis.server import look_at_server
from headgate.cli.diagnosis.shared_cache import look_at_cache
from headgate.cli.examples import Command
from headgate.cli.output import json_option, note, print_json, printable
from headgate.cli.shown.tools import asked_tools
from headgate.config import environment
from headgate.config.tools import McpToolSource

_SHOWN: dict[State, str] = {
    "ok": "ok",
    "warning": "warning",
    "failed": "FAILED",
    "not_asked": "-",
}


@click.command(
    cls=Command,
    examples=(
        "headgate doctor",
        "headgate doctor ./support",
        "headgate doctor ./support --json",
        "headgate doctor --url https://headgate.example.com",
    ),
)
@click.argument(
    "folder", metavar="[DIR]", required=False, type=click.Path(file_okay=False, path_type=Path)
)
@url_option
@json_option
def doctor(*, folder: Path | None, url: str, as_json: bool) -> int:
    """Look at all that a server of the project in DIR needs, and say what to do about the rest.

    The files, this machine, the database, each key of each provider (which is asked for its
    models), the cache's Redis, MCP servers, and the server itself if it runs. Nothing is changed.
    The exit status is 1 where something has failed.
    """
    findings: list[Finding] = []
    for finding in _all(environment.project_folder(folder), url):
        findings.append(finding)
        if not as_json:
            _print(finding)
    failed = sum(finding.state == "failed" for finding in findings)
    warned = sum(finding.state == "warning" for finding in findings)
    if as_json:
        print_json({"ok": not failed, "findings": findings})
    else:
        note(f"headgate: {_counted(failed, 'problem')}, {_counted(warned, 'warning')}")
    return 1 if failed else 0


def _all(folder: Path | None, url: str) -> Iterator[Finding]:
    """All that is found, what comes first first."""
    yield from look_at_machine(folder)
    checked = check_project(folder)
    yield from _of_files(folder, checked)
    if (settings := checked.settings) is not None:
        yield from look_at_database(environment.database_url(folder, settings))
        yield from look_at_providers(settings, environment.providers(settings))
        yield from look_at_cache(settings)
        yield from _of_tools(checked)
    yield look_at_server(url)


def _of_files(folder: Path | None, checked: Checked) -> Iterator[Finding]:
    for problem in checked.problems:
        yield Finding(of="files", state="failed", says=problem)
    for warning in checked.warnings:
        yield Finding(of="files", state="warning", says=warning)
    if not checked.problems:
        where = "no project folder; the defaults hold" if folder is None else str(folder)
        count = _counted(len(checked.workflows), "workflow")
        yield Finding(of="files", state="ok", says=f"{where}: {count}")


def _of_tools(checked: Checked) -> Iterator[Finding]:
    sources = {
        name: source
        for name, source in checked.tool_sources.items()
        if isinstance(source, McpToolSource)
    }
    if not sources:
        return
    tools, problems = asked_tools(sources)
    for problem in problems:
        yield Finding(of="tools", state="failed", says=problem)
    if not problems:
        yield Finding(of="tools", state="ok", says=f"{_counted(len(tools), 'tool')} of MCP servers")


def _print(finding: Finding) -> None:
    click.echo(f"{_SHOWN[finding.state]:<8} {printable(finding.of)}: {printable(finding.says)}")
    if finding.remedy:
        click.echo(f"{'':<8} → {printable(finding.remedy)}")


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
