"""An answer that is known already costs nothing: no used-up budget or token limit refuses it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from servers import Reply, RunningServer, StartServer, end_server, start_server
from upstreams import Upstream, completion, reply

_SETTINGS = """
cache: {when: deterministic}
retries: {max_attempts: 1}
prices:
  "*test-*": {input: "0", output: "1000"}
"""
"""A token that is written costs 0.1 cents; the upstream writes three."""


@pytest.fixture(scope="module")
def spent(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server on which a key may spend 0.3 cents, or 400 tokens, or make two calls."""
    server = start_server(
        tmp_path_factory.mktemp("spent") / "server",
        settings=f"""{_SETTINGS}
limits:
  - {{per: key, of: {{feature: tokens}}, tokens_per_minute: 400}}
  - {{per: key, of: {{feature: requests}}, requests_per_minute: 2}}
budgets:
  - {{per: key, of: {{feature: money}}, usd: "0.003", window: total}}
  - {{per: key, of: {{feature: capped}}, max_call_usd: "0.003"}}
""",
        upstream=upstream,
    )
    yield server
    end_server(server)


def ask(
    server: RunningServer, model: str, feature: str, key: str, text: str = "Hello", **more: object
) -> Reply:
    body = {
        "model": model,
        "messages": [{"role": "user", "content": text}],
        "temperature": 0,
        "max_tokens": 3,
    }
    headers = {"x-headgate-feature": feature}
    return server.post("/v1/chat/completions", body | more, key=key, headers=headers)


def test_a_budget_that_is_used_up_does_not_refuse_what_the_cache_has(
    spent: RunningServer, model: str
):
    key = spent.new_key()
    assert ask(spent, model, "money", key).headers["x-headgate-cache"] == "miss"
    refused = ask(spent, model, "money", key, "Something else")
    assert (refused.status, refused.error["code"]) == (429, "budget_exceeded")
    again = ask(spent, model, "money", key)
    assert (again.status, again.headers["x-headgate-cache"]) == (200, "hit")
    assert again.headers["x-headgate-cost-usd"] == "0"
    assert ask(spent, model, "money", key, "Something else").status == 429


def test_a_call_without_money_gets_the_answer_that_another_is_being_given(
    spent: RunningServer, upstream: Upstream, model: str
):
    """The budget holds one call. The others wait for its answer, or for nothing."""
    upstream.answers(model, [0.5, *reply(completion(model))])
    key = spent.new_key()
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: ask(spent, model, "money", key), range(20)))
    assert [answer.status for answer in answers] == [200] * 20
    assert len(upstream.requests(model)) == 1
    spent_nanousd = sum(record["cost_nanousd"] for record in spent.records(model_requested=model))
    assert spent_nanousd <= 3_000_000


def test_calls_without_money_do_not_take_over_from_one_that_fails(
    spent: RunningServer, upstream: Upstream, model: str
):
    key, poor = spent.new_key(), spent.new_key()
    ask(spent, model, "money", poor, "To be poor")
    failure = {"error": {"message": "no", "type": "t", "param": None, "code": "c"}}
    upstream.answers(model, [0.5, *reply(failure, status=503)])
    asked = len(upstream.requests(model))
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(ask, spent, model, "money", key)
        upstream.wait_for(model, asked + 1)
        second = pool.submit(ask, spent, model, "money", poor)
        assert (first.result().status, second.result().status) == (503, 429)
    assert len(upstream.requests(model)) == asked + 1


def test_a_limit_on_tokens_does_not_refuse_what_the_cache_has(spent: RunningServer, model: str):
    key = spent.new_key()
    assert ask(spent, model, "tokens", key).status == 200
    assert ask(spent, model, "tokens", key, max_tokens=390).status == 429
    began_s = time.monotonic()
    assert ask(spent, model, "tokens", key).headers["x-headgate-cache"] == "hit"
    assert time.monotonic() - began_s < 2


def test_a_limit_on_requests_counts_hits_too(spent: RunningServer, model: str):
    key = spent.new_key()
    answers = [ask(spent, model, "requests", key) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert [a.headers["x-ratelimit-remaining-requests"] for a in answers] == ["1", "0", "0"]


def test_the_most_that_a_call_may_cost_does_not_refuse_what_the_cache_has(
    spent: RunningServer, model: str
):
    key, body = spent.new_key(), {"max_tokens": 4}
    assert ask(spent, model, "capped", key, **body).status == 400
    assert ask(spent, model, "free", key, **body).status == 200
    assert ask(spent, model, "capped", key, **body).headers["x-headgate-cache"] == "hit"


def test_answers_of_another_process_are_found_too(
    server_with: StartServer, upstream: Upstream, model: str
):
    server = server_with(
        settings=_SETTINGS.replace("deterministic}", "deterministic, store: database}")
        + 'budgets: [{per: project, usd: "0.003", window: total}]\n',
        upstream=upstream,
        workers=2,
    )
    key = server.new_key()
    assert ask(server, model, "all", key).status == 200
    # What is kept reaches the other process a moment later.
    time.sleep(0.5)
    answers = [ask(server, model, "all", key) for _ in range(12)]
    assert {answer.status for answer in answers} == {200}
    assert {answer.headers["x-headgate-cache"] for answer in answers} == {"hit"}
