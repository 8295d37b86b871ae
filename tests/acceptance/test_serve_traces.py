"""Calls and runs are told as OpenTelemetry spans: one a call, one an attempt, one a run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from secrets import token_hex

import pytest

from collectors import NUMBER, Collector, collector_running
from scripted_workflows import FILES, GOOD
from servers import PROVIDER_KEY, RunningServer, StartServer, end_server, start_server, until
from upstreams import CUT, DONE, Upstream, chat_words, completion, error, reply, stream


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collector_running() as running:
        yield running


@pytest.fixture(scope="module")
def server(
    upstream: Upstream, collector: Collector, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("traces") / "server"
    labels = folder / "workflows" / "labels"
    labels.mkdir(parents=True)
    for name, text in FILES.items():
        (labels / name).write_text(text)
    started = start_server(
        folder,
        settings=f"""
traces:
  endpoint: {collector.endpoint}
  headers: {{x-token: a-secret-of-the-collector}}
  propagate_to: [told]
providers:
  told: {{base_url: "{upstream.base_url}", api_key: {PROVIDER_KEY}, models: [told-*]}}
  here: {{base_url: "{upstream.base_url}", api_key: {PROVIDER_KEY}}}
retries: {{max_attempts: 2, base_delay_s: 0.01}}
routes:
  traced-moves:
    targets:
      - {{provider: here, model: traced-moves-1}}
      - {{provider: told, model: traced-moves-2}}
  traced-hedge:
    hedge: {{after_s: 0.3}}
    targets:
      - {{provider: here, model: traced-hedge-1}}
      - {{provider: here, model: traced-hedge-2}}
  small-model:
    targets: [{{provider: here, model: traced-labels}}]
""",
    )
    yield started
    end_server(started)


@pytest.fixture
def trace_id() -> str:
    return token_hex(16)


def parent(trace_id: str, *, flags: str = "01") -> dict[str, str]:
    return {"traceparent": f"00-{trace_id}-00f067aa0ba902b7-{flags}"}


def test_a_call_that_went_well_at_once_shows_its_one_attempt(
    server: RunningServer, upstream: Upstream, collector: Collector, model: str, trace_id: str
):
    upstream.answers(model, [0.2, *reply(completion(model))])
    answer = server.chat(model, headers=parent(trace_id) | {"x-headgate-feature": "letters"})
    call, attempt = collector.trace(trace_id, 2)
    assert (call.parent_id, call.parent_is_remote) == ("00f067aa0ba902b7", True)
    assert (call.kind, call.name, call.failed) == ("server", f"chat {model}", False)
    assert call.facts["headgate.call.id"] == answer.headers["x-headgate-call-id"]
    assert call.facts["gen_ai.operation.name"] == "chat"
    assert call.facts["gen_ai.request.model"] == call.facts["gen_ai.response.model"] == model
    assert call.facts["gen_ai.usage.input_tokens"] == 9
    assert call.facts["gen_ai.usage.output_tokens"] == 3
    assert call.facts["headgate.feature"] == "letters"
    assert call.facts["http.response.status_code"] == 200
    assert (attempt.parent_id, attempt.parent_is_remote) == (call.span_id, False)
    assert (attempt.kind, attempt.name) == ("client", f"chat {model}")
    assert attempt.facts["headgate.provider"] == "here"
    assert attempt.facts["headgate.attempt.reason"] == "first"
    assert "gen_ai.usage.input_tokens" not in attempt.facts, "tokens would be counted twice"
    assert 0.2e9 < attempt.ended_ns - attempt.begun_ns <= call.ended_ns - call.begun_ns
    assert call.begun_ns <= attempt.begun_ns
    assert attempt.ended_ns <= call.ended_ns
    assert call.service["service.name"] == "headgate"


def test_each_attempt_is_a_span_that_says_why_it_was_made_and_how_it_ended(
    server: RunningServer, upstream: Upstream, collector: Collector, trace_id: str
):
    upstream.answers("traced-moves-1", error(500, "server_error"), error(503, "busy"))
    assert server.chat("traced-moves", headers=parent(trace_id)).status == 200
    call, *attempts = collector.trace(trace_id, 4)
    assert call.facts["headgate.route"] == "traced-moves"
    assert call.facts["headgate.attempts"] == 3
    assert [
        (
            one.facts[NUMBER],
            one.facts["headgate.attempt.reason"],
            one.facts["gen_ai.request.model"],
            one.facts["http.response.status_code"],
            one.facts.get("error.type"),
            one.failed,
        )
        for one in attempts
    ] == [
        (1, "first", "traced-moves-1", 500, "server_error", True),
        (2, "retry", "traced-moves-1", 503, "busy", True),
        (3, "next_target", "traced-moves-2", 200, None, False),
    ]
    assert {one.parent_id for one in attempts} == {call.span_id}
    assert all(a.ended_ns <= b.begun_ns for a, b in pairwise(attempts))
    assert not call.failed


def test_two_attempts_at_once_overlap_and_the_loser_says_so(
    server: RunningServer, upstream: Upstream, collector: Collector, trace_id: str
):
    upstream.answers("traced-hedge-1", [20.0])
    hedged = parent(trace_id) | {"x-headgate-hedge": "safe"}
    assert server.chat("traced-hedge", headers=hedged).status == 200
    _, lost, won = collector.trace(trace_id, 3)
    assert (lost.facts["headgate.attempt.reason"], lost.facts["error.type"]) == (
        "first",
        "hedge_lost",
    )
    assert won.facts["headgate.attempt.reason"] == "hedge"
    assert lost.begun_ns < won.begun_ns < lost.ended_ns


def test_the_attempt_of_a_stream_lasts_until_its_end(
    server: RunningServer, upstream: Upstream, collector: Collector, model: str, trace_id: str
):
    upstream.answers(model, stream(*chat_words(model, "Slow"), 1.2, *chat_words(model, "ly"), DONE))
    body = {"model": model, "messages": [], "stream": True}
    assert server.post("/v1/chat/completions", body, headers=parent(trace_id)).status == 200
    call, attempt = collector.trace(trace_id, 2)
    assert call.facts["gen_ai.request.stream"] is True
    assert 0 < call.facts["gen_ai.response.time_to_first_chunk"] < 1.2
    assert attempt.facts["headgate.attempt.answered_after_s"] < 1.2
    assert attempt.ended_ns - attempt.begun_ns > 1.2e9


def test_a_stream_that_breaks_off_is_a_failed_call_with_a_failed_attempt(
    server: RunningServer, upstream: Upstream, collector: Collector, model: str, trace_id: str
):
    upstream.answers(model, stream(*chat_words(model, "Half"), CUT))
    body = {"model": model, "messages": [], "stream": True}
    server.post("/v1/chat/completions", body, headers=parent(trace_id))
    call, attempt = collector.trace(trace_id, 2)
    assert call.failed
    assert attempt.failed
    assert call.facts["error.type"] == attempt.facts["error.type"]


def test_the_calls_of_a_run_lie_under_the_run(
    server: RunningServer, upstream: Upstream, collector: Collector, trace_id: str
):
    bad = reply(completion("traced-labels", json.dumps({"label": "neither"})))
    good = reply(completion("traced-labels", json.dumps(GOOD)))
    upstream.answers("traced-labels", bad, good)
    done = server.post(
        "/api/workflows/labels/runs", {"input": {"text": "Fine."}}, headers=parent(trace_id)
    ).json()
    run, *rest = collector.trace(trace_id, 5)
    assert (run.name, run.parent_id) == ("invoke_workflow labels", "00f067aa0ba902b7")
    assert run.facts["headgate.run.id"] == done["id"]
    assert run.facts["gen_ai.workflow.name"] == "labels"
    assert run.facts["headgate.run.status"] == "completed"
    assert run.moments == tuple(
        f"headgate.step.{kind}"
        for kind in ("input", "render", "parse", "schema", "parse", "schema")
    )
    calls = [span for span in rest if NUMBER not in span.facts]
    assert [call.parent_id for call in calls] == [run.span_id] * 2
    assert {call.facts["headgate.run.id"] for call in calls} == {done["id"]}
    assert {call.kind for call in calls} == {"internal"}
    attempts = [span for span in rest if NUMBER in span.facts]
    assert {one.parent_id for one in attempts} == {call.span_id for call in calls}
    assert all(run.begun_ns <= one.begun_ns and one.ended_ns <= run.ended_ns for one in rest)


def test_only_a_provider_that_is_to_join_the_trace_is_told_of_it(
    server: RunningServer, upstream: Upstream, collector: Collector, trace_id: str
):
    server.chat("told-1", headers=parent(trace_id))
    _, attempt = collector.trace(trace_id, 2)
    sent = upstream.requests("told-1")[0].header("traceparent")
    assert sent == f"00-{trace_id}-{attempt.span_id}-01"
    server.chat("untold-1", headers=parent(trace_id))
    assert upstream.requests("untold-1")[0].header("traceparent") is None


def test_a_trace_that_its_beginner_does_not_keep_is_not_kept_here(
    server: RunningServer, collector: Collector, trace_id: str
):
    kept = token_hex(16)
    server.chat("told-2", headers=parent(trace_id, flags="00"))
    server.chat("told-3", headers=parent(kept))
    collector.trace(kept, 2)
    assert not [span for span in collector.spans() if span.trace_id == trace_id]


def test_neither_contents_nor_secrets_are_sent(
    server: RunningServer, collector: Collector, model: str, trace_id: str
):
    server.chat(
        model,
        text="the colour of my front door",
        headers=parent(trace_id) | {"x-headgate-user": "someone@example.com"},
    )
    collector.trace(trace_id, 2)
    for secret in (b"front door", b"Water flows", PROVIDER_KEY.encode(), b"someone@", b"hg_"):
        assert secret not in collector.bytes_seen
    assert collector.headers[-1]["x-token"] == "a-secret-of-the-collector"
    assert "a-secret-of-the-collector" not in server.get("/api/config").body.decode()


def test_the_environment_alone_turns_traces_on(
    server_with: StartServer, upstream: Upstream, model: str, trace_id: str
):
    with collector_running() as collector:
        server = server_with(
            upstream=upstream,
            env={
                "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint,
                "OTEL_EXPORTER_OTLP_HEADERS": "x-team=water",
                "OTEL_SERVICE_NAME": "gate-of-the-tests",
                "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=tests",
                "OTEL_TRACES_SAMPLER": "always_on",
            },
        )
        server.chat(model, headers=parent(trace_id, flags="00"))
        server.stop()  # Nothing that was traced is lost by a stop.
        call, attempt = collector.trace(trace_id, 2)
        assert call.service["service.name"] == "gate-of-the-tests"
        assert call.service["deployment.environment.name"] == "tests"
        assert attempt.facts["gen_ai.provider.name"] == "openai"
        assert set(collector.paths) == {"/v1/traces"}
        assert collector.headers[0]["x-team"] == "water"


def test_a_collector_that_is_away_costs_spans_and_nothing_else(
    server_with: StartServer, upstream: Upstream, model: str, trace_id: str
):
    with collector_running() as collector:
        collector.status = 400
        server = server_with(
            upstream=upstream, settings=f"traces: {{endpoint: {collector.endpoint}}}"
        )
        assert server.chat(model).status == 200

        def figures() -> str:
            return server.get("/metrics", key=None).body.decode()

        lost = 'headgate_trace_spans_lost_total{reason="not_accepted"} 2.0'
        assert until(lambda: lost in figures(), 10.0), figures()
        collector.status = 200
        assert server.chat(model, headers=parent(trace_id)).status == 200
        collector.trace(trace_id, 2)
        assert until(lambda: "headgate_trace_spans_sent_total 2.0" in figures(), 5.0)
        told = [line["event"] for line in server.log() if "collector" in line["event"]]
        assert told == [
            "the collector does not accept traces; they are dropped until it does",
            "the collector accepts traces again",
        ]


def test_a_server_that_could_not_trace_as_it_is_told_does_not_start(server_with: StartServer):
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
    }
    with pytest.raises(AssertionError, match="http/protobuf"):
        server_with(env=variables)
