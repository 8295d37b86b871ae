"""`headgate check`: whether a project's files are right, and what they amount to."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import click
import msgspec

from headgate.cli.connectors_shown import print_connectors, print_context, queries_said
from headgate.cli.examples import Command
from headgate.cli.guards_shown import print_guards
from headgate.cli.output import Column, json_option, note, print_json, print_table
from headgate.cli.references import (
    guard_problems,
    route_problems,
    semantic_problems,
    tool_boxes,
    unknown_groups,
    unserved,
)
from headgate.cli.runs_shown import print_runs, runs_line
from headgate.cli.tool_terms_shown import print_tool_terms, tool_summaries
from headgate.cli.tools_shown import ToolShown, asked_tools, print_tools
from headgate.config import environment
from headgate.config.allowances import BudgetSettings, UsageLimitSettings
from headgate.config.caching import CacheSettings
from headgate.config.load import FILE_NAME, load_settings
from headgate.config.policy import effective_policy
from headgate.config.problems import every_problem
from headgate.config.review_checks import review_in_words
from headgate.config.settings import ProviderSettings, Settings
from headgate.config.short_keys import short_key_warnings
from headgate.config.tools import ToolSource
from headgate.config.trace_plan import TracePlan, trace_plan
from headgate.config.yaml_file import YamlFile
from headgate.errors import ConfigError
from headgate.ledger.allowances.rule import Rule, rules_of
from headgate.ledger.money import shown_usd
from headgate.workflows.catalogue import workflow_folders
from headgate.workflows.durable.webhook_check import check_webhooks
from headgate.workflows.folder import Workflow, load_workflow

_NO_CONNECTOR = re.compile(r": context\.[a-z0-9_-]+\.from: there is no connector ")


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What was found in a project."""

    problems: tuple[str, ...]
    """Each `file:line: field: what to do`."""
    policy: dict[str, Any] | None
    """None where the settings have problems."""
    workflows: tuple[Workflow, ...]
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
        _print(named, found)
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
        problems += semantic_problems(settings, providers, workflows)
        try:
            check_webhooks(settings.runs, workflows)
        except ConfigError as error:
            problems += error.problems
    return Checked(
        problems=tuple(dict.fromkeys(problems)),
        policy=None if problems else policy,
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


def _fallback(workflow: Workflow) -> str:
    declared = workflow.settings.fallback
    if declared == "review":
        return "a person"
    return "yes" if declared else "no"


def _cache(settings: dict[str, Any] | None, workflows: tuple[Workflow, ...]) -> str:
    """Which calls are answered from the cache, for how long and from where."""
    declared = any(workflow.settings.cache is not None for workflow in workflows)
    cache = settings or msgspec.to_builtins(CacheSettings())
    match cache["when"]:
        case "never":
            return "off, whatever routes and workflows say"
        case "declared" if settings is None and not declared:
            return "off, but for routes with a cache of their own"
        case "declared":
            which = "calls that a route or a workflow declares"
        case _:
            which = "deterministic and declared calls"
    where = "memory" if cache["store"] == "memory" else f"memory and {cache['store']}"
    return f"{which}, for {cache['ttl_s']:g} s, in {where}"


def _print(folder: Path | None, found: Checked) -> None:
    policy = found.policy or {}
    where = "no project folder; the defaults hold" if folder is None else str(folder)
    click.echo(f"Project   {where}")
    click.echo(f"Database  {policy['database_url']}")
    ledger, retries = policy["ledger"], policy["retries"]
    click.echo(
        f"Ledger    {ledger['durability']}"
        + (
            f", a record is safe {ledger['flush_interval_ms']} ms after its answer"
            if ledger["durability"] == "batched"
            else ", a record is safe before its answer ends"
        )
    )
    click.echo(
        f"Retries   {retries['max_attempts']} attempts per target, pauses of"
        f" {retries['base_delay_s']:g} to {retries['max_delay_s']:g} s"
        + ("; what is unusually late is given up for another" * retries["give_up_unusual"])
    )
    click.echo(f"Cache     {_cache(policy['cache'], found.workflows)}")
    click.echo(f"Runs      {runs_line(policy['runs'])}")
    click.echo(f"Traces    {_traces(found.traces)}\n")
    print_table(
        [
            Column("provider"), Column("kind"), Column("address"), Column("key"), Column("models"),
            Column("connect / first byte / idle / attempt / total", "right"),
        ],
        [
            [
                name, provider["kind"], provider["base_url"], _keys_shown(provider),
                ", ".join(provider["models"]),
                " / ".join(
                    f"{provider['timeouts'][field]:g} s"
                    if provider["timeouts"][field] is not None
                    else "-"
                    for field in ("connect_s", "first_byte_s", "idle_s", "attempt_s", "total_s")
                ),
            ]
            for name, provider in policy["providers"].items()
        ],
    )  # fmt: skip
    if policy["routes"]:
        print_table(
            [Column("route"), Column("strategy"), Column("targets")],
            [
                [
                    name, route["strategy"].replace("_", " "),
                    " → ".join(f"{t['provider']}/{t['model']}" for t in route["targets"]),
                ]
                for name, route in policy["routes"].items()
            ],
        )  # fmt: skip
        _print_grades(policy["routes"])
    if policy["limits"] or policy["budgets"]:
        _print_rules(policy)
    print_guards(policy)
    print_connectors(policy)
    if found.workflows:
        print_table(
            [
                Column("workflow"), Column("version"), Column("digest"), Column("route"),
                Column("input"), Column("rules"), Column("fallback"), Column("a person looks"),
                Column("owner"),
            ],
            [
                [
                    workflow.name, workflow.settings.version,
                    workflow.digest.removeprefix("sha256:")[:12], workflow.settings.route,
                    workflow.settings.trust, _rules_shown(workflow), _fallback(workflow),
                    review_in_words(workflow.settings.review), workflow.settings.owner,
                ]
                for workflow in found.workflows
            ],
        )  # fmt: skip
        print_context(found.workflows)
        print_tool_terms(found.boxes.values())
        print_runs(found.workflows)


def _rules_shown(workflow: Workflow) -> str:
    """How many are declared, and whether there is a rules.py: `3 + rules.py`."""
    count = len(workflow.settings.checks.rules)
    shown = [str(count)] if count else []
    return " + ".join([*shown, "rules.py"] if workflow.rules is not None else shown) or "none"


def _traces(plan: TracePlan | None) -> str:
    if plan is None:
        return "off"
    whose = "those that callers do not decide on" if plan.follow_parent else "all"
    return f"{plan.share * 100:g} % of {whose}, to {plan.url}"


def _print_grades(routes: dict[str, Any]) -> None:
    """Which routes ask a model how hard a request is."""
    rows = [
        [
            name, classifier["model"], ", ".join(classifier["grades"]), classifier["otherwise"],
            f"{classifier['timeout_s']:g} s",
        ]
        for name, route in routes.items()
        if (classifier := route["classifier"]) is not None
    ]  # fmt: skip
    if rows:
        print_table(
            [
                Column("graded route"), Column("by"), Column("grades"), Column("otherwise"),
                Column("within", "right"),
            ],
            rows,
        )  # fmt: skip


def _keys_shown(provider: dict[str, Any]) -> str:
    """Whether a provider has a key, or which ones its pool has."""
    if provider["azure_ad"]:
        return "Entra ID"
    names = [str(key["name"]) for key in provider["keys"]]
    if names and provider["api_key"] == "set":
        names.append("default")
    return ", ".join(names) or str(provider["api_key"])


def _print_rules(policy: dict[str, Any]) -> None:
    known = rules_of(
        msgspec.convert(policy["limits"], tuple[UsageLimitSettings, ...]),
        msgspec.convert(policy["budgets"], tuple[BudgetSettings, ...]),
    )
    rows = [
        [
            rule.name,
            shown_usd(rule.limit) if rule.measure == "nanousd" else f"{rule.limit:,}",
            _beyond(rule),
            rule.zone_name if rule.window in ("day", "week", "month") else "",
        ]
        for rule in known.rules
    ]
    rows += [[cap.name, shown_usd(cap.limit), "refuses", ""] for cap in known.caps]
    print_table(
        [Column("limit or budget"), Column("allows", "right"), Column("beyond"), Column("zone")],
        rows,
    )


def _beyond(rule: Rule) -> str:
    """What happens to a call that no more of an allowance is left for."""
    if rule.wait_s:
        return f"waits up to {rule.wait_s:g} s"
    return "asks a person" if rule.asks else "refuses"
