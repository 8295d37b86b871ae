"""A route's strategy chooses the target, and the answer says which one it was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from servers import PROVIDER_KEY, RunningServer, end_server, start_server, target_of
from upstreams import Upstream, completion, error, reply

ROUTES = """
providers:
  here: {{base_url: "{url}", api_key: {key}}}
  plain: {{base_url: "{url}", api_key: {key}, capabilities: [chat], models: [none]}}
  claude: {{kind: anthropic, base_url: "{url}", api_key: {key}, models: [none]}}
retries: {{max_attempts: 1}}
prices:
  dear: {{input: "10", output: "30"}}
  cheap: {{input: "1", output: "3"}}
routes:
  by-price:
    strategy: cheapest
    targets: [{{provider: here, model: dear}}, {{provider: here, model: cheap}}]
  by-chance:
    strategy: weighted
    targets:
      - {{provider: here, model: often, weight: 999999}}
      - {{provider: here, model: seldom, weight: 1}}
  by-speed:
    strategy: fastest
    explore_share: 0
    targets: [{{provider: here, model: slow}}, {{provider: here, model: fast}}]
  by-rule:
    strategy: tiered
    targets:
      - {{provider: here, model: small, when: {{complexity: [low]}}}}
      - {{provider: here, model: tools, when: {{needs: [tools]}}}}
      - {{provider: here, model: large}}
  by-length:
    targets: [{{provider: here, model: short}}, {{provider: here, model: other}}]
    larger_context: {{provider: here, model: long}}
  by-length-of-plain:
    targets: [{{provider: here, model: short}}]
    larger_context: {{provider: plain, model: long}}
  by-length-of-first:
    targets: [{{provider: here, model: short}}, {{provider: here, model: other}}]
    larger_context: {{provider: here, model: short}}
  down-to-claude:
    targets: [{{provider: here, model: down}}, {{provider: claude, model: claude-test}}]
"""


@pytest.fixture(scope="module")
def server(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    started = start_server(
        tmp_path_factory.mktemp("routes") / "server",
        settings=ROUTES.format(url=upstream.base_url, key=PROVIDER_KEY),
    )
    yield started
    end_server(started)


def ask(server: RunningServer, route: str, headers: dict[str, str] | None = None, **more: object):
    body = {"model": route, "messages": [], **more}
    return server.post("/v1/chat/completions", body, headers=headers or {})


def test_the_cheapest_target_is_asked(server: RunningServer):
    assert target_of(ask(server, "by-price")) == "cheap"


def test_the_weightier_target_is_asked(server: RunningServer):
    assert target_of(ask(server, "by-chance")) == "often"


def test_the_faster_target_is_asked_once_both_are_known(server: RunningServer, upstream: Upstream):
    upstream.answers("slow", [1.0, *reply(completion("slow"))])
    assert sorted(target_of(ask(server, "by-speed")) for _ in range(2)) == ["fast", "slow"]
    assert {target_of(ask(server, "by-speed")) for _ in range(3)} == {"fast"}


@pytest.mark.parametrize(
    ("headers", "more", "target"),
    [
        ({"x-headgate-complexity": "low"}, {}, "small"),
        ({"x-headgate-complexity": "high"}, {}, "large"),
        ({}, {"tools": [{"type": "function", "function": {"name": "look"}}]}, "tools"),
        ({}, {}, "large"),
    ],
    ids=["low", "high", "tools", "plain"],
)
def test_a_rule_chooses_the_rung(server: RunningServer, headers, more, target: str):
    assert target_of(ask(server, "by-rule", headers, **more)) == target


def test_the_next_rung_is_asked_where_the_chosen_one_fails(
    server: RunningServer, upstream: Upstream
):
    upstream.answers("small", error(500, "server_error"))
    assert target_of(ask(server, "by-rule", {"x-headgate-complexity": "low"})) == "tools"


def test_a_hint_that_is_none_is_refused(server: RunningServer):
    answer = ask(server, "by-rule", {"x-headgate-complexity": "extreme"})
    assert (answer.status, answer.error["param"]) == (400, "x-headgate-complexity")


def test_a_request_that_is_too_long_is_taken_to_the_larger_model(
    server: RunningServer, upstream: Upstream
):
    upstream.answers("short", error(400, "context_length_exceeded"))
    answer = ask(server, "by-length")
    assert target_of(answer) == "long"
    assert answer.headers["x-headgate-attempts"] == "2"
    assert not upstream.requests("other")


@pytest.mark.parametrize("route", ["by-length-of-plain", "by-length-of-first"])
def test_a_larger_model_that_cannot_help_is_not_asked(
    server: RunningServer, upstream: Upstream, route: str
):
    upstream.answers("short", error(400, "context_length_exceeded"))
    asked = len(upstream.requests("long"))
    tools = [{"type": "function", "function": {"name": "look_up"}}]
    answer = ask(server, route, tools=tools)
    assert (answer.status, answer.error["code"]) == (400, "context_length_exceeded")
    assert answer.headers["x-headgate-attempts"] == "1"
    assert len(upstream.requests("long")) == asked


@pytest.mark.parametrize(
    "more",
    [
        {"response_format": {"type": "json_object"}},
        {"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}]},
    ],
)
def test_what_a_later_target_cannot_say_does_not_hide_that_the_first_is_down(
    server: RunningServer, upstream: Upstream, more: dict[str, object]
):
    upstream.answers("down", error(503, "server_error"))
    answer = ask(server, "down-to-claude", **more)
    assert answer.status == 503, "which may be tried again, unlike a 400"


@pytest.mark.parametrize("code", ["content_policy_violation", "content_filter"])
def test_a_refusal_for_content_is_taken_nowhere(
    server: RunningServer, upstream: Upstream, code: str
):
    upstream.answers("short", error(400, code))
    before = len(upstream.requests("short"))
    answer = ask(server, "by-length")
    assert (answer.status, answer.error["code"]) == (400, code)
    assert len(upstream.requests("short")) == before + 1
