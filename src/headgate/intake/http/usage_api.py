"""`/api/usage`: what was used and what it cost, over HTTP."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from headgate.intake.access.projects import check_known, wall_clock_us
from headgate.intake.access.reach import visible_project
from headgate.intake.http.endpoint import ApiReply, ApiRequest, Endpoint
from headgate.intake.http.inputs import Input
from headgate.ledger.money import header_usd
from headgate.ledger.period import moment_us
from headgate.ledger.usage import GroupBy, UsageRow, parse_group_by, usage
from headgate.storage import Database
from headgate.storage.threads import StorageThreads

DEFAULT_SINCE = "30d"

_SECOND_US = 1_000_000
_MAX_ROWS = 1000


class UsageQuery(Input, frozen=True):
    """Which usage, and by what it is split."""

    group_by: Annotated[
        str,
        Meta(
            description="One or more of model, project, feature, user, workflow, day, key,"
            " endpoint, provider, route, status, with commas between; empty gives the total alone."
        ),
    ] = ""
    since: Annotated[
        str, Meta(description="How long ago, such as `24h` or `7d`, or an ISO date or time in UTC.")
    ] = DEFAULT_SINCE
    until: Annotated[str | None, Meta(description="The same; by default now.")] = None
    project: Annotated[str | None, Meta(description="By default all that the key reaches.")] = None


class UsageView(msgspec.Struct, frozen=True, kw_only=True):
    """Usage of the calls that share the values of `group`."""

    group: dict[GroupBy, str | int | None]
    calls: int
    errors: int
    unpriced_calls: Annotated[
        int, Meta(description="Calls whose price is not known; the cost lacks them.")
    ]
    simulated_calls: Annotated[
        int, Meta(description="Calls that the simulator answered; nobody was charged for them.")
    ]
    estimated_calls: Annotated[
        int,
        Meta(
            description="Calls some of whose tokens Headgate counted, because no provider told"
            " them; their cost is an estimate."
        ),
    ]
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost_nanousd: Annotated[
        int | None, Meta(description="Billionths of a US dollar; null where no price is known.")
    ]
    cost_usd: Annotated[str | None, Meta(description="The same in dollars, exactly.")]
    latency_ms_avg: float
    cached_share: Annotated[
        float,
        Meta(description="Of the input tokens, those that the provider had in its prompt cache."),
    ]
    cache_hits: Annotated[int, Meta(description="Calls that were answered from Headgate's cache.")]
    cache_misses: Annotated[
        int, Meta(description="Calls for which it had no answer, or only a part of one.")
    ]
    saved_nanousd: Annotated[
        int, Meta(description="What answers from it cost when a model gave them.")
    ]


class UsageList(msgspec.Struct, frozen=True, kw_only=True):
    """Usage in a period, by day and else the dearest first, and its total."""

    object: Literal["list"] = "list"
    since: Annotated[int, Meta(description="Seconds since 1970 UTC.")]
    until: Annotated[int, Meta(description="Seconds since 1970 UTC.")]
    project: str | None
    group_by: tuple[GroupBy, ...]
    data: list[UsageView]
    has_more: Annotated[
        bool, Meta(description=f"More than {_MAX_ROWS} rows; ask for a shorter period.")
    ]
    total: UsageView


class UsageApi:
    """Handlers over the ledger of one database."""

    def __init__(self, database: Database, threads: StorageThreads) -> None:
        self._database = database
        self._threads = threads

    def endpoints(self) -> tuple[Endpoint, ...]:
        """What this API serves."""
        return (
            Endpoint(
                method="GET", path="/api/usage", permission="usage.read", tag="usage",
                summary="Usage and cost, by whatever it is split", handler=self.usage,
                query=UsageQuery, response=UsageList,
            ),
        )  # fmt: skip

    async def usage(self, request: ApiRequest) -> ApiReply:
        """`GET /api/usage`."""
        query = request.query(UsageQuery)
        project = visible_project(request.caller, query.project)
        return ApiReply(body=await self._threads.begin(usage_list, self._database, query, project))


def usage_list(database: Database, query: UsageQuery, project: str | None) -> UsageList:
    """The answer to `query`, about `project` only where it is given. Blocks.

    Raises `InvalidRequestError` for a period or a split that is not understood, and for a project
    that there is not.
    """
    now_us = wall_clock_us()
    group_by = parse_group_by(query.group_by)
    since_us = moment_us(query.since, now_us=now_us)
    until_us = (
        now_us if query.until is None else moment_us(query.until, now_us=now_us, param="until")
    )
    with database.connect() as connection:
        if project is not None:
            # A misspelt name would look like a project that costs nothing.
            check_known(connection, project)
        total = usage(connection, since_us=since_us, until_us=until_us, project=project)[0]
        rows = []
        if group_by:
            rows = usage(
                connection,
                group_by=group_by,
                since_us=since_us,
                until_us=until_us,
                project=project,
                limit=_MAX_ROWS + 1,
            )
    return UsageList(
        since=since_us // _SECOND_US,
        until=until_us // _SECOND_US,
        project=project,
        group_by=group_by,
        data=[_view(row) for row in rows[:_MAX_ROWS]],
        has_more=len(rows) > _MAX_ROWS,
        total=_view(total),
    )


def _view(row: UsageRow) -> UsageView:
    return UsageView(
        group=row.group,
        calls=row.calls,
        errors=row.errors,
        unpriced_calls=row.unpriced_calls,
        simulated_calls=row.simulated_calls,
        estimated_calls=row.estimated_calls,
        input_tokens=row.input_tokens,
        cached_tokens=row.cached_tokens,
        output_tokens=row.output_tokens,
        reasoning_tokens=row.reasoning_tokens,
        cost_nanousd=row.cost_nanousd,
        cost_usd=None if row.cost_nanousd is None else header_usd(row.cost_nanousd),
        latency_ms_avg=row.latency_us_avg / 1000,
        cached_share=round(row.cached_tokens / max(1, row.input_tokens), 4),
        cache_hits=row.cache_hits,
        cache_misses=row.cache_misses,
        saved_nanousd=row.saved_nanousd,
    )
