"""Asks providers what became of what was begun here, and settles it though no client looks.

Each worker has such a task; of each commitment one of them at a time takes care.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import Any
from urllib.parse import quote

import msgspec

from headgate.errors import DatabaseUnavailableError, HeadgateError
from headgate.gateway.commitments.keeper import CommitmentKeeper
from headgate.gateway.commitments.outcome import GONE, outcome_of
from headgate.gateway.endpoints.endpoint import UNREADABLE
from headgate.gateway.provider import Provider
from headgate.gateway.upstream import UpstreamError
from headgate.ledger.commitments.commitment import Commitment, Due, Kind, Outcome
from headgate.ledger.commitments.patience import is_given_up
from headgate.telemetry.faults import log_fault

_log = logging.getLogger(__name__)

_LOOK_EVERY_S = 1.0
_FORGET_EVERY_S = 3600.0
_MAX_REPLY_BYTES = 64 * 1024 * 1024
_PATHS: dict[Kind, str] = {"batch": "/batches/", "response": "/responses/"}
_GONE = (404, 410)


class CommitmentWatch:
    """The task; `start()` it on the loop, and `stop()` it."""

    def __init__(self, keeper: CommitmentKeeper) -> None:
        self._keeper = keeper
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to ask."""
        self._task = asyncio.create_task(self._run(), name="headgate-commitments")

    async def stop(self) -> None:
        """End the task; others, or the next start, go on with what is left."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        forget_at_s = time.monotonic() + _FORGET_EVERY_S
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            with contextlib.suppress(DatabaseUnavailableError):
                try:
                    while due := await self._keeper.claim():
                        await asyncio.gather(*map(self._look, due))
                    if time.monotonic() >= forget_at_s:
                        forget_at_s = time.monotonic() + _FORGET_EVERY_S
                        await self._keeper.forget_old()
                except DatabaseUnavailableError:
                    raise  # what is due stays due
                except Exception as fault:  # noqa: BLE001 - the task must go on
                    log_fault("batches and background responses could not be asked after", fault)

    async def _look(self, due: Due) -> None:
        commitment = due.commitment
        outcome = await self.outcome(commitment)
        if outcome is None and is_given_up(due.made_at_us, time.time_ns() // 1000):
            _log.error("given up", extra={"object": commitment.object_id, "kind": commitment.kind})
            outcome = GONE
        if outcome is None:
            await self._keeper.look_again(due)
        else:
            await self._keeper.ended(commitment, outcome)

    async def outcome(self, commitment: Commitment) -> Outcome | None:
        """What its provider says; None where it goes on, or the provider can't be asked."""
        provider = self._keeper.providers.get(commitment.provider)
        if provider is None:
            return None
        try:
            status, body = await _asked(provider, commitment)
        except (UpstreamError, HeadgateError):
            return None
        if status in _GONE:
            return GONE
        if status != 200:
            return None
        try:
            shown = msgspec.json.decode(body, type=dict[str, Any])
        except UNREADABLE:
            return None
        return outcome_of(commitment.kind, shown)


async def _asked(provider: Provider, commitment: Commitment) -> tuple[int, bytes]:
    named = provider.keeper(commitment.provider_key)
    key = await provider.let_in(named)
    path = _PATHS[commitment.kind] + quote(commitment.object_id, safe="")
    reply = await provider.upstream.send(
        provider.origin, b"GET", provider.path(path.encode()), key.headers, b"", provider.quick
    )
    return reply.status, await reply.read(_MAX_REPLY_BYTES)
