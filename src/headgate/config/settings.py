"""`headgate.yaml`: providers, routes, projects and the policies of one server.

Every field has a default that works, so an empty file, or none, is a valid configuration.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta
from msgspec.structs import force_setattr

from headgate.config.alerts import AlertSettings
from headgate.config.allowances import AllowanceSettings, BudgetSettings, UsageLimitSettings
from headgate.config.caching import CacheSettings
from headgate.config.connectors import ConnectorName, ConnectorSettings
from headgate.config.console import ConsoleSettings
from headgate.config.endpoints import EndpointsSettings
from headgate.config.failures import BreakerSettings, RetrySettings
from headgate.config.guards import GuardPolicySettings, GuardSettings
from headgate.config.provider_keys import ProviderKeySettings
from headgate.config.providers import (
    ANTHROPIC_URL,
    AZURE_API_VERSION,
    DEFAULT_MAX_TOKENS,
    AzureADSettings,
    Capability,
    ProviderKind,
)
from headgate.config.reviews import ReviewsSettings
from headgate.config.routes import RouteSettings
from headgate.config.runs import RunsSettings
from headgate.config.sockets import SocketSettings
from headgate.config.table import Name, Seconds, Table
from headgate.config.tools import ToolSource
from headgate.config.traces import TraceSettings
from headgate.config.workflow import Trust


class ServerSettings(Table, frozen=True):
    """How the server listens and what it accepts."""

    max_body_bytes: Annotated[
        int, Meta(ge=1024, description="Largest request body, after decompression; beyond it 413.")
    ] = 32 * 1024 * 1024
    gzip_min_bytes: Annotated[
        int,
        Meta(ge=0, description="Smallest reply that is compressed for a client that accepts gzip."),
    ] = 16 * 1024
    client_idle_s: Annotated[
        Seconds,
        Meta(
            description="How long a client may keep its connection waiting: for the rest of a"
            " request, or by reading nothing of its reply. Then its connection is closed and its"
            " call ended, as if it had left."
        ),
    ] = 60.0
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
    ] = 20
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
    attempt_s: Annotated[
        Seconds | None,
        Meta(
            description="For one attempt at a reply that is not streamed, where another could be"
            " made; less than `total_s`. Without it, what is far longer than usual is given up."
        ),
    ] = None

    def __post_init__(self) -> None:
        """Refuse an attempt that would outlast its call."""
        if self.attempt_s is not None and self.attempt_s >= self.total_s:
            raise ValueError("attempt_s must be less than total_s, or no second attempt has time")


OPENAI_URL = "https://api.openai.com/v1"


class ProviderSettings(Table, frozen=True):
    """A server of models."""

    kind: Annotated[
        ProviderKind,
        Meta(description="How it is spoken to; `openai` is every server with the OpenAI API."),
    ] = "openai"
    base_url: Annotated[
        str,
        Meta(
            description="Address as its SDKs take it: up to and including `/v1`; of Azure the"
            " resource's; of Anthropic by default https://api.anthropic.com."
        ),
    ] = OPENAI_URL
    api_key: Annotated[
        str | None,
        Meta(
            description="Its key; write `${NAME}` to take it from the environment. Replies that"
            " quote it are shown without it, unless it has fewer than 8 characters."
        ),
    ] = None
    organization: Annotated[str | None, Meta(description="Sent as `OpenAI-Organization`.")] = None
    project: Annotated[str | None, Meta(description="Sent as `OpenAI-Project`.")] = None
    keys: Annotated[
        tuple[ProviderKeySettings, ...],
        Meta(
            description="Several keys, of which the one with most room is used; `api_key`, where"
            " set, is one more, named `default`."
        ),
    ] = ()
    key_probe_s: Annotated[
        Seconds,
        Meta(
            description="How long one of `keys` that was refused waits until it is probed; doubled"
            " each time it is refused again, up to 300."
        ),
    ] = 10.0
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
    capabilities: Annotated[
        tuple[Capability, ...] | None,
        Meta(
            description="What it can do, where that is less than its kind; a request that asks for"
            " more goes to the next target that can, or is refused."
        ),
    ] = None
    deployments: Annotated[
        dict[str, str],
        Meta(description="Azure: the deployment of each model; a model not named is its own."),
    ] = {}
    api_version: Annotated[
        str,
        Meta(
            description="Azure: of chat completions and embeddings; `v1` for the version without"
            " dates, which Responses always use."
        ),
    ] = AZURE_API_VERSION
    azure_ad: Annotated[
        AzureADSettings | None, Meta(description="Azure: Entra ID in place of `api_key`.")
    ] = None
    default_max_tokens: Annotated[
        int,
        Meta(ge=1, description="Anthropic: the most tokens of an answer that names no limit."),
    ] = DEFAULT_MAX_TOKENS
    timeouts: Annotated[TimeoutSettings, Meta(description="For all its endpoints.")] = (
        TimeoutSettings()
    )
    embeddings_timeouts: Annotated[TimeoutSettings, Meta(description="For embeddings.")] = (
        TimeoutSettings(first_byte_s=10.0, idle_s=10.0, total_s=10.0)
    )
    max_connections: Annotated[
        int, Meta(ge=1, le=65_536, description="Connections each process may open to it.")
    ] = 1000

    def __post_init__(self) -> None:
        """Give Anthropic its own address where none is written."""
        if self.kind == "anthropic" and self.base_url == OPENAI_URL:
            force_setattr(self, "base_url", ANTHROPIC_URL)

    def price_list(self, name: str) -> tuple[str, str]:
        """Whose prices apply where it is called `name`: a list, and an address that goes before it.

        The address is empty where the operator named a list.
        """
        if self.price_provider:
            return self.price_provider, ""
        return (name if self.kind == "openai" else self.kind), self.base_url


class PriceSettings(Table, frozen=True):
    """A price of your own, in US dollars per million tokens, written as text."""

    input: Annotated[str, Meta(description="Input tokens.")]
    output: Annotated[str, Meta(description='Output tokens; `"0"` for embeddings.')]
    cached_input: Annotated[str | None, Meta(description="Cached input; else as input.")] = None
    input_audio: Annotated[str | None, Meta(description="Audio input; else as input.")] = None
    output_audio: Annotated[str | None, Meta(description="Audio output; else as output.")] = None
    cached_input_audio: Annotated[
        str | None, Meta(description="Cached audio input; else as audio input.")
    ] = None


class ProjectSettings(Table, frozen=True):
    """A project that exists from the start."""

    description: Annotated[str, Meta(description="What it is for; shown where projects are.")] = ""
    trust: Annotated[
        Trust, Meta(description="Whose content its direct calls carry; a call may say `untrusted`.")
    ] = "trusted"


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


DEFAULT_PROVIDER = "openai"
"""What the provider is called that the environment names, where the file names none."""


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
    cache: Annotated[
        CacheSettings | None,
        Meta(description="Without it, only routes and workflows with a `cache:` have one."),
    ] = None
    runs: RunsSettings = RunsSettings()
    retries: RetrySettings = RetrySettings()
    breaker: BreakerSettings = BreakerSettings()
    endpoints: EndpointsSettings = EndpointsSettings()
    sockets: SocketSettings = SocketSettings()
    prices: Annotated[
        dict[str, PriceSettings], Meta(description="By model name; they go before the price list.")
    ] = {}
    projects: dict[Name, ProjectSettings] = {}
    guards: Annotated[
        dict[Name, GuardSettings],
        Meta(description="What is checked in requests and answers; a policy says of which calls."),
    ] = {}
    guard_policies: Annotated[
        dict[Name, GuardPolicySettings],
        Meta(description="All that apply to a call hold: their guards add up."),
    ] = {}
    logs: LogSettings = LogSettings()
    metrics: MetricsSettings = MetricsSettings()
    traces: Annotated[
        TraceSettings | None,
        Meta(description="Without it, only `OTEL_EXPORTER_OTLP_ENDPOINT` turns traces on."),
    ] = None
    limits: Annotated[
        tuple[UsageLimitSettings, ...], Meta(description="All that apply hold; the smallest wins.")
    ] = ()
    budgets: Annotated[
        tuple[BudgetSettings, ...], Meta(description="All that apply hold; the smallest wins.")
    ] = ()
    allowances: AllowanceSettings = AllowanceSettings()
    alerts: AlertSettings = AlertSettings()
    reviews: ReviewsSettings = ReviewsSettings()
    connectors: Annotated[
        dict[ConnectorName, ConnectorSettings],
        Meta(max_length=100, description="Where workflows' context comes from."),
    ] = {}
    console: ConsoleSettings = ConsoleSettings()
    tools: Annotated[
        dict[Name, ToolSource],
        Meta(description="Where tools come from that workflows may give to their models."),
    ] = {}

    @property
    def provider_names(self) -> tuple[str, ...]:
        """What the providers are called: those of the file, else the environment's."""
        return tuple(self.providers) or (DEFAULT_PROVIDER,)
