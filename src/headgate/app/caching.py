"""Puts the cache of answers together, where the configuration or a workflow asks for one."""

from __future__ import annotations

from headgate.config.caching import CacheSettings
from headgate.config.settings import Settings
from headgate.gateway.cache.asker import Asker
from headgate.gateway.cache.cache import AnswerCache
from headgate.gateway.cache.clearing_log import ClearingLog
from headgate.gateway.cache.database_store import DatabaseStore
from headgate.gateway.cache.keeper import Keeper
from headgate.gateway.cache.policy import CachePolicy
from headgate.gateway.cache.redis_store import RedisStore
from headgate.gateway.cache.semantic.near_miss import NearMissLog
from headgate.gateway.cache.semantic.similar import Embedder, SimilarAnswers
from headgate.gateway.cache.store import AnswerStore
from headgate.gateway.cache.tolerant_store import TolerantStore
from headgate.gateway.own_calls.embedder import GatewayEmbedder
from headgate.storage import Database
from headgate.storage.threads import StorageThreads
from headgate.workflows.catalogue import Catalogue


def build_embedder(settings: Settings) -> GatewayEmbedder:
    """Who makes vectors for the cache, where it needs any; give it the gateway."""
    semantic = settings.cache.semantic if settings.cache is not None else None
    if semantic is None:
        return GatewayEmbedder("", 1.0)
    return GatewayEmbedder(semantic.embeddings, semantic.timeout_s)


def build_cache(
    settings: Settings, catalogue: Catalogue, database: Database, embedder: Embedder
) -> AnswerCache | None:
    """The cache; None where nobody asked for one."""
    routes = {n: route.cache for n, route in settings.routes.items() if route.cache is not None}
    workflows = {w.name: w.settings.cache for w in catalogue if w.settings.cache is not None}
    if settings.cache is None and not routes and not workflows:
        return None
    found = settings.cache or CacheSettings()
    if found.when == "never":
        return None
    threads = StorageThreads("cache")
    store = _store(found, database, threads)
    tolerant = None
    if store is not None:
        tolerant = TolerantStore(store, found.store, found.store_timeout_s)
    keeper = Keeper(tolerant, ClearingLog(database), NearMissLog(database), threads)
    asker = Asker(CachePolicy(found, routes, workflows))
    similar = None
    if found.semantic is not None:
        similar = SimilarAnswers(found.semantic, embedder)
    return AnswerCache(found, asker, keeper, similar=similar)


def _store(
    settings: CacheSettings, database: Database, threads: StorageThreads
) -> AnswerStore | None:
    match settings.store:
        case "memory":
            return None
        case "database":
            return DatabaseStore(database, threads, settings.database_max_bytes)
        case "redis":
            return RedisStore(settings.redis_url or "", settings.store_timeout_s)
