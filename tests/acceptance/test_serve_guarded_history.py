"""What a provider keeps and shows again has what was hidden put back, in every form it is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from servers import RunningServer, end_server, start_server
from upstreams import (
    CUT,
    Upstream,
    completion,
    reply,
    response_deltas,
    response_event,
    response_object,
    stream,
)

MAIL = "anne.canary@example.com"
GUARDED = """
guards:
  personal: { redact: { find: { kinds: [email], languages: [en] } } }
  house: { words: { words: [Project Chimera] } }
  canary: { canary: {} }
guard_policies:
  everyone: { guards: [personal] }
  careful: { guards: [house], of: { route: history-careful } }
  outsiders: { guards: [canary], of: { trust: untrusted } }
routes:
  history-careful: { targets: [{ provider: openai, model: history-model }] }
"""
USAGE = {"input_tokens": 9, "output_tokens": 3, "total_tokens": 12}


@pytest.fixture(scope="module")
def server(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    started = start_server(
        tmp_path_factory.mktemp("history") / "server", settings=GUARDED, upstream=upstream
    )
    yield started
    end_server(started)


def said(text: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"id": "msg_1", "type": "message", "role": "assistant", "content": content}


@pytest.mark.parametrize("cut", [1, 4, 100])
def test_a_stored_response_that_is_streamed_again_shows_the_values(
    server: RunningServer, upstream: Upstream, model: str, cut: int
):
    response_id = f"resp_history_{cut}"
    text = "Dear <EMAIL_1>, <email 1> and <EMAIL_9>"
    done = response_object(model, "completed", id=response_id, output=[said(text)], usage=USAGE)
    upstream.answers(model, reply(done))
    asked = {"model": model, "input": f"My mail is {MAIL}"}
    assert server.post("/v1/responses", asked).status == 200
    words = [text[at : at + cut] for at in range(0, len(text), cut)]
    last = response_event("response.completed", 99, response=done)
    address = f"/v1/responses/{response_id}?stream=true"
    upstream.answers(address, stream(*response_deltas(model, *words), last))
    answer = server.get(address)
    shown = answer.events
    whole = f"Dear {MAIL}, {MAIL} and <EMAIL_9>"
    deltas = [one["delta"] for one in shown if one["type"] == "response.output_text.delta"]
    assert "".join(deltas) == whole
    assert shown[-1]["response"]["output"][0]["content"][0]["text"] == whole
    upstream.answers(address, stream(*response_deltas(model, *words), CUT))
    assert server.get(address).events[-1]["type"] == "error"


def test_in_json_a_value_stays_json(server: RunningServer, upstream: Upstream, model: str):
    value = '"anne canary"@example.com'
    response_id = "resp_history_json"
    text = '{"to": "<EMAIL_1>"}'
    form = {"format": {"type": "json_object"}}
    done = response_object(
        model, "completed", id=response_id, output=[said(text)], usage=USAGE, text=form
    )
    upstream.answers(model, reply(done))
    asked = {"model": model, "input": f"It is {value}", "text": form}
    first = server.post("/v1/responses", asked).json()["output"][0]["content"][0]["text"]
    upstream.answers(f"/v1/responses/{response_id}", reply(done))
    again = server.get(f"/v1/responses/{response_id}").json()["output"][0]["content"][0]["text"]
    assert json.loads(first) == json.loads(again)


def test_the_items_that_a_response_was_asked_show_the_values(
    server: RunningServer, upstream: Upstream, model: str
):
    done = response_object(model, "completed", id="resp_history_items", output=[], usage=USAGE)
    upstream.answers(model, reply(done))
    server.post("/v1/responses", {"model": model, "input": f"My mail is {MAIL}"})
    item = {"type": "message", "role": "user", "content": [{"text": "My mail is <EMAIL_1>"}]}
    address = "/v1/responses/resp_history_items/input_items"
    upstream.answers(address, reply({"object": "list", "data": [item]}))
    shown = server.get(address).json()["data"][0]["content"][0]["text"]
    assert shown == f"My mail is {MAIL}"


def test_a_conversation_shows_the_values_from_its_beginning_on(
    server: RunningServer, upstream: Upstream, model: str
):
    conversation = "conv_history"
    made = {"id": conversation, "object": "conversation", "metadata": {"of": "<EMAIL_1>"}}
    upstream.answers("/v1/conversations", reply(made))
    item = {"type": "message", "role": "user", "content": f"My mail is {MAIL}"}
    begun = server.post("/v1/conversations", {"items": [item], "metadata": {"of": MAIL}})
    assert begun.json()["metadata"] == {"of": MAIL}
    items = f"/v1/conversations/{conversation}/items"
    told = {"object": "list", "data": [item | {"content": "<EMAIL_2> beside <EMAIL_1>"}]}
    upstream.answers(items, reply(told))
    other = item | {"content": "Not bob@example.com"}
    added = server.post(items, {"items": [other]})
    assert upstream.requests(items)[-1].json()["items"][0]["content"] == "Not <EMAIL_2>"
    for shown in (added, server.get(items)):
        assert shown.json()["data"][0]["content"] == f"bob@example.com beside {MAIL}"
    done = response_object(model, "completed", output=[said("<EMAIL_1>")], usage=USAGE)
    upstream.answers(model, reply(done))
    asked = {"model": model, "input": "Which is it?", "conversation": conversation}
    answer = server.post("/v1/responses", asked).json()
    assert answer["output"][0]["content"][0]["text"] == MAIL


def test_a_stored_chat_shows_the_values(server: RunningServer, upstream: Upstream, model: str):
    kept = completion(model, "Dear <EMAIL_1>", id="chatcmpl-history")
    upstream.answers(model, reply(kept))
    messages = [{"role": "user", "content": f"My mail is {MAIL}"}]
    server.post("/v1/chat/completions", {"model": model, "messages": messages, "store": True})
    address = "/v1/chat/completions/chatcmpl-history"
    upstream.answers(address, reply(kept))
    shown = server.get(address).json()
    assert shown["choices"][0]["message"]["content"] == f"Dear {MAIL}"
    asked = {"object": "list", "data": [{"id": "m", "role": "user", "content": "<EMAIL_1>"}]}
    upstream.answers(f"{address}/messages", reply(asked))
    assert server.get(f"{address}/messages").json()["data"][0]["content"] == MAIL


@pytest.mark.parametrize("what", ["blocked", "in the background", "recited"])
def test_what_guards_keep_back_can_not_be_had_by_asking_again(
    server: RunningServer, upstream: Upstream, what: str
):
    response_id = f"resp_kept_back_{what.split(maxsplit=1)[0]}"
    asked: dict[str, Any] = {"model": "history-careful", "input": "x", "instructions": "Be kind."}
    trust = "untrusted" if what == "recited" else "trusted"
    text = "Fine." if what == "recited" else "It is Project Chimera."
    done = response_object(
        "history-model", "completed", id=response_id, output=[said(text)], usage=USAGE
    )
    upstream.answers("history-model", reply(done))
    if what == "in the background":
        asked["background"] = True
        begun = response_object("history-model", "queued", id=response_id, background=True)
        upstream.answers("history-model", reply(begun))
    before = len(upstream.requests("history-model"))
    answer = server.post("/v1/responses", asked, headers={"x-headgate-trust": trust})
    assert answer.status == (400 if what == "blocked" else 200), answer.body
    if what == "recited":
        text = upstream.requests("history-model")[before].json()["instructions"]
        assert text != "Be kind."
        done = done | {"output": [said(text)]}
    address = f"/v1/responses/{response_id}"
    upstream.answers(address, reply(done))
    again = server.get(address)
    assert (again.status, again.error["code"]) == (400, "content_blocked"), again.body
    words = [text[at : at + 5] for at in range(0, len(text), 5)]
    last = response_event("response.completed", 99, response=done)
    flowing = f"{address}?stream=true"
    upstream.answers(flowing, stream(*response_deltas("history-model", *words), last))
    shown = server.get(flowing)
    assert shown.events[-1]["type"] == "error"
    assert text.encode() not in shown.body
