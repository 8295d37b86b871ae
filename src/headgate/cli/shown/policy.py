"""What a project's files amount to, in tables: its policy and its workflows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click
import msgspec

from headgate.cli.output import Column, print_table
from headgate.cli.shown.connectors import print_connectors, print_context
from headgate.cli.shown.guards import print_guards
from headgate.cli.shown.runs import print_runs, runs_line
from headgate.cli.shown.tool_terms import print_tool_terms
from headgate.config.allowances import BudgetSettings, UsageLimitSettings
from headgate.config.caching import CacheSettings
from headgate.config.checks.reviews import review_in_words
from headgate.config.trace_plan import TracePlan
from headgate.ledger.allowances.rule import Rule, rules_of
from headgate.ledger.money import shown_usd
from headgate.workflows.folder import Workflow


def print_policy(
    policy: dict[str, Any],
    traces: TracePlan | None,
    workflows: tuple[Workflow, ...],
    boxes: Iterable[Any],
) -> None:
    """Print it; `boxes` are the `Toolbox`es of the workflows."""
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
    click.echo(f"Cache     {_cache(policy['cache'], workflows)}")
    click.echo(f"Runs      {runs_line(policy['runs'])}")
    click.echo(f"Traces    {_traces(traces)}\n")
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
    if workflows:
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
                for workflow in workflows
            ],
        )  # fmt: skip
        print_context(workflows)
        print_tool_terms(boxes)
        print_runs(workflows)


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
