"""Sound and pictures where guards stand: refused unread, or passed whole; texts are guarded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from servers import Reply, RunningServer, end_server, start_server
from upstreams import (
    DONE,
    Upstream,
    chat_event,
    chat_usage,
    chunk,
    completion,
    reply,
    response_event,
    stream,
)

GUARDED = """
guards:
  personal: { redact: { find: { kinds: [email], languages: [en] } } }
  house: { words: { words: [Project Chimera] } }
  seen: { words: { words: [Project Chimera] }, unreadable: allow }
  hidden: { redact: { find: { kinds: [email], languages: [en] } }, unreadable: allow }
guard_policies:
  strict: { guards: [personal, house], of: { project: media-strict } }
  hiding: { guards: [personal], of: { project: media-hiding } }
  open: { guards: [hidden, seen], of: { project: media-open } }
"""

MAIL = "anne.canary@example.com"
SOUND = bytes(range(256)) * 40 + b"\n\n\xff\n\n"
FORM = {"content-type": "multipart/form-data; boundary=x1"}


@pytest.fixture(scope="module")
def server(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    started = start_server(
        tmp_path_factory.mktemp("media") / "server", settings=GUARDED, upstream=upstream
    )
    for name in ("media-strict", "media-hiding", "media-open"):
        started.post("/api/projects", {"name": name})
    yield started
    end_server(started)


@pytest.fixture(scope="module")
def keys(server: RunningServer) -> dict[str, str]:
    return {name: server.new_key(project=f"media-{name}") for name in ("strict", "hiding", "open")}


def form(model: str, **fields: str) -> bytes:
    told = "".join(
        f'--x1\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in {"model": model, **fields}.items()
    )
    file = '--x1\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF\r\n'
    return f"{told}{file}--x1--\r\n".encode()


def refused_unread(answer: Reply, what: str) -> None:
    assert (answer.status, answer.error["code"]) == (400, "content_blocked"), answer.body
    assert f"can't see into {what}" in answer.error["message"]
    assert "`unreadable`" in answer.error["message"]


def test_speech_hides_what_it_is_to_say_and_leaves_the_sound_as_it_is(
    server: RunningServer, upstream: Upstream, keys: dict[str, str], model: str
):
    head = b"HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ntransfer-encoding: chunked\r\n\r\n"
    pieces = [chunk(SOUND[at : at + 777]) for at in range(0, len(SOUND), 777)]
    upstream.answers(model, [head, *pieces, b"0\r\n\r\n"])
    body = {"model": model, "voice": "alloy", "input": f"Hello {MAIL}", "instructions": MAIL}
    refused_unread(server.post("/v1/audio/speech", body, key=keys["strict"]), "audio")
    assert upstream.requests(model) == [], "what will be refused is not paid for"
    for name in ("open", "hiding"):
        answer = server.post("/v1/audio/speech", body, key=keys[name])
        assert answer.status == 200, answer.body
        assert answer.body == SOUND
        sent = upstream.requests(model)[-1].json()
        assert (sent["input"], sent["instructions"]) == ("Hello <EMAIL_1>", "<EMAIL_1>")


def test_pictures_are_refused_before_they_are_paid_for(
    server: RunningServer, upstream: Upstream, keys: dict[str, str], model: str
):
    upstream.answers(model, reply({"created": 1, "data": [{"b64_json": "AAAA"}]}))
    body = {"model": model, "prompt": f"A letter to {MAIL}"}
    refused_unread(server.post("/v1/images/generations", body, key=keys["strict"]), "image")
    assert upstream.requests(model) == []
    answer = server.post("/v1/images/generations", body, key=keys["open"])
    assert answer.json()["data"] == [{"b64_json": "AAAA"}]
    assert upstream.requests(model)[-1].json()["prompt"] == "A letter to <EMAIL_1>"


@pytest.mark.parametrize("content_type", ["text/plain; charset=utf-8", "application/json"])
def test_a_transcript_is_restored_in_whatever_form_it_comes(
    server: RunningServer, upstream: Upstream, keys: dict[str, str], model: str, content_type: str
):
    said = "I am <EMAIL_1>."
    is_json = "json" in content_type
    answered = json.dumps({"text": said}).encode() if is_json else said.encode()
    path = "/v1/audio/transcriptions"
    upstream.answers(path, reply(answered, content_type=content_type))
    before = len(upstream.requests(path))
    body = form(model, prompt=f"Names: {MAIL}", response_format="json" if is_json else "text")
    refused_unread(server.request("POST", path, body, headers=FORM, key=keys["strict"]), "audio")
    assert len(upstream.requests(path)) == before
    answer = server.request("POST", path, body, headers=FORM, key=keys["open"])
    assert answer.status == 200, answer.body
    assert (answer.json()["text"] if is_json else answer.body.decode()) == f"I am {MAIL}."
    assert b"Names: <EMAIL_1>" in upstream.requests(path)[-1].body
    upstream.answers(path, reply(b"About Project Chimera", content_type="text/plain"))
    blocked = server.request("POST", path, body, headers=FORM, key=keys["open"])
    assert blocked.error["code"] == "content_blocked"


def test_a_streamed_transcript_is_restored_as_it_flows(
    server: RunningServer, upstream: Upstream, keys: dict[str, str], model: str
):
    path = "/v1/audio/transcriptions"
    done = {"type": "transcript.text.done", "text": "I am <EMAIL_1>"}
    events = [{"type": "transcript.text.delta", "delta": one} for one in ("I am <EM", "AIL_1>")]
    told = [b"data: " + json.dumps(event).encode() + b"\n\n" for event in (*events, done)]
    upstream.answers(path, stream(*told))
    body = form(model, prompt=MAIL, stream="true")
    answer = server.request("POST", path, body, headers=FORM, key=keys["open"])
    shown = [json.loads(one[6:]) for one in answer.body.decode().splitlines() if one]
    assert "".join(one.get("delta", "") for one in shown) == f"I am {MAIL}"
    assert shown[-1]["text"] == f"I am {MAIL}"


def test_what_is_no_text_in_a_stream_is_cut_or_passes_whole(
    server: RunningServer, upstream: Upstream, keys: dict[str, str], model: str
):
    sound = {"audio": {"id": "a", "data": "UklGRg=="}}
    upstream.answers(model, stream(chat_event(model, sound), chat_usage(model), DONE))
    body = {"model": model, "messages": [{"role": "user", "content": MAIL}], "stream": True}
    passed = server.post("/v1/chat/completions", body, key=keys["open"])
    assert b"UklGRg==" in passed.body
    assert b"[DONE]" in passed.body
    cut = server.post("/v1/chat/completions", body, key=keys["strict"])
    assert b"UklGRg==" not in cut.body
    assert b"content_blocked" in cut.body

    picture = response_event("response.image_generation_call.partial_image", 0, item_id="i",
                             partial_image_b64="iVBORw0=")  # fmt: skip
    finish = response_event("response.completed", 1, response={"id": "r", "output": []})
    upstream.answers(model, stream(picture, finish))
    body = {"model": model, "input": MAIL, "stream": True, "store": False}
    assert b"iVBORw0=" in server.post("/v1/responses", body, key=keys["open"]).body
    assert b"iVBORw0=" not in server.post("/v1/responses", body, key=keys["strict"]).body


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:text/csv;base64,A"}},
    ],
)  # fmt: skip
def test_what_a_guard_can_not_read_in_a_question_is_refused_unless_it_says_otherwise(
    server: RunningServer,
    upstream: Upstream,
    keys: dict[str, str],
    model: str,
    part: dict[str, Any],
):
    upstream.answers(model, reply(completion(model)))
    body = {"model": model, "messages": [{"role": "user", "content": [part]}]}
    what = {"image_url": "image", "input_audio": "audio", "file": "file"}[part["type"]]
    refused_unread(server.post("/v1/chat/completions", body, key=keys["strict"]), what)
    assert upstream.requests(model) == []
    assert server.post("/v1/chat/completions", body, key=keys["open"]).status == 200
