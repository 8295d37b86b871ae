"""Whether a request's key is valid, and whose: from memory in microseconds, else from the database.

A key once seen is remembered until anything about keys or projects changes anywhere, which each
process asks for several times a second, so a revocation holds on every one of them within 2 s.
While the database is away, known keys are honoured for a declared time; unknown ones are answered
503, since nobody can say that they are wrong.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import msgspec

from headgate.config.settings import AccessSettings
from headgate.errors import (
    AuthenticationError,
    DatabaseUnavailableError,
    HeadgateError,
    PermissionDeniedError,
    UnavailableError,
)
from headgate.gateway.caller import Caller
from headgate.intake.access.keys import KEY_PREFIX, StoredKey
from headgate.intake.access.networks import Network, is_within, parse_address, parse_network
from headgate.intake.access.projects import wall_clock_us
from headgate.intake.access.secret import Secret

_logger = logging.getLogger(__name__)

_MAX_REMEMBERED = 10_000
"""Keys kept in memory, and as many wrong ones; the longest unused is forgotten first."""

_MAX_LOADS = 1_000
"""Different keys that may be looked up at once; more are answered 503."""

_LOAD_THREADS = 4
_LOAD_TIMEOUT_S = 10.0
_LOAD_TRIES = 3
_MAX_TOKEN_BYTES = 512


class KeyLoader(Protocol):
    """Where keys are kept; `KeyStore` is one. All methods block."""

    def find(self, digest: bytes) -> StoredKey | None:
        """The key whose secret has `digest`."""

    def find_by_id(self, key_id: str) -> StoredKey | None:
        """The key of that id."""

    def revision(self) -> int:
        """A number that rises with every change."""


class _Grant(msgspec.Struct, frozen=True):
    """A valid key as the hot path needs it."""

    caller: Caller
    digest: bytes
    expires_at_us: int | None
    networks: tuple[Network, ...]


class _Refusal(msgspec.Struct, frozen=True):
    """Why a key opens nothing."""

    kind: type[HeadgateError]
    message: str
    code: str

    def error(self) -> HeadgateError:
        """A fresh exception: one that is raised twice drags its first traceback along."""
        return self.kind(self.message, code=self.code)


_UNKNOWN = _Refusal(
    AuthenticationError,
    "That key is not one of this server's; send a live Headgate key, `Authorization: Bearer"
    f" {KEY_PREFIX}…`. The provider's own keys stay with the server.",
    "invalid_api_key",
)
_REVOKED = _Refusal(AuthenticationError, "That key was revoked; use another.", "key_revoked")
_EXPIRED = _Refusal(AuthenticationError, "That key has expired; use another.", "key_expired")
_ARCHIVED = _Refusal(
    AuthenticationError,
    "That key's project is archived; use a key of another project.",
    "project_archived",
)


class Authenticator:
    """Checks keys in one process. `start()` it before use and `stop()` it after, on one loop.

    The hot path is `recall(…) or await load(…)`; `authenticate` is both. All three raise
    `AuthenticationError` (401), `PermissionDeniedError` (403, `ip_not_allowed`) or
    `UnavailableError` (503).
    """

    def __init__(
        self,
        keys: KeyLoader,
        secret: Secret,
        settings: AccessSettings,
        *,
        clock_us: Callable[[], int] = wall_clock_us,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys = keys
        self._secret = secret
        self._settings = settings
        self._clock_us = clock_us
        self._monotonic_s = monotonic_s
        self._grants: OrderedDict[bytes, _Grant] = OrderedDict()
        self._refusals: OrderedDict[bytes, _Refusal] = OrderedDict()
        self._loading: dict[bytes, asyncio.Task[_Grant | _Refusal]] = {}
        self._revision: int | None = None
        self._generation = 0
        self._honoured_until_s = float("-inf")
        self._poller: asyncio.Task[None] | None = None
        # Threads of its own, so that no crowd of other work can delay a revocation.
        self._poll_thread = ThreadPoolExecutor(1, thread_name_prefix="headgate-revision")
        self._load_threads = ThreadPoolExecutor(_LOAD_THREADS, thread_name_prefix="headgate-keys")

    @property
    def changes(self) -> int:
        """How often this process has seen keys or projects change."""
        return self._generation

    async def start(self) -> None:
        """Look for changes from now on; raises `DatabaseUnavailableError` if that can't begin."""
        await self.refresh()
        self._poller = asyncio.create_task(self._poll(), name="headgate-revision")

    async def stop(self) -> None:
        """End the task and the threads; pending lookups are cancelled."""
        tasks = [*self._loading.values(), *([self._poller] if self._poller else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._poller = None
        self._poll_thread.shutdown(wait=False, cancel_futures=True)
        self._load_threads.shutdown(wait=False, cancel_futures=True)

    def recall(self, authorization: bytes | None, address: str | None) -> Caller | None:
        """The caller, if its key is in memory; None where `load` has to look it up.

        `authorization` is the header's value, `address` the client's as `TrustedProxies` finds it.
        """
        digest = self._digest(authorization)
        grant = self._grants.get(digest)
        if grant is None:
            refusal = self._refusals.get(digest)
            if refusal is None:
                return None
            self._refusals.move_to_end(digest)
            raise refusal.error()
        self._grants.move_to_end(digest)
        return self._admitted(grant, digest, address)

    async def load(self, authorization: bytes | None, address: str | None) -> Caller:
        """The caller, its key looked up in the database; once for all that ask at the same time."""
        digest = self._digest(authorization)
        task = self._loading.get(digest)
        if task is None:
            if len(self._loading) >= _MAX_LOADS:
                raise UnavailableError(
                    "Too many keys are being looked up at once; try again shortly.",
                    code="overloaded",
                )
            task = asyncio.create_task(self._loaded(digest), name="headgate-key")
            self._loading[digest] = task
            task.add_done_callback(lambda _: self._loading.pop(digest, None))
        # Shielded: a client that goes away must not take the others' lookup with it.
        try:
            async with asyncio.timeout(_LOAD_TIMEOUT_S):
                found = await asyncio.shield(task)
        except TimeoutError:
            raise DatabaseUnavailableError(
                "The database took too long to say whose key that is; try again shortly."
            ) from None
        if isinstance(found, _Refusal):
            raise found.error()
        return self._admitted(found, digest, address)

    async def authenticate(self, authorization: bytes | None, address: str | None) -> Caller:
        """`recall`, or else `load`."""
        return self.recall(authorization, address) or await self.load(authorization, address)

    async def holder(self, key_id: str, address: str | None) -> Caller:
        """The caller that the key of that id makes, for what was handed out with it.

        Looked up in the database each time; raises as `authenticate` does.
        """
        loop = asyncio.get_running_loop()
        stored = await loop.run_in_executor(self._load_threads, self._keys.find_by_id, key_id)
        outcome = self._judged(stored)
        if isinstance(outcome, _Refusal):
            raise outcome.error()
        return self._admitted(outcome, outcome.digest, address)

    async def refresh(self) -> None:
        """Look for changes now: after it, this process sees what was committed before it."""
        asked_at_s = self._monotonic_s()
        loop = asyncio.get_running_loop()
        revision = await loop.run_in_executor(self._poll_thread, self._keys.revision)
        self._honoured_until_s = max(
            self._honoured_until_s, asked_at_s + self._settings.max_staleness_s
        )
        if revision != self._revision:
            self._revision = revision
            self._generation += 1
            self._grants.clear()
            self._refusals.clear()

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(self._settings.refresh_interval_s)
            # While the database is away this goes on asking; the time until which keys are
            # honoured stands still meanwhile, and that is what ends them.
            try:
                await self.refresh()
            except DatabaseUnavailableError:
                continue
            except Exception:
                # Without this task every key would soon be refused until a restart.
                _logger.exception("looking for changed keys failed; trying again")

    def _digest(self, authorization: bytes | None) -> bytes:
        if self._monotonic_s() > self._honoured_until_s:
            raise UnavailableError(
                "Keys cannot be checked because the database has not answered for"
                f" {self._settings.max_staleness_s:g} s; try again shortly.",
                code="database_unavailable",
            )
        if authorization is None:
            raise AuthenticationError(code="missing_api_key")
        if authorization[:7].lower() != b"bearer " or len(authorization) > _MAX_TOKEN_BYTES:
            raise AuthenticationError
        return self._secret.token_digest(authorization[7:].strip())

    def _admitted(self, grant: _Grant, digest: bytes, address: str | None) -> Caller:
        if not hmac.compare_digest(grant.digest, digest):
            raise _UNKNOWN.error()
        if grant.expires_at_us is not None and grant.expires_at_us <= self._clock_us():
            raise _EXPIRED.error()
        if grant.networks:
            client = parse_address(address) if address is not None else None
            if not is_within(client, grant.networks):
                raise PermissionDeniedError(
                    f"That key may not be used from {client or 'an unknown address'}; ask for the"
                    " address to be added to it.",
                    code="ip_not_allowed",
                )
        return grant.caller

    async def _loaded(self, digest: bytes) -> _Grant | _Refusal:
        loop = asyncio.get_running_loop()
        for _ in range(_LOAD_TRIES):
            generation = self._generation
            try:
                stored = await loop.run_in_executor(self._load_threads, self._keys.find, digest)
            except DatabaseUnavailableError as error:
                return _Refusal(type(error), error.message, "database_unavailable")
            outcome = self._judged(stored)
            # A change that was seen while the lookup ran may have come after what it read;
            # remembering that would keep a revoked key alive until the next change.
            if generation == self._generation:
                self._remember(digest, outcome)
                break
        return outcome

    def _judged(self, stored: StoredKey | None) -> _Grant | _Refusal:
        if stored is None:
            return _UNKNOWN
        key = stored.key
        if stored.project_archived:
            return _ARCHIVED
        status = key.status_at(self._clock_us())
        if status != "live":
            return _REVOKED if status == "revoked" else _EXPIRED
        return _Grant(
            caller=Caller(
                key_id=key.id,
                project=key.project,
                role=key.role,
                models=key.models,
                workflows=key.workflows,
                rotated=stored.rotated,
            ),
            digest=stored.digest,
            expires_at_us=key.expires_at_us,
            networks=tuple(parse_network(network) for network in key.networks),
        )

    def _remember(self, digest: bytes, outcome: _Grant | _Refusal) -> None:
        if isinstance(outcome, _Grant):
            self._grants[digest] = outcome
            if len(self._grants) > _MAX_REMEMBERED:
                self._grants.popitem(last=False)
        else:
            self._refusals[digest] = outcome
            if len(self._refusals) > _MAX_REMEMBERED:
                self._refusals.popitem(last=False)
