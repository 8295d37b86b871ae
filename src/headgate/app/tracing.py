"""Puts traces together, where the configuration or the environment asks for them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from importlib.util import find_spec

from headgate.app.plan import Plan
from headgate.config import environment
from headgate.config.settings import ProviderSettings
from headgate.errors import ConfigError
from headgate.telemetry.trace_metrics import TraceMetrics
from headgate.telemetry.traces.call_spans import CallSpans
from headgate.telemetry.traces.propagation import Propagator
from headgate.telemetry.traces.sampler import Sampler
from headgate.telemetry.traces.tracer import Tracer

_log = logging.getLogger(__name__)

_INSTALL = "install what they need with `pip install 'headgate[otel]'`"


class Tracing:
    """What traces in one worker."""

    def __init__(self, tracer: Tracer, propagator: Propagator) -> None:
        self.tracer = tracer
        self.propagator = propagator

    @classmethod
    def of(cls, plan: Plan, metrics: TraceMetrics) -> Tracing | None:
        """What `plan` needs; None where nothing is traced."""
        wanted = plan.traces
        if wanted is None or not _installed():
            return None
        # A server that traces nothing never loads it.
        from headgate.telemetry.traces.sending import OtlpSender  # noqa: PLC0415

        sampler = Sampler(wanted.share, follows_parent=wanted.follow_parent)
        tracer = Tracer(
            sampler,
            CallSpans(_kinds(plan.providers)),
            OtlpSender(
                endpoint=wanted.endpoint, headers=wanted.headers, timeout_s=wanted.timeout_s
            ),
            metrics,
            queue_entries=wanted.queue_entries,
        )
        return cls(tracer, Propagator(sampler, wanted.propagate_to))


def check_tracing(plan: Plan) -> None:
    """Raise `ConfigError` where traces are asked for and can't be sent; before any worker starts.

    Where only the environment asks, it may have been set for every program of the machine: then
    the log says what is missing.
    """
    if plan.traces is None or _installed():
        return
    if plan.settings.traces is not None:
        raise ConfigError(f"traces: {_INSTALL}")
    _log.warning("OTEL_EXPORTER_OTLP_ENDPOINT is set, but nothing is traced: %s", _INSTALL)


def _installed() -> bool:
    try:
        return find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    except ModuleNotFoundError:
        return False


def _kinds(providers: Mapping[str, ProviderSettings]) -> dict[str, str]:
    """Who each provider is, as OpenTelemetry calls it; one that it has no name for keeps ours."""
    kinds = {}
    for name, provider in providers.items():
        if provider.kind == "azure":
            kinds[name] = "azure.ai.openai"
        elif provider.kind == "anthropic":
            kinds[name] = "anthropic"
        elif f"//{environment.OPENAI_HOST}" in provider.base_url:
            kinds[name] = "openai"
    return kinds
