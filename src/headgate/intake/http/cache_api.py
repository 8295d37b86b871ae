"""`/api/cache`: what the cache of answers holds and saves, and clearing it."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from headgate.config.caching import CacheStore, CacheWhen
from headgate.gateway.cache.cache import AnswerCache, wall_clock_us
from headgate.gateway.cache.clearing import Clearing
from headgate.gateway.cache.store import StoreSize
from headgate.intake.access.reach import visible_project
from headgate.intake.http.endpoint import ApiReply, ApiRequest, Endpoint
from headgate.intake.http.inputs import Input
from headgate.ledger.period import moment_us
from headgate.ledger.usage import UsageRow, usage
from headgate.storage import Database


class CacheQuery(Input, frozen=True):
    """Whose calls to count, and since when."""

    since: Annotated[
        str, Meta(description="How long ago, such as `24h` or `7d`, or an ISO date or time in UTC.")
    ] = "30d"
    project: Annotated[str | None, Meta(description="By default all that the key reaches.")] = None


class ClearingQuery(Input, frozen=True):
    """Which answers to forget: those that fit everything that is given; all where nothing is."""

    workflow: Annotated[
        Annotated[str, Meta(min_length=1, max_length=64)] | None,
        Meta(description="Of calls that this workflow's runs made."),
    ] = None
    prefix: Annotated[
        Annotated[str, Meta(min_length=1, max_length=256)] | None,
        Meta(description="Of calls for models and routes whose names begin so."),
    ] = None
    tag: Annotated[
        Annotated[str, Meta(min_length=1, max_length=64)] | None,
        Meta(description="Of calls with this tag, from the configuration or the header."),
    ] = None
    project: Annotated[str | None, Meta(description="By default all that the key reaches.")] = None


class MemoryView(msgspec.Struct, frozen=True, kw_only=True):
    """What the process that was asked holds in memory, of all projects."""

    entries: int
    size_bytes: int
    max_bytes: int


class SharedView(msgspec.Struct, frozen=True, kw_only=True):
    """What all processes share."""

    kind: CacheStore
    healthy: Annotated[bool, Meta(description="Whether it answered when it was last asked.")]
    entries: int | None
    size_bytes: int | None


class CacheView(msgspec.Struct, frozen=True, kw_only=True):
    """The cache of answers."""

    object: Literal["cache"] = "cache"
    when: Annotated[CacheWhen, Meta(description="Which calls are answered from it.")]
    memory: Annotated[MemoryView | None, Meta(description="Null where there is no cache.")]
    shared: Annotated[SharedView | None, Meta(description="Null where only memory is used.")]
    since: Annotated[int, Meta(description="Seconds since 1970 UTC.")]
    project: str | None
    hits: Annotated[int, Meta(description="Calls that were answered from the cache.")]
    misses: Annotated[int, Meta(description="Calls for which it had no whole answer.")]
    hit_rate: Annotated[float | None, Meta(description="Null where no call asked it.")]
    saved_nanousd: Annotated[int, Meta(description="What those answers cost when first given.")]


class ClearedView(msgspec.Struct, frozen=True, kw_only=True):
    """What a clearing did."""

    object: Literal["cache.cleared"] = "cache.cleared"
    cleared: Annotated[
        int | None,
        Meta(
            description="Answers forgotten: of the shared store, else of the process that was"
            " asked; others follow within 2 s. Null where the shared store did not say."
        ),
    ]


def cache_endpoints(cache: AnswerCache | None, database: Database) -> tuple[Endpoint, ...]:
    """The endpoints; without a cache they say so."""

    def sums(since_us: int, project: str | None) -> UsageRow:
        with database.connect() as connection:
            return usage(connection, since_us=since_us, project=project)[0]

    async def show(request: ApiRequest) -> ApiReply:
        query = request.query(CacheQuery)
        project = visible_project(request.caller, query.project)
        since_us = moment_us(query.since, now_us=wall_clock_us())
        found = await asyncio.to_thread(sums, since_us, project)
        asked = found.cache_hits + found.cache_misses
        view = CacheView(
            when="never" if cache is None else cache.settings.when,
            memory=_memory(cache),
            shared=await _shared(cache),
            since=since_us // 1_000_000,
            project=project,
            hits=found.cache_hits,
            misses=found.cache_misses,
            hit_rate=round(found.cache_hits / asked, 4) if asked else None,
            saved_nanousd=found.saved_nanousd,
        )
        return ApiReply(body=view)

    async def clear(request: ApiRequest) -> ApiReply:
        query = request.query(ClearingQuery)
        project = visible_project(request.caller, query.project)
        if cache is None:
            return ApiReply(body=ClearedView(cleared=0))
        clearing = Clearing(
            at_us=wall_clock_us(),
            project=project,
            workflow=query.workflow,
            prefix=query.prefix,
            tag=query.tag,
        )
        return ApiReply(body=ClearedView(cleared=await cache.clear(clearing)))

    return (
        Endpoint(
            method="GET", path="/api/cache", permission="usage.read", tag="cache",
            summary="What the cache holds, how often it had the answer, and what that saved",
            handler=show, query=CacheQuery, response=CacheView,
        ),
        Endpoint(
            method="DELETE", path="/api/cache", permission="cache.clear", tag="cache",
            summary="Forget answers: all, or a workflow's, a model's, a tag's",
            handler=clear, query=ClearingQuery, response=ClearedView,
        ),
    )  # fmt: skip


def _memory(cache: AnswerCache | None) -> MemoryView | None:
    if cache is None:
        return None
    memory = cache.memory
    return MemoryView(entries=len(memory), size_bytes=memory.size_bytes, max_bytes=memory.max_bytes)


async def _shared(cache: AnswerCache | None) -> SharedView | None:
    if cache is None or (store := cache.keeper.store) is None:
        return None
    size: StoreSize = await store.size()
    return SharedView(
        kind=cache.settings.store,
        healthy=store.healthy,
        entries=size.entries,
        size_bytes=size.size_bytes,
    )
