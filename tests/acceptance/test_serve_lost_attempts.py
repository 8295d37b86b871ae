"""What may be charged though nobody used it is in the ledger, and in the budgets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from servers import PROVIDER_KEY, RunningServer, end_server, start_server, until
from upstreams import CUT, DONE, Upstream, chat_usage, chat_words, completion, error, reply, stream

_ATTEMPT_S = 0.3
_SPENT = 3_000_000
"""A token that is written costs 0.1 cents; the upstream writes three."""


@pytest.fixture(scope="module")
def server(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    provider = f"""
    base_url: "{upstream.base_url}"
    api_key: {PROVIDER_KEY}
    timeouts: {{attempt_s: {_ATTEMPT_S}, first_byte_s: {_ATTEMPT_S}, total_s: 5}}"""
    started = start_server(
        tmp_path_factory.mktemp("lost") / "server",
        settings=f"""
providers:
  here: {provider}
  there: {provider}
    models: [none]
prices:
  "*test-*": {{input: "0", output: "1000"}}
  lost-hedge-1: {{input: "0", output: "2000"}}
  lost-hedge-2: {{input: "0", output: "1000"}}
  lost-stream-1: {{input: "10", output: "1000"}}
  lost-stream-2: {{input: "0", output: "1000"}}
routes:
  lost-hedge:
    hedge: {{after_s: 0.1}}
    targets:
      - {{provider: here, model: lost-hedge-1}}
      - {{provider: there, model: lost-hedge-2}}
  lost-stream:
    targets:
      - {{provider: here, model: lost-stream-1}}
      - {{provider: there, model: lost-stream-2}}
budgets:
  - {{per: key, of: {{feature: tight}}, usd: "0.01", window: total}}
  - {{per: key, of: {{feature: pot}}, usd: "0.06", window: total}}
  - {{per: key, of: {{feature: capped}}, max_call_usd: "0.015"}}
retries: {{max_attempts: 2, base_delay_s: 0}}
breaker: {{enabled: false}}
""",
    )
    yield started
    end_server(started)


def test_an_attempt_that_was_given_up_costs_as_much_as_the_answer(
    server: RunningServer, upstream: Upstream, model: str
):
    upstream.answers(model, [20.0], reply(completion(model)))
    answer = server.chat(model)
    assert answer.status == 200
    assert answer.headers["x-headgate-cost-usd"] == "0.006"
    assert answer.json()["usage"]["completion_tokens"] == 3, "the client sees its answer's own"
    call = server.call(answer)
    assert (call["cost_nanousd"], call["tokens_estimated"]) == (2 * _SPENT, True)
    assert (call["input_tokens"], call["output_tokens"]) == (18, 6)
    lost, used = call["trail"]
    assert (lost["input_tokens"], lost["output_tokens"], lost["cost_nanousd"]) == (9, 3, _SPENT)
    assert (used["output_tokens"], used["cost_nanousd"]) == (None, None)


def test_a_reply_that_broke_off_before_the_answer_is_counted(
    server: RunningServer, upstream: Upstream, model: str
):
    whole = reply(completion(model))[0]
    assert isinstance(whole, bytes)
    upstream.answers(model, [whole[:-20], CUT], reply(completion(model)))
    call = server.call(server.chat(model))
    assert [one["error"] for one in call["trail"]] == ["upstream_cut", None]
    assert call["cost_nanousd"] == 2 * _SPENT


def test_an_answer_that_cannot_be_read_is_counted(
    server: RunningServer, upstream: Upstream, model: str
):
    garbled = reply(b'{"choices": [{')
    upstream.answers(model, garbled, reply(completion(model)))
    call = server.call(server.chat(model))
    assert [one["error"] for one in call["trail"]] == ["upstream_malformed_reply", None]
    assert (call["cost_nanousd"], call["tokens_estimated"]) == (2 * _SPENT, True)
    upstream.answers(model, garbled)
    call = server.call(server.chat(model))
    assert (call["status"], call["error"]) == (502, "upstream_malformed_reply")
    assert call["tokens_estimated"]
    assert call["input_tokens"] > 0


def test_what_a_provider_refuses_is_free(server: RunningServer, upstream: Upstream, model: str):
    upstream.answers(model, error(500, "broken"), reply(completion(model)))
    call = server.call(server.chat(model))
    assert (call["cost_nanousd"], call["tokens_estimated"]) == (_SPENT, False)
    assert [one["cost_nanousd"] for one in call["trail"]] == [None, None]


def test_the_one_that_lost_a_race_is_priced_as_its_own_target(
    server: RunningServer, upstream: Upstream
):
    upstream.answers("lost-hedge-1", [20.0])
    call = server.call(server.chat("lost-hedge", headers={"x-headgate-hedge": "safe"}))
    assert [one["error"] for one in call["trail"]] == ["hedge_lost", None]
    assert call["trail"][0]["cost_nanousd"] == 2 * _SPENT
    assert call["cost_nanousd"] == 3 * _SPENT


def test_a_hedge_is_made_where_a_budget_bears_both(server: RunningServer, upstream: Upstream):
    """The first call of a quiet server, which has leased no more than that one needs."""
    upstream.answers("lost-hedge-1", [20.0])
    headers = {"x-headgate-hedge": "safe", "x-headgate-feature": "pot"}
    answer = server.chat("lost-hedge", key=server.new_key(), headers=headers, max_tokens=5)
    assert [one["reason"] for one in server.call(answer)["trail"]] == ["first", "hedge"]


def test_no_hedge_is_made_where_a_budget_bears_one_only(server: RunningServer, upstream: Upstream):
    late = reply(completion("lost-hedge-1"))
    upstream.answers("lost-hedge-1", [2 * _ATTEMPT_S, *late])
    headers = {"x-headgate-hedge": "safe", "x-headgate-feature": "tight"}
    answer = server.chat("lost-hedge", key=server.new_key(), headers=headers, max_tokens=4)
    assert answer.headers["x-headgate-target"] == "here/lost-hedge-1"
    assert server.call(answer)["trail"] == []


def test_a_stream_that_broke_before_the_answer_moved_on_costs_its_input(
    server: RunningServer, upstream: Upstream
):
    upstream.answers("lost-stream-1", stream(chat_words("m")[0], CUT))
    upstream.answers("lost-stream-2", stream(*chat_words("m", "a"), chat_usage("m"), DONE))
    answer = server.chat("lost-stream", stream=True)
    assert answer.body.endswith(DONE)
    call = server.call(answer)
    lost = [one for one in call["trail"] if one["error"] is not None]
    assert lost
    assert {one["output_tokens"] for one in lost} == {0}
    assert {one["cost_nanousd"] for one in lost} == {9 * 10_000}
    assert call["cost_nanousd"] == _SPENT + len(lost) * 9 * 10_000


def test_a_call_that_ran_out_of_time_costs_each_attempt(
    server: RunningServer, upstream: Upstream, model: str
):
    upstream.answers(model, [20.0])
    answer = server.chat(model, headers={"x-stainless-read-timeout": "1"})
    assert answer.status == 504
    call = server.call(answer)
    assert call["tokens_estimated"]
    assert call["input_tokens"] == sum(one["input_tokens"] for one in call["trail"]) > 0
    assert len(call["trail"]) == 2


def test_a_budget_pays_for_what_was_lost(server: RunningServer, upstream: Upstream, model: str):
    key, headers = server.new_key(), {"x-headgate-feature": "tight"}
    upstream.answers(model, [20.0], reply(completion(model)))
    assert server.chat(model, key=key, headers=headers, max_tokens=3).status == 200
    refused = server.chat(model, key=key, headers=headers, max_tokens=5)
    assert refused.status == 429
    assert json.loads(refused.body)["error"]["code"] == "budget_exceeded"
    assert server.chat(model, key=key, headers=headers, max_tokens=4).status == 200


@pytest.mark.parametrize(("feature", "most"), [("tight", 6), ("capped", 8)])
def test_what_a_budget_can_not_bear_twice_is_not_tried_twice(
    server: RunningServer, upstream: Upstream, model: str, feature: str, most: int
):
    whole = reply(completion(model))[0]
    assert isinstance(whole, bytes)
    headers = {"x-headgate-feature": feature}
    # One that is late is waited for; one that broke off is the client's to see.
    upstream.answers(model, [3 * _ATTEMPT_S, *reply(completion(model))], [whole[:-20], CUT])
    late = server.chat(model, key=server.new_key(), headers=headers, max_tokens=most)
    assert (late.status, late.headers["x-headgate-attempts"]) == (200, "1")
    broken = server.chat(model, key=server.new_key(), headers=headers, max_tokens=most)
    assert (broken.status, broken.error["code"]) == (502, "upstream_cut")
    assert broken.headers["x-headgate-attempts"] == "1"


def test_no_budget_is_exceeded_however_many_attempts_are_lost(
    server: RunningServer, upstream: Upstream, model: str
):
    key, headers = server.new_key(), {"x-headgate-feature": "pot"}
    answered = reply(completion(model))
    upstream.answers(model, *[[20.0], answered] * 12, answered)
    with ThreadPoolExecutor(6) as threads:
        answers = list(
            threads.map(
                lambda _: server.chat(model, key=key, headers=headers, max_tokens=3).status,
                range(40),
            )
        )
    # 504: the budget bore no second attempt, or that one hung too.
    assert {200, 429} <= set(answers) <= {200, 429, 504}
    assert until(lambda: len(server.records(model_requested=model)) == 40, 5.0)
    made = [record for record in server.records(model_requested=model) if record["attempts"]]
    spent = sum(record["cost_nanousd"] for record in made)
    assert 0.5 * 60_000_000 <= spent <= 60_000_000
    assert any(record["cost_nanousd"] == 2 * _SPENT for record in made)
