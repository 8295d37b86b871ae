"""Whatever targets do, a call ends, its story is kept, and nobody is asked more than allowed."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.config.failures import BreakerSettings, RetryBudgetSettings, RetrySettings
from headgate.config.provider_keys import ProviderKeySettings
from headgate.config.routes import (
    HedgeSettings,
    LargerContextSettings,
    RouteSettings,
    TargetSettings,
)
from headgate.config.settings import ProviderSettings, TimeoutSettings
from headgate.errors import HeadgateError
from headgate.gateway.attempts.dispatch import Dispatcher
from headgate.gateway.call import Call
from headgate.gateway.caller import Caller
from headgate.gateway.deadline import Patience
from headgate.gateway.endpoints import ENDPOINTS
from headgate.gateway.provider import Provider
from headgate.gateway.request import read_request
from headgate.gateway.retries.policy import RetryPolicy
from headgate.gateway.routing import Routing
from headgate.gateway.upstream import Timeouts, UpstreamError
from headgate.gateway.upstream.timeouts import SWEEP_INTERVAL_S
from headgate.ledger.prices import PriceList
from headgate.telemetry.metrics import Metrics
from headgate.telemetry.traces.propagation import Propagator
from headgate.telemetry.traces.sampler import Sampler

CALLER = Caller("key_1", "default", "app")
OUTCOMES = (
    "200", "200", "400", "401", "403", "404", "429", "429+30", "500", "503",
    "429:insufficient_quota",
    "400:context_length_exceeded", "cut", "connect", "first_byte_timeout", "pool_timeout", "junk",
    "hang", "hang",
)  # fmt: skip


class Reply:
    """A reply as the upstream client gives it."""

    def __init__(self, status: int, body: bytes, retry_after: bytes | None = None) -> None:
        self.status = status
        self._retry_after = retry_after
        self.headers: list[tuple[bytes, bytes]] = []
        self._body = body

    def header(self, name: bytes) -> bytes | None:
        return self._retry_after if name == b"retry-after" else None

    async def read(self, _limit: int) -> bytes:
        return self._body

    def abort(self) -> None:
        pass


class Script:
    """What providers answer, one after the other, and what they were asked."""

    def __init__(self, outcomes: list[str]) -> None:
        self.outcomes = outcomes
        self.asked: list[str] = []
        self.pause_s = 0.0
        self.gate: asyncio.Event | None = None

    def of(self, provider: str):
        async def send(_origin: Any, _method: Any, _target: Any, _headers: Any, *more: Any):
            self.asked.append(provider)
            await asyncio.sleep(self.pause_s)
            if self.gate is not None:
                await self.gate.wait()
            if self.outcomes and self.outcomes[0] == "hang":
                self.outcomes.pop(0)
                hang(more[-1])
            return self._next()

        return send

    def _next(self) -> Reply:
        outcome = self.outcomes.pop(0) if self.outcomes else "200"
        outcome, _, pause = outcome.partition("+")
        status, _, code = outcome.partition(":")
        if outcome == "junk":
            return Reply(200, b"<html>")
        if not status.isdigit():
            raise UpstreamError(outcome, outcome)  # type: ignore[arg-type]
        if status == "200":
            return Reply(200, b'{"model":"m","usage":{"prompt_tokens":1,"completion_tokens":1}}')
        error = {"message": "no", "type": "x", "param": None, "code": code or f"c{status}"}
        return Reply(int(status), json.dumps({"error": error}).encode(), pause.encode() or None)


def hang(timeouts: Timeouts) -> None:
    """Let nothing come until the attempt is given up, or for as long as it may take."""
    now_s = began_s = time.monotonic()
    if timeouts.look is not None:
        now_s += timeouts.look_after_s
        while now_s < began_s + timeouts.first_byte_s:
            wait_s = timeouts.look(now_s)
            if wait_s <= 0:
                raise UpstreamError("attempt_timeout", "given up")
            now_s += max(wait_s, SWEEP_INTERVAL_S)
    raise UpstreamError("first_byte_timeout", "waited in vain")


def gateway(
    script: Script,
    *,
    retries: RetrySettings,
    breaker: BreakerSettings,
    pooled: bool,
    hedge_after_s: float = 10,
    attempt_s: float | None = 1.0,
):
    keys = (
        tuple(ProviderKeySettings(name=name, api_key=f"sk-{name}") for name in ("a", "b"))
        if pooled
        else ()
    )
    providers = {
        name: Provider(
            name,
            ProviderSettings(
                base_url="http://127.0.0.1:9/v1",
                api_key="sk",
                keys=keys,
                timeouts=TimeoutSettings(attempt_s=attempt_s),
            ),
            retry_budget=retries.budget,
        )
        for name in ("one", "two")
    }
    for name, provider in providers.items():
        provider.upstream.send = script.of(name)  # type: ignore[method-assign]
    route = RouteSettings(
        targets=tuple(
            TargetSettings(provider=provider, model=model)
            for provider, model in (("one", "m1"), ("one", "m2"), ("two", "m3"))
        ),
        larger_context=LargerContextSettings(provider="two", model="long"),
        hedge=HedgeSettings(after_s=hedge_after_s),
    )
    routing = Routing(providers, {"route": route}, breaker, PriceList({}))
    metrics = Metrics(max_label_values=10).targets
    return routing, Dispatcher(routing, RetryPolicy(retries), metrics)


async def ask(routing: Routing, dispatcher: Dispatcher, *, hedged: bool = False) -> Call:
    call = Call(CALLER, "chat/completions", trace_id="0" * 32)
    call.hedge_safe = hedged
    call.patience = Patience(begin_s=60)
    request = read_request(ENDPOINTS["chat/completions"], b'{"model":"route","messages":[]}')
    call.route = routing.route("route")
    try:
        answer = await dispatcher.dispatch(call, request, call.route.targets)
        call.record.status = answer.reply.status
    except HeadgateError as error:
        call.record.status = error.status
    return call


async def test_one_attempt_that_went_well_is_noted_where_calls_are_traced():
    routing, quiet = gateway(
        Script([]), retries=RetrySettings(), breaker=BreakerSettings(), pooled=False
    )
    traced = Dispatcher(
        routing,
        RetryPolicy(RetrySettings()),
        quiet._metrics,
        propagator=Propagator(Sampler(1.0), []),
    )
    assert (await ask(routing, quiet)).record.lone_attempt is None
    record = (await ask(routing, traced)).record
    assert record.trail == ()
    assert record.lone_attempt is not None
    assert (record.lone_attempt.model, record.lone_attempt.reason) == ("m1", "first")


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(OUTCOMES), max_size=60),
    st.integers(1, 12),
    st.booleans(),
    st.booleans(),
    st.sampled_from([0.0, 0.3, 1000.0]),
)
def test_every_call_ends_and_leaves_its_whole_story(outcomes, calls, pooled, hedged, floor) -> None:
    budget = RetryBudgetSettings(share=0.1, success_share=0, floor_per_s=floor, window_s=10)
    retries = RetrySettings(max_attempts=3, base_delay_s=0, budget=budget)
    breaker = BreakerSettings(min_calls=3, open_s=1000, max_open_s=1000)
    script = Script(list(outcomes))
    routing, dispatcher = gateway(script, retries=retries, breaker=breaker, pooled=pooled)

    async def main() -> list[Call]:
        return [await ask(routing, dispatcher, hedged=hedged) for _ in range(calls)]

    made = asyncio.run(main())
    assert sum(call.record.attempts for call in made) == len(script.asked)
    refused_keys = never_sent = 0
    for call in made:
        record = call.record
        trail = record.trail
        if record.attempts == 1 and record.status == 200:
            assert trail == ()
            continue
        assert [one.number for one in trail] == list(range(1, record.attempts + 1))
        assert [one.error_class for one in trail].count(None) == (record.status == 200)
        if trail:
            # What is given up for another attempt is followed by one.
            assert trail[-1].error_class != "upstream_attempt_timeout"
            assert trail[-1].status == 200 or trail[-1].error_class
            assert trail[0].reason in ("first", "next_target")
            assert "first" not in [one.reason for one in trail[1:]]
        # At most every target with every try, each key once more, and the long one.
        assert record.attempts <= 4 * (retries.max_attempts + 3)
        refused_keys += sum(one.reason in ("next_key", "larger_context") for one in trail)
        never_sent += sum(one.error_class == "upstream_pool_timeout" for one in trail)
    firsts = sum(
        len({one.provider for one in call.record.trail} or {call.record.provider}) for call in made
    )
    if floor < 1000:
        # The floor of 3 at most of each provider, what time adds meanwhile, a tenth of the calls.
        further = len(script.asked) - firsts - refused_keys - never_sent
        assert further <= 2 * floor * 10 + 0.1 * firsts + 2


@pytest.mark.parametrize("pooled", [False, True])
async def test_a_target_that_is_left_alone_is_not_asked(pooled: bool) -> None:
    retries = RetrySettings(max_attempts=1, base_delay_s=0)
    breaker = BreakerSettings(min_calls=2, open_s=1000, max_open_s=1000)
    script = Script(["500"] * 100)
    routing, dispatcher = gateway(script, retries=retries, breaker=breaker, pooled=pooled)
    calls = [await ask(routing, dispatcher) for _ in range(4)]
    assert [call.record.attempts for call in calls] == [3, 3, 0, 0]
    assert calls[-1].record.status == 503


async def test_a_target_that_says_when_to_come_back_is_left_out_until_then() -> None:
    script = Script(["429+0.2", "200", "200", "200"])
    retries = RetrySettings(base_delay_s=0, max_delay_s=0)
    routing, dispatcher = gateway(script, retries=retries, breaker=BreakerSettings(), pooled=False)

    async def answered_by() -> str:
        call = await ask(routing, dispatcher)
        assert call.record.status == 200
        return call.target.model if call.target else ""

    assert await answered_by() == "m2", "another model of the provider has its own limit"
    assert await answered_by() == "m2"
    assert len(script.asked) == 3, "the second call did not ask the first target again"
    deadline_s = time.monotonic() + 5
    while await answered_by() != "m1":
        assert time.monotonic() < deadline_s
        await asyncio.sleep(0.05)


async def test_the_last_target_is_asked_whatever_it_said() -> None:
    script = Script(["429+30"] * 3 + ["200"])
    retries = RetrySettings(base_delay_s=0, max_delay_s=0)
    routing, dispatcher = gateway(script, retries=retries, breaker=BreakerSettings(), pooled=False)
    assert (await ask(routing, dispatcher)).record.status == 429
    call = await ask(routing, dispatcher)
    assert (call.record.status, call.record.attempts) == (200, 1)
    assert call.target is not None
    assert call.target.model == "m3"


async def test_a_retry_that_waited_as_it_was_told_is_made() -> None:
    script = Script(["429+0.05", "200"])
    retries = RetrySettings(base_delay_s=0, max_delay_s=1)
    routing, dispatcher = gateway(script, retries=retries, breaker=BreakerSettings(), pooled=False)
    call = await ask(routing, dispatcher)
    assert [(one.reason, one.model) for one in call.record.trail] == [
        ("first", "m1"),
        ("retry", "m1"),
    ]


async def test_a_request_that_is_too_long_is_taken_to_the_larger_model_once() -> None:
    script = Script(["400:context_length_exceeded"] * 5)
    routing, dispatcher = gateway(
        script,
        retries=RetrySettings(base_delay_s=0),
        breaker=BreakerSettings(),
        pooled=False,
    )
    call = await ask(routing, dispatcher)
    assert [(one.reason, one.model) for one in call.record.trail] == [
        ("first", "m1"),
        ("larger_context", "long"),
    ]


async def test_rate_limits_of_every_key_end_the_call() -> None:
    script = Script(["429"] * 1000)
    routing, dispatcher = gateway(
        script,
        retries=RetrySettings(max_attempts=3, base_delay_s=0),
        breaker=BreakerSettings(),
        pooled=True,
    )
    call = await ask(routing, dispatcher)
    assert call.record.status == 429
    assert call.record.attempts <= 3 * 4


@pytest.mark.parametrize(("floor", "asked"), [(1000, ["one", "one"]), (0, ["one"])])
async def test_a_hedge_is_paid_from_the_retry_budget(floor: float, asked: list[str]) -> None:
    script = Script([])
    script.pause_s = 0.2
    budget = RetryBudgetSettings(share=0, floor_per_s=floor)
    routing, dispatcher = gateway(
        script,
        retries=RetrySettings(budget=budget),
        breaker=BreakerSettings(),
        pooled=False,
        hedge_after_s=0.05,
    )
    call = await ask(routing, dispatcher, hedged=True)
    assert call.record.status == 200
    assert script.asked == asked


async def test_what_takes_far_longer_than_usual_is_given_up_for_another() -> None:
    script = Script([])
    routing, dispatcher = gateway(
        script,
        retries=RetrySettings(base_delay_s=0),
        breaker=BreakerSettings(),
        pooled=False,
        attempt_s=None,
    )
    for _ in range(128):
        await ask(routing, dispatcher)
    script.outcomes = ["hang"]
    call = await ask(routing, dispatcher)
    assert [one.error_class for one in call.record.trail] == ["upstream_attempt_timeout", None]
    assert [one.reason for one in call.record.trail] == ["first", "next_target"]


@pytest.mark.parametrize(
    "settings_",
    [RetrySettings(base_delay_s=0), RetrySettings(base_delay_s=0, give_up_unusual=False)],
)
async def test_nothing_is_given_up_before_it_is_known_what_is_usual(
    settings_: RetrySettings,
) -> None:
    script = Script([])
    routing, dispatcher = gateway(
        script, retries=settings_, breaker=BreakerSettings(), pooled=False, attempt_s=None
    )
    for _ in range(20 if settings_.give_up_unusual else 200):
        await ask(routing, dispatcher)
    script.outcomes = ["hang"]
    call = await ask(routing, dispatcher)
    assert call.record.trail[0].error_class == "upstream_first_byte_timeout"


async def test_of_two_answers_that_come_at_once_one_is_lost() -> None:
    script = Script([])
    script.gate = asyncio.Event()
    routing, dispatcher = gateway(
        script,
        retries=RetrySettings(),
        breaker=BreakerSettings(),
        pooled=False,
        hedge_after_s=0.01,
    )
    asking = asyncio.create_task(ask(routing, dispatcher, hedged=True))
    while len(script.asked) < 2:
        await asyncio.sleep(0.005)
    script.gate.set()
    call = await asking
    assert call.record.status == 200
    assert [one.error_class for one in call.record.trail] == [None, "hedge_lost"]
    assert [one.number for one in call.lost] == [2]
