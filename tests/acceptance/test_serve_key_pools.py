"""Several keys of one provider: the refused one leaves, another answers, and it comes back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from servers import PROVIDER_KEY, RunningServer, StartServer, until
from upstreams import Upstream, completion, error, reply, response_object, upstream_running

KEYS = {"first": f"{PROVIDER_KEY}-1", "second": f"{PROVIDER_KEY}-2"}
REFUSALS = {"invalid_api_key": 401, "insufficient_quota": 429, "forbidden": 403}
POOLS = (*REFUSALS, "all_refused", "requests", "tokens", "one_limited", "continued")
"""A provider for each test, serving the model of its name: what happens to its keys stays there."""


@pytest.fixture(scope="module")
def own_upstream() -> Iterator[Upstream]:
    with upstream_running() as running:
        running.answers("/v1/hook", reply({}))
        yield running


@pytest.fixture(scope="module")
def server(shared_with: StartServer, own_upstream: Upstream) -> RunningServer:
    address = own_upstream.base_url.removesuffix("/v1")
    pools = "".join(
        f"""
  {name}:
    base_url: "{address}/{name}/v1"
    models: [{name}]
    keys:
      - {{name: first, api_key: {KEYS["first"]}, project: proj_1}}
      - {{name: second, api_key: {KEYS["second"]}}}
    key_probe_s: 0.5"""
        for name in POOLS
    )
    hook = f'{{url: "{own_upstream.base_url}/hook", secret: 0123456789abcdef}}'
    return shared_with(
        settings=f"providers:{pools}\nalerts: {{webhooks: {{ops: {hook}}}}}\n",
    )


def key_of(received) -> str:
    sent = received.header("authorization").removeprefix("Bearer ")
    return next(name for name, secret in KEYS.items() if secret == sent)


def keys_asked(upstream: Upstream, model: str) -> list[str]:
    return [key_of(request) for request in upstream.requests(model)]


def told_of(upstream: Upstream, pool: str) -> list[dict[str, Any]]:
    """What the operator's address was told of the keys of `pool`."""
    told = [request.json() for request in upstream.requests("/v1/hook")]
    return [one for one in told if one["provider"] == pool]


@pytest.mark.parametrize("failure", REFUSALS)
def test_a_refused_key_leaves_and_comes_back(
    server: RunningServer, own_upstream: Upstream, failure: str
):
    pool, status, models = failure, REFUSALS[failure], f"/{failure}/v1/models"
    own_upstream.answers(models, error(500, "not_yet"))
    own_upstream.answers(pool, error(status, failure), reply(completion(pool)))
    answer = server.chat(pool)
    assert answer.status == 200
    assert answer.headers["x-headgate-attempts"] == "2"
    call = server.call(answer)
    assert call["provider_key"] == "second"
    assert [(a["provider_key"], a["reason"], a["status"]) for a in call["trail"]] == [
        ("first", "first", status),
        ("second", "next_key", 200),
    ]
    assert [server.chat(pool).status for _ in range(4)] == [200] * 4
    assert keys_asked(own_upstream, pool) == ["first", *["second"] * 5]

    def lines(event: str) -> list[dict[str, Any]]:
        log = server.log()
        return [one for one in log if one["event"] == event and one["provider"] == pool]

    assert [
        (one["level"], one["provider_key"], one["reason"]) for one in lines("provider_key_out")
    ] == [("error", "first", failure)]
    metrics = server.get("/metrics").body.decode()
    assert f'headgate_provider_keys_out{{provider="{pool}"}} 1.0' in metrics
    counted = f'headgate_provider_key_out_total{{provider="{pool}",provider_key="first"}} 1.0'
    assert counted in metrics
    told = until(lambda: told_of(own_upstream, pool), 10.0)[0]
    assert (told["type"], told["provider_key"], told["reason"]) == (
        "provider_key.out", "first", failure,
    )  # fmt: skip
    assert (told["status"], told["keys_left"]) == (status, 1)
    assert PROVIDER_KEY not in json.dumps(told)
    probe = own_upstream.wait_for(models)
    assert (key_of(probe), probe.header("openai-project")) == ("first", "proj_1")
    own_upstream.answers(models, reply({"object": "list", "data": []}))
    assert until(lambda: lines("provider_key_back"), 10.0)
    for _ in range(4):
        server.chat(pool)
    assert "first" in keys_asked(own_upstream, pool)[-4:]
    assert len(told_of(own_upstream, pool)) == 1


def test_where_every_key_was_refused_the_operator_is_named_and_nobody_is_asked(
    server: RunningServer, own_upstream: Upstream
):
    own_upstream.answers("/all_refused/v1/models", error(401, "invalid_api_key"))
    own_upstream.answers("all_refused", error(401, "invalid_api_key"))
    for _ in range(2):
        answer = server.chat("all_refused")
        assert (answer.status, answer.error["code"]) == (502, "upstream_authentication_failed")
        assert "providers.all_refused.keys" in answer.error["message"], "where the keys stand"
        assert answer.headers["x-should-retry"] == "false"
    assert keys_asked(own_upstream, "all_refused") == ["first", "second"]


@pytest.mark.parametrize("counted", ["requests", "tokens"])
def test_a_key_whose_limit_is_used_up_leaves_the_work_to_the_other(
    server: RunningServer, own_upstream: Upstream, counted: str
):
    spent = [
        (f"x-ratelimit-limit-{counted}", "100"),
        (f"x-ratelimit-remaining-{counted}", "1"),
        (f"x-ratelimit-reset-{counted}", "1m0s"),
    ]
    well = completion(counted)
    own_upstream.answers(counted, reply(well, headers=spent), reply(well))
    for _ in range(4):
        assert server.chat(counted).status == 200
    assert keys_asked(own_upstream, counted) == ["first", "second", "second", "second"]


def test_a_rate_limit_of_one_key_is_answered_by_the_other_at_once(
    server: RunningServer, own_upstream: Upstream
):
    limited = error(429, "rate_limit_exceeded", headers=[("retry-after", "30")])
    own_upstream.answers("one_limited", limited, reply(completion("one_limited")))
    assert server.chat("one_limited").status == 200
    assert keys_asked(own_upstream, "one_limited") == ["first", "second"]


def test_a_response_is_continued_with_the_key_that_has_it(
    server: RunningServer, own_upstream: Upstream
):
    kept = response_object("continued", "completed", id="resp_kept")
    own_upstream.answers("continued", reply(kept))
    first = server.post("/v1/responses", {"model": "continued", "input": "Hi"})
    assert first.status == 200
    for _ in range(3):
        more = {"model": "continued", "input": "And?", "previous_response_id": "resp_kept"}
        following = response_object("continued", "completed", id="resp_next")
        own_upstream.answers("continued", reply(following))
        assert server.post("/v1/responses", more).status == 200
    assert set(keys_asked(own_upstream, "continued")) == {"first"}
    own_upstream.answers("/continued/v1/responses/resp_kept", reply(kept))
    assert server.get("/v1/responses/resp_kept").status == 200
    assert keys_asked(own_upstream, "/continued/v1/responses/resp_kept") == ["first"]


def test_no_key_is_shown_where_the_policy_is(server: RunningServer):
    shown = server.get("/api/config").json()
    assert PROVIDER_KEY not in json.dumps(shown)
    assert '"name": "first"' in json.dumps(shown)


def test_keys_that_are_told_to_come_back_later_are_not_asked_before_the_next_provider(
    server_with: StartServer, upstream: Upstream, model: str
):
    keys = "".join(f"\n      - {{name: {n}, api_key: {k}}}" for n, k in KEYS.items())
    server = server_with(
        settings=f"""
providers:
  busy:
    base_url: "{upstream.base_url}"
    keys:{keys}
  spare: {{base_url: "{upstream.base_url}", api_key: {PROVIDER_KEY}-3}}
routes:
  triage:
    targets:
      - {{provider: busy, model: {model}}}
      - {{provider: spare, model: {model}-spare}}
"""
    )
    upstream.answers(model, error(429, "rate_limit_exceeded", headers=[("retry-after", "60")]))
    upstream.answers(f"{model}-spare", reply(completion(model)))
    answers = [server.chat("triage") for _ in range(5)]
    assert [answer.status for answer in answers] == [200] * 5
    assert keys_asked(upstream, model) == ["first", "second"]
    assert [answer.headers["x-headgate-attempts"] for answer in answers] == ["3", *["1"] * 4]
