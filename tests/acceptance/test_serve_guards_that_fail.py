"""A guard that fails or is late refuses; what it may let by says so wherever it can be told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from servers import ADMIN_KEY, Reply, RunningServer, end_server, headgate, start_server
from socket_events import opened
from upstreams import (
    DONE,
    Upstream,
    chat_event,
    chat_usage,
    chat_words,
    completion,
    reply,
    response_deltas,
    response_event,
    response_object,
    stream,
)

SETTINGS = """
guards:
  raises: { custom: { file: failing.py, guard: Raises }, on_error: allow }
  late: { custom: { file: failing.py, guard: Late }, on_error: allow, timeout_s: 0.05 }
  stuck: { custom: { file: failing.py, guard: Stuck }, on_error: allow, timeout_s: 0.05 }
  hides: { redact: { find: { kinds: [email], languages: [en] } } }
  beside: { custom: { file: failing.py, guard: Beside }, on_error: allow }
  must-raise: { custom: { file: failing.py, guard: Raises }, directions: [input] }
  must-be-late: { custom: { file: failing.py, guard: Late }, directions: [input], timeout_s: 0.05 }
  must-filter: { custom: { file: failing.py, guard: Raises }, directions: [output] }
  must-beside: { custom: { file: failing.py, guard: Beside } }
guard_policies:
  lenient: { guards: [hides, raises, late, stuck, beside], of: { key: LENIENT } }
  one: { guards: [must-raise], of: { route: "gf-raises*" } }
  two: { guards: [must-be-late], of: { route: "gf-late*" } }
  three: { guards: [must-filter], of: { route: "gf-filter*" } }
  four: { guards: [must-beside], of: { trust: untrusted } }
"""

FAILING = '''
import asyncio
import time

from headgate.checks.guards.guard import Guard, OutputFilter
from headgate.checks.guards.verdict import PASS


class Breaks(OutputFilter):
    """Holds two letters back, and breaks at the third piece."""

    def __init__(self):
        self.held, self.pieces = "", 0

    def feed(self, text):
        self.pieces += 1
        if self.pieces == 3:
            raise RuntimeError("the value that it choked on: anne@example.com")
        self.held += text
        told, self.held = self.held[:-2], self.held[-2:]
        return told

    def close(self):
        return self.held


class Raises(Guard):
    async def check_input(self, parts, call):
        raise RuntimeError("the value that it choked on: anne@example.com")

    check_output = check_input

    def output_filter(self, part, call):
        return Breaks()


class Late(Guard):
    async def check_input(self, parts, call):
        await asyncio.sleep(60)

    check_output = check_input


class Stuck(Guard):
    async def check_input(self, parts, call):
        time.sleep(0.1)
        return PASS

    check_output = check_input


class Beside(Guard):
    beside = True

    async def check_input(self, parts, call):
        await asyncio.sleep(0.01)
        raise RuntimeError("no")
'''

INPUT = {(guard, "input") for guard in ("raises", "late", "stuck", "beside")}
OUTPUT = {(guard, "output") for guard in ("raises", "late", "stuck")}


@pytest.fixture(scope="module")
def failing(
    upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """A server all of whose guards fail; `server.lenient` is the key of those that may."""
    folder = tmp_path_factory.mktemp("failing-guards") / "server"
    folder.mkdir()
    (folder / "failing.py").write_text(FAILING)
    # A policy names a key by its id, and a key is made by a server.
    first = start_server(folder, settings="{}", upstream=upstream)
    made = first.new_key_object()
    end_server(first)
    settings = SETTINGS.replace("LENIENT", made["id"])
    server = start_server(folder, settings=settings, upstream=upstream)
    server.lenient = made["key"]  # type: ignore[attr-defined]
    yield server
    end_server(server)


FORM = {"content-type": "multipart/form-data; boundary=b"}


def form(line: dict[str, Any]) -> bytes:
    """A batch's input file of one line, as it is uploaded."""
    head = "--b\r\ncontent-disposition: form-data; name="
    file = f'{head}"file"; filename="in.jsonl"\r\n\r\n{json.dumps(line)}'
    return f'{head}"purpose"\r\n\r\nbatch\r\n{file}\r\n--b--\r\n'.encode()


def ask(server: RunningServer, path: str, body: dict[str, Any]) -> Reply:
    return server.post(path, body, key=server.lenient)  # type: ignore[attr-defined]


def failed(server: RunningServer, **wanted: Any) -> set[tuple[str, str]]:
    """By its record, which guards failed at a call, and in which direction."""
    told = json.loads(server.record(**wanted)["guards"])
    return {(one["guard"], one["direction"]) for one in told if one["decision"] == "failed"}


def in_header(answer: Reply) -> set[str]:
    told = dict(one.split("=") for one in answer.headers["x-headgate-guards"].split(", "))
    return {guard for guard, word in told.items() if word == "failed"}


CHAT = {"messages": [{"role": "user", "content": "I am anne@example.com"}]}


MESSAGE = {
    "id": "msg_1", "type": "message", "role": "assistant", "status": "completed",
    "content": [{"type": "output_text", "text": "Water.", "annotations": []}],
}  # fmt: skip
VECTOR = {"object": "embedding", "index": 0, "embedding": [0.5]}
JUDGED = {"flagged": False, "categories": {}, "category_scores": {}}
USED = {"prompt_tokens": 1, "total_tokens": 1}


@pytest.mark.parametrize(
    ("path", "body", "answered"),
    [
        ("chat/completions", CHAT, completion("m")),
        ("responses", {"input": "anne@example.com"},
         response_object("m", "completed", output=[MESSAGE])),
        ("embeddings", {"input": "anne@example.com"},
         {"object": "list", "model": "m", "data": [VECTOR], "usage": USED}),
        ("moderations", {"input": "anne@example.com"},
         {"id": "modr-1", "model": "m", "results": [JUDGED]}),
    ],
)  # fmt: skip
def test_a_call_that_failed_guards_let_by_says_so(
    failing: RunningServer,
    upstream: Upstream,
    model: str,
    path: str,
    body: dict[str, Any],
    answered: dict[str, Any],
):
    upstream.answers(model, reply(answered))
    answer = ask(failing, f"/v1/{path}", {"model": model, **body})
    assert answer.status == 200, answer.body
    assert failed(failing, id=answer.headers["x-headgate-call-id"]) == INPUT | OUTPUT
    assert in_header(answer) == {"raises", "late", "stuck", "beside"}
    assert "hides=1" in answer.headers["x-headgate-guards"]
    assert b"anne@" not in upstream.requests(model)[0].body


def test_a_stream_that_failed_guards_let_by_is_whole_and_says_so(
    failing: RunningServer, upstream: Upstream, model: str
):
    words = ["one ", "two ", "three ", "four ", "<EMAIL_1>"]
    finish = chat_event(model, {}).replace(b'"finish_reason":null', b'"finish_reason":"stop"')
    upstream.answers(model, stream(*chat_words(model, *words), finish, chat_usage(model), DONE))
    answer = ask(failing, "/v1/chat/completions", {"model": model, **CHAT, "stream": True})
    events = [json.loads(line[6:]) for line in answer.body.splitlines() if line[:7] == b"data: {"]
    choices = [choice for event in events for choice in event["choices"]]
    text = "".join(choice["delta"].get("content") or "" for choice in choices)
    assert text == "one two three four anne@example.com"
    # The head of a stream is sent before its text has come.
    assert in_header(answer) == {"raises", "late", "stuck", "beside"}
    found = failed(failing, id=answer.headers["x-headgate-call-id"])
    assert found == INPUT | OUTPUT


async def test_a_response_over_a_websocket_says_so_in_its_record(
    failing: RunningServer, upstream: Upstream, model: str
):
    response_id = f"resp_{model}"
    usage = {"input_tokens": 9, "output_tokens": 3, "total_tokens": 12}
    done = response_object(model, "completed", id=response_id, usage=usage)
    deltas = response_deltas(model, "one ", "two ", "three ", "four")
    upstream.answers(model, stream(*deltas, response_event("response.completed", 9, response=done)))
    async with opened(failing, failing.lenient) as events:  # type: ignore[attr-defined]
        await events.send({"type": "response.create", "model": model, "input": "hello"})
        await events.until("response.completed")
        deltas = [e["delta"] for e in events.seen if e["type"] == "response.output_text.delta"]
        assert "".join(deltas) == "one two three four"
    assert failed(failing, response_id=response_id) == INPUT | OUTPUT


def test_a_request_about_an_object_that_failed_guards_let_by_says_so(
    failing: RunningServer, upstream: Upstream
):
    upstream.answers("/v1/conversations", reply({"id": "conv_gf", "object": "conversation"}))
    made = ask(failing, "/v1/conversations", {"metadata": {"about": "rivers"}})
    assert made.status == 200, made.body
    assert failed(failing, id=made.headers["x-headgate-call-id"]) == INPUT


def test_lines_and_results_that_failed_guards_let_by_say_so(
    failing: RunningServer, upstream: Upstream
):
    upstream.answers("/v1/files", reply({"id": "file-gf", "object": "file"}))
    body = {"model": "gf-line", "messages": [{"role": "user", "content": "a@example.com"}]}
    line = {"custom_id": "r1", "method": "POST", "url": "/v1/chat/completions", "body": body}
    sent = failing.post("/v1/files", form(line), headers=FORM, key=failing.lenient)  # type: ignore[attr-defined]
    assert sent.status == 200, sent.body
    assert b"<EMAIL_1>" in upstream.requests("/v1/files")[-1].body
    assert failed(failing, id=sent.headers["x-headgate-call-id"]) == INPUT
    said = sent.headers["x-headgate-guards"].split(", ")
    assert {f"{guard}=failed" for guard, _ in INPUT} | {"hides=1"} == set(said)

    upstream.answers("/v1/files/file-gf/content", reply(line))
    batch = {"id": "batch-gf", "object": "batch", "input_file_id": "file-gf"}
    upstream.answers("/v1/batches", reply({**batch, "output_file_id": "file-gfo"}))
    begun = {"endpoint": "/v1/chat/completions", "completion_window": "24h"}
    made = ask(failing, "/v1/batches", {"input_file_id": "file-gf", **begun})
    assert made.status == 200, made.body
    answer = {"choices": [{"message": {"role": "assistant", "content": "to <EMAIL_1>"}}]}
    result = {"custom_id": "r1", "response": {"status_code": 200, "body": answer}}
    upstream.answers("/v1/files/file-gfo/content", reply(result))
    told = failing.get("/v1/files/file-gfo/content", key=failing.lenient)  # type: ignore[attr-defined]
    assert b"to a@example.com" in told.body
    assert failed(failing, id=told.headers["x-headgate-call-id"]) == OUTPUT


def test_the_metrics_tell_of_every_guard_that_failed(failing: RunningServer, model: str):
    ask(failing, "/v1/chat/completions", {"model": model, **CHAT})
    metrics = failing.get("/metrics", key=ADMIN_KEY).body.decode()
    for guard, direction in INPUT | OUTPUT:
        one = f'decision="failed",direction="{direction}",guard="{guard}",policy="lenient"'
        assert f"headgate_guard_verdicts_total{{{one}}}" in metrics


@pytest.mark.parametrize(
    ("model", "guard"), [("gf-raises", "must-raise"), ("gf-late", "must-be-late")]
)
@pytest.mark.parametrize("streamed", [False, True])
def test_a_guard_that_must_not_fail_refuses(
    failing: RunningServer, upstream: Upstream, model: str, guard: str, streamed: bool
):
    body = {"model": model, **CHAT, "stream": streamed}
    answer = failing.post("/v1/chat/completions", body)
    assert answer.status == 503
    assert answer.error["code"] == "guard_failed"
    assert f"`{guard}`" in answer.error["message"]
    assert not upstream.requests(model)
    assert failed(failing, id=answer.headers["x-headgate-call-id"]) == {(guard, "input")}


def test_a_filter_that_must_not_fail_ends_the_stream(failing: RunningServer, upstream: Upstream):
    model = "gf-filter"
    words = ["one ", "two ", "three ", "four "]
    upstream.answers(model, stream(*chat_words(model, *words), chat_usage(model), DONE))
    answer = failing.post("/v1/chat/completions", {"model": model, **CHAT, "stream": True})
    assert b"two" not in answer.body
    assert b"[DONE]" not in answer.body
    error = json.loads(answer.body.rstrip().rsplit(b"data: ", 1)[1])["error"]
    assert error["code"] == "guard_failed"
    assert "`must-filter`" in error["message"]
    assert failed(failing, model_requested=model) == {("must-filter", "output")}


@pytest.mark.parametrize(
    ("method", "path", "body", "headers"),
    [
        ("POST", "/v1/conversations", {"metadata": {"about": "x"}}, {}),
        ("POST", "/v1/files", form({}), FORM),
        ("GET", "/v1/conversations/conv_gf_beside/items?after=x", None, {}),
    ],
    ids=["json", "form", "query"],
)
def test_an_object_waits_for_guards_that_work_beside(
    failing: RunningServer, upstream: Upstream, method: str, path: str, body: Any,
    headers: dict[str, str],
):  # fmt: skip
    before = len(upstream.requests(path))
    headers = headers | {"x-headgate-trust": "untrusted"}
    refused = failing.request(method, path, body, headers=headers)
    assert refused.status == 503, refused.body
    assert refused.error["message"].startswith("The guard `must-beside`")
    assert len(upstream.requests(path)) == before


def test_what_a_guard_choked_on_is_in_no_log(failing: RunningServer, model: str):
    ask(failing, "/v1/chat/completions", {"model": model, **CHAT})
    assert "RuntimeError" in failing.stderr()
    assert "anne@example.com" not in failing.stderr()


def test_headgate_check_tells_which_guards_may_fail(failing: RunningServer):
    shown = headgate("check", ".", folder=failing.folder)
    rows = [line.split() for line in shown.stdout.splitlines() if "custom" in line]
    told = {row[row.index("custom") - 1]: " ".join(row).partition(" s ")[2] for row in rows}
    assert told["raises"] == "lets by blocks", "what it can't read is blocked all the same"
    assert told["must-raise"] == "blocks blocks"
