"""Takes refused keys out of their pools and says so: in the log, the metrics and as an alert."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import msgspec

from headgate.gateway.keys.pool import KeyPool, ProviderKey
from headgate.gateway.retries.policy import Failure
from headgate.telemetry.target_metrics import TargetMetrics

_log = logging.getLogger(__name__)

_REST_S = 1.0
"""How long a key is taken for used up after a 429 that doesn't say how long."""


class KeyRefused(msgspec.Struct, frozen=True, kw_only=True):
    """A key that has left its pool."""

    provider: str
    provider_key: str
    status: int | None
    reason: str
    keys_left: int
    """How many of the pool are still in, as this process sees it."""


class KeyWatch:
    """What failures say of keys, from wherever they come."""

    def __init__(
        self, metrics: TargetMetrics, tell: Callable[[KeyRefused], None] | None = None
    ) -> None:
        """`tell` is called on the loop and must not block."""
        self._metrics = metrics
        self._tell = tell

    def failed(
        self,
        provider: str,
        pool: KeyPool,
        key: ProviderKey,
        model: str | None,
        failure: Failure,
        reason: str,
    ) -> None:
        """Take in a failure: a key that was refused leaves its pool, one that is used up rests.

        It rests for the `model` that was asked; where none was, nothing is known of any.
        """
        if failure.status == 429 and not failure.is_of_key:
            if model is None:
                return
            pool.rest(key, model, failure.retry_after_s or _REST_S, time.monotonic())
            return
        if not failure.is_of_key or not pool.take_out(key, time.monotonic()):
            return
        refused = KeyRefused(
            provider=provider,
            provider_key=key.name or "",
            status=failure.status,
            reason=reason,
            keys_left=len(pool.names) - pool.out_count,
        )
        _log.error("provider_key_out", extra=msgspec.structs.asdict(refused))
        self._metrics.key_out(provider, refused.provider_key)
        self._metrics.keys_out(provider, pool.out_count)
        if self._tell is not None:
            self._tell(refused)
