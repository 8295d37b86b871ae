"""Which answers may be given again, for how long, and where they are kept.

Not the provider's own prompt cache, which makes a prompt's beginning cheaper; here the whole call
is saved.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

MIB = 1024 * 1024

CacheWhen = Literal["never", "declared", "deterministic"]
"""Which calls are answered from the cache.

`never`: none, whatever a route or a workflow says.
`declared`: those of routes and workflows that have a `cache:` of their own.
`deterministic`: also every other call whose answer is meant to be the same each time: embeddings,
moderations, and requests that say `temperature: 0`.
"""

CacheStore = Literal["memory", "database", "redis"]
"""Where answers are kept.

`memory`: in each process.
`database`: also in Headgate's own database, for all its processes.
`redis`: also in Redis; needs the extra `headgate[redis]`.
"""

CachedCalls = Literal["deterministic", "all"]
"""Which calls of a route are answered from the cache.

`deterministic`: embeddings, moderations, and requests that say `temperature: 0`.
`all`: every call; the operator says that an earlier answer to the same request will do.
"""

Lifetime = Annotated[float, Meta(gt=0, le=30 * 86_400)]

Tag = Annotated[str, Meta(pattern=r"^[\w./:-]{1,64}$")]
"""Letters, digits and `_ . / : -`; at most 64 characters."""


class SemanticSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Answers to inputs that are alike, not equal: for workflows, never for calls with tools."""

    embeddings: Annotated[
        str, Meta(min_length=1, description="The route or model that turns texts into vectors.")
    ]
    workflows: Annotated[
        dict[str, Annotated[float, Meta(ge=0.5, le=1)]],
        Meta(
            min_length=1,
            description="By workflow: the least cosine similarity at which an earlier answer is"
            " given. 1 only reports.",
        ),
    ]
    report_from: Annotated[
        float,
        Meta(ge=0, le=1, description="Similarity from which one below is told as a near miss."),
    ] = 0.8
    max_entries: Annotated[
        int, Meta(ge=1, le=10_000, description="Inputs that each process compares with.")
    ] = 2000
    timeout_s: Annotated[
        float, Meta(gt=0, le=30, description="How long a vector may take; then it is a miss.")
    ] = 2.0


class CacheSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The cache of answers."""

    when: Annotated[CacheWhen, Meta(description="Which calls are answered from it.")] = "declared"
    ttl_s: Annotated[
        Lifetime, Meta(description="How long an answer is given again, where nothing else is said.")
    ] = 3600.0
    store: Annotated[CacheStore, Meta(description="Where answers are kept.")] = "memory"
    memory_max_bytes: Annotated[
        int,
        Meta(
            ge=MIB,
            description="Of answers in the memory of each process; the one unused longest goes.",
        ),
    ] = 64 * MIB
    max_entry_bytes: Annotated[
        int, Meta(ge=1024, le=16 * MIB, description="Largest answer that is kept.")
    ] = MIB
    database_max_bytes: Annotated[
        int,
        Meta(
            ge=MIB, description="Of answers in the database; those that end first go, each minute."
        ),
    ] = 1024 * MIB
    redis_url: Annotated[
        str | None,
        Meta(description="redis://… or rediss://…; Redis' own `maxmemory` bounds what it holds."),
    ] = None
    semantic: Annotated[
        SemanticSettings | None, Meta(description="Without it, only equal requests share answers.")
    ] = None
    store_timeout_s: Annotated[
        float,
        Meta(gt=0, le=5, description="How long a shared store may take; then it is a miss."),
    ] = 0.25


class RouteCacheSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the calls of one route use the cache."""

    calls: Annotated[CachedCalls, Meta(description="Which of its calls.")] = "deterministic"
    ttl_s: Annotated[
        Lifetime | None, Meta(description="How long an answer is given again; else `cache.ttl_s`.")
    ] = None
    stale_if_error_s: Annotated[
        Annotated[float, Meta(ge=0, le=30 * 86_400)],
        Meta(
            description="How long after that it may still be given when no target answers, marked"
            " `x-headgate-cache: stale`."
        ),
    ] = 0.0
    tags: Annotated[
        tuple[Tag, ...], Meta(max_length=8, description="Names to clear its answers by.")
    ] = ()


class WorkflowCacheSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the calls of one workflow's runs use the cache: the same input, the same answer."""

    ttl_s: Annotated[
        Lifetime | None, Meta(description="How long an answer is given again; else `cache.ttl_s`.")
    ] = None
    stale_if_error_s: Annotated[
        Annotated[float, Meta(ge=0, le=30 * 86_400)],
        Meta(description="How long after that it may still be given when no target answers."),
    ] = 0.0
    tags: Annotated[
        tuple[Tag, ...], Meta(max_length=8, description="Names to clear its answers by.")
    ] = ()
