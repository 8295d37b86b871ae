"""An attempt that hangs is given up where something else can be tried, and only there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from servers import (
    PROVIDER_KEY,
    RunningServer,
    StartServer,
    end_server,
    headgate,
    start_server,
)
from upstreams import Upstream, completion, error, reply

_ATTEMPT_S = 0.4
_TOTAL_S = 2.5


@pytest.fixture(scope="module")
def server(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    timeouts = f"{{attempt_s: {_ATTEMPT_S}, total_s: {_TOTAL_S}}}"
    provider = f'base_url: "{upstream.base_url}", api_key: {PROVIDER_KEY}, timeouts: {timeouts}'
    routes = "".join(
        f"""
  {name}:
    targets: [{{provider: here, model: {name}-1}}, {{provider: there, model: {name}-2}}]"""
        for name in ("late-ladder", "both-hang")
    )
    hedges = "".join(
        f"""
  {name}:
    hedge: {{after_s: 0.1}}
    targets:
      - {{provider: here, model: {name}-1}}
      - {{provider: there, model: {name}-2}}
      - {{provider: beyond, model: {name}-3}}"""
        for name in ("hedge-fails", "hedge-hangs")
    )
    started = start_server(
        tmp_path_factory.mktemp("late") / "server",
        settings=f"""
providers:
  here: {{{provider}}}
  there: {{{provider}, models: [none]}}
  beyond: {{{provider}, models: [none]}}
routes:{routes}{hedges}
retries: {{max_attempts: 2, base_delay_s: 0}}
breaker: {{enabled: false}}
""",
    )
    yield started
    end_server(started)


def trail(server: RunningServer, answer) -> list[tuple[object, ...]]:
    return [(a["reason"], a["status"], a["error"]) for a in server.call(answer)["trail"]]


def test_a_plain_call_that_hangs_is_answered_by_the_next_target(
    server: RunningServer, upstream: Upstream
):
    upstream.answers("late-ladder-1", [20.0])
    began_s = time.monotonic()
    answer = server.chat("late-ladder")
    assert (answer.status, answer.headers["x-headgate-target"]) == (200, "there/late-ladder-2")
    assert _ATTEMPT_S <= time.monotonic() - began_s < _TOTAL_S
    assert upstream.wait_for("late-ladder-1").left.wait(10), "the first went on upstream"
    assert trail(server, answer) == [
        ("first", None, "upstream_attempt_timeout"),
        ("next_target", 200, None),
    ]


def test_a_single_target_that_hangs_once_is_asked_again(
    server: RunningServer, upstream: Upstream, model: str
):
    upstream.answers(model, [20.0], reply(completion(model)))
    answer = server.chat(model)
    assert (answer.status, answer.headers["x-headgate-attempts"]) == (200, "2")
    assert trail(server, answer) == [
        ("first", None, "upstream_attempt_timeout"),
        ("retry", 200, None),
    ]


def test_the_last_attempt_has_all_the_time_that_is_left(
    server: RunningServer, upstream: Upstream, model: str
):
    upstream.answers(model, [20.0], [3 * _ATTEMPT_S, *reply(completion(model))])
    assert server.chat(model).status == 200
    upstream.answers("both-hang-1", [20.0])
    upstream.answers("both-hang-2", [20.0], [3 * _ATTEMPT_S, *reply(completion("both-hang-2"))])
    assert server.chat("both-hang").status == 200


@pytest.mark.parametrize("hedge", ["hedge-fails", "hedge-hangs"])
def test_where_a_hedge_does_not_help_the_ladder_goes_on(
    server: RunningServer, upstream: Upstream, hedge: str
):
    upstream.answers(f"{hedge}-1", [20.0])
    upstream.answers(f"{hedge}-2", error(401, "no") if hedge == "hedge-fails" else [20.0])
    answer = server.chat(hedge, headers={"x-headgate-hedge": "safe"})
    assert (answer.status, answer.headers["x-headgate-target"]) == (200, f"beyond/{hedge}-3")
    reasons = sorted(one["reason"] for one in server.call(answer)["trail"])
    assert reasons == ["first", "hedge", "next_target"]


def test_an_answer_that_has_begun_is_not_given_up(
    server: RunningServer, upstream: Upstream, model: str
):
    whole = reply(completion(model))[0]
    assert isinstance(whole, bytes)
    upstream.answers(model, [whole[:-20], 2 * _ATTEMPT_S, whole[-20:]])
    answer = server.chat(model)
    assert (answer.status, answer.headers["x-headgate-attempts"]) == (200, "1")


def test_a_client_that_gives_less_time_is_told_in_its_time(
    server: RunningServer, upstream: Upstream, model: str
):
    upstream.answers(model, [20.0])
    began_s = time.monotonic()
    answer = server.chat(model, headers={"x-stainless-read-timeout": "1.2"})
    assert time.monotonic() - began_s < 1.2
    assert (answer.status, answer.error["code"]) == (504, "deadline_exceeded")


def test_streams_keep_their_own_wait_for_the_first_byte(
    server: RunningServer, upstream: Upstream, model: str
):
    upstream.answers(model, [20.0])
    body = {"model": model, "messages": [], "stream": True}
    assert server.post("/v1/chat/completions", body).error["code"] != "upstream_attempt_timeout"
    assert len(upstream.requests(model)) == 1


def test_nothing_is_given_up_where_no_retry_may_be_made(
    server_with: StartServer, upstream: Upstream, model: str
):
    provider = f'base_url: "{upstream.base_url}", api_key: {PROVIDER_KEY}'
    server = server_with(
        settings=f"""
providers:
  here: {{{provider}, timeouts: {{attempt_s: 0.2}}}}
retries: {{budget: {{share: 0, floor_per_s: 0}}}}
"""
    )
    upstream.answers(model, [0.8, *reply(completion(model))])
    answer = server.chat(model)
    assert (answer.status, answer.headers["x-headgate-attempts"]) == (200, "1")


def test_many_that_hang_together_are_not_given_up_for_fewer_retries(
    server_with: StartServer, upstream: Upstream, model: str
):
    provider = f'base_url: "{upstream.base_url}", api_key: {PROVIDER_KEY}'
    server = server_with(
        settings=f"""
providers:
  here: {{{provider}, timeouts: {{attempt_s: 0.3}}}}
retries: {{max_attempts: 2, budget: {{share: 0, floor_per_s: 0.3, window_s: 10}}}}
breaker: {{enabled: false}}
"""
    )
    upstream.answers(model, [1.5, *reply(completion(model))])
    with ThreadPoolExecutor(12) as threads:
        answers = list(threads.map(lambda _: server.chat(model), range(12)))
    assert {answer.status for answer in answers} == {200}
    assert 12 < len(upstream.requests(model)) < 12 + 5


def test_an_attempt_longer_than_its_call_is_refused_at_the_start(tmp_path):
    (tmp_path / "headgate.yaml").write_text(
        "providers:\n  here:\n    timeouts: {attempt_s: 600, total_s: 30}\n"
    )
    checked = headgate("check", folder=tmp_path)
    assert checked.returncode == 1
    assert "headgate.yaml:3" in checked.stderr + checked.stdout
    assert "attempt_s must be less than total_s" in checked.stderr + checked.stdout


def test_what_bounds_an_attempt_is_shown(tmp_path):
    (tmp_path / "headgate.yaml").write_text(
        "providers:\n  here: {timeouts: {attempt_s: 45}}\n  there: {models: [x]}\n"
    )
    shown = headgate("check", folder=tmp_path).stdout
    assert "attempt" in shown
    assert "45 s" in shown
    assert "unusual" in shown
