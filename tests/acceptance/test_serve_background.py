"""Background responses and batches under budgets: held until they end, settled once, by anybody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from servers import Reply, RunningServer, StartServer, end_server, start_server, until
from upstreams import CUT, Upstream, error, reply

_PRICES = """
prices:
  "*test-*": {input: "0", output: "1000"}
  "*test-*@batch": {input: "0", output: "500"}
"""
"""A token that is written costs 0.1 cents, in a batch half of that."""


@pytest.fixture(scope="module")
def budgeted(
    upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """A server on which every key may spend two cents."""
    server = start_server(
        tmp_path_factory.mktemp("background") / "server",
        settings=f"""{_PRICES}
budgets:
  - {{per: key, usd: "0.02", window: total}}
  - {{per: key, of: {{feature: capped}}, max_call_usd: "0.001"}}
""",
        upstream=upstream,
    )
    yield server
    end_server(server)


def response(model: str, status: str, written: int | None = None, **more: Any) -> dict[str, Any]:
    usage = None
    if written is not None:
        usage = {"input_tokens": 5, "output_tokens": written, "total_tokens": 5 + written}
    return {
        "id": f"resp_{model}",
        "object": "response",
        "created_at": 1,
        "status": status,
        "background": True,
        "model": model,
        "output": [],
        "usage": usage,
    } | more


def at(model: str) -> str:
    return f"/v1/responses/resp_{model}"


def begin(server: RunningServer, model: str, key: str, most: int = 18, **more: Any) -> Reply:
    body = {"model": model, "input": "Hello", "background": True, "max_output_tokens": most}
    return server.post("/v1/responses", body | more, key=key)


def settled(server: RunningServer, model: str) -> dict[str, Any]:
    return server.record(endpoint="responses/usage", response_id=f"resp_{model}", timeout_s=8)


def test_what_a_background_response_may_cost_is_held_until_its_end_is_seen(
    budgeted: RunningServer, upstream: Upstream, model: str
):
    key = budgeted.new_key()
    upstream.answers(model, reply(response(model, "queued")))
    upstream.answers(at(model), reply(response(model, "in_progress")))
    begun = begin(budgeted, model, key)
    assert (begun.status, begun.json()["status"]) == (200, "queued")
    assert begin(budgeted, model, key).error["code"] == "budget_exceeded"
    record = budgeted.record(model_requested=model, status=200)
    assert (record["cost_nanousd"], record["price_version"]) == (0, "later")
    assert record["input_tokens"] is None
    upstream.answers(at(model), reply(response(model, "completed", 4)))
    shown = budgeted.get(at(model), key=key)
    assert shown.json()["status"] == "completed"
    usage = settled(budgeted, model)
    assert (usage["output_tokens"], usage["cost_nanousd"]) == (4, 4_000_000)
    assert (usage["key_id"], usage["trace_id"]) == (record["key_id"], record["trace_id"])
    assert until(lambda: begin(budgeted, model, key, most=16).status == 200, 3)
    budgeted.get(at(model), key=key)
    assert len(budgeted.records(endpoint="responses/usage", model_requested=model)) == 1


def test_it_is_settled_though_no_client_ever_asks(
    budgeted: RunningServer, upstream: Upstream, model: str
):
    key = budgeted.new_key()
    upstream.answers(model, reply(response(model, "queued")))
    upstream.answers(at(model), error(500, "oops"), reply(response(model, "completed", 7)))
    assert begin(budgeted, model, key).status == 200
    assert settled(budgeted, model)["cost_nanousd"] == 7_000_000


def test_a_server_that_was_killed_goes_on_holding_and_settles_after_its_start(
    server_with: StartServer, upstream: Upstream, model: str, tmp_path
):
    settings = f"{_PRICES}budgets: [{{per: project, usd: '0.02', window: total}}]\n"
    upstream.answers(model, reply(response(model, "queued")))
    upstream.answers(at(model), reply(response(model, "in_progress")))
    first = server_with(folder=tmp_path / "one", settings=settings, upstream=upstream)
    key = first.new_key()
    assert begin(first, model, key).status == 200
    first.kill()
    second = server_with(folder=tmp_path / "one", settings=settings, upstream=upstream)
    assert begin(second, model, key, most=17).status == 429
    upstream.answers(at(model), reply(response(model, "completed", 2)))
    assert second.get(at(model), key=key).status == 200
    assert settled(second, model)["cost_nanousd"] == 2_000_000


def test_one_that_is_cancelled_or_fails_gives_back_what_it_held(
    budgeted: RunningServer, upstream: Upstream, model: str
):
    key = budgeted.new_key()
    upstream.answers(model, reply(response(model, "queued")))
    upstream.answers(at(model), reply(response(model, "in_progress")))
    upstream.answers(at(model) + "/cancel", reply(response(model, "cancelled")))
    assert begin(budgeted, model, key).status == 200
    assert budgeted.post(at(model) + "/cancel", {}, key=budgeted.new_key()).status == 200, (
        "another key of the same project may"
    )
    assert until(lambda: begin(budgeted, model, key).status == 200, 3)
    assert budgeted.records(endpoint="responses/usage", model_requested=model) == []


def test_one_whose_provider_says_nothing_of_its_usage_costs_its_worst_case(
    budgeted: RunningServer, upstream: Upstream, model: str
):
    key = budgeted.new_key()
    upstream.answers(model, reply(response(model, "queued")))
    upstream.answers(at(model), reply(response(model, "completed")))
    assert begin(budgeted, model, key, most=12).status == 200
    record = settled(budgeted, model)
    assert record["tokens_estimated"]
    assert (record["cost_nanousd"], record["price_version"]) == (12_000_000, "reserved")
    assert begin(budgeted, model, key, most=9).status == 429


def test_nobody_deletes_what_is_still_to_be_paid_for(
    budgeted: RunningServer, upstream: Upstream, model: str
):
    key = budgeted.new_key()
    upstream.answers(model, reply(response(model, "queued")))
    upstream.answers(at(model), reply(response(model, "in_progress")))
    assert begin(budgeted, model, key).status == 200
    refused = budgeted.request("DELETE", at(model), key=key)
    assert (refused.status, refused.error["code"]) == (409, "response_in_progress")
    # What deletes is answered so too; who asks first, the client or the server, is not told.
    upstream.answers(at(model), reply(response(model, "completed", 3)))
    assert budgeted.request("DELETE", at(model), key=key).status == 200
    assert settled(budgeted, model)["cost_nanousd"] == 3_000_000


def event(kind: str, number: int, **more: Any) -> bytes:
    data = json.dumps({"type": kind, "sequence_number": number, **more})
    return f"event: {kind}\ndata: {data}\n\n".encode()


def test_a_background_stream_that_is_cut_is_followed_to_its_end(
    budgeted: RunningServer, upstream: Upstream, model: str
):
    key = budgeted.new_key()
    head = (
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    said = event("response.created", 0, response=response(model, "queued")) + event(
        "response.output_text.delta", 1, delta="Hi"
    )
    upstream.answers(model, [head, b"%x\r\n%b\r\n" % (len(said), said), CUT])
    upstream.answers(at(model), reply(response(model, "in_progress")))
    answer = begin(budgeted, model, key, stream=True)
    assert b'"error"' in answer.body
    assert begin(budgeted, model, key).status == 429, "it goes on, so what it may cost is held"
    upstream.answers(at(model), reply(response(model, "completed", 5)))
    assert budgeted.get(at(model), key=key).json()["status"] == "completed"
    assert settled(budgeted, model)["cost_nanousd"] == 5_000_000


def test_a_background_stream_that_comes_to_its_end_is_settled_as_any(
    budgeted: RunningServer, upstream: Upstream, model: str
):
    head = (
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    said = event("response.created", 0, response=response(model, "queued")) + event(
        "response.completed", 1, response=response(model, "completed", 3)
    )
    upstream.answers(model, [head, b"%x\r\n%b\r\n0\r\n\r\n" % (len(said), said)])
    assert begin(budgeted, model, budgeted.new_key(), stream=True).status == 200
    assert budgeted.record(model_requested=model)["cost_nanousd"] == 3_000_000


def test_a_background_response_is_asked_for_once_though_it_may_be_hedged(
    server_with: StartServer, upstream: Upstream, model: str
):
    """Breaking off the one that is late would not end it, and nobody would pay for it."""
    server = server_with(
        settings=f"""
routes:
  drafting:
    targets:
      - {{provider: openai, model: {model[-60:]}-1}}
      - {{provider: openai, model: {model[-60:]}-2}}
    hedge: {{after_s: 0.1}}
""",
        upstream=upstream,
    )
    upstream.answers(f"{model[-60:]}-1", [0.6, *reply(response(model, "queued"))])
    body = {"model": "drafting", "input": "Hello", "background": True}
    begun = server.post("/v1/responses", body, headers={"x-headgate-hedge": "safe"})
    assert begun.status == 200
    assert upstream.requests(f"{model[-60:]}-2") == []


def test_one_of_several_workers_asks_after_it(
    server_with: StartServer, upstream: Upstream, model: str
):
    server = server_with(upstream=upstream, workers=2)
    upstream.answers(model, reply(response(model, "queued")))
    upstream.answers(at(model), reply(response(model, "completed", 3)))
    assert begin(server, model, server.new_key()).status == 200
    assert settled(server, model)["output_tokens"] == 3
    assert len(upstream.requests(at(model))) == 1


def lines(model: str, *most: int | None) -> bytes:
    return b"\n".join(
        json.dumps(
            {
                "custom_id": str(number),
                "method": "POST",
                "url": "/v1/chat/completions",
                "body": {"model": model, "messages": []}
                | ({} if tokens is None else {"max_tokens": tokens}),
            }
        ).encode()
        for number, tokens in enumerate(most)
    )


def a_file(server: RunningServer, upstream: Upstream, model: str, content: bytes, key: str) -> str:
    """A file of the key's project that the provider shows to hold `content`."""
    file_id = f"file-{model}"
    upstream.answers(f"/v1/files/{file_id}/content", plain(content))
    made = {"id": file_id, "object": "file", "purpose": "batch", "bytes": len(content)}
    upstream.answers("/v1/files", reply(made))
    form = (
        b'--b\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
        b'--b\r\ncontent-disposition: form-data; name="file"; filename="f.jsonl"\r\n\r\n'
        + content
        + b"\r\n--b--\r\n"
    )
    uploaded = server.request(
        "POST", "/v1/files", form, key=key,
        headers={"content-type": "multipart/form-data; boundary=b"},
    )  # fmt: skip
    assert uploaded.status == 200, uploaded.body
    return file_id


def plain(content: bytes) -> list[bytes]:
    return [b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(content), content)]


def a_batch(server: RunningServer, file_id: str, key: str, **headers: str) -> Reply:
    body = {
        "input_file_id": file_id,
        "endpoint": "/v1/chat/completions",
        "completion_window": "24h",
    }
    return server.post("/v1/batches", body, key=key, headers=headers)


def batch(model: str, status: str, written: int = 0) -> dict[str, Any]:
    return {
        "id": f"batch_{model}",
        "object": "batch",
        "status": status,
        "model": model,
        "request_counts": {"total": 2, "completed": 2 if written else 0, "failed": 0},
        "usage": {"input_tokens": 0, "output_tokens": written, "total_tokens": written},
    }


def test_a_batch_is_held_to_a_budget_by_the_lines_of_its_file(
    budgeted: RunningServer, upstream: Upstream, model: str
):
    key = budgeted.new_key()
    too_much = a_file(budgeted, upstream, model, lines(model, 20, 21), key)
    before = len(upstream.requests("/v1/batches"))
    refused = a_batch(budgeted, too_much, key)
    assert refused.error["code"] == "budget_exceeded"
    assert "$0.0205" in refused.error["message"]
    assert len(upstream.requests("/v1/batches")) == before
    fits = a_file(budgeted, upstream, model, lines(model, 20, 16), key)
    upstream.answers("/v1/batches", reply(batch(model, "validating")))
    assert a_batch(budgeted, fits, key).status == 200
    upstream.answers(model, reply(response(model, "queued")))
    assert begin(budgeted, model, key, most=3).status == 429, "0.2 cents are left"
    upstream.answers(f"/v1/batches/batch_{model}", reply(batch(model, "completed", 10)))
    assert budgeted.get(f"/v1/batches/batch_{model}", key=key).status == 200
    record = budgeted.record(endpoint="batches/usage", model_answered=model)
    assert (record["cost_nanousd"], record["service_tier"]) == (5_000_000, "batch")
    assert until(lambda: begin(budgeted, model, key, most=15).status == 200, 3)


def test_a_batch_that_fails_gives_back_what_it_held(
    budgeted: RunningServer, upstream: Upstream, model: str
):
    key = budgeted.new_key()
    file_id = a_file(budgeted, upstream, model, lines(model, 36), key)
    upstream.answers("/v1/batches", reply(batch(model, "validating")))
    assert a_batch(budgeted, file_id, key).status == 200
    assert a_batch(budgeted, file_id, key).status == 429
    upstream.answers(f"/v1/batches/batch_{model}", reply(batch(model, "failed")))
    assert budgeted.get(f"/v1/batches/batch_{model}", key=key).status == 200
    assert until(lambda: a_batch(budgeted, file_id, key).status == 200, 3)


def test_a_batch_that_the_provider_refuses_holds_nothing(
    budgeted: RunningServer, upstream: Upstream, model: str
):
    key = budgeted.new_key()
    file_id = a_file(budgeted, upstream, model, lines(model, 36), key)
    for _ in range(3):
        upstream.answers("/v1/batches", error(400, "bad"))
        assert a_batch(budgeted, file_id, key).status == 400


def test_no_line_of_a_batch_may_cost_more_than_one_call_may(
    budgeted: RunningServer, upstream: Upstream, model: str
):
    key = budgeted.new_key()
    file_id = a_file(budgeted, upstream, model, lines(model, 1, 3), key)
    refused = a_batch(budgeted, file_id, key, **{"x-headgate-feature": "capped"})
    assert (refused.status, refused.error["code"]) == (400, "call_too_expensive")


def test_a_batch_whose_worst_case_nobody_knows_is_refused_or_taken_as_declared(
    budgeted: RunningServer, upstream: Upstream, model: str, server_with: StartServer
):
    key = budgeted.new_key()
    unpriced = lines("a-model-that-nobody-has-priced", 5)
    file_id = a_file(budgeted, upstream, model, unpriced, key)
    refused = a_batch(budgeted, file_id, key)
    assert (refused.status, refused.error["code"]) == (400, "unpriced_batch")
    assert "assumed_batch_usd" in refused.error["message"]
    declared = server_with(
        settings=f"""{_PRICES}
budgets: [{{per: key, usd: "0.02", window: total}}]
allowances: {{assumed_batch_usd: "0.015"}}
""",
        upstream=upstream,
    )
    key = declared.new_key()
    file_id = a_file(declared, upstream, model, unpriced, key)
    upstream.answers("/v1/batches", reply(batch(model, "validating")))
    assert a_batch(declared, file_id, key).status == 200
    assert a_batch(declared, file_id, key).status == 429
