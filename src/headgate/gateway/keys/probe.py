"""Asks providers whether the keys that left their pools are good again.

A probe is `GET /models`: it costs nothing and every provider that speaks OpenAI's API has it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterable

from headgate.gateway.keys.pool import KeyPool, ProviderKey
from headgate.gateway.provider import Provider
from headgate.gateway.upstream import Timeouts, UpstreamError
from headgate.telemetry.target_metrics import TargetMetrics

_log = logging.getLogger(__name__)

_LOOK_EVERY_S = 0.25
_PATIENCE = Timeouts(connect_s=3, first_byte_s=5, idle_s=5, total_s=8)
_MAX_REPLY_BYTES = 4 * 1024 * 1024


class KeyProbe:
    """A task that looks after the keys that are out; it does nothing where no pool is."""

    def __init__(self, providers: Iterable[Provider], metrics: TargetMetrics) -> None:
        self._pools = [(p, p.pool) for p in providers if p.pool is not None]
        self._metrics = metrics
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look; call it on the loop."""
        if self._pools:
            self._task = asyncio.create_task(self._look(), name="headgate-key-probe")

    async def stop(self) -> None:
        """End the task."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            now_s = time.monotonic()
            await asyncio.gather(
                *(
                    self._probe(provider, pool, key)
                    for provider, pool in self._pools
                    for key in pool.due(now_s)
                )
            )

    async def _probe(self, provider: Provider, pool: KeyPool, key: ProviderKey) -> None:
        good = await _is_good(provider, key)
        pool.probed(key, time.monotonic(), good=good)
        self._metrics.keys_out(provider.name, pool.out_count)
        if good:
            told = {"provider": provider.name, "provider_key": key.name}
            _log.warning("provider_key_back", extra=told)


async def _is_good(provider: Provider, key: ProviderKey) -> bool:
    try:
        reply, _ = await provider.listing(key, _PATIENCE, _MAX_REPLY_BYTES)
    except UpstreamError:
        return False
    # A server without a list of models lets the key in all the same.
    return reply.status < 400 or reply.status in (404, 405)
