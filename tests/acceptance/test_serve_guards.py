"""The guards of a running server: what is hidden, put back, blocked, and never shown."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from servers import (
    ADMIN_KEY,
    Reply,
    RunningServer,
    StartServer,
    end_server,
    events_of,
    headgate,
    start_server,
    until,
)
from upstreams import (
    DONE,
    Upstream,
    chat_event,
    chat_usage,
    chat_words,
    completion,
    error,
    reply,
    response_deltas,
    response_event,
    response_object,
    stream,
)

MAIL = "anne.canary@example.com"
CARD = "4111 1111 1111 1111"

GUARDED = """
logs: { level: debug }
cache: { when: deterministic }
guards:
  personal:
    redact:
      find: { kinds: [email, payment_card, secret], languages: [en] }
      modes: { payment_card: mask, secret: block }
    unreadable: allow
  house:
    words: { words: [Project Chimera], message: "We do not talk about that." }
    unreadable: allow
  readable:
    words: { words: [never said], on_hit: flag }
guard_policies:
  everyone: { guards: [personal, house] }
  outsiders: { guards: [readable], of: { trust: untrusted } }
"""


@pytest.fixture(scope="module")
def guarded(
    upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """A server with guards that tests share, each with a model of its own."""
    server = start_server(
        tmp_path_factory.mktemp("guarded") / "server", settings=GUARDED, upstream=upstream
    )
    yield server
    end_server(server)


def content(answer: Reply) -> str:
    assert answer.status == 200, answer.body
    return str(answer.json()["choices"][0]["message"]["content"])


def test_the_model_sees_placeholders_and_the_client_its_values(
    guarded: RunningServer, upstream: Upstream, model: str
):
    upstream.answers(model, reply(completion(model, "I wrote to <EMAIL_1>.")))
    answer = guarded.chat(model, text=f"Write to {MAIL} about card {CARD}.")
    assert content(answer) == f"I wrote to {MAIL}."
    assert answer.headers["x-headgate-guards"] == "personal=2, house=pass"
    (seen,) = upstream.requests(model)
    said = seen.json()["messages"][0]["content"]
    assert said == "Write to <EMAIL_1> about card **** **** **** 1111."


@pytest.mark.parametrize("cut", [1, 3, 40])
def test_a_streamed_chat_is_restored_as_it_flows(
    guarded: RunningServer, upstream: Upstream, model: str, cut: int
):
    text = "Dear <EMAIL_1>, <email 1> and <EMAIL_2> <b>"
    words = [text[at : at + cut] for at in range(0, len(text), cut)]
    finish = chat_event(model, {}).replace(b'"finish_reason":null', b'"finish_reason":"stop"')
    events = [*chat_words(model, *words), finish, chat_usage(model), DONE]
    upstream.answers(model, stream(*events))
    answer = guarded.chat(model, text=f"I am {MAIL}", stream=True)
    choices = [choice for event in answer.events for choice in event["choices"]]
    shown = "".join(choice["delta"].get("content") or "" for choice in choices)
    assert shown == f"Dear {MAIL}, {MAIL} and <EMAIL_2> <b>"
    assert choices[-1]["finish_reason"] == "stop"
    assert answer.body.endswith(b"data: [DONE]\n\n")


def test_a_streamed_response_is_restored_in_every_event(
    guarded: RunningServer, upstream: Upstream, model: str
):
    words = ["Dear <EM", "AIL_1", ">, hel", "lo <EMA"]
    text = "".join(words)
    item = {
        "id": "msg_1", "type": "message", "role": "assistant", "status": "completed",
        "content": [{"type": "output_text", "text": text, "annotations": []}],
    }  # fmt: skip
    usage = {"input_tokens": 9, "output_tokens": 3, "total_tokens": 12}
    done = response_object(model, "completed", output=[item], usage=usage)
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    events = [
        *response_deltas(model, *words),
        response_event("response.output_text.done", 7, **place, text=text, logprobs=[]),
        response_event("response.output_item.done", 8, output_index=0, item=item),
        response_event("response.completed", 9, response=done),
    ]
    upstream.answers(model, stream(*events))
    answer = guarded.post(
        "/v1/responses", {"model": model, "input": f"I am {MAIL}", "stream": True, "store": False}
    )
    shown = answer.events
    whole = f"Dear {MAIL}, hello <EMA"
    deltas = [one["delta"] for one in shown if one["type"] == "response.output_text.delta"]
    assert "".join(deltas) == whole
    assert shown[-1]["response"]["output"][0]["content"][0]["text"] == whole
    assert [one["sequence_number"] for one in shown] == list(range(len(shown)))
    assert b"<EMAIL" not in answer.body


def test_tool_arguments_are_restored_as_json(
    guarded: RunningServer, upstream: Upstream, model: str
):
    call = {
        "id": "call_1", "type": "function",
        "function": {"name": "send", "arguments": '{"to": "<EMAIL_1>"}'},
    }  # fmt: skip
    answered = completion(model)
    answered["choices"][0]["message"] |= {"content": None, "tool_calls": [call]}
    upstream.answers(model, reply(answered))
    answer = guarded.chat(model, text=f"Write to {MAIL}")
    (made,) = answer.json()["choices"][0]["message"]["tool_calls"]
    assert json.loads(made["function"]["arguments"]) == {"to": MAIL}


def test_a_secret_never_leaves(guarded: RunningServer, upstream: Upstream, model: str):
    answer = guarded.chat(model, text="use sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJ")
    assert answer.status == 400
    assert answer.error["code"] == "content_blocked"
    assert "secret" in answer.error["message"]
    assert upstream.requests(model) == []
    assert guarded.record(model_requested=model)["error_class"] == "content_blocked"


def test_words_are_blocked_on_both_ways(guarded: RunningServer, upstream: Upstream, model: str):
    assert guarded.chat(model, text="What is project chimera?").error["message"] == (
        "We do not talk about that."
    )
    assert upstream.requests(model) == []
    upstream.answers(model, reply(completion(model, "It is Project Chimera.")))
    answer = guarded.chat(model, text="What is it?")
    assert answer.status == 400
    assert b"Chimera" not in answer.body
    record = until(lambda: guarded.records(model_requested=model)[1:], 5)[-1]
    assert record["cost_nanousd"] != 0, "what was used is paid for, though nobody may see it"


def test_a_stream_is_cut_before_the_word_is_shown(
    guarded: RunningServer, upstream: Upstream, model: str
):
    words = ["word "] * 200 + ["Project ", "Chimera ", "is"] + [" word"] * 200
    upstream.answers(model, stream(*chat_words(model, *words), chat_usage(model), DONE))
    answer = guarded.chat(model, text="What is it?", stream=True)
    assert b"Chimera" not in answer.body
    assert answer.events[-1]["error"]["code"] == "content_blocked"
    assert b"[DONE]" not in answer.body


def test_a_caller_can_make_a_call_stricter(guarded: RunningServer, upstream: Upstream, model: str):
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}
    body = {"model": model, "messages": [{"role": "user", "content": [image]}]}
    assert guarded.post("/v1/chat/completions", body).status == 200
    strict = {"x-headgate-trust": "untrusted"}
    answer = guarded.post("/v1/chat/completions", body, headers=strict)
    assert answer.status == 400
    assert "can't see into image" in answer.error["message"]
    wrong = guarded.post("/v1/chat/completions", body, headers={"x-headgate-trust": "maybe"})
    assert wrong.error["param"] == "x-headgate-trust"


def test_equal_questions_of_others_share_an_answer_and_no_values(
    guarded: RunningServer, upstream: Upstream, model: str
):
    upstream.answers(model, reply(completion(model, "I wrote to <EMAIL_1>.")))
    first = guarded.chat(model, text="Write to bob@example.com", temperature=0)
    again = guarded.chat(model, text="Write to eve@example.com", temperature=0)
    assert content(first) == "I wrote to bob@example.com."
    assert content(again) == "I wrote to eve@example.com."
    assert again.headers["x-headgate-cache"] == "hit"
    assert len(upstream.requests(model)) == 1


CANARY = "canary.6f1d@example.com"

REQUESTS: list[tuple[str, dict[str, Any]]] = [
    ("chat/completions", {"messages": [{"role": "user", "content": CANARY}]}),
    ("chat/completions", {"messages": [{"role": "system", "content": CANARY}], "stream": True}),
    ("chat/completions", {"messages": [{"role": "user", "name": CANARY, "content": "x"}]}),
    ("chat/completions", {"messages": [{"role": "user", "content": "x"}], "user": CANARY}),
    ("chat/completions", {"messages": [], "metadata": {"a": CANARY}}),
    ("chat/completions", {"messages": [{"role": "tool", "tool_call_id": "c", "content": CANARY}]}),
    ("chat/completions", {"messages": [{"role": "user", "content": "x"}], "new_field": [CANARY]}),
    ("responses", {"input": CANARY, "store": False}),
    ("responses", {"input": "x", "instructions": CANARY, "store": False, "stream": True}),
    ("responses", {"input": [{"role": "user", "content": [{"text": CANARY}]}]}),
    ("responses", {"input": [{"type": "function_call_output", "call_id": "c", "output": CANARY}]}),
    ("responses", {"input": "x", "tools": [{"type": "function", "description": CANARY}]}),
    ("embeddings", {"input": CANARY}),
    ("embeddings", {"input": ["x", CANARY]}),
    ("moderations", {"input": [{"type": "text", "text": CANARY}]}),
    ("images/generations", {"prompt": CANARY}),
    ("audio/speech", {"input": CANARY, "voice": "alloy", "instructions": CANARY}),
]  # fmt: skip


def test_a_hidden_value_is_nowhere(
    guarded: RunningServer, upstream: Upstream, model: str, tmp_path: Path
):
    for path, body in REQUESTS:
        guarded.post(f"/v1/{path}", {"model": model, **body})
        refused = guarded.post(f"/v1/{path}", {"model": model, **body, "stop": "Project Chimera"})
        assert refused.status == 400
    form = (
        f'--b\r\ncontent-disposition: form-data; name="model"\r\n\r\n{model}\r\n'
        f'--b\r\ncontent-disposition: form-data; name="prompt"\r\n\r\nAbout {CANARY}\r\n'
        '--b\r\ncontent-disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF\r\n'
        "--b--\r\n"
    )
    kind = {"content-type": "multipart/form-data; boundary=b"}
    guarded.post("/v1/audio/transcriptions", form.encode(), headers=kind)
    sent = upstream.requests(model)
    assert len(sent) == len(REQUESTS)
    # A form's model is not in JSON, so it is noted under its address.
    forms = [one for one in upstream.everything() if model.encode() in one.body]
    sent += [one for one in forms if one.body.startswith(b"--b")]
    for one in sent:
        assert CANARY.encode() not in one.body, one.target
    assert b"About <EMAIL_1>" in sent[-1].body
    metrics = guarded.get("/metrics", key=ADMIN_KEY).body
    assert b"headgate_" in metrics
    assert CANARY.encode() not in metrics
    assert CANARY not in guarded.stderr() + guarded.stdout()
    folder = Path(guarded.folder)
    for name in [*folder.rglob("*.db*")]:
        assert CANARY.encode() not in name.read_bytes(), name
    assert any(folder.rglob("*.db")) or os.environ.get("HEADGATE_DATABASE_URL")


MODERATED = """
retries: { max_attempts: 1 }
guards:
  harm: { moderation: { thresholds: { violence: 0.5 }, when: WHEN, window_characters: 100 } }
guard_policies:
  everyone: { guards: [harm] }
"""


def judged(score: float) -> dict[str, Any]:
    result = {"flagged": score > 0.9, "category_scores": {"violence": score, "sexual": 0.0}}
    return {"id": "modr-1", "model": "omni-moderation-latest", "results": [result]}


@pytest.fixture(params=["before", "beside"])
def moderated(
    request: pytest.FixtureRequest, shared_with: StartServer, upstream: Upstream
) -> RunningServer:
    return shared_with(settings=MODERATED.replace("WHEN", request.param), upstream=upstream)


def test_what_is_judged_harmful_is_blocked(
    moderated: RunningServer, upstream: Upstream, model: str
):
    upstream.answers("omni-moderation-latest", reply(judged(0.1)))
    assert content(moderated.chat(model, text="hello")) == "Water flows."
    upstream.answers("omni-moderation-latest", reply(judged(0.6)))
    for streamed in (False, True):
        if streamed:
            upstream.answers(model, stream(*chat_words(model, "Water"), chat_usage(model), DONE))
        answer = moderated.chat(model, text="hello", stream=streamed)
        assert answer.status == 400
        assert "violence" in answer.error["message"]
        assert b"Water" not in answer.body


def test_without_a_judgement_nothing_goes_out(
    moderated: RunningServer, upstream: Upstream, model: str
):
    upstream.answers("omni-moderation-latest", error(500, "broken"))
    answer = moderated.chat(model, text="hello")
    assert answer.status == 503
    assert answer.error["code"] == "guard_failed"
    assert "`harm`" in answer.error["message"]


def test_a_stream_is_cut_where_it_turns_harmful(
    moderated: RunningServer, upstream: Upstream, model: str
):
    upstream.answers("omni-moderation-latest", reply(judged(0.0)))
    words, turned = ["harmless words "] * 20, threading.Event()
    events = chat_words(model, *words), chat_words(model, *words), [chat_usage(model), DONE]
    upstream.answers(model, stream(*events[0], turned, *events[1], *events[2]))
    body = {"model": model, "messages": [{"role": "user", "content": "hello"}], "stream": True}
    answer = moderated.begin("/v1/chat/completions", body)
    answer.read_until(b"harmless")
    upstream.answers("omni-moderation-latest", reply(judged(0.8)))
    turned.set()
    shown = answer.rest()
    assert events_of(shown)[-1]["error"]["code"] == "content_blocked"
    assert b"[DONE]" not in shown


def test_what_guards_said_is_on_record_and_in_the_metrics(
    guarded: RunningServer, upstream: Upstream, model: str
):
    answer = guarded.chat(model, text=f"Write to {MAIL}")
    call_id = answer.headers["x-headgate-call-id"]
    guarded.record(id=call_id)
    told_of = guarded.get(f"/api/calls/{call_id}").json()["guards"]
    assert [(one["guard"], one["direction"], one["decision"]) for one in told_of] == [
        ("personal", "input", "change"),
        ("house", "input", "pass"),
        ("personal", "output", "pass"),
        ("house", "output", "pass"),
    ]
    assert told_of[0]["counts"] == {"email": 1}
    assert told_of[0]["policy"] == "everyone"
    metrics = guarded.get("/metrics", key=ADMIN_KEY).body.decode()
    assert 'headgate_guard_values_total{guard="personal",kind="email"}' in metrics


@pytest.mark.parametrize("restarted", [False, True])
def test_what_was_hidden_in_an_earlier_turn_comes_back_in_a_later_one(
    server_with: StartServer, upstream: Upstream, model: str, restarted: bool, tmp_path: Path
):
    server = server_with(settings=GUARDED, upstream=upstream, folder=tmp_path / "one")
    usage = {"input_tokens": 9, "output_tokens": 3, "total_tokens": 12}

    def said(response_id: str, text: str) -> dict[str, Any]:
        item = {
            "id": "msg_1", "type": "message", "role": "assistant", "status": "completed",
            "content": [{"type": "output_text", "text": text, "annotations": []}],
        }  # fmt: skip
        more = {"id": response_id, "output": [item], "usage": usage}
        return response_object(model, "completed", **more)

    first, second = f"resp_{model}_1", f"resp_{model}_2"
    upstream.answers(model, reply(said(first, "Noted.")), reply(said(second, "It is <EMAIL_1>.")))
    server.post("/v1/responses", {"model": model, "input": f"My mail is {MAIL}"})
    if restarted:
        server.record(response_id=first)
        server.stop()
        server = server_with(settings=GUARDED, upstream=upstream, folder=tmp_path / "one")
    asked = {"model": model, "input": "And eve@example.com?", "previous_response_id": first}
    answer = server.post("/v1/responses", asked)
    assert answer.status == 200, answer.body
    assert answer.json()["output"][0]["content"][0]["text"] == f"It is {MAIL}."
    assert upstream.requests(model)[-1].json()["input"] == "And <EMAIL_2>?"


def test_what_goes_into_objects_is_guarded_too(guarded: RunningServer, upstream: Upstream):
    upstream.answers("/v1/conversations", reply({"id": "conv_1", "object": "conversation"}))
    item = {"type": "message", "role": "user", "content": f"My mail is {CANARY}"}
    made = guarded.post("/v1/conversations", {"items": [item]})
    assert made.status == 200, made.body
    seen = upstream.requests("/v1/conversations")[-1]
    assert seen.json()["items"][0]["content"] == "My mail is <EMAIL_1>"
    refused = guarded.post("/v1/conversations", {"metadata": {"about": "Project Chimera"}})
    assert refused.error["code"] == "content_blocked"


def test_files_are_refused_where_a_guard_must_see_into_them(
    guarded: RunningServer, upstream: Upstream
):
    form = (
        '--b\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nuser_data\r\n'
        '--b\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\nx\r\n--b--\r\n'
    )
    strict = {
        "content-type": "multipart/form-data; boundary=b", "x-headgate-trust": "untrusted",
    }  # fmt: skip
    before = len(upstream.requests("/v1/files"))
    refused = guarded.post("/v1/files", form.encode(), headers=strict)
    assert refused.error["code"] == "content_blocked"
    assert len(upstream.requests("/v1/files")) == before


def test_headgate_check_shows_which_guards_stand_where(tmp_path: Path):
    (tmp_path / "headgate.yaml").write_text(GUARDED)
    shown = headgate("check", ".", folder=tmp_path)
    assert shown.returncode == 0, shown.stderr
    lines = [" ".join(line.split()) for line in shown.stdout.splitlines()]
    assert "everyone all personal redact input and output 2 s blocks lets by" in lines
    assert "outsiders trust untrusted readable words input and output 2 s blocks blocks" in lines
