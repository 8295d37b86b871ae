"""Responses over a websocket go by the guards as over HTTP, in all that the socket remembers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from servers import RunningServer, end_server, start_server
from socket_events import Events, opened
from upstreams import Upstream, response_deltas, response_event, response_object, stream

MAIL = "anne.socket@example.com"

SETTINGS = """
sockets: { client_secrets: provider }
endpoints: { allow: [/v1/realtime/calls] }
guards:
  personal: { redact: { find: { kinds: [email], languages: [en] } } }
  house: { words: { words: [Project Chimera] } }
  bait: { canary: {} }
guard_policies:
  everyone: { guards: [personal, house, bait] }
"""


@pytest.fixture(scope="module")
def guarded(
    upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("guarded-responses") / "server"
    server = start_server(folder, settings=SETTINGS, upstream=upstream)
    yield server
    end_server(server)


def said(model: str, response_id: str, *words: str) -> Any:
    """A streamed response that says `words`."""
    item = {
        "id": "msg_1", "type": "message", "role": "assistant", "status": "completed",
        "content": [{"type": "output_text", "text": "".join(words), "annotations": []}],
    }  # fmt: skip
    usage = {"input_tokens": 9, "output_tokens": 3, "total_tokens": 12}
    more = {"id": response_id, "output": [item], "usage": usage}
    done = response_object(model, "completed", **more)
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    text = "".join(words)
    return stream(
        *response_deltas(model, *words),
        response_event("response.output_text.done", 901, **place, text=text, logprobs=[]),
        response_event("response.output_item.done", 902, output_index=0, item=item),
        response_event("response.completed", 903, response=done),
    )


async def turn(events: Events, model: str, text: str, **more: Any) -> dict[str, Any]:
    await events.send({"type": "response.create", "model": model, "input": text, **more})
    while True:
        event = await events.next()
        if event["type"] in ("response.completed", "error"):
            return event


def shown(events: Events) -> str:
    deltas = [e["delta"] for e in events.seen if e["type"] == "response.output_text.delta"]
    return "".join(deltas)


@pytest.mark.parametrize("cut", [1, 5, 100])
async def test_what_is_hidden_comes_back_in_every_event(
    guarded: RunningServer, upstream: Upstream, model: str, cut: int
):
    text = "Dear <EMAIL_1>, <email 1> and <EMAIL_2>"
    words = [text[at : at + cut] for at in range(0, len(text), cut)]
    upstream.answers(model, said(model, f"resp_{model}", *words))
    async with opened(guarded) as events:
        done = await turn(events, model, f"I am {MAIL}")
        whole = f"Dear {MAIL}, {MAIL} and <EMAIL_2>"
        assert shown(events) == whole
        assert done["response"]["output"][0]["content"][0]["text"] == whole
        numbers = [event["sequence_number"] for event in events.seen]
        assert numbers == sorted(set(numbers))
        assert "<EMAIL_1>" not in json.dumps(events.seen)
    (seen,) = upstream.requests(model)
    assert MAIL.encode() not in seen.body


@pytest.mark.parametrize("stored", [False, True])
async def test_a_later_turn_of_the_socket_knows_what_was_hidden(
    guarded: RunningServer, upstream: Upstream, model: str, stored: bool
):
    first, second = f"resp_{model}_1", f"resp_{model}_2"
    upstream.answers(
        model, said(model, first, "Noted, <EMAIL_1>."), said(model, second, "It is <EMAIL_", "1>."),
    )  # fmt: skip
    async with opened(guarded) as events:
        await turn(events, model, f"I am {MAIL}", store=stored)
        events.seen.clear()
        await turn(events, model, "Who am I?", store=stored, previous_response_id=first)
        assert shown(events) == f"It is {MAIL}."
    for seen in upstream.requests(model):
        assert MAIL.encode() not in seen.body
    if not stored:
        # The socket remembers what it showed; it is hidden anew on its way out.
        assert b"Noted, <EMAIL_1>." in upstream.requests(model)[1].body


async def test_a_blocked_response_is_an_error_and_the_socket_goes_on(
    guarded: RunningServer, upstream: Upstream, model: str
):
    async with opened(guarded) as events:
        refused = await turn(events, model, "On Project Chimera")
        assert (refused["type"], refused["error"]["code"]) == ("error", "content_blocked")
        upstream.answers(model, said(model, "resp_1", "Project Ch", "imera is it"),
                         said(model, f"resp_{model}", "Water."))  # fmt: skip
        cut = await turn(events, model, "hello")
        assert "content_blocked" in json.dumps(cut)
        assert "imera" not in json.dumps(events.seen)
        assert (await turn(events, model, "hello"))["type"] == "response.completed"


SECRETS, CALLS = "/v1/realtime/client_secrets", "/v1/realtime/calls"
SESSION = b'{"session": {"type": "realtime", "model": "gpt-realtime"}}'
FORM = b'--b\r\ncontent-disposition: form-data; name="sdp"\r\n\r\nv=0\r\n--b--\r\n'


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        (SECRETS, SESSION, "application/json"),
        (SECRETS, b"", "application/json"),
        (CALLS, SESSION, "application/json"),
        (CALLS, b"v=0", "application/sdp"),
        (CALLS, FORM, "multipart/form-data; boundary=b"),
    ],
)
def test_nothing_is_handed_out_that_leads_past_the_guards(
    guarded: RunningServer, upstream: Upstream, path: str, body: bytes, kind: str
):
    refused = guarded.post(path, body, headers={"content-type": kind})
    assert refused.status == 400, refused.body
    assert refused.error["code"] == "guard_cannot_see"
    assert "/v1/realtime" in refused.error["message"]
    assert not upstream.requests(path)
