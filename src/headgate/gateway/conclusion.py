"""How a call ends, whatever it was about: settled, recorded, then told to its client."""

from __future__ import annotations

from collections.abc import Awaitable

from headgate.errors import DatabaseUnavailableError
from headgate.gateway.call import Call, Client, LastWords, Refusal
from headgate.gateway.reply_headers import call_headers
from headgate.gateway.spending import Spending
from headgate.ledger.writer import LedgerWriter

_REFUSED = 400
"""Statuses from here on tell that no answer was given."""


async def record(
    call: Call, *, writer: LedgerWriter, spending: Spending | None, durable: bool
) -> None:
    """Settle what `call` reserved and leave its record.

    While the ledger's queue is full, a call that was refused before it was made leaves none: what
    refuses calls so that the queue has a bound must not fill it.

    Raises `DatabaseUnavailableError` where the answer must not go out without it.
    """
    call.record.latency_us = call.elapsed_us()
    if spending is not None:
        spending.settle(call)
    if writer.full and call.record.attempts == 0 and call.record.status >= _REFUSED:
        writer.note_unrecorded()
    elif durable:
        await writer.append_durable(call.record)
    else:
        writer.append(call.record)


async def conclude(
    call: Call, client: Client, last: LastWords | Refusal | None, recorded: Awaitable[None]
) -> None:
    """Wait until `call` is `recorded`, then let `client` have the end of its answer.

    `last` is None where the client has gone. Where an answer must not precede its record and that
    can't be written, the client is told so in the answer's place, or in a stream's end. A stream
    that ends in an error already keeps it.
    """
    try:
        await recorded
    except DatabaseUnavailableError as error:
        if last is None:
            return
        last = _unrecorded(call, last, error)
    if last is not None:
        await client.finish(last)


def _unrecorded(
    call: Call, last: LastWords | Refusal, error: DatabaseUnavailableError
) -> LastWords | Refusal:
    if isinstance(last, Refusal) or last.status:
        return Refusal(error, call_headers(call))
    if last.unless is None:
        return last
    block = last.unless(error)
    return LastWords(block, cut=not block)
