"""`GET /api/allowances`: how much of each limit and budget is used, and how much is left."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from headgate.intake.access.projects import wall_clock_us
from headgate.intake.access.reach import visible_project
from headgate.intake.http.endpoint import ApiReply, ApiRequest, Endpoint
from headgate.intake.http.inputs import Input
from headgate.ledger.allowances.report import AllowanceState, ends_at_s, states
from headgate.ledger.allowances.rule import Rules
from headgate.ledger.money import header_usd
from headgate.storage import Database
from headgate.storage.threads import StorageThreads


class AllowancesQuery(Input, frozen=True):
    """Which allowances."""

    project: Annotated[
        str | None, Meta(description="Those of one project alone; by default all the key reaches.")
    ] = None


class AllowanceView(msgspec.Struct, frozen=True, kw_only=True):
    """One limit or budget for one subject, in its present window."""

    rule: Annotated[str, Meta(description="Such as `usd/month per project`.")]
    kind: Literal["limit", "budget"]
    subject: Annotated[str, Meta(description="Such as `project=support`.")]
    measure: Literal["requests", "tokens", "usd", "concurrent"]
    window: str
    time_zone: str
    ends_at: Annotated[int | None, Meta(description="Seconds since 1970 UTC; null: never.")]
    limit: Annotated[str | int, Meta(description="Money in dollars, as text; else a number.")]
    granted: Annotated[
        str | int, Meta(description="What people granted beyond it, in this window.")
    ]
    taken: Annotated[
        str | int, Meta(description="Spent, reserved for calls in flight, or leased to a process.")
    ]
    spent: Annotated[str | int, Meta(description="By calls that have ended.")]
    left: Annotated[str | int, Meta(description="What nobody has taken.")]
    used_percent: Annotated[float, Meta(description="`spent` of `limit` and `granted`.")]


class AllowanceList(msgspec.Struct, frozen=True, kw_only=True):
    """The allowances that were used in their present window, by rule, the most used first."""

    object: Literal["list"] = "list"
    data: list[AllowanceView]
    has_more: bool


def allowances_endpoints(
    rules: Rules, database: Database, threads: StorageThreads
) -> tuple[Endpoint, ...]:
    """What this API serves."""

    async def handle(request: ApiRequest) -> ApiReply:
        query = request.query(AllowancesQuery)
        project = visible_project(request.caller, query.project)
        return ApiReply(body=await threads.begin(allowance_list, rules, database, project))

    return (
        Endpoint(
            method="GET", path="/api/allowances", permission="usage.read", tag="usage",
            summary="What is used and left of limits and budgets", handler=handle,
            query=AllowancesQuery, response=AllowanceList,
        ),
    )  # fmt: skip


def allowance_list(rules: Rules, database: Database, project: str | None) -> AllowanceList:
    """The allowances of `rules`, those of `project` alone where it is given. Blocks."""
    with database.connect() as connection:
        found, more = states(connection, rules, wall_clock_us(), project=project)
    return AllowanceList(data=[_view(state) for state in found], has_more=more)


def _view(state: AllowanceState) -> AllowanceView:
    rule = state.rule
    money = rule.measure == "nanousd"

    def shown(amount: int) -> str | int:
        return header_usd(amount) if money else amount

    return AllowanceView(
        rule=rule.name,
        kind=rule.kind,
        subject=state.subject,
        measure="usd" if rule.measure == "nanousd" else rule.measure,
        window=rule.window,
        time_zone=rule.zone_name,
        ends_at=ends_at_s(state),
        limit=shown(rule.limit),
        granted=shown(state.extra),
        taken=shown(state.taken),
        spent=shown(state.spent),
        left=shown(state.left),
        used_percent=round(state.spent * 100 / (rule.limit + state.extra), 2),
    )
