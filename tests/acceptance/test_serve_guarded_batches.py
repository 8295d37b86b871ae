"""The lines of batches and other files go by the guards as calls do; results come back whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from servers import Reply, RunningServer, StartServer, end_server, start_server
from upstreams import CUT, Script, Upstream, chunk, completion, error, reply

GUARDED = """
guards:
  personal:
    redact:
      find: { kinds: [email, secret], languages: [en] }
      modes: { secret: block }
  house: { words: { words: [Project Chimera], message: "We do not talk about that." } }
  canary: { canary: {} }
  rights: { tools: { rights: { look: { effect: read }, refund: { effect: write } } } }
  lenient: { words: { words: [never said] }, unreadable: allow }
  narrow: { words: { words: [never said either] } }
  harm: { moderation: { model: batch-moderator, thresholds: { violence: 0.5 }, when: beside } }
guard_policies:
  judged: { guards: [harm], of: { project: batch-judged } }
  everyone: { guards: [personal, house], of: { project: batch-guarded } }
  outsiders: { guards: [canary, rights], of: { project: batch-guarded, trust: untrusted } }
  lenient: { guards: [lenient], of: { project: batch-lenient } }
  some-models: { guards: [narrow], of: { project: batch-narrow, route: batch-secretive } }
"""

SECRET = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJ"
KIND = {"content-type": "multipart/form-data; boundary=x1"}
PROJECTS = ("batch-guarded", "batch-lenient", "batch-narrow", "batch-unguarded", "batch-judged")


@pytest.fixture(scope="module")
def server(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    started = start_server(
        tmp_path_factory.mktemp("batches") / "server", settings=GUARDED, upstream=upstream
    )
    for name in PROJECTS:
        started.post("/api/projects", {"name": name})
    yield started
    end_server(started)


@pytest.fixture(scope="module")
def key(server: RunningServer) -> str:
    return server.new_key(project="batch-guarded")


def line(number: int | str, text: str, model: str = "batch-m", **more: Any) -> str:
    body = {"model": model, "messages": [{"role": "user", "content": text}], **more}
    told = {"custom_id": f"r{number}", "method": "POST", "url": "/v1/chat/completions"}
    return json.dumps(told | {"body": body})


def form(
    content: bytes, purpose: str, *, name: str = "in.jsonl", file_first: bool = False
) -> bytes:
    said = b'--x1\r\nContent-Disposition: form-data; name="purpose"\r\n\r\n%b\r\n'
    file = b'--x1\r\nContent-Disposition: form-data; name="file"; filename="%b"\r\n\r\n%b\r\n'
    parts = [said % purpose.encode(), file % (name.encode(), content)]
    return b"".join(reversed(parts) if file_first else parts) + b"--x1--\r\n"


def upload(
    server: RunningServer,
    upstream: Upstream,
    key: str,
    *lines: str,
    purpose: str = "batch",
    file_id: str = "file-in",
    trust: str = "trusted",
    **options: Any,
) -> Reply:
    upstream.answers("/v1/files", reply({"id": file_id, "object": "file"}))
    body = form("\n".join(lines).encode(), purpose, **options)
    return server.request(
        "POST", "/v1/files", body, headers=KIND | {"x-headgate-trust": trust}, key=key
    )


def lines_sent(upstream: Upstream) -> list[dict[str, Any]]:
    """The lines of the file that the provider got last."""
    body = upstream.requests("/v1/files")[-1].body
    content = body.partition(b"filename=")[2].partition(b"\r\n\r\n")[2].partition(b"\r\n--x1")[0]
    return [json.loads(one) for one in content.split(b"\n") if one.strip()]


def chunked(*pieces: bytes) -> Script:
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    return [head, *map(chunk, pieces), b"0\r\n\r\n"]


def begin(server: RunningServer, upstream: Upstream, key: str, file_id: str, **made: Any) -> Reply:
    """A batch of a file of which the provider shows what it got last."""
    content = b"\n".join(json.dumps(one).encode() for one in lines_sent(upstream))
    upstream.answers(f"/v1/files/{file_id}/content", chunked(content))
    batch = {"id": f"batch-{file_id}", "object": "batch", "input_file_id": file_id, **made}
    upstream.answers("/v1/batches", reply(batch))
    body = {
        "input_file_id": file_id, "endpoint": "/v1/chat/completions", "completion_window": "24h",
    }  # fmt: skip
    return server.post("/v1/batches", body, key=key)


def result(number: int | str, text: str, **more: Any) -> bytes:
    body = completion("batch-m-2026-01-01", text) | more
    response = {"status_code": 200, "request_id": "req_1", "body": body}
    told = {"id": f"batch_req_{number}", "custom_id": f"r{number}"}
    return json.dumps(told | {"response": response, "error": None}).encode() + b"\n"


def shown(answer: Reply) -> dict[str, Any]:
    """What results say, by `custom_id`: the text, or the error."""
    assert answer.status == 200, answer.body
    told = {}
    for one in map(json.loads, answer.body.splitlines()):
        response = one["response"]
        told[one["custom_id"]] = (
            one["error"]
            if response is None
            else response["body"]["choices"][0]["message"]["content"]
        )
    return told


@pytest.mark.parametrize("restarted", [False, True])
def test_each_line_hides_its_own_values_and_its_result_shows_them(
    server_with: StartServer, upstream: Upstream, tmp_path: Path, restarted: bool
):
    server = server_with(settings=GUARDED, upstream=upstream, folder=tmp_path / "one")
    for name in PROJECTS:
        server.post("/api/projects", {"name": name})
    key = server.new_key(project="batch-guarded")
    ids = [f"file-{restarted}-{what}" for what in ("in", "out", "bad")]
    lines = [line(n, f"I am user{n}@example.com") for n in range(60)]
    made = upload(server, upstream, key, *lines, file_id=ids[0], file_first=restarted)
    assert made.status == 200, made.body
    assert made.headers["x-headgate-guards"] == "personal=60, house=pass"
    said = [one["body"]["messages"][0]["content"] for one in lines_sent(upstream)]
    assert said == ["I am <EMAIL_1>"] * 60

    done = {"status": "completed", "output_file_id": ids[1], "error_file_id": ids[2]}
    assert begin(server, upstream, key, ids[0], **done).status == 200
    if restarted:
        server.stop()
        server = server_with(settings=GUARDED, upstream=upstream, folder=tmp_path / "one")
    whole = b"".join(result(n, f"Dear < email-1 >, {n} <EMAIL_2>") for n in reversed(range(60)))
    pieces = [whole[at : at + 997] for at in range(0, len(whole), 997)]
    upstream.answers(f"/v1/files/{ids[1]}/content", chunked(*pieces))
    told = shown(server.get(f"/v1/files/{ids[1]}/content", key=key))
    assert told == {f"r{n}": f"Dear user{n}@example.com, {n} <EMAIL_2>" for n in range(60)}

    failed = {"id": "x", "custom_id": "r7", "response": None, "error": {"message": "No <EMAIL_1>"}}
    upstream.answers(f"/v1/files/{ids[2]}/content", chunked(json.dumps(failed).encode()))
    told = shown(server.get(f"/v1/files/{ids[2]}/content", key=key))
    assert told == {"r7": {"message": "No user7@example.com"}}

    content = json.dumps(lines_sent(upstream)[3]).encode()
    upstream.answers(f"/v1/files/{ids[0]}/content", chunked(content))
    own = server.get(f"/v1/files/{ids[0]}/content", key=key).json()
    assert own == json.loads(lines[3]), "what was uploaded is shown as it was"
    everything = b"".join(one.body for one in upstream.everything() if "/files" in one.target)
    assert b"user7@example.com" not in everything


def test_a_line_that_a_guard_blocks_refuses_the_upload(
    server: RunningServer, upstream: Upstream, key: str
):
    before = len(upstream.requests("/v1/files"))
    for text, guard in (("about project chimera", "house"), (f"use {SECRET}", "personal")):
        refused = upload(server, upstream, key, line(1, "Hi"), line(2, "Ho"), line(3, text))
        assert (refused.status, refused.error["code"]) == (400, "content_blocked")
        assert refused.error["message"].startswith("Line 3 of the file: ")
        assert f"`{guard}`" in refused.error["message"]
        assert refused.error["param"] == "file"
        assert text.encode() not in refused.body
        call_id = refused.headers["x-headgate-call-id"]
        server.record(id=call_id)
        told = server.get(f"/api/calls/{call_id}").json()["guards"]
        assert (guard, "block") in [(one["guard"], one["decision"]) for one in told]
    assert len(upstream.requests("/v1/files")) == before, "nothing of the file has left"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ("{", "not JSON"),
        ("[]", "no object `body`"),
        (line(1, "again"), "an earlier line"),
        (line("anne@example.com", "x"), "email in a name"),
        (
            line(2, "x").replace('"r2"', "2").replace('"x"', '"a@example.com"'),
            "needs a `custom_id`",
        ),
        (line(2, "x").replace('"method"', '"a@example.com": 1, "method"'), "email in a name"),
        (line(2, "x").replace("/v1/chat", "/v1/a@example.com/chat"), "email in a name"),
        (line(2, "x", input=[[1, 2]], messages=None), "can't see into tokens"),
    ],
)
def test_a_line_that_guards_can_not_take_in_is_told_by_its_number(
    server: RunningServer, upstream: Upstream, key: str, wrong: str, why: str
):
    refused = upload(server, upstream, key, line(1, "Hi"), "", wrong)
    assert refused.status == 400, refused.body
    assert refused.error["message"].startswith("Line 3 of the file: ")
    assert why in refused.error["message"]
    assert b"a@example.com" not in refused.body


def test_a_result_that_a_guard_blocks_is_shown_as_a_failed_one(
    server: RunningServer, upstream: Upstream, key: str
):
    assert upload(server, upstream, key, line(1, "Hi"), line(2, "Ho"), file_id="file-b").status
    assert begin(server, upstream, key, "file-b", output_file_id="file-bo").status == 200
    results = result(1, "It is Project Chimera.") + b"not json\n" + result(2, "Fine.")
    upstream.answers("/v1/files/file-bo/content", chunked(results))
    answer = server.get("/v1/files/file-bo/content", key=key)
    told = shown(answer)
    assert told["r2"] == "Fine."
    assert told["r1"] == {"code": "content_blocked", "message": "We do not talk about that."}
    assert told[None]["code"] == "guard_cannot_see"
    assert b"Chimera" not in answer.body
    record = server.record(id=answer.headers["x-headgate-call-id"])
    said = {(one["guard"], one["decision"]) for one in json.loads(record["guards"])}
    assert ("house", "block") in said


def test_what_guards_planted_and_withheld_in_a_line_is_watched_for_in_its_result(
    server: RunningServer, upstream: Upstream, key: str
):
    names = ("look", "refund")
    tools = [{"type": "function", "function": {"name": name}} for name in names]
    system = {"role": "system", "content": "Be kind."}
    asked = {"messages": [system, {"role": "user", "content": "Hi"}], "tools": tools}
    lines = [line(n, "", **asked) for n in range(3)]
    options = {"file_id": "file-u", "trust": "untrusted"}
    assert upload(server, upstream, key, *lines, **options).status == 200
    sent = lines_sent(upstream)
    assert [[t["function"]["name"] for t in one["body"]["tools"]] for one in sent] == [["look"]] * 3
    planted = sent[0]["body"]["messages"][0]["content"]
    assert planted != "Be kind."

    trusted = begin(server, upstream, key, "file-u", output_file_id="file-uo")
    assert trusted.status == 403, "other guards stand at trusted calls"
    assert trusted.error["code"] == "guard_cannot_see"
    upstream.answers("/v1/batches", reply({"id": "batch-u", "input_file_id": "file-u",
                                           "output_file_id": "file-uo"}))  # fmt: skip
    body = {"input_file_id": "file-u", "endpoint": "/v1/chat/completions"}
    begun = server.post("/v1/batches", body, key=key, headers={"x-headgate-trust": "untrusted"})
    assert begun.status == 200, begun.body
    asks = {"id": "c", "type": "function", "function": {"name": "refund", "arguments": "{}"}}
    choice = completion("m")["choices"][0]
    called = choice | {"message": {"role": "assistant", "content": None, "tool_calls": [asks]}}
    results = result(0, planted) + result(1, "", choices=[called]) + result(2, "Fine.")
    upstream.answers("/v1/files/file-uo/content", chunked(results))
    told = shown(server.get("/v1/files/file-uo/content", key=key))
    assert [told[f"r{n}"]["code"] for n in (0, 1)] == ["content_blocked"] * 2
    assert told["r2"] == "Fine."


def test_a_batch_begins_only_with_lines_that_its_guards_have_seen(
    server: RunningServer, upstream: Upstream, key: str
):
    before = len(upstream.requests("/v1/batches"))
    other = server.new_key(project="batch-guarded")
    assert upload(server, upstream, key, line(1, "x"), file_id="file-s").status == 200
    assert begin(server, upstream, other, "file-s").status == 200

    # A file that came when nobody looked into it, as one of another purpose does.
    lenient = server.new_key(project="batch-lenient")
    options = {"purpose": "user_data", "file_id": "file-l"}
    assert upload(server, upstream, lenient, line(1, "never said"), **options).status == 200
    assert begin(server, upstream, lenient, "file-l").status == 200, "`unreadable: allow`"
    blind = upload(server, upstream, lenient, line(1, "never said"))
    assert blind.status == 400, "what can be read is"

    narrow = server.new_key(project="batch-narrow")
    options = {"purpose": "user_data", "file_id": "file-n"}
    for model, status in (("batch-m", 200), ("batch-secretive", 403)):
        asked = line(1, "x", model)
        assert upload(server, upstream, narrow, asked, **options).status == 200
        begun = begin(server, upstream, narrow, "file-n")
        assert begun.status == status, begun.body
    assert "`narrow`" in begun.error["message"]
    refused = upload(server, upstream, narrow, line(1, "never said either", "batch-secretive"))
    assert refused.error["message"].startswith("Line 1 ")
    assert upload(server, upstream, narrow, line(1, "never said either")).status == 200
    assert len(upstream.requests("/v1/batches")) == before + 3


def test_a_file_that_nobody_can_read_is_refused_unless_the_guard_says_otherwise(
    server: RunningServer, upstream: Upstream, key: str
):
    before = len(upstream.requests("/v1/files"))
    for purpose in ("user_data", "assistants", "vision"):
        refused = upload(server, upstream, key, "x", purpose=purpose)
        assert (refused.status, refused.error["code"]) == (400, "content_blocked")
        assert "`personal`" in refused.error["message"]
        assert "`unreadable`" in refused.error["message"]
    part = form(b"{}", "batch").replace(b'"file"', b'"data"')
    upstream.answers("/v1/uploads", reply({"id": "upload-1"}))
    assert server.post("/v1/uploads", {"purpose": "batch", "bytes": 2}, key=key).status == 200
    parts = server.request("POST", "/v1/uploads/upload-1/parts", part, headers=KIND, key=key)
    assert parts.error["code"] == "content_blocked", parts.body
    assert len(upstream.requests("/v1/files")) == before
    for name in ("batch-lenient", "batch-unguarded"):
        allowed = upload(
            server, upstream, server.new_key(project=name), "x", purpose="user_data", file_id="f1"
        )
        assert allowed.status == 200, allowed.body


def test_examples_for_fine_tuning_are_guarded_line_by_line(
    server: RunningServer, upstream: Upstream, key: str
):
    system = {"role": "system", "content": "Be kind to anne@example.com."}
    example = json.dumps({"messages": [system], "tools": [{"function": {"name": "refund"}}]})
    options = {"purpose": "fine-tune", "trust": "untrusted", "name": "eve@example.com.jsonl"}
    assert upload(server, upstream, key, example, **options).status == 200
    (sent,) = lines_sent(upstream)
    assert sent["messages"][0]["content"] == "Be kind to <EMAIL_1>.", "nothing is planted in it"
    assert sent["tools"] == [{"function": {"name": "refund"}}]
    assert b'filename="<EMAIL_1>.jsonl"' in upstream.requests("/v1/files")[-1].body
    refused = upload(server, upstream, key, example, "{}", '{"a": "Project Chimera"}',
                     purpose="fine-tune")  # fmt: skip
    assert refused.error["message"].startswith("Line 3 ")


def test_results_that_break_off_do_not_look_complete(
    server: RunningServer, upstream: Upstream, key: str
):
    assert upload(server, upstream, key, line(1, "x"), file_id="file-c").status == 200
    assert begin(server, upstream, key, "file-c", output_file_id="file-co").status == 200
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    upstream.answers("/v1/files/file-co/content", [head, chunk(result(1, "a")), CUT])
    with pytest.raises(Exception, match="IncompleteRead"):
        server.get("/v1/files/file-co/content", key=key)


def test_each_line_and_each_result_is_judged(server: RunningServer, upstream: Upstream):
    key = server.new_key(project="batch-judged")

    def judged(score: float, *, texts: int = 1) -> Script:
        result = {"flagged": score > 0.9, "category_scores": {"violence": score}}
        return reply({"id": "modr-1", "model": "batch-moderator", "results": [result] * texts})

    before = len(upstream.requests("/v1/files"))
    upstream.answers("batch-moderator", judged(0.6))
    refused = upload(server, upstream, key, line(1, "x"))
    assert refused.error["code"] == "content_blocked"
    assert "violence" in refused.error["message"]
    assert len(upstream.requests("/v1/files")) == before, "though it is judged beside other calls"
    upstream.answers("batch-moderator", judged(0.1))
    told = [line(n, f"question {n}") for n in range(40)]
    assert upload(server, upstream, key, *told, file_id="file-j").status == 200
    assert len(upstream.requests("batch-moderator")) == 41
    # So is what a batch begins with: its file, its endpoint and its window.
    upstream.answers("batch-moderator", judged(0.1, texts=3))
    assert begin(server, upstream, key, "file-j", output_file_id="file-jo").status == 200
    upstream.answers("batch-moderator", judged(0.6))
    upstream.answers("/v1/files/file-jo/content", chunked(result(1, "Harm.")))
    answer = server.get("/v1/files/file-jo/content", key=key)
    assert shown(answer)["r1"]["code"] == "content_blocked"
    assert b"Harm." not in answer.body
    upstream.answers("batch-moderator", error(500, "broken"))
    failed = upload(server, upstream, key, line(1, "x"))
    assert (failed.status, failed.error["code"]) == (503, "guard_failed")
