"""Limits as an application meets them: 429 in OpenAI's shape, what is left, when to come back."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import openai
import pytest

from servers import RunningServer, StartServer, end_server, headgate, start_server, until
from upstreams import Upstream, completion, error, reply


@pytest.fixture(scope="module")
def limited(
    upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """A server on which every key has small limits."""
    server = start_server(
        tmp_path_factory.mktemp("limited") / "server",
        settings="""
limits:
  - {per: key, of: {feature: requests}, requests_per_minute: 3}
  - {per: key, of: {feature: tokens}, tokens_per_minute: 400}
  - {per: key, of: {feature: concurrent}, concurrent: 1}
  - {per: key, of: {feature: patient}, concurrent: 1, wait_s: 10}
  - {per: [project, user], of: {feature: users}, requests_per_minute: 1}
""",
        upstream=upstream,
    )
    yield server
    end_server(server)


def feature(name: str, **more: str) -> dict[str, str]:
    return {"x-headgate-feature": name, **more}


def test_the_call_beyond_a_limit_is_answered_429_with_the_rule_and_when_to_come_back(
    limited: RunningServer, model: str
):
    key = limited.new_key()
    answers = [limited.chat(model, key=key, headers=feature("requests")) for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert [a.headers["x-ratelimit-remaining-requests"] for a in answers[:3]] == ["2", "1", "0"]
    assert answers[0].headers["x-ratelimit-limit-requests"] == "3"
    refused = answers[3]
    assert refused.error["code"] == "rate_limit_exceeded"
    assert "requests/minute per key of feature=requests" in refused.error["message"]
    assert 50 <= int(refused.headers["retry-after"]) <= 66
    assert int(refused.headers["retry-after-ms"]) <= int(refused.headers["retry-after"]) * 1000
    assert refused.headers["x-ratelimit-limit-requests"] == "3"
    assert refused.headers["x-ratelimit-remaining-requests"] == "0"
    assert refused.headers["x-ratelimit-reset-requests"] == "60s"
    assert "0 are left. Try again in" in refused.error["message"]
    record = limited.record(model_requested=model, status=429)
    assert (record["attempts"], record["cost_nanousd"]) == (0, 0)
    other = limited.chat(model, key=limited.new_key(), headers=feature("requests"))
    assert other.status == 200, "another key has a limit of its own"


def test_the_sdk_raises_its_own_error(limited: RunningServer, model: str):
    key = limited.new_key()
    client = openai.OpenAI(
        base_url=limited.base_url, api_key=key, max_retries=0,
        default_headers=feature("requests"),
    )  # fmt: skip
    with client:
        messages = [{"role": "user", "content": "Hello"}]
        for _ in range(3):
            client.chat.completions.create(model=model, messages=messages)
        with pytest.raises(openai.RateLimitError, match="requests/minute per key") as caught:
            client.chat.completions.create(model=model, messages=messages)
        told = caught.value.response.headers
        assert told["x-ratelimit-limit-requests"] == "3"
        assert told["x-ratelimit-remaining-requests"] == "0"


def test_a_failed_call_gives_its_tokens_back(
    limited: RunningServer, upstream: Upstream, model: str
):
    key = limited.new_key()
    upstream.answers(model, error(400, "bad"))
    for _ in range(6):
        assert limited.chat(model, key=key, headers=feature("tokens")).status == 400
    upstream.answers(model, reply(completion(model)))
    answer = limited.chat(model, key=key, headers=feature("tokens"))
    assert answer.status == 200
    assert answer.headers["x-ratelimit-limit-tokens"] == "400"


def test_a_refusal_for_tokens_tells_of_tokens(limited: RunningServer, model: str):
    key = limited.new_key()
    limited.chat(model, key=key, headers=feature("tokens"))
    body = {"model": model, "messages": [], "max_tokens": 395}
    refused = limited.post("/v1/chat/completions", body, key=key, headers=feature("tokens"))
    assert refused.status == 429
    assert refused.headers["x-ratelimit-limit-tokens"] == "400"
    assert 0 < int(refused.headers["x-ratelimit-remaining-tokens"]) < 395
    assert "x-ratelimit-limit-requests" not in refused.headers
    never = limited.post(
        "/v1/chat/completions",
        body | {"max_tokens": 401},
        key=limited.new_key(),
        headers=feature("tokens"),
    )
    assert never.status == 429
    assert never.headers["x-ratelimit-remaining-tokens"] == "400"
    assert never.headers["x-should-retry"] == "false"


def test_requests_about_files_are_told_of_their_limit(limited: RunningServer):
    key = limited.new_key()
    answers = [limited.get("/v1/batches", key=key, headers=feature("requests")) for _ in range(4)]
    assert answers[3].status == 429
    assert answers[3].headers["x-ratelimit-remaining-requests"] == "0"


def test_the_providers_own_headers_are_told_where_they_are_smaller(
    limited: RunningServer, upstream: Upstream, model: str
):
    theirs = [("x-ratelimit-limit-requests", "2"), ("x-ratelimit-remaining-requests", "1")]
    upstream.answers(model, reply(completion(model), headers=theirs))
    answer = limited.chat(model, key=limited.new_key(), headers=feature("requests"))
    assert answer.headers["x-ratelimit-limit-requests"] == "2"
    assert answer.headers["x-ratelimit-remaining-requests"] == "1"
    plain = limited.chat(model, key=limited.new_key())
    assert plain.headers["x-ratelimit-limit-requests"] == "2"


def test_one_call_at_a_time_means_one(limited: RunningServer, upstream: Upstream, model: str):
    key, go_on = limited.new_key(), threading.Event()
    upstream.answers(model, [go_on, *reply(completion(model))])
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(limited.chat, model, key=key, headers=feature("concurrent"))
        upstream.wait_for(model)
        refused = limited.chat(model, key=key, headers=feature("concurrent"))
        go_on.set()
        assert first.result().status == 200
    assert refused.status == 429
    assert "concurrent per key" in refused.error["message"]
    assert limited.chat(model, key=key, headers=feature("concurrent")).status == 200


def test_a_client_that_leaves_frees_its_place(
    limited: RunningServer, upstream: Upstream, model: str
):
    key, never = limited.new_key(), threading.Event()
    upstream.answers(model, [never], reply(completion(model)))
    with pytest.raises(OSError, match="timed out"):
        limited.chat(model, key=key, headers=feature("concurrent"), timeout_s=0.5)
    assert until(
        lambda: limited.chat(model, key=key, headers=feature("concurrent")).status == 200, 5
    )
    never.set()


def test_calls_may_wait_in_line(limited: RunningServer, upstream: Upstream, model: str):
    key = limited.new_key()
    upstream.answers(model, [0.05, *reply(completion(model))])
    with ThreadPoolExecutor(5) as pool:
        waiting = [
            pool.submit(limited.chat, model, key=key, headers=feature("patient")) for _ in range(5)
        ]
        assert [one.result().status for one in waiting] == [200] * 5


def test_each_end_user_has_a_limit_and_who_names_none_shares_one(
    limited: RunningServer, model: str
):
    key = limited.new_key()

    def status(**headers: str) -> int:
        return limited.chat(model, key=key, headers=feature("users", **headers)).status

    anna, bob = {"x-headgate-user": "anna"}, {"x-headgate-user": "bob"}
    assert [status(**anna), status(**bob), status(**anna)] == [200, 200, 429]
    assert [status(), status()] == [200, 429]


def test_a_priority_that_is_none_is_named(limited: RunningServer, model: str):
    refused = limited.chat(model, headers={"x-headgate-priority": "urgent"})
    assert refused.status == 400
    assert refused.error["param"] == "x-headgate-priority"
    assert limited.chat(model, headers={"x-headgate-priority": "bulk"}).status == 200


def test_limits_hold_over_all_workers_and_are_shown(
    server_with: StartServer, upstream: Upstream, model: str
):
    server = server_with(
        settings="limits: [{per: project, requests_per_minute: 40}]",
        upstream=upstream,
        workers=2,
    )
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: server.chat(model), range(80)))
    made = [answer.status for answer in answers].count(200)
    assert {answer.status for answer in answers} == {200, 429}
    assert 38 <= made <= 40
    shown = server.get("/api/allowances").json()["data"]
    assert [(one["rule"], one["subject"], one["limit"]) for one in shown] == [
        ("requests/minute per project", "project=default", 40)
    ]
    told = headgate("budgets", "--json", folder=server.folder)
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["data"][0]["taken"] == made
    assert "requests/minute per project" in headgate("budgets", folder=server.folder).stdout
    metrics = until(
        lambda: (
            text
            if 'headgate_allowance_refused_total{rule="requests/minute per project"} '
            f"{80.0 - made}" in (text := server.get("/metrics", key=None).body.decode())
            else None
        ),
        5,
    )
    assert metrics, server.get("/metrics", key=None).body.decode()
