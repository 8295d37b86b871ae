"""A batch asks only what its caller could ask line by line."""

from __future__ import annotations

import json
from typing import Any

from servers import RunningServer, StartServer
from upstreams import CUT, Upstream, chunk, reply

FORM = "multipart/form-data; boundary=x1"


def line(url: str = "/v1/responses", **body: Any) -> str:
    filled = {"model": "gpt-4.1-mini", "input": "Hi", **body}
    return json.dumps({"custom_id": "1", "method": "POST", "url": url, "body": filled})


def upload(server: RunningServer, *lines: str, key: str, purpose: str = "batch") -> str:
    content = "\n".join(lines).encode()
    body = (
        b'--x1\r\nContent-Disposition: form-data; name="purpose"\r\n\r\n%b\r\n'
        b'--x1\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n%b'
        b"\r\n--x1--\r\n" % (purpose.encode(), content)
    )
    made = server.request("POST", "/v1/files", body, headers={"content-type": FORM}, key=key)
    assert made.status == 200, made.body
    return made.json()["id"]


def begin(server: RunningServer, file_id: str, *, key: str, **more: Any):
    body = {"input_file_id": file_id, "endpoint": "/v1/responses", "completion_window": "24h"}
    return server.post("/v1/batches", body | more, key=key)


def test_what_is_anothers_can_not_be_named_in_a_line(
    simulated: RunningServer, ours: str, theirs: str
):
    file_id = upload(simulated, line(), key=theirs, purpose="user_data")
    store = simulated.post("/v1/vector_stores", {"name": "x"}, key=theirs).json()["id"]
    talk = simulated.post("/v1/conversations", {}, key=theirs).json()["id"]
    said = {"model": "gpt-4.1-mini", "input": "A secret"}
    response = simulated.post("/v1/responses", said, key=theirs).json()["id"]
    named = {
        "file": line(input=[{"role": "user", "content": [{"type": "input_file",
                                                          "file_id": file_id}]}]),
        "vector store": line(tools=[{"type": "file_search", "vector_store_ids": [store]}]),
        "conversation": line(conversation=talk),
        "response": line(previous_response_id=response),
    }  # fmt: skip
    for what, naming in named.items():
        lines = (line(), line(), naming)
        refused = begin(simulated, upload(simulated, *lines, key=ours), key=ours)
        assert refused.status == 400, what
        assert refused.error["message"].startswith("Line 3 of the batch's input file: ")
        assert refused.error["param"] == "input_file_id"
        assert begin(simulated, upload(simulated, *lines, key=theirs), key=theirs).status == 200
    assert begin(simulated, file_id, key=ours).status == 400


def test_a_key_for_certain_models_begins_batches_of_those(simulated: RunningServer):
    key = simulated.new_key(models=["gpt-4.1-mini"])
    fitting = upload(simulated, line(), line(), key=key)
    assert begin(simulated, fitting, key=key).status == 200
    other = upload(simulated, line(), line(model="gpt-5"), key=key)
    refused = begin(simulated, other, key=key)
    assert (refused.status, refused.error["code"]) == (403, "model_not_allowed")
    assert refused.error["message"].startswith("Line 2 ")
    assert simulated.record(endpoint="batches", status=403)["cost_nanousd"] == 0
    unnamed = begin(simulated, upload(simulated, "{}", key=key), key=key)
    assert (unnamed.status, unnamed.error["code"]) == (403, "model_not_allowed")


def test_a_batch_has_no_other_input_than_its_file(simulated: RunningServer, ours: str):
    file_id = upload(simulated, line(), key=ours)
    for more in ({"input_blob": "https://elsewhere.example/a"}, {"input_file_id": None}):
        refused = begin(simulated, file_id, key=ours, **more)
        assert refused.status == 400
    assert begin(simulated, upload(simulated, "{", key=ours), key=ours).status == 400


def test_lines_that_arrive_in_parts_of_an_upload_are_checked_too(
    simulated: RunningServer, ours: str
):
    parts = (line() + "\n" + line(conversation="conv_x")[:40], line(conversation="conv_x")[40:])
    upload_id = simulated.post(
        "/v1/uploads",
        {"bytes": sum(map(len, parts)), "filename": "a.jsonl", "mime_type": "application/jsonl",
         "purpose": "batch"},
        key=ours,
    ).json()["id"]  # fmt: skip
    ids = []
    for part in parts:
        body = (
            b'--x1\r\nContent-Disposition: form-data; name="data"; filename="d"\r\n\r\n%b'
            b"\r\n--x1--\r\n" % part.encode()
        )
        path = f"/v1/uploads/{upload_id}/parts"
        made = simulated.request("POST", path, body, headers={"content-type": FORM}, key=ours)
        ids.append(made.json()["id"])
    done = simulated.post(f"/v1/uploads/{upload_id}/complete", {"part_ids": ids}, key=ours)
    refused = begin(simulated, done.json()["file"]["id"], key=ours)
    assert refused.error["message"].startswith("Line 2 of the batch's input file: ")
    assert "conv_x" in refused.error["message"]


def test_what_can_not_be_read_is_not_begun(server_with: StartServer, upstream: Upstream):
    server = server_with(settings="endpoints: {max_upload_bytes: 2000}", upstream=upstream)
    upstream.answers("/v1/files", reply({"id": "file-kept-from-us"}))
    key = server.new_key()
    file_id = upload(server, line(), key=key)
    content = f"/v1/files/{file_id}/content"
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    answers = {
        (400, "input_file_unreadable"): reply({"error": {"message": "no"}}, status=403),
        (502, "upstream_cut"): [head, chunk(line().encode()), CUT],
        (413, "payload_too_large"): [head, chunk(b" " * 2001), chunk(b"")],
    }
    before = len(upstream.requests("/v1/batches"))
    for told, answer in answers.items():
        upstream.answers(content, answer)
        refused = begin(server, file_id, key=key)
        assert (refused.status, refused.error["code"]) == told
    assert len(upstream.requests("/v1/batches")) == before
    upstream.answers(content, [head, chunk(line().encode()), chunk(b"")])
    upstream.answers("/v1/batches", reply({"id": "batch_1", "object": "batch"}))
    assert begin(server, file_id, key=key).status == 200


def test_a_file_of_before_headgate_is_taken_as_it_is_where_those_are_open(
    server_with: StartServer, upstream: Upstream
):
    server = server_with(settings="endpoints: {unregistered_objects: open}", upstream=upstream)
    upstream.answers("/v1/batches", reply({"id": "batch_2", "object": "batch"}))
    assert begin(server, "file-of-before", key=server.new_key()).status == 200
    limited = begin(server, "file-of-before", key=server.new_key(models=["gpt-4.1-mini"]))
    assert (limited.status, limited.error["code"]) == (403, "model_not_allowed")
