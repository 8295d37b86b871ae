"""`/healthz`, `/readyz` and `/metrics`, as a load balancer and a Prometheus see them."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from prometheus_client.parser import text_string_to_metric_families

from databases import drop
from servers import RunningServer, StartServer, until
from upstreams import (
    CUT,
    DONE,
    STREAM_HEAD,
    Upstream,
    chat_usage,
    chat_words,
    chunk,
    completion,
    error,
    reply,
    stream,
)


def test_a_server_that_can_work_is_healthy_and_ready(gateway: RunningServer):
    health = gateway.get("/healthz", key=None)
    assert (health.status, health.json()) == (200, {"status": "ok"})
    ready = gateway.get("/readyz", key=None)
    assert ready.status == 200
    assert ready.json()["status"] == "ready"
    assert set(ready.json()["checks"]) == {"database", "targets", "ledger"}
    assert all(check == {"ok": True} for check in ready.json()["checks"].values())


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:9/v1", "http://provider.invalid/v1"])
def test_without_a_provider_that_answers_it_is_healthy_but_not_ready(
    server_with: StartServer, base_url: str
):
    server = server_with(upstream=base_url)
    assert server.get("/healthz", key=None).status == 200
    began_s = time.monotonic()
    ready = server.get("/readyz", key=None)
    assert time.monotonic() - began_s < 3
    assert ready.status == 503
    assert ready.json()["status"] == "not_ready"
    assert not ready.json()["checks"]["targets"]["ok"]
    assert ready.json()["checks"]["targets"]["message"]
    assert ready.json()["checks"]["database"]["ok"]
    refused = server.chat("m")
    assert refused.status == 502
    assert refused.error["code"].startswith("upstream_")


def test_a_provider_that_refuses_the_key_is_no_provider(
    server_with: StartServer, upstream: Upstream
):
    upstream.answers("/refusing/v1/models", error(401, "invalid_api_key"))
    server = server_with(upstream=upstream.base_url.replace("/v1", "/refusing/v1"))
    assert server.get("/readyz", key=None).status == 503


def test_one_usable_provider_of_two_is_enough(server_with: StartServer, upstream: Upstream):
    server = server_with(
        settings=f"""
providers:
  away: {{base_url: "http://127.0.0.1:9/v1", api_key: sk-a, models: ["a-*"]}}
  here: {{base_url: "{upstream.base_url}", api_key: sk-h}}
"""
    )
    assert server.get("/readyz", key=None).status == 200


def test_without_its_database_it_is_healthy_but_not_ready_and_answers_who_it_knows(
    server_with: StartServer, upstream: Upstream, postgres_url_of_its_own: str, model: str
):
    server = server_with(upstream=upstream, database_url=postgres_url_of_its_own)
    assert server.chat(model).status == 200
    drop(postgres_url_of_its_own.rpartition("/")[2])
    assert until(lambda: server.get("/readyz", key=None).status == 503, 5)
    ready = server.get("/readyz", key=None).json()
    assert not ready["checks"]["database"]["ok"]
    assert ready["checks"]["targets"]["ok"]
    assert server.get("/healthz", key=None).status == 200
    # The key is remembered; one that isn't can't be looked up, and that is no fault of the key's.
    assert server.chat(model).status == 200
    stranger = server.chat(model, key="hg_never_seen_before")
    assert stranger.status == 503
    assert stranger.error["code"] == "database_unavailable"
    listing = server.get("/api/keys")
    assert (listing.status, listing.error["code"]) == (503, "database_unavailable")
    assert until(lambda: not server.get("/readyz", key=None).json()["checks"]["ledger"]["ok"], 8)
    # Nobody will bring the database back, so there is nothing to wait for.
    server.kill()


def test_in_the_durable_setting_nothing_is_answered_that_cannot_be_recorded(
    server_with: StartServer, upstream: Upstream, postgres_url_of_its_own: str, model: str
):
    server = server_with(
        upstream=upstream,
        database_url=postgres_url_of_its_own,
        settings="ledger: {durability: durable}",
    )
    assert server.chat(model).status == 200
    drop(postgres_url_of_its_own.rpartition("/")[2])
    body = {"model": model, "messages": [], "stream": True}
    # Together, since each is waited for as long as a database may be away.
    with ThreadPoolExecutor(2) as pool:
        whole = pool.submit(server.chat, model, timeout_s=30)
        flowing = pool.submit(server.post, "/v1/chat/completions", body, timeout_s=30)
    refused, shown = whole.result(), flowing.result().body
    assert (refused.status, refused.error["code"]) == (503, "database_unavailable")
    assert b'"error"' in shown
    assert b"[DONE]" not in shown
    server.kill()


def _figures(server: RunningServer) -> dict[tuple[str, tuple[str, ...]], float]:
    """Figure and the values of its labels, in alphabetical order of their names → value."""
    found = {}
    for family in text_string_to_metric_families(server.get("/metrics", key=None).body.decode()):
        for sample in family.samples:
            if "le" not in sample.labels:
                values = tuple(value for _, value in sorted(sample.labels.items()))
                found[sample.name, values] = sample.value
    return found


def test_the_figures_are_those_of_the_ledger(server_with: StartServer, upstream: Upstream):
    server = server_with(upstream=upstream)
    upstream.answers("gpt-4.1-mini", reply(completion("gpt-4.1-mini")))
    upstream.answers("busy", error(429, "rate_limit_exceeded", headers=[("retry-after", "99")]))
    upstream.answers("broken", [STREAM_HEAD, *map(chunk, chat_words("broken", "Wa")), 0.05, CUT])
    told = {"x-headgate-feature": "tickets"}
    for _ in range(3):
        assert server.chat("gpt-4.1-mini", headers=told).status == 200
    assert server.chat("busy", headers=told).status == 429
    streamed = {"model": "streamed", "messages": [], "stream": True}
    assert server.post("/v1/chat/completions", streamed).status == 200
    assert server.post("/v1/chat/completions", {**streamed, "model": "broken"}).status == 200

    def total(name: str, **labels: str) -> float:
        text = server.get("/metrics", key=None).body.decode()
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    assert until(lambda: total("headgate_requests_total") == 6, 3)
    chat = {"endpoint": "chat/completions", "project": "default"}
    priced = {**chat, "model": "gpt-4.1-mini", "feature": "tickets"}
    assert total("headgate_requests_total", **priced, status="200") == 3
    assert total("headgate_request_duration_seconds_count", **priced) == 3
    assert total("headgate_tokens_total", **priced, kind="input") == 27
    assert total("headgate_tokens_total", **priced, kind="output") == 9
    assert total("headgate_cost_usd_total", **priced) == pytest.approx(3 * 8400e-9)
    assert total("headgate_throttled_total", model="busy") == 1
    assert total("headgate_errors_total", model="busy", error="rate_limit_exceeded") == 1
    assert total("headgate_errors_total", model="broken") == 1
    assert total("headgate_attempts_total") == 6
    assert total("headgate_first_token_seconds_count", model="streamed") == 1
    assert total("headgate_unpriced_total", model="streamed") == 1
    assert total("headgate_build_info") == 1
    assert total("headgate_ledger_waiting_records") == 0


def test_calls_in_flight_are_counted(server_with: StartServer, upstream: Upstream, model: str):
    server = server_with(upstream=upstream)
    go_on = threading.Event()
    upstream.answers(model, stream(*chat_words(model, "Wa"), go_on, chat_usage(model), DONE))
    flowing = [
        server.begin("/v1/chat/completions", {"model": model, "messages": [], "stream": True})
        for _ in range(3)
    ]
    in_flight = ("headgate_in_flight", ())
    assert until(lambda: _figures(server)[in_flight] == 3, 3)
    go_on.set()
    assert all(one.rest().endswith(DONE) for one in flowing)
    assert until(lambda: _figures(server)[in_flight] == 0, 3)


def test_the_figures_labels_are_bounded(server_with: StartServer, upstream: Upstream):
    server = server_with(upstream=upstream, settings="metrics: {max_label_values: 3}")
    for number in range(9):
        assert server.chat(f"model-{number}").status == 200
    wanted = "headgate_requests_total"

    def models() -> set[str]:
        text = server.get("/metrics", key=None).body.decode()
        return {
            sample.labels["model"]
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == wanted
        }

    assert until(lambda: "other" in models(), 3)
    assert models() == {"model-0", "model-1", "model-2", "other"}
