"""Several keys of one provider: the refused one leaves, another answers, and it comes back."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from servers import PROVIDER_KEY, RunningServer, end_server, start_server, until
from upstreams import Upstream, completion, error, reply, response_object, upstream_running

KEYS = {"first": f"{PROVIDER_KEY}-1", "second": f"{PROVIDER_KEY}-2"}


@pytest.fixture
def own_upstream() -> Iterator[Upstream]:
    with upstream_running() as running:
        yield running


@pytest.fixture
def server(own_upstream: Upstream, tmp_path_factory: pytest.TempPathFactory):
    started = start_server(
        tmp_path_factory.mktemp("pool") / "server",
        settings=f"""
providers:
  openai:
    base_url: "{own_upstream.base_url}"
    keys:
      - {{name: first, api_key: {KEYS["first"]}, project: proj_1}}
      - {{name: second, api_key: {KEYS["second"]}}}
    key_probe_s: 0.5
alerts: {{webhooks: {{ops: {{url: "{own_upstream.base_url}/hook", secret: 0123456789abcdef}}}}}}
""",
    )
    yield started
    end_server(started)


def key_of(received) -> str:
    sent = received.header("authorization").removeprefix("Bearer ")
    return next(name for name, secret in KEYS.items() if secret == sent)


def keys_asked(upstream: Upstream, model: str) -> list[str]:
    return [key_of(request) for request in upstream.requests(model)]


@pytest.mark.parametrize("failure", ["invalid_api_key", "insufficient_quota", "forbidden"])
def test_a_refused_key_leaves_and_comes_back(
    server: RunningServer, own_upstream: Upstream, failure: str
):
    status = {"invalid_api_key": 401, "insufficient_quota": 429, "forbidden": 403}[failure]
    own_upstream.answers("/v1/hook", reply({}))
    own_upstream.answers("/v1/models", error(500, "not_yet"))
    own_upstream.answers("m", error(status, failure), reply(completion("m")))
    answer = server.chat("m")
    assert answer.status == 200
    assert answer.headers["x-headgate-attempts"] == "2"
    call = until(
        lambda: (
            (got := server.get(f"/api/calls/{answer.headers['x-headgate-call-id']}")).status == 200
            and got.json()
        ),
        5.0,
    )
    assert call["provider_key"] == "second"
    assert [(a["provider_key"], a["reason"], a["status"]) for a in call["trail"]] == [
        ("first", "first", status),
        ("second", "next_key", 200),
    ]
    assert [server.chat("m").status for _ in range(4)] == [200] * 4
    assert keys_asked(own_upstream, "m") == ["first", *["second"] * 5]
    lines = [line for line in server.log() if line["event"] == "provider_key_out"]
    assert [(one["level"], one["provider_key"], one["reason"]) for one in lines] == [
        ("error", "first", failure)
    ]
    metrics = server.get("/metrics").body.decode()
    assert 'headgate_provider_keys_out{provider="openai"} 1.0' in metrics
    assert 'headgate_provider_key_out_total{provider="openai",provider_key="first"} 1.0' in metrics
    told = json.loads(own_upstream.wait_for("/v1/hook").body)
    assert (told["type"], told["provider"], told["provider_key"], told["reason"]) == (
        "provider_key.out", "openai", "first", failure,
    )  # fmt: skip
    assert (told["status"], told["keys_left"]) == (status, 1)
    assert PROVIDER_KEY not in json.dumps(told)
    probe = own_upstream.wait_for("/v1/models")
    assert (key_of(probe), probe.header("openai-project")) == ("first", "proj_1")
    own_upstream.answers("/v1/models", reply({"object": "list", "data": []}))
    assert until(lambda: any(line["event"] == "provider_key_back" for line in server.log()), 10.0)
    for _ in range(4):
        server.chat("m")
    assert "first" in keys_asked(own_upstream, "m")[-4:]
    assert len(own_upstream.requests("/v1/hook")) == 1


def test_where_every_key_was_refused_the_operator_is_named_and_nobody_is_asked(
    server: RunningServer, own_upstream: Upstream
):
    own_upstream.answers("/v1/models", error(401, "invalid_api_key"))
    own_upstream.answers("m", error(401, "invalid_api_key"))
    for _ in range(2):
        answer = server.chat("m")
        assert (answer.status, answer.error["code"]) == (502, "upstream_authentication_failed")
        assert answer.headers["x-should-retry"] == "false"
    assert keys_asked(own_upstream, "m") == ["first", "second"]


@pytest.mark.parametrize("counted", ["requests", "tokens"])
def test_a_key_whose_limit_is_used_up_leaves_the_work_to_the_other(
    server: RunningServer, own_upstream: Upstream, counted: str
):
    spent = [
        (f"x-ratelimit-limit-{counted}", "100"),
        (f"x-ratelimit-remaining-{counted}", "1"),
        (f"x-ratelimit-reset-{counted}", "1m0s"),
    ]
    own_upstream.answers("m", reply(completion("m"), headers=spent), reply(completion("m")))
    for _ in range(4):
        assert server.chat("m").status == 200
    assert keys_asked(own_upstream, "m") == ["first", "second", "second", "second"]


def test_a_rate_limit_of_one_key_is_answered_by_the_other_at_once(
    server: RunningServer, own_upstream: Upstream
):
    limited = error(429, "rate_limit_exceeded", headers=[("retry-after", "30")])
    own_upstream.answers("m", limited, reply(completion("m")))
    assert server.chat("m").status == 200
    assert keys_asked(own_upstream, "m") == ["first", "second"]


def test_a_response_is_continued_with_the_key_that_has_it(
    server: RunningServer, own_upstream: Upstream
):
    kept = response_object("m", "completed", id="resp_kept")
    own_upstream.answers("m", reply(kept))
    first = server.post("/v1/responses", {"model": "m", "input": "Hi"})
    assert first.status == 200
    for _ in range(3):
        more = {"model": "m", "input": "And?", "previous_response_id": "resp_kept"}
        own_upstream.answers("m", reply(response_object("m", "completed", id="resp_next")))
        assert server.post("/v1/responses", more).status == 200
    assert set(keys_asked(own_upstream, "m")) == {"first"}
    own_upstream.answers("/v1/responses/resp_kept", reply(kept))
    assert server.get("/v1/responses/resp_kept").status == 200
    assert keys_asked(own_upstream, "/v1/responses/resp_kept") == ["first"]


def test_no_key_is_shown_where_the_policy_is(server: RunningServer):
    shown = server.get("/api/config").json()
    assert PROVIDER_KEY not in json.dumps(shown)
    assert '"name": "first"' in json.dumps(shown)
