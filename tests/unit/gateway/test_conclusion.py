"""What a client is told at a call's end, also where the call can't be recorded."""

from __future__ import annotations

import pytest

from headgate.errors import DatabaseUnavailableError, HeadgateError, UpstreamFailedError
from headgate.gateway.call import Call, Headers, LastWords, Refusal
from headgate.gateway.caller import Caller
from headgate.gateway.conclusion import conclude, record
from headgate.ledger.record import CallRecord


class Writer:
    """A ledger's writer whose database is there, or away."""

    full = False

    def __init__(self, *, away: bool) -> None:
        self.away = away
        self.records: list[CallRecord] = []

    async def append_durable(self, record: CallRecord) -> None:
        if self.away:
            raise DatabaseUnavailableError
        self.records.append(record)


class Listener:
    """A client that keeps what it is told; a head after a head is what it must never get."""

    gone = False

    def __init__(self, *, begun: bool) -> None:
        self.begun = begun
        self.told: list[LastWords | Refusal] = []

    async def begin(self, status: int, headers: Headers) -> None:
        raise AssertionError((status, headers))

    async def write(self, data: bytes) -> None:
        raise AssertionError(data)

    async def finish(self, last: LastWords | Refusal) -> None:
        has_head = isinstance(last, Refusal) or last.status > 0
        assert has_head is not self.begun
        self.told.append(last)


async def concluded(
    last: LastWords | Refusal | None, *, begun: bool, away: bool = True
) -> list[LastWords | Refusal]:
    client = Listener(begun=begun)
    writer = Writer(away=away)
    call = Call(Caller("key_1", "default", "app"), "chat/completions", trace_id="0" * 32)
    recorded = record(call, writer=writer, spending=None, durable=True)  # type: ignore[arg-type]
    await conclude(call, client, last, recorded)
    assert len(writer.records) == (not away)
    return client.told


def event(error: HeadgateError) -> bytes:
    return f"data: {error.code}\n\n".encode()


async def test_an_answer_that_can_not_be_recorded_is_an_error_instead() -> None:
    (told,) = await concluded(LastWords(b"{}", 200), begun=False)
    assert isinstance(told, Refusal)
    assert isinstance(told.error, DatabaseUnavailableError)


async def test_a_stream_that_can_not_be_recorded_ends_in_an_error() -> None:
    (told,) = await concluded(LastWords(b"data: [DONE]\n\n", unless=event), begun=True)
    assert isinstance(told, LastWords)
    assert told.body == event(DatabaseUnavailableError())
    assert not told.cut


async def test_a_stream_without_words_for_it_is_cut_where_it_can_not_be_recorded() -> None:
    (told,) = await concluded(LastWords(b"", unless=lambda _: b""), begun=True)
    assert isinstance(told, LastWords)
    assert told.cut


@pytest.mark.parametrize("last", [LastWords(b"data: broken\n\n"), LastWords(b"", cut=True)])
async def test_a_stream_that_ends_in_an_error_gets_no_second_head(last: LastWords) -> None:
    assert await concluded(last, begun=True) == [last]


async def test_a_refusal_that_can_not_be_recorded_says_so() -> None:
    (told,) = await concluded(Refusal(UpstreamFailedError(), []), begun=False)
    assert isinstance(told, Refusal)
    assert isinstance(told.error, DatabaseUnavailableError)


@pytest.mark.parametrize("away", [True, False])
async def test_a_client_that_has_gone_is_told_nothing(away: bool) -> None:
    assert await concluded(None, begun=False, away=away) == []


async def test_what_is_recorded_is_told_as_it_is() -> None:
    last = LastWords(b"{}", 200)
    assert await concluded(last, begun=False, away=False) == [last]
