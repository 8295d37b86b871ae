"""A provider as the gateway calls it: its address, its credentials, its patience, its dialect."""

from __future__ import annotations

from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from msgspec.structs import replace

from headgate import __version__
from headgate.config.address import OPENAI_HOST
from headgate.config.checks.short_keys import LEAST_HIDDEN_CHARACTERS
from headgate.config.failures import RetryBudgetSettings
from headgate.config.providers import CAPABILITIES, Capability
from headgate.config.settings import ProviderSettings, TimeoutSettings
from headgate.errors import NotFoundError
from headgate.gateway.dialects import Dialect, dialect_for
from headgate.gateway.endpoints import Endpoint
from headgate.gateway.keys.entra import EntraTokens, Tokens
from headgate.gateway.keys.pool import DEFAULT_KEY, KeyPool, PooledKey, ProviderKey
from headgate.gateway.retries.budget import RetryBudget
from headgate.gateway.upstream import Origin, Timeouts, UpstreamClient, UpstreamReply

VIA_HEADER = "x-headgate-via"
"""Names the installation that sends a request, which thereby knows its own when it comes back."""


class Provider:
    """One server of models."""

    def __init__(
        self,
        name: str,
        settings: ProviderSettings,
        *,
        simulated: bool = False,
        via: str = "",
        retry_budget: RetryBudgetSettings,
    ) -> None:
        address = urlsplit(settings.base_url)
        self.name = name
        self.base_url = settings.base_url
        self.price_list, self.price_address = settings.price_list(name)
        """Whose prices apply: the address decides, unless the operator named a list."""
        self.simulated = simulated
        """Whether the simulator answers in its place."""
        self.takes_fault_hints = simulated or address.hostname in ("127.0.0.1", "localhost", "::1")
        """Whether `x-simulator-fault` is handed on to it."""
        self.stream_usage = settings.stream_usage
        self.origin = Origin.parse(settings.base_url)
        self.upstream = UpstreamClient(max_connections_per_origin=settings.max_connections)
        """Its own connections, so that a slow provider can't use up another's."""
        self.dialect: Dialect = dialect_for(
            settings, prompt_cache_keys=simulated or address.hostname == OPENAI_HOST
        )
        self.capabilities: frozenset[Capability] | None = CAPABILITIES[settings.kind]
        """What it can do; None: everything."""
        if settings.capabilities is not None:
            self.capabilities = frozenset(settings.capabilities)
        self.is_limited = self.capabilities is not None or self.dialect.translates
        """Whether there are requests that it can't be sent."""
        self.tokens: Tokens | None = None
        """Where its tokens come from, where it takes those in place of a key."""
        if settings.azure_ad is not None:
            self.tokens = EntraTokens(name, settings.azure_ad)
        self._patterns = settings.models
        self.pool = _pool(settings, via)
        """Several keys to pick from; None where there is one or none."""
        self.only_key = _key(None, settings, via)
        """What it is asked with where it has no pool."""
        self.retry_budget = RetryBudget(retry_budget)
        self._streamed = _timeouts(settings.timeouts)
        # A reply that isn't streamed begins when the model has written all of it, so its head may
        # rightly take as long as the whole.
        self._whole = Timeouts(
            settings.timeouts.connect_s,
            settings.timeouts.total_s,
            settings.timeouts.idle_s,
            settings.timeouts.total_s,
        )
        self.quick = self._streamed
        """How long to wait for what no model has to write."""
        self.patient = self._whole
        """How long to wait for what may take the provider as long as a model does."""
        self._embeddings = _timeouts(settings.embeddings_timeouts)
        self._attempt_s = settings.timeouts.attempt_s
        self._embeddings_attempt_s = settings.embeddings_timeouts.attempt_s

    @property
    def key(self) -> ProviderKey:
        """Its only key; where it has a pool, one of it, for what is no call."""
        return self.only_key if self.pool is None else self.pool.any_key()

    def keeper(self, key_name: str | None) -> ProviderKey:
        """The key that made something, which alone can see it: each may belong to a project there.

        None names the key of a provider that has but one. Raises `NotFoundError` where there is no
        such key any more.
        """
        if self.pool is not None:
            key = self.pool.keeper(key_name)
        else:
            key = self.only_key if key_name in (None, DEFAULT_KEY) else None
        if key is None:
            raise NotFoundError(
                f"This was made with the key `{key_name}` of the provider `{self.name}`, which is"
                f" not set up any more; an operator can bring it back under"
                f" providers.{self.name}.keys.",
                code="provider_key_not_set_up",
            )
        return key

    def key_for_new(self, project: str) -> ProviderKey | None:
        """The key that makes a project's new objects; None where every key of its pool is out."""
        return self.only_key if self.pool is None else self.pool.home_of(project)

    def serves(self, model: str) -> bool:
        """Whether `model` is one of those it is configured for."""
        return any(fnmatchcase(model, pattern) for pattern in self._patterns)

    def path(self, below: bytes) -> bytes:
        """The request target of another address below its base URL."""
        return self.dialect.path(below)

    async def let_in(self, key: ProviderKey) -> ProviderKey:
        """`key`, with the token that holds now where the provider takes tokens.

        Raises `HeadgateError` where none is to be had.
        """
        if self.tokens is None:
            return key
        token = self.tokens.current() or await self.tokens.fetch()
        return replace(
            key,
            secret=token.secret,
            headers=key.headers + token.header,
            bare_headers=key.bare_headers + token.header,
        )

    async def listing(
        self, key: ProviderKey, patience: Timeouts, most_bytes: int
    ) -> tuple[UpstreamReply, bytes]:
        """Its reply to who asks for its models with `key`, whatever that is, and the body.

        Raises `UpstreamError`.
        """
        path = self.dialect.models_path()
        reply = await self.upstream.send(self.origin, b"GET", path, key.headers, b"", patience)
        return reply, await reply.read(most_bytes)

    def may_ask_again(self, refused: ProviderKey) -> bool:
        """Whether `let_in` may give another token than the one that was `refused`."""
        return self.tokens is not None and self.tokens.refused(refused.secret)

    async def close(self) -> None:
        """Close its connections."""
        if self.tokens is not None:
            await self.tokens.close()
        await self.upstream.close()

    def timeouts(self, endpoint: Endpoint, *, streamed: bool) -> Timeouts:
        """How long to wait for a reply of `endpoint`."""
        if not endpoint.generates:
            return self._embeddings if endpoint.name == "embeddings" else self._streamed
        return self._streamed if streamed else self._whole

    def attempt_s(self, endpoint: Endpoint) -> float | None:
        """How long to wait for a reply of `endpoint` where it could be asked for once more."""
        return self._embeddings_attempt_s if endpoint.name == "embeddings" else self._attempt_s


def _timeouts(settings: TimeoutSettings) -> Timeouts:
    return Timeouts(settings.connect_s, settings.first_byte_s, settings.idle_s, settings.total_s)


def _pool(settings: ProviderSettings, via: str) -> KeyPool | None:
    if not settings.keys:
        return None
    keys = [
        PooledKey(
            _key(
                one.name,
                replace(
                    settings,
                    api_key=one.api_key,
                    organization=one.organization or settings.organization,
                    project=one.project or settings.project,
                ),
                via,
            ),
            one,
        )
        for one in settings.keys
    ]
    if settings.api_key:
        keys.append(PooledKey(_key(DEFAULT_KEY, settings, via), None))
    return KeyPool(keys, probe_s=settings.key_probe_s)


def _key(name: str | None, settings: ProviderSettings, via: str) -> ProviderKey:
    secret = settings.api_key.encode() if settings.api_key else None
    if secret is not None and len(secret) < LEAST_HIDDEN_CHARACTERS:
        secret = None
    bare = _header_lines(settings, via)
    return ProviderKey(name, secret, b"content-type: application/json\r\n" + bare, bare)


def _header_lines(settings: ProviderSettings, via: str) -> bytes:
    lines = [
        "accept-encoding: gzip, deflate",
        f"user-agent: headgate/{__version__}",
    ]
    if via:
        lines.append(f"{VIA_HEADER}: {via}")
    lines += dialect_for(settings).headers(settings.api_key)
    if settings.organization:
        lines.append(f"openai-organization: {settings.organization}")
    if settings.project:
        lines.append(f"openai-project: {settings.project}")
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1")
