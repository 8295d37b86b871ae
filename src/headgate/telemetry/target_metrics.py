"""The figures of `/metrics` about targets, told where they change: breakers, retries, keys."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge

from headgate.telemetry.bounded_labels import BoundedLabels


class TargetMetrics:
    """What one process knows of the targets it asks."""

    def __init__(self, registry: CollectorRegistry, *, max_label_values: int) -> None:
        self._targets = BoundedLabels(max_label_values)
        self._open = Gauge(
            "headgate_breakers_open",
            "Worker processes that leave the target alone because it failed.",
            ("target",),
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._opened = Counter(
            "headgate_breaker_opened",
            "How often a target's breaker opened.",
            ("target",),
            registry=registry,
        )
        self._denied = Counter(
            "headgate_retries_denied",
            "Further attempts that the provider's retry budget did not allow.",
            ("provider",),
            registry=registry,
        )

        self._keys_out = Gauge(
            "headgate_provider_keys_out",
            "Keys of the provider's pool that were refused and wait for a probe.",
            ("provider",),
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._key_out = Counter(
            "headgate_provider_key_out",
            "How often a key left its provider's pool because it was refused.",
            ("provider", "provider_key"),
            registry=registry,
        )

    def breaker(self, target: str, *, is_open: bool) -> None:
        """Note that a breaker has opened or closed."""
        label = self._targets.value(target)
        self._open.labels(label).set(1 if is_open else 0)
        if is_open:
            self._opened.labels(label).inc()

    def retry_denied(self, provider: str) -> None:
        """Count an attempt that was not made because the retry budget was used up."""
        self._denied.labels(provider).inc()

    def key_out(self, provider: str, key: str) -> None:
        """Count a key that was refused."""
        self._key_out.labels(provider, key).inc()

    def keys_out(self, provider: str, count: int) -> None:
        """Note how many keys of a pool can't be used."""
        self._keys_out.labels(provider).set(count)
