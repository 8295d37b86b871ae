"""Every attempt of a call can be looked up afterwards, and stands in its line of the log."""

from __future__ import annotations

from servers import RunningServer, until
from upstreams import CUT, Upstream, completion, error, reply

CUT_SHORT = [b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{", CUT]


def test_each_attempt_of_a_call_is_in_the_ledger(
    gateway: RunningServer, upstream: Upstream, model: str
):
    upstream.answers(model, error(500, "server_error"), CUT_SHORT, reply(completion(model)))
    answer = gateway.chat(model)
    assert answer.status == 200
    call = gateway.call(answer)
    assert (call["status"], call["attempts"]) == (200, 3)
    assert [(a["number"], a["reason"], a["status"], a["error"]) for a in call["trail"]] == [
        (1, "first", 500, "server_error"),
        (2, "retry", None, "upstream_cut"),
        (3, "retry", 200, None),
    ]
    assert {a["provider"] for a in call["trail"]} == {"openai"}
    assert all(0 < a["latency_ms"] < 20_000 for a in call["trail"])


def test_a_call_that_went_well_at_once_tells_its_story_by_itself(
    gateway: RunningServer, upstream: Upstream, model: str
):
    answer = gateway.chat(model)
    call = gateway.call(answer)
    assert (call["status"], call["attempts"], call["trail"]) == (200, 1, [])


def test_the_log_tells_each_attempt(gateway: RunningServer, upstream: Upstream, model: str):
    upstream.answers(model, error(503, "busy"), reply(completion(model)))
    call_id = gateway.chat(model).headers["x-headgate-call-id"]
    line = until(
        lambda: next((one for one in gateway.log() if one.get("call_id") == call_id), None), 5.0
    )
    assert [(a["reason"], a.get("status"), a.get("error")) for a in line["trail"]] == [
        ("first", 503, "busy"),
        ("retry", 200, None),
    ]


def test_a_call_that_is_not_there_is_said_to_be_so(gateway: RunningServer):
    answer = gateway.get("/api/calls/call_none")
    assert (answer.status, answer.error["code"]) == (404, "not_found")
