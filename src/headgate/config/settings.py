"""`headgate.yaml`: providers, routes, projects and the policies of one server.

Every field has a default that works, so an empty file, or none, is a valid configuration.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from headgate.config.endpoints import EndpointsSettings

Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}$")]
"""Lower-case letters, digits, `-`, `_` and `.`; at most 63 characters."""

Seconds = Annotated[float, Meta(gt=0, le=86_400)]


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A block of the configuration; a field it doesn't know is an error."""


class ServerSettings(Table, frozen=True):
    """How the server listens and what it accepts."""

    max_body_bytes: Annotated[
        int, Meta(ge=1024, description="Largest request body, after decompression; beyond it 413.")
    ] = 32 * 1024 * 1024
    gzip_min_bytes: Annotated[
        int,
        Meta(ge=0, description="Smallest reply that is compressed for a client that accepts gzip."),
    ] = 16 * 1024
    trusted_proxies: Annotated[
        tuple[str, ...],
        Meta(description="CIDRs of proxies whose `X-Forwarded-For` is believed."),
    ] = ()
    metrics_open_to: Annotated[
        tuple[str, ...],
        Meta(description="CIDRs that may read `/metrics` without a key; others need one."),
    ] = ("127.0.0.0/8", "::1/128")
    shutdown_grace_s: Annotated[
        Seconds, Meta(description="How long a stop waits for calls in flight before it ends them.")
    ] = 30.0


Durability = Literal["batched", "durable"]
"""`batched`: an answer may precede its record by the flush interval. `durable`: never."""


class LedgerSettings(Table, frozen=True):
    """When a call's record is safe."""

    durability: Annotated[
        Durability,
        Meta(
            description="`batched`: records are committed at most `flush_interval_ms` after the"
            " answer. `durable`: the end of an answer waits for its record's commit."
        ),
    ] = "batched"
    flush_interval_ms: Annotated[
        int, Meta(ge=1, le=200, description="Longest time a record waits for its batch.")
    ] = 50
    queue_records: Annotated[
        int,
        Meta(
            ge=100,
            description="Records that may wait while the database is away; beyond it calls are"
            " refused with 503.",
        ),
    ] = 20_000


class AccessSettings(Table, frozen=True):
    """How quickly changes to keys are seen."""

    refresh_interval_s: Annotated[
        float, Meta(gt=0, le=2, description="How often a process looks for changed keys.")
    ] = 0.5
    max_staleness_s: Annotated[
        float,
        Meta(
            ge=2,
            description="How long keys already seen are honoured while the database is away.",
        ),
    ] = 30.0


class TimeoutSettings(Table, frozen=True):
    """How long to wait for a provider, in seconds."""

    connect_s: Annotated[Seconds, Meta(description="To open a connection.")] = 5.0
    first_byte_s: Annotated[
        Seconds,
        Meta(description="From the request to the reply's head, where the reply is streamed."),
    ] = 30.0
    idle_s: Annotated[Seconds, Meta(description="Between two pieces of a reply.")] = 30.0
    total_s: Annotated[
        Seconds,
        Meta(description="For the whole reply; also the wait for the head of one not streamed."),
    ] = 600.0


class ProviderSettings(Table, frozen=True):
    """A server that speaks the OpenAI API."""

    base_url: Annotated[
        str, Meta(description="Address up to and including `/v1`, as the SDKs take it.")
    ] = "https://api.openai.com/v1"
    api_key: Annotated[
        str | None, Meta(description="Its key; write `${NAME}` to take it from the environment.")
    ] = None
    organization: Annotated[str | None, Meta(description="Sent as `OpenAI-Organization`.")] = None
    project: Annotated[str | None, Meta(description="Sent as `OpenAI-Project`.")] = None
    models: Annotated[
        tuple[str, ...],
        Meta(description="Patterns of the models it serves; the first provider that fits is used."),
    ] = ("*",)
    stream_usage: Annotated[
        bool,
        Meta(description="Whether it takes `stream_options.include_usage` on chat completions."),
    ] = True
    price_provider: Annotated[
        str | None,
        Meta(description="Whose price list applies; by default the one its address belongs to."),
    ] = None
    timeouts: Annotated[TimeoutSettings, Meta(description="For all its endpoints.")] = (
        TimeoutSettings()
    )
    embeddings_timeouts: Annotated[TimeoutSettings, Meta(description="For embeddings.")] = (
        TimeoutSettings(first_byte_s=10.0, idle_s=10.0, total_s=10.0)
    )
    max_connections: Annotated[
        int, Meta(ge=1, le=65_536, description="Connections each process may open to it.")
    ] = 1000


class TargetSettings(Table, frozen=True):
    """One rung of a route."""

    provider: Annotated[str, Meta(description="A name from `providers`.")]
    model: Annotated[str, Meta(description="The model to ask that provider for.")]


class RouteSettings(Table, frozen=True):
    """A name that applications ask for as `model`."""

    targets: Annotated[
        tuple[TargetSettings, ...],
        Meta(min_length=1, description="Tried in order; the next is used when one fails."),
    ]


class RetrySettings(Table, frozen=True):
    """What happens when an attempt fails before the client has seen anything of its answer."""

    max_attempts: Annotated[
        int, Meta(ge=1, le=10, description="Attempts per target, the first included.")
    ] = 3
    base_delay_s: Annotated[
        float, Meta(ge=0, le=60, description="Longest first pause; doubled each time, full jitter.")
    ] = 0.25
    max_delay_s: Annotated[
        float,
        Meta(
            ge=0,
            le=60,
            description="Longest pause; a provider that asks for a longer one ends the retries.",
        ),
    ] = 8.0


class PriceSettings(Table, frozen=True):
    """A price of your own, in US dollars per million tokens, written as text."""

    input: Annotated[str, Meta(description="Input tokens.")]
    output: Annotated[str, Meta(description='Output tokens; `"0"` for embeddings.')]
    cached_input: Annotated[str | None, Meta(description="Cached input; else as input.")] = None
    input_audio: Annotated[str | None, Meta(description="Audio input; else as input.")] = None
    output_audio: Annotated[str | None, Meta(description="Audio output; else as output.")] = None


class ProjectSettings(Table, frozen=True):
    """A project that exists from the start."""

    description: Annotated[str, Meta(description="What it is for; shown where projects are.")] = ""


class LogSettings(Table, frozen=True):
    """What is logged, as JSON lines on standard error."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="The least that is logged.")
    ] = "info"
    calls: Annotated[
        Literal["all", "errors", "none"], Meta(description="Which calls get a line.")
    ] = "all"


class MetricsSettings(Table, frozen=True):
    """Bounds on the label values of `/metrics`."""

    max_label_values: Annotated[
        int,
        Meta(ge=1, le=10_000, description="Models, projects, features; the rest count as `other`."),
    ] = 100


class Settings(Table, frozen=True):
    """The whole of `headgate.yaml`."""

    server: ServerSettings = ServerSettings()
    database_url: Annotated[
        str | None,
        Meta(description="Where HEADGATE_DATABASE_URL is not set; by default data/headgate.db."),
    ] = None
    ledger: LedgerSettings = LedgerSettings()
    access: AccessSettings = AccessSettings()
    providers: Annotated[
        dict[Name, ProviderSettings],
        Meta(description="In order of preference; by default OpenAI from the environment."),
    ] = {}
    routes: dict[Name, RouteSettings] = {}
    retries: RetrySettings = RetrySettings()
    endpoints: EndpointsSettings = EndpointsSettings()
    prices: Annotated[
        dict[str, PriceSettings], Meta(description="By model name; they go before the price list.")
    ] = {}
    projects: dict[Name, ProjectSettings] = {}
    logs: LogSettings = LogSettings()
    metrics: MetricsSettings = MetricsSettings()
