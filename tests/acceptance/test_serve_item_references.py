"""A request refers only to items of responses that its own project was answered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from servers import RunningServer, end_server, start_server
from upstreams import Upstream, reply, response_object

MODEL = "gpt-4.1-mini"


def an_item(server: RunningServer, key: str, **more: Any) -> str:
    """The message of a new response."""
    said = {"model": MODEL, "input": "Say hello", **more}
    answer = server.post("/v1/responses", said, key=key)
    assert answer.status == 200, answer.body
    if not more.get("stream"):
        return answer.json()["output"][0]["id"]
    return answer.events[-1]["response"]["output"][0]["id"]


def refer(server: RunningServer, key: str, *references: dict[str, Any], path: str = "responses"):
    said = [*references, {"role": "user", "content": "And now?"}]
    return server.post(f"/v1/{path}", {"model": MODEL, "input": said}, key=key)


@pytest.mark.parametrize("streamed", [False, True])
def test_its_own_items_may_be_referred_to_and_others_not(
    simulated: RunningServer, ours: str, theirs: str, streamed: bool
):
    item = an_item(simulated, ours, stream=streamed)
    assert refer(simulated, ours, {"type": "item_reference", "id": item}).status == 200
    for reference in ({"type": "item_reference", "id": item}, {"id": item}):
        refused = refer(simulated, theirs, reference)
        assert (refused.status, refused.error["code"]) == (400, "item_not_found")
        assert refused.error["param"] == "input"
        unknown = refer(simulated, theirs, {**reference, "id": "msg_of_nobody"})
        assert unknown.error["message"].replace("msg_of_nobody", item) == refused.error["message"]
    counted = refer(simulated, theirs, {"id": item}, path="responses/input_tokens")
    assert counted.error["code"] == "item_not_found"
    spelled = b'{"model":"%b","input":[{"\\u0069d":"%b"}]}' % (MODEL.encode(), item.encode())
    assert simulated.request("POST", "/v1/responses", spelled, key=theirs).status == 400


def test_others_items_get_neither_into_a_conversation_nor_into_a_batch(
    simulated: RunningServer, ours: str, theirs: str
):
    item = an_item(simulated, theirs)
    reference = {"type": "item_reference", "id": item}
    refused = simulated.post("/v1/conversations", {"items": [reference]}, key=ours)
    assert (refused.status, refused.error["code"]) == (400, "item_not_found")
    talk = simulated.post("/v1/conversations", {}, key=ours).json()["id"]
    added = simulated.post(f"/v1/conversations/{talk}/items", {"items": [reference]}, key=ours)
    assert (added.status, added.error["code"]) == (400, "item_not_found")
    body = {"model": MODEL, "input": [reference]}
    line = json.dumps({"method": "POST", "url": "/v1/responses", "body": body}).encode()
    form = (
        b'--x1\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
        b'--x1\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n%b'
        b"\r\n--x1--\r\n" % line
    )
    statuses = {}
    for key in (ours, theirs):
        headers = {"content-type": "multipart/form-data; boundary=x1"}
        made = simulated.request("POST", "/v1/files", form, headers=headers, key=key).json()["id"]
        batch = {
            "input_file_id": made, "endpoint": "/v1/responses", "completion_window": "24h",
        }  # fmt: skip
        statuses[key] = simulated.post("/v1/batches", batch, key=key).status
    assert statuses == {ours: 400, theirs: 200}


def test_what_is_not_stored_can_not_be_referred_to(
    gateway: RunningServer, upstream: Upstream, model: str
):
    message = {"type": "message", "id": f"msg_{model}", "role": "assistant", "content": []}
    answer = response_object(model, "completed", id=f"resp_{model}")
    answer["output"] = [message]
    upstream.answers(model, reply(answer | {"store": False}))
    key = gateway.new_key()
    ask = {"model": model, "input": "Hi"}
    assert gateway.post("/v1/responses", ask, key=key).status == 200
    refer_to = {"model": model, "input": [{"type": "item_reference", "id": message["id"]}]}
    assert gateway.post("/v1/responses", refer_to, key=key).error["code"] == "item_not_found"
    upstream.answers(model, reply(answer | {"store": True}))
    assert gateway.post("/v1/responses", ask, key=key).status == 200
    assert gateway.post("/v1/responses", refer_to, key=key).status == 200


def test_items_are_known_after_a_restart(tmp_path: Path):
    folder = tmp_path / "server"
    server = start_server(folder)
    key = server.new_key()
    item = an_item(server, key)
    end_server(server)
    again = start_server(folder)
    try:
        assert refer(again, key, {"type": "item_reference", "id": item}).status == 200
    finally:
        end_server(again)
