"""A revocation holds on every process within two seconds, on both databases."""

from __future__ import annotations

import asyncio
import time

import pytest

from headgate.config.settings import AccessSettings
from headgate.errors import AuthenticationError
from headgate.intake.access.authentication import Authenticator
from headgate.intake.access.key import NewKey
from headgate.intake.access.keys import KeyStore
from headgate.intake.access.projects import ProjectStore
from headgate.intake.access.secret import load_secret
from headgate.storage import Database

WITHIN_S = 2.0


async def accepted(worker: Authenticator, authorization: bytes) -> bool:
    try:
        await worker.authenticate(authorization, None)
    except AuthenticationError:
        return False
    return True


@pytest.mark.parametrize("act", ["revoke", "rotate", "archive"])
async def test_each_worker_refuses_the_key_within_two_seconds(database_url, database, act):
    """Workers here share nothing but the database, as processes do."""
    secret = load_secret(database, None)
    projects = ProjectStore(database)
    projects.ensure({"support": ""})
    keys = KeyStore(database, secret)
    created = keys.create(NewKey(project="support", name="app"), created_by="test")
    authorization = f"Bearer {created.plaintext}".encode()
    databases = [Database(database_url) for _ in range(3)]
    workers = [
        Authenticator(KeyStore(of_its_own, secret), secret, AccessSettings())
        for of_its_own in databases
    ]
    for worker in workers:
        await worker.start()
        await worker.authenticate(authorization, None)

    if act == "revoke":
        await asyncio.to_thread(keys.revoke, created.key.id)
    elif act == "rotate":
        successor = await asyncio.to_thread(
            keys.rotate, created.key.id, overlap_s=0, created_by="test", expires_at_us=None
        )
    else:
        await asyncio.to_thread(projects.archive, "support")
    changed_at_s = time.monotonic()
    for worker in workers:
        while await accepted(worker, authorization):
            assert time.monotonic() - changed_at_s < WITHIN_S
            await asyncio.sleep(0.02)
        if act == "rotate":
            assert await worker.authenticate(f"Bearer {successor.plaintext}".encode(), None)
    for worker, of_its_own in zip(workers, databases, strict=True):
        await worker.stop()
        of_its_own.close()
