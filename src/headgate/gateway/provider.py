"""A provider as the gateway calls it: its address, its credentials, its patience, its dialect."""

from __future__ import annotations

from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from headgate import __version__
from headgate.config.settings import ProviderSettings, TimeoutSettings
from headgate.gateway.dialect import Dialect, OpenAIDialect
from headgate.gateway.endpoints import Endpoint
from headgate.gateway.upstream import Origin, Timeouts, UpstreamClient

VIA_HEADER = "x-headgate-via"
"""Names the installation that sends a request, which thereby knows its own when it comes back."""


class Provider:
    """One server of models."""

    def __init__(
        self, name: str, settings: ProviderSettings, *, simulated: bool = False, via: str = ""
    ) -> None:
        address = urlsplit(settings.base_url)
        self.name = name
        self.base_url = settings.base_url
        self.price_list = settings.price_provider or name
        self.price_address = "" if settings.price_provider else settings.base_url
        """Whose prices apply: the address decides, unless the operator named a list."""
        self.simulated = simulated
        """Whether the simulator answers in its place."""
        self.takes_fault_hints = simulated or address.hostname in ("127.0.0.1", "localhost", "::1")
        """Whether `x-simulator-fault` is handed on to it."""
        self.stream_usage = settings.stream_usage
        self.origin = Origin.parse(settings.base_url)
        self.upstream = UpstreamClient(max_connections_per_origin=settings.max_connections)
        """Its own connections, so that a slow provider can't use up another's."""
        self._path = address.path.rstrip("/").encode()
        self.dialect: Dialect = OpenAIDialect(self._path)
        self._patterns = settings.models
        self.secret = settings.api_key.encode() if settings.api_key else None
        self.bare_headers = _header_lines(settings, via)
        """The header lines of a request, without its content's type."""
        self.headers = b"content-type: application/json\r\n" + self.bare_headers
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

    def serves(self, model: str) -> bool:
        """Whether `model` is one of those it is configured for."""
        return any(fnmatchcase(model, pattern) for pattern in self._patterns)

    def path(self, below: bytes) -> bytes:
        """The request target of another address below its base URL."""
        return self._path + below

    def timeouts(self, endpoint: Endpoint, *, streamed: bool) -> Timeouts:
        """How long to wait for a reply of `endpoint`."""
        if not endpoint.generates:
            return self._embeddings if endpoint.name == "embeddings" else self._streamed
        return self._streamed if streamed else self._whole


def _timeouts(settings: TimeoutSettings) -> Timeouts:
    return Timeouts(settings.connect_s, settings.first_byte_s, settings.idle_s, settings.total_s)


def _header_lines(settings: ProviderSettings, via: str) -> bytes:
    lines = [
        "accept-encoding: gzip, deflate",
        f"user-agent: headgate/{__version__}",
    ]
    if via:
        lines.append(f"{VIA_HEADER}: {via}")
    if settings.api_key:
        lines.append(f"authorization: Bearer {settings.api_key}")
    if settings.organization:
        lines.append(f"openai-organization: {settings.organization}")
    if settings.project:
        lines.append(f"openai-project: {settings.project}")
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1")
