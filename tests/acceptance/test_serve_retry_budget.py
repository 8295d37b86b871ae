"""A provider that is down gets at most a little more load than its calls."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from servers import PROVIDER_KEY, StartServer
from upstreams import Upstream, completion, error, reply


def test_a_dead_provider_is_not_hit_by_a_multiple_of_its_load(
    server_with: StartServer, upstream: Upstream, model: str
):
    server = server_with(
        settings=f"""
providers:
  here: {{base_url: "{upstream.base_url}", api_key: {PROVIDER_KEY}}}
retries:
  max_attempts: 3
  base_delay_s: 0
  budget: {{share: 0.1, floor_per_s: 0.05, window_s: 40}}
breaker: {{enabled: false}}
"""
    )
    upstream.answers(model, error(500, "server_error"))
    assert {server.chat(model).status for _ in range(60)} == {500}
    # 60 calls, a tenth of them, and the floor of 2 with what it grows meanwhile.
    assert 60 + 5 <= len(upstream.requests(model)) <= 60 + 6 + 2 + 4
    refused = server.get("/metrics").body.decode()
    assert 'headgate_retries_denied_total{provider="here"}' in refused


def test_good_times_are_not_paid_back_in_an_outage(
    server_with: StartServer, upstream: Upstream, model: str
):
    server = server_with(
        settings=f"""
providers:
  here: {{base_url: "{upstream.base_url}", api_key: {PROVIDER_KEY}}}
retries: {{base_delay_s: 0}}
breaker: {{enabled: false}}
"""
    )
    upstream.answers(model, *[reply(completion(model))] * 100, error(503, "busy"))
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: server.chat(model).status, range(400)))
    assert (answers.count(200), answers.count(503)) == (100, 300)
    # 300 calls and a tenth, and what the floor of 2 a second may add on a slow machine.
    assert len(upstream.requests(model)) - 100 <= 300 + 30 + 20


def test_a_quiet_server_retries(server_with: StartServer, upstream: Upstream, model: str):
    server = server_with(
        settings=f"""
providers:
  here: {{base_url: "{upstream.base_url}", api_key: {PROVIDER_KEY}}}
retries: {{base_delay_s: 0, budget: {{share: 0, floor_per_s: 1}}}}
"""
    )
    upstream.answers(model, error(503, "busy"), error(503, "busy"), reply(completion(model)))
    assert server.chat(model).status == 200
