"""An answer that has been paid for is given, whatever becomes of the note of whose it is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from headgate.errors import DatabaseUnavailableError
from headgate.gateway.call import Call
from headgate.gateway.caller import Caller
from headgate.gateway.objects import in_calls
from headgate.gateway.objects.in_calls import ObjectsInCalls
from headgate.gateway.objects.register import OwnedObject


class Register:
    """Keeps what it is told, or fails as a database does."""

    def __init__(self, failure: str | None = None) -> None:
        self.kept: list[OwnedObject] = []
        self._failure = failure

    async def remember(self, made: Sequence[OwnedObject]) -> None:
        if self._failure == "away":
            raise DatabaseUnavailableError
        if self._failure == "slow":
            await asyncio.sleep(60)
        self.kept += made


NO_ITEMS: Any = None


def answered(*, keeps: bool = True) -> Call:
    call = Call(Caller("key_1", "north", "app"), "chat/completions", trace_id="0" * 32)
    provider = SimpleNamespace(name="one", dialect=SimpleNamespace(keeps_responses=keeps))
    call.target = SimpleNamespace(provider=provider)  # type: ignore[assignment]
    return call


async def keep(register: Any, call: Call, name: str = "chatcmpl-1") -> None:
    await ObjectsInCalls(register, NO_ITEMS).keep(call, "chat_completion", name)


async def test_what_a_call_had_stored_is_its_projects():
    register = Register()
    await keep(register, answered())
    (kept,) = register.kept
    assert (kept.kind, kept.id) == ("chat_completion", "chatcmpl-1")
    assert (kept.project, kept.key_id, kept.provider) == ("north", "key_1", "one")


async def test_what_no_address_can_name_or_nobody_keeps_is_not_noted():
    register = Register()
    await keep(register, answered(), "../files")
    await keep(register, answered(keeps=False))
    assert register.kept == []


@pytest.mark.parametrize("failure", ["away", "slow"])
async def test_a_database_that_fails_is_told_in_the_log_only(failure, monkeypatch, caplog):
    monkeypatch.setattr(in_calls, "_KEEP_S", 0.01)
    with caplog.at_level(logging.WARNING):
        await keep(Register(failure), answered())
    assert "can't be found again" in caplog.text
