"""Puts traces together, where the configuration or the environment asks for them."""

from __future__ import annotations

from collections.abc import Mapping

from headgate.app.plan import Plan
from headgate.config.address import OPENAI_HOST
from headgate.config.settings import ProviderSettings
from headgate.telemetry.trace_metrics import TraceMetrics
from headgate.telemetry.traces.call_spans import CallSpans
from headgate.telemetry.traces.propagation import Propagator
from headgate.telemetry.traces.sampler import Sampler
from headgate.telemetry.traces.sending import HttpSender
from headgate.telemetry.traces.tracer import Tracer


class Tracing:
    """What traces in one worker."""

    def __init__(self, tracer: Tracer, propagator: Propagator) -> None:
        self.tracer = tracer
        self.propagator = propagator

    @classmethod
    def of(cls, plan: Plan, metrics: TraceMetrics) -> Tracing | None:
        """What `plan` needs; None where nothing is traced."""
        wanted = plan.traces
        if wanted is None:
            return None
        sampler = Sampler(wanted.share, follows_parent=wanted.follow_parent)
        tracer = Tracer(
            sampler,
            CallSpans(_kinds(plan.providers)),
            HttpSender(wanted),
            metrics,
            queue_entries=wanted.queue_entries,
        )
        return cls(tracer, Propagator(sampler, wanted.propagate_to))


def _kinds(providers: Mapping[str, ProviderSettings]) -> dict[str, str]:
    """Who each provider is, as OpenTelemetry calls it; one that it has no name for keeps ours."""
    kinds = {}
    for name, provider in providers.items():
        if provider.kind == "azure":
            kinds[name] = "azure.ai.openai"
        elif provider.kind == "anthropic":
            kinds[name] = "anthropic"
        elif f"//{OPENAI_HOST}" in provider.base_url:
            kinds[name] = "openai"
    return kinds
