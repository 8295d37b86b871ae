"""Entra ID's tokens, which Azure takes in place of a key: fetched, kept, renewed in time.

By the published flows: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
for an application's secret, and the instance metadata service for a machine's own identity.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from headgate.config.providers import AzureADSettings
from headgate.errors import UpstreamFailedError, UpstreamRefusedKeyError
from headgate.gateway.endpoints.endpoint import UNREADABLE
from headgate.gateway.upstream import Origin, Timeouts, UpstreamClient, UpstreamError

_LOGIN_URL = "https://login.microsoftonline.com"
_METADATA_URL = "http://169.254.169.254"
_METADATA_VERSION = "2018-02-01"

RENEW_BEFORE_S = 300.0
"""A token is renewed this long before it expires, while the old one still serves."""
_PAUSE_S = 2.0
"""How long a failure stands before the issuer is asked again."""
_DROP_PAUSE_S = 60.0
"""How long a token stands at least that was fetched in the place of a refused one."""
_MAX_TOKEN_BYTES = 64 * 1024
_PATIENCE = Timeouts(connect_s=5, first_byte_s=10, idle_s=10, total_s=15)


class Token(msgspec.Struct, frozen=True):
    """A token, and when on a monotonic clock it is to be renewed and expires."""

    secret: bytes
    header: bytes
    """The header line that shows it."""
    renew_at_s: float
    expires_at_s: float


class Tokens(Protocol):
    """Where a provider's tokens come from."""

    def current(self) -> Token | None:
        """The token, where one is at hand; no I/O."""

    async def fetch(self) -> Token:
        """A token that holds now. Raises `HeadgateError` where none is to be had."""

    def refused(self, secret: bytes | None) -> bool:
        """Note that a token was refused before its time; whether another is worth a try."""

    async def close(self) -> None:
        """Stop renewing."""


class _Reply(msgspec.Struct):
    access_token: str
    expires_in: int | str = 3600


class EntraTokens:
    """Keeps one token; however many calls wait for it, it is asked for once."""

    def __init__(
        self,
        provider: str,
        settings: AzureADSettings,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._provider = provider
        self._clock = clock
        own = settings.managed_identity
        address = settings.authority or (_METADATA_URL if own else _LOGIN_URL)
        self._origin = Origin.parse(address)
        # The metadata service is the machine's own, which no proxy can ask for it.
        self._client = UpstreamClient(max_connections_per_origin=2, trust_env=not own)
        self._method, self._target, self._headers, self._body = _request(
            settings, urlsplit(address).path.rstrip("/")
        )
        self._token: Token | None = None
        self._renewal: asyncio.Task[Token] | None = None
        self._dropped_at_s: float | None = None
        self._failed: tuple[float, Exception] | None = None

    def current(self) -> Token | None:
        """See `Tokens`; begins to renew it in time."""
        token = self._token
        if token is None:
            return None
        now_s = self._clock()
        if now_s >= token.expires_at_s:
            return None
        if now_s >= token.renew_at_s and self._renewal is None and not self._pausing(now_s):
            self._renew()
        return token

    async def fetch(self) -> Token:
        """See `Tokens`."""
        token = self.current()
        if token is not None:
            return token
        if self._renewal is None:
            if self._failed is not None and self._pausing(self._clock()):
                raise self._failed[1].with_traceback(None)
            self._renew()
        renewal = self._renewal
        if renewal is None:
            raise UpstreamFailedError
        # A caller that goes away must not take the token from the others.
        return await asyncio.shield(renewal)

    def refused(self, secret: bytes | None) -> bool:
        """See `Tokens`; the issuer is not asked for another token with each call that fails."""
        token = self._token
        if token is None or token.secret != secret:
            return True  # Another call was refused with it first.
        now_s = self._clock()
        if self._dropped_at_s is not None and now_s < self._dropped_at_s + _DROP_PAUSE_S:
            return False
        self._token, self._dropped_at_s = None, now_s
        return True

    async def close(self) -> None:
        """See `Tokens`."""
        renewal = self._renewal
        if renewal is not None:
            renewal.cancel()
            await asyncio.gather(renewal, return_exceptions=True)
        await self._client.close()

    def _pausing(self, now_s: float) -> bool:
        return self._failed is not None and now_s < self._failed[0] + _PAUSE_S

    def _renew(self) -> None:
        self._renewal = asyncio.create_task(self._ask(), name="headgate-entra-token")
        self._renewal.add_done_callback(self._note)

    def _note(self, renewal: asyncio.Task[Token]) -> None:
        self._renewal = None
        if renewal.cancelled():
            return
        error = renewal.exception()
        if error is None:
            self._token, self._failed = renewal.result(), None
        elif isinstance(error, Exception):
            self._failed = (self._clock(), error)

    async def _ask(self) -> Token:
        asked_at_s = self._clock()
        try:
            reply = await self._client.send(
                self._origin, self._method, self._target, self._headers, self._body, _PATIENCE
            )
            body = await reply.read(_MAX_TOKEN_BYTES)
        except UpstreamError as error:
            raise UpstreamFailedError(
                f"No Entra token for the provider `{self._provider}` could be fetched"
                f" ({error.kind}); try again.",
                code="upstream_token_failed",
            ) from None
        if reply.status >= 500 or reply.status == 429:
            raise UpstreamFailedError(
                f"Entra answered {reply.status} when asked for a token of the provider"
                f" `{self._provider}`; try again.",
                code="upstream_token_failed",
            )
        if reply.status != 200:
            # What it says quotes the application and the tenant.
            raise UpstreamRefusedKeyError(
                f"Entra gave no token for the provider `{self._provider}` ({reply.status}); an"
                f" operator must set a valid providers.{self._provider}.azure_ad."
            )
        try:
            told = msgspec.json.decode(body, type=_Reply)
            lives_s = max(0.0, float(told.expires_in))
            secret = told.access_token.encode("ascii")
        except (*UNREADABLE, ValueError):
            raise UpstreamFailedError(
                f"Entra's token for the provider `{self._provider}` can't be read.",
                code="upstream_token_failed",
            ) from None
        if not secret or any(byte <= 32 or byte > 126 for byte in secret):
            raise UpstreamFailedError(
                f"Entra's token for the provider `{self._provider}` is not one.",
                code="upstream_token_failed",
            )
        return Token(
            secret,
            b"authorization: Bearer %b\r\n" % secret,
            asked_at_s + max(lives_s - RENEW_BEFORE_S, lives_s / 2),
            asked_at_s + lives_s,
        )


def _request(settings: AzureADSettings, path: str) -> tuple[bytes, bytes, bytes, bytes]:
    """Method, target, header lines and body of the request for a token."""
    if settings.managed_identity:
        query = {
            "api-version": _METADATA_VERSION,
            "resource": settings.scope.removesuffix("/.default"),
        }
        if settings.client_id:
            query["client_id"] = settings.client_id
        target = f"{path}/metadata/identity/oauth2/token?{urlencode(query)}"
        return b"GET", target.encode(), b"metadata: true\r\n", b""
    form = {
        "grant_type": "client_credentials",
        "client_id": settings.client_id or "",
        "client_secret": settings.client_secret or "",
        "scope": settings.scope,
    }
    target = f"{path}/{quote(settings.tenant_id or '', safe='')}/oauth2/v2.0/token"
    headers = b"content-type: application/x-www-form-urlencoded\r\naccept: application/json\r\n"
    return b"POST", target.encode(), headers, urlencode(form).encode()
