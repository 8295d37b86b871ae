"""A project builds only on its own responses, whichever process answered them."""

from __future__ import annotations

import pytest

from headgate.errors import InvalidRequestError, NotFoundError
from headgate.gateway.stored_responses import ResponseOwner, StoredResponses

MINE = ResponseOwner("support", "openai")


class Ledger:
    """Finds a response from the `late`th question on."""

    def __init__(self, owner: ResponseOwner | None, late: int = 1) -> None:
        self.owner = owner
        self.late = late
        self.asked = 0

    async def find(self, _response_id: str) -> ResponseOwner | None:
        self.asked += 1
        return self.owner if self.asked >= self.late else None


async def test_a_response_of_this_process_is_known_at_once() -> None:
    ledger = Ledger(None)
    stored = StoredResponses(ledger.find)
    stored.remember("resp_1", MINE)
    assert await stored.owner_of("resp_1", "support") == MINE
    assert ledger.asked == 0


async def test_a_response_of_another_process_is_found_though_its_record_is_late() -> None:
    ledger = Ledger(MINE, late=2)
    stored = StoredResponses(ledger.find)
    assert await stored.owner_of("resp_1", "support") == MINE
    assert await stored.owner_of("resp_1", "support") == MINE
    assert ledger.asked == 2


async def test_another_projects_response_looks_like_none() -> None:
    stored = StoredResponses(Ledger(MINE).find)
    with pytest.raises(NotFoundError) as theirs:
        await stored.owner_of("resp_1", "sales")
    nobody = StoredResponses(Ledger(None).find)
    with pytest.raises(NotFoundError) as missing:
        await nobody.owner_of("resp_1", "sales")
    assert theirs.value.as_object() == missing.value.as_object()


async def test_a_previous_response_that_is_not_ours_is_a_bad_request() -> None:
    stored = StoredResponses(Ledger(MINE).find)
    with pytest.raises(InvalidRequestError) as raised:
        await stored.owner_of_previous("resp_1", "sales")
    assert raised.value.code == "previous_response_not_found"


@pytest.mark.parametrize("name", ["", "\0", "resp_\0", "x" * 1000, "../models", "resp_\ud800"])
async def test_what_no_provider_would_call_a_response_is_not_looked_up(name: str) -> None:
    ledger = Ledger(MINE)
    with pytest.raises(NotFoundError):
        await StoredResponses(ledger.find).owner_of(name, "support")
    assert ledger.asked == 0
