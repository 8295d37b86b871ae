"""Which run an Idempotency-Key stands for, as it is stored.

The functions work in the transaction of whoever begins or ends the run; they block.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headgate.errors import ConflictError
from headgate.storage.insertion import insert_into
from headgate.storage.schema import idempotency_keys
from headgate.workflows.run import Run

CLAIM_LIFETIME_S = 24 * 3600
"""How long an Idempotency-Key stands for its run; older ones are forgotten."""


class Claim(msgspec.Struct, frozen=True):
    """An Idempotency-Key that a caller sent with an input."""

    project: str
    workflow: str
    key: str
    """The API key's id and the text the caller chose: keys of two applications never meet."""
    body_hash: str


def claimed(connection: Connection, claim: Claim, run: Run) -> str | None:
    """Make the claim for `run`; or the id of the run it was made for before."""
    made = connection.execute(
        # Two requests at once: the second waits for the first one's commit, then makes no row.
        insert_into(connection, idempotency_keys)
        .values(
            project=claim.project,
            scope=claim.workflow,
            key=claim.key,
            body_hash=claim.body_hash,
            run_id=run.id,
            created_at_us=run.created_at_us,
        )
        .on_conflict_do_nothing()
        .returning(idempotency_keys.c.run_id)
    )
    if made.one_or_none() is not None:
        return None
    found = connection.execute(
        sa.select(idempotency_keys.c.body_hash, idempotency_keys.c.run_id).where(*_is(claim))
    ).one_or_none()
    if found is None:  # let go of in this very moment; the caller may try again
        raise ConflictError(
            "Another request with this Idempotency-Key has just ended; send this one again."
        )
    if found.body_hash != claim.body_hash:
        raise ConflictError(
            "This Idempotency-Key was used with another input; use a new key for a new input.",
            param="Idempotency-Key",
            code="idempotency_key_reused",
        )
    return str(found.run_id)


def let_go(connection: Connection, claim: Claim, run_id: str | None = None) -> None:
    """Forget a claim; with `run_id` only if it is that run that it stands for."""
    which = _is(claim) if run_id is None else (*_is(claim), idempotency_keys.c.run_id == run_id)
    connection.execute(sa.delete(idempotency_keys).where(*which))


def let_go_of_runs(
    connection: Connection, run_ids: Sequence[str], project: str | None = None
) -> None:
    """Forget what stands for these runs, which are all of `project` where that is named."""
    which: sa.ColumnElement[bool] = idempotency_keys.c.run_id.in_(run_ids)
    if project is not None:
        which &= idempotency_keys.c.project == project
    connection.execute(sa.delete(idempotency_keys).where(which))


def forget_old(connection: Connection, now_us: int) -> None:
    """Forget claims that stand for nothing any more."""
    oldest_us = now_us - CLAIM_LIFETIME_S * 1_000_000
    connection.execute(
        sa.delete(idempotency_keys).where(idempotency_keys.c.created_at_us < oldest_us)
    )


def _is(claim: Claim) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        idempotency_keys.c.project == claim.project,
        idempotency_keys.c.scope == claim.workflow,
        idempotency_keys.c.key == claim.key,
    )
