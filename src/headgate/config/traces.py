"""`traces:`: where the spans of calls and runs are sent, and which of them.

What is not written here is taken from OpenTelemetry's own environment variables.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import Meta

from headgate.config.table import Seconds, Share, Table
from headgate.errors import ConfigError


class TraceSettings(Table, frozen=True):
    """Where the spans of calls and runs are sent, by OTLP over HTTP; needs `headgate[otel]`."""

    endpoint: Annotated[
        str | None,
        Meta(
            description="The collector, such as `http://collector:4318`; `/v1/traces` is added."
            " Else `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` or `OTEL_EXPORTER_OTLP_ENDPOINT`, else port"
            " 4318 of this machine."
        ),
    ] = None
    headers: Annotated[
        dict[str, str],
        Meta(
            description="Sent along, such as a token: write `${NAME}` to take it from the"
            " environment. Else `OTEL_EXPORTER_OTLP_HEADERS`."
        ),
    ] = {}
    share: Annotated[
        Share | None,
        Meta(description="Of the traces, chosen by id. Else `OTEL_TRACES_SAMPLER`, else all."),
    ] = None
    follow_parent: Annotated[
        bool | None,
        Meta(
            description="Whether a `traceparent` that says whether its trace is kept goes before"
            " `share`. Else `OTEL_TRACES_SAMPLER`, else yes."
        ),
    ] = None
    timeout_s: Annotated[
        Seconds | None,
        Meta(
            description="For one batch with its retries. Else `OTEL_EXPORTER_OTLP_TIMEOUT`, else"
            " 10."
        ),
    ] = None
    queue_entries: Annotated[
        int,
        Meta(ge=100, description="Calls and runs that may wait to be sent; beyond it they drop."),
    ] = 5_000
    propagate_to: Annotated[
        tuple[str, ...],
        Meta(
            description="Providers that are sent a `traceparent`, so that their own spans join the"
            " trace; by default none."
        ),
    ] = ()


class TracePlan(msgspec.Struct, frozen=True, kw_only=True):
    """How a server traces, from its file and its environment."""

    endpoint: str | None
    """The whole address; None: what the environment says."""
    headers: Mapping[str, str]
    share: float
    follow_parent: bool
    timeout_s: float | None
    queue_entries: int
    propagate_to: tuple[str, ...]


_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_PROTOCOL = "http/protobuf"
_SAMPLERS: dict[str, tuple[float | None, bool]] = {
    "always_on": (1.0, False),
    "always_off": (0.0, False),
    "traceidratio": (None, False),
    "parentbased_always_on": (1.0, True),
    "parentbased_always_off": (0.0, True),
    "parentbased_traceidratio": (None, True),
}
"""The share of each of OTEL_TRACES_SAMPLER's values (None: OTEL_TRACES_SAMPLER_ARG says it), and
whether it follows the parent."""


def trace_plan(settings: TraceSettings | None, variables: Mapping[str, str]) -> TracePlan | None:
    """How to trace; None where neither the file nor the environment asks for it.

    Raises `ConfigError` for a variable that says what can't be done.
    """
    if variables.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    if settings is None:
        if not any(variables.get(name) for name in _ENDPOINTS):
            return None
        if variables.get("OTEL_TRACES_EXPORTER", "").strip() == "none":
            return None
    found = settings or TraceSettings()
    protocol = next((variables[name] for name in _PROTOCOLS if variables.get(name)), _PROTOCOL)
    if protocol != _PROTOCOL:
        raise ConfigError(
            f"OTEL_EXPORTER_OTLP_PROTOCOL is {protocol}, and Headgate sends traces by {_PROTOCOL}"
            " only: set it to that and the endpoint to the collector's HTTP port (4318), or turn"
            " traces off by OTEL_SDK_DISABLED=true"
        )
    share, follow_parent = _sampler(variables)
    endpoint = found.endpoint
    if endpoint is not None:
        endpoint = f"{endpoint.rstrip('/').removesuffix('/v1/traces')}/v1/traces"
    return TracePlan(
        endpoint=endpoint,
        headers=found.headers,
        share=share if found.share is None else found.share,
        follow_parent=follow_parent if found.follow_parent is None else found.follow_parent,
        timeout_s=found.timeout_s,
        queue_entries=found.queue_entries,
        propagate_to=found.propagate_to,
    )


def _sampler(variables: Mapping[str, str]) -> tuple[float, bool]:
    name = variables.get("OTEL_TRACES_SAMPLER") or "parentbased_always_on"
    if name not in _SAMPLERS:
        raise ConfigError(
            f"OTEL_TRACES_SAMPLER is {name}, which Headgate does not know; it knows"
            f" {', '.join(_SAMPLERS)}"
        )
    share, follow_parent = _SAMPLERS[name]
    if share is None:
        written = variables.get("OTEL_TRACES_SAMPLER_ARG") or "1"
        try:
            share = float(written)
        except ValueError:
            share = -1.0
        if not 0 <= share <= 1:
            raise ConfigError(f"OTEL_TRACES_SAMPLER_ARG is {written}; write a number from 0 to 1")
    return share, follow_parent
