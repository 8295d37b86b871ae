"""The calls of a realtime session: each reserved for, settled and recorded once, whatever comes."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.config.settings import PriceSettings
from headgate.errors import BudgetExceededError, ClientGoneError, HeadgateError
from headgate.gateway.call import Call
from headgate.gateway.caller import Caller
from headgate.gateway.endpoints.realtime import REALTIME
from headgate.gateway.realtime.calls import SessionCalls
from headgate.gateway.realtime.context import Context
from headgate.gateway.realtime.events import (
    ErrorTold,
    ResponseTold,
    Session,
    read_client_event,
)
from headgate.gateway.request import Request
from headgate.gateway.settlement import Settlement
from headgate.gateway.target import Target
from headgate.ledger.prices import PriceList
from headgate.ledger.record import CallRecord


class Books:
    """A spending and a gateway that count what they are told."""

    def __init__(self, *, cap: int | None = None) -> None:
        self.open = 0
        self.reserved = 0
        self.refuses = False
        self.records: list[CallRecord] = []
        self._cap = cap

    async def reserve_turn(self, call: Call, _request: Any, _target: Any, _turn: Any) -> None:
        if self.refuses:
            raise BudgetExceededError
        assert call.reservation is None
        call.reservation = object()  # type: ignore[assignment]
        self.open += 1
        self.reserved += 1

    def output_cap(self, _call: Call) -> int | None:
        return self._cap

    def settle(self, call: Call) -> None:
        if call.reservation is not None:
            call.reservation = None
            self.open -= 1

    async def note_verdicts(self, call: Call) -> None:
        assert call.guarding is None

    async def record(self, call: Call) -> None:
        self.settle(call)
        self.records.append(call.record)


def session(books: Books, *, limited: bool = True) -> tuple[SessionCalls, Context]:
    opened = Call(Caller("key_1", "default", "app"), REALTIME.name, trace_id="0" * 32)
    provider: Any = SimpleNamespace(name="p", price_list="p", price_address="", simulated=False)
    health: Any = None
    opened.target = Target(provider, "voice", None, health)
    prices = PriceList({"*": PriceSettings(input="1", output="1")})
    context = Context()
    calls = SessionCalls(
        opened,
        Request(REALTIME, {}, "voice", streamed=True),
        context,
        books,  # type: ignore[arg-type]
        Settlement(prices),
        books if limited else None,  # type: ignore[arg-type]
    )
    return calls, context


def create(event_id: str, **response: Any) -> Any:
    return read_client_event(
        json.dumps({"type": "response.create", "event_id": event_id, "response": response})
    )


def told(response_id: str, **more: Any) -> ResponseTold:
    usage = {"input_tokens": 10, "output_tokens": 5}
    return msgspec.convert({"id": response_id, "usage": usage, **more}, ResponseTold)


async def test_what_was_asked_for_is_what_begins():
    books = Books()
    calls, _ = session(books)
    await calls.ask(create("a"))
    await calls.begin("resp_1")
    await calls.end(told("resp_1", status="completed"))
    (record,) = books.records
    assert (record.response_id, record.status, record.attempts) == ("resp_1", 200, 1)
    assert (record.input_tokens, record.output_tokens, record.cost_nanousd) == (10, 5, 15_000)
    assert (books.open, books.reserved) == (0, 1)


async def test_what_the_provider_refuses_is_free_and_recorded():
    books = Books()
    calls, _ = session(books)
    await calls.ask(create("a"))
    await calls.fail(ErrorTold(code="conversation_already_has_active_response", event_id="a"))
    await calls.fail(ErrorTold(code="another", event_id="b"))
    (record,) = books.records
    assert (record.status, record.cost_nanousd) == (400, 0)
    assert record.error_class == "conversation_already_has_active_response"
    assert books.open == 0


async def test_what_is_kept_ready_serves_the_next_that_begins_by_itself():
    books = Books()
    calls, _ = session(books)
    await calls.keep_ready(0.0)
    await calls.keep_ready(1.0)
    assert books.reserved == 1
    books.refuses = True
    await calls.begin("resp_1")
    await calls.end(told("resp_1"))
    with pytest.raises(BudgetExceededError):
        await calls.begin("resp_2")
    assert calls.is_refused("resp_2")
    await calls.end(told("resp_2"))
    assert not calls.is_refused("resp_2")
    assert [record.cost_nanousd for record in books.records] == [15_000, 15_000]
    assert books.open == 0


async def test_it_is_made_anew_when_it_is_old_or_the_conversation_has_grown():
    books = Books()
    calls, context = session(books)
    await calls.keep_ready(0.0)
    await calls.keep_ready(61.0)
    assert books.reserved == 2
    text = {"type": "input_text", "text": "x" * 5_000}
    item = {"type": "message", "role": "user", "content": [text]}
    context.take(read_client_event(json.dumps({"type": "conversation.item.create", "item": item})))
    await calls.keep_ready(62.0)
    assert (books.reserved, books.open) == (3, 1)
    await calls.leave(ClientGoneError(), may_be_charged=True)
    assert (books.open, books.records) == (0, [])


async def test_nothing_is_kept_for_a_session_that_waits_to_be_asked():
    books = Books()
    calls, context = session(books)
    context.set_to(Session(), 0)
    await calls.keep_ready(0.0)
    assert books.reserved == 0


async def test_an_unbounded_response_is_bounded_where_the_operator_wants_that():
    calls, _ = session(Books(cap=99))
    for asked, wanted in (({}, 99), ({"max_output_tokens": 7}, 7)):
        event = create(f"e{wanted}", **asked)
        await calls.ask(event)
        assert json.loads(event.written())["response"]["max_output_tokens"] == wanted


async def test_as_many_as_are_asked_for_are_bounded():
    books = Books()
    calls, _ = session(books)
    for number in range(32):
        await calls.ask(create(str(number)))
    with pytest.raises(HeadgateError) as raised:
        await calls.ask(create("one more"))
    assert raised.value.code == "too_many_responses"
    await calls.leave(ClientGoneError(), may_be_charged=False)
    assert books.open == 0
    assert len(books.records) == 33


STEPS = st.lists(
    st.tuples(
        st.sampled_from(("ask", "ready", "begin", "hear", "end", "fail", "write", "flip")),
        st.integers(0, 4),
    ),
    max_size=40,
)


@settings(deadline=None)
@given(STEPS, st.booleans(), st.booleans())
def test_whatever_happens_nothing_stays_reserved_and_each_response_is_recorded_once(
    steps: list[tuple[str, int]], limited: bool, charged: bool
):
    async def run() -> None:
        books = Books()
        calls, context = session(books, limited=limited)
        context.transcriber = "writer"
        begun: set[str] = set()
        ended: set[str] = set()
        asked = written = now = 0
        for step, number in steps:
            name = f"resp_{number}"
            now += 10
            try:
                match step:
                    case "ask":
                        asked += 1
                        await calls.ask(create(f"e{asked}"))
                    case "ready":
                        await calls.keep_ready(float(now))
                    case "begin" if name not in ended:
                        begun.add(name)
                        await calls.begin(name)
                    case "hear":
                        calls.hear(name, text_tokens=number)
                    case "end":
                        ended |= begun & {name}
                        await calls.end(told(name, usage=None if number % 2 else {}))
                    case "fail":
                        await calls.fail(ErrorTold(event_id=f"e{number}"))
                    case "write":
                        written += 1
                        await calls.write_down(msgspec.Raw(b"{}"))
                    case "flip":
                        books.refuses = not books.refuses
            except BudgetExceededError:
                assert books.refuses
        await calls.leave(ClientGoneError(), may_be_charged=charged)
        assert books.open == 0
        ids = [record.id for record in books.records]
        assert len(set(ids)) == len(ids)
        responses = [r.response_id for r in books.records if r.response_id is not None]
        assert sorted(responses) == sorted(begun)
        assert asked + written <= len(books.records) <= asked + written + len(begun)
        assert all(record.status for record in books.records)

    asyncio.run(run())
