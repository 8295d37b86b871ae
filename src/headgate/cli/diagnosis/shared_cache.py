"""Whether the Redis of the cache can be reached, where there is one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from headgate.cli.diagnosis.finding import Finding
from headgate.config.settings import Settings
from headgate.errors import ConfigError

_TIMEOUT_S = 3.0


def look_at_cache(settings: Settings) -> Iterator[Finding]:
    """What is found of a cache that lives in Redis; nothing where it lives elsewhere."""
    if settings.cache is None or settings.cache.store != "redis":
        return
    try:
        says = asyncio.run(_pinged(settings.cache.redis_url or ""))
    except ImportError:
        yield Finding(
            of="cache",
            state="failed",
            says="Redis needs a library that is not installed",
            remedy="pip install 'headgate[redis]'",
        )
    except ConfigError as error:
        yield Finding(of="cache", state="failed", says=error.message)
    except Exception as error:  # noqa: BLE001 - the library's own words may quote the password
        yield Finding(
            of="cache",
            state="warning",
            says=f"Redis can't be reached ({type(error).__name__}); calls are answered without it",
            remedy="check cache.redis_url, and that Redis is up",
        )
    else:
        yield Finding(of="cache", state="ok", says=says)


async def _pinged(url: str) -> str:
    from redis.asyncio import Redis  # noqa: PLC0415 - an extra

    try:
        redis = Redis.from_url(url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S)
    except ValueError:
        raise ConfigError("cache.redis_url is no redis://… address") from None
    try:
        info = await redis.info("server")
        return f"Redis {info['redis_version']}"
    finally:
        await redis.aclose()
