"""The cache as the gateway uses it: what is kept under which circumstances, and what is not."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from headgate.config.caching import CacheSettings, RouteCacheSettings
from headgate.config.failures import BreakerSettings, RetryBudgetSettings
from headgate.config.settings import ProviderSettings
from headgate.gateway.cache.ask import Ask
from headgate.gateway.cache.asker import Asker
from headgate.gateway.cache.cache import AnswerCache
from headgate.gateway.cache.clearing import Clearing
from headgate.gateway.cache.found import Found
from headgate.gateway.cache.keeper import Keeper
from headgate.gateway.cache.policy import CachePolicy
from headgate.gateway.call import Call
from headgate.gateway.caller import Caller
from headgate.gateway.endpoints import ENDPOINTS, Usage
from headgate.gateway.health.health import TargetHealth
from headgate.gateway.provider import Provider
from headgate.gateway.request import read_request
from headgate.gateway.target import Target
from headgate.storage.threads import StorageThreads

USAGE = Usage(model="m", input_tokens=6, output_tokens=2)
CHAT = {"model": "m", "temperature": 0, "messages": []}
COMPLETE = json.dumps(
    {"choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}]}
).encode()


class Clock:
    def __init__(self) -> None:
        self.now_us = 1_795_000_000_000_000

    def __call__(self) -> int:
        return self.now_us


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cache(clock: Clock) -> AnswerCache:
    settings = CacheSettings(when="deterministic", ttl_s=10, max_entry_bytes=4096)
    routes = {"lasting": RouteCacheSettings(stale_if_error_s=60, tags=("faq",))}
    keeper = Keeper(None, None, None, StorageThreads("test"))  # type: ignore[arg-type] # not started
    asker = Asker(CachePolicy(settings, routes, {}))
    return AnswerCache(settings, asker, keeper, clock=clock)


def target(model: str = "m", *, simulated: bool = False, url: str = "http://a.test/v1") -> Target:
    provider = Provider(
        "p",
        ProviderSettings(base_url=url),
        simulated=simulated,
        retry_budget=RetryBudgetSettings(),
    )
    return Target(provider, model, None, TargetHealth(model, BreakerSettings()))


class Asking:
    """One call that asks."""

    def __init__(
        self,
        cache: AnswerCache,
        body: dict[str, Any] = CHAT,
        *targets: Target,
        endpoint: str = "chat/completions",
        route: str | None = None,
        project: str = "support",
    ) -> None:
        self.cache = cache
        self.request = read_request(ENDPOINTS[endpoint], json.dumps(body).encode())
        self.call = Call(Caller("key", project, "app"), endpoint, trace_id="0")
        self.call.record.route = route
        self.targets = targets or (target(),)

    async def recall(self) -> Found | None:
        ask = self.cache.asked(self.call, self.request, self.targets)
        assert ask is not None
        self.call.ask = ask
        return await self.cache.recall(self.call, ask)

    @property
    def ask(self) -> Ask:
        assert self.call.ask is not None
        return self.call.ask

    def answered(self, body: bytes = COMPLETE, usage: Usage = USAGE, cost: int = 600) -> Any:
        self.call.target = self.targets[0]
        self.call.record.status, self.call.record.cost_nanousd = 200, cost
        kept = self.cache.keep_whole(self.call, self.ask, usage, body)
        self.cache.leave(self.call, self.ask)
        return kept


async def test_an_answer_is_good_for_its_time(cache: AnswerCache, clock: Clock):
    first = Asking(cache)
    assert await first.recall() is None
    assert first.answered() == COMPLETE
    clock.now_us += 9_999_999
    found = await Asking(cache).recall()
    assert found is not None
    assert (found.entry.body, found.entry.cost_nanousd) == (COMPLETE, 600)
    clock.now_us += 1
    assert await Asking(cache).recall() is None


async def test_an_answer_that_was_on_its_way_when_the_cache_was_cleared_is_dropped(
    cache: AnswerCache, clock: Clock
):
    before = Asking(cache)
    assert await before.recall() is None
    clock.now_us += 5
    cache.carry_out(Clearing(at_us=clock.now_us))
    clock.now_us += 5
    before.answered()
    after = Asking(cache)
    assert await after.recall() is None
    after.answered()
    assert await Asking(cache).recall() is not None


async def test_the_simulators_answers_are_never_given_for_real(cache: AnswerCache):
    tried = Asking(cache, CHAT, target(simulated=True))
    await tried.recall()
    tried.answered()
    assert await Asking(cache, CHAT, target()).recall() is None
    assert await Asking(cache, CHAT, target(simulated=True, url="http://b.test")).recall()


async def test_another_address_is_another_answer(cache: AnswerCache):
    one = Asking(cache, CHAT, target(url="http://a.test/v1"))
    await one.recall()
    one.answered()
    assert await Asking(cache, CHAT, target(url="http://b.test/v1")).recall() is None


async def test_the_order_of_a_routes_targets_makes_no_difference(cache: AnswerCache):
    here, there = target("a"), target("b")
    one = Asking(cache, CHAT, here, there)
    await one.recall()
    one.answered()
    assert await Asking(cache, CHAT, there, here).recall() is not None


async def test_an_answer_that_is_too_large_is_for_those_who_wait_only(cache: AnswerCache):
    large = COMPLETE.replace(b"Hi", b"x" * 5000)
    leader, follower = Asking(cache), Asking(cache)
    assert await leader.recall() is None
    waiting = asyncio.create_task(follower.recall())
    await asyncio.sleep(0)
    leader.answered(large)
    found = await waiting
    assert found is not None
    assert found.entry.body == large
    assert await Asking(cache).recall() is None


async def test_an_older_answer_is_found_only_where_the_route_allows_it(
    cache: AnswerCache, clock: Clock
):
    for route, usable in (("lasting", True), (None, False)):
        first = Asking(cache, route=route)
        await first.recall()
        first.answered()
        clock.now_us += 15_000_000
        late = Asking(cache, route=route)
        assert await late.recall() is None
        found = await cache.stale(late.ask)
        assert (found is not None) is usable
        if found is not None:
            assert (found.state, found.entry.tags) == ("stale", ("faq",))
        cache.leave(late.call, late.ask)
        cache.carry_out(Clearing(at_us=clock.now_us))
        assert await cache.stale(late.ask) is None


async def test_an_answer_that_was_disowned_is_forgotten(cache: AnswerCache):
    one = Asking(cache)
    await one.recall()
    one.answered()
    cache.forget(one.ask)
    assert await Asking(cache).recall() is None


def embeddings(*texts: str) -> dict[str, Any]:
    return {"model": "e", "input": list(texts)}


def vectors(*numbers: float) -> bytes:
    data = [{"index": i, "embedding": [n]} for i, n in enumerate(numbers)]
    return json.dumps({"data": data, "model": "e"}).encode()


def batch(cache: AnswerCache, *texts: str, targets: tuple[Target, ...] = ()) -> Asking:
    return Asking(cache, embeddings(*texts), *targets, endpoint="embeddings")


async def test_a_batch_is_narrowed_to_what_is_new(cache: AnswerCache):
    first = batch(cache, "a", "b")
    await first.recall()
    assert first.ask.narrowed(first.request) is first.request
    first.answered(vectors(1, 2), Usage(model="e", input_tokens=2), cost=20)
    second = batch(cache, "b", "c", "c")
    assert await second.recall() is None
    narrowed = second.ask.narrowed(second.request)
    assert bytes(narrowed.fields["input"]) == b'["c"]'
    assert bytes(second.request.fields["input"]) == b'["b", "c", "c"]'
    body = json.loads(second.answered(vectors(3), Usage(model="e", input_tokens=1), cost=10))
    assert [item["embedding"] for item in body["data"]] == [[2], [3], [3]]
    assert body["usage"] == {"prompt_tokens": 3, "total_tokens": 3}
    record = second.call.record
    assert (record.cost_nanousd, record.saved_nanousd, record.input_tokens) == (10, 20, 3)


async def test_a_part_that_is_answered_with_something_else_is_refused(cache: AnswerCache):
    first = batch(cache, "a")
    await first.recall()
    first.answered(vectors(1))
    second = batch(cache, "a", "b")
    await second.recall()
    assert second.answered(vectors(1, 2)) is None
    assert await batch(cache, "b").recall() is None


async def test_a_whole_that_is_answered_with_something_else_is_handed_on(cache: AnswerCache):
    first = batch(cache, "a", "b")
    await first.recall()
    assert first.answered(vectors(1)) == vectors(1)
    assert await batch(cache, "a").recall() is None


async def test_vectors_of_two_models_never_meet_in_one_answer(cache: AnswerCache):
    mixed = (target("e1"), target("e2"))
    first = batch(cache, "a", "b", targets=mixed)
    await first.recall()
    first.answered(vectors(1, 2))
    assert await batch(cache, "a", "b", targets=mixed).recall() is not None
    assert await batch(cache, "a", targets=mixed).recall() is None


async def test_an_answer_that_comes_between_two_looks_is_found_at_the_second(cache: AnswerCache):
    first, second = Asking(cache), Asking(cache)
    assert await first.recall() is None
    ask = cache.asked(second.call, second.request, second.targets)
    assert ask is not None
    assert cache.at_hand(ask) is None
    first.answered()
    found = await cache.recall(second.call, ask)
    assert found is not None
    assert found.entry.body == COMPLETE


async def test_what_was_not_at_hand_and_did_not_come_is_asked_of_a_model(cache: AnswerCache):
    asking = Asking(cache)
    ask = cache.asked(asking.call, asking.request, asking.targets)
    assert ask is not None
    assert cache.at_hand(ask) is None
    assert await cache.recall(asking.call, ask) is None
    assert ask.leads
