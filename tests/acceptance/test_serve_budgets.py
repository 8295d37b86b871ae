"""Budgets as an operator relies on them: never exceeded, told in time, settled to the last cent."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from servers import Reply, RunningServer, StartServer, end_server, start_server, until
from upstreams import CUT, Upstream, chat_words, completion, reply, stream

_PRICES = """
prices:
  "*test-*": {input: "0", output: "1000"}
  cheap: {input: "0", output: "1"}
"""
"""A token that is written costs 0.1 cents; the upstream writes three."""


@pytest.fixture(scope="module")
def budgeted(
    upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """A server on which every key may spend two cents a month."""
    server = start_server(
        tmp_path_factory.mktemp("budgeted") / "server",
        settings=f"""{_PRICES}
routes:
  small: {{targets: [{{provider: openai, model: cheap}}]}}
budgets:
  - {{per: key, of: {{feature: refuse}}, usd: "0.02", window: month, time_zone: Europe/Berlin}}
  - {{per: key, of: {{feature: cheaper}}, usd: "0.02", window: total, cheaper_route: small}}
  - per: key
    of: {{feature: soft}}
    usd: "0.02"
    window: day
    soft_at: 20
    cheaper_route: small
  - {{per: key, of: {{feature: capped}}, max_call_usd: "0.01"}}
  - {{per: key, of: {{feature: lenient}}, usd: "0.02", window: day, unpriced: allow}}
""",
        upstream=upstream,
    )
    yield server
    end_server(server)


@pytest.fixture(scope="module")
def capping(
    upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """A server that bounds what its budgets have to bear."""
    server = start_server(
        tmp_path_factory.mktemp("capping") / "server",
        settings=f"""{_PRICES}
budgets: [{{per: key, usd: "10", window: day}}]
allowances: {{assumed_output_tokens: 10, cap_output: true}}
""",
        upstream=upstream,
    )
    yield server
    end_server(server)


def ask(
    server: RunningServer,
    model: str,
    feature: str,
    key: str,
    *,
    most: int | None = 3,
    **more: object,
) -> Reply:
    body = {"model": model, "messages": [{"role": "user", "content": "Hello"}], **more}
    if most is not None:
        body["max_tokens"] = most
    return server.post(
        "/v1/chat/completions", body, key=key, headers={"x-headgate-feature": feature}
    )


def test_a_budget_that_is_used_up_refuses_and_is_not_to_be_tried_again(
    budgeted: RunningServer, model: str
):
    key = budgeted.new_key()
    answers = [ask(budgeted, model, "refuse", key) for _ in range(7)]
    assert [answer.status for answer in answers] == [200] * 6 + [429]
    refused = answers[-1]
    assert refused.error["code"] == "budget_exceeded"
    assert refused.error["type"] == "insufficient_quota"
    assert refused.headers["x-should-retry"] == "false"
    assert "usd/month per key" in refused.error["message"]
    assert "$0.002 are left" in refused.error["message"]
    assert "begins anew at" in refused.error["message"]
    records = until(
        lambda: found if len(found := budgeted.records(model_requested=model)) == 7 else None, 5
    )
    assert sum(record["cost_nanousd"] for record in records) == 18_000_000


def test_a_call_whose_worst_case_does_not_fit_is_refused_before_it_is_made(
    budgeted: RunningServer, upstream: Upstream, model: str
):
    refused = ask(budgeted, model, "refuse", budgeted.new_key(), most=21)
    assert refused.status == 429
    assert upstream.requests(model) == []


def test_what_was_reserved_and_not_used_is_free_again(budgeted: RunningServer, model: str):
    key = budgeted.new_key()
    answers = [ask(budgeted, model, "refuse", key, most=11) for _ in range(4)]
    assert [answer.status for answer in answers] == [200] * 4, "0.9 cents are left each time"


def test_a_call_that_fails_costs_nothing(budgeted: RunningServer, upstream: Upstream, model: str):
    key = budgeted.new_key()
    body = {"error": {"message": "no", "type": "t", "param": None, "code": "c"}}
    upstream.answers(model, reply(body, status=400))
    for _ in range(5):
        assert ask(budgeted, model, "refuse", key, most=20).status == 400


def test_what_a_stream_used_before_it_broke_is_settled(
    budgeted: RunningServer, upstream: Upstream, model: str
):
    key = budgeted.new_key()
    upstream.answers(model, stream(*chat_words(model, "one", "two", "three"), CUT))
    body = {"model": model, "messages": [], "max_tokens": 18, "stream": True}
    headers = {"x-headgate-feature": "refuse"}
    answer = budgeted.post("/v1/chat/completions", body, key=key, headers=headers)
    assert b'"error"' in answer.body
    record = budgeted.record(model_requested=model)
    assert record["tokens_estimated"]
    assert record["cost_nanousd"] > 0
    left = 20 - record["cost_nanousd"] // 1_000_000
    assert ask(budgeted, model, "refuse", key, most=left + 1).status == 429
    upstream.answers(model, reply(completion(model)))
    assert ask(budgeted, model, "refuse", key, most=left).status == 200


def test_usage_that_is_missing_or_absurd_is_estimated_and_never_free(
    budgeted: RunningServer, upstream: Upstream, model: str
):
    absurd = {"prompt_tokens": -1, "completion_tokens": 10**30, "total_tokens": 0}
    upstream.answers(
        model, reply(completion(model, usage=None)), reply(completion(model, usage=absurd))
    )
    key = budgeted.new_key()
    for _ in range(2):
        assert ask(budgeted, model, "no budget", key, most=None).status == 200
    records = until(
        lambda: found if len(found := budgeted.records(model_requested=model)) == 2 else None, 3
    )
    for record in records:
        assert record["tokens_estimated"]
        assert record["output_tokens"] > 0
        assert 0 < record["cost_nanousd"] < 10**9


def test_a_budget_can_move_calls_to_a_cheaper_route(
    budgeted: RunningServer, upstream: Upstream, model: str
):
    key = budgeted.new_key()
    answers = [ask(budgeted, model, "cheaper", key) for _ in range(8)]
    assert [answer.status for answer in answers] == [200] * 8
    targets = [answer.headers["x-headgate-target"] for answer in answers]
    assert targets == [f"openai/{model}"] * 6 + ["openai/cheap"] * 2
    record = budgeted.record(
        model_requested=model, route="small", id=answers[-1].headers["x-headgate-call-id"]
    )
    assert record["cost_nanousd"] == 3000


def test_beyond_the_soft_limit_the_next_call_takes_the_cheaper_route(
    budgeted: RunningServer, model: str
):
    key = budgeted.new_key()
    targets = [
        ask(budgeted, model, "soft", key, most=3).headers["x-headgate-target"] for _ in range(4)
    ]
    assert targets == [f"openai/{model}"] * 2 + ["openai/cheap"] * 2


def test_only_what_any_model_can_write_takes_the_cheaper_route(budgeted: RunningServer, model: str):
    key = budgeted.new_key()
    for _ in range(2):
        ask(budgeted, model, "soft", key)
    vectors = budgeted.post(
        "/v1/embeddings",
        {"model": model, "input": "Hello"},
        key=key,
        headers={"x-headgate-feature": "soft"},
    )
    assert vectors.headers["x-headgate-target"] == f"openai/{model}"


def test_one_call_may_not_cost_more_than_its_cap(budgeted: RunningServer, model: str):
    key = budgeted.new_key()
    assert ask(budgeted, model, "capped", key, most=10).status == 200
    refused = ask(budgeted, model, "capped", key, most=11)
    assert (refused.status, refused.error["code"]) == (400, "call_too_expensive")


def test_a_model_without_a_price_is_refused_unless_it_is_allowed(budgeted: RunningServer):
    key, unpriced = budgeted.new_key(), "a-model-that-nobody-has-priced"
    refused = ask(budgeted, unpriced, "refuse", key)
    assert (refused.status, refused.error["code"]) == (400, "unpriced_model")
    assert "prices" in refused.error["message"]
    assert ask(budgeted, unpriced, "lenient", key).status == 200


@pytest.mark.parametrize("stated", [{}, {"max_tokens": None}, {"max_tokens": -1}])
def test_what_states_no_bound_is_sent_the_one_that_was_reserved(
    capping: RunningServer, upstream: Upstream, model: str, stated: dict[str, object]
):
    answer = ask(capping, model, "all", capping.new_key(), most=None, **stated)
    assert answer.status == 200
    body = json.loads(upstream.wait_for(model).body)
    assert (body["max_completion_tokens"], "max_tokens" in body) == (10, False)


@pytest.mark.parametrize("stated", [9, 9.0])
def test_what_states_a_bound_is_sent_as_it_is(
    capping: RunningServer, upstream: Upstream, model: str, stated: float
):
    ask(capping, model, "all", capping.new_key(), most=None, max_tokens=stated)
    body = json.loads(upstream.wait_for(model).body)
    assert (body["max_tokens"], "max_completion_tokens" in body) == (stated, False)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("fine_tuning/jobs", {"model": "cheap", "training_file": "file-1"}),
        ("videos", {"model": "cheap", "prompt": "A boat"}),
        ("evals/eval_1/runs", {"data_source": {"type": "completions", "model": "cheap"}}),
    ],
)
@pytest.mark.parametrize(
    ("feature", "kept"), [("refuse", True), ("capped", True), ("lenient", False)]
)
def test_what_runs_models_at_a_cost_that_nobody_tells_is_refused_unless_it_is_allowed(
    budgeted: RunningServer, upstream: Upstream, path, body, feature, kept
):
    before = len(upstream.requests(f"/v1/{path}"))
    asked = budgeted.post(f"/v1/{path}", body, headers={"x-headgate-feature": feature})
    assert (asked.error["code"] == "unpriced_model") is kept
    if kept:
        assert asked.status == 400
        assert "`unpriced: allow`" in asked.error["message"]
        assert len(upstream.requests(f"/v1/{path}")) == before


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_two_workers_spend_one_budget_exactly_and_tell_each_threshold_once(
    server_with: StartServer, upstream: Upstream, model: str, kind: str, request
):
    url = request.getfixturevalue("postgres_url_of_its_own") if kind == "postgresql" else None
    with _hook() as (address, received):
        server = server_with(
            settings=f"""{_PRICES}
budgets: [{{per: project, usd: "0.18", window: total}}]
alerts: {{webhooks: {{ops: {{url: "{address}", secret: 0123456789abcdef}}}}}}
""",
            upstream=upstream,
            workers=2,
            database_url=url,
            env={"NO_PROXY": "127.0.0.1"},
        )
        key = server.new_key()
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: ask(server, model, "all", key).status, range(100)))
        assert set(answers) == {200, 429}
        assert 57 <= answers.count(200) <= 60
        until(lambda: len(received) >= 4, 10)
        assert server.stop() == 0
        spent = sum(record["cost_nanousd"] for record in server.records(model_requested=model))
        assert spent == answers.count(200) * 3_000_000 <= 180_000_000
        assert sorted(alert["threshold"] for alert in received) == [50, 75, 90, 100]
    lines = [line for line in server.log() if line["event"] == "a budget has come to a threshold"]
    assert sorted(line["threshold_percent"] for line in lines) == [50, 75, 90, 100]


class _Handler(BaseHTTPRequestHandler):
    received: list[dict[str, object]]

    def do_POST(self) -> None:
        self.received.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class _hook:  # noqa: N801 - a context, used as a function
    def __enter__(self) -> tuple[str, list[dict[str, object]]]:
        received: list[dict[str, object]] = []
        handler = type("Handler", (_Handler,), {"received": received})
        self.server = HTTPServer(("127.0.0.1", 0), handler)
        self.thread = threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.02}
        )
        self.thread.start()
        return f"http://127.0.0.1:{self.server.server_port}/", received

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
