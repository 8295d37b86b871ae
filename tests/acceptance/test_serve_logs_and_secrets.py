"""What a server says of itself: JSON lines with trace ids, no secrets, nothing people wrote."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from servers import ADMIN_KEY, PROVIDER_KEY, RunningServer, StartServer, headgate, until
from upstreams import (
    CUT,
    DONE,
    STREAM_HEAD,
    Upstream,
    chat_event,
    chat_words,
    chunk,
    completion,
    reply,
    stream,
)

_QUESTION = "canary-question-8471-of-a-person"
_ANSWER = "canary-answer-2290-of-a-model"
_PERSON = "canary.person@example.org"


def _calls(server: RunningServer) -> list[dict[str, Any]]:
    return [line for line in server.log() if line.get("event") == "call"]


def test_each_line_of_the_log_is_json_and_each_call_has_one(
    server_with: StartServer, upstream: Upstream, model: str
):
    server = server_with(upstream=upstream)
    answers = [server.chat(model, headers={"x-headgate-feature": "tickets"}) for _ in range(3)]
    refused = server.chat("")
    assert until(lambda: len(_calls(server)) == 4, 3)
    for line in server.log():
        assert {"event", "level", "timestamp"} <= set(line)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line["timestamp"])
    *fine, bad = _calls(server)
    assert [line["call_id"] for line in fine] == [
        answer.headers["x-headgate-call-id"] for answer in answers
    ]
    assert {line["level"] for line in fine} == {"info"}
    assert (
        fine[0].items()
        >= {
            "project": "default",
            "endpoint": "chat/completions",
            "status": 200,
            "attempts": 1,
            "feature": "tickets",
            "model": model,
            "provider": "openai",
            "input_tokens": 9,
            "output_tokens": 3,
        }.items()
    )
    assert bad["call_id"] == refused.headers["x-headgate-call-id"]
    assert (bad["level"], bad["status"]) == ("warning", 400)
    assert bad["error"]


def test_a_callers_trace_is_taken_over(gateway: RunningServer, upstream: Upstream, model: str):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    answer = gateway.chat(model, headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    call_id = answer.headers["x-headgate-call-id"]
    assert gateway.record(id=call_id)["trace_id"] == trace

    def line() -> dict[str, Any] | None:
        return next((c for c in _calls(gateway) if c["call_id"] == call_id), None)

    found = until(line, 3)
    assert found["trace_id"] == trace


@pytest.mark.parametrize(
    "header", ["", "nonsense", f"00-{'0' * 32}-00f067aa0ba902b7-01", "00-4bf9-00f0-01"]
)
def test_a_trace_that_is_none_is_replaced(
    gateway: RunningServer, upstream: Upstream, model: str, header: str
):
    answer = gateway.chat(model, headers={"traceparent": header})
    record = gateway.record(id=answer.headers["x-headgate-call-id"])
    assert re.fullmatch(r"(?!0{32})[0-9a-f]{32}", record["trace_id"])


@pytest.mark.parametrize(("which", "expected"), [("errors", 1), ("none", 0)])
def test_fewer_calls_are_logged_where_fewer_are_wanted(
    server_with: StartServer, upstream: Upstream, model: str, which: str, expected: int
):
    server = server_with(upstream=upstream, settings=f"logs: {{calls: {which}}}")
    assert server.chat(model).status == 200
    assert server.chat("").status == 400
    assert until(lambda: len(server.records()) == 2, 3)
    server.stop()
    assert len(_calls(server)) == expected


def _everything_said(server: RunningServer, upstream: Upstream, model: str) -> dict[str, bytes]:
    """Calls of every kind, good and bad, and all that the server says about them."""
    quoting = {"message": f"Bad key {PROVIDER_KEY}", "type": "x", "param": None, "code": "x"}
    told = {"x-headgate-user": _PERSON, "x-headgate-feature": "tickets"}
    scripts = {
        "plain": reply(completion(model, _ANSWER)),
        "echo": reply(completion(model, f"{_ANSWER} {PROVIDER_KEY}")),
        "unauthorized": reply({"error": quoting}, status=401),
        "forbidden": reply({"error": quoting}, status=403),
        "page": reply(f"<p>{PROVIDER_KEY}</p>".encode(), status=500, content_type="text/html"),
        "no-json": reply(f"{_ANSWER} {PROVIDER_KEY}".encode()),
        "broken": [b"HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n" + _ANSWER.encode(), CUT],
        "stream": stream(*chat_words(model, _ANSWER, PROVIDER_KEY), DONE),
        "stream-error": stream(
            *chat_words(model, _ANSWER),
            b"data: " + json.dumps({"error": quoting}).encode() + b"\n\n",
        ),
        "stream-cut": [
            STREAM_HEAD,
            chunk(chat_event(model, {"content": _ANSWER}) + PROVIDER_KEY.encode()),
            0.02,
            CUT,
        ],
    }
    said = {}
    for name, script in scripts.items():
        upstream.answers(f"{model}-{name}", script)
        answer = server.post(
            "/v1/chat/completions",
            {
                "model": f"{model}-{name}",
                "messages": [{"role": "user", "content": _QUESTION}],
                "stream": name.startswith("stream"),
                "user": _PERSON,
            },
            headers=told,
        )
        said[f"reply {name}"] = repr(dict(answer.headers)).encode() + answer.body
    bad = f'{{"model": "m", "messages": ["{_QUESTION}", '.encode()
    said["refused"] = server.post("/v1/chat/completions", bad).body
    for path in (
        "/metrics", "/readyz", "/openapi.json", "/api/config", "/api/keys", "/api/projects",
        "/api/usage?group_by=model,user", "/v1/models", "/v1/nowhere",
    ):  # fmt: skip
        answer = server.get(path)
        said[path] = repr(dict(answer.headers)).encode() + answer.body
    told_usage = headgate("usage", "--json", "--group-by", "user", folder=server.folder)
    checked = headgate(
        "check", "--json", folder=server.folder, OPENAI_API_KEY=PROVIDER_KEY,
        OPENAI_BASE_URL=upstream.base_url,
    )  # fmt: skip
    said["headgate usage"] = (told_usage.stdout + told_usage.stderr).encode()
    said["headgate check"] = (checked.stdout + checked.stderr).encode()
    assert until(lambda: len(server.records(feature="tickets")) == len(scripts), 5)
    server.stop()
    said["standard output"] = server.stdout().encode()
    said["standard error"] = server.stderr().encode()
    for file in (server.folder / "data").iterdir():
        said[f"file {file.name}"] = file.read_bytes()
    return said


@pytest.mark.parametrize("workers", [1, 2])
def test_the_providers_key_is_in_nothing_that_a_server_says_or_writes(
    server_with: StartServer, upstream: Upstream, model: str, workers: int
):
    server = server_with(upstream=upstream, workers=workers)
    said = _everything_said(server, upstream, model)
    assert len(said) > 20
    assert [name for name, text in said.items() if PROVIDER_KEY.encode() in text] == []
    # It was used all the while.
    asked = upstream.wait_for(f"{model}-plain")
    assert asked.header("authorization") == f"Bearer {PROVIDER_KEY}"
    # Nor is a key of ours anywhere but with who holds it.
    assert [name for name, text in said.items() if ADMIN_KEY.encode() in text] == []


def test_what_people_wrote_and_models_answered_is_in_no_log_figure_or_table(
    server_with: StartServer, upstream: Upstream, model: str
):
    server = server_with(upstream=upstream, settings="logs: {level: debug}")
    said = _everything_said(server, upstream, model)
    elsewhere = {name: text for name, text in said.items() if not name.startswith("reply ")}
    for canary in (_QUESTION, _ANSWER, _PERSON):
        assert [name for name, text in elsewhere.items() if canary.encode() in text] == []
    assert _ANSWER.encode() in said["reply plain"]


def test_a_key_in_the_file_stays_in_the_file(
    server_with: StartServer, upstream: Upstream, tmp_path: Path
):
    server = server_with(
        settings=f"""
providers:
  here: {{base_url: "{upstream.base_url}", api_key: {PROVIDER_KEY}}}
"""
    )
    config = server.get("/api/config").json()
    assert config["providers"]["here"]["api_key"] == "set"
    assert PROVIDER_KEY not in json.dumps(config)
    checked = headgate("check", folder=server.folder)
    assert PROVIDER_KEY not in checked.stdout + checked.stderr


def test_a_key_that_is_no_more_than_a_letter_spoils_no_reply(
    server_with: StartServer, upstream: Upstream, model: str
):
    text = f"""
providers:
  short: {{ base_url: "{upstream.base_url}", api_key: k, models: ["*-s"] }}
  long: {{ base_url: "{upstream.base_url}", api_key: kkkkkkkk, models: ["*-l"] }}
"""
    server = server_with(settings=text)
    words = "Thank k, kkkkkkk and kkkkkkkk"
    for name in (f"{model}-s", f"{model}-l"):
        upstream.answers(name, reply(completion(name, words)))
    shown = server.chat(f"{model}-s").json()["choices"][0]["message"]["content"]
    assert shown == words
    hidden = server.chat(f"{model}-l").json()["choices"][0]["message"]["content"]
    assert hidden == "Thank k, kkkkkkk and [redacted]"
    assert "warning: providers.short.api_key has fewer than 8 characters" in server.stdout()
    assert "providers.long" not in server.stdout()
    lines = [line for line in server.log() if line["event"] == "short provider key"]
    assert [line["level"] for line in lines] == ["warning"]
