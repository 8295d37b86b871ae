"""`traces:`: where the spans of calls and runs are sent, and which of them.

What is not written here is taken from OpenTelemetry's own environment variables.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from headgate.config.table import Seconds, Share, Table


class TraceSettings(Table, frozen=True):
    """Where the spans of calls and runs are sent, by OTLP over HTTP (protobuf)."""

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
