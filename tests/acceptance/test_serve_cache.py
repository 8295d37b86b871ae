"""The cache of a running server: one call for many, failures met, projects kept apart, clearing."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from databases import skip_without
from scripted_workflows import write_cached_project
from servers import (
    ADMIN_KEY,
    Reply,
    RunningServer,
    StartServer,
    end_server,
    headgate,
    start_server,
    until,
)
from upstreams import (
    CUT,
    DONE,
    Upstream,
    chat_usage,
    chat_words,
    completion,
    error,
    reply,
    stream,
)

CACHE = "cache: {when: deterministic}\nretries: {max_attempts: 1}\n"


@pytest.fixture(scope="module")
def caching(
    upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """A server that tests share, each with a model of its own."""
    server = start_server(
        tmp_path_factory.mktemp("caching") / "server", settings=CACHE, upstream=upstream
    )
    yield server
    end_server(server)


@pytest.fixture
def alone(server_with: StartServer, upstream: Upstream) -> RunningServer:
    """One whose figures no other test changes."""
    return server_with(settings=CACHE, upstream=upstream)


def ask(server: RunningServer, model: str, text: str = "Hello", **more: Any) -> Reply:
    key, headers = more.pop("key", ADMIN_KEY), more.pop("headers", None)
    body = {"model": model, "temperature": 0, "messages": [{"role": "user", "content": text}]}
    return server.post("/v1/chat/completions", body | more, key=key, headers=headers)


def said(answer: Reply) -> str:
    return answer.headers["x-headgate-cache"]


def at_once(count: int, call: Callable[[], Reply]) -> list[Reply]:
    with ThreadPoolExecutor(count) as pool:
        return [future.result() for future in [pool.submit(call) for _ in range(count)]]


def finished(model: str, *words: str) -> list[bytes]:
    """The events of a chat that comes to its end."""
    end = chat_words(model)[0].replace(b'"finish_reason":null', b'"finish_reason":"stop"')
    return [*chat_words(model, *words), end, chat_usage(model), DONE]


@pytest.mark.parametrize("streamed", [False, True])
def test_a_hundred_equal_calls_at_once_cost_one(
    caching: RunningServer, upstream: Upstream, model: str, streamed: bool
):
    whole = reply(completion(model))
    upstream.answers(model, [0.5, *(stream(*finished(model, "Hi")) if streamed else whole)])
    answers = at_once(100, lambda: ask(caching, model, stream=streamed))
    assert {answer.status for answer in answers} == {200}
    assert len(upstream.requests(model)) == 1
    assert sorted(map(said, answers)) == ["hit"] * 99 + ["miss"]
    assert until(lambda: len(caching.records(model_requested=model)) == 100, 5)
    records = caching.records(model_requested=model)
    assert sum(record["attempts"] for record in records) == 1
    assert sum(record["cache"] == "hit" for record in records) == 99
    if streamed:
        assert all(answer.body.endswith(b"data: [DONE]\n\n") for answer in answers)
    else:
        assert len({answer.body for answer in answers}) == 1


def test_when_the_one_that_leads_fails_the_others_do_not(
    caching: RunningServer, upstream: Upstream, model: str
):
    upstream.answers(model, [0.3, *error(503, "overloaded")], [0.1, *reply(completion(model))])
    answers = at_once(12, lambda: ask(caching, model))
    assert sorted(answer.status for answer in answers) == [200] * 11 + [503]
    assert len(upstream.requests(model)) == 2


def test_when_the_client_of_the_one_that_leads_goes_another_leads(
    caching: RunningServer, upstream: Upstream, model: str
):
    upstream.answers(model, [5.0, *reply(completion(model))], [0.1, *reply(completion(model))])
    leader = caching.connect()
    body = json.dumps(
        {"model": model, "temperature": 0, "messages": [{"role": "user", "content": "Hello"}]}
    )
    leader.sendall(
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {ADMIN_KEY}\r\n"
        f"content-length: {len(body)}\r\n\r\n{body}".encode()
    )
    upstream.wait_for(model)
    with ThreadPoolExecutor(5) as pool:
        others = [pool.submit(ask, caching, model) for _ in range(5)]
        time.sleep(0.3)
        leader.close()
        answers = [other.result() for other in others]
    assert {answer.status for answer in answers} == {200}
    assert sorted(map(said, answers)) == ["hit"] * 4 + ["miss"]
    assert len(upstream.requests(model)) == 2


def test_an_error_about_the_request_is_everybodys_own(
    caching: RunningServer, upstream: Upstream, model: str
):
    upstream.answers(model, [0.2, *error(400, "bad")])
    answers = at_once(6, lambda: ask(caching, model))
    assert {answer.status for answer in answers} == {400}
    assert said(ask(caching, model)) == "miss", "an error was kept"


@pytest.mark.parametrize("broken", ["cut", "filtered"])
def test_a_stream_that_did_not_come_to_its_own_end_is_not_kept(
    caching: RunningServer, upstream: Upstream, model: str, broken: str
):
    events = finished(model, "Half")
    if broken == "cut":
        script = stream(*events[:2], CUT)
    else:
        script = stream(*(e.replace(b'"stop"', b'"content_filter"') for e in events))
    upstream.answers(model, script, reply(completion(model, "Whole")))
    ask(caching, model, stream=True)
    answer = ask(caching, model)
    assert said(answer) == "miss"
    assert answer.json()["choices"][0]["message"]["content"] == "Whole"


def test_nothing_crosses_projects(caching: RunningServer, upstream: Upstream, model: str):
    upstream.answers(model, reply(completion(model)))
    assert caching.post("/api/projects", {"name": "sales"}).status == 201
    ours = caching.new_key(role="app")
    theirs = caching.new_key(role="app", project="sales")
    assert [said(ask(caching, model, key=key)) for key in (ours, ours, theirs, theirs)] == [
        "miss", "hit", "miss", "hit",
    ]  # fmt: skip
    assert len(upstream.requests(model)) == 2


def test_a_key_that_may_not_use_a_model_gets_no_answer_of_it_from_the_cache(
    caching: RunningServer, upstream: Upstream, model: str
):
    upstream.answers(model, reply(completion(model)))
    ask(caching, model)
    other = caching.new_key(role="app", models=["other-*"])
    assert ask(caching, model, key=other).status == 403


def test_an_older_answer_is_given_when_no_target_answers(
    server_with: StartServer, upstream: Upstream, model: str
):
    server = server_with(
        settings=f"""
providers: {{here: {{base_url: "{upstream.base_url}", api_key: sk-here}}}}
retries: {{max_attempts: 1}}
routes:
  faq:
    targets: [{{provider: here, model: {model}}}]
    cache: {{calls: all, ttl_s: 0.2, stale_if_error_s: 60}}
"""
    )
    upstream.answers(
        model,
        reply(completion(model, "Old")),
        error(500, "broken"),
        error(400, "bad"),
        error(503, "broken"),
        reply(completion(model, "New")),
    )
    assert said(ask(server, "faq")) == "miss"
    time.sleep(0.3)
    stale = ask(server, "faq")
    assert (stale.status, said(stale)) == (200, "stale")
    assert stale.json()["choices"][0]["message"]["content"] == "Old"
    record = server.record(id=stale.headers["x-headgate-call-id"])
    assert (record["cache"], record["attempts"], record["cost_nanousd"]) == ("stale", 1, 0)
    assert ask(server, "faq").status == 400, "a wrong request was answered all the same"
    streamed = ask(server, "faq", stream=True)
    assert (streamed.status, said(streamed)) == (200, "stale")
    assert b'"Old"' in streamed.body
    fresh = ask(server, "faq")
    assert (said(fresh), fresh.json()["choices"][0]["message"]["content"]) == ("miss", "New")
    assert said(ask(server, "faq")) == "hit"


def test_answers_are_shown_and_cleared(alone: RunningServer, upstream: Upstream, model: str):
    upstream.answers(model, reply(completion(model)))
    tagged = {"x-headgate-cache-tag": "faq, de"}

    def fill() -> None:
        ask(alone, model, "one", headers=tagged)
        ask(alone, model, "two")

    def kept() -> list[str]:
        found = [said(ask(alone, model, text)) for text in ("one", "two")]
        alone.request("DELETE", "/api/cache")
        return found

    def clear(query: str) -> int:
        fill()
        answer = alone.request("DELETE", f"/api/cache?{query}")
        assert answer.status == 200, answer.body
        return int(answer.json()["cleared"])

    assert clear("tag=de") == 1
    assert kept() == ["miss", "hit"]
    assert clear(f"prefix={model[:-3]}") == 2
    assert clear("workflow=none") == 0
    assert kept() == ["hit", "hit"]
    assert clear("project=default&tag=faq") == 1
    assert clear("project=other") == 0
    assert alone.request("DELETE", "/api/cache?tags=x").error["code"] == "unknown_field"
    assert until(lambda: alone.get("/api/cache").json()["hits"] >= 3, 5)
    shown = alone.get("/api/cache?since=1h").json()
    assert shown["memory"]["entries"] == 2
    assert shown["shared"] is None
    assert shown["saved_nanousd"] == 0, "the scripted model has no price"


def test_a_developer_clears_only_their_own_project(
    alone: RunningServer, upstream: Upstream, model: str
):
    upstream.answers(model, reply(completion(model)))
    alone.post("/api/projects", {"name": "sales"})
    developer = alone.new_key(role="developer", project="sales")
    ask(alone, model)
    ask(alone, model, key=developer)
    assert alone.request("DELETE", "/api/cache", key=developer).json()["cleared"] == 1
    assert alone.request("DELETE", "/api/cache?project=default", key=developer).status == 403
    app = alone.new_key(role="app")
    assert alone.request("DELETE", "/api/cache", key=app).status == 403
    assert said(ask(alone, model)) == "hit"


def test_the_command_line_shows_and_clears(alone: RunningServer, upstream: Upstream, model: str):
    upstream.answers(model, reply(completion(model)))
    ask(alone, model)
    ask(alone, model)
    env = {"HEADGATE_URL": alone.address, "HEADGATE_API_KEY": ADMIN_KEY}

    def run(*arguments: str) -> tuple[int, str]:
        done = headgate("cache", *arguments, folder=alone.folder / "cli", **env)
        return done.returncode, done.stdout + done.stderr

    assert until(lambda: "Hits     1 of 2 calls, 50.0%" in run("show")[1], 5)
    assert run("clear")[0] == 2
    assert run("clear", "--all", "--tag", "x")[0] == 2
    assert run("clear", "--prefix", model) == (0, "Cleared 1 answer.\n")
    assert json.loads(run("clear", "--all", "--json")[1])["cleared"] == 0
    assert said(ask(alone, model)) == "miss"


def test_the_figures_are_in_the_metrics(alone: RunningServer, upstream: Upstream, model: str):
    upstream.answers(model, reply(completion("gpt-4o-mini", usage_of="priced")))
    for _ in range(3):
        ask(alone, model)

    def figures() -> str:
        return alone.get("/metrics", key=None).body.decode()

    assert until(lambda: "headgate_cache_entries 1.0" in figures(), 5)
    assert until(lambda: 'result="hit"} 2.0' in figures(), 5)
    shown = figures()
    assert 'result="miss"} 1.0' in shown
    assert "headgate_cache_saved_usd_total{" in shown
    assert "headgate_cache_bytes " in shown
    usage = alone.get("/api/usage").json()["total"]
    assert (usage["cache_hits"], usage["cache_misses"]) == (2, 1)
    assert usage["saved_nanousd"] == 2 * usage["cost_nanousd"] > 0


@pytest.mark.parametrize(
    "header", [{"x-headgate-cache": "maybe"}, {"x-headgate-cache-tag": "a b"}], ids=str
)
def test_a_header_that_is_not_understood_is_refused(
    caching: RunningServer, model: str, header: dict[str, str]
):
    assert ask(caching, model, headers=header).error["param"] == next(iter(header))


def test_workers_share_answers_and_clearings_through_the_database(
    server_with: StartServer, upstream: Upstream, model: str, postgres_url_of_its_own: str
):
    server = server_with(
        settings="cache: {when: deterministic, store: database}\n",
        upstream=upstream,
        workers=2,
        database_url=postgres_url_of_its_own,
    )
    upstream.answers(model, reply(completion(model)))
    ask(server, model)
    assert until(lambda: server.get("/api/cache").json()["shared"]["entries"] == 1, 5)
    assert {said(ask(server, model)) for _ in range(20)} == {"hit"}
    assert len(upstream.requests(model)) == 1
    assert server.request("DELETE", "/api/cache").json()["cleared"] == 1

    time.sleep(2)
    # Whichever worker is asked, nobody remembers it.
    answers = [said(ask(server, model)) for _ in range(20)]
    assert "miss" in answers
    assert 2 <= len(upstream.requests(model)) <= 3


def test_answers_outlive_a_restart_in_the_database(
    server_with: StartServer, upstream: Upstream, model: str
):
    settings = "cache: {when: deterministic, store: database}\n"
    server = server_with(settings=settings, upstream=upstream)
    upstream.answers(model, reply(completion(model)))
    ask(server, model)
    server.stop()
    again = server_with(folder=server.folder, settings=settings, upstream=upstream)
    assert said(ask(again, model)) == "hit"
    assert len(upstream.requests(model)) == 1


def test_a_store_that_is_away_is_a_miss(server_with: StartServer, upstream: Upstream, model: str):
    pytest.importorskip("redis")
    server = server_with(
        settings="""
cache: {when: deterministic, store: redis, redis_url: "redis://:hush@127.0.0.1:1/0"}
""",
        upstream=upstream,
    )
    upstream.answers(model, reply(completion(model)))
    answers = [ask(server, model, text) for text in ("a", "b", "a")]
    assert [(a.status, said(a)) for a in answers] == [(200, "miss"), (200, "miss"), (200, "hit")]
    warned = [line for line in server.log() if "store fails" in line["event"]]
    assert len(warned) == 1
    assert "hush" not in server.stderr()
    assert server.get("/api/cache").json()["shared"]["healthy"] is False
    assert "hush" not in server.get("/api/config").body.decode()


def test_a_workflow_that_says_cache_asks_its_model_once(
    server_with: StartServer, upstream: Upstream, model: str, tmp_path: Path
):
    folder = tmp_path / "project"
    write_cached_project(folder, model, {"type": "string", "enum": ["good", "bad"]})
    server = server_with(folder=folder, settings="", upstream=upstream)

    def run(text: str, **headers: str) -> Reply:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        path = "/api/workflows/labels/runs"
        return server.post(path, {"input": {"text": text}}, headers=sent)

    upstream.answers(
        model,
        reply(completion(model, '{"label":"good"}')),
        reply(completion(model, '{"label":"ugly"}')),
        reply(completion(model, '{"label":"bad"}')),
    )
    first, second = run("one"), run("one")
    assert first.json()["output"] == second.json()["output"] == {"label": "good"}
    assert [answer.json()["calls"][0]["cache"] for answer in (first, second)] == ["miss", "hit"]
    assert second.json()["cost_usd"] == "0"
    assert len(upstream.requests(model)) == 1
    # An answer that the checks refuse is not kept, nor is the one to "try again".
    assert [call["cache"] for call in run("two").json()["calls"]] == ["miss", "off"]
    assert [call["cache"] for call in run("two").json()["calls"]] == ["miss"]
    assert run("one", x_headgate_cache="no-store").json()["calls"][0]["cache"] == "off"
    assert server.request("DELETE", "/api/cache?workflow=labels").json()["cleared"] == 2


def test_redis_shares_answers_between_servers(
    server_with: StartServer, upstream: Upstream, model: str
):
    redis = pytest.importorskip("redis")
    url = os.environ.get("HEADGATE_TEST_REDIS", "redis://127.0.0.1:6379/9")
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=1) as client:
            client.ping()
    except redis.ConnectionError:
        skip_without(f"Redis does not answer at {url}; set HEADGATE_TEST_REDIS")
    settings = f"cache: {{when: deterministic, store: redis, redis_url: '{url}'}}\n"
    upstream.answers(model, reply(completion(model)))
    here, there = (server_with(settings=settings, upstream=upstream) for _ in range(2))
    assert said(ask(here, model)) == "miss"
    assert until(lambda: said(ask(there, model, headers={})) == "hit", 2)
    assert there.request("DELETE", f"/api/cache?prefix={model}").json()["cleared"] == 1
