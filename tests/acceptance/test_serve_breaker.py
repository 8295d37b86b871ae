"""A target that keeps failing is left alone, and asked again once it is well."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from servers import PROVIDER_KEY, RunningServer, end_server, start_server, until
from upstreams import Upstream, completion, error, reply

SETTINGS = """
providers:
  here: {{base_url: "{url}", api_key: {key}}}
  there: {{base_url: "{url}", api_key: {key}}}
retries: {{max_attempts: 1}}
breaker: {{min_calls: 4, open_s: 1, max_open_s: 1}}
routes:
  ladder:
    targets:
      - {{provider: here, model: ladder-1}}
      - {{provider: there, model: ladder-2}}
"""


@pytest.fixture(scope="module")
def server(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    started = start_server(
        tmp_path_factory.mktemp("breaker") / "server",
        settings=SETTINGS.format(url=upstream.base_url, key=PROVIDER_KEY),
    )
    yield started
    end_server(started)


def metric(server: RunningServer, line: str) -> bool:
    return line in server.get("/metrics").body.decode()


def test_it_is_left_alone_at_once_and_comes_back_by_itself(
    server: RunningServer, upstream: Upstream, model: str
):
    upstream.answers(model, *[error(500, "server_error")] * 4, reply(completion(model)))
    assert [server.chat(model).status for _ in range(4)] == [500] * 4
    answer = server.chat(model)
    assert (answer.status, answer.error["code"]) == (503, "circuit_open")
    assert answer.headers["retry-after"] == "1"
    assert 1 <= int(answer.headers["retry-after-ms"]) <= 1000
    assert answer.headers["x-headgate-attempts"] == "0"
    assert len(upstream.requests(model)) == 4
    assert metric(server, f'headgate_breakers_open{{target="here/{model}"}} 1.0')
    record = server.record(id=answer.headers["x-headgate-call-id"])
    assert (record["error_class"], record["cost_nanousd"]) == ("circuit_open", 0)
    assert until(lambda: server.chat(model).status == 200, 5.0, every_s=0.1)
    assert metric(server, f'headgate_breakers_open{{target="here/{model}"}} 0.0')
    assert [line["breaker"] for line in server.log() if line.get("target") == f"here/{model}"] == [
        "open",
        "closed",
    ]


def test_only_one_call_probes_it(server: RunningServer, upstream: Upstream, model: str):
    slow = [1.5, *reply(completion(model))]
    upstream.answers(model, *[error(500, "server_error")] * 4, slow)
    for _ in range(4):
        server.chat(model)
    time.sleep(1.05)
    with ThreadPoolExecutor(6) as threads:
        statuses = [answer.status for answer in threads.map(server.chat, [model] * 6)]
    assert sorted(statuses) == [200, 503, 503, 503, 503, 503]
    assert len(upstream.requests(model)) == 5


def test_the_next_target_is_asked_at_once_while_one_is_left_alone(
    server: RunningServer, upstream: Upstream
):
    upstream.answers("ladder-1", error(500, "server_error"))
    attempts = [server.chat("ladder").headers["x-headgate-attempts"] for _ in range(6)]
    assert attempts == ["2", "2", "2", "2", "1", "1"]


def test_mistakes_of_clients_and_rate_limits_leave_it_as_it_is(
    server: RunningServer, upstream: Upstream, model: str
):
    upstream.answers(model, error(400, "bad"), error(429, "rate_limit_exceeded"))
    assert {server.chat(model).status for _ in range(8)} == {400, 429}
