"""`/api/cache/near-misses`: the evidence by which a threshold of the semantic cache is chosen."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from headgate.gateway.cache.cache import wall_clock_us
from headgate.gateway.cache.semantic.near_miss import Band, NearMiss, NearMissLog
from headgate.intake.access.reach import visible_project
from headgate.intake.http.endpoint import ApiReply, ApiRequest, Endpoint
from headgate.intake.http.inputs import Input
from headgate.ledger.period import moment_us

_MOST = 100


class NearMissQuery(Input, frozen=True):
    """Which near misses."""

    workflow: Annotated[str | None, Meta(description="By default every workflow's.")] = None
    since: Annotated[
        str, Meta(description="How long ago, such as `24h` or `7d`, or an ISO date or time in UTC.")
    ] = "30d"
    project: Annotated[str | None, Meta(description="By default all that the key reaches.")] = None


class NearMissView(msgspec.Struct, frozen=True, kw_only=True):
    """An input that a model was asked about although an earlier one was much like it."""

    at: Annotated[float, Meta(description="Seconds since 1970 UTC.")]
    project: str
    workflow: str
    similarity: float
    threshold: Annotated[float, Meta(description="What it would have had to be.")]
    run_id: str | None
    like_run_id: Annotated[
        str | None, Meta(description="The run whose answer would have been given.")
    ]
    same: Annotated[bool, Meta(description="Whether the model gave the same answer.")]


class NearMissList(msgspec.Struct, frozen=True, kw_only=True):
    """Near misses by their similarity, and the newest of them."""

    object: Literal["list"] = "list"
    since: Annotated[int, Meta(description="Seconds since 1970 UTC.")]
    project: str | None
    bands: Annotated[
        list[Band],
        Meta(
            description="By workflow, for each hundredth of similarity: how many, and for how many"
            " of them the model gave the same answer as before."
        ),
    ]
    data: Annotated[list[NearMissView], Meta(description=f"The newest, at most {_MOST}.")]


def near_miss_endpoints(log: NearMissLog) -> tuple[Endpoint, ...]:
    """The endpoint over `log`."""

    def found(since_us: int, project: str | None, workflow: str | None) -> NearMissList:
        newest = log.newest(since_us=since_us, project=project, workflow=workflow, limit=_MOST)
        return NearMissList(
            since=since_us // 1_000_000,
            project=project,
            bands=log.bands(since_us=since_us, project=project, workflow=workflow),
            data=[_view(miss) for miss in newest],
        )

    async def show(request: ApiRequest) -> ApiReply:
        query = request.query(NearMissQuery)
        project = visible_project(request.caller, query.project)
        since_us = moment_us(query.since, now_us=wall_clock_us())
        return ApiReply(body=await asyncio.to_thread(found, since_us, project, query.workflow))

    return (
        Endpoint(
            method="GET", path="/api/cache/near-misses", permission="usage.read", tag="cache",
            summary="Inputs that were nearly enough alike to share an answer",
            handler=show, query=NearMissQuery, response=NearMissList,
        ),
    )  # fmt: skip


def _view(miss: NearMiss) -> NearMissView:
    return NearMissView(
        at=miss.at_us / 1e6,
        project=miss.project,
        workflow=miss.workflow,
        similarity=round(miss.similarity, 4),
        threshold=miss.threshold,
        run_id=miss.run_id,
        like_run_id=miss.like_run_id,
        same=miss.same,
    )
