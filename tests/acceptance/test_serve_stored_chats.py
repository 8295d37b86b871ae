"""Stored chat completions and stored responses on a real server: whose they are, how they break."""

from __future__ import annotations

import json

from servers import ADMIN_KEY, RunningServer, StartServer, until
from upstreams import (
    CUT,
    DONE,
    Upstream,
    chat_usage,
    chat_words,
    completion,
    reply,
    response_event,
    response_object,
    stream,
)


def asked(model: str, **more: object) -> dict[str, object]:
    return {"model": model, "messages": [{"role": "user", "content": "Hello"}], **more}


def two_projects(server: RunningServer) -> tuple[str, str]:
    for name in ("north", "south"):
        server.post("/api/projects", {"name": name})
    return server.new_key(project="north"), server.new_key(project="south")


def test_a_project_reaches_only_the_completions_that_it_stored(
    shared_with: StartServer, upstream: Upstream, model: str
):
    server = shared_with(upstream=upstream)
    north, south = two_projects(server)
    streamed = stream(*chat_words(model, "Hi"), chat_usage(model), DONE)
    upstream.answers(model, reply(completion(model, id="chatcmpl-north")), streamed)
    assert server.post("/v1/chat/completions", asked(model, store=True), key=north).status == 200
    flowing = asked(model, store=True, stream=True)
    assert server.post("/v1/chat/completions", flowing, key=south).status == 200

    address = "/v1/chat/completions/chatcmpl-north"
    upstream.answers(address, reply({"id": "chatcmpl-north"}))
    upstream.answers(f"{address}/messages", reply({"object": "list", "data": []}))
    assert server.get(address, key=north).json() == {"id": "chatcmpl-north"}
    assert server.get(f"{address}/messages", key=north).status == 200
    for method, path in (("GET", ""), ("POST", ""), ("DELETE", ""), ("GET", "/messages")):
        body = {"metadata": {}} if method == "POST" else None
        refused = server.request(method, address + path, body, key=south)
        assert (refused.status, refused.error["code"]) == (404, "object_not_found")
    upstream.answers("/v1/chat/completions/chatcmpl-scripted", reply({"id": "chatcmpl-scripted"}))
    assert server.get("/v1/chat/completions/chatcmpl-scripted", key=south).status == 200
    assert server.get("/v1/chat/completions/chatcmpl-scripted", key=north).status == 404

    ids = ("chatcmpl-north", "chatcmpl-nobody", "chatcmpl-scripted")
    page = {"object": "list", "data": [{"id": one} for one in ids], "has_more": False}
    upstream.answers("/v1/chat/completions?model=m&limit=100", reply(page))
    listed = server.get("/v1/chat/completions?model=m", key=north).json()
    assert [one["id"] for one in listed["data"]] == ["chatcmpl-north"]
    upstream.answers("/v1/chat/completions?limit=0", reply({**page, "has_more": True}))
    assert server.get("/v1/chat/completions?limit=0", key=north).json()["data"] == []


def test_whose_a_completion_is_outlasts_the_server(
    server_with: StartServer, upstream: Upstream, model: str
):
    first = server_with(upstream=upstream)
    upstream.answers(model, reply(completion(model, id="chatcmpl-kept")))
    assert first.post("/v1/chat/completions", asked(model, store=True)).status == 200
    first.kill()
    upstream.answers("/v1/chat/completions/chatcmpl-kept", reply({"id": "chatcmpl-kept"}))
    second = server_with(upstream=upstream, folder=first.folder)
    assert second.get("/v1/chat/completions/chatcmpl-kept").status == 200


def test_a_limit_of_nothing_is_judged_by_the_provider(simulated: RunningServer):
    body = {**asked("gpt-4.1-mini"), "store": True}
    assert simulated.post("/v1/chat/completions", body).status == 200
    refused = simulated.get("/v1/chat/completions?limit=0")
    assert (refused.status, refused.error["code"]) == (400, "integer_below_min_value")


def test_a_stored_response_that_breaks_off_ends_in_an_error(
    shared_with: StartServer, upstream: Upstream, model: str
):
    server = shared_with(upstream=upstream)
    north, south = two_projects(server)
    upstream.answers(model, reply(response_object(model, "completed", id="resp_again")))
    assert server.post("/v1/responses", {"model": model, "input": "?"}, key=north).status == 200
    created = response_event("response.created", 0, response=response_object(model))
    address = "/v1/responses/resp_again?stream=true"
    upstream.answers(address, stream(created, CUT))
    broken = server.get(address, key=north)
    assert broken.headers["content-type"].startswith("text/event-stream")
    last = json.loads(broken.body.split(b"data: ")[-1])
    assert (last["type"], last["sequence_number"]) == ("error", 1)
    assert last["code"].startswith("upstream_")
    assert server.get(address, key=south).status == 404
    assert server.request("HEAD", address, key=north).body == b""


def test_a_client_that_leaves_a_stored_response_ends_it_at_the_provider(
    shared_with: StartServer, upstream: Upstream, model: str
):
    server = shared_with(upstream=upstream)
    upstream.answers(model, reply(response_object(model, "completed", id="resp_left")))
    assert server.post("/v1/responses", {"model": model, "input": "?"}).status == 200
    created = response_event("response.created", 0, response=response_object(model))
    address = "/v1/responses/resp_left?stream=true"
    upstream.answers(address, stream(created, 20.0))
    with server.connect() as raw:
        raw.sendall(
            b"GET %b HTTP/1.1\r\nhost: x\r\nauthorization: Bearer %b\r\n\r\n"
            % (address.encode(), ADMIN_KEY.encode())
        )
        seen = b""
        while b"response.created" not in seen:
            seen += raw.recv(65536)
    assert until(upstream.wait_for(address).left.is_set, 5.0)
