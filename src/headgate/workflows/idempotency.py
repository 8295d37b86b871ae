"""The same Idempotency-Key with the same input is the same run, however often it is sent."""

from __future__ import annotations

import asyncio
import hashlib
import re
import time

import msgspec

from headgate.errors import ConflictError, InvalidRequestError
from headgate.storage.threads import StorageThreads
from headgate.workflows.claims import Claim
from headgate.workflows.durable.orders import UNDER_WAY
from headgate.workflows.repository import RunRepository
from headgate.workflows.run import Order, Run, RunError

WAIT_S = 30.0
"""How long a duplicate waits for a run that is under way, before it is answered 409."""

GRACE_S = 60.0
"""A run still `running` this long after its workflow's time is up has lost its process."""

KEY_CHARACTERS_AT_MOST = 200

_FIRST_PAUSE_S = 0.02
_LONGEST_PAUSE_S = 0.5

INTERRUPTED = RunError(
    status=503,
    message="The server stopped while this run was under way; send the request again.",
    type="server_error",
    code="run_interrupted",
)


class RunInProgressError(ConflictError):
    """A request with this Idempotency-Key is still under way; send this one again shortly."""

    code = "run_in_progress"
    retryable = True


def claim_of(order: Order) -> Claim | None:
    """What the order's key stands for; `InvalidRequestError` where the key is not a fit one."""
    key = order.idempotency_key
    if key is None:
        return None
    if not re.fullmatch(rf"[\x20-\x7e]{{1,{KEY_CHARACTERS_AT_MOST}}}", key):
        raise InvalidRequestError(
            f"The Idempotency-Key must be 1 to {KEY_CHARACTERS_AT_MOST} ASCII characters.",
            param="Idempotency-Key",
        )
    canonical = msgspec.json.encode(order.input, order="sorted")
    return Claim(
        project=order.caller.project,
        workflow=order.workflow,
        # What was asked for before a rotation is known again after it.
        key=f"{order.caller.key_ids[0]} {key}",
        body_hash=hashlib.sha256(canonical).hexdigest(),
    )


async def settled(
    repository: RunRepository,
    threads: StorageThreads,
    claim: Claim,
    run_id: str,
    timeout_s: float,
    webhook: str | None = None,
) -> Run | None:
    """The run that `claim` stands for, once it has ended; None where it is gone or was given up.

    `timeout_s` and `webhook` are its workflow's. Raises `RunInProgressError` after 30 s.
    """
    deadline_s = time.monotonic() + WAIT_S
    pause_s = _FIRST_PAUSE_S
    while True:
        run = await threads.run(repository.get, run_id)
        if run is None:
            await threads.run(repository.release, claim)
            return None
        if run.status not in UNDER_WAY:
            return msgspec.structs.replace(run, replayed=True)
        lost_before_us = time.time_ns() // 1000 - int((timeout_s + GRACE_S) * 1_000_000)
        # One that outlives its process is never lost.
        if run.created_at_us < lost_before_us:
            lost = await threads.run(
                repository.give_up,
                INTERRUPTED,
                begun_before_us=lost_before_us,
                webhook=webhook,
                id=run_id,
            )
            if lost:
                return None
        if time.monotonic() + pause_s > deadline_s:
            raise RunInProgressError
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
