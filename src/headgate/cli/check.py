"""`headgate check`: whether a project's files are right, and what they amount to."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import click
import msgspec

from headgate.cli.examples import Command
from headgate.cli.output import json_option, note, print_json
from headgate.cli.references import (
    guard_problems,
    route_problems,
    tool_boxes,
    unknown_groups,
    unserved,
)
from headgate.cli.shown.connectors import queries_said
from headgate.cli.shown.policy import print_policy
from headgate.cli.shown.tool_terms import tool_summaries
from headgate.cli.shown.tools import ToolShown, asked_tools, print_tools
from headgate.config import environment
from headgate.config.checks.reviews import review_in_words
from headgate.config.checks.short_keys import short_key_warnings
from headgate.config.load import FILE_NAME, load_settings
from headgate.config.policy import effective_policy
from headgate.config.problems import every_problem
from headgate.config.settings import ProviderSettings, Settings
from headgate.config.tools import ToolSource
from headgate.config.trace_plan import TracePlan, trace_plan
from headgate.config.yaml_file import YamlFile
from headgate.errors import ConfigError
from headgate.gateway.objects.allowed import AllowedPaths
from headgate.workflows.catalogue import workflow_folders
from headgate.workflows.durable.webhook_check import check_webhooks
from headgate.workflows.folder import Workflow, load_workflow
from headgate.workflows.semantic_checks import check_semantic

_NO_CONNECTOR = re.compile(r": context\.[a-z0-9_-]+\.from: there is no connector ")


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What was found in a project."""

    problems: tuple[str, ...]
    """Each `file:line: field: what to do`."""
    policy: dict[str, Any] | None
    """None where the settings have problems."""
    workflows: tuple[Workflow, ...]
    settings: Settings | None = None
    """None where there are problems."""
    traces: TracePlan | None = None
    """How a server would trace, by the file and this environment."""
    of_settings: tuple[str, ...] = ()
    """Warnings about the settings."""
    tool_sources: dict[str, ToolSource] = {}
    """Empty where the settings have problems."""
    boxes: dict[str, Any] = {}
    """The `Toolbox` of each workflow, by its name, where there are tools."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is no problem but costs money, time or trust."""
        of_prompts = (w for workflow in self.workflows for w in workflow.prompt.warnings)
        return (*self.of_settings, *of_prompts)


@click.command(
    cls=Command,
    examples=(
        "headgate check",
        "headgate check ./support",
        "headgate check ./support --json",
        "headgate check ./support --tools",
    ),
)
@click.argument(
    "folder", metavar="[DIR]", required=False, type=click.Path(file_okay=False, path_type=Path)
)
@click.option(
    "--tools",
    "with_tools",
    is_flag=True,
    help="Connect to the MCP servers, and print their tools with the sha256 that pins each.",
)
@json_option
def check(*, folder: Path | None, with_tools: bool, as_json: bool) -> int:
    """Check the project in DIR and print the policy that its files make.

    Every problem is printed as `file:line: field: what to do`; the exit status is 1 if there is
    one. Without --tools nothing is started and no server is asked.
    """
    named = environment.project_folder(folder)
    found = check_project(named)
    tools: tuple[ToolShown, ...] = ()
    if with_tools and not found.problems:
        tools, problems = asked_tools(found.tool_sources)
        found = msgspec.structs.replace(found, problems=problems)
    if as_json:
        print_json(
            {
                "ok": not found.problems,
                "problems": found.problems,
                "warnings": found.warnings,
                "policy": found.policy,
                "workflows": [_summary(workflow, found.boxes) for workflow in found.workflows],
                **({"tools": tools} if with_tools else {}),
            }
        )
    elif found.problems:
        print_tools(tools)
        for problem in found.problems:
            click.echo(problem)
        count = len(found.problems)
        note(f"headgate: {count} problem{'' if count == 1 else 's'}; nothing was changed")
    else:
        where = "no project folder; the defaults hold" if named is None else str(named)
        click.echo(f"Project   {where}")
        print_policy(found.policy or {}, found.traces, found.workflows, found.boxes.values())
        print_tools(tools)
        click.echo("All right. `--json` prints every setting with its value.")
    if not as_json:
        for warning in found.warnings:
            note(f"warning: {warning}")
    return 1 if found.problems else 0


def check_project(folder: Path | None) -> Checked:
    """Load all that a server would load from `folder`, and gather what is wrong with it."""
    problems: list[str] = []
    settings: Settings | None = None
    providers: dict[str, ProviderSettings] = {}
    policy = traces = None
    try:
        settings = load_settings(folder)
        providers = environment.providers(settings)
        problems += route_problems(settings, providers)
        problems += guard_problems(settings, folder)
        AllowedPaths(settings.endpoints.allow).check(folder)
        traces = trace_plan(settings.traces, os.environ)
        policy = effective_policy(
            settings,
            providers=providers,
            simulated=[n for n, p in providers.items() if environment.needs_simulator(p)],
            database_url=environment.database_url(folder, settings),
        )
    except ConfigError as error:
        problems += _all_of_settings(folder, error)
    workflows: list[Workflow] = []
    try:
        folders = workflow_folders(folder)
    except ConfigError as error:
        folders = []
        problems += error.problems
    for workflow_folder in folders:
        try:
            workflow = load_workflow(
                workflow_folder, None if settings is None else settings.connectors
            )
        except ConfigError as error:
            problems += _of_workflow(error, settings)
            continue
        workflows.append(workflow)
        if settings is not None:
            problems += unserved(workflow, settings, providers)
            problems += unknown_groups(workflow, settings)
    of_queries: list[str] = []
    boxes: dict[str, Any] = {}
    if settings is not None:
        boxes, of_tools = tool_boxes(settings, folder, workflows)
        problems += of_tools
        said = queries_said(settings, folder)
        problems += [one.message for one in said if one.refused]
        of_queries = [one.message for one in said if not one.refused]
        try:
            check_semantic(settings, folder, providers, workflows)
        except ConfigError as error:
            problems += error.problems
        try:
            check_webhooks(settings.runs, workflows)
        except ConfigError as error:
            problems += error.problems
    return Checked(
        problems=tuple(dict.fromkeys(problems)),
        policy=None if problems else policy,
        settings=None if problems else settings,
        workflows=tuple(workflows),
        traces=traces,
        of_settings=(*short_key_warnings(providers), *of_queries),
        tool_sources={} if settings is None else settings.tools,
        boxes=boxes,
    )


def _of_workflow(error: ConfigError, settings: Settings | None) -> list[str]:
    """Where headgate.yaml can't be read, what a workflow wants of it is missing for that alone."""
    return [p for p in error.problems if settings is not None or not _NO_CONNECTOR.search(p)]


def _all_of_settings(folder: Path | None, error: ConfigError) -> tuple[str, ...]:
    """The loader stops at its first problem; the others of the file are looked for here."""
    path = None if folder is None else folder / FILE_NAME
    if path is None or not path.exists() or "${" in path.read_text("utf-8", "replace"):
        return error.problems
    try:
        others = every_problem(YamlFile.read(path), Settings)
    except ConfigError:
        return error.problems
    return tuple(dict.fromkeys((*error.problems, *others)))


def _summary(workflow: Workflow, boxes: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": workflow.name,
        "version": workflow.settings.version,
        "digest": workflow.digest,
        "owner": workflow.settings.owner,
        "route": workflow.settings.route,
        "trust": workflow.settings.trust,
        "context": workflow.settings.context,
        "fallback": workflow.settings.fallback is not None,
        "review": review_in_words(workflow.settings.review),
        "tools": tool_summaries(boxes.get(workflow.name)),
        "reask": workflow.settings.checks.reask,
        "rules": workflow.settings.checks.rules,
        "rules_py": [] if workflow.rules is None else workflow.rules.functions,
        "timeout_s": workflow.settings.limits.timeout_s,
    }
